"""The plan of an import: what it would change."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.ownership import Identity
from ghtraffic_action.traffic.coverage import listed_days
from ghtraffic_action.traffic.model import METRICS, NUMBERS, Changes, Day, DayRange, History, Metric, Snapshot
from ghtraffic_action.traffic.provenance import PAIRS, ImportedFile

_SHOWN_RAISES = 3

Listed = Mapping[Metric, AbstractSet[date]]

LARGER = "numbers larger than GitHub's own for a day that it listed"
_FEW = 3
"""Refuse files with at least so many numbers, and most comparable ones, larger than GitHub's."""


@dataclass(frozen=True, slots=True)
class Raise:
    """A stored number that an import raises."""

    day: date
    number: str
    before: int
    after: int


@dataclass(slots=True)
class RepositoryPlan:
    """What an import would change of one repository; the numbers count days."""

    who: Identity
    files: tuple[ImportedFile, ...]
    dropped: Counter[str]
    first: date | None = None
    last: date | None = None
    days: int = 0
    snapshots: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    new: int = 0
    raised: int = 0
    equal: int = 0
    lower: int = 0
    raises: tuple[Raise, ...] = ()
    gaps: tuple[DayRange, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms of the files."""
        return tuple(sorted({file.form for file in self.files}))

    @property
    def missing(self) -> int:
        """The number of unknown days between the first and the last imported day."""
        return sum((gap.last - gap.first).days + 1 for gap in self.gaps)


def complete_plan(plan: RepositoryPlan, staged: History, stored: History, *, force: bool) -> Changes:
    """Complete the plan for `staged` rows. Return the changes to import into `stored`.

    Raises ForeignFileError if the files contradict GitHub's own numbers, unless `force`.
    """
    listed = {metric: listed_days(stored, metric) for metric in METRICS}
    created = max((s.metadata.created for s in stored.snapshots if s.metadata), default=date.min)
    known = {day.day: day for day in stored.days}
    compared, days = 0, list[Day]()
    for day in staged.days:
        if day.day < created:
            plan.dropped["days before the repository was created"] += 1
            continue
        compared += sum(day.day in listed[metric] for metric in METRICS if getattr(day, metric) is not None)
        kept = _without_listed(plan, day, known.get(day.day), listed)
        _count(plan, kept, known.get(day.day))
        if any(getattr(kept, number) is not None for number in NUMBERS):
            named = kept.repository == plan.who.name
            days.append(kept if named else replace(kept, repository=plan.who.name))
    if plan.dropped[LARGER] >= max(_FEW, compared / 2) and not force:
        what = f"{plan.dropped[LARGER]} of {compared} numbers are larger than GitHub's own of the same days"
        raise ForeignFileError(f"{plan.who.name}: {what}, so these are sums or another repository's: leave them out")
    _describe(plan, staged, stored, listed["views"] | listed["clones"])
    snapshots = tuple(replace(seen, repository=plan.who.name) for seen in staged.snapshots if seen.day >= created)
    plan.snapshots = len(snapshots)
    return Changes(tuple(days), snapshots)


def _without_listed(plan: RepositoryPlan, day: Day, stored: Day | None, listed: Listed) -> Day:
    """Return the day without metrics that GitHub has listed finally."""
    dropped: dict[str, Any] = {}
    for metric, pair in PAIRS.items():
        if day.day in listed[metric] and getattr(day, metric) is not None:
            plan.dropped[LARGER] += any((getattr(day, n) or 0) > (getattr(stored, n, None) or 0) for n in pair)
            dropped |= dict.fromkeys(pair)
    return replace(day, **dropped) if dropped else day


def _count(plan: RepositoryPlan, day: Day, stored: Day | None) -> None:
    pairs = [
        (number, getattr(stored, number, None), value)
        for number in NUMBERS
        if (value := getattr(day, number)) is not None
    ]
    raises = tuple(
        Raise(day.day, number, old, value) for number, old, value in pairs if old is not None and value > old
    )
    plan.raises = tuple(sorted((*plan.raises, *raises), key=lambda r: r.before - r.after)[:_SHOWN_RAISES])
    if not pairs:
        plan.equal += 1
    elif any(old is None for _, old, _ in pairs):
        plan.new += 1
    elif raises:
        plan.raised += 1
    elif any(value < old for _, old, value in pairs):
        plan.lower += 1
    else:
        plan.equal += 1


def _describe(plan: RepositoryPlan, staged: History, stored: History, listed: AbstractSet[date]) -> None:
    records: Sequence[Day | Snapshot] = [*staged.days, *staged.snapshots]
    plan.first, plan.last = (min(r.day for r in records), max(r.day for r in records)) if records else (None, None)
    plan.days = len(staged.days)
    plan.sums = {
        number: sum(values)
        for number in METRICS
        if (values := [value for day in staged.days if (value := getattr(day, number)) is not None])
    }
    have = {day.day for day in (*staged.days, *stored.days)} | listed
    plan.gaps = tuple(_gaps(have, staged.days[0].day, staged.days[-1].day)) if staged.days else ()


def _gaps(have: set[date], first: date, last: date) -> Iterator[DayRange]:
    begin: date | None = None
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day not in have:
            begin = begin or day
        elif begin:
            yield DayRange(begin, day - timedelta(days=1))
            begin = None
