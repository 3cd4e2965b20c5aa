"""What the roles may do: each permission is taken away, each forbidden call is tried."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ghtraffic_action.errors import UserError
from ghtraffic_action.exports.rebuild import export_all
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.settings import Settings
from ghtraffic_action.status import status_of
from tests.support.builders import NOW
from tests.support.fake_github import FakeGitHub
from tests.support.job import HEARTBEAT, READER, WRITER, Job, Policy, be, policies_of, user_with

WITHOUT_FAILS = [(action, "writer") for action in WRITER if action != "s3:ListBucket"]
WITHOUT_FAILS += [(action, "heartbeat") for action in HEARTBEAT]


class TestRole:
    """What the role of base.yaml is good for."""

    def test_a_run_takes_each_of_its_permissions_and_no_other(self, job: Job) -> None:
        """The policies are the template's to the letter; a run takes all that is in them, and nothing else."""
        expected = policies_of(job.outputs)
        assert job.writer.read() == expected["WriterPolicy"]["PolicyDocument"]
        assert job.run() == (0, "")
        assert job.taken == {*WRITER, *HEARTBEAT}
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 17
        assert job.run() == (0, "")

    @pytest.mark.parametrize(("action", "policy"), WITHOUT_FAILS)
    def test_without_one_of_them_a_run_fails(self, job: Job, action: str, policy: str) -> None:
        """The error names what is missing."""
        getattr(job, policy).take_away(action)
        exit_code, error = job.run()
        assert exit_code == 1
        assert f"AWS denies {action}" in error

    def test_without_listing_a_run_fails(self, job: Job, github: FakeGitHub) -> None:
        """A file that is not there yet, such as a new month's, reads as forbidden."""
        assert job.run() == (0, "")
        job.writer.take_away("s3:ListBucket")
        github.now = NOW.replace(month=12, day=1)
        exit_code, error = job.run()
        assert exit_code == 1
        assert "s3:ListBucket on the bucket" in error

    @pytest.mark.parametrize("account", ["http"], indirect=True)
    def test_in_the_clear_a_run_fails(self, job: Job) -> None:
        """The bucket takes nothing that others on the way can read; the history is stored all the same."""
        exit_code, error = job.run()
        assert exit_code == 1
        assert "AWS denies s3:" in error
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 17

    def test_it_can_do_nothing_else(self, job: Job) -> None:
        """Nothing outside of the prefix, no other parameter, no deletion, no scan, no alarm."""
        bucket, table = job.outputs["BucketName"], job.outputs["TableName"]
        client: Any = boto3.client
        s3, dynamodb, ssm, cloudwatch = (client(name) for name in ("s3", "dynamodb", "ssm", "cloudwatch"))
        s3.put_object(Bucket=bucket, Key="traffic/file", Body=b"")
        for attempt in (
            lambda: s3.put_object(Bucket=bucket, Key="other/file", Body=b""),
            lambda: s3.get_object(Bucket=bucket, Key="trafficker/file"),
            lambda: s3.delete_object(Bucket=bucket, Key="traffic/file"),
            lambda: s3.list_objects_v2(Bucket=bucket),
            lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
            lambda: dynamodb.scan(TableName=table),
            lambda: dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}}),
            lambda: dynamodb.delete_table(TableName=table),
            lambda: ssm.get_parameter(Name="/other", WithDecryption=True),
            lambda: ssm.put_parameter(Name="/ghtraffic/token", Value="x", Type="String", Overwrite=True),
            lambda: cloudwatch.disable_alarm_actions(AlarmNames=["any"]),
            cloudwatch.list_metrics,
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                attempt()


class TestReader:
    """What a reader may do: a person or a monitor with ReaderPolicy alone, or the job with ReaderInJob."""

    @pytest.fixture
    def reader(self, job: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
        """A user with the policy, where a run has collected already."""
        assert job.run() == (0, "")
        policy = Policy(job.account, job.outputs["ReaderPolicyArn"])
        return replace(job, taken=be(job.account, user_with(job.account, policy), monkeypatch))

    def test_it_can_run_status_verify_and_export_with_each_of_its_permissions(self, reader: Job) -> None:
        """All three together take all of them and nothing else."""
        policy = Policy(reader.account, reader.outputs["ReaderPolicyArn"])
        assert policy.read() == policies_of(reader.outputs)["ReaderPolicy"]["PolicyDocument"]
        for command in (status, verify, export):
            assert command(reader.settings) == ""
        assert Path("copy/v1").is_dir()
        assert reader.taken == set(READER)

    @pytest.mark.parametrize("action", READER)
    def test_without_one_of_them_a_command_fails(self, reader: Job, action: str) -> None:
        """The error names what is missing."""
        Policy(reader.account, reader.outputs["ReaderPolicyArn"]).take_away(action)
        assert f"AWS denies {action}" in verify(reader.settings)

    def test_it_writes_nothing(self, reader: Job) -> None:
        """No run, no repair, no heartbeat."""
        exit_code, error = reader.run()
        assert exit_code == 1
        assert "AWS denies ssm:GetParameter" in error
        bucket, table = reader.outputs["BucketName"], reader.outputs["TableName"]
        key = {"pk": {"S": "repo#7"}, "sk": {"S": "day#2026-11-20"}}
        for attempt in (
            lambda: boto3.client("s3").put_object(Bucket=bucket, Key="traffic/file", Body=b""),
            lambda: boto3.client("dynamodb").update_item(TableName=table, Key=key),
            lambda: boto3.client("dynamodb").delete_item(TableName=table, Key=key),
            lambda: boto3.client("cloudwatch").put_metric_data(Namespace="ghtraffic", MetricData=[]),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                attempt()


def status(settings: Settings) -> str:
    """Run `ghtraffic status`. Return what went wrong."""
    return "\n".join(status_of(settings, NOW.date(), 14).problems)


def verify(settings: Settings) -> str:
    """Run `ghtraffic verify`. Return what went wrong."""
    try:
        return "\n".join(verify_all(settings, repair=False).problems)
    except UserError as error:
        return str(error)


def export(settings: Settings) -> str:
    """Run `ghtraffic export` into a directory. Return what went wrong."""
    return "\n".join(export_all(replace(settings, export_to="copy"), "").errors)
