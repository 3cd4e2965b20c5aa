"""Checks the alarm on missing runs, and its subscribers."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from ghtraffic_action import aws
from ghtraffic_action.alerting.heartbeat import NAMESPACE
from ghtraffic_action.doctor.finding import Finding, failed_check


def examine_alarms(store: str, *, expected: bool) -> Iterator[Finding]:
    """Check the alarms on the store's heartbeat, whose absence is a problem if `expected`."""
    what = "alarm if nothing is collected"
    try:
        with closing(aws.client("cloudwatch")) as client:
            dimensions = [{"Name": "Store", "Value": store}]
            metric = {"Namespace": NAMESPACE, "MetricName": "Collected", "Dimensions": dimensions}
            found = client.describe_alarms_for_metric(**metric)["MetricAlarms"]
    except aws.ERRORS as error:
        yield failed_check(what, error, "cloudwatch")
        return
    alarms = [alarm for alarm in found if alarm["Dimensions"] == dimensions]
    if not alarms and expected:
        why, remedy = (
            "the heartbeat is sent, but nobody is notified when it stops",
            "deploy infra/base.yaml for this workflow",
        )
        yield Finding(f"{what}: there is none", "problem", why, remedy)
    for alarm in alarms:
        yield _switched_on(alarm)
        for topic in alarm["AlarmActions"]:
            yield from _subscribed(topic)


def _switched_on(alarm: Mapping[str, Any]) -> Finding:
    what = f"alarm {alarm['AlarmName']}"
    if alarm["ActionsEnabled"] and alarm["AlarmActions"]:
        return Finding(f"{what}: it is switched on, its state is {alarm['StateValue']}")
    remedy = f"aws cloudwatch enable-alarm-actions --alarm-names {alarm['AlarmName']}"
    return Finding(f"{what}: it is switched off", "problem", "nobody is notified if no run collects", remedy)


def _subscribed(topic: str) -> Iterator[Finding]:
    """Check a topic's subscriptions, without their addresses: logs can be public."""
    what = f"topic {topic.rpartition(':')[2]}"
    try:
        with closing(aws.client("sns")) as client:
            subscriptions = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    except aws.ERRORS as error:
        yield failed_check(f"{what}: its subscriptions", error, "sns")
        return
    pending = sum(found["SubscriptionArn"] == "PendingConfirmation" for found in subscriptions)
    if not subscriptions:
        remedy = f"aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint EMAIL"
        yield Finding(f"{what}: nobody is subscribed", "problem", "nobody is notified of alarms", remedy)
    elif pending:
        why = "AWS sends nothing to an address that has not confirmed"
        remedy = "confirm by the link in AWS's mail, or subscribe again if it is older than two days"
        yield Finding(f"{what}: {pending} of {len(subscriptions)} are not confirmed", "problem", why, remedy)
    else:
        yield Finding(f"{what}: {len(subscriptions)} subscribed")
