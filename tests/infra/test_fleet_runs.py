"""The state machine of fleet.yaml on an emulator that runs its Distributed Map, function and roles."""

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.settings import read_settings
from tests.support.aws import Account, make_session, put_code
from tests.support.builders import ARCH
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.fleet import BATCHES, BY_TOKEN, CREDENTIALS, FOLDER, INSTALLED, fleet_github, put_secrets
from tests.support.job import actions, be, without

EACH = 5
OWNERS = (*INSTALLED, BY_TOKEN)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Return a fake GitHub with five repositories of each of four owners."""
    with fleet_github(EACH) as github:
        yield github


@dataclass(frozen=True)
class Fleet:
    """A deployed state machine with the outputs of its stacks."""

    account: Account
    base: dict[str, str]
    outputs: dict[str, str]

    @property
    def machine(self) -> str:
        """The ARN of the state machine."""
        return self.outputs["StateMachineArn"]

    def start(self) -> str:
        """Start an execution; return its ARN."""
        started = self.account.client("stepfunctions").start_execution(stateMachineArn=self.machine, input="{}")
        return str(started["executionArn"])

    def ended(self, execution: str) -> Any:  # noqa: ANN401 - JSON
        """Wait for an execution to end, and describe it."""
        client = self.account.client("stepfunctions")
        deadline = time.monotonic() + 240
        while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return found

    def run(self) -> Any:  # noqa: ANN401 - JSON
        """Run the state machine once."""
        return self.ended(self.start())

    def file(self, key: str) -> str:
        """Read a file below the prefix."""
        body = self.account.client("s3").get_object(Bucket=self.base["BucketName"], Key=f"traffic/{key}")["Body"]
        return str(body.read().decode())

    def catalogue(self) -> list[str]:
        """Return the names of the exported repositories, sorted."""
        return sorted(row["repository"] for row in csv.DictReader(io.StringIO(self.file("v1/latest/repositories.csv"))))

    def map_run(self, execution: str) -> Any:  # noqa: ANN401 - JSON
        """Describe the one Map Run of an execution."""
        client = self.account.client("stepfunctions")
        [found] = client.list_map_runs(executionArn=execution)["mapRuns"]
        return client.describe_map_run(mapRunArn=found["mapRunArn"])

    def assert_equals_a_rebuild(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Check that the export agrees with the table."""
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", make_session())  # not that of the test before
        monkeypatch.setenv("AWS_ENDPOINT_URL", self.account.url)
        for name, value in (("DEFAULT_REGION", "us-east-1"), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("GHTRAFFIC_STORE", f"dynamodb://{self.base['TableName']}")
        monkeypatch.setenv("GHTRAFFIC_EXPORT_TO", f"s3://{self.base['BucketName']}/traffic")
        verified = verify_all(read_settings("verify", os.environ), repair=False)
        assert not verified.problems
        assert verified.files


@pytest.fixture
def fleet(request: pytest.FixtureRequest, account: Account, zipped: Path) -> Fleet:
    """Return the deployed stacks with the secrets of four credentials, or of the parameter's."""
    credentials = getattr(request, "param", CREDENTIALS)
    base = account.deploy("ghtraffic", "base.yaml")
    put_code(account, zipped)
    put_secrets(account.client("ssm"))
    given = {"Credentials": json.dumps(credentials), "SecretFolder": FOLDER, "CodeBucket": "code", "Architecture": ARCH}
    return Fleet(account, base, account.deploy("fleet", "fleet.yaml", **given))


def test_four_credentials_are_collected_side_by_side_and_exported_once(
    fleet: Fleet, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each credential has one child execution, one export holds all repositories, and a rerun writes nothing."""
    found = fleet.run()
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["repositories"] == 4 * EACH
    map_run = fleet.map_run(found["executionArn"])
    assert {name: map_run["executionCounts"][name] for name in ("total", "succeeded", "failed")} == {
        "total": 4,
        "succeeded": 4,
        "failed": 0,
    }
    lines = [json.loads(line) for line in fleet.file(f"runs/{found['name']}/batches.jsonl").splitlines()]
    assert [line["batch"] for line in lines] == [*BATCHES]
    for line, owner in zip(lines, OWNERS, strict=True):
        assert {name.partition("/")[0] for name in line["repositories"]} == {owner}
    assert fleet.catalogue() == sorted(found.name for found in github.repositories)
    fleet.assert_equals_a_rebuild(monkeypatch)
    github.requests.clear()
    again = fleet.run()
    assert json.loads(again["output"])["written"] == 0
    assert fleet.account.client("stepfunctions").list_map_runs(executionArn=again["executionArn"])["mapRuns"] == []
    assert not [request for request in github.requests if "/traffic/" in request.path]


def test_a_batch_that_fails_fails_the_run_after_the_export_of_the_others(fleet: Fleet, github: FakeGitHub) -> None:
    """The batch is tried twice, the execution names it, and the next execution collects its repositories."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path="octo-lab/boat-2003/traffic")
    found = fleet.run()
    assert (found["status"], found["error"]) == ("FAILED", "RunFailed")
    assert found["cause"] == "1 of 4 batches failed: 1-octo-lab"
    counts = fleet.map_run(found["executionArn"])["executionCounts"]
    assert (counts["succeeded"], counts["failed"]) == (3, 1)
    asked = [request for request in github.requests if request.path.endswith("octo-lab/boat-2000/traffic/views")]
    assert len(asked) == 2
    assert fleet.catalogue() == sorted(f.name for f in github.repositories if f.name != "octo-lab/boat-2003")
    github.allow()
    found = fleet.run()
    assert found["status"] == "SUCCEEDED"
    assert len(fleet.catalogue()) == 4 * EACH


def test_its_schedule_starts_it_and_a_run_of_one_function_does_no_harm(
    fleet: Fleet, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduled execution and a Lambda collect the same repositories at once; the export agrees with the table."""
    account = fleet.account
    given = {"Repositories": f"{BY_TOKEN}/*", "TokenParameter": f"{FOLDER}/token", "CodeBucket": "code"}
    function = account.deploy("function", "lambda.yaml", **given, Architecture=ARCH)["FunctionName"]
    scheduler, client = account.client("scheduler"), account.client("stepfunctions")
    schedules = [scheduler.get_schedule(Name=found["Name"]) for found in scheduler.list_schedules()["Schedules"]]
    [hourly] = [found for found in schedules if found["Target"]["Arn"] == fleet.machine]
    same = {name: hourly[name] for name in ("FlexibleTimeWindow", "Target")}
    scheduler.create_schedule(Name="now", **same, ScheduleExpression="at(2026-01-01T00:00:00)")
    deadline = time.monotonic() + 240
    while not (executions := client.list_executions(stateMachineArn=fleet.machine)["executions"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    invoked = account.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    assert json.load(invoked["Payload"])["exit_code"] == 0
    assert fleet.ended(executions[0]["executionArn"])["status"] == "SUCCEEDED"
    assert fleet.catalogue() == sorted(found.name for found in github.repositories)
    fleet.assert_equals_a_rebuild(monkeypatch)


@pytest.mark.parametrize("fleet", [CREDENTIALS[1:]], indirect=True, ids=["one-credential"])
@pytest.mark.parametrize("action", ["ssm:GetParameter", "dynamodb:Query", "dynamodb:UpdateItem", "s3:PutObject"])
def test_without_one_of_its_rights_the_function_fails(fleet: Fleet, action: str) -> None:
    """The function's error, or the cause of the execution, names the missing permission."""
    iam = fleet.account.client("iam")
    function = fleet.account.client("lambda").get_function_configuration(FunctionName=fleet.outputs["FunctionName"])
    role = function["Role"].rsplit("/", 1)[1]
    if action == "ssm:GetParameter":
        document = iam.get_role_policy(RoleName=role, PolicyName="function")["PolicyDocument"]
        iam.put_role_policy(RoleName=role, PolicyName="function", PolicyDocument=without(document, action))
    else:
        [policy] = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        arn = policy["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=without(document, action), SetAsDefault=True)
    found = fleet.run()
    assert found["status"] == "FAILED"
    client = fleet.account.client("stepfunctions")
    runs = client.list_map_runs(executionArn=found["executionArn"])["mapRuns"]
    children = [c for run in runs for c in client.list_executions(mapRunArn=run["mapRunArn"])["executions"]]
    failures = [client.describe_execution(executionArn=child["executionArn"]).get("cause", "") for child in children]
    assert f"AWS denies {action}" in "\n".join([found["cause"], *failures])


@pytest.mark.parametrize("fleet", [CREDENTIALS[1:]], indirect=True, ids=["one-credential"])
def test_the_state_machine_can_do_its_steps_and_nothing_else(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with the role's policies can make the state machine's calls only; the emulator checks no role of it."""
    found, account = fleet.run(), fleet.account
    iam = account.client("iam")
    machine = account.client("stepfunctions").describe_state_machine(stateMachineArn=fleet.machine)
    role = machine["roleArn"].rsplit("/", 1)[1]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    iam.create_user(UserName="states")
    be(account, iam.create_access_key(UserName="states")["AccessKey"], monkeypatch)
    client: Any = boto3.client
    s3, states, function = (client(name) for name in ("s3", "stepfunctions", "lambda"))
    bucket, lines = fleet.base["BucketName"], f"traffic/runs/{found['name']}/batches.jsonl"
    calls: dict[str, Callable[[], Any]] = {
        "lambda:InvokeFunction": lambda: function.invoke(FunctionName=fleet.outputs["FunctionName"], Payload=b"[]"),
        "s3:GetObject": lambda: s3.get_object(Bucket=bucket, Key=lines),
        "states:StartExecution": lambda: states.start_execution(stateMachineArn=fleet.machine),
        "states:DescribeExecution": lambda: states.describe_execution(executionArn=found["executionArn"]),
        "states:StopExecution": lambda: states.stop_execution(executionArn=fleet.start()),
    }
    assert {action for document in documents.values() for action in actions(document)} == calls.keys()
    for action, call in calls.items():
        for name, document in documents.items():
            iam.put_user_policy(UserName="states", PolicyName=name, PolicyDocument=json.dumps(document))
        call()
        for name, document in documents.items():
            policy = without(document, action)
            if json.loads(policy)["Statement"]:
                iam.put_user_policy(UserName="states", PolicyName=name, PolicyDocument=policy)
            else:
                iam.delete_user_policy(UserName="states", PolicyName=name)
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    for name, document in documents.items():
        iam.put_user_policy(UserName="states", PolicyName=name, PolicyDocument=json.dumps(document))
    table, other = fleet.base["TableName"], fleet.machine.replace("stateMachine:", "stateMachine:another-")
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: s3.get_object(Bucket=bucket, Key="traffic/v1/latest/repositories.csv"),
        lambda: s3.put_object(Bucket=bucket, Key=lines, Body=b""),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: function.invoke(FunctionName="another", Payload=b"{}"),
        lambda: states.start_execution(stateMachineArn=other),
        lambda: states.delete_state_machine(stateMachineArn=fleet.machine),
        lambda: client("dynamodb").query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "repo#1"}},
        ),
        lambda: client("ssm").get_parameter(Name=f"{FOLDER}/token", WithDecryption=True),
    )
    for attempt in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()
