"""The templates: what they allow, keep and tell, and whole runs on what they make."""

import base64
import copy
import importlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from ghtraffic_action.collect import run
from ghtraffic_action.errors import UserError
from ghtraffic_action.setting_names import environment_name
from ghtraffic_action.settings import Settings, read_settings
from tests.support.aws import Account
from tests.support.builders import ARCH, CLAIMS, NAME, NOW, ROOT, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.templates import BASE, LAMBDA, Template

SUBJECT = "repo:octo-lab/lighthouse:ref:refs/heads/main"
SUBJECT_WITH_IDS = "repo:octo-lab@1/lighthouse@7:ref:refs/heads/main"
DAY = 86400

Rule = Callable[[Template], None]
Mutation = Callable[[Template], None]


ACCOUNT = "123456789012"
VALUES: dict[str, Any] = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": None,
    "Owner": "octo-lab",
    "Repository": "lighthouse",
    "OwnerId": "1",
    "RepositoryId": "7",
    "SubjectContext": "ref:refs/heads/main",
    "MakesProvider": True,
    "OidcProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{CLAIMS}",
    "Prefix": "traffic",
    "HasTokenParameter": True,
    "TokenParameter": "/ghtraffic/token",
    "Table": "history",
    "Table.Arn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/history",
    "OidcProviderArn": "",
    "AlarmEmail": "",
    "HasRestored": False,
    "RestoredTable": "",
    "Bucket": "exports",
    "Bucket.Arn": "arn:aws:s3:::exports",
    "Role.Arn": f"arn:aws:iam::{ACCOUNT}:role/traffic",
    # of the function alone
    "Repositories": NAME,
    "TableName": "history",
    "BucketName": "exports",
    "HasApp": False,
    "AppId": "",
    "AppKeyParameter": "",
    "HasKey": True,
    "SecretKeyArn": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1",
    "AlarmTopicArn": "",
    "LogGroup.Arn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:traffic:*",
    "WhatFailed.Arn": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:failed",
    "Function.Arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:traffic",
}


def resolved(tree: Any, **values: Any) -> Any:  # noqa: ANN401, C901, PLR0911 - YAML; a case for each kind of node
    """Put values in the place of references, as CloudFormation does."""
    known = VALUES | values
    match tree:
        case {"Ref": name}:
            return known[name]
        case {"Fn::GetAtt": path}:
            return known[".".join(path)]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: str(known[found[1]]), text)
        case {"Fn::Sub": [text, more]}:
            return resolved({"Fn::Sub": text}, **values, **resolved(more, **values))
        case {"Fn::If": [condition, yes, no]}:
            return resolved(yes if known[condition] else no, **values)
        case {"Fn::Equals": [one, other]}:
            return resolved(one, **values) == resolved(other, **values)
        case {"Fn::Not": [statement]}:
            return not resolved(statement, **values)
        case {"Fn::Or": alternatives}:
            return any(resolved(alternatives, **values))
        case dict():
            found = {name: resolved(value, **values) for name, value in tree.items()}
            return {name: value for name, value in found.items() if value is not None}
        case list():
            return [value for value in (resolved(value, **values) for value in tree) if value is not None]
    return tree


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Find the resources of a type."""
    return {name: found for name, found in template["Resources"].items() if found["Type"] == kind}


def properties(template: Template, name: str) -> dict[str, Any]:
    """Tell a resource's properties."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def texts(tree: Any) -> Iterator[str]:  # noqa: ANN401 - YAML
    """Tell every text of a tree."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from texts(value)


def statements(template: Template) -> Iterator[dict[str, Any]]:
    """Tell every statement that allows something, whoever it is for; conditional ones too."""
    documents = [found for found in _values(template["Resources"]) if "Statement" in found]
    for document in documents:
        for statement in document["Statement"]:
            options = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            yield from (option for option in options if option.get("Effect") == "Allow")


def _values(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - YAML
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _values(value)


def nothing_is_allowed_by_a_wildcard(template: Template) -> None:
    """Everything allowed is named; below the prefix alone any file is meant."""
    assert list(statements(template))
    for statement in statements(template):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        named = [*texts(statement["Action"]), *texts(statement.get("Principal", {}))]
        named += [text for text in texts(statement.get("Resource", [])) if text != "${Bucket.Arn}/${Prefix}/*"]
        assert not [text for text in named if "*" in text or "?" in text]


def the_writer_may_do_what_a_run_does(base: Template) -> None:
    """To the letter: nothing can be deleted, scanned or passed on; the token only where there is one."""
    history = {
        "Sid": "History",
        "Effect": "Allow",
        "Action": ["dynamodb:Query", "dynamodb:UpdateItem"],
        "Resource": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/history",
    }
    export = {
        "Sid": "Export",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": "arn:aws:s3:::exports/traffic/*",
    }
    missing = {
        "Sid": "TellMissingFromForbidden",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::exports",
        "Condition": {"StringLike": {"s3:prefix": "traffic/*"}},
    }
    token = {
        "Sid": "Token",
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/ghtraffic/token",
    }
    document = properties(base, "WriterPolicy")["PolicyDocument"]
    assert resolved(document)["Statement"] == [history, export, missing, token]
    assert resolved(document, HasTokenParameter=False)["Statement"] == [history, export, missing]
    assert base["Conditions"]["HasTokenParameter"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TokenParameter"}, ""]}]}
    role = properties(base, "Role")
    assert role["ManagedPolicyArns"] == [{"Ref": "WriterPolicy"}]
    assert "Policies" not in role


def a_restored_table_takes_the_place_of_the_other(base: Template) -> None:
    """Where one is named, it alone is written, watched and told; the stack's own stays as it is."""
    values = conditions(base, RestoredTable="restored")
    found = resolved(properties(base, "WriterPolicy")["PolicyDocument"], **values)["Statement"][0]
    assert found["Resource"] == f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/restored"
    assert resolved(properties(base, "NothingArrives")["Dimensions"][0]["Value"], **values) == "restored"
    assert "store: dynamodb://restored\n" in resolved(base["Outputs"]["Workflow"]["Value"], **values)
    assert resolved(base["Outputs"]["TableName"]["Value"], **values) == "restored"
    assert "Condition" not in base["Resources"]["Table"]


def one_workflow_is_trusted(base: Template) -> None:
    """Audience, repository and both forms of the subject have to be equal, to the letter."""
    claims = {
        f"{CLAIMS}:aud": "sts.amazonaws.com",
        f"{CLAIMS}:repository_id": "7",
        f"{CLAIMS}:sub": [SUBJECT, SUBJECT_WITH_IDS],
    }
    trusted = {
        "Effect": "Allow",
        "Principal": {"Federated": VALUES["OidcProvider"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }
    assert resolved(properties(base, "Role")["AssumeRolePolicyDocument"])["Statement"] == [trusted]
    provider = base["Resources"]["OidcProvider"]
    assert provider["Condition"] == "MakesProvider"
    assert provider["DeletionPolicy"] == "Retain"
    assert provider["Properties"] == {"Url": f"https://{CLAIMS}", "ClientIdList": ["sts.amazonaws.com"]}


def the_ids_have_to_be_given(base: Template) -> None:
    """No default stands in for them."""
    for name in ("Owner", "Repository", "OwnerId", "RepositoryId"):
        assert "Default" not in base["Parameters"][name]


PARAMETERS = {
    "Owner": "octo-lab",
    "Repository": "light.house_1",
    "OwnerId": "1",
    "RepositoryId": "904221377",
    "SubjectContext": "environment:production",
    "OidcProviderArn": VALUES["OidcProvider"],
    "Prefix": "traffic/all",
    "TokenParameter": "/ghtraffic/token",
    "AppId": "123456",
    "AppKeyParameter": "/ghtraffic/app-key",
    "SecretKeyArn": VALUES["SecretKeyArn"],
    "RestoredTable": "history-restored",
    "TableName": "history",
    "BucketName": "exports",
    "WriterPolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/traffic-Writer",
    "AlarmTopicArn": f"arn:aws:sns:eu-central-1:{ACCOUNT}:topic",
    "CodeBucket": "code",
}
"""What may become a part of a policy, or names what somebody relies on, with a value that is right."""


def no_wildcard_can_be_entered(template: Template) -> None:
    """Each pattern takes what is right, and refuses it with a wildcard, a blank or a variable anywhere."""
    checked = template["Parameters"].keys() & PARAMETERS.keys()
    assert checked
    for name in checked:
        pattern = re.compile(template["Parameters"][name].get("AllowedPattern", ".*"), re.DOTALL)
        right = PARAMETERS[name]
        assert pattern.fullmatch(right), name
        for wrong in ("*", "?", " ", "\t", "\n", "\r", "$", "{", '"'):
            for place in (0, len(right) // 2, len(right) - 1, len(right)):
                assert not pattern.fullmatch(right[:place] + wrong + right[place:]), (name, wrong, place)
            assert not pattern.fullmatch(wrong), name


def the_bucket_is_closed(base: Template) -> None:
    """Nobody else sees it, nothing goes over the wire in the clear, and what is written over can be brought back."""
    bucket, policy = base["Resources"]["Bucket"], base["Resources"]["BucketPolicy"]
    for kept in (bucket, policy):
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    found = bucket["Properties"]
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert found["PublicAccessBlockConfiguration"] == dict.fromkeys(blocked, True)
    assert found["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    encrypted = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert found["BucketEncryption"] == {"ServerSideEncryptionConfiguration": encrypted}
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    [lifecycle] = found["LifecycleConfiguration"]["Rules"]
    assert lifecycle["Status"] == "Enabled"
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "OldVersionDays"}}
    assert base["Parameters"]["OldVersionDays"]["Default"] == 30
    assert not lifecycle.keys() & {"ExpirationInDays", "ExpirationDate"}
    assert "BucketName" not in found, "a name that is given may be taken, in any account"
    [denied] = resolved(policy["Properties"]["PolicyDocument"])["Statement"]
    assert denied["Effect"] == "Deny"
    assert (denied["Principal"], denied["Action"]) == ("*", "s3:*")
    assert denied["Resource"] == ["arn:aws:s3:::exports", "arn:aws:s3:::exports/*"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def the_table_is_kept(base: Template) -> None:
    """It cannot be deleted by mistake, can be brought back, costs what is used, and no more than a limit."""
    table = base["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    found = table["Properties"]
    assert found["DeletionProtectionEnabled"] is True
    recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}
    assert found["PointInTimeRecoverySpecification"] == recovery
    assert found["BillingMode"] == "PAY_PER_REQUEST"
    assert found["OnDemandThroughput"].keys() == {"MaxReadRequestUnits", "MaxWriteRequestUnits"}
    assert all(0 < limit <= 10_000 for limit in found["OnDemandThroughput"].values())
    assert found["SSESpecification"] == {"SSEEnabled": False}
    assert found["AttributeDefinitions"] == [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
    hashed, ranged = {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}
    assert found["KeySchema"] == [hashed, ranged]
    assert not found.keys() & {"TableName", "TimeToLiveSpecification", "GlobalSecondaryIndexes"}


def it_rings_when_nothing_arrives(base: Template) -> None:
    """Three days without a single update ring, and so does a metric that is not there at all."""
    alarm = base["Resources"]["NothingArrives"]
    assert alarm["Condition"] == "HasAlarm"
    found = alarm["Properties"]
    assert (found["Namespace"], found["MetricName"]) == ("AWS/DynamoDB", "SuccessfulRequestLatency")
    table, operation = {"Name": "TableName", "Value": "history"}, {"Name": "Operation", "Value": "UpdateItem"}
    assert resolved(found["Dimensions"]) == [table, operation]
    assert found["Statistic"] == "SampleCount"
    assert (found["Period"], found["EvaluationPeriods"], found["DatapointsToAlarm"]) == (DAY, 3, 3)
    assert (found["Threshold"], found["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert found["TreatMissingData"] == "breaching"
    assert found["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert "KmsMasterKeyId" not in properties(base, "AlarmTopic")


def alarms_can_be_made(template: Template) -> None:
    """CloudWatch looks back over seven days at most; a dimension for each repository would cost dollars each."""
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms.values():
        found = alarm["Properties"]
        assert found["Period"] * found["EvaluationPeriods"] <= 7 * DAY
        assert found["AlarmActions"]
        if found["Namespace"] == "ghtraffic":
            assert found["MetricName"] == "Refused"
            assert "Dimensions" not in found


def the_function_runs_as_documented(function: Template) -> None:
    """Runtime, time and memory are those that were measured, and the handler is there."""
    found = properties(function, "Function")
    assert found["Runtime"] == "python3.13"
    assert (found["Timeout"], found["MemorySize"]) == (900, 512)
    assert found["Architectures"] == [{"Ref": "Architecture"}]
    assert function["Parameters"]["Architecture"]["Default"] == "arm64"
    module, _, handler = found["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), handler))
    assert found["Role"] == {"Fn::GetAtt": ["FunctionRole", "Arn"]}
    assert found["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "LogGroup"}}
    assert properties(function, "LogGroup")["RetentionInDays"] == 90
    assert "ReservedConcurrentExecutions" not in found


WITH_APP = {"TokenParameter": "", "AppId": "12", "AppKeyParameter": "/ghtraffic/app-key"}
"""What is given to the function that asks as a GitHub App."""


def conditions(template: Template, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Add to values what the template's conditions make of them."""
    return values | {name: resolved(found, **values) for name, found in template["Conditions"].items()}


def the_function_is_set_by_settings(function: Template) -> None:
    """Each variable is a setting's, together they are all that a run needs, and the secret is only named."""
    for given in ({}, WITH_APP):
        values = conditions(function, **given)
        variables = resolved(properties(function, "Function")["Environment"]["Variables"], **values)
        assert variables.keys() <= {environment_name(name) for name in Settings.__dataclass_fields__}
        settings = read_settings("collect", variables | {"AWS_LAMBDA_FUNCTION_NAME": "traffic"})
        assert settings.repositories == (NAME,)
        asking = (settings.github_token, settings.github_app, settings.github_app_key)
        assert asking == (("", "12", "ssm:/ghtraffic/app-key") if given else ("ssm:/ghtraffic/token", "", ""))
        assert (settings.store, settings.export_to) == ("dynamodb://history", "s3://exports/traffic")


def github_is_asked_in_one_way(function: Template) -> None:
    """A token, or an App's id and key: neither, both or a half of an App is refused before anything is made."""
    token, app, key = "a TokenParameter", "an AppId", "an AppKeyParameter"
    wrong = {(): "Neither was given", (key,): "needs an AppId", (app,): "needs an AppKeyParameter"}
    wrong |= {(token, key): "needs an AppId", (token, app): "leave out the other"}
    wrong |= {(token, app, key): "leave out the other", (token,): "", (app, key): ""}
    for given, reason in wrong.items():
        values = {"TokenParameter": "/t" * (token in given), "AppId": "1" * (app in given)}
        values["AppKeyParameter"] = "/k" * (key in given)
        assertions = [found for name, rule in function["Rules"].items() for found in rule["Assertions"]]
        refused = [found["AssertDescription"] for found in assertions if not resolved(found["Assert"], **values)]
        assert reason in " ".join(refused)
        assert bool(refused) is bool(reason)


def the_function_may_do_what_it_needs(function: Template) -> None:
    """A run's permissions, its token, its own log, and the queue of what failed."""
    role = properties(function, "FunctionRole")
    assert role["ManagedPolicyArns"] == [{"Ref": "WriterPolicyArn"}]
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert role["AssumeRolePolicyDocument"]["Statement"] == [trusted]
    [policy] = role["Policies"]
    found = {statement.pop("Sid"): statement for statement in resolved(policy["PolicyDocument"])["Statement"]}
    parameter = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/ghtraffic/token"
    log = ["logs:CreateLogStream", "logs:PutLogEvents"]
    through_ssm = {"StringEquals": {"kms:ViaService": "ssm.eu-central-1.amazonaws.com"}}
    assert found == {
        "Secret": {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": parameter},
        "Log": {"Effect": "Allow", "Action": log, "Resource": VALUES["LogGroup.Arn"]},
        "WhatFailed": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": VALUES["WhatFailed.Arn"]},
        "SecretKey": {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": VALUES["SecretKeyArn"],
            "Condition": through_ssm,
        },
    }
    otherwise = conditions(function, **WITH_APP, SecretKeyArn="")
    secret, *others = resolved(policy["PolicyDocument"], **otherwise)["Statement"]
    assert secret["Resource"] == parameter.replace("token", "app-key")
    assert [statement["Sid"] for statement in others] == ["Log", "WhatFailed"]


def the_schedule_is_daily(function: Template) -> None:
    """Once a day by UTC, at an odd minute, within a window; it begins the function and can do nothing else."""
    expression = function["Parameters"]["Schedule"]["Default"]
    minute, hour, *days = expression.removeprefix("cron(").removesuffix(")").split()
    assert int(minute) % 2 == 1
    assert 0 <= int(hour) < 24
    assert days == ["*", "*", "?", "*"]
    found = properties(function, "Daily")
    assert found["ScheduleExpression"] == {"Ref": "Schedule"}
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["FlexibleTimeWindow"]["Mode"] == "FLEXIBLE"
    assert 0 < found["FlexibleTimeWindow"]["MaximumWindowInMinutes"] <= 60
    assert found["Target"]["Arn"] == {"Fn::GetAtt": ["Function", "Arn"]}
    assert found["Target"]["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
    assert json.loads(found["Target"]["Input"]) == {}
    role = resolved(properties(function, "ScheduleRole"))
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    ]
    [policy] = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": VALUES["Function.Arn"]},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": VALUES["WhatFailed.Arn"]},
    ]
    assert "ManagedPolicyArns" not in role


def what_failed_is_kept(function: Template) -> None:
    """A run that fails is tried twice more, then lies in a queue as long as GitHub keeps what was missed, and rings."""
    queue = {"Fn::GetAtt": ["WhatFailed", "Arn"]}
    retries = properties(function, "Retries")
    assert retries["FunctionName"] == {"Ref": "Function"}
    assert retries["MaximumRetryAttempts"] == 2
    assert retries["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    assert properties(function, "Daily")["Target"]["DeadLetterConfig"] == {"Arn": queue}
    kept = properties(function, "WhatFailed")
    assert kept == {"MessageRetentionPeriod": 14 * DAY, "SqsManagedSseEnabled": True}
    alarm = properties(function, "RunFailed")
    name = {"Name": "QueueName", "Value": {"Fn::GetAtt": ["WhatFailed", "QueueName"]}}
    assert (alarm["Namespace"], alarm["Dimensions"]) == ("AWS/SQS", [name])
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def nothing_else_than_the_partition_is_taken(template: Template) -> None:
    """Where it was not tried it is refused, with the reason."""
    [rule] = template["Rules"]["StandardPartition"]["Assertions"]
    assert rule["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]}
    assert "GovCloud and China" in rule["AssertDescription"] or "not tried" in rule["AssertDescription"]


RULES_OF_BOTH: tuple[Rule, ...] = (
    nothing_is_allowed_by_a_wildcard,
    no_wildcard_can_be_entered,
    alarms_can_be_made,
    nothing_else_than_the_partition_is_taken,
)
RULES_OF_BASE: tuple[Rule, ...] = (
    *RULES_OF_BOTH,
    the_writer_may_do_what_a_run_does,
    a_restored_table_takes_the_place_of_the_other,
    one_workflow_is_trusted,
    the_ids_have_to_be_given,
    the_bucket_is_closed,
    the_table_is_kept,
    it_rings_when_nothing_arrives,
)
RULES_OF_LAMBDA: tuple[Rule, ...] = (
    *RULES_OF_BOTH,
    the_function_runs_as_documented,
    the_function_is_set_by_settings,
    github_is_asked_in_one_way,
    the_function_may_do_what_it_needs,
    the_schedule_is_daily,
    what_failed_is_kept,
)


@pytest.mark.parametrize(
    ("template", "rule"),
    [pytest.param(BASE, rule, id=f"base-{rule.__name__}") for rule in RULES_OF_BASE]
    + [pytest.param(LAMBDA, rule, id=f"lambda-{rule.__name__}") for rule in RULES_OF_LAMBDA],
)
def test_the_templates_keep_the_rules(template: Template, rule: Rule) -> None:
    """Emulators ignore most of this, so it is read off the templates."""
    rule(template)


def _place(template: Template, path: str) -> tuple[Any, Any]:
    """Find the container and the key of a place."""
    *parents, last = path.split("/")
    node: Any = template
    for step in parents:
        node = node[int(step) if isinstance(node, list) else step]
    return node, int(last) if isinstance(node, list) else last


def put(path: str, value: Any) -> Mutation:  # noqa: ANN401 - YAML
    """Put another value at a place."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        node[key] = value

    return mutate


def drop(path: str) -> Mutation:
    """Take a place away."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        del node[key]

    return mutate


def add(path: str, *values: Any) -> Mutation:  # noqa: ANN401 - YAML
    """Add to the list at a place."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        node[key] = [*(node[key] if isinstance(node[key], list) else [node[key]]), *values]

    return mutate


def rename(path: str, name: str) -> Mutation:
    """Give a place another name."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        node[name] = node.pop(key)

    return mutate


WRITER = "Resources/WriterPolicy/Properties/PolicyDocument/Statement"
TRUST = "Resources/Role/Properties/AssumeRolePolicyDocument/Statement"
EQUALS = f"{TRUST}/0/Condition/StringEquals"
BUCKET = "Resources/Bucket/Properties"
DENY = "Resources/BucketPolicy/Properties/PolicyDocument/Statement"
TABLE = "Resources/Table/Properties"
ALARM = "Resources/NothingArrives/Properties"
FUNCTION = "Resources/Function/Properties"
VARIABLES = f"{FUNCTION}/Environment/Variables"
ALLOWED = "Resources/FunctionRole/Properties/Policies/0/PolicyDocument/Statement"
DAILY = "Resources/Daily/Properties"
BEGIN = "Resources/ScheduleRole/Properties"
ANYTHING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}

MUTANTS_OF_BASE: dict[Rule, tuple[Mutation, ...]] = {
    nothing_is_allowed_by_a_wildcard: (
        put(f"{WRITER}/0/Action", "dynamodb:*"),
        put(f"{WRITER}/0/Resource", "*"),
        put(f"{WRITER}/1/Resource", {"Fn::Sub": "${Bucket.Arn}/*"}),
        put(f"{WRITER}/3/Fn::If/1/Resource", {"Fn::Sub": "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/*"}),
        rename(f"{WRITER}/0/Resource", "NotResource"),
        add(WRITER, ANYTHING),
        put(f"{TRUST}/0/Principal", "*"),
        put(f"{DENY}/0/Effect", "Allow"),
    ),
    no_wildcard_can_be_entered: (
        *(
            put(f"Parameters/{name}/AllowedPattern", pattern)
            for name in (
                "Owner",
                "Repository",
                "OwnerId",
                "RepositoryId",
                "SubjectContext",
                "Prefix",
                "TokenParameter",
                "RestoredTable",
            )
            for pattern in (".*", r"[^*]+", r"[^?]+", r"[^\s]+", r"[\w.:/@-]+\s?")
        ),
        drop("Parameters/Prefix/AllowedPattern"),
        put("Parameters/Owner/AllowedPattern", "octo"),
    ),
    alarms_can_be_made: (put(f"{ALARM}/EvaluationPeriods", 8), put(f"{ALARM}/AlarmActions", [])),
    nothing_else_than_the_partition_is_taken: (
        put("Rules/StandardPartition/Assertions/0/Assert/Fn::Equals/1", "aws-cn"),
    ),
    the_writer_may_do_what_a_run_does: (
        add(f"{WRITER}/0/Action", "dynamodb:Scan"),
        add(f"{WRITER}/0/Action", "dynamodb:DeleteItem"),
        put(f"{WRITER}/0/Action", ["dynamodb:Query"]),
        add(f"{WRITER}/1/Action", "s3:DeleteObject"),
        put(f"{WRITER}/1/Resource", {"Fn::Sub": "${Bucket.Arn}/${Prefix}*"}),
        drop(f"{WRITER}/2/Condition"),
        drop(f"{WRITER}/2"),
        put(f"{WRITER}/3/Fn::If/2", ANYTHING),
        put("Conditions/HasTokenParameter", {"Fn::Equals": ["", ""]}),
        add(WRITER, {"Effect": "Allow", "Action": "iam:PassRole", "Resource": {"Fn::GetAtt": ["Role", "Arn"]}}),
        put("Resources/Role/Properties/Policies", [{"PolicyName": "more"}]),
        add("Resources/Role/Properties/ManagedPolicyArns", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    a_restored_table_takes_the_place_of_the_other: (
        put(f"{WRITER}/0/Resource", {"Fn::GetAtt": ["Table", "Arn"]}),
        put(f"{ALARM}/Dimensions/0/Value", {"Ref": "Table"}),
        put("Outputs/TableName/Value", {"Ref": "Table"}),
        put("Outputs/Workflow/Value/Fn::Sub/1/Written", {"Ref": "Table"}),
        put("Resources/Table/Condition", "HasRestored"),
    ),
    one_workflow_is_trusted: (
        rename(EQUALS, "StringLike"),
        rename(EQUALS, "ForAllValues:StringEquals"),
        drop(f"{EQUALS}/{CLAIMS}:aud"),
        drop(f"{EQUALS}/{CLAIMS}:repository_id"),
        put(f"{EQUALS}/{CLAIMS}:repository_id", {"Ref": "OwnerId"}),
        drop(f"{EQUALS}/{CLAIMS}:sub/0"),
        drop(f"{EQUALS}/{CLAIMS}:sub/1"),
        put(f"{EQUALS}/{CLAIMS}:sub/0", {"Fn::Sub": "repo:${Owner}/${Repository}:*"}),
        drop(f"{TRUST}/0/Condition"),
        add(TRUST, {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        put("Resources/OidcProvider/DeletionPolicy", "Delete"),
        add("Resources/OidcProvider/Properties/ClientIdList", "others"),
    ),
    the_ids_have_to_be_given: (
        put("Parameters/OwnerId/Default", ""),
        put("Parameters/RepositoryId/Default", "1"),
    ),
    the_bucket_is_closed: (
        *(
            put(f"{BUCKET}/PublicAccessBlockConfiguration/{name}", False)
            for name in BASE["Resources"]["Bucket"]["Properties"]["PublicAccessBlockConfiguration"]
        ),
        drop(f"{BUCKET}/PublicAccessBlockConfiguration/IgnorePublicAcls"),
        put(f"{BUCKET}/OwnershipControls/Rules/0/ObjectOwnership", "ObjectWriter"),
        drop(f"{BUCKET}/BucketEncryption/ServerSideEncryptionConfiguration/0"),
        put(f"{BUCKET}/VersioningConfiguration/Status", "Suspended"),
        put(f"{BUCKET}/LifecycleConfiguration/Rules/0/Status", "Disabled"),
        put(f"{BUCKET}/LifecycleConfiguration/Rules/0/ExpirationInDays", 30),
        put(f"{BUCKET}/BucketName", "traffic"),
        put("Resources/Bucket/DeletionPolicy", "Delete"),
        put("Resources/Bucket/UpdateReplacePolicy", "Delete"),
        put("Resources/BucketPolicy/DeletionPolicy", "Delete"),
        drop(f"{DENY}/0/Resource/1"),
        put(f"{DENY}/0/Action", "s3:GetObject"),
        put(f"{DENY}/0/Condition/Bool/aws:SecureTransport", "true"),
        put(f"{DENY}/0/Effect", "Allow"),
    ),
    the_table_is_kept: (
        put("Resources/Table/DeletionPolicy", "Delete"),
        drop("Resources/Table/UpdateReplacePolicy"),
        put(f"{TABLE}/DeletionProtectionEnabled", False),
        put(f"{TABLE}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", False),
        put(f"{TABLE}/PointInTimeRecoverySpecification/RecoveryPeriodInDays", 1),
        put(f"{TABLE}/BillingMode", "PROVISIONED"),
        drop(f"{TABLE}/OnDemandThroughput/MaxWriteRequestUnits"),
        put(f"{TABLE}/OnDemandThroughput/MaxReadRequestUnits", -1),
        put(f"{TABLE}/KeySchema/1/AttributeName", "day"),
        put(f"{TABLE}/AttributeDefinitions/1/AttributeType", "N"),
        put(f"{TABLE}/TableName", "history"),
    ),
    it_rings_when_nothing_arrives: (
        put(f"{ALARM}/Statistic", "Average"),
        drop(f"{ALARM}/Dimensions/1"),
        put(f"{ALARM}/Dimensions/1/Value", "PutItem"),
        put(f"{ALARM}/TreatMissingData", "missing"),
        put(f"{ALARM}/ComparisonOperator", "GreaterThanThreshold"),
        put(f"{ALARM}/EvaluationPeriods", 14),
        put("Resources/AlarmTopic/Properties/KmsMasterKeyId", "alias/aws/sns"),
    ),
}

MUTANTS_OF_LAMBDA: dict[Rule, tuple[Mutation, ...]] = {
    nothing_is_allowed_by_a_wildcard: (
        put(f"{ALLOWED}/1/Resource", "*"),
        put(f"{ALLOWED}/0/Action", "ssm:Get*"),
        put(f"{ALLOWED}/3/Fn::If/1/Resource", "*"),
    ),
    no_wildcard_can_be_entered: (
        *(drop(f"Parameters/{name}/AllowedPattern") for name in PARAMETERS if name in LAMBDA["Parameters"]),
        put("Parameters/WriterPolicyArn/AllowedPattern", "arn:aws:iam::[0-9]{12}:policy/[^*]+"),
        put("Parameters/WriterPolicyArn/AllowedPattern", r"arn:aws:iam::[0-9]{12}:policy/[^?\s]+"),
    ),
    alarms_can_be_made: (
        put("Resources/Refused/Properties/EvaluationPeriods", 8),
        put("Resources/Refused/Properties/MetricName", "Refusals"),
        put("Resources/Refused/Properties/Dimensions", [{"Name": "Repository", "Value": NAME}]),
    ),
    nothing_else_than_the_partition_is_taken: (drop("Rules/StandardPartition/Assertions/0"),),
    the_function_runs_as_documented: (
        put(f"{FUNCTION}/Runtime", "python3.11"),
        put(f"{FUNCTION}/Timeout", 60),
        put(f"{FUNCTION}/Handler", "ghtraffic_action.lambda_handler.handle"),
        put(f"{FUNCTION}/ReservedConcurrentExecutions", 1),
        drop(f"{FUNCTION}/LoggingConfig"),
        drop("Resources/LogGroup/Properties/RetentionInDays"),
    ),
    the_function_is_set_by_settings: (
        rename(f"{VARIABLES}/GHTRAFFIC_EXPORT_TO", "GHTRAFFIC_EXPORT"),
        put(f"{VARIABLES}/GHTRAFFIC_GITHUB_TOKEN", {"Ref": "TokenParameter"}),
        put(f"{VARIABLES}/GHTRAFFIC_GITHUB_TOKEN", {"Fn::Sub": "ssm:${TokenParameter}"}),
        drop(f"{VARIABLES}/GHTRAFFIC_GITHUB_APP"),
        put(f"{VARIABLES}/GHTRAFFIC_GITHUB_APP_KEY/Fn::If/1/Fn::Sub", "ssm:${TokenParameter}"),
        put("Conditions/HasApp", {"Fn::Equals": [{"Ref": "AppId"}, ""]}),
        drop(f"{VARIABLES}/GHTRAFFIC_STORE"),
        put(f"{VARIABLES}/AWS_ENDPOINT_URL", "http://127.0.0.1"),
    ),
    github_is_asked_in_one_way: (
        *(drop(f"Rules/{rule}/Assertions/{number}") for rule in ("TokenOrApp", "AppWithKey") for number in (0, 1)),
        put("Rules/TokenOrApp/Assertions/0/Assert/Fn::Or/1", {"Fn::Not": [{"Fn::Equals": [{"Ref": "AppId"}, "1"]}]}),
        put("Rules/AppWithKey/Assertions/0/Assert/Fn::Or/0", {"Fn::Equals": [{"Ref": "TokenParameter"}, ""]}),
    ),
    the_function_may_do_what_it_needs: (
        put(f"{ALLOWED}/0/Resource/Fn::Sub/1/Secret", {"Ref": "TokenParameter"}),
        put(f"{ALLOWED}/0/Resource/Fn::Sub/1/Secret/Fn::If", ["HasKey", {"Ref": "AppKeyParameter"}, ""]),
        put("Conditions/HasKey", {"Fn::Equals": ["", ""]}),
        add(f"{ALLOWED}/0/Action", "ssm:PutParameter"),
        drop(f"{ALLOWED}/1"),
        add(ALLOWED, ANYTHING | {"Sid": "More"}),
        drop(f"{ALLOWED}/3/Fn::If/1/Condition"),
        put(f"{ALLOWED}/3/Fn::If/2", ANYTHING | {"Sid": "SecretKey"}),
        put("Resources/FunctionRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": ACCOUNT}),
        add("Resources/FunctionRole/Properties/ManagedPolicyArns", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    the_schedule_is_daily: (
        put("Parameters/Schedule/Default", "cron(0 3 * * ? *)"),
        put("Parameters/Schedule/Default", "cron(17 3 ? * MON *)"),
        put(f"{DAILY}/ScheduleExpressionTimezone", "Europe/Berlin"),
        put(f"{DAILY}/FlexibleTimeWindow/Mode", "OFF"),
        put(f"{DAILY}/Target/Input", '{"repositories": "octo-lab/*"}'),
        put(f"{DAILY}/Target/RoleArn", {"Fn::GetAtt": ["FunctionRole", "Arn"]}),
        drop(f"{BEGIN}/AssumeRolePolicyDocument/Statement/0/Condition"),
        add(f"{BEGIN}/Policies/0/PolicyDocument/Statement", ANYTHING),
    ),
    what_failed_is_kept: (
        put("Resources/Retries/Properties/MaximumRetryAttempts", 0),
        drop("Resources/Retries/Properties/DestinationConfig/OnFailure"),
        drop(f"{DAILY}/Target/DeadLetterConfig/Arn"),
        put("Resources/WhatFailed/Properties/MessageRetentionPeriod", 4 * DAY),
        put("Resources/RunFailed/Properties/Threshold", 10),
    ),
}


@pytest.mark.parametrize(
    ("template", "rule", "mutate"),
    [
        pytest.param(template, rule, mutate, id=f"{name}-{rule.__name__}-{number}")
        for name, template, mutants in (("base", BASE, MUTANTS_OF_BASE), ("lambda", LAMBDA, MUTANTS_OF_LAMBDA))
        for rule, mutations in mutants.items()
        for number, mutate in enumerate(mutations)
    ],
)
def test_a_template_that_breaks_a_rule_is_caught(template: Template, rule: Rule, mutate: Mutation) -> None:
    """Each rule notices what it is there for."""
    mutant = copy.deepcopy(template)
    mutate(mutant)
    assert mutant != template
    with pytest.raises((AssertionError, KeyError, ValueError, AttributeError, UserError)):
        rule(mutant)


def test_every_rule_has_a_mutant() -> None:
    """No rule is there that nothing can break."""
    assert MUTANTS_OF_BASE.keys() == set(RULES_OF_BASE)
    assert MUTANTS_OF_LAMBDA.keys() == set(RULES_OF_LAMBDA)


def test_the_policies_made_by_hand_are_the_template_s() -> None:
    """Who makes the role by hand gets the same trust and the same permissions, but for the token's parameter."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "by-hand.md").read_text(), re.DOTALL)
    documents = [json.loads(block) for block in blocks if '"Statement"' in block]
    trust = resolved(
        properties(BASE, "Role")["AssumeRolePolicyDocument"],
        Owner="OWNER",
        Repository="REPO",
        OwnerId="OWNER_ID",
        RepositoryId="REPO_ID",
        OidcProvider=f"arn:aws:iam::ACCOUNT:oidc-provider/{CLAIMS}",
    )
    permissions = resolved(
        properties(BASE, "WriterPolicy")["PolicyDocument"],
        **{
            "Table.Arn": "arn:aws:dynamodb:REGION:ACCOUNT:table/github-traffic",
            "Bucket.Arn": "arn:aws:s3:::YOUR-BUCKET",
        },
        HasTokenParameter=False,
    )
    for statement in permissions["Statement"]:
        del statement["Sid"]
    assert documents == [trust, permissions]


def test_the_lines_to_paste_are_inputs_of_the_action() -> None:
    """Store, destination, role and region come as `with:` takes them."""
    lines = yaml.safe_load(resolved(BASE["Outputs"]["Workflow"]["Value"]))
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert lines.keys() <= inputs.keys()
    assert lines == {
        "store": "dynamodb://history",
        "export-to": "s3://exports/traffic",
        "role-to-assume": VALUES["Role.Arn"],
        "aws-region": "eu-central-1",
    }


GIVEN = {"Owner": "octo-lab", "Repository": "lighthouse", "OwnerId": "1", "RepositoryId": "7"}


def _token(subject: str) -> str:
    now = int(time.time())
    claims = {"iss": f"https://{CLAIMS}", "aud": "sts.amazonaws.com", "sub": subject, "iat": now, "exp": now + 600}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


@dataclass(frozen=True)
class Job:
    """The workflow's job: the stack it writes to, what its requests were, and which permissions they took."""

    account: Account
    outputs: dict[str, str]
    settings: Settings
    taken: set[str]

    def run(self) -> tuple[int, str]:
        """Collect; tell the exit code and what went wrong."""
        try:
            report = run(self.settings)
        except UserError as error:
            return error.exit_code, str(error)
        return report.exit_code, "\n".join(report.all_errors)

    def permissions(self) -> dict[str, Any]:
        """Read the policy that the role has."""
        iam, arn = self.account.client("iam"), self.outputs["WriterPolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return document

    def take_away(self, action: str) -> None:
        """Let the role's policy allow all but one action."""
        document = self.permissions()
        for statement in document["Statement"]:
            statement["Action"] = [left for left in _actions(statement) if left != action]
        document["Statement"] = [statement for statement in document["Statement"] if statement["Action"]]
        self.account.client("iam").create_policy_version(
            PolicyArn=self.outputs["WriterPolicyArn"], PolicyDocument=json.dumps(document), SetAsDefault=True
        )


def _actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


ACTIONS = [
    action
    for statement in resolved(properties(BASE, "WriterPolicy")["PolicyDocument"])["Statement"]
    for action in _actions(statement)
]


@pytest.fixture
def job(account: Account, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that has assumed the role of base.yaml, with the token in a parameter, and the lines to paste."""
    outputs = account.deploy(
        "base", "base.yaml", **GIVEN, TokenParameter="/ghtraffic/token", OidcProviderArn=account.provider()
    )
    account.client("ssm").put_parameter(Name="/ghtraffic/token", Value=TOKEN, Type="SecureString")
    credentials = assume(account, outputs["RoleArn"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", credentials["SessionToken"])
    lines = yaml.safe_load(outputs["Workflow"])
    given = {environment_name(name): lines[name.replace("_", "-")] for name in ("store", "export_to")}
    given |= {"GHTRAFFIC_REPOSITORIES": NAME, "GHTRAFFIC_GITHUB_TOKEN": "ssm:/ghtraffic/token"}
    settings = read_settings("collect", given | {"GITHUB_API_URL": github.url})
    session = boto3.Session()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    taken = watch(session)
    return Job(account, outputs, settings, taken)


def assume(account: Account, role: str) -> dict[str, str]:
    """Assume a role as the workflow does; the emulator cannot judge `repository_id`, so that it is left out."""
    iam, sts, name = account.client("iam"), account.client("sts"), role.rsplit("/", 1)[1]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    del trust["Statement"][0]["Condition"]["StringEquals"][f"{CLAIMS}:repository_id"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    for other in (SUBJECT.replace("main", "other"), SUBJECT.replace("octo-lab", "octo-labs"), SUBJECT + "2"):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=_token(other))
    for subject in (SUBJECT, SUBJECT_WITH_IDS):
        answer = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="job", WebIdentityToken=_token(subject)
        )
    found: dict[str, str] = answer["Credentials"]
    return found


def watch(session: boto3.Session) -> set[str]:
    """Note which permission each request of a session takes, and answer for a missing file as S3 does.

    S3 says that a file is missing only to those who may list the bucket with the file's key as the prefix, to others
    that it is forbidden; the emulator says so to everybody. Whether one may is left to the emulator.
    """
    taken: set[str] = set()
    lister = boto3.Session().client("s3")
    lock = Lock()

    def asked(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - the SDK's
        with lock:
            taken.add(f"{model.service_model.service_id.lower()}:{model.name}")
        context["asked"] = params

    def answered(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - likewise
        if parsed.get("Error", {}).get("Code") != "NoSuchKey":
            return
        with lock:
            taken.add("s3:ListBucket")
        try:
            lister.list_objects_v2(Bucket=context["asked"]["Bucket"], Prefix=context["asked"]["Key"])
        except ClientError as error:
            parsed["Error"] = error.response["Error"]

    session.events.register("provide-client-params", asked)
    session.events.register("after-call.s3.GetObject", answered)
    return taken


class TestRole:
    """What the role of base.yaml is good for."""

    def test_a_run_takes_each_of_its_permissions_and_no_other(self, job: Job) -> None:
        """The policy is the template's to the letter; all that a run asks for is in it, and all in it is asked for."""
        number = job.outputs["RoleArn"].split(":")[4]
        made = {"AWS::AccountId": number, "AWS::Region": "us-east-1"}
        made["Table.Arn"] = f"arn:aws:dynamodb:us-east-1:{number}:table/{job.outputs['TableName']}"
        made["Bucket.Arn"] = f"arn:aws:s3:::{job.outputs['BucketName']}"
        assert job.permissions() == resolved(properties(BASE, "WriterPolicy")["PolicyDocument"], **made)
        assert job.run() == (0, "")
        assert job.taken == set(ACTIONS)
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 16
        assert job.run() == (0, "")

    @pytest.mark.parametrize("action", [action for action in ACTIONS if action != "s3:ListBucket"])
    def test_without_one_of_them_a_run_fails(self, job: Job, action: str) -> None:
        """The error names what is missing."""
        job.take_away(action)
        exit_code, error = job.run()
        assert exit_code == 1
        assert f"AWS denies {action}" in error

    def test_without_listing_the_first_run_of_a_month_fails(self, job: Job, github: FakeGitHub) -> None:
        """As long as all files are there nothing is missed; a new month's file reads as forbidden."""
        assert job.run() == (0, "")
        job.take_away("s3:ListBucket")
        github.now = NOW.replace(day=24)
        assert job.run() == (0, "")
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
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 16

    def test_it_can_do_nothing_else(self, job: Job) -> None:
        """Nothing beside the prefix, no other parameter, no deletion, no scan."""
        bucket, table = job.outputs["BucketName"], job.outputs["TableName"]
        s3, dynamodb, ssm = boto3.client("s3"), boto3.client("dynamodb"), boto3.client("ssm")
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
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                attempt()


class TestStacks:
    """What the stacks come to."""

    def test_the_schedule_begins_the_function(self, job: Job, zipped: Path, tmp_path: Path) -> None:
        """Its role lets it collect into what base.yaml made, and a run of the workflow's goes on from there.

        The emulator runs functions in its own interpreter, which is of the version of this one, as the zip is.
        """
        s3, scheduler, dynamodb = (job.account.client(name) for name in ("s3", "scheduler", "dynamodb"))
        s3.create_bucket(Bucket="code")
        s3.upload_file(str(zipped), "code", "ghtraffic-lambda.zip")
        parameters = {name: job.outputs[name] for name in ("TableName", "BucketName", "WriterPolicyArn")}
        outputs = job.account.deploy(
            "function",
            "lambda.yaml",
            **parameters,
            Repositories=NAME,
            TokenParameter="/ghtraffic/token",
            CodeBucket="code",
            Architecture=ARCH,
        )
        [summary] = scheduler.list_schedules()["Schedules"]
        daily = scheduler.get_schedule(Name=summary["Name"])
        assert daily["ScheduleExpression"] == "cron(17 3 * * ? *)"
        assert daily["Target"]["Arn"].endswith(outputs["FunctionName"])
        changed = {name: daily[name] for name in ("Name", "GroupName", "FlexibleTimeWindow", "Target", "State")}
        scheduler.update_schedule(**changed, ScheduleExpression="at(2026-01-01T00:00:00)")
        deadline = time.monotonic() + 60
        catalogue = {"Bucket": job.outputs["BucketName"], "Prefix": "traffic/v1/latest/repositories.csv"}
        while not s3.list_objects_v2(**catalogue)["KeyCount"]:
            assert time.monotonic() < deadline, (tmp_path / "emulator.log").read_text()
            time.sleep(0.1)
        assert dynamodb.scan(TableName=job.outputs["TableName"])["Count"] == 16
        assert job.run() == (0, "")
        assert "s3:PutObject" not in job.taken
        assert "dynamodb:UpdateItem" not in job.taken

    def test_a_wildcard_is_refused(self, account: Account) -> None:
        """CloudFormation itself refuses it, with the words of the template, and makes nothing."""
        base = GIVEN | {"OidcProviderArn": account.provider()}
        function = {name: PARAMETERS[name] for name in ("TableName", "BucketName", "WriterPolicyArn", "CodeBucket")}
        function |= {"Repositories": NAME, "TokenParameter": "/ghtraffic/token"}
        for file, template, right in (("base.yaml", BASE, base), ("lambda.yaml", LAMBDA, function)):
            for name in PARAMETERS.keys() & template["Parameters"].keys():
                reason = re.escape(template["Parameters"][name]["ConstraintDescription"])
                with pytest.raises(ClientError, match=reason):
                    account.deploy("stack", file, **right | {name: PARAMETERS[name] + "*"})
        for name in ("OwnerId", "RepositoryId"):
            with pytest.raises(ClientError, match=name):
                account.deploy("stack", "base.yaml", **{key: base[key] for key in base if key != name})
        assert account.client("s3").list_buckets()["Buckets"] == []
        assert account.client("lambda").list_functions()["Functions"] == []
        assert account.deploy("base", "base.yaml", **base)

    def test_a_function_may_ask_as_an_app(self, account: Account) -> None:
        """It gets the App's id and the name of its key in the place of a token, and may read that key alone."""
        given = {name: PARAMETERS[name] for name in ("TableName", "BucketName", "WriterPolicyArn", "CodeBucket")}
        app = {"AppId": "12", "AppKeyParameter": "/ghtraffic/app-key"}
        outputs = account.deploy("function", "lambda.yaml", **given, **app, Repositories=NAME)
        found = account.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
        asking = {name: value for name, value in found["Environment"]["Variables"].items() if "_GITHUB_" in name}
        assert asking == {"GHTRAFFIC_GITHUB_APP": "12", "GHTRAFFIC_GITHUB_APP_KEY": "ssm:/ghtraffic/app-key"}
        role = {"RoleName": found["Role"].rsplit("/", 1)[1], "PolicyName": "function"}
        policy = account.client("iam").get_role_policy(**role)["PolicyDocument"]
        [secret] = [found["Resource"] for found in policy["Statement"] if found["Sid"] == "Secret"]
        assert secret.endswith(":parameter/ghtraffic/app-key")
