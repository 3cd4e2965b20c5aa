"""A run in a Lambda, which raises an error if a retry can help."""

import json
import os
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from threading import Event

from ghtraffic_action.alerting import heartbeat
from ghtraffic_action.alerting.notification import notify, notify_of_failure
from ghtraffic_action.collect import collect
from ghtraffic_action.errors import UserError
from ghtraffic_action.exports.destination import Destination, open_destination
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.views.report_log import log_report

STOP = Event()
"""Set before the deadline of an invocation; global, since clients live as long as the container."""


class RunFailedError(UserError):
    """A failure that a retry can fix."""


@cache
def shared_backends(store: str, export_to: str) -> tuple[Store, Destination]:
    """Return the store and the destination, opened once per container."""
    return open_store(store, create=True, runtime=Runtime(STOP)), open_destination(export_to)


def run_once(settings: Settings, seconds: float, runtime: Runtime, *, exports: bool = True) -> Report:
    """Collect within `seconds`. Return the report, unredacted.

    What GitHub refuses permanently is logged and counted, since no retry would fix it. Raises RunFailedError if a retry
    can succeed, and Interrupted.
    """
    settings = replace(settings, max_wait=min(settings.max_wait, seconds))
    with notify_of_failure(settings) if exports else nullcontext():
        report = collect(settings, *shared_backends(settings.store, settings.export_to), runtime, exports=exports)
    report = notify(report, settings) if exports else report  # of a batch the last step sends one mail for all
    if report.errors:
        shared_backends.cache_clear()  # the next invocation in this container makes new clients
    shown = redact(report, settings)
    log_report(shown, settings)
    beat = heartbeat.embed(report, os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    print(json.dumps(beat))  # noqa: T201 - CloudWatch reads metrics from a line of their own
    if failures := _retryable_errors(shown):
        raise RunFailedError("\n".join(failures))
    return report


def redact(report: Report, settings: Settings) -> Report:
    """Return a report redacted by the settings."""
    return report if settings.summary in ("auto", "full") else report.without_traffic()


def _retryable_errors(report: Report) -> tuple[str, ...]:
    """Return the errors that a retry can fix."""
    transient = tuple(f"{found.name}: {'; '.join(found.errors)}" for found in report.disallowed if found.transient)
    due = (report.unfinished.text,) if report.unfinished and not report.unfinished.safe else ()
    return (*report.errors, *due, *transient)
