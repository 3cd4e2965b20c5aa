"""Directories and buckets: what each destination reads, writes and refuses."""

import json
import os
import resource
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from filelock import FileLock

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import Conflict, Destination, File, digest, open_destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.s3 import S3Destination
from tests.support.aws import Aws
from tests.support.exports import files_in
from tests.support.fault_proxy import FaultProxy, s3_error


def test_a_missing_file_is_none(destination: Destination) -> None:
    """A missing file is not an error."""
    assert destination.read("v1/a.csv") is None


def test_a_file_is_read_as_it_was_written(destination: Destination) -> None:
    """A read returns the bytes, their digest, and a version for conditional writes."""
    destination.write("v1/month=2026-11/a.csv", b"one\r\n", None)
    file = destination.read("v1/month=2026-11/a.csv")
    assert file is not None
    assert (file.content, file.digest) == (b"one\r\n", digest(b"one\r\n"))
    destination.write("v1/month=2026-11/a.csv", b"two", file.version)
    again = destination.read("v1/month=2026-11/a.csv")
    assert again is not None
    assert again.content == b"two"
    assert again.version != file.version


def test_files_are_named_by_what_their_keys_begin_with(
    destination: Destination, request: pytest.FixtureRequest
) -> None:
    """A listing has every file below a prefix and none beside it."""
    assert list(destination.keys("v1/")) == []
    keys = {f"v1/daily/month=2026-{n:02}/daily.csv" for n in range(1, 6)} | {"v1/latest/paths.csv"}
    for key in (*keys, "v2/latest/paths.csv", "quicksight/a.json"):
        destination.write(key, b"x", None)
    assert sorted(destination.keys("v1/")) == sorted(keys)
    if "aws" in request.fixturenames:
        with closing(open_destination(f"s3://{request.getfixturevalue('aws').bucket}")) as whole_bucket:
            assert sorted(whole_bucket.keys("traffic/v1/latest/")) == ["traffic/v1/latest/paths.csv"]


def test_a_stale_version_is_a_conflict(destination: Destination) -> None:
    """A write with the version from before another write fails."""
    destination.write("a.csv", b"one", None)
    file = destination.read("a.csv")
    assert file is not None
    destination.write("a.csv", b"two", file.version)
    with pytest.raises(Conflict):
        destination.write("a.csv", b"three", file.version)
    assert (destination.read("a.csv") or file).content == b"two"


def test_a_new_file_that_is_there_already_is_a_conflict(destination: Destination) -> None:
    """A write for a missing file fails if the file exists by now."""
    destination.write("a.csv", b"one", None)
    with pytest.raises(Conflict):
        destination.write("a.csv", b"two", None)
    file = destination.read("a.csv")
    assert file is not None
    assert file.content == b"one"


def test_a_file_that_is_gone_is_a_conflict(destination: Destination) -> None:
    """A version of a file that was removed in the meantime no longer holds."""
    destination.write("b.csv", b"one", None)
    file = destination.read("b.csv")
    assert file is not None
    with pytest.raises(Conflict):
        destination.write("a.csv", b"two", file.version)
    assert destination.read("a.csv") is None


def test_of_many_writers_of_one_version_one_succeeds() -> None:
    """Check and replacement in a directory are atomic for threads and for other programs."""
    programs = [DirectoryDestination("export") for _ in range(3)]
    programs[0].write("a.csv", b"", None)
    version = (programs[0].read("a.csv") or File(b"", "", "")).version
    start = Barrier(6)

    def write(i: int) -> int:
        start.wait(10)
        try:
            programs[i % 3].write("a.csv", b"%d" % i, version)
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(6) as executor:
        assert sum(executor.map(write, range(6))) == 1
    assert sorted(files_in("export")) == ["a.csv"]


def test_a_directory_that_another_program_keeps_is_named() -> None:
    """A lock that stays is an error with a remedy."""
    destination = DirectoryDestination("export", lock_timeout=0.01)
    destination.write("a.csv", b"one", None)
    with FileLock("export/.lock"), pytest.raises(DestinationError) as refused:
        destination.write("b.csv", b"two", None)
    assert str(refused.value) == "export-to export: another program keeps writing there: run again later"
    destination.write("b.csv", b"two", None)
    assert files_in("export") == {"a.csv": b"one", "b.csv": b"two"}


def test_a_directory_that_cannot_be_made_is_named() -> None:
    """A path through a file is refused, as is one that the system denies, when reading or when writing."""
    Path("file").touch()
    destination = DirectoryDestination("file/export")
    text = r"export-to file/export: cannot be used \(Not a directory\): name a directory that this user can write"
    with pytest.raises(DestinationError, match=text):
        destination.read("a.csv")
    with pytest.raises(DestinationError, match=text):
        destination.write("a.csv", b"", None)


def test_a_failed_replacement_leaves_nothing_behind() -> None:
    """No half file and no temporary one stays where a file cannot be written to its end, and the old one is whole."""
    destination = DirectoryDestination("export")
    destination.write("a.csv", b"one", None)
    file = destination.read("a.csv")
    assert file is not None
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # stands for a full disk
    try:
        with pytest.raises(DestinationError, match=r"export-to export: cannot be used \(File too large\)"):
            destination.write("a.csv", b"x" * 200_000, file.version)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in("export") == {"a.csv": b"one"}


def test_a_folder_in_the_place_of_a_file_is_named() -> None:
    """A folder in the place of a file is an error of the destination, not a missing file."""
    Path("export/a.csv").mkdir(parents=True)
    with pytest.raises(DestinationError, match=r"export-to export: export/a\.csv is a folder where"):
        DirectoryDestination("export").write("a.csv", b"one", None)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_exported_files_have_the_rights_that_the_umask_leaves(umask: int, mode: int) -> None:
    """A file is as readable as others of its user, also one that takes the place of another."""
    destination = DirectoryDestination("export")
    before = os.umask(umask)
    try:
        destination.write("v1/a.csv", b"one", None)
        file = destination.read("v1/a.csv")
        assert file is not None
        destination.write("v1/a.csv", b"two", file.version)
    finally:
        os.umask(before)
    assert Path("export/v1/a.csv").stat().st_mode & 0o777 == mode


def test_a_file_that_is_too_large_comes_without_its_content(destination: Destination) -> None:
    """A file above the limit is not read, but its version can be used for a write."""
    destination.write("a.csv", b"x" * 5_000_000, None)
    file = destination.read("a.csv", 4_999_999)
    assert file is not None
    assert (file.content, file.too_large) == (b"", True)
    whole = destination.read("a.csv", 5_000_000)
    assert whole is not None
    assert (len(whole.content), whole.too_large, whole.version) == (5_000_000, False, file.version)
    destination.write("a.csv", b"one", file.version)


def test_files_are_named_so_that_their_reader_finds_them(aws: Aws) -> None:
    """A bucket's files have URIs, a directory's have paths."""
    with closing(S3Destination("bucket", "/a/b/")) as below, closing(S3Destination("bucket", "")) as root:
        assert (below.uri("v1/a.csv"), root.uri("v1/a.csv")) == ("s3://bucket/a/b/v1/a.csv", "s3://bucket/v1/a.csv")
    assert DirectoryDestination("export").uri("v1/a.csv") == "export/v1/a.csv"
    with closing(open_destination(f"s3://{aws.bucket}")) as root:
        root.write("v1/a.csv", b"one", None)
    assert aws.s3.get_object(Bucket=aws.bucket, Key="v1/a.csv")["Body"].read() == b"one"


@pytest.mark.parametrize(
    ("key", "content_type", "cache_control"),
    [
        ("v1/daily/month=2026-11/daily.csv", "text/csv; charset=utf-8", None),
        ("report/data.jsonl", "application/x-ndjson", None),
        ("quicksight/daily.manifest.json", "application/json", "no-cache"),
        ("report.html", "text/html; charset=utf-8", "no-cache"),
        ("pictures/octo-lab/lighthouse.views.svg", "image/svg+xml", "no-cache"),
        ("v1.csv/none", "binary/octet-stream", None),
    ],
)
def test_objects_carry_their_checksum_and_type(
    aws: Aws, key: str, content_type: str, cache_control: str | None
) -> None:
    """Uploads have a SHA-256 that S3 checks, a content type, and for files shown in browsers `no-cache`."""
    with closing(open_destination(aws.export_to)) as destination:
        destination.write(key, b"one", None)
    head = aws.s3.head_object(Bucket=aws.bucket, Key=f"traffic/{key}", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == b64encode(sha256(b"one").digest()).decode()
    assert (head["ContentType"], head.get("CacheControl")) == (content_type, cache_control)


def test_the_manifests_name_the_real_bucket(aws: Aws) -> None:
    """QuickSight's manifests are ready to paste, one a data set, and end with .json; a directory has none."""
    with closing(open_destination(aws.export_to)) as destination:
        manifests = {key: json.loads(content) for key, content in destination.manifests().items()}
    prefixes = {key: manifest["fileLocations"][0]["URIPrefixes"] for key, manifest in manifests.items()}
    base = f"s3://{aws.bucket}/traffic/v1"
    assert prefixes == {
        "quicksight/daily.manifest.json": [f"{base}/daily/"],
        "quicksight/latest_paths.manifest.json": [f"{base}/latest_paths/paths.csv"],
        "quicksight/latest_referrers.manifest.json": [f"{base}/latest_referrers/referrers.csv"],
        "quicksight/repositories.manifest.json": [f"{base}/repositories/repositories.csv"],
    }
    for manifest in manifests.values():
        assert manifest["globalUploadSettings"] == {
            "format": "CSV",
            "delimiter": ",",
            "textqualifier": '"',
            "containsHeader": "true",
        }
    assert DirectoryDestination("export").manifests() == {}


@pytest.mark.parametrize("write", [False, True])
def test_a_missing_bucket_comes_with_the_command_that_makes_it(aws: Aws, write: bool) -> None:
    """Reading and writing name the bucket and what to do."""
    bucket = f"{aws.bucket}-missing"
    with closing(open_destination(f"s3://{bucket}/traffic")) as destination, pytest.raises(DestinationError) as refused:
        destination.write("a.csv", b"", None) if write else destination.read("a.csv")
    text = f"there is no such bucket: name another, or make it with `aws s3 mb s3://{bucket}`"
    assert str(refused.value) == f"export-to s3://{bucket}/traffic: {text}"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Return S3 on loopback for a user with credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with closing(FaultProxy()) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        yield proxy


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (
            403,
            "AccessDenied",
            "it needs s3:GetObject and s3:PutObject below the prefix and s3:ListBucket on the bucket",
        ),
        (403, "ExpiredToken", "the AWS credentials have expired: get new ones and run again"),
        (403, "InvalidAccessKeyId", "AWS does not know these credentials: check AWS_ACCESS_KEY_ID"),
        (400, "IllegalLocationConstraintException", "the bucket is in another region: set that region"),
        (503, "SlowDown", "AWS throttles the requests, after several tries: run again later"),
        (400, "SomethingNew", "AWS answered SomethingNew to"),
    ],
)
def test_each_refusal_of_s3_has_its_cure(
    s3: FaultProxy,
    impatient: None,  # noqa: ARG001 - it is in force
    status: int,
    code: str,
    text: str,
) -> None:
    """Errors of reads and writes have the place, the problem and the remedy."""
    s3.fault = lambda _: s3_error(code, status)
    with closing(S3Destination("bucket", "traffic")) as destination:
        with pytest.raises(DestinationError) as read:
            destination.read("a.csv")
        with pytest.raises(DestinationError) as write:
            destination.write("a.csv", b"one", None)
    assert str(read.value).startswith("export-to s3://bucket/traffic: ")
    assert text in str(read.value)
    assert text in str(write.value)
    if code == "AccessDenied":
        assert ("AWS denies s3:GetObject" in str(read.value), "AWS denies s3:PutObject" in str(write.value)) == (
            True,
            True,
        )


@pytest.mark.parametrize(("status", "code"), [(409, "ConditionalRequestConflict"), (412, "PreconditionFailed")])
def test_both_answers_to_a_lost_race_are_conflicts(
    s3: FaultProxy,
    impatient: None,  # noqa: ARG001 - it is in force
    status: int,
    code: str,
) -> None:
    """S3 answers 412 to a stale version and 409 to two simultaneous writes: both are conflicts."""
    s3.fault = lambda _: s3_error(code, status)
    with closing(S3Destination("bucket", "traffic")) as destination, pytest.raises(Conflict):
        destination.write("a.csv", b"one", '"stale"')
