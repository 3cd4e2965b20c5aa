"""What traffic is: the types of an observation and of a history, and the rule that merges them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, TypeVar

Metric = Literal["views", "clones"]
METRICS: tuple[Metric, ...] = ("views", "clones")


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one UTC day. Each number is the largest ever reported; None was never reported."""

    day: date
    repository: str
    views: int | None = None
    view_uniques: int | None = None
    clones: int | None = None
    clone_uniques: int | None = None


NUMBERS = ("views", "view_uniques", "clones", "clone_uniques")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a repository was at one moment. None was not told: a token may not read everything."""

    at: datetime
    stars: int
    forks: int
    watchers: int | None
    open_issues: int | None
    open_pull_requests: int | None
    archived: bool
    created: date


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and uniques of one metric over the 14 days before one moment."""

    at: datetime
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopPath:
    """One of the ten most viewed paths: views and their uniques over 14 days."""

    path: str
    title: str
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopPaths:
    """The most viewed paths at one moment, most viewed first."""

    at: datetime
    rows: tuple[TopPath, ...]


@dataclass(frozen=True, slots=True)
class TopReferrer:
    """One of the ten sites that sent most visitors: views and their uniques over 14 days."""

    referrer: str
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopReferrers:
    """The sites that sent most visitors at one moment, first the one that sent most."""

    at: datetime
    rows: tuple[TopReferrer, ...]


Group = Metadata | Totals | TopPaths | TopReferrers


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen on one UTC day, in five groups; the last answer of the day wins, group by group."""

    day: date
    repository: str
    metadata: Metadata | None = None
    views: Totals | None = None
    clones: Totals | None = None
    paths: TopPaths | None = None
    referrers: TopReferrers | None = None


GROUPS = ("metadata", "views", "clones", "paths", "referrers")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub described it at the moment of `metadata`; `id` survives renames."""

    id: int
    name: str
    private: bool
    pushed: datetime | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Series:
    """One answer for one metric: its 14-day totals and the days it listed."""

    totals: Totals
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What GitHub said about one repository at one moment.

    None did not answer: `refusals` says why, `passing` whether it may answer when asked again.
    """

    repository: Repository
    views: Series | None = None
    clones: Series | None = None
    paths: TopPaths | None = None
    referrers: TopReferrers | None = None
    refusals: tuple[str, ...] = ()
    passing: bool = False

    @property
    def collected(self) -> bool:
        """Whether there is anything to keep: without views and clones a repository writes nothing."""
        return self.views is not None or self.clones is not None


@dataclass(frozen=True, slots=True)
class History:
    """What the store holds of one repository, by day, from `since` on (None: all of it), or from a little before."""

    repository_id: int
    since: date | None = None
    days: tuple[Day, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What one observation adds to a history: the numbers that rise and the groups that are new."""

    days: tuple[Day, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.snapshots)


def merge(history: History, observation: Observation) -> Changes:
    """Say what of `observation` the history lacks: nothing is ever lowered, and equal answers change nothing."""
    if not observation.collected:
        return Changes()
    return lacking(history, Changes(observed_days(observation), observed_snapshots(observation)))


def lacking(history: History, seen: Changes) -> Changes:
    """Say what of `seen`, one record a day, the history lacks: the rule of every merge, of runs and of backups."""
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    return Changes(
        days=tuple(filter(None, (rise(days.get(day.day), day) for day in seen.days))),
        snapshots=tuple(filter(None, (news(snapshots.get(found.day), found) for found in seen.snapshots))),
    )


def observed_days(observation: Observation) -> tuple[Day, ...]:
    """Unite the days of both metrics: days with clones but no views exist."""
    answered = [series.days for series in (observation.views, observation.clones) if series is not None]
    return united((), (day for days in answered for day in days), highest)


def observed_snapshots(observation: Observation) -> tuple[Snapshot, ...]:
    """Put each group on the UTC day of its own answer: a run that crosses midnight leaves two snapshots."""
    name = observation.repository.name
    groups: dict[str, Any] = {
        "metadata": observation.repository.metadata,
        "views": observation.views and observation.views.totals,
        "clones": observation.clones and observation.clones.totals,
        "paths": observation.paths,
        "referrers": observation.referrers,
    }
    seen: dict[date, Snapshot] = {}
    for group, answer in groups.items():
        if answer is not None:
            day = answer.at.date()
            seen[day] = replace(seen.get(day, Snapshot(day, name)), **{group: answer})
    return tuple(seen[day] for day in sorted(seen))


def rise(stored: Day | None, seen: Day) -> Day | None:
    """Keep of `seen` the numbers that are larger than the stored ones; None where none is."""
    risen = {
        number: value
        for number in NUMBERS
        if (value := getattr(seen, number)) is not None
        and ((old := getattr(stored, number, None)) is None or value > old)
    }
    return Day(seen.day, seen.repository, **risen) if risen else None


def highest(stored: Day, seen: Day) -> Day:
    """Take the larger of each number: commutative, associative and idempotent but for the name, the last seen."""
    numbers = {number: _largest(getattr(stored, number), getattr(seen, number)) for number in NUMBERS}
    return Day(seen.day, seen.repository, **numbers)


def news(stored: Snapshot | None, seen: Snapshot) -> Snapshot | None:
    """Keep of `seen` the groups that are not older than the stored ones and say something else than they do."""
    if stored is None:
        return seen
    renamed = stored.repository != seen.repository
    groups: dict[str, Any] = {
        group: answer
        for group in GROUPS
        if (answer := getattr(seen, group)) is not None
        and not outdates(old := getattr(stored, group), answer)
        and (not same(old, answer) or (renamed and outdates(answer, old)))
    }
    return Snapshot(seen.day, seen.repository, **groups) if groups else None


def latest(stored: Snapshot, seen: Snapshot) -> Snapshot:
    """Take the later answer of each group."""
    groups: dict[str, Any] = {
        group: old if (answer := getattr(seen, group)) is None or outdates(old, answer) else answer
        for group in GROUPS
        for old in (getattr(stored, group),)
    }
    return Snapshot(seen.day, seen.repository, **groups)


def outdates(stored: Group | None, seen: Group) -> bool:
    """Whether the stored answer is of a later moment than the one just seen."""
    return stored is not None and stored.at > seen.at


def same(stored: Group | None, seen: Group) -> bool:
    """Whether two answers say the same in all but their moments."""
    return stored is not None and replace(stored, at=seen.at) == seen


def enriched(history: History, changes: Changes) -> History:
    """Add to a history what is now stored besides."""
    return replace(
        history,
        days=united(history.days, changes.days, highest),
        snapshots=united(history.snapshots, changes.snapshots, latest),
    )


_Dated = TypeVar("_Dated", Day, Snapshot)


def united(
    stored: Iterable[_Dated], seen: Iterable[_Dated], join: Callable[[_Dated, _Dated], _Dated]
) -> tuple[_Dated, ...]:
    """Unite two series by day, in order, joining what falls on the same day."""
    by_day = {record.day: record for record in stored}
    for record in seen:
        by_day[record.day] = join(by_day[record.day], record) if record.day in by_day else record
    return tuple(by_day[day] for day in sorted(by_day))


def _largest(stored: int | None, seen: int | None) -> int | None:
    return max((number for number in (stored, seen) if number is not None), default=None)
