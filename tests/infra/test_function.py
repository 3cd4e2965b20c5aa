"""The resources of lambda.yaml, checked in the template, since emulators ignore most of their properties."""

import importlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.settings.names import environment_name
from tests.support.builders import NAME
from tests.support.template_mutations import Mutation, Rule, add, by_rule, drop, put, rename, unnoticed
from tests.support.template_rules import (
    KEY,
    PARAMETERS,
    every_role_has_the_boundary_and_the_path,
    no_wildcard_can_be_entered,
    nothing_is_allowed_by_a_wildcard,
    other_partitions_are_refused,
)
from tests.support.templates import ACCOUNT, BASE, DAY, LAMBDA, VALUES, Template, exports, made, properties, refused


def the_function_runs_as_documented(function: Template) -> None:
    """Runtime, time-out and memory are the measured ones, and the handler exists."""
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


def the_function_is_set_by_settings(function: Template) -> None:
    """Each variable is a setting, they suffice for a run, and the secret is given by its name only."""
    for given in ({}, WITH_APP):
        variables = made(function, **exports(BASE), **given)["Function"]["Environment"]["Variables"]
        assert variables.keys() <= {environment_name(name) for name in Settings.__dataclass_fields__}
        settings = read_settings("collect", variables | {"AWS_LAMBDA_FUNCTION_NAME": "traffic"})
        assert settings.repositories == (NAME,)
        asking = (settings.github_token, settings.github_app, settings.github_app_key)
        assert asking == (("", "12", "ssm:/ghtraffic/app-key") if given else ("ssm:/ghtraffic/token", "", ""))
        assert (settings.store, settings.export_to) == ("dynamodb://history", "s3://exports/traffic")
        assert (settings.summary, settings.max_wait, settings.legacy_csv) == ("auto", 900, False)
    chosen = {"Summary": "no-traffic", "MaxWait": "90s", "LegacyCsv": "true", "RestoredTable": "restored"}
    chosen["WorkflowRuns"] = "true"
    variables = made(function, **exports(BASE), **chosen)["Function"]["Environment"]["Variables"]
    settings = read_settings("collect", variables | {"AWS_LAMBDA_FUNCTION_NAME": "traffic"})
    assert (settings.summary, settings.max_wait, settings.legacy_csv) == ("no-traffic", 90, True)
    assert settings.workflow_runs
    assert settings.store == "dynamodb://restored"


def github_is_asked_in_one_way(function: Template) -> None:
    """The template requires either a token, or an App's id with its key, before anything is created."""
    token, app, key = "a TokenParameter", "an AppId", "an AppKeyParameter"
    wrong = {(): "Neither was given", (key,): "needs an AppId", (app,): "needs an AppKeyParameter"}
    wrong |= {(token, key): "needs an AppId", (token, app): "leave out the other"}
    wrong |= {(token, app, key): "leave out the other", (token,): "", (app, key): ""}
    for given, reason in wrong.items():
        values = {"TokenParameter": "/t" * (token in given), "AppId": "1" * (app in given)}
        values["AppKeyParameter"] = "/k" * (key in given)
        reasons = refused(function, **values)
        assert reason in " ".join(reasons)
        assert bool(reasons) is bool(reason)


def the_function_may_do_what_it_needs(function: Template) -> None:
    """The function may do what a run does, read its secret, and write to its own log and queue."""
    role = made(function, **exports(BASE))["FunctionRole"]
    assert role["ManagedPolicyArns"] == [VALUES["WriterPolicy"]]
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert role["AssumeRolePolicyDocument"]["Statement"] == [trusted]
    parameter = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/ghtraffic/token"
    secret = {"Sid": "Secret", "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": parameter}
    written = ["logs:CreateLogStream", "logs:PutLogEvents"]
    log = {"Sid": "Log", "Effect": "Allow", "Action": written, "Resource": VALUES["LogGroup.Arn"]}
    failed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": VALUES["WhatFailed.Arn"]}
    failed["Sid"] = "WhatFailed"
    through_ssm = {"StringEquals": {"kms:ViaService": "ssm.eu-central-1.amazonaws.com"}}
    key = {"Sid": "SecretKey", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY, "Condition": through_ssm}
    assert _own_statements(function) == [secret, log, failed]
    assert _own_statements(function, SecretKeyArn=KEY) == [secret, log, failed, key]
    app_key = secret | {"Resource": parameter.replace("token", "app-key")}
    assert _own_statements(function, **WITH_APP) == [app_key, log, failed]


def alerts_go_to_the_topic_alone(function: Template) -> None:
    """Only `Alerts=topic` adds a permission; `annotations` are lines of the log."""
    allowed = {"Sid": "Alerts", "Effect": "Allow", "Action": "sns:Publish", "Resource": VALUES["AlarmTopic"]}
    assert function["Parameters"]["Alerts"]["Default"] == "none"
    quiet = _own_statements(function)
    for given, set_to in (("none", "none"), ("annotations", "annotations"), ("topic", VALUES["AlarmTopic"])):
        assert given in function["Parameters"]["Alerts"]["AllowedValues"]
        assert _own_statements(function, Alerts=given) == [*quiet, *([allowed] if given == "topic" else [])]
        variables = made(function, **exports(BASE), Alerts=given)["Function"]["Environment"]["Variables"]
        settings = read_settings("collect", variables | {"AWS_LAMBDA_FUNCTION_NAME": "traffic"})
        assert settings.alerts == set_to


def _own_statements(function: Template, **parameters: str) -> Any:  # noqa: ANN401 - YAML
    [policy] = made(function, **exports(BASE), **parameters)["FunctionRole"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def the_schedule_is_daily(function: Template) -> None:
    """The schedule runs daily at an odd minute between 10:00 and 20:00 UTC; its role can only invoke the function."""
    expression = function["Parameters"]["Schedule"]["Default"]
    minute, hour, *days = expression.removeprefix("cron(").removesuffix(")").split()
    assert int(minute) % 2 == 1
    assert 10 <= int(hour) < 20
    assert days == ["*", "*", "?", "*"]
    found = properties(function, "Daily")
    assert found["ScheduleExpression"] == {"Ref": "Schedule"}
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["FlexibleTimeWindow"]["Mode"] == "FLEXIBLE"
    assert 0 < found["FlexibleTimeWindow"]["MaximumWindowInMinutes"] <= 60
    assert found["Target"]["Arn"] == {"Fn::GetAtt": ["Function", "Arn"]}
    assert found["Target"]["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
    assert json.loads(found["Target"]["Input"]) == {}
    role = made(function, **exports(BASE))["ScheduleRole"]
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
    """A failed run is retried twice, then kept in a queue for the 14 days that GitHub keeps."""
    queue = {"Fn::GetAtt": ["WhatFailed", "Arn"]}
    retries = properties(function, "Retries")
    assert retries["FunctionName"] == {"Ref": "Function"}
    assert retries["MaximumRetryAttempts"] == 2
    assert retries["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    assert properties(function, "Daily")["Target"]["DeadLetterConfig"] == {"Arn": queue}
    kept = properties(function, "WhatFailed")
    assert kept == {"MessageRetentionPeriod": 14 * DAY, "SqsManagedSseEnabled": True}


FUNCTION = "Resources/Function/Properties"

VARIABLES = f"{FUNCTION}/Environment/Variables"

ALLOWED = "Resources/FunctionRole/Properties/Policies/0/PolicyDocument/Statement"

ANYTHING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DAILY = "Resources/Daily/Properties"

BEGIN = "Resources/ScheduleRole/Properties"

MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    nothing_is_allowed_by_a_wildcard: (
        put(f"{ALLOWED}/1/Resource", "*"),
        put(f"{ALLOWED}/0/Action", "ssm:Get*"),
        put(f"{ALLOWED}/3/Fn::If/1/Resource", "*"),
    ),
    no_wildcard_can_be_entered: (
        *(drop(f"Parameters/{name}/AllowedPattern") for name in PARAMETERS if name in LAMBDA["Parameters"]),
        put("Parameters/BaseStack/AllowedPattern", "[^*]+"),
    ),
    other_partitions_are_refused: (drop("Rules/StandardPartition/Assertions/0"),),
    every_role_has_the_boundary_and_the_path: (
        drop("Resources/FunctionRole/Properties/PermissionsBoundary"),
        drop("Resources/ScheduleRole/Properties/Path"),
    ),
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
        drop(f"{VARIABLES}/GHTRAFFIC_SUMMARY"),
        put(f"{VARIABLES}/GHTRAFFIC_MAX_WAIT", "15m"),
        drop(f"{VARIABLES}/GHTRAFFIC_LEGACY_CSV"),
        put("Conditions/HasRestored", {"Fn::Equals": ["", "no"]}),
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
    alerts_go_to_the_topic_alone: (
        put("Conditions/SendsAlerts", {"Fn::Equals": ["", ""]}),
        put("Parameters/Alerts/Default", "topic"),
        put(f"{ALLOWED}/4/Fn::If/1/Resource", {"Ref": "AWS::NoValue"}),
        put(f"{ALLOWED}/4/Fn::If/1/Action", ["sns:Publish", "sns:Subscribe"]),
        drop(f"{ALLOWED}/4"),
        put(f"{VARIABLES}/GHTRAFFIC_ALERTS", {"Ref": "Alerts"}),
        put("Parameters/Alerts/AllowedValues", ["none", "topic"]),
    ),
    the_schedule_is_daily: (
        put("Parameters/Schedule/Default", "cron(0 11 * * ? *)"),
        put("Parameters/Schedule/Default", "cron(17 3 * * ? *)"),
        put("Parameters/Schedule/Default", "cron(17 23 * * ? *)"),
        put("Parameters/Schedule/Default", "cron(17 11 ? * MON *)"),
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
    ),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS))
def test_the_template_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, LAMBDA, mutations) == []
