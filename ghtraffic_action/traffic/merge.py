"""The rule that merges observations into a history."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from ghtraffic_action.traffic.model import GROUPS, NUMBERS, Changes, Day, Group, History, Observation, Snapshot


def merge(history: History, observation: Observation) -> Changes:
    """Say what of `observation` the history lacks: nothing is ever lowered, and equal answers change nothing."""
    if not observation.collected:
        return Changes()
    return missing_from(history, Changes(observed_days(observation), observed_snapshots(observation)))


def missing_from(history: History, seen: Changes) -> Changes:
    """Say what of `seen`, one record a day, the history lacks: the rule of every merge, of runs and of backups."""
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    return Changes(
        days=tuple(filter(None, (raised_numbers(days.get(day.day), day) for day in seen.days))),
        snapshots=tuple(filter(None, (newer_groups(snapshots.get(found.day), found) for found in seen.snapshots))),
    )


def observed_days(observation: Observation) -> tuple[Day, ...]:
    """Unite the days of both metrics: days with clones but no views exist."""
    answered = [series.days for series in (observation.views, observation.clones) if series is not None]
    return merge_by_day((), (day for days in answered for day in days), merge_day)


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


def raised_numbers(stored: Day | None, seen: Day) -> Day | None:
    """Keep of `seen` the numbers that are larger than the stored ones; None where none is."""
    risen = {
        number: value
        for number in NUMBERS
        if (value := getattr(seen, number)) is not None
        and ((old := getattr(stored, number, None)) is None or value > old)
    }
    return Day(seen.day, seen.repository, **risen) if risen else None


def merge_day(stored: Day, seen: Day) -> Day:
    """Take the larger of each number: commutative, associative and idempotent but for the name, the last seen."""
    numbers = {number: _largest(getattr(stored, number), getattr(seen, number)) for number in NUMBERS}
    return Day(seen.day, seen.repository, **numbers)


def newer_groups(stored: Snapshot | None, seen: Snapshot) -> Snapshot | None:
    """Keep of `seen` the groups that are not older than the stored ones and say something else than they do."""
    if stored is None:
        return seen
    renamed = stored.repository != seen.repository
    groups: dict[str, Any] = {
        group: answer
        for group in GROUPS
        if (answer := getattr(seen, group)) is not None
        and not is_newer(old := getattr(stored, group), answer)
        and (not same_values(old, answer) or (renamed and is_newer(answer, old)))
    }
    return Snapshot(seen.day, seen.repository, **groups) if groups else None


def merge_snapshot(stored: Snapshot, seen: Snapshot) -> Snapshot:
    """Take the later answer of each group."""
    groups: dict[str, Any] = {
        group: old if (answer := getattr(seen, group)) is None or is_newer(old, answer) else answer
        for group in GROUPS
        for old in (getattr(stored, group),)
    }
    return Snapshot(seen.day, seen.repository, **groups)


def is_newer(stored: Group | None, seen: Group) -> bool:
    """Whether the stored answer is of a later moment than the one just seen."""
    return stored is not None and stored.at > seen.at


def same_values(stored: Group | None, seen: Group) -> bool:
    """Whether two answers say the same in all but their moments."""
    return stored is not None and replace(stored, at=seen.at) == seen


def apply(history: History, changes: Changes) -> History:
    """Add to a history what is now stored besides."""
    return replace(
        history,
        days=merge_by_day(history.days, changes.days, merge_day),
        snapshots=merge_by_day(history.snapshots, changes.snapshots, merge_snapshot),
    )


_Dated = TypeVar("_Dated", Day, Snapshot)


def merge_by_day(
    stored: Iterable[_Dated], seen: Iterable[_Dated], join: Callable[[_Dated, _Dated], _Dated]
) -> tuple[_Dated, ...]:
    """Unite two series by day, in order, joining what falls on the same day."""
    by_day = {record.day: record for record in stored}
    for record in seen:
        by_day[record.day] = join(by_day[record.day], record) if record.day in by_day else record
    return tuple(by_day[day] for day in sorted(by_day))


def _largest(stored: int | None, seen: int | None) -> int | None:
    return max((number for number in (stored, seen) if number is not None), default=None)
