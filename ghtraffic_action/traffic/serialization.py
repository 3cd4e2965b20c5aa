"""Serialization of snapshots for stores and output."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from ghtraffic_action.traffic.downloads import Asset, Downloads
from ghtraffic_action.traffic.model import (
    GROUPS,
    LISTED,
    DayRange,
    Group,
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
from ghtraffic_action.traffic.stars import StarsAsked, StarYear

METADATA = (
    "stars",
    "forks",
    "watchers",
    "open_issues",
    "open_pull_requests",
    "archived",
    "private",
    "topics",
    "visibility",
)
TOTALS = {"views": ("views_14d", "view_uniques_14d"), "clones": ("clones_14d", "clone_uniques_14d")}


def write_moment(moment: datetime) -> str:
    """Format an aware datetime in UTC, to the second: `2026-11-23T03:17:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_plain(value: object) -> str:
    """Format a datetime as above, or a day as `2026-11-23`."""
    return write_moment(value) if isinstance(value, datetime) else str(value)


@lru_cache(maxsize=64)  # the groups of a snapshot usually have one moment
def read_moment(text: str) -> datetime:
    """Parse a written moment. Raises ValueError if invalid."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


@lru_cache(maxsize=4096, typed=True)
def share_text(text: str) -> str:
    """Return the first equal text.

    A long history repeats names, paths and titles every day.
    """
    return text


def write_range(days: DayRange) -> str:
    """Format a range of days: `2026-11-09/2026-11-22`."""
    return f"{days.first}/{days.last}"


def read_range(text: str) -> DayRange:
    """Parse a range of days. Raises ValueError if invalid."""
    first, _, last = text.partition("/")
    days = DayRange(date.fromisoformat(first), date.fromisoformat(last))
    if days.first > days.last:
        raise ValueError(text)
    return days


def write_groups(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Serialize a snapshot's groups as `at` and known values."""
    return {name: _write(name, group) for name in GROUPS if (group := getattr(snapshot, name)) is not None}


def write_listed(snapshot: Snapshot) -> dict[str, list[str]]:
    """Serialize the ranges of listed days, by field, sorted, without empty ones."""
    found = {field: sorted(map(write_range, getattr(snapshot, field))) for field in LISTED.values()}
    return {field: ranges for field, ranges in found.items() if ranges}


def read_snapshot(
    day: date, repository: str, groups: Mapping[str, Mapping[str, Any]], listed: Mapping[str, Iterable[str]]
) -> Snapshot:
    """Read a snapshot from groups and ranges, ignoring unknown ones."""
    known: dict[str, Any] = {name: _read(name, groups[name]) for name in GROUPS if name in groups}
    known |= {field: frozenset(map(read_range, listed.get(field, ()))) for field in LISTED.values()}
    return Snapshot(day, share_text(repository), **known)


def _write(name: str, group: Group) -> dict[str, Any]:
    at = {"at": write_moment(group.at)}
    match group:
        case Metadata():
            known = {field: value for field in METADATA if (value := getattr(group, field)) is not None}
            return at | known | {"created": group.created.isoformat()}
        case Totals():
            last = {"last": group.last.isoformat()} if group.last else {}
            return at | dict(zip(TOTALS[name], (group.count, group.uniques), strict=True)) | last
        case Retired() | StarsAsked():
            return at
        case _:
            return at | {"rows": [_write_row(row) for row in group.rows]}


def _write_row(row: TopPath | TopReferrer | Release | RunCount | Asset) -> dict[str, Any]:
    match row:
        case Release():
            return {"tag": row.tag, "published": write_moment(row.published)}
        case RunCount():
            return {"created": row.day.isoformat(), "runs": row.runs}
        case Asset():
            return {"tag": row.tag, "asset": row.name, "downloads": row.count}
        case _:
            return asdict(row)


def _read(name: str, written: Mapping[str, Any]) -> Group:
    at = read_moment(written["at"])
    if name == "metadata":
        values: dict[str, Any] = {field: written.get(field) for field in METADATA}
        private = written.get("private")
        values |= {"archived": bool(written["archived"]), "private": None if private is None else bool(private)}
        values["created"] = date.fromisoformat(written["created"])
        return Metadata(at, **values)
    if name in TOTALS:
        count, uniques = TOTALS[name]
        last = written.get("last")
        return Totals(at, written[count], written[uniques], date.fromisoformat(last) if last else None)
    if name in _ROWS:
        group, read_row = _ROWS[name]
        return group(at, tuple(map(read_row, written["rows"])))
    return StarsAsked(at) if name == "star_history" else Retired(at)


def write_star_days(year: StarYear) -> dict[str, int]:
    """Serialize a year's stars by day."""
    return {day.isoformat(): count for day, count in year.days}


def read_star_year(year: int, repository: str, at: str, days: Mapping[str, Any]) -> StarYear:
    """Read a year's stars. Raises ValueError if they are invalid."""
    found = sorted((date.fromisoformat(day), count) for day, count in days.items())
    if not all(day.year == year and type(count) is int and count > 0 for day, count in found):
        raise ValueError(days)
    return StarYear(year, repository, read_moment(at), tuple(found))


_ROWS: dict[str, tuple[Callable[[datetime, Any], Group], Callable[[Any], object]]] = {
    "paths": (
        TopPaths,
        lambda row: TopPath(share_text(row["path"]), share_text(row["title"]), row["count"], row["uniques"]),
    ),
    "referrers": (TopReferrers, lambda row: TopReferrer(share_text(row["referrer"]), row["count"], row["uniques"])),
    "releases": (Releases, lambda row: Release(row["tag"], read_moment(row["published"]))),
    "workflow_runs": (WorkflowRuns, lambda row: RunCount(date.fromisoformat(row["created"]), row["runs"])),
    "downloads": (Downloads, lambda row: Asset(share_text(row["tag"]), share_text(row["asset"]), row["downloads"])),
}
"""Groups with rows, and their row readers."""
