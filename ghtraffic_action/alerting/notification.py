"""Delivery of a run's alerts by an SNS topic, at most one mail per run."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from ghtraffic_action.alerting.alerts import Alert, alerts_of, failure_alert, write_mail
from ghtraffic_action.errors import UserError
from ghtraffic_action.report import Report
from ghtraffic_action.settings import Settings

_NO_TOPIC = "there is no such topic: set the ARN of one, which base.yaml's output AlarmTopicArn has"

log = logging.getLogger(__name__)


def notify(report: Report, settings: Settings) -> Report:
    """Send a run's alerts; a failure becomes a warning."""
    problem = publish(alerts_of(report), settings)
    return replace(report, warnings=(*report.warnings, problem)) if problem else report


@contextmanager
def notify_of_failure(settings: Settings) -> Iterator[None]:
    """Send an alert if the run raises an error."""
    try:
        yield
    except UserError as error:
        if not settings.dry_run:
            publish([failure_alert(str(error))], settings)
        raise


def publish(alerts: Sequence[Alert], settings: Settings) -> str:
    """Send alerts as one mail to the topic, if set. Return the logged failure."""
    topic = settings.alerts
    if not alerts or not topic.startswith("arn:"):
        return ""
    from ghtraffic_action import aws  # noqa: PLC0415 - boto3 is slow to import

    mail = write_mail(alerts, settings.export_to)
    try:
        with closing(aws.client("sns", region=topic.split(":")[3])) as sns:
            sns.publish(TopicArn=topic, Subject=mail.subject, Message=mail.body)
    except aws.ERRORS as error:
        cause = _NO_TOPIC if aws.code(error) == "NotFound" else aws.explain(error, "sns")
        problem = f"alerts: {len(alerts)} not sent: {cause}"
        log.warning("%s", problem)
        return problem
    return ""
