"""`ghtraffic doctor` looks at the account, the table and the bucket, and changes nothing."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import boto3
import pytest

from ghtraffic_action.doctor import exit_code
from tests.support.aws import Aws, create_table
from tests.support.findings import Findings, Front, problems, unknown

LOOKS = re.compile(
    r"sts POST /|iam POST /|dynamodb POST / \S+\.(DescribeTable|DescribeContinuousBackups|Query|UpdateItem)"
    r"|s3 HEAD /[\w-]+|s3 GET /[\w-]+\?(publicAccessBlock|encryption)|s3 (GET|PUT) /[\w-]+/traffic/v1/doctor-\w+"
    r"|monitoring POST / \S+\.DescribeAlarmsForMetric|sns POST /"
)


def held(aws: Aws) -> object:
    """Return everything that the account contains."""
    table = aws.dynamodb.describe_table(TableName=aws.table)["Table"]
    return (
        table,
        aws.dynamodb.scan(TableName=aws.table)["Items"],
        aws.dynamodb.list_tables()["TableNames"],
        [bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]],
        aws.s3.list_object_versions(Bucket=aws.bucket).get("Versions"),
        aws.s3.list_multipart_uploads(Bucket=aws.bucket).get("Uploads"),
    )


def test_all_is_well_in_a_guarded_account(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """There is no problem and no unknown, and all that a run needs is listed."""
    found = look(store=aws.store, export_to=aws.export_to)
    assert list(found) == [
        "github-token: a fine-grained token",
        "repositories: the traffic of 1 can be read",
        "AWS: account 123456789012, user moto",
        f"table {aws.table}: it is there, with the keys pk and sk",
        f"table {aws.table}: deletion protection",
        f"table {aws.table}: point-in-time recovery",
        f"table {aws.table}: it can be read",
        f"table {aws.table}: it can be written",
        f"bucket {aws.bucket}: it is in us-east-1",
        f"bucket {aws.bucket}: public access is blocked",
        f"bucket {aws.bucket}: below traffic/ it can be read",
        f"bucket {aws.bucket}: below traffic/ it can be written",
    ]
    assert {finding.state for finding in found.values()} == {"ok"}
    assert front.asked


def test_nothing_is_changed(look: Callable[..., Findings], aws: Aws, front: Front, tmp_path: Path) -> None:
    """The account is unchanged, all requests only read, and no file is created."""
    before = held(aws), sorted(tmp_path.rglob("*"))
    look(store=aws.store, export_to=aws.export_to)
    look(store="sqlite:new.db", export_to="new")
    assert (held(aws), sorted(tmp_path.rglob("*"))) == before
    assert not [line for line in front.asked if not LOOKS.fullmatch(line)]
    assert any(line.startswith("s3 PUT") for line in front.asked)
    assert any(line.endswith("UpdateItem") for line in front.asked)


def test_right_to_look_that_is_missing_is_unknown(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """With only a run's permissions, protection and recovery are unknown, and the permissions are still checked."""
    front.denied = r"sts|Describe|HEAD|publicAccessBlock"
    found = look(store=aws.store, export_to=aws.export_to)
    assert unknown(found) == [
        "AWS: account and role",
        f"table {aws.table}: its keys and its protection",
        f"table {aws.table}: point-in-time recovery",
        f"bucket {aws.bucket}: its region",
        f"bucket {aws.bucket}: public access is blocked",
        "alarm if nothing is collected",
    ]
    assert problems(found) == []
    assert exit_code(tuple(found.values())) == 0
    assert found[f"table {aws.table}: it can be written"].state == "ok"
    assert "AWS denies sts:GetCallerIdentity" in found["AWS: account and role"].reason


@pytest.mark.parametrize(
    ("denied", "action"),
    [(r"\.Query", "dynamodb:Query"), ("UpdateItem", "dynamodb:UpdateItem"), ("PUT", "s3:PutObject")],
)
def test_right_that_a_run_needs_is_a_problem(
    look: Callable[..., Findings], aws: Aws, front: Front, denied: str, action: str
) -> None:
    """The finding names the missing action."""
    front.denied = denied
    found = look(store=aws.store, export_to=aws.export_to)
    (what,) = problems(found)
    assert f"AWS denies {action}" in what
    assert found[what].remedy == "allow it to this role"


def test_missing_credentials_are_reported_once(
    look: Callable[..., Findings], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials no check of AWS is possible, which is reported as one problem."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (what,) = problems(look(store=aws.store, export_to=aws.export_to))
    assert what == "AWS: account and role: there are no AWS credentials"


def test_profile_that_is_not_there_is_reported_with_its_name(
    look: Callable[..., Findings], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem names the profile, and the remedy is a separate field."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers earlier tests' profile
    found = look(store=aws.store, export_to=aws.export_to)
    (what,) = problems(found)
    assert what.endswith("AWS's configuration has no profile 'nobody'")
    assert found[what].remedy == "set AWS_PROFILE to one that `aws configure list-profiles` prints"


def test_unguarded_table_is_a_problem(look: Callable[..., Findings], aws: Aws) -> None:
    """Without deletion protection or recovery a history can be lost; the commands that switch them on work."""
    found = look(store=aws.store)
    assert problems(found) == [
        f"table {aws.table}: deletion protection: no",
        f"table {aws.table}: point-in-time recovery: no",
    ]
    for what in problems(found):
        assert found[what].remedy.startswith("aws dynamodb update-")
        assert f"--table-name {aws.table}" in found[what].remedy


def test_missing_table_and_bucket_are_problems(look: Callable[..., Findings], aws: Aws) -> None:
    """Each has the command that creates it, and no further finding."""
    assert aws.url
    found = look(store="dynamodb://mirage", export_to="s3://mirage-bucket/traffic")
    assert problems(found) == ["table mirage: there is none", "bucket mirage-bucket: there is none"]
    assert found["table mirage: there is none"].remedy.startswith("aws dynamodb create-table --table-name mirage")
    assert found["bucket mirage-bucket: there is none"].remedy == "aws s3 mb s3://mirage-bucket"


@pytest.mark.parametrize("keys", [{"pk": "S"}, {"pk": "S", "sk": "N"}], ids=["one key", "a number"])
def test_table_with_other_keys_is_a_problem(look: Callable[..., Findings], aws: Aws, keys: Mapping[str, str]) -> None:
    """Our items do not fit into such a table."""
    name = f"{aws.table}-other"
    create_table(aws.dynamodb, name, keys)
    found = look(store=f"dynamodb://{name}")
    assert f"table {name}: it has other keys than pk and sk, both strings" in problems(found)
    aws.dynamodb.delete_table(TableName=name)


def test_bucket_that_may_be_public_is_a_problem(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """All four switches must be on; the command switches them on."""
    assert front
    only_some = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True}
    for change in (
        partial(aws.s3.put_public_access_block, Bucket=aws.bucket, PublicAccessBlockConfiguration=only_some),
        partial(aws.s3.delete_public_access_block, Bucket=aws.bucket),
    ):
        change()
        found = look(export_to=aws.export_to)
        assert problems(found) == [f"bucket {aws.bucket}: public access is blocked: no"]
        assert "RestrictPublicBuckets=true" in found[problems(found)[0]].remedy


def test_bucket_in_another_region_is_a_problem(
    look: Callable[..., Findings], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finding has the bucket's region and the setting to change."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    found = look(export_to=aws.export_to)[f"bucket {aws.bucket}: it is in us-east-1"]
    assert found.state == "problem"
    assert "AWS_DEFAULT_REGION=us-east-1" in found.remedy


def test_key_of_the_bucket_is_unknown(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """A refused write does not use the KMS key, so its permissions are unknown."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    aws.s3.put_bucket_encryption(Bucket=aws.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert front
    found = look(store=aws.store, export_to=aws.export_to)
    assert unknown(found) == [f"bucket {aws.bucket}: a key of KMS encrypts it"]


def test_read_that_is_denied_is_a_problem(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """A bucket that can be written but not read is a problem."""
    front.denied = "GET .*/doctor-"
    found = look(store=aws.store, export_to=aws.export_to)
    (what,) = problems(found)
    assert what == f"bucket {aws.bucket}: below traffic/ AWS denies s3:GetObject"
    assert found[what].remedy == "allow it to this role"
