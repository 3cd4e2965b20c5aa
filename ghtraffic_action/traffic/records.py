"""Validated conversion of days and snapshots to JSON objects."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from ghtraffic_action.traffic.downloads import Asset, Downloads
from ghtraffic_action.traffic.import_records import read_import, write_import
from ghtraffic_action.traffic.model import (
    GROUPS,
    LISTED,
    METRICS,
    NUMBERS,
    Day,
    DayRange,
    Group,
    History,
    Metadata,
    Release,
    Releases,
    Retired,
    RunCount,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
    WorkflowRuns,
)
from ghtraffic_action.traffic.observation import WINDOW_DAYS
from ghtraffic_action.traffic.provenance import ImportRecord
from ghtraffic_action.traffic.serialization import (
    METADATA,
    TOTALS,
    read_range,
    read_star_year,
    write_groups,
    write_listed,
    write_moment,
    write_star_days,
)
from ghtraffic_action.traffic.stars import StarsAsked, StarYear

Fields = dict[str, Any]
Record = Day | Snapshot | StarYear | ImportRecord

_EARLIEST = date(2007, 10, 1)
"""The month of GitHub's first repository."""

LARGEST = 2**63 - 1
_LARGEST_ID = 10**18 - 1  # exported files have at most 18 digits
_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_TEXTS = ("topics", "visibility")
"""The texts of a repository's metadata, which may be missing."""

_Value = TypeVar("_Value")


def write_records(history: History) -> Iterator[Fields]:
    """Serialize a history's days, snapshots and stars, without empty snapshots."""
    for day in history.days:
        numbers = {name: value for name in NUMBERS if (value := getattr(day, name)) is not None}
        if numbers:
            yield {"id": history.repository_id, "day": str(day.day), "repository": day.repository, **numbers}
    for seen in history.snapshots:
        if said := write_groups(seen) | write_listed(seen):
            yield {"id": history.repository_id, "snapshot": str(seen.day), "repository": seen.repository, **said}
    for year in history.stars:
        head = {"id": history.repository_id, "stars": year.year, "repository": year.repository}
        yield head | {"at": write_moment(year.at), "days": write_star_days(year)}


def read_record(written: object, today: date) -> tuple[int, Record]:
    """Read a day, snapshot or import with its repository.

    Raises ValueError if it is invalid.
    """
    fields = _checked("record", written, _object)
    repository_id = _take(fields, "id", lambda value: _number(value, _LARGEST_ID))
    if "import" in fields:
        return repository_id, _checked("import", fields, _import)
    if "stars" in fields and "day" not in fields and "snapshot" not in fields:
        return repository_id, _star_year(fields, today)
    kind = "snapshot" if "snapshot" in fields else "day"
    day, name = _take(fields, kind, _date), _take(fields, "repository", _name)
    if day > today:
        raise ValueError(f"{day} is in the future by this machine's clock")
    record = _day(fields, day, name) if kind == "day" else _snapshot(fields, day, name)
    _nothing_left(fields)
    return repository_id, record


def write_imports(repository_id: int, records: Iterable[ImportRecord]) -> Iterator[Fields]:
    """Serialize the records of a repository's imports."""
    return ({"id": repository_id, **write_import(record)} for record in records)


def _import(value: object) -> ImportRecord:
    try:
        record = read_import(_object(value))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError from error
    return record if write_import(record) == value else _refuse()


def _star_year(fields: Fields, today: date) -> StarYear:
    year, name, at = (
        _take(fields, "stars", _number),
        _take(fields, "repository", _name),
        _take(fields, "at", _moment),
    )
    written = _take(fields, "days", _object)
    days = _checked("days", written, lambda _: read_star_year(year, name, str(at), written))
    _nothing_left(fields)
    if at.date() > today:
        raise ValueError(f"{at.date()} is in the future by this machine's clock")
    if any(not _EARLIEST <= day <= at.date() for day, _ in days.days):
        raise ValueError("days is before GitHub's first or after its own moment")
    return days


def _day(fields: Fields, day: date, name: str) -> Day:
    numbers = {number: _take(fields, number, _number) for number in NUMBERS if number in fields}
    if not any(metric in numbers for metric in METRICS):
        raise ValueError("it has neither views nor clones")
    for metric in METRICS:
        if f"{metric[:-1]}_uniques" in numbers and metric not in numbers:
            raise ValueError(f"it has {metric[:-1]}_uniques without {metric}")
    return Day(day, name, **numbers)


def _snapshot(fields: Fields, day: date, name: str) -> Snapshot:
    groups: dict[str, Any] = {
        group: _group(group, _take(fields, group, _object)) for group in GROUPS if group in fields
    }
    listed: dict[str, Any] = {
        field: frozenset(_checked(field, days, _range) for days in _take(fields, field, _list))
        for field in LISTED.values()
        if field in fields
    }
    if not groups and not any(listed.values()):
        raise ValueError("it has no group")
    for field, ranges in listed.items():
        if any(days.last >= day for days in ranges):
            raise ValueError(f"{field} reaches the snapshot's own day")
    counted: WorkflowRuns | None = groups.get("workflow_runs")
    if counted and any(row.day >= day for row in counted.rows):
        raise ValueError("workflow_runs reaches the snapshot's own day")
    for group, answer in groups.items():
        if answer.at.date() != day:
            raise ValueError(f"{group} is of another day, {answer.at.date()}")
    return Snapshot(day, name, **groups, **listed)


def _group(name: str, fields: Fields) -> Group:
    at = _take(fields, "at", _moment)
    group = _read_group(name, at, fields)
    _nothing_left(fields)
    return group


def _read_group(name: str, at: datetime, fields: Fields) -> Group:
    if name == "metadata":
        may_be_missing = ("watchers", "open_issues", "open_pull_requests")
        values: dict[str, Any] = {
            field: None if field in may_be_missing and field not in fields else _take(fields, field, _number)
            for field in METADATA
            if field not in ("archived", "private", *_TEXTS)
        }
        values |= {field: _take(fields, field, _text) for field in _TEXTS if field in fields}
        archived, created = _take(fields, "archived", _boolean), _take(fields, "created", _date)
        private = _take(fields, "private", _boolean) if "private" in fields else None
        return Metadata(at, **values, archived=archived, created=created, private=private)
    if name in TOTALS:
        last = _take(fields, "last", _date) if "last" in fields else None
        count, uniques = (_take(fields, field, _number) for field in TOTALS[name])
        return Totals(at, count, uniques, last)
    if name in _MOMENTS:
        return _MOMENTS[name](at)
    group, read_row = _ROWS[name]
    rows = [read_row(_checked("row", row, _object)) for row in _take(fields, "rows", _list)]
    return group(at, tuple(rows))


def _path(row: Fields) -> TopPath:
    return TopPath(*_top(row, "path", "title"))


def _referrer(row: Fields) -> TopReferrer:
    return TopReferrer(*_top(row, "referrer"))


def _release(row: Fields) -> Release:
    release = Release(_take(row, "tag", _text), _take(row, "published", _moment))
    _nothing_left(row)
    return release


def _run_count(row: Fields) -> RunCount:
    counted = RunCount(_take(row, "created", _date), _take(row, "runs", _number))
    _nothing_left(row)
    return counted


def _asset(row: Fields) -> Asset:
    asset = Asset(_take(row, "tag", _text), _take(row, "asset", _text), _take(row, "downloads", _number))
    _nothing_left(row)
    return asset


_MOMENTS: dict[str, Callable[[datetime], Group]] = {"retired": Retired, "star_history": StarsAsked}
"""Groups with nothing but a moment."""

_ROWS: dict[str, tuple[Callable[[datetime, Any], Group], Callable[[Fields], object]]] = {
    "paths": (TopPaths, _path),
    "referrers": (TopReferrers, _referrer),
    "releases": (Releases, _release),
    "workflow_runs": (WorkflowRuns, _run_count),
    "downloads": (Downloads, _asset),
}
"""Groups with rows, and their row readers."""


def _top(row: Fields, *texts: str) -> list[Any]:
    values = [
        *(_take(row, name, _text) for name in texts),
        *(_take(row, name, _number) for name in ("count", "uniques")),
    ]
    _nothing_left(row)
    return values


def _take(fields: Fields, name: str, check: Callable[[object], _Value]) -> _Value:
    if name not in fields:
        raise ValueError(f"it has no {name}")
    return _checked(name, fields.pop(name), check)


def _checked(name: str, value: object, check: Callable[[object], _Value]) -> _Value:
    try:
        return check(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} is {_shortened(value)}") from error


def _nothing_left(fields: Fields) -> None:
    if fields:
        raise ValueError(f"it has an unknown field, {_shortened(next(iter(fields)))}")


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004 - a line's part


def _object(value: object) -> Fields:
    return dict(value) if isinstance(value, dict) else _refuse()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else _refuse()


def _number(value: object, largest: int = LARGEST) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest else _refuse()


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else _refuse()


def _text(value: object) -> str:
    """Return a text, refusing lone surrogates, which no store accepts."""
    return value.encode().decode() if isinstance(value, str) else _refuse()


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else _refuse()


def _date(value: object) -> date:
    day = date.fromisoformat(_text(value))
    return day if str(day) == value and day >= _EARLIEST else _refuse()


def _range(value: object) -> DayRange:
    """Read the 14 days of a whole answer: `2026-11-09/2026-11-22`."""
    days = read_range(_text(value))
    return days if (days.last - days.first).days == WINDOW_DAYS - 1 and days.first >= _EARLIEST else _refuse()


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    return moment.astimezone(UTC).replace(microsecond=0) if moment.tzinfo else _refuse()


def _refuse() -> Any:  # noqa: ANN401 - it does not return
    raise ValueError
