"""The alarms, and the metrics that they watch."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from ghtraffic_action.alerting.heartbeat import NAMESPACE, embed, measure, send
from ghtraffic_action.collect import run
from ghtraffic_action.errors import SettingsError
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.settings import Settings
from tests.support.aws import Aws, refusing
from tests.support.builders import NAME, NOW
from tests.support.fake_github import FakeGitHub
from tests.support.runtime import no_wait_runtime
from tests.support.template_mutations import Mutation, Rule, by_rule, drop, put, unnoticed
from tests.support.templates import BASE, DAY, FLEET, LAMBDA, VALUES, Template, exports, made, resources

KIND = "AWS::CloudWatch::Alarm"
IN_TWO_MONTHS = datetime.now(UTC) + timedelta(days=60, hours=1)
REPORT = Report(
    repositories=(
        RepositoryResult(NAME, 7, lost_days=5, lost_new=2),
        RepositoryResult("octo-lab/two", 8, errors=("refused",)),
        RepositoryResult("octo-lab/three", 9, errors=("later",), transient=True),
    ),
    store="dynamodb://history",
    export_to="s3://exports/traffic",
    token_ends=IN_TWO_MONTHS,
)


def _alarms(template: Template, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    known = {} if "Table" in template["Resources"] else exports(BASE)
    found = made(template, **known, **parameters)
    return {name: found[name] for name in resources(template, KIND) if name in found}


def _ours(template: Template) -> dict[str, Any]:
    return {name: alarm for name, alarm in _alarms(template).items() if alarm["Namespace"] == NAMESPACE}


def silence_goes_off(template: Template) -> None:
    """The alarm goes off after `SilentDays` days on which nothing was collected or no metric arrived."""
    for days in (2, 3, 7):
        alarm = _alarms(template, SilentDays=days)["NothingCollected"]
        assert (alarm["MetricName"], alarm["Statistic"]) == ("Collected", "Sum")
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (DAY, days, days)
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
        assert alarm["TreatMissingData"] == "breaching"
    days = template["Parameters"]["SilentDays"]
    assert (days["Default"], days["MinValue"], days["MaxValue"]) == (3, 2, 7)


def what_a_run_reports_goes_off(template: Template) -> None:
    """A permanent refusal, a lost day, or a token's last 30 days set off an alarm until the next report."""
    known = {"Refused": "Maximum", "LostDays": "Sum", "TokenDaysLeft": "Minimum"}
    for name, metric in (("Refused", "Refused"), ("DaysLost", "LostDays"), ("TokenEnds", "TokenDaysLeft")):
        alarm = _alarms(template)[name]
        assert (alarm["MetricName"], alarm["Statistic"]) == (metric, known[metric])
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (DAY, 1)
        limit = (30, "LessThanThreshold") if name == "TokenEnds" else (1, "GreaterThanOrEqualToThreshold")
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == limit
        assert alarm["TreatMissingData"] == "ignore"


def each_metric_is_sent(template: Template) -> None:
    """Each alarm watches a metric that a run sends, with its namespace and dimension; no metric lacks an alarm."""
    sent = measure(REPORT, NOW)
    assert {alarm["MetricName"] for alarm in _ours(template).values()} == sent.keys()
    for alarm in _ours(template).values():
        [dimension] = alarm["Dimensions"]
        if "Table" in template["Resources"]:
            assert dimension == {"Name": "Store", "Value": REPORT.store}
        else:
            assert dimension == {"Name": "FunctionName", "Value": embed(REPORT, "traffic")["FunctionName"]}


def alarms_reach_somebody(template: Template) -> None:
    """Each alarm publishes to the topic, which is not encrypted with the key of SNS: alarms cannot use that key."""
    for name, alarm in _alarms(template).items():
        assert alarm["AlarmActions"] == [VALUES["AlarmTopic"]]
        assert alarm.get("OKActions", []) == ([] if name == "RunFailed" else alarm["AlarmActions"])
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 7 * DAY, "CloudWatch looks back seven days at most"
        assert alarm["AlarmDescription"]


def the_restored_table_is_watched(base: Template) -> None:
    """The alarms watch the metrics of runs that write the restored table."""
    for alarm in _alarms(base, RestoredTable="restored").values():
        assert alarm["Dimensions"] == [{"Name": "Store", "Value": "dynamodb://restored"}]


def an_address_is_subscribed(base: Template) -> None:
    """`AlarmEmail` subscribes an address; without it the topic has no subscription."""
    assert made(base)["AlarmTopic"] == {}
    subscribed = made(base, AlarmEmail="ops@example.org")["AlarmTopic"]
    assert subscribed == {"Subscription": [{"Protocol": "email", "Endpoint": "ops@example.org"}]}
    assert "confirm" in base["Parameters"]["AlarmEmail"]["Description"]


def a_failed_run_goes_off_each_time(function: Template) -> None:
    """The alarm counts messages sent to the queue, since waiting ones would keep it on for 14 days."""
    alarm = _alarms(function)["RunFailed"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "NumberOfMessagesSent")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": VALUES["WhatFailed.QueueName"]}]
    assert (alarm["Statistic"], alarm["Period"]) == ("Sum", 300)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


def _of(name: str, **values: Any) -> tuple[Mutation, ...]:  # noqa: ANN401 - YAML
    return tuple(put(f"Resources/{name}/Properties/{key}", value) for key, value in values.items())


MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    silence_goes_off: (
        *_of("NothingCollected", Statistic="Average", TreatMissingData="missing", EvaluationPeriods=3),
        *_of("NothingCollected", ComparisonOperator="GreaterThanThreshold", MetricName="Refused"),
        drop("Resources/NothingCollected"),
        put("Parameters/SilentDays/MaxValue", 14),
    ),
    what_a_run_reports_goes_off: (
        *_of("Refused", TreatMissingData="breaching", Statistic="Average", Threshold=2),
        *_of("DaysLost", MetricName="Refused", EvaluationPeriods=2),
        *_of("TokenEnds", ComparisonOperator="GreaterThanThreshold", Threshold=3, Statistic="Maximum"),
    ),
    each_metric_is_sent: (
        *_of("Refused", MetricName="Refusals", Namespace="AWS/DynamoDB"),
        *_of("DaysLost", Dimensions=[{"Name": "Repository", "Value": NAME}]),
        put("Resources/TokenEnds/Properties/Dimensions", []),
        drop("Resources/TokenEnds"),
    ),
    alarms_reach_somebody: (
        *_of("Refused", AlarmActions=[], OKActions=[], Period=8 * DAY),
        drop("Resources/DaysLost/Properties/AlarmDescription"),
    ),
}
MUTANTS_OF_BASE: dict[Rule, tuple[Mutation, ...]] = {
    the_restored_table_is_watched: _of("Refused", Dimensions=[{"Name": "Store", "Value": "dynamodb://history"}]),
    an_address_is_subscribed: (
        put("Resources/AlarmTopic/Properties/KmsMasterKeyId", "alias/aws/sns"),
        put("Conditions/HasEmail", {"Fn::Equals": ["", ""]}),
    ),
}


def a_failed_execution_goes_off_once_a_day(fleet: Template) -> None:
    """The alarm sums up a day, since executions start every hour and one mail a day is enough."""
    alarm = _alarms(fleet)["RunFailed"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/States", "ExecutionsFailed")
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": VALUES["StateMachine"]}]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", DAY, 1)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


MUTANTS_OF_FLEET: dict[Rule, tuple[Mutation, ...]] = {
    a_failed_execution_goes_off_once_a_day: (
        *_of("RunFailed", MetricName="ExecutionsSucceeded", Threshold=10, Period=300, Dimensions=[]),
        *_of("RunFailed", TreatMissingData="breaching"),
    ),
}
MUTANTS_OF_FUNCTION: dict[Rule, tuple[Mutation, ...]] = {
    a_failed_run_goes_off_each_time: (
        *_of("RunFailed", MetricName="ApproximateNumberOfMessagesVisible", Threshold=10, Statistic="Average"),
        *_of("RunFailed", TreatMissingData="breaching", Dimensions=[]),
    ),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS | MUTANTS_OF_BASE))
def test_base_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, BASE, mutations) == []


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS | MUTANTS_OF_FUNCTION))
def test_lambda_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, LAMBDA, mutations) == []


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS | MUTANTS_OF_FLEET))
def test_fleet_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, FLEET, mutations) == []


def test_a_run_is_counted() -> None:
    """The metrics count collected and permanently refused repositories, newly lost days, and the token's days."""
    counted = measure(REPORT, IN_TWO_MONTHS - timedelta(days=12, hours=5))
    assert counted == {"Collected": 1, "Refused": 1, "LostDays": 2, "TokenDaysLeft": 12}
    assert measure(REPORT, IN_TWO_MONTHS + timedelta(days=1))["TokenDaysLeft"] == 0


def test_an_app_has_no_days_left() -> None:
    """A run with a GitHub App sends no `TokenDaysLeft`, since its tokens are renewed."""
    assert "TokenDaysLeft" not in measure(replace(REPORT, token_ends=None), NOW)


def test_the_lambda_s_line_names_no_repository() -> None:
    """The log line has no dimension per repository, since each would cost dollars a month."""
    line = embed(REPORT, "traffic")
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == NAMESPACE
    assert described["Dimensions"] == [["FunctionName"]]
    assert {metric["Name"] for metric in described["Metrics"]} | {"_aws", "FunctionName"} == line.keys()
    assert "octo-lab" not in json.dumps(line)


def _sent() -> dict[str, list[tuple[str, float]]]:
    """Return the dimension and the sum of each of our metrics in CloudWatch."""
    cloudwatch = boto3.client("cloudwatch")
    found: dict[str, list[tuple[str, float]]] = {}
    for metric in cloudwatch.list_metrics(Namespace=NAMESPACE)["Metrics"]:
        [dimension] = metric["Dimensions"]
        window = {"StartTime": datetime.now(UTC) - timedelta(days=1), "EndTime": datetime.now(UTC) + timedelta(days=1)}
        points = cloudwatch.get_metric_statistics(**metric, **window, Period=3 * DAY, Statistics=["Sum"])
        total = sum(point["Sum"] for point in points["Datapoints"])
        found.setdefault(metric["MetricName"], []).append((dimension["Value"], total))
    return found


def test_metrics_are_sent_with_their_store(aws: Aws) -> None:
    """The dimension is the store, so that a stack's alarms only count runs that write its table."""
    report = replace(REPORT, store=aws.store)
    assert send(report) == report
    sent = {name: dict(values)[aws.store] for name, values in _sent().items()}
    assert sent == {"Collected": 1, "Refused": 1, "LostDays": 2, "TokenDaysLeft": 60}


def test_a_heartbeat_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    """The days stay stored, and the run fails: otherwise the alarm would go off without a visible cause."""
    with refusing("AccessDenied") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        report = send(replace(REPORT, repositories=REPORT.repositories[:1], store=aws.store))
    assert report.exit_code == 1
    assert report.errors == ("heartbeat: AWS denies cloudwatch:PutMetricData: allow it to this role",)


@pytest.mark.parametrize(
    ("changes", "beats"),
    [({}, False), ({"heartbeat": "cloudwatch"}, True), ({"heartbeat": "cloudwatch", "dry_run": "true"}, False)],
)
def test_only_a_run_that_is_to_and_that_writes_sends(
    aws: Aws, settings_for: Callable[..., Settings], changes: dict[str, str], *, beats: bool
) -> None:
    """A run sends no metrics by default, and none in a dry run."""
    settings = settings_for(store=aws.store, export_to=aws.export_to, **changes)
    assert run(settings, no_wait_runtime()).exit_code == 0
    assert (aws.store in dict(_sent().get("Collected", []))) is beats


def test_another_receiver_is_refused(settings_for: Callable[..., Settings]) -> None:
    """An unknown value is refused with an error that lists the valid ones."""
    with pytest.raises(SettingsError, match=r"heartbeat: 'mail' is unknown: write none or cloudwatch"):
        settings_for(heartbeat="mail")


def test_a_token_s_end_is_reported(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """The run reads the token's expiration from a header of GitHub's responses."""
    github.headers = {"github-authentication-token-expiration": "2027-01-02 03:17:00 UTC"}
    assert run(settings_for(), no_wait_runtime()).token_ends == datetime(2027, 1, 2, 3, 17, tzinfo=UTC)
