"""`ghtraffic doctor` checks the alarm on the heartbeat and its subscribers."""

from typing import Any

import boto3
import pytest

from ghtraffic_action.doctor.alarms import examine_alarms
from ghtraffic_action.doctor.finding import Finding
from tests.support.aws import Aws, refusing


def alarm(store: str, topic: str, **changes: Any) -> None:  # noqa: ANN401 - of the SDK
    """Create the alarm of infra/base.yaml."""
    fields: dict[str, Any] = {
        "AlarmName": f"quiet-{store.rpartition('-')[2]}",
        "Namespace": "ghtraffic",
        "MetricName": "Collected",
        "Dimensions": [{"Name": "Store", "Value": store}],
        "Statistic": "Sum",
        "Period": 86400,
        "EvaluationPeriods": 3,
        "Threshold": 1,
        "ComparisonOperator": "LessThanThreshold",
        "AlarmActions": [topic],
    }
    boto3.client("cloudwatch").put_metric_alarm(**fields | changes)


def topic(aws: Aws, *addresses: str) -> str:
    """Create a topic with subscriptions."""
    sns = boto3.client("sns")
    arn = str(sns.create_topic(Name=aws.table)["TopicArn"])
    for address in addresses:
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)
    return arn


def states(aws: Aws, *, expected: bool = True) -> dict[str, str]:
    """Return the state of each finding, by its text."""
    return {found.what: found.state for found in examine_alarms(aws.store, expected=expected)}


def test_an_alarm_that_somebody_hears_is_well(aws: Aws) -> None:
    """An alarm with a subscriber is fine in any state, and no address is shown."""
    alarm(aws.store, topic(aws, "somebody@example.org"))
    found = states(aws)
    assert set(found.values()) == {"ok"}
    assert any("switched on" in what for what in found)
    assert "example.org" not in str(found)


def test_without_an_alarm_a_heartbeat_is_in_vain(aws: Aws) -> None:
    """A missing alarm is a problem if a heartbeat is sent; otherwise it is not mentioned."""
    alarm("dynamodb://another", topic(aws))
    assert states(aws) == {"alarm if nothing is collected: there is none": "problem"}
    assert states(aws, expected=False) == {}


def test_an_alarm_that_nobody_hears_is_a_problem(aws: Aws) -> None:
    """A disabled alarm and a topic without subscriptions are problems, each with its remedy."""
    alarm(aws.store, topic(aws), ActionsEnabled=False)
    off, empty = examine_alarms(aws.store, expected=True)
    assert (off.state, empty.state) == ("problem", "problem")
    assert off.remedy.startswith("aws cloudwatch enable-alarm-actions --alarm-names quiet-")
    assert empty.remedy.startswith(f"aws sns subscribe --topic-arn {topic(aws)} ")


def test_what_may_not_be_looked_at_is_unknown(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run does not need the permission to read alarms, so its absence is no problem."""
    assert aws.table
    with refusing("AccessDenied") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        [found] = examine_alarms("dynamodb://history", expected=True)
    assert found == Finding("alarm if nothing is collected", "unknown", "AWS denies cloudwatch:DescribeAlarmsForMetric")
