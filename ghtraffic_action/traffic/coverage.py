"""The coverage of days: how certain their numbers are."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import IntEnum

from ghtraffic_action.traffic.model import LISTED, METRICS, Day, DayRange, History, Metadata, Metric, Snapshot, Totals
from ghtraffic_action.traffic.workflow_runs import workflow_runs

WINDOW = timedelta(days=13)
"""From the first to the last day that one answer lists."""

OLD_SETTLED = timedelta(days=7)
"""An old-form day seen again 7 to 13 days later had stopped growing (of 5,626 recorded ones, one rose after D+8)."""

OLD_EDGE = WINDOW + timedelta(days=1)
"""An old-form answer can list one partial day before its window."""

OLD_ZERO = timedelta(days=2)
"""From two days after a day on, its absence from an old-form answer means no traffic."""

_OLD_FINAL = timedelta(days=2)
"""For the deadline, an old-form answer is taken to list days up to two days before its own."""

_DEADLINE = timedelta(days=16)
"""After the last listed day L: a run on L+15 lists L+14 as its last day and L+1 as its first."""


_BATCH_DONE = 9
"""The UTC hour from which on GitHub lists yesterday."""

_LATE = timedelta(days=4)
"""The largest lag of a late batch; an answer that ends earlier is a repeated one."""


OPEN = timedelta(days=18)
"""Days before an observation that a concurrent run can still list: a late batch, seen a day later."""


class Coverage(IntEnum):
    """How certain a day's numbers are, most certain first."""

    COMPLETE = 0
    PROVISIONAL = 1
    PARTIAL = 2
    IMPORTED = 3
    LOST = 4

    @property
    def label(self) -> str:
        """The name in exports and reports."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """A day with its coverage, as exported; None is unknown, 0 is zero."""

    day: date
    repository: str
    views: int | None
    view_uniques: int | None
    clones: int | None
    clone_uniques: int | None
    state: Coverage
    metadata: Metadata | None
    views_14d: Totals | None = None
    clones_14d: Totals | None = None
    workflow_runs: int | None = None


def observed(history: History) -> date | None:
    """Return the day of the newest answer of any metric."""
    return max((s.day for s in history.snapshots if any(getattr(s, metric) for metric in METRICS)), default=None)


def first_covered(history: History) -> date | None:
    """Return the first covered day since the repository's creation, None without an answer."""
    firsts = [first for answers in _answers(history).values() for first in answers.firsts]
    return max([min(firsts), *_created(history)]) if firsts else None


def last_listed(history: History) -> date | None:
    """Return the last day listed for both metrics, or for the only answered one."""
    return min((answers.last for answers in _answers(history).values() if answers.last), default=None)


def listed_days(history: History, metric: Metric) -> AbstractSet[date]:
    """Return the days listed by whole answers, which are final."""
    return _answers(history)[metric].days


def zero_days_since(history: History, metric: Metric, moment: datetime) -> Callable[[date], bool]:
    """Return whether an answer after `moment` means that an unstored day had no traffic."""
    since = (s for s in history.snapshots if (totals := getattr(s, metric)) is not None and totals.at > moment)
    return _answers(replace(history, snapshots=tuple(since)))[metric].lists_as_zero


def retired_on(history: History) -> date | None:
    """Return the day of retirement, None unless retired now."""
    retired = max((s.retired.at for s in history.snapshots if s.retired), default=None)
    answers = (answer.at for s in history.snapshots for answer in (s.views, s.clones) if answer)
    newest = max(answers, default=None)
    return None if retired is None or (newest and newest > retired) else retired.date()


def usually_listed(at: datetime) -> date:
    """Return the last day that GitHub usually lists by now.

    This is yesterday once GitHub's daily batch is done.
    """
    return at.date() - timedelta(days=1 if at.hour >= _BATCH_DONE else 2)


def deadline(last: date) -> date:
    """Return the day before which the next run is due, given the `last` listed day.

    A run on day Y lists the 14 days up to Y-1, or up to Y-2 before GitHub's daily batch of about 08:00 UTC; a late
    batch moves its window back. So a run on L+15 at any hour still lists L+1.
    """
    return last + _DEADLINE


def known_days(history: History, first: date | None = None, *, today: date | None = None) -> Iterator[DayCoverage]:
    """Yield the coverage of days from `first` to the newest answer.

    `first` is by default the first covered day. Stored days outside this range are yielded too, since days can be
    imported. With `today`, days that can no longer be listed are yielded as lost.
    """
    answers = _answers(history)
    newest = observed(history)
    first = first or first_covered(history)
    begin = max([history.since or date.min, *_created(history)])
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    names = _Names(history)
    runs = workflow_runs(history)
    unlisted = _first_that_can_still_be_listed(answers, today)
    covered = set(_range(max(first, begin), max(newest, unlisted - timedelta(days=1)))) if first and newest else set()
    stored_days = {d.day for d in history.days if d.day >= begin and any(_known(d, metric) for metric in METRICS)}
    for day in sorted(covered | stored_days):
        stored = days.get(day)
        snapshot = snapshots.get(day)
        expected = newest is not None and unlisted <= day <= newest
        states = (
            answers[metric].coverage(day, expected=expected, known=known)
            for metric in METRICS
            if (known := _known(stored, metric)) or day in covered
        )
        numbers = (_numbers(stored, metric, zero=answers[metric].lists_as_zero(day)) for metric in METRICS)
        (views, view_uniques), (clones, clone_uniques) = numbers
        yield DayCoverage(
            day=day,
            repository=names.on(day, stored, snapshot),
            views=views,
            view_uniques=view_uniques,
            clones=clones,
            clone_uniques=clone_uniques,
            state=max(states),
            metadata=snapshot.metadata if snapshot else None,
            views_14d=current_totals(snapshot, "views"),
            clones_14d=current_totals(snapshot, "clones"),
            workflow_runs=runs.get(day),
        )


def current_totals(snapshot: Snapshot | None, metric: Metric) -> Totals | None:
    """Return the 14-day totals, None if they end over four days before the snapshot."""
    totals: Totals | None = getattr(snapshot, metric, None)
    outdated = totals is not None and totals.last is not None and totals.last < totals.at.date() - _LATE
    return None if outdated else totals


@dataclass(slots=True)
class _Answers:
    """One metric's answers: the days of old-form answers, and the listed days."""

    old: list[date] = field(default_factory=list)
    ranges: set[DayRange] = field(default_factory=set)
    days: set[date] = field(default_factory=set)

    def add(self, snapshot: Snapshot, metric: Metric) -> None:
        listed: frozenset[DayRange] = getattr(snapshot, LISTED[metric])
        if listed:
            for found in listed - self.ranges:
                self.days.update(_range(found.first, found.last))
            self.ranges |= listed
        elif getattr(snapshot, metric) is not None:
            self.old.append(snapshot.day)

    @property
    def firsts(self) -> list[date]:
        """The first days that the answers cover."""
        return [*(found.first for found in self.ranges), *(day - WINDOW for day in self.old)]

    @property
    def last(self) -> date | None:
        """The last listed day that was over when listed."""
        lasts = [*(found.last for found in self.ranges), *(day - _OLD_FINAL for day in self.old[-1:])]
        return max(lasts, default=None)

    def coverage(self, day: date, *, expected: bool, known: bool) -> Coverage:
        """Return a day's coverage.

        `expected`: an answer can still list the day. `known`: the day is stored.
        """
        later = bisect_right(self.old, day + WINDOW)
        last = self.old[later - 1] if later else date.min
        if day in self.days or last >= day + OLD_SETTLED:
            return Coverage.COMPLETE
        if expected:
            return Coverage.PROVISIONAL
        cut_short = known and self.old[later : later + 1] == [day + OLD_EDGE]
        if last >= day or cut_short:
            return Coverage.PARTIAL
        return Coverage.IMPORTED if known else Coverage.LOST

    def lists_as_zero(self, day: date) -> bool:
        """Return whether an unstored day had no traffic."""
        first = bisect_left(self.old, day + OLD_ZERO)
        return day in self.days or (first < len(self.old) and self.old[first] <= day + WINDOW)


def _answers(history: History) -> dict[Metric, _Answers]:
    answers: dict[Metric, _Answers] = {metric: _Answers() for metric in METRICS}
    for snapshot in history.snapshots:
        for metric in METRICS:
            answers[metric].add(snapshot, metric)
    return answers


def _first_that_can_still_be_listed(answers: dict[Metric, _Answers], today: date | None) -> date:
    """Return the first day that an answer after the newest ones and `today` can list.

    An answer before about 08:00 UTC ends with the day before yesterday.
    """
    newest = max((first for found in answers.values() for first in found.firsts), default=date.min)
    return max(newest, today - timedelta(days=2) - WINDOW) if today else newest


def _created(history: History) -> list[date]:
    return [snapshot.metadata.created for snapshot in history.snapshots if snapshot.metadata]


def _known(stored: Day | None, metric: Metric) -> bool:
    return stored is not None and getattr(stored, metric) is not None


def _numbers(stored: Day | None, metric: Metric, *, zero: bool) -> tuple[int | None, int | None]:
    if stored is None or getattr(stored, metric) is None:
        return (0, 0) if zero else (None, None)
    return (stored.views, stored.view_uniques) if metric == "views" else (stored.clones, stored.clone_uniques)


def _range(begin: date, end: date) -> Iterator[date]:
    for offset in range((end - begin).days + 1):
        yield begin + timedelta(days=offset)


class _Names:
    """A repository's name on each day; its id never changes."""

    def __init__(self, history: History) -> None:
        self._snapshots = history.snapshots
        self._days = [snapshot.day for snapshot in history.snapshots]

    def on(self, day: date, stored: Day | None, snapshot: Snapshot | None) -> str:
        if snapshot is not None:
            return snapshot.repository
        if stored is not None:
            return stored.repository
        return self._snapshots[min(bisect_left(self._days, day), len(self._days) - 1)].repository
