"""Runs with stores, destinations or secrets that are missing, denied or damaged."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.sqlite import SQLiteStore
from tests.support.aws import Aws, create_table
from tests.support.builders import NAME, NOW, TOKEN, repository
from tests.support.csvfiles import all_daily, exported, numbers_of, reported, stored, whole
from tests.support.fake_github import FakeGitHub, RecordedTraffic
from tests.support.fault_proxy import FaultProxy, Reply, Request, dynamodb_error, one_by_one, s3_error
from tests.support.programs import DAILY, HERE, Attempt


def denied(action: str) -> Reply:
    """Return AWS's error for a denied action."""
    user = "User: arn:aws:sts::123456789012:assumed-role/x/y"
    return dynamodb_error("AccessDeniedException", f"{user} is not authorized to perform: {action}")


EXPIRED = dynamodb_error("ExpiredTokenException")
DENIED_S3 = s3_error("AccessDenied")
BUOY = "octo-lab/buoy"


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe garbage", b"day,views\r\n", b"<html>\r\n", b"", b'"open'],
    ids=["no text", "columns missing", "HTML", "empty", "open quote"],
)
def test_month_file_that_does_not_parse_is_left_alone(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws, content: bytes
) -> None:
    """A month's file that does not parse is refused with a command that rebuilds it; other files are written."""
    backends = {"store": aws.store, "export_to": aws.export_to}
    assert attempt(**backends).code == 0
    aws.s3.put_object(Bucket=aws.bucket, Key=f"traffic/{DAILY}", Body=content)
    github.now += timedelta(hours=3)
    done = attempt(**backends)
    assert done.code == 1
    (error,) = done.errors
    assert f"export-to {aws.export_to}/{DAILY}: the file " in error
    assert "rebuild it with `ghtraffic export --month 2026-11`" in error
    assert exported(aws.export_to)[DAILY] == content
    assert numbers_of(stored(aws.store)[7])[NOW.date()][0] == reported(github)[NOW.date()][0]
    assert attempt("--month", "2026-11", command="export", **backends).code == 0
    assert len(all_daily(exported(aws.export_to))) == 15
    assert attempt(**backends).code == 0
    assert attempt(command="export", **backends).out.endswith(" 0 of them written\n")


def test_catalogue_that_does_not_parse_is_left_alone(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    """A catalogue that does not parse is refused with the command that rebuilds it; everything is stored."""
    assert attempt().code == 0
    catalogue = tmp_path / "export" / "v1" / "latest" / "repositories.csv"
    whole_one = catalogue.read_bytes()
    catalogue.write_text("spoiled")
    done = attempt()
    assert done.code == 1
    assert "rebuild it with `ghtraffic export`" in done.errors[0]
    assert catalogue.read_text() == "spoiled"
    assert attempt(command="export").code == 0
    assert catalogue.read_bytes() == whole_one
    assert attempt().code == 0


def test_missing_bucket_is_reported_and_the_history_kept(attempt: Callable[..., Attempt], aws: Aws) -> None:
    """Without the bucket the run fails with the command that makes it; what was collected is in the table."""
    done = attempt(store=aws.store, export_to="s3://no-such-bucket-there/traffic")
    assert done.code == 1
    (error,) = done.errors
    assert error == (
        "export-to s3://no-such-bucket-there/traffic: there is no such bucket: name another, or make it with "
        "`aws s3 mb s3://no-such-bucket-there`"
    )
    assert whole(stored(aws.store)[7])


@pytest.mark.parametrize("operation", ["GET", "PUT"])
def test_bucket_that_denies_is_reported_and_the_history_kept(
    attempt: Callable[..., Attempt], aws: Aws, proxy: FaultProxy, operation: str
) -> None:
    """A bucket that denies reading or writing is an error that names the permissions; the history is stored."""
    proxy.fault = lambda request: DENIED_S3 if request.name.startswith(operation) else None
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    denied = {"GET": "s3:GetObject", "PUT": "s3:PutObject"}[operation]
    assert all(f"AWS denies {denied}" in error for error in done.errors)
    assert "it needs s3:GetObject and s3:PutObject below the prefix and s3:ListBucket" in done.errors[0]
    assert whole(stored(aws.store)[7])


def test_export_denied_in_part_does_not_count_as_exported(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws, proxy: FaultProxy
) -> None:
    """If a month's file cannot be written, neither is the catalogue, so that the next run writes the file."""
    backends = {"store": aws.store, "export_to": aws.export_to}
    proxy.fault = lambda request: (
        DENIED_S3 if request.name.startswith("PUT") and request.name.endswith("daily.csv") else None
    )
    done = attempt(**backends)
    assert done.code == 1
    assert len(done.errors) == 1
    assert "v1/latest/repositories.csv" not in exported(aws.export_to)
    assert "v1/latest/paths.csv" in exported(aws.export_to)
    proxy.fault = lambda _: None
    github.now += timedelta(days=40)
    assert attempt(**backends).code == 0
    assert attempt(command="export", **backends).out.endswith(" 0 of them written\n")
    assert "2026-11-10" in {row["day"] for row in all_daily(exported(aws.export_to))}


def test_missing_table_is_reported_with_the_command_that_makes_it(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws
) -> None:
    """The run fails once for all repositories, and the command in its error creates the right table."""
    github.repositories.append(repository(BUOY, id=8))
    done = attempt(repositories=f"{NAME} {BUOY}", store="dynamodb://no-such-table", export_to=aws.export_to)
    assert done.code == 1
    (error,) = [error for error in done.errors if error.startswith("store ")]
    assert error.startswith("store dynamodb://no-such-table: there is no such table in this account and region")
    assert "aws dynamodb create-table --table-name no-such-table --billing-mode PAY_PER_REQUEST" in error
    assert exported(aws.export_to) == {}


def test_table_of_another_region_is_reported(
    attempt: Callable[..., Attempt], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the region and the setting that changes it; no table is created."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    (error,) = [error for error in done.errors if error.startswith("store ")]
    assert "there is no such table in this account and region (eu-west-1)" in error
    assert "set its region (`aws-region` in Actions, elsewhere AWS_DEFAULT_REGION)" in error
    assert exported(aws.export_to) == {}
    with closing(boto3.client("dynamodb")) as there:
        assert there.list_tables()["TableNames"] == []


SECRET = "ssm:/ghtraffic/token"


@pytest.fixture
def secret(
    attempt: Callable[..., Attempt], aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """Return a function that runs with an SSM parameter as the token and returns the one error."""
    assert aws.url
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", SECRET)
    ssm = boto3.client("ssm")

    def reported(code: int, **parameter: Any) -> str:  # noqa: ANN401 - the SDK's own
        if parameter:
            ssm.put_parameter(Name="/ghtraffic/token", **parameter)
        done = attempt()
        assert done.code == code
        assert list(tmp_path.glob("export/**/*")) == []
        (error,) = done.errors
        return error

    yield reported
    ssm.delete_parameters(Names=["/ghtraffic/token"])
    ssm.close()


def test_parameter_that_is_not_there_is_a_wrong_setting(secret: Callable[..., str], github: FakeGitHub) -> None:
    """The error has the command that creates the parameter, without the token; GitHub gets no request."""
    put = "aws ssm put-parameter --overwrite --type SecureString --name /ghtraffic/token --value file:///dev/stdin"
    assert secret(2) == (
        f"{SECRET}: there is no such parameter in this account and region: put it there with `{put}`, then paste it"
    )
    assert github.requests == []


@pytest.mark.parametrize(
    ("parameter", "what"),
    [
        ({"Type": "String", "Value": TOKEN}, "it is not encrypted, but a String: store it again with `aws ssm"),
        (
            {"Type": "SecureString", "Value": json.dumps({"token": TOKEN})},
            "it holds no token: set it to the token only",
        ),
        ({"Type": "SecureString", "Value": f"{TOKEN} {TOKEN}"}, "it holds no token: set it to the token only"),
    ],
    ids=["unencrypted", "JSON", "twice"],
)
def test_parameter_that_holds_something_else_is_a_wrong_setting(
    secret: Callable[..., str], github: FakeGitHub, parameter: dict[str, str], what: str
) -> None:
    """The error says what to store and quotes nothing of the value; GitHub gets no request."""
    assert f"{SECRET}: {what}" in secret(2, **parameter)
    assert github.requests == []


def test_parameter_that_aws_denies_is_no_wrong_setting(secret: Callable[..., str], proxy: FaultProxy) -> None:
    """The settings are right and AWS refuses, so the exit code is 1."""
    proxy.fault = lambda request: denied("ssm:GetParameter") if request.name.startswith("GetParameter") else None
    expected = f"{SECRET}: AWS denies ssm:GetParameter: allow it to this role"
    assert secret(1, Type="SecureString", Value=TOKEN) == expected


def test_parameter_that_aws_cannot_give_is_no_wrong_setting(secret: Callable[..., str], proxy: FaultProxy) -> None:
    """After an outage the exit code is 1, and the error says to run again."""
    proxy.fault = lambda request: Reply(500, b"{}") if request.operation == "GetParameter" else None
    assert secret(1).startswith(f"{SECRET}: AWS failed (500): run again later")


def test_table_with_other_keys_is_reported(attempt: Callable[..., Attempt], aws: Aws) -> None:
    """A table with another key schema is refused with the expected keys, and stays empty."""
    create_table(aws.dynamodb, f"{aws.table}-other", {"id": "S"})
    done = attempt(store=f"dynamodb://{aws.table}-other", export_to=aws.export_to)
    assert done.code == 1
    assert any("the table has other keys than pk and sk, both strings" in error for error in done.errors)
    assert aws.dynamodb.scan(TableName=f"{aws.table}-other")["Count"] == 0


@pytest.mark.parametrize("operation", ["Query", "UpdateItem"])
def test_table_that_denies_is_reported(
    attempt: Callable[..., Attempt], aws: Aws, proxy: FaultProxy, operation: str
) -> None:
    """The error names the denied permission without the account's id; nothing is exported."""
    operations = {"UpdateItem": ("UpdateItem", "TransactWriteItems")}.get(operation, (operation,))
    proxy.fault = lambda request: denied(f"dynamodb:{operation}") if request.operation in operations else None
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    assert done.errors[0] == f"store {aws.store}: AWS denies dynamodb:{operation}: allow it to this role"
    assert "123456789012" not in done.out + done.err
    assert exported(aws.export_to) == {}


def test_store_that_fails_in_the_middle_keeps_what_it_took(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws, proxy: FaultProxy
) -> None:
    """If the table denies access during a run, earlier repositories are exported and no others are started."""
    names = [f"octo-lab/boat-{at:02}" for at in range(1, 25)]
    traffic = RecordedTraffic(views=[(date(2026, 11, 20), 4, 2)])
    github.repositories = [repository(name, id=at, traffic=traffic) for at, name in enumerate(names, 1)]

    def deny_all_but_eight(request: Request) -> Reply | None:
        operation, _, repository_id = request.name.partition(" repo#")
        return denied("dynamodb:UpdateItem") if operation == "UpdateItem" and int(repository_id) > 8 else None

    proxy.fault = one_by_one(deny_all_but_eight)
    done = attempt(repositories=" ".join(names), store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    assert len([error for error in done.errors if error.startswith("store ")]) == 1
    assert len([request for request in github.requests if "/traffic/" in request.path]) < 4 * len(names)
    proxy.fault = lambda _: None
    kept = {history.repository_id for history in stored(aws.store).values() if history.snapshots}
    exported_ids = {int(row["repository_id"]) for row in all_daily(exported(aws.export_to))}
    assert exported_ids == kept == set(range(1, 9))
    assert attempt(repositories=" ".join(names), store=aws.store, export_to=aws.export_to).code == 0
    assert {i for i, history in stored(aws.store).items() if history.snapshots} == set(range(1, 25))
    assert attempt(command="export", store=aws.store, export_to=aws.export_to).out.endswith(" 0 of them written\n")


@pytest.mark.parametrize("at", [1, 9, 16], ids=["at a day", "at a later day", "at the snapshot"])
def test_credentials_that_expire_in_the_middle_lose_nothing(
    attempt: Callable[..., Attempt], aws: Aws, proxy: FaultProxy, at: int
) -> None:
    """Stored days stay, no snapshot exists without its days, and the next run stores and exports the rest."""
    left = [at]

    def expire(request: Request) -> Reply | None:
        left[0] -= request.operation == "UpdateItem"
        return EXPIRED if left[0] <= 0 else None

    proxy.fault = one_by_one(expire)
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    assert any("the AWS credentials have expired: get new ones and run again" in error for error in done.errors)
    proxy.fault = lambda _: None
    assert all(history.snapshots == () for history in stored(aws.store).values())
    assert attempt(store=aws.store, export_to=aws.export_to).code == 0
    assert whole(stored(aws.store)[7])
    assert len(all_daily(exported(aws.export_to))) == 15


@pytest.mark.parametrize(
    ("export_to", "reason"), [("in-the-way", "Not a directory"), ("in-the-way/below", "Not a directory")]
)
def test_directory_that_cannot_be_written_is_reported_and_the_history_kept(
    attempt: Callable[..., Attempt], tmp_path: Path, export_to: str, reason: str
) -> None:
    """If the export's directory cannot be created, the run fails with a remedy; the answers are stored."""
    (tmp_path / "in-the-way").write_text("a file")
    done = attempt(export_to=export_to)
    assert done.code == 1
    assert done.errors == [
        f"export-to {export_to}: cannot be used ({reason}): name a directory that this user can write"
    ]
    assert whole(stored(HERE["store"])[7])


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda path: path.write_bytes(b"no database at all, but long enough " * 40), "is not an SQLite database"),
        (lambda path: execute(path, "CREATE TABLE recipe (name)"), "is the database of another program"),
        (
            lambda path: execute(
                path, "PRAGMA application_id = 1734898802", "PRAGMA user_version = 99", "CREATE TABLE day (d)"
            ),
            "newer ghtraffic (schema 99",
        ),
    ],
    ids=["no database", "another program's", "newer"],
)
def test_file_that_is_no_store_of_ours_is_left_alone(
    github: FakeGitHub, attempt: Callable[..., Attempt], tmp_path: Path, spoil: Callable[[Path], object], text: str
) -> None:
    """The file is refused before any request to GitHub, and does not change."""
    path = tmp_path / "traffic.db"
    spoil(path)
    before = path.read_bytes()
    done = attempt()
    assert done.code == 1
    (error,) = done.errors
    assert error.startswith("store sqlite:traffic.db: ")
    assert text in error
    assert github.requests == []
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["traffic.db"]


def test_folder_in_the_place_of_the_store_is_a_wrong_setting(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    """The error suggests a file in that folder."""
    (tmp_path / "traffic.db").mkdir()
    done = attempt()
    assert done.code == 2
    assert done.errors == ["store: 'sqlite:traffic.db' is a folder: write sqlite:traffic.db/ghtraffic.db"]


def execute(path: Path, *statements: str) -> None:
    """Execute a statement with the sqlite3 module only."""
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)


def test_folder_that_is_not_there_is_reported(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """If the folder of the SQLite file does not exist, the error says to create it."""
    done = attempt(store="sqlite:nowhere/traffic.db")
    assert done.code == 1
    (error,) = done.errors
    assert error.startswith("store sqlite:nowhere/traffic.db: cannot be opened: make its folder, and give this user")
    assert github.requests == []


def test_locked_file_is_reported(tmp_path: Path) -> None:
    """A file that stays locked is reported after the timeout."""
    path = tmp_path / "traffic.db"
    SQLiteStore(str(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another program: run again when that has ended"):
            SQLiteStore(str(path), lock_timeout=0.05)
