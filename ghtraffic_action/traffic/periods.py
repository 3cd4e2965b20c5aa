"""Counts over spans of days, which are unknown as long as one of the days is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from ghtraffic_action.traffic.coverage import DayCoverage

Count = Literal["views", "clones", "workflow_runs"]
"""What is counted on each day, and may be added up over days."""

WEEK = 7
"""Days of a comparison."""


@dataclass(frozen=True, slots=True)
class Span:
    """The counts of consecutive days: their sum over the known ones, and how many of the days are known."""

    first: date
    count: int
    known: int
    days: int

    @property
    def whole(self) -> bool:
        """Whether each of the days is known."""
        return self.known == self.days


@dataclass(frozen=True, slots=True)
class Change:
    """The counts of seven days and of the seven before; None if one of their days is unknown."""

    now: int | None
    before: int | None

    @property
    def difference(self) -> int | None:
        """How much the count rose; None if it is unknown."""
        return None if self.now is None or self.before is None else self.now - self.before


def last_known(days: Iterable[DayCoverage]) -> date | None:
    """Return the last day whose views or clones are known."""
    return max((day.day for day in days if day.views is not None or day.clones is not None), default=None)


def weekly_change(days: Iterable[DayCoverage], metric: Count, last: date) -> Change:
    """Compare the seven days that end with `last` with the seven before."""
    counts = {day.day: getattr(day, metric) for day in days}
    now, before = (_sum(counts.get(last - timedelta(days=ago + n)) for n in range(WEEK)) for ago in (0, WEEK))
    return Change(now, before)


def weeks(days: Iterable[DayCoverage], metric: Count) -> list[Span]:
    """Return the weeks of `days`, which begin on Mondays; a day that is not among them is unknown."""

    def monday(day: DayCoverage) -> date:
        return day.day - timedelta(days=day.day.weekday())

    return [_span(first, list(found), metric) for first, found in groupby(days, monday)]


def _span(first: date, days: list[DayCoverage], metric: Count) -> Span:
    counts = [count for day in days if (count := getattr(day, metric)) is not None]
    return Span(first, sum(counts), len(counts), WEEK)


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)
