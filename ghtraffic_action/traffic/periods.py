"""Sums over periods, unknown if a day is unknown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from ghtraffic_action.traffic.coverage import DayCoverage

Count = Literal["views", "clones", "workflow_runs"]
"""Daily counts that can be added up over days."""

WEEK = 7
"""Days of a comparison."""


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive days: the known ones' sum and number."""

    first: date
    count: int
    known: int
    days: int

    @property
    def whole(self) -> bool:
        """Whether all days are known."""
        return self.known == self.days


@dataclass(frozen=True, slots=True)
class Change:
    """Sums of seven days and of the seven before; None if unknown."""

    now: int | None
    before: int | None

    @property
    def difference(self) -> int | None:
        """The increase, None if unknown."""
        return None if self.now is None or self.before is None else self.now - self.before


def last_known(days: Iterable[DayCoverage]) -> date | None:
    """Return the last day with known views or clones."""
    return max((day.day for day in days if day.views is not None or day.clones is not None), default=None)


def weekly_change(days: Iterable[DayCoverage], metric: Count, last: date) -> Change:
    """Compare the week up to `last` with the one before."""
    counts = {day.day: getattr(day, metric) for day in days}
    now, before = (_sum(counts.get(last - timedelta(days=ago + n)) for n in range(WEEK)) for ago in (0, WEEK))
    return Change(now, before)


def weeks(days: Iterable[DayCoverage], metric: Count) -> list[Span]:
    """Return the weeks of `days`, from Mondays on; missing days are unknown."""

    def monday(day: DayCoverage) -> date:
        return day.day - timedelta(days=day.day.weekday())

    return [_span(first, list(found), metric) for first, found in groupby(days, monday)]


def _span(first: date, days: list[DayCoverage], metric: Count) -> Span:
    counts = [count for day in days if (count := getattr(day, metric)) is not None]
    return Span(first, sum(counts), len(counts), WEEK)


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)
