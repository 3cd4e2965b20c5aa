"""What is known about each day of a history: its numbers, and how far they can be trusted."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from ghtraffic_action.traffic.model import METRICS, Day, History, Metadata, Metric, Snapshot

WINDOW = timedelta(days=13)
"""An answer covers its own UTC day and the 13 before it; the day before those is cut short."""

SETTLED = timedelta(days=7)
"""A day seen again 7 to 13 days later has stopped growing (of 5,626 recorded day-numbers, one rose after D+8)."""

EDGE = WINDOW + timedelta(days=1)
"""How far before its own day an answer may list one day more, cut short; also how soon a day is lost."""

LISTED = timedelta(days=2)
"""From the second day after it on, a day that an answer leaves out was a day of zero; before, the answer may lag."""


class Coverage(IntEnum):
    """How far the numbers of one day can be trusted, the most certain first."""

    COMPLETE = 0
    PROVISIONAL = 1
    PARTIAL = 2
    IMPORTED = 3
    LOST = 4

    @property
    def label(self) -> str:
        """The word that the export and the reports use."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """One day of a history as it is exported; a number that is None is unknown, 0 is zero."""

    day: date
    repository: str
    views: int | None
    view_uniques: int | None
    clones: int | None
    clone_uniques: int | None
    state: Coverage
    metadata: Metadata | None


def observed(history: History) -> date | None:
    """Tell the day of the newest answer for views or clones."""
    return max((answers[-1] for answers in _answers(history).values() if answers), default=None)


def first_covered(history: History) -> date | None:
    """Tell the first day that an answer covers and on which the repository existed; None without an answer."""
    first = min((answers[0] for answers in _answers(history).values() if answers), default=None)
    if first is None:
        return None
    return max([first - WINDOW, *(s.metadata.created for s in history.snapshots if s.metadata)])


def known_days(history: History, first: date | None = None, *, today: date | None = None) -> Iterator[DayCoverage]:
    """Say day by day what is known, from the first covered day (`first`, where the history does not begin with it).

    Yields one day after the other up to the newest answer, and besides those that are stored before and after: at the
    first observation GitHub may list one more day, cut short, and days may have been imported. With `today` the days
    are judged on that day rather than on that of the newest answer, and those that were lost since then come along.
    """
    answers = _answers(history)
    newest = observed(history)
    first = first or first_covered(history)
    since = history.since or date.min
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    names = _Names(history)
    judged = max(newest or date.min, today or date.min)
    covered = set(_range(max(first, since), max(newest, judged - EDGE))) if first and newest else set()
    stored_days = {d.day for d in history.days if d.day >= since and any(_known(d, metric) for metric in METRICS)}
    for day in sorted(covered | stored_days):
        stored = days.get(day)
        snapshot = snapshots.get(day)
        expected = newest is not None and day <= newest and judged <= day + WINDOW
        states = (
            _coverage(day, answers[metric], expected=expected, known=known)
            for metric in METRICS
            if (known := _known(stored, metric)) or day in covered
        )
        numbers = (_numbers(stored, metric, zero=_is_zero(day, answers[metric])) for metric in METRICS)
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
        )


def _answers(history: History) -> dict[Metric, list[date]]:
    return {m: [s.day for s in history.snapshots if getattr(s, m) is not None] for m in METRICS}


def _coverage(day: date, answers: list[date], *, expected: bool, known: bool) -> Coverage:
    """Judge one metric of a day; `expected`: an answer that completes it can still come, `known`: it is stored."""
    later = bisect_right(answers, day + WINDOW)
    last = answers[later - 1] if later else date.min
    if last >= day + SETTLED:
        return Coverage.COMPLETE
    if expected:
        return Coverage.PROVISIONAL
    cut_short = known and answers[later : later + 1] == [day + EDGE]
    if last >= day or cut_short:
        return Coverage.PARTIAL
    return Coverage.IMPORTED if known else Coverage.LOST


def _is_zero(day: date, answers: list[date]) -> bool:
    first = bisect_left(answers, day + LISTED)
    return first < len(answers) and answers[first] <= day + WINDOW


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
    """Tells what a repository was called on a day: its name survives in snapshots and days, its id for ever."""

    def __init__(self, history: History) -> None:
        self._snapshots = history.snapshots
        self._days = [snapshot.day for snapshot in history.snapshots]

    def on(self, day: date, stored: Day | None, snapshot: Snapshot | None) -> str:
        if snapshot is not None:
            return snapshot.repository
        if stored is not None:
            return stored.repository
        return self._snapshots[min(bisect_left(self._days, day), len(self._days) - 1)].repository
