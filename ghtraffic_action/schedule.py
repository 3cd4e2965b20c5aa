"""Checks of cron schedules: GitHub's daily batch and busy minutes."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

ADVICE = 'write `cron: "17 10 * * *"`'
"""The remedy of both problems."""

_MINUTE, _HOUR = (0, 59), (0, 23)
_FROM, _UNTIL = 10, 20
"""GitHub lists yesterday from about 08:00 UTC on; schedules are often hours late, and must not slip into tomorrow."""

_PART = re.compile(r"(?:\*|(?P<first>\d+)(?:-(?P<last>\d+))?)(?:/(?P<step>[1-9]\d*))?")


def at_the_top_of_the_hour(cron: str) -> bool:
    """Return whether a five-field schedule has runs at minute 0, when GitHub is busiest."""
    return 0 in _values(cron, 0, *_MINUTE)


def misses_yesterday(cron: str) -> bool:
    """Return whether no run starts between 10:00 and 20:00 UTC."""
    hours = _values(cron, 1, *_HOUR)
    return bool(hours) and not any(_FROM <= hour < _UNTIL for hour in hours)


def schedule_warning(environ: Mapping[str, str]) -> str:
    """Return a warning about this job's schedule, or ""."""
    if environ.get("GITHUB_EVENT_NAME") != "schedule":
        return ""
    try:
        cron = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))["schedule"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    if not isinstance(cron, str) or not misses_yesterday(cron):
        return ""
    what = f"`{cron}` runs outside 10:00-20:00 UTC, and GitHub lists yesterday only from about 08:00 UTC on"
    return f"schedule: {what}: {ADVICE}, unless another schedule of the workflow runs then"


def _values(cron: str, field: int, least: int, most: int) -> set[int]:
    """Return a schedule field's values, none if malformed."""
    fields = cron.split()
    parts = [_PART.fullmatch(part) for part in fields[field].split(",")] if len(fields) > field else []
    values = set[int]()
    for part in parts:
        if part is None:
            return set()
        step, first = int(part["step"] or 1), int(part["first"] or least)
        last = int(part["last"]) if part["last"] else first if part["first"] and not part["step"] else most
        values.update(range(first, min(last, most) + 1, step))
    return values
