"""Validation of stored records: invalid parts are skipped with a warning."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from threading import Lock
from typing import Any, get_origin

from ghtraffic_action.traffic.model import GROUPS, METRICS, Day, Snapshot
from ghtraffic_action.traffic.observation import WINDOW_DAYS
from ghtraffic_action.traffic.provenance import PAIRS
from ghtraffic_action.traffic.records import LARGEST
from ghtraffic_action.traffic.serialization import read_snapshot, read_star_year, share_text
from ghtraffic_action.traffic.stars import StarYear

log = logging.getLogger(__name__)

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""Errors of reading an invalid record."""

_LEAVES = (int, str, bool, date, datetime)
"""Types without fields."""

_EARLIEST, _LATEST = date(2007, 10, 1), date(2099, 12, 31)
"""Bounds of plausible days."""


class Warnings:
    """Warns once of each invalid record, or part of one, which is ignored."""

    def __init__(self, store: str) -> None:
        """Warn of records of `store`."""
        self._store = store
        self._warned = set[str]()
        self._lock = Lock()

    def skip(self, record: str, part: str, remove: str) -> None:
        """Warn of a part of a record; `remove` is the command to remove the record."""
        with self._lock:
            known = f"{record} {part}" in self._warned
            self._warned.add(f"{record} {part}")
        if not known:
            what = f"{record} has an unusable {part}, which was skipped"
            log.warning("store %s: %s: correct it, or remove the whole record: `%s`", self._store, what, remove)


def read_date(text: object) -> date:
    """Parse a record's day. Raises ValueError or TypeError if it is invalid."""
    day = date.fromisoformat(text)  # type: ignore[arg-type] # whatever a record holds
    if str(day) != text or not _EARLIEST <= day <= _LATEST:
        raise ValueError(text)
    return day


def usable_day(day: date, repository: str, values: Mapping[str, object], skip: Callable[[str], None]) -> Day:
    """Return a Day of the valid counts; others are reported to `skip` and absent."""
    counts: dict[str, int] = {}
    for pair in PAIRS.values():
        for number in pair:
            value = values.get(number)
            # Uniques without their count say nothing, and no backup may have them.
            if type(value) is int and 0 <= value <= LARGEST and (number in METRICS or pair[0] in counts):
                counts[number] = value
            elif value is not None:
                skip(number)
    return Day(day, share_text(repository), **counts)


def usable_year(
    year: int, repository: str, at: str, days: Mapping[str, Any], skip: Callable[[str], None]
) -> StarYear | None:
    """Return a StarYear, or None, reported to `skip`, if invalid."""
    try:
        found = read_star_year(year, repository, at, days)
        if not _EARLIEST.year <= year <= _LATEST.year or type(repository) is not str:
            raise ValueError(year)
    except UNREADABLE:
        skip("year")
        return None
    return found


def usable_snapshot(
    day: date,
    repository: str,
    groups: Mapping[str, Any],
    listed: Mapping[str, Iterable[str]],
    skip: Callable[[str], None],
) -> Snapshot:
    """Return a Snapshot of the valid groups and listed days; report others to `skip`."""
    try:
        return _checked(read_snapshot(day, repository, groups, listed))
    except UNREADABLE:
        usable_groups, usable_days = {}, {}
        for name, group in groups.items():
            if _is_usable(day, repository, {name: group}, {}):
                usable_groups[name] = group
            else:
                skip(name)
        for name, ranges in listed.items():
            if _is_usable(day, repository, {}, {name: ranges}):
                usable_days[name] = ranges
            else:
                skip(name)
        return read_snapshot(day, repository, usable_groups, usable_days)


def _is_usable(day: date, repository: str, groups: Mapping[str, Any], listed: Mapping[str, Iterable[str]]) -> bool:
    try:
        _checked(read_snapshot(day, repository, groups, listed))
    except UNREADABLE:
        return False
    return True


def _checked(snapshot: Snapshot) -> Snapshot:
    _check_types(snapshot)
    for name in GROUPS:
        if (group := getattr(snapshot, name)) and group.at.date() != snapshot.day:
            raise ValueError(group.at)
    if snapshot.metadata and snapshot.metadata.created < _EARLIEST:
        raise ValueError(snapshot.metadata.created)
    for counted in snapshot.workflow_runs.rows if snapshot.workflow_runs else ():
        if not (_EARLIEST <= counted.day < snapshot.day and counted.runs >= 0):
            raise ValueError(counted)
    for listed in (*snapshot.views_listed, *snapshot.clones_listed):
        whole = (listed.last - listed.first).days == WINDOW_DAYS - 1
        if not (whole and listed.first >= _EARLIEST and listed.last < snapshot.day):
            raise ValueError(listed)
    return snapshot


def _check_types(record: Any) -> None:  # noqa: ANN401 - any of the model's types
    """Raise TypeError if a field, at any depth, does not have its declared type."""
    for name, kind, is_leaf in _declared(record.__class__):
        value = getattr(record, name)
        if not isinstance(value, kind) or (isinstance(value, int) and not 0 <= value <= LARGEST):
            raise TypeError(name)
        if is_leaf:
            continue
        for part in value if isinstance(value, (tuple, frozenset)) else (value,):
            if is_dataclass(part):
                _check_types(part)


@cache
def _declared(record: type) -> tuple[tuple[str, Any, bool], ...]:
    """Return each field's name, `isinstance` type, and whether its values have no fields.

    Cached, since the store of a fleet reads many thousand records.
    """
    kinds = {field.name: field.type for field in fields(record)}
    containers = {name: get_origin(kind) for name, kind in kinds.items() if get_origin(kind) in (tuple, frozenset)}
    return tuple((name, containers.get(name, kind), kind in _LEAVES) for name, kind in kinds.items())
