"""What is believed of a file's rows."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.model import Form, Found, LeftOut, Row, Zeros
from ghtraffic_action.traffic.model import METRICS, Day, has_traffic
from ghtraffic_action.traffic.provenance import PAIRS

EARLIEST = date(2007, 10, 1)
"""GitHub's first repository is of that month."""

ZEROS_LISTED = date(2025, 12, 9)
"""The first day that a whole answer can have listed; before, GitHub left days without traffic out."""

_FEW = 3
"""From so many days on, days at regular distances are no accident."""

BELIEVED = "more uniques than count, believed because of --force"


def believe(form: Form, rows: Iterable[Row], today: date, *, force: bool) -> Iterator[Row]:
    """Yield the rows, without what cannot be true or is no knowledge; that is yielded as left out."""
    for row in rows:
        if isinstance(row, LeftOut):
            yield row
        elif row.record.day > today:
            yield LeftOut("days in the future", row.claim)
        elif row.record.day < EARLIEST:
            yield LeftOut("days before GitHub", row.claim)
        elif isinstance(row.record, Day):
            yield from _believe_day(form, row, row.record, force=force)
        else:
            yield row


def _believe_day(form: Form, row: Found, day: Day, *, force: bool) -> Iterator[Row]:
    dropped: dict[str, Any] = {}
    for pair in PAIRS.values():
        count, uniques = (getattr(day, number) for number in pair)
        if count is None:
            dropped |= dict.fromkeys(pair)
        elif (uniques or 0) > count:
            yield LeftOut(BELIEVED if force else "more uniques than count", row.claim)
            dropped |= {} if force else dict.fromkeys(pair)
        elif count == 0 and not _is_known_zero(form, day.day):
            yield LeftOut("zeros that say nothing", row.claim)
            dropped |= dict.fromkeys(pair)
    kept = replace(day, **dropped) if dropped else day
    if any(getattr(kept, metric) is not None for metric in METRICS):
        yield row if kept is day else replace(row, record=kept)


def _is_known_zero(form: Form, day: date) -> bool:
    return form.zeros is Zeros.KNOWN or (form.zeros is Zeros.LISTED and day >= ZEROS_LISTED)


class RegularDays:
    """Sees whether all days of a file are at distances that single days never have."""

    def __init__(self) -> None:
        self._days = set[date]()
        self._irregular = False

    def add(self, record: object) -> None:
        """Add a record of the file; only days with traffic count."""
        if isinstance(record, Day) and not self._irregular and has_traffic(record):
            self._days.add(record.day)
            self._irregular = not (self._weekly or self._monthly)

    def check(self) -> None:
        """Raise ForeignFileError if the days are weeks or months."""
        if len(self._days) >= _FEW and not self._irregular:
            weekday = f"all of its {len(self._days)} days are {min(self._days):%A}s, so its numbers are of weeks"
            what = weekday if self._weekly else f"all of its {len(self._days)} days begin a month, so they are months"
            raise ForeignFileError(f"{what}: leave it out, or add --force if they are of days")

    @property
    def _weekly(self) -> bool:
        return len({day.weekday() for day in self._days}) == 1

    @property
    def _monthly(self) -> bool:
        return {day.day for day in self._days} == {1}
