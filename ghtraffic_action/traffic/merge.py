"""The merge rule for observations and histories."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from ghtraffic_action.traffic.model import (
    GROUPS,
    LISTED,
    METRICS,
    NUMBERS,
    Changes,
    Day,
    Group,
    History,
    Metric,
    Snapshot,
    has_traffic,
)
from ghtraffic_action.traffic.observation import Form, Observation, Series
from ghtraffic_action.traffic.stars import StarsAsked, StarYear, merge_years, missing_years


def merge(history: History, observation: Observation) -> Changes:
    """Return the changes that `observation` adds to a history.

    Nothing is lowered, and equal answers change nothing.
    """
    if not observation.collected:
        return Changes()
    years = observation.star_history.years if observation.star_history else ()
    return missing_from(history, Changes(observed_days(observation), observed_snapshots(observation), years))


def missing_from(history: History, seen: Changes) -> Changes:
    """Return what `seen`, with one record per day, adds to the history.

    This is the rule of every merge.
    """
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    return Changes(
        days=tuple(filter(None, (raised_numbers(days.get(day.day), day) for day in seen.days))),
        snapshots=tuple(filter(None, (newer_groups(snapshots.get(found.day), found) for found in seen.snapshots))),
        stars=missing_years(history.stars, seen.stars),
    )


def observed_days(observation: Observation) -> tuple[Day, ...]:
    """Return the days to store of both metrics, from the repository's creation on.

    The zeros of a whole answer are not stored as days: the snapshot records the listed days.
    """
    created = observation.repository.metadata.created
    answered = [series for _, series in _answers(observation)]
    days = (day for series in answered for day in _kept_days(series) if day.day >= created)
    return merge_by_day((), days, merge_day)


def observed_snapshots(observation: Observation) -> tuple[Snapshot, ...]:
    """Put each group on its own answer's UTC day.

    A run across midnight creates two snapshots.
    """
    groups: list[dict[str, Any]] = [{"metadata": observation.repository.metadata}]
    groups += [{"releases": observation.repository.releases}] if observation.repository.releases else []
    groups += [{"downloads": observation.downloads}] if observation.downloads else []
    groups += [{"star_history": StarsAsked(observation.star_history.at)}] if observation.star_history else []
    groups += [{"paths": observation.paths}] if observation.paths else []
    groups += [{"referrers": observation.referrers}] if observation.referrers else []
    groups += [{"workflow_runs": observation.workflow_runs}] if observation.workflow_runs else []
    for metric, series in _answers(observation):
        listed = series.listed
        totals = replace(series.totals, last=listed.last) if listed else series.totals
        groups.append({metric: totals, LISTED[metric]: frozenset({listed} if listed else ())})
    seen: dict[date, Snapshot] = {}
    for fields in groups:
        day = next(iter(fields.values())).at.date()
        seen[day] = replace(seen.get(day, Snapshot(day, observation.repository.name)), **fields)
    return tuple(seen[day] for day in sorted(seen))


def raised_numbers(stored: Day | None, seen: Day) -> Day | None:
    """Return the numbers of `seen` above the stored ones, None if none is."""
    risen = {
        number: value
        for number in NUMBERS
        if (value := getattr(seen, number)) is not None
        and ((old := getattr(stored, number, None)) is None or value > old)
    }
    return Day(seen.day, seen.repository, **risen) if risen else None


def merge_day(stored: Day, seen: Day) -> Day:
    """Return the larger of each number, under the latest name.

    Commutative, associative and idempotent except for the name.
    """
    numbers = {number: _largest(getattr(stored, number), getattr(seen, number)) for number in NUMBERS}
    return Day(seen.day, seen.repository, **numbers)


def newer_groups(stored: Snapshot | None, seen: Snapshot) -> Snapshot | None:
    """Return the groups and ranges that `seen` adds to the stored snapshot, or None.

    A group is added if it is not older than the stored one and differs from it.
    """
    if stored is None:
        return seen
    renamed = stored.repository != seen.repository
    fields: dict[str, Any] = {
        group: answer
        for group in GROUPS
        if (answer := getattr(seen, group)) is not None
        and not is_newer(old := getattr(stored, group), answer)
        and (not same_values(old, answer) or (renamed and is_newer(answer, old)))
    }
    fields |= {field: new for field in LISTED.values() if (new := getattr(seen, field) - getattr(stored, field))}
    return Snapshot(seen.day, seen.repository, **fields) if fields else None


def merge_snapshot(stored: Snapshot, seen: Snapshot) -> Snapshot:
    """Return each group's newer answer, and all listed ranges."""
    fields: dict[str, Any] = {
        group: old if (answer := getattr(seen, group)) is None or is_newer(old, answer) else answer
        for group in GROUPS
        for old in (getattr(stored, group),)
    }
    fields |= {field: getattr(stored, field) | getattr(seen, field) for field in LISTED.values()}
    return Snapshot(seen.day, seen.repository, **fields)


def is_newer(stored: Group | None, seen: Group | None) -> bool:
    """Return whether the stored answer is the newer one.

    Totals are compared by the last day that their answer listed, then by time: GitHub may repeat an earlier answer.
    """
    return stored is not None and (seen is None or _age(stored) > _age(seen))


def same_values(stored: Group | None, seen: Group) -> bool:
    """Return whether two answers are equal except for their moments."""
    return stored is not None and replace(stored, at=seen.at) == seen


def apply(history: History, changes: Changes) -> History:
    """Return a history with later changes applied."""
    return replace(
        history,
        days=merge_by_day(history.days, changes.days, merge_day),
        snapshots=merge_by_day(history.snapshots, changes.snapshots, merge_snapshot),
        stars=merge_years(history.stars, changes.stars),
    )


def merge_records(records: Iterable[object]) -> Changes:
    """Merge days, snapshots and stars in any order; ignore impossible ones."""
    found = tuple(records)
    return Changes(
        merge_by_day((), (record for record in found if isinstance(record, Day)), merge_day),
        merge_by_day((), (record for record in found if isinstance(record, Snapshot)), merge_snapshot),
        merge_years((), (record for record in found if isinstance(record, StarYear))),
    )


_Dated = TypeVar("_Dated", Day, Snapshot)


def merge_by_day(
    stored: Iterable[_Dated], seen: Iterable[_Dated], join: Callable[[_Dated, _Dated], _Dated]
) -> tuple[_Dated, ...]:
    """Merge two sorted series, joining records of the same day."""
    by_day = {record.day: record for record in stored}
    for record in seen:
        by_day[record.day] = join(by_day[record.day], record) if record.day in by_day else record
    return tuple(by_day[day] for day in sorted(by_day))


def _answers(observation: Observation) -> Iterator[tuple[Metric, Series]]:
    """Yield each metric's answer, without placeholders, which GitHub replaces a day later."""
    for metric in METRICS:
        series: Series | None = getattr(observation, metric)
        if series is not None and series.form is not Form.PLACEHOLDER:
            yield metric, series


def _kept_days(series: Series) -> Iterator[Day]:
    return (day for day in series.days if series.form is Form.OLD or has_traffic(day))


def _age(group: Group) -> tuple[date, datetime]:
    return getattr(group, "last", None) or date.min, group.at


def _largest(stored: int | None, seen: int | None) -> int | None:
    return max((number for number in (stored, seen) if number is not None), default=None)
