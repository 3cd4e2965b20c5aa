"""The Lambda: the same run, started by a schedule and ended before the deadline."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from threading import Event, Timer
from typing import Any, Protocol

from ghtraffic_action import heartbeat
from ghtraffic_action.collect import collect
from ghtraffic_action.errors import Interrupted, SettingsError, UserError
from ghtraffic_action.exports.destination import Destination, open_destination
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.setting_names import environment_name
from ghtraffic_action.settings import read_settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.views.plain_text import one_line

log = logging.getLogger("ghtraffic_action")

_SPARE = 60.0
"""Seconds before the deadline at which the run is asked to stop."""

_STOP = Event()
"""Set before the deadline of an invocation; the clients that wait for it live as long as the container."""

_TOO_SHORT = (
    f"time-out: a run ends {_SPARE:.0f} s before it, and here that was before anything was collected: "
    "set the function's Timeout to 900 s"
)


class Context(Protocol):
    """The runtime's context of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""


class RunFailedError(UserError):
    """Something failed that a retry may fix: the invocation fails, and Lambda retries it."""


def handler(event: Any, context: Context) -> dict[str, Any]:  # noqa: ANN401 - whatever invoked it sends
    """Collect once and return the report; the event's `repositories`, a text or a list, replace those of the settings.

    What GitHub refuses for good is logged and counted, since no retry would fix it.

    Raises:
        SettingsError: The event or the settings are wrong.
        RunFailedError: A retry may succeed.
    """
    log.setLevel(logging.INFO)
    settings = read_settings("collect", os.environ | _named(event))
    store, destination = _opened(settings.store, settings.export_to)
    seconds = max(0.0, context.get_remaining_time_in_millis() / 1000 - _SPARE)
    with _deadline(seconds) as stop:
        try:
            settings = replace(settings, max_wait=min(settings.max_wait, seconds))
            report = collect(settings, store, destination, Runtime(stop))
        except Interrupted:
            raise RunFailedError(_TOO_SHORT) from None
    if report.errors:
        _opened.cache_clear()  # the next invocation in this container makes new clients
    shown = report if settings.summary in ("auto", "full") else report.without_traffic()
    for error in shown.all_errors:
        log.error("%s", one_line(error))
    if shown.unfinished and shown.unfinished.safe:
        log.warning("%s", one_line(shown.unfinished.text))
    beat = heartbeat.embed(report, os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    print(json.dumps(beat))  # noqa: T201 - CloudWatch reads metrics from a line of their own
    failures = _curable(shown)
    if failures:
        raise RunFailedError("\n".join(failures))
    answer: dict[str, Any] = json.loads(shown.as_json())
    return answer


@cache
def _opened(store: str, export_to: str) -> tuple[Store, Destination]:
    """Open the clients once for the life of the container."""
    return open_store(store, create=True, runtime=Runtime(_STOP)), open_destination(export_to)


def _named(event: Any) -> dict[str, str]:  # noqa: ANN401 - as in `handler`
    if not isinstance(event, Mapping):
        raise SettingsError('event: it is no object: send {} or {"repositories": "OWNER/NAME"}')
    names = event.get("repositories", "")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        names = " ".join(names)
    if not isinstance(names, str):
        raise SettingsError('event: repositories is neither a text nor a list of texts: send "OWNER/NAME OWNER/*"')
    return {environment_name("repositories"): names} if names.strip() else {}


@contextmanager
def _deadline(seconds: float) -> Iterator[Event]:
    _STOP.clear()
    timer = Timer(seconds, _STOP.set)
    timer.daemon = True
    timer.start()
    try:
        yield _STOP
    finally:
        timer.cancel()


def _curable(report: Report) -> tuple[str, ...]:
    """Return the errors that a retry may fix."""
    failed = report.failed if len(report.failed) > report.failures_allowed else ()
    passing = tuple(f"{found.name}: {'; '.join(found.errors)}" for found in failed if found.transient)
    due = (report.unfinished.text,) if report.unfinished and not report.unfinished.safe else ()
    return (*report.errors, *due, *passing)
