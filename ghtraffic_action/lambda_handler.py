"""The Lambda's entry: a run, or a step of a fleet's."""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Timer
from typing import Any, Protocol

from ghtraffic_action.errors import Interrupted, SettingsError, either_of
from ghtraffic_action.fleet.steps import STEPS
from ghtraffic_action.invocation import STOP, RunFailedError, redact, run_once
from ghtraffic_action.run_report import write_report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.settings.names import environment_name

log = logging.getLogger("ghtraffic_action")

_SPARE = 60.0
"""Seconds before the deadline at which the run is asked to stop."""

_TOO_SHORT = (
    f"time-out: it is too short, since a run ends {_SPARE:.0f} s before it: set the function's Timeout to 900 s"
)


class Context(Protocol):
    """The Lambda runtime's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining milliseconds."""


def handler(event: Any, context: Context) -> dict[str, Any]:  # noqa: ANN401 - whatever invoked it sends
    """Collect once and return the report, or execute the `step` of a fleet's event.

    The event's `repositories`, a text or a list, replace those of the settings.

    Raises:
        SettingsError: The event or the settings are wrong.
        RunFailedError: A retry may succeed.
    """
    log.setLevel(logging.INFO)
    if not isinstance(event, Mapping):
        raise SettingsError('event: it is not an object: send {} or {"repositories": "OWNER/NAME"}')
    step = STEPS.get(str(event.get("step"))) if "step" in event else _run
    if step is None:
        raise SettingsError(f"event: step: expected {either_of(STEPS)}: start the state machine, which sends it")
    seconds = max(0.0, context.get_remaining_time_in_millis() / 1000 - _SPARE)
    with _deadline(seconds) as stop:
        try:
            return step(event, seconds, Runtime(stop))
        except Interrupted:
            raise RunFailedError(_TOO_SHORT) from None


def _run(event: Mapping[str, Any], seconds: float, runtime: Runtime) -> dict[str, Any]:
    settings = read_settings("collect", os.environ | _named(event))
    answer: dict[str, Any] = json.loads(write_report(redact(run_once(settings, seconds, runtime), settings)))
    return answer


def _named(event: Mapping[str, Any]) -> dict[str, str]:
    for key in event:
        spelled = re.sub("[^a-z]+", "_", str(key).lower()).removeprefix("ghtraffic_")
        if spelled.startswith("repo") and key != "repositories":
            raise SettingsError(f'event: {key!r} is not read: send {{"repositories": "OWNER/NAME"}}')
        if spelled in Settings.__dataclass_fields__ and key != "repositories":
            raise SettingsError(f"event: {key!r} is not read: set {environment_name(spelled)} of the function")
    if "repositories" in event and not event["repositories"]:
        raise SettingsError("event: repositories is empty: name some, or leave it out for those of the settings")
    names = event.get("repositories", "")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        names = " ".join(names)
    if not isinstance(names, str):
        raise SettingsError('event: repositories is neither a text nor a list of texts: send "OWNER/NAME OWNER/*"')
    return {environment_name("repositories"): names} if names.strip() else {}


@contextmanager
def _deadline(seconds: float) -> Iterator[Event]:
    STOP.clear()
    timer = Timer(seconds, STOP.set)
    timer.daemon = True
    timer.start()
    try:
        yield STOP
    finally:
        timer.cancel()
