"""The steps of a fleet's state machine."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from ghtraffic_action.alerting.notification import publish
from ghtraffic_action.errors import SettingsError
from ghtraffic_action.fleet.batches import batches_key, parse_batch, parse_run, write_batches, write_result
from ghtraffic_action.fleet.credentials import parse_credentials
from ghtraffic_action.fleet.exporting import FleetExport
from ghtraffic_action.fleet.listing import list_batches
from ghtraffic_action.invocation import RunFailedError, run_once, shared_backends
from ghtraffic_action.run_report import write_report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings

_LONGEST_ERROR = 500
"""Maximum length of an error that is passed between steps."""

_LONGEST_CAUSE = 8_000

_MOST_ERRORS = 50

Step = Callable[[Mapping[str, Any], float, Runtime], dict[str, Any]]
"""Return the output for an event, within some seconds."""


def _list(event: Mapping[str, Any], _: float, runtime: Runtime) -> dict[str, Any]:
    """Write a run's batches. Return their key, the number of credentials, and errors."""
    run, credentials = parse_run(event.get("run")), parse_credentials(event.get("credentials"))
    places = read_settings("export", os.environ)
    destination = shared_backends(places.store, places.export_to)[1]
    listing = list_batches(run, credentials, _settings, destination, runtime)
    write_batches(destination, run, listing.batches)
    bucket, _slash, key = destination.uri(batches_key(run)).removeprefix("s3://").partition("/")
    errors = [error[:_LONGEST_ERROR] for error in listing.errors[:_MOST_ERRORS]]
    return {"run": run, "bucket": bucket, "key": key, "credentials": len(listing.batches), "errors": errors}


def _collect(event: Mapping[str, Any], seconds: float, runtime: Runtime) -> dict[str, Any]:
    """Collect a batch, without export. Raises RunFailedError if a retry can succeed."""
    batch = parse_batch(event.get("batch"))
    settings = _settings({**batch.settings, "repositories": " ".join(batch.repositories)})
    report = run_once(settings, seconds, runtime, exports=False)
    write_result(shared_backends(settings.store, settings.export_to)[1], batch, write_report(report))
    return {"batch": batch.name, "collected": len(report.collected), "failed": len(report.failed)}


def _export(event: Mapping[str, Any], _: float, runtime: Runtime) -> dict[str, Any]:
    """Export all batches' repositories. Return why the run failed.

    Raises RunFailedError if the export fails.
    """
    run, errors = parse_run(event.get("run")), event.get("errors", [])
    if not isinstance(errors, list):
        raise SettingsError("event: errors is not a list: start the state machine, which sends it")
    settings = read_settings("export", os.environ)
    places = shared_backends(settings.store, settings.export_to)
    outcome = FleetExport(settings, *places, runtime).run(run, [str(error) for error in errors])
    if outcome.exported.errors:
        shared_backends.cache_clear()  # the next invocation in this container makes new clients
        raise RunFailedError("\n".join(outcome.exported.errors))
    publish(outcome.alerts, settings)
    return {
        "failed": bool(outcome.causes),
        "cause": "\n".join(outcome.causes)[:_LONGEST_CAUSE],
        "batches": outcome.batches,
        "repositories": outcome.repositories,
        "written": len(outcome.exported.written),
    }


def _settings(credential: Mapping[str, str]) -> Settings:
    return read_settings("collect", os.environ, credential)


STEPS: Mapping[str, Step] = {"list": _list, "collect": _collect, "export": _export}
"""The steps by their names in an event."""
