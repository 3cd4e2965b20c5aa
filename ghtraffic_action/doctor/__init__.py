"""Checks what a run needs, without changing anything."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event

from ghtraffic_action.doctor.alarms import examine_alarms
from ghtraffic_action.doctor.aws_identity import examine_subject, identify
from ghtraffic_action.doctor.bucket import examine_bucket
from ghtraffic_action.doctor.filesystem import examine_directory, examine_file
from ghtraffic_action.doctor.finding import Finding, exit_code, format_findings, write_json
from ghtraffic_action.doctor.github import examine_github
from ghtraffic_action.doctor.table import examine_table
from ghtraffic_action.doctor.workflows import examine_schedules
from ghtraffic_action.runtime import Runtime, hide_nothing, utc_now
from ghtraffic_action.settings import Settings

__all__ = ["Finding", "examine", "exit_code", "format_findings", "write_json"]


def examine(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    stop: Event,
    clock: Callable[[], datetime] = utc_now,
    hide: Callable[[str], None] = hide_nothing,
) -> tuple[Finding, ...]:
    """Check everything that a run needs. Raises Interrupted on `stop`."""
    findings = [*examine_github(settings, Runtime(stop, now=clock, hide=hide))]
    findings += _places(settings, environ)
    findings += (Finding(warning, "problem", "allowed, but likely a mistake") for warning in settings.warnings)
    return (*findings, *examine_schedules(Path(".github/workflows")))


def _places(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    table, bucket = settings.store.startswith("dynamodb://"), settings.export_to.startswith("s3://")
    known = True
    if table or bucket:
        role, identity = identify(public=settings.platform == "Actions")
        known = identity.state != "problem"  # otherwise each check of AWS would report it again
        yield identity
        if settings.platform == "Actions":
            yield from examine_subject(environ, role if known else "")
    if known or not table:
        yield from _store(settings.store)
    if known or not bucket:
        yield from _destination(settings.export_to)
    if known and table:
        yield from examine_alarms(settings.store, expected=settings.heartbeat == "cloudwatch")


def _store(address: str) -> Iterator[Finding]:
    if address.startswith("dynamodb://"):
        yield from examine_table(address.removeprefix("dynamodb://"))
    else:
        yield examine_file(address)


def _destination(address: str) -> Iterator[Finding]:
    if address.startswith("s3://"):
        name, _, prefix = address.removeprefix("s3://").partition("/")
        yield from examine_bucket(name, prefix.strip("/"))
    else:
        yield examine_directory(address)
