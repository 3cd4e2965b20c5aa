"""The permissions of the roles: a run needs each of them, and every other call is denied."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ghtraffic_action.collect import run
from ghtraffic_action.errors import UserError
from ghtraffic_action.exports.rebuild import export_all
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.settings import Settings
from ghtraffic_action.status import status_of
from tests.support.builders import NOW
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.job import HEARTBEAT, READER, WRITER, Job, Policy, be, policies_of, user_with

WITHOUT_FAILS = [(action, "writer") for action in WRITER if action != "s3:ListBucket"]
WITHOUT_FAILS += [(action, "heartbeat") for action in HEARTBEAT]


class TestRole:
    """The role of base.yaml."""

    def test_a_run_takes_each_of_its_permissions_and_no_other(self, job: Job) -> None:
        """The deployed policies equal the template's, and a run uses all of their permissions."""
        expected = policies_of(job.outputs)
        assert job.writer.read() == expected["WriterPolicy"]["PolicyDocument"]
        assert job.run() == (0, "")
        assert job.taken == {*WRITER, *HEARTBEAT}
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 17
        assert job.run() == (0, "")

    @pytest.mark.parametrize(("action", "policy"), WITHOUT_FAILS)
    def test_without_one_of_them_a_run_fails(self, job: Job, action: str, policy: str) -> None:
        """The run fails, and its error names the missing permission."""
        getattr(job, policy).take_away(action)
        exit_code, error = job.run()
        assert exit_code == 1
        assert f"AWS denies {action}" in error

    def test_without_listing_a_run_fails(self, job: Job, github: FakeGitHub) -> None:
        """Without ListBucket a file that does not exist yet, such as a new month's, is reported as forbidden."""
        assert job.run() == (0, "")
        job.writer.take_away("s3:ListBucket")
        github.now = NOW.replace(month=12, day=1)
        exit_code, error = job.run()
        assert exit_code == 1
        assert "s3:ListBucket on the bucket" in error

    @pytest.mark.parametrize("account", ["http"], indirect=True)
    def test_in_the_clear_a_run_fails(self, job: Job) -> None:
        """The bucket refuses requests without TLS; the history is stored."""
        exit_code, error = job.run()
        assert exit_code == 1
        assert "AWS denies s3:" in error
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 17

    def test_it_can_do_nothing_else(self, job: Job) -> None:
        """The role cannot use other keys or parameters, delete, scan, or change alarms."""
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


@pytest.mark.parametrize("job", [{"Alerts": "topic"}], indirect=True)
class TestAlerts:
    """The role of a stack with `Alerts=topic`."""

    @pytest.fixture(autouse=True)
    def other(self, job: Job) -> str:
        """Return another topic, which gets the stack's policy: the emulator's default policy lets anybody publish."""
        sns = job.account.client("sns")
        other, topic = str(sns.create_topic(Name="other")["TopicArn"]), job.outputs["AlarmTopicArn"]
        policy = sns.get_topic_attributes(TopicArn=other)["Attributes"]["Policy"].replace(other, topic)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        return other

    def test_a_run_with_news_takes_one_permission_more(self, job: Job, github: FakeGitHub) -> None:
        """A run with alerts also uses `sns:Publish` on the stack's topic; one without alerts does not."""
        assert job.settings.alerts == job.outputs["AlarmTopicArn"]
        assert job.run() == (0, "")
        assert "sns:Publish" not in job.taken
        github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS)
        report = run(job.settings)
        assert not [warning for warning in report.warnings if warning.startswith("alerts:")]
        assert job.taken == {*WRITER, *HEARTBEAT, "sns:Publish"}

    def test_without_it_a_run_only_warns(self, job: Job, github: FakeGitHub) -> None:
        """The days are stored, the heartbeat is sent, and the failed alert is a warning."""
        job.heartbeat.take_away("sns:Publish")
        assert job.run() == (0, "")
        github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS)
        report = run(job.settings)
        [warning] = [warning for warning in report.warnings if warning.startswith("alerts:")]
        assert "AWS denies sns:Publish" in warning
        assert not report.errors

    def test_it_can_send_to_nobody_else(self, job: Job, other: str) -> None:
        """The role can neither publish to another topic nor subscribe anybody."""
        topic = job.outputs["AlarmTopicArn"]
        client: Any = boto3.client
        sns = client("sns")
        sns.publish(TopicArn=topic, Message="x")
        with pytest.raises(ClientError, match="AuthorizationError"):
            sns.publish(TopicArn=other, Message="x")
        with pytest.raises(ClientError, match="AuthorizationError"):
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
        with pytest.raises(ClientError, match="AuthorizationError"):
            sns.delete_topic(TopicArn=topic)


class TestReader:
    """The policy for people and monitors (ReaderPolicyArn), and for the job with ReaderInJob."""

    @pytest.fixture
    def reader(self, job: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
        """Return a user with the policy, after a run."""
        assert job.run() == (0, "")
        policy = Policy(job.account, job.outputs["ReaderPolicyArn"])
        return replace(job, taken=be(job.account, user_with(job.account, policy), monkeypatch))

    def test_it_can_run_status_verify_and_export_with_each_of_its_permissions(self, reader: Job) -> None:
        """The three commands together use all permissions of the policy and no others."""
        policy = Policy(reader.account, reader.outputs["ReaderPolicyArn"])
        assert policy.read() == policies_of(reader.outputs)["ReaderPolicy"]["PolicyDocument"]
        for command in (status, verify, export):
            assert command(reader.settings) == ""
        assert Path("copy/v1").is_dir()
        assert reader.taken == set(READER)

    @pytest.mark.parametrize("action", READER)
    def test_without_one_of_them_a_command_fails(self, reader: Job, action: str) -> None:
        """The command fails, and its error names the missing permission."""
        Policy(reader.account, reader.outputs["ReaderPolicyArn"]).take_away(action)
        assert f"AWS denies {action}" in verify(reader.settings)

    def test_it_writes_nothing(self, reader: Job) -> None:
        """The reader can neither run, nor write to table or bucket, nor send metrics."""
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
    """Return the problems that `ghtraffic status` reports."""
    return "\n".join(status_of(settings, NOW.date(), 14).problems)


def verify(settings: Settings) -> str:
    """Return the problems that `ghtraffic verify` reports."""
    try:
        return "\n".join(verify_all(settings, repair=False).problems)
    except UserError as error:
        return str(error)


def export(settings: Settings) -> str:
    """Return the errors of `ghtraffic export` into a directory."""
    return "\n".join(export_all(replace(settings, export_to="copy"), "").errors)
