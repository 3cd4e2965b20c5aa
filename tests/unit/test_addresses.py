"""Addresses as users mistype them, each with its correction."""

import pytest

from ghtraffic_action.settings.addresses import (
    canonical,
    expand,
    may_be_bucket,
    names_nothing,
    problem_of_destination,
    problem_of_store,
    repository_name,
)


@pytest.mark.parametrize(
    "text",
    [
        "ann/tool",
        "ann/tool/",
        "ann/tool.git",
        "'ann/tool'",
        '"ann/tool"',
        "`ann/tool`",
        "\u201cann/tool\u201d",
        "https://github.com/ann/tool",
        "https://github.com/ann/tool.git",
        "https://github.com/ann/tool/",
        "https://github.com/ann/tool/graphs/traffic",
        "https://github.com/ann/tool?tab=readme-ov-file#usage",
        "http://www.github.com/ann/tool",
        "HTTPS://GitHub.com/ann/tool",
        "github.com/ann/tool",
        "git@github.com:ann/tool.git",
        "ssh://git@github.com/ann/tool.git",
        "git://github.com/ann/tool.git",
        "https://x-access-token@github.com/ann/tool.git",
    ],
)
def test_what_people_copy_names_a_repository(text: str) -> None:
    """Page and clone URLs, quotes and trailing slashes are accepted for OWNER/NAME, in exclusions too."""
    assert repository_name(text) == "ann/tool"
    assert repository_name(f"!{text}") == "!ann/tool"


@pytest.mark.parametrize("text", ["ann/*", "!ann/*", "ann/tool.github.io", "gitlab.com/ann/tool", ""])
def test_other_names_stay_as_they_are(text: str) -> None:
    """Patterns and names with dots are not changed."""
    assert repository_name(text) == text


@pytest.mark.parametrize(
    ("store", "problem"),
    [
        ("sqlite://x.db", "is not a store address: write sqlite:x.db"),
        ("sqlite:///x.db", "is not a store address: write sqlite:x.db, or sqlite:/x.db for a file below the root"),
        (
            "sqlite:////srv/x.db",
            "is not a store address: write sqlite:srv/x.db, or sqlite:/srv/x.db for a file below the root",
        ),
        ("sqlite::memory:", "keeps nothing when the run ends: write sqlite:PATH"),
        ("sqlite:file::memory:?cache=shared", "keeps nothing when the run ends: write sqlite:PATH"),
        ("sqlite:new/", "is a folder: write sqlite:new/ghtraffic.db"),
        ("x.db", "is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH, such as sqlite:x.db"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/traffic", "is not a store address: write dynamodb://traffic"),
        ("jsonl://x.jsonl", "is not a store address: write jsonl:x.jsonl"),
        ("jsonl:new/", "is a folder: write jsonl:new/ghtraffic.jsonl"),
        (
            "data/x.jsonl",
            "is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH, such as jsonl:data/x.jsonl",
        ),
        ("sqlite:", "is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH"),
        ("sqlite:/", "is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH"),
        ("file:x.db", "is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH, such as sqlite:x.db"),
        ("dynamodb:traffic", "is not a store address: write dynamodb://traffic"),
        ("dynamodb:///traffic/", "is not a store address: write dynamodb://traffic"),
        ("dynamo://traffic", "is not a store address: write dynamodb://traffic"),
        (
            "dynamodb://arn:aws:dynamodb:eu-west-1:123456789012:table/traffic",
            "is not a store address: write dynamodb://traffic",
        ),
        ("dynamodb\uff1a//traffic", "is not a store address: write dynamodb://traffic"),
        ("dynamodb://traffic\u2013x", "is not a store address: write dynamodb://traffic-x"),
        (
            "dynamodb://ab",
            (
                "is not a store address, since a table's name has 3 to 255 letters, digits, dots, dashes and "
                "underscores: write dynamodb://TABLE"
            ),
        ),
        ("sqlite:..", "is a folder: write sqlite:../ghtraffic.db"),
        (
            "sqlite:x.db # the history",
            "ends with a comment, which would become part of the path: remove the comment",
        ),
        (
            "jsonl:C:\\x.jsonl",
            "is a Windows path, which is only a file name on this machine: write a path of this machine",
        ),
        (
            "sqlite:~nobody-here/x.db",
            "begins with the home folder of an unknown user: write the whole path",
        ),
    ],
)
def test_a_store_that_is_none_is_answered_by_one(store: str, problem: str) -> None:
    """The error has a valid address; nothing is written to the root, a folder, or memory."""
    assert problem_of_store(store) == problem


@pytest.mark.parametrize(
    "store", ["dynamodb://abc", "sqlite:x.db", "sqlite:/srv/x.db", "sqlite:~/x.db", "sqlite:a b", "jsonl:x.jsonl"]
)
def test_a_store_that_is_one_has_no_problem(store: str) -> None:
    """Tables and files, with relative and absolute paths, are accepted."""
    assert problem_of_store(store) == ""


@pytest.mark.parametrize(
    ("destination", "written"),
    [
        ("arn:aws:s3:::bucket", "s3://bucket"),
        ("arn:aws:s3:::bucket/traffic", "s3://bucket/traffic"),
        ("arn:aws-cn:s3:::bucket/traffic", "s3://bucket/traffic"),
        ("https://bucket.s3.eu-west-1.amazonaws.com/traffic", "s3://bucket/traffic"),
        ("https://bucket.s3.amazonaws.com", "s3://bucket"),
        ("dynamodb://table", "s3://BUCKET/PREFIX or a directory"),
        ("sqlite:x.db", "s3://BUCKET/PREFIX or a directory"),
        ("s3\uff1a//bucket/traffic", "s3://bucket/traffic"),
        ("s3://bucket\u2013a/traffic", "s3://bucket-a/traffic"),
        ("s3//bucket/traffic", "s3://bucket/traffic"),
        ("s3:/bucket/traffic", "s3://bucket/traffic"),
        ("s3a://bucket/traffic", "s3://bucket/traffic"),
        ("s3:///traffic", "s3://BUCKET/PREFIX or a directory"),
        ("s3://arn:aws:s3:::bucket/traffic", "s3://bucket/traffic"),
        ("https://s3.eu-west-1.amazonaws.com/bucket/traffic", "s3://bucket/traffic"),
        ("https://eu-west-1.console.aws.amazon.com/s3/buckets/bucket?region=eu-west-1", "s3://bucket"),
    ],
)
def test_a_destination_that_is_none_is_answered_by_one(destination: str, written: str) -> None:
    """The error has a valid address, and no directory of that name is created."""
    assert problem_of_destination(destination) == f"is not a destination: write {written}"


@pytest.mark.parametrize(
    ("destination", "problem"),
    [
        ("s3://Bucket/x", "small letters"),
        ("s3://b", "3 to 63"),
        ("s3://bucket/my prefix", "no blank"),
        ("s3://bucket/../x", "prefix with . or .."),
        ("s3://bucket/x,s3://other/x", "more than one destination"),
        ("arn:aws:s3:eu-west-1:123456789012:accesspoint/point", "access point"),
        ("none", "a run always exports"),
        ("False", "a run always exports"),
        ("export # the files", "comment"),
        ("D:/export", "Windows"),
        ("$(pwd)/export", "a command in it"),
        ("~nobody-here/export", "home folder"),
    ],
)
def test_a_destination_is_refused_with_its_reason(destination: str, problem: str) -> None:
    """No folder of such a name is created, where nobody would look for the files."""
    assert problem in problem_of_destination(destination)


@pytest.mark.parametrize(
    ("address", "canonical_address"),
    [
        ("S3://bucket", "s3://bucket"),
        ("DynamoDB://Traffic", "dynamodb://Traffic"),
        ("SQLite: a b.db", "sqlite:a b.db"),
        ("Export", "Export"),
    ],
)
def test_a_scheme_has_small_letters(address: str, canonical_address: str) -> None:
    """Capitals in a scheme and a blank after it are corrected."""
    assert canonical(address) == canonical_address


@pytest.mark.parametrize("destination", ["s3://bucket", "s3://bucket/a/b", "export", "bucket/prefix", "~/export"])
def test_a_destination_that_is_one_has_no_problem(destination: str) -> None:
    """A bucket without s3:// is accepted as a directory, since it looks the same; a warning mentions it."""
    assert problem_of_destination(destination) == ""


def test_a_path_that_may_be_a_bucket_is_known() -> None:
    """A possible bucket name is recognised, with or without a prefix."""
    assert may_be_bucket("bucket/prefix")
    assert may_be_bucket("my-bucket")
    assert not may_be_bucket("/srv/export")
    assert not may_be_bucket("./export")
    assert not may_be_bucket("Export")


@pytest.mark.parametrize("address", ["dynamodb://", "sqlite:", "s3://", "s3:///traffic", "S3:///traffic"])
def test_an_address_without_its_name_is_known(address: str) -> None:
    """An address whose name came from an unset variable is recognised."""
    assert names_nothing(address)
    assert not names_nothing(address.partition(":")[0] + "://name")


def test_the_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leading ~ is expanded, so that no folder of that name is created; other addresses do not change."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert expand("~/export") == "/home/ann/export"
    assert expand("sqlite:~/x.db") == "sqlite:/home/ann/x.db"
    assert expand("sqlite:a/~x.db") == "sqlite:a/~x.db"
    assert expand("s3://bucket/~") == "s3://bucket/~"
