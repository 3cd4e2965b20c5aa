"""Truncation of the Action's outputs to an environment variable's size."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ghtraffic_action.report import Report
from ghtraffic_action.run_report import counts

LIMIT = 30_000
"""Bytes of one output: a variable of Windows ends at 32,767 characters, one of Linux at 131,072 bytes."""


def limit_outputs(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the outputs, with long lists truncated."""
    return {name: value if name == "report" else _cut(value) for name, value in outputs.items()}


def short_report(report: Report) -> str:
    """Return a report's counts and as many failures as fit, as JSON."""
    short: dict[str, Any] = {
        "exit_code": report.exit_code,
        "store": report.store,
        "export_to": report.export_to,
        "dry_run": report.dry_run,
        "interrupted": report.interrupted,
        "counts": counts(report),
    }
    room = LIMIT - _size(json.dumps(short)) - 100
    errors = _fitting(report.errors, room // 2)
    failed = _fitting(({"name": one.name, "errors": one.errors} for one in report.failed), room // 2)
    return json.dumps(short | {"errors": errors, "failed": failed})


def _fitting(things: Iterable[Any], room: int) -> list[Any]:
    fitting = []
    for thing in things:
        room -= _size(json.dumps(thing)) + 2
        if room < 0:
            break
        fitting.append(thing)
    return fitting


def _cut(text: str) -> str:
    """Truncate a list at a blank or line end, so that no name is cut."""
    content = text.encode()
    if len(content) <= LIMIT:
        return text
    separator = b"\n" if b"\n" in content else b" "
    return content[: LIMIT + 1].rpartition(separator)[0].decode()


def _size(text: str) -> int:
    return len(text.encode())
