"""Logs what needs attention in a run's report."""

import logging
from collections.abc import Callable, Sequence

from ghtraffic_action.alerting.alerts import alerts_of
from ghtraffic_action.report import Report
from ghtraffic_action.settings import Settings
from ghtraffic_action.views.plain_text import one_line

log = logging.getLogger("ghtraffic_action")


def log_report(
    report: Report, settings: Settings, limit: Callable[[Sequence[str], str], Sequence[str]] = lambda texts, _: texts
) -> None:
    """Log errors, alerts, and repositories left to the next run; `limit` shortens a list of one kind."""
    for error in limit(report.all_errors, "errors"):
        log.error("%s", one_line(error))
    alerts = [alert.text for alert in alerts_of(report)] if settings.alerts == "annotations" else []
    for alert in limit(alerts, "alerts"):
        log.warning("%s", one_line(alert))
    if report.unfinished and report.unfinished.safe:
        log.warning("%s", one_line(report.unfinished.text))
