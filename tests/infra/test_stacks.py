"""The stacks, deployed on an emulator."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.aws import Account, put_code
from tests.support.builders import ARCH, NAME, TOKEN
from tests.support.job import GIVEN, Job, without
from tests.support.template_rules import PARAMETERS
from tests.support.templates import BASE, LAMBDA

FUNCTION = {"Repositories": NAME, "TokenParameter": "/ghtraffic/token", "CodeBucket": "code", "Architecture": ARCH}


class TestStacks:
    """The deployed stacks and what they do."""

    def test_the_schedule_begins_the_function(self, job: Job, zipped: Path, tmp_path: Path) -> None:
        """The schedule invokes the function, which collects; a workflow's run then continues its history.

        The emulator runs functions in its own interpreter, which is of the version of this one, as the zip is.
        """
        s3, scheduler, dynamodb = (job.account.client(name) for name in ("s3", "scheduler", "dynamodb"))
        put_code(job.account, zipped)
        outputs = job.account.deploy("function", "lambda.yaml", **FUNCTION)
        [summary] = scheduler.list_schedules()["Schedules"]
        daily = scheduler.get_schedule(Name=summary["Name"])
        assert daily["ScheduleExpression"] == "cron(47 11 * * ? *)"
        assert daily["Target"]["Arn"].endswith(outputs["FunctionName"])
        changed = {name: daily[name] for name in ("Name", "GroupName", "FlexibleTimeWindow", "Target", "State")}
        scheduler.update_schedule(**changed, ScheduleExpression="at(2026-01-01T00:00:00)")
        deadline = time.monotonic() + 60
        catalogue = {"Bucket": job.outputs["BucketName"], "Prefix": "traffic/v1/latest/repositories.csv"}
        while not s3.list_objects_v2(**catalogue)["KeyCount"]:
            assert time.monotonic() < deadline, (tmp_path / "emulator.log").read_text()
            time.sleep(0.1)
        assert dynamodb.scan(TableName=job.outputs["TableName"])["Count"] == 17
        assert job.run() == (0, "")
        assert "dynamodb:UpdateItem" not in job.taken

    def test_a_wildcard_is_refused(self, account: Account) -> None:
        """CloudFormation refuses a wildcard with the template's message, before it creates anything."""
        base = GIVEN | {"OidcProviderArn": account.provider()}
        for file, template, right in (("base.yaml", BASE, base), ("lambda.yaml", LAMBDA, FUNCTION)):
            for name in PARAMETERS.keys() & template["Parameters"].keys():
                reason = re.escape(template["Parameters"][name]["ConstraintDescription"])
                with pytest.raises(ClientError, match=reason):
                    account.deploy("stack", file, **right | {name: PARAMETERS[name] + "*"})
        for name in GIVEN:
            with pytest.raises(ClientError, match="Set all four"):
                account.deploy("stack", "base.yaml", **{key: base[key] for key in base if key != name})
        assert account.client("s3").list_buckets()["Buckets"] == []
        assert account.client("lambda").list_functions()["Functions"] == []
        assert account.deploy("base", "base.yaml", **base)

    def test_a_function_needs_no_workflow(self, account: Account) -> None:
        """Without a workflow there is no role, provider or alarm for one; the function may read its App's key only."""
        assert "RoleArn" not in account.deploy("ghtraffic", "base.yaml")
        assert account.client("iam").list_roles()["Roles"] == []
        app = {"AppId": "12", "AppKeyParameter": "/ghtraffic/app-key", "TokenParameter": ""}
        outputs = account.deploy("function", "lambda.yaml", **FUNCTION | app)
        found = account.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
        asking = {name: value for name, value in found["Environment"]["Variables"].items() if "_GITHUB_" in name}
        assert asking == {"GHTRAFFIC_GITHUB_APP": "12", "GHTRAFFIC_GITHUB_APP_KEY": "ssm:/ghtraffic/app-key"}
        role = {"RoleName": found["Role"].rsplit("/", 1)[1], "PolicyName": "function"}
        policy = account.client("iam").get_role_policy(**role)["PolicyDocument"]
        [secret] = [found["Resource"] for found in policy["Statement"] if found["Sid"] == "Secret"]
        assert secret.endswith(":parameter/ghtraffic/app-key")
        alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert {alarm["Dimensions"][0]["Name"] for alarm in alarms} == {"FunctionName", "QueueName"}

    def test_a_function_needs_its_secret(self, account: Account, zipped: Path) -> None:
        """Without the permission to read its secret the function collects nothing, and the error names it."""
        account.deploy("ghtraffic", "base.yaml")
        put_code(account, zipped)
        outputs = account.deploy("function", "lambda.yaml", **FUNCTION)
        account.client("ssm").put_parameter(Name="/ghtraffic/token", Value=TOKEN, Type="SecureString")
        function, iam = account.client("lambda"), account.client("iam")

        def invoke() -> Any:  # noqa: ANN401 - JSON
            return json.load(function.invoke(FunctionName=outputs["FunctionName"], Payload=b"{}")["Payload"])

        assert invoke()["exit_code"] == 0
        found = function.get_function_configuration(FunctionName=outputs["FunctionName"])
        role = {"RoleName": found["Role"].rsplit("/", 1)[1], "PolicyName": "function"}
        document = iam.get_role_policy(**role)["PolicyDocument"]
        iam.put_role_policy(**role, PolicyDocument=without(document, "ssm:GetParameter"))
        assert "AWS denies ssm:GetParameter" in invoke()["errorMessage"]

    def test_an_organisation_s_path_is_used(self, account: Account) -> None:
        """All roles and policies have the given path. The emulator ignores boundaries."""
        iam, path = account.client("iam"), "/teams/traffic/"
        account.deploy("ghtraffic", "base.yaml", **GIVEN, RolePath=path, OidcProviderArn=account.provider())
        account.deploy("function", "lambda.yaml", **FUNCTION, RolePath=path)
        assert {role["Path"] for role in iam.list_roles()["Roles"]} == {path}
        assert {policy["Path"] for policy in iam.list_policies(Scope="Local")["Policies"]} == {path}
