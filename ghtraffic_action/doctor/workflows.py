"""Checks the schedules of workflows."""

import re
from collections.abc import Iterator
from pathlib import Path

from ghtraffic_action.doctor.finding import Finding
from ghtraffic_action.schedule import ADVICE, at_the_top_of_the_hour, misses_yesterday

_CRON = re.compile(r"""^\s*-?\s*cron:\s*["']?(?P<cron>[^"'#\n]+)""", re.MULTILINE)


def examine_schedules(folder: Path) -> Iterator[Finding]:
    """Check the schedules of the workflows that use this program."""
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"))):
        text = path.read_text(encoding="utf-8", errors="replace")
        crons = [found["cron"] for found in _CRON.finditer(text)] if "ghtraffic" in text else []
        if any(at_the_top_of_the_hour(cron) for cron in crons):
            reason = "GitHub delays or drops runs at the top of the hour"
            yield Finding(f"{path}: it runs at the top of the hour", "problem", reason, ADVICE)
        elif crons:
            yield Finding(f"{path}: its schedule avoids the top of the hour")
        if crons and all(misses_yesterday(cron) for cron in crons):
            reason = "GitHub lists yesterday only from about 08:00 UTC on: each export would end the day before"
            yield Finding(f"{path}: it runs outside 10:00-20:00 UTC", "problem", reason, ADVICE)
