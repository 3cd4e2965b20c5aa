"""The resources of fleet.yaml, checked in the template, since emulators ignore most of their properties."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from ghtraffic_action.fleet.credentials import parse_credentials
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.settings.names import environment_name
from tests.support.template_mutations import Mutation, Rule, add, by_rule, drop, put, rename, unnoticed
from tests.support.template_rules import (
    KEY,
    PARAMETERS,
    every_role_has_the_boundary_and_the_path,
    no_wildcard_can_be_entered,
    nothing_is_allowed_by_a_wildcard,
    other_partitions_are_refused,
)
from tests.support.templates import ACCOUNT, BASE, FLEET, LAMBDA, VALUES, Template, exports, made, properties


def the_function_is_that_of_lambda_yaml(fleet: Template) -> None:
    """The function has the measured runtime, time-out, memory and code of lambda.yaml."""
    same = ("Runtime", "Architectures", "Handler", "MemorySize", "Timeout", "Code", "Role", "LoggingConfig")
    ours, theirs = properties(fleet, "Function"), properties(LAMBDA, "Function")
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    assert properties(fleet, "LogGroup") == properties(LAMBDA, "LogGroup")
    for name in ("CodeBucket", "CodeKey", "Architecture", "Summary", "MaxWait", "SilentDays", "BaseStack"):
        assert fleet["Parameters"][name] == LAMBDA["Parameters"][name]


def the_function_is_set_by_settings(fleet: Template) -> None:
    """Each variable is a setting, they suffice for a run with a credential, and each day is collected once."""
    chosen = {"Summary": "no-traffic", "MaxWait": "90s", "RestoredTable": "restored"}
    for given, store, summary in (({}, "history", "auto"), (chosen, "restored", "no-traffic")):
        variables = made(fleet, **exports(BASE), **given)["Function"]["Environment"]["Variables"]
        assert variables.keys() <= {environment_name(name) for name in Settings.__dataclass_fields__}
        [credential] = parse_credentials(VALUES["Credentials"])
        settings = read_settings("collect", variables | {"AWS_LAMBDA_FUNCTION_NAME": "fleet"}, credential)
        assert (settings.store, settings.export_to) == (f"dynamodb://{store}", "s3://exports/traffic")
        assert (settings.summary, settings.once_a_day) == (summary, True)
        assert settings.max_wait == (90 if given else 900)


def no_secret_can_be_entered(fleet: Template) -> None:
    """The parameter accepts names of secrets only, since the stack and each execution show it."""
    pattern = re.compile(fleet["Parameters"]["Credentials"]["AllowedPattern"])
    assert pattern.fullmatch(VALUES["Credentials"])
    assert pattern.fullmatch(VALUES["Credentials"].replace(", ", ",\n"))
    for secret in ("github_pat_1a2b", "ghp_1a2b", "ghs_1a2b", "-----BEGIN RSA PRIVATE KEY-----"):
        assert not pattern.fullmatch(VALUES["Credentials"].replace("ssm:/ghtraffic/fleet/octo-lab", secret))


def the_function_may_do_what_it_needs(fleet: Template) -> None:
    """The function may do what a run does, read the secrets of one folder, and write its own log."""
    role = made(fleet, **exports(BASE))["FunctionRole"]
    assert role["ManagedPolicyArns"] == [VALUES["WriterPolicy"]]
    assert role["AssumeRolePolicyDocument"] == made(LAMBDA, **exports(BASE))["FunctionRole"]["AssumeRolePolicyDocument"]
    folder = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/ghtraffic/fleet/*"
    secrets = {"Sid": "Secrets", "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": folder}
    log, key = (_statement(LAMBDA, "FunctionRole", name, SecretKeyArn=KEY) for name in ("Log", "SecretKey"))
    assert _statements(fleet, "FunctionRole") == [secrets, log]
    assert _statements(fleet, "FunctionRole", SecretKeyArn=KEY) == [secrets, log, key]


def alerts_are_those_of_lambda_yaml(fleet: Template) -> None:
    """The parameter `Alerts` and the permission for the topic are those of lambda.yaml."""
    assert fleet["Parameters"]["Alerts"] == LAMBDA["Parameters"]["Alerts"]
    allowed = _statement(LAMBDA, "FunctionRole", "Alerts", Alerts="topic")
    assert allowed["Action"] == "sns:Publish"
    quiet = _statements(fleet, "FunctionRole")
    for given, set_to in (("none", "none"), ("annotations", "annotations"), ("topic", VALUES["AlarmTopic"])):
        assert _statements(fleet, "FunctionRole", Alerts=given) == [*quiet, *([allowed] if given == "topic" else [])]
        variables = made(fleet, **exports(BASE), Alerts=given)["Function"]["Environment"]["Variables"]
        assert variables["GHTRAFFIC_ALERTS"] == set_to


def the_state_machine_may_do_what_it_needs(fleet: Template) -> None:
    """The state machine may invoke its function, read its runs' batches, and start its own executions."""
    role = made(fleet, **exports(BASE))["StateMachineRole"]
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "states.amazonaws.com"}
    assert trusted["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert "ManagedPolicyArns" not in role
    steps = {"Sid": "Steps", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": VALUES["Function.Arn"]}
    lines = {"Sid": "Batches", "Effect": "Allow", "Action": "s3:GetObject"}
    lines["Resource"] = "arn:aws:s3:::exports/traffic/runs/*"
    assert _statements(fleet, "StateMachineRole") == [steps, lines]
    by_s3 = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    key = {"Sid": "DataKey", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY, "Condition": by_s3}
    assert _statements(fleet, "StateMachineRole", DataKeyArn=KEY) == [steps, lines, key]
    policy = made(fleet, **exports(BASE))["DistributedMap"]
    assert policy["Roles"] == [VALUES["StateMachineRole"]]
    children, own = policy["PolicyDocument"]["Statement"]
    machine = {"Action": "states:StartExecution", "Resource": VALUES["StateMachine"]}
    assert children == {"Sid": "Children", "Effect": "Allow"} | machine
    assert own["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert own["Resource"] == f"arn:aws:states:eu-central-1:{ACCOUNT}:execution:fleet:*"


def the_schedule_starts_it(fleet: Template) -> None:
    """The schedule runs hourly at an odd minute from 10:00 UTC on, and its role can only start executions."""
    expression = fleet["Parameters"]["Schedule"]["Default"]
    minute, hours, *days = expression.removeprefix("cron(").removesuffix(")").split()
    first, last = map(int, hours.split("-"))
    assert int(minute) % 2 == 1
    assert 10 <= first < last < 23
    assert days == ["*", "*", "?", "*"]
    hourly = made(fleet, **exports(BASE))["Hourly"]
    assert hourly["ScheduleExpressionTimezone"] == "UTC"
    assert hourly["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert hourly["Target"]["Arn"] == VALUES["StateMachine"]
    assert json.loads(hourly["Target"]["Input"]) == {}
    assert hourly["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] < 3600
    assert fleet["Resources"]["Hourly"]["DependsOn"] == "DistributedMap"
    begin = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": VALUES["StateMachine"]}
    assert _statements(fleet, "ScheduleRole") == [begin]
    trusts = [made(found, **exports(BASE))["ScheduleRole"]["AssumeRolePolicyDocument"] for found in (fleet, LAMBDA)]
    assert trusts[0] == trusts[1]


def _statements(template: Template, role: str, **parameters: str) -> Any:  # noqa: ANN401 - YAML
    [policy] = made(template, **exports(BASE), **parameters)[role]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def _statement(template: Template, role: str, sid: str, **parameters: str) -> Any:  # noqa: ANN401 - YAML
    [found] = [found for found in _statements(template, role, **parameters) if found["Sid"] == sid]
    return found


VARIABLES = "Resources/Function/Properties/Environment/Variables"
FUNCTION = "Resources/FunctionRole/Properties/Policies/0/PolicyDocument/Statement"
MACHINE = "Resources/StateMachineRole/Properties"
STEPS = f"{MACHINE}/Policies/0/PolicyDocument/Statement"
MAP = "Resources/DistributedMap/Properties/PolicyDocument/Statement"
BEGIN = "Resources/ScheduleRole/Properties/Policies/0/PolicyDocument/Statement"
HOURLY = "Resources/Hourly/Properties"
ANYTHING = {"Sid": "More", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}

MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    nothing_is_allowed_by_a_wildcard: (
        put(f"{FUNCTION}/0/Action", "ssm:*"),
        put(f"{STEPS}/1/Resource", "*"),
        put(f"{MAP}/0/Resource", "*"),
        put(f"{BEGIN}/0/Action", "states:*"),
    ),
    no_wildcard_can_be_entered: tuple(
        drop(f"Parameters/{name}/AllowedPattern") for name in PARAMETERS if name in FLEET["Parameters"]
    ),
    other_partitions_are_refused: (drop("Rules/StandardPartition/Assertions/0"),),
    every_role_has_the_boundary_and_the_path: (
        drop(f"{MACHINE}/PermissionsBoundary"),
        drop("Resources/FunctionRole/Properties/Path"),
        drop("Resources/ScheduleRole/Properties/PermissionsBoundary"),
    ),
    the_function_is_that_of_lambda_yaml: (
        put("Resources/Function/Properties/Timeout", 300),
        put("Resources/Function/Properties/MemorySize", 128),
        put("Parameters/Summary/Default", "full"),
    ),
    the_function_is_set_by_settings: (
        rename(f"{VARIABLES}/GHTRAFFIC_STORE", "GHTRAFFIC_TABLE"),
        drop(f"{VARIABLES}/GHTRAFFIC_ONCE_A_DAY"),
        drop(f"{VARIABLES}/GHTRAFFIC_EXPORT_TO"),
        put(f"{VARIABLES}/GHTRAFFIC_SUMMARY", "auto"),
        put(f"{VARIABLES}/GHTRAFFIC_MAX_WAIT", "15m"),
        put("Conditions/HasRestored", {"Fn::Equals": ["", "no"]}),
    ),
    no_secret_can_be_entered: (drop("Parameters/Credentials/AllowedPattern"),),
    the_function_may_do_what_it_needs: (
        add(FUNCTION, ANYTHING),
        put(f"{FUNCTION}/0/Resource", {"Fn::Sub": "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/*"}),
        drop(f"{FUNCTION}/1"),
        add("Resources/FunctionRole/Properties/ManagedPolicyArns", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    alerts_are_those_of_lambda_yaml: (
        put("Conditions/SendsAlerts", {"Fn::Equals": ["", ""]}),
        put("Parameters/Alerts/Default", "annotations"),
        put(f"{FUNCTION}/3/Fn::If/1/Resource", "*"),
        drop(f"{FUNCTION}/3"),
        drop(f"{VARIABLES}/GHTRAFFIC_ALERTS"),
    ),
    the_state_machine_may_do_what_it_needs: (
        add(STEPS, ANYTHING),
        put(f"{STEPS}/1/Action", "s3:PutObject"),
        drop(f"{STEPS}/0"),
        drop(f"{STEPS}/2/Fn::If/1/Condition"),
        drop(f"{MACHINE}/AssumeRolePolicyDocument/Statement/0/Condition"),
        drop(f"{MAP}/1"),
        put(f"{MAP}/0/Action", ["states:StartExecution", "states:DeleteStateMachine"]),
        put("Resources/DistributedMap/Properties/Roles", [{"Ref": "FunctionRole"}]),
    ),
    the_schedule_starts_it: (
        put("Parameters/Schedule/Default", "cron(0 10-22 * * ? *)"),
        put("Parameters/Schedule/Default", "cron(47 0-22 * * ? *)"),
        put(f"{HOURLY}/FlexibleTimeWindow", {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}),
        put(f"{HOURLY}/Target/Arn", {"Fn::GetAtt": ["Function", "Arn"]}),
        put(f"{HOURLY}/Target/RetryPolicy/MaximumEventAgeInSeconds", 21600),
        put("Resources/Hourly/DependsOn", "StateMachine"),
        add(BEGIN, ANYTHING),
    ),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS))
def test_the_template_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, FLEET, mutations) == []
