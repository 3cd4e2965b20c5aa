"""Checks the schedules of workflows."""

import re
from collections.abc import Iterator
from pathlib import Path

from ghtraffic_action.doctor.finding import Finding

_TOP_OF_THE_HOUR = re.compile(r"(?:.*,)?(?:0+(?:[-/].*)?|\*.*)(?:,.*)?")


_CRON = re.compile(r"""^\s*-?\s*cron:\s*["']?(?P<minute>\S+)\s""", re.MULTILINE)


def examine_schedules(folder: Path) -> Iterator[Finding]:
    """Look at the schedules of the workflows that name this program."""
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"))):
        text = path.read_text(encoding="utf-8", errors="replace")
        minutes = [found["minute"] for found in _CRON.finditer(text)] if "ghtraffic" in text else []
        if any(_TOP_OF_THE_HOUR.fullmatch(minute) for minute in minutes):
            why = "GitHub delays or drops what is scheduled at the top of the hour"
            yield Finding(f"{path}: it runs at the top of the hour", "problem", why, 'write `cron: "17 3 * * *"`')
        elif minutes:
            yield Finding(f"{path}: its schedule avoids the top of the hour")
