"""Plausibility checks of a file's rows."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.model import Claim, Form, Found, LeftOut, Row, Zeros
from ghtraffic_action.traffic.model import METRICS, Day, has_traffic
from ghtraffic_action.traffic.provenance import PAIRS

EARLIEST = date(2007, 10, 1)
"""GitHub's first repository is of that month."""

ZEROS_LISTED = date(2025, 12, 9)
"""The first day that a whole answer can list; before, GitHub omitted days without traffic."""

_FEW_OF_ALL, _FEW_OF_PART = 3, 6
"""Fewer days can be regular by coincidence: in a whole file, and in one of its parts."""

ACCEPTED_BY_FORCE = "more uniques than count, accepted because of --force"


def plausible_rows(form: Form, rows: Iterable[Row], today: date, *, force: bool) -> Iterator[Row]:
    """Yield the plausible rows and parts of rows; yield the rest as left out."""
    for row in rows:
        if isinstance(row, LeftOut):
            yield row
        elif row.record.day > today:
            yield LeftOut("days in the future", row.claim)
        elif row.record.day < EARLIEST:
            yield LeftOut("days before GitHub existed", row.claim)
        elif isinstance(row.record, Day):
            yield from _plausible_parts(form, row, row.record, force=force)
        else:
            yield row


def _plausible_parts(form: Form, row: Found, day: Day, *, force: bool) -> Iterator[Row]:
    dropped: dict[str, Any] = {}
    for pair in PAIRS.values():
        count, uniques = (getattr(day, number) for number in pair)
        if count is None:
            dropped |= dict.fromkeys(pair)
        elif (uniques or 0) > count:
            yield LeftOut(ACCEPTED_BY_FORCE if force else "more uniques than count", row.claim)
            dropped |= {} if force else dict.fromkeys(pair)
        elif count == 0 and not _is_known_zero(form, day.day):
            yield LeftOut("zeros that the tool may have filled in", row.claim)
            dropped |= dict.fromkeys(pair)
    kept = replace(day, **dropped) if dropped else day
    if any(getattr(kept, metric) is not None for metric in METRICS):
        yield row if kept is day else replace(row, record=kept)


def _is_known_zero(form: Form, day: date) -> bool:
    return form.zeros is Zeros.KNOWN or (form.zeros is Zeros.LISTED and day >= ZEROS_LISTED)


class RegularDays:
    """Detects files by week or month, by the distances between their days."""

    def __init__(self) -> None:
        # None: they are irregular
        self._parts: dict[tuple[Claim, str] | None, set[date] | None] = {}

    def add(self, row: Row) -> None:
        """Add a row; only days with traffic count."""
        if isinstance(row, Found) and isinstance(row.record, Day) and has_traffic(row.record):
            self._add(None, row.record.day)
            for metric in METRICS:
                if getattr(row.record, metric):
                    self._add((row.claim, metric), row.record.day)

    def _add(self, part: tuple[Claim, str] | None, day: date) -> None:
        days = self._parts.setdefault(part, set())
        if days is not None:
            days.add(day)
            if _regularity(days) is None:
                self._parts[part] = None

    def check(self) -> None:
        """Raise ForeignFileError if the rows are weeks or months."""
        for part, days in self._parts.items():
            if days and len(days) >= (_FEW_OF_ALL if part is None else _FEW_OF_PART):
                whose = "" if part is None else f" with {part[1]}{f' of {part[0].name}' if part[0].name else ''}"
                what = f"all of its {len(days)} days{whose} {_regularity(days)}"
                raise ForeignFileError(f"{what}: leave it out, or add --force if they are of days")


def _regularity(days: AbstractSet[date]) -> str | None:
    """Return the regular distance of weeks or months, if any."""
    (one, *_) = days
    if all(day.weekday() == one.weekday() for day in days):
        return f"are {one:%A}s, so its numbers are of weeks"
    if all(day.day == 1 for day in days):
        return "begin a month, so they are months"
    if all((day + timedelta(days=1)).day == 1 for day in days):
        return "end a month, so they are months"
    if all(day.day == one.day for day in days):
        return f"are day {one.day} of a month, so its numbers are of months"
    return None
