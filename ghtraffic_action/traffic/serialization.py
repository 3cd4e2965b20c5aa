"""How snapshots are written down: plain names and values, the same for every store and for what is printed."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from ghtraffic_action.traffic.model import (
    GROUPS,
    Group,
    Metadata,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)

METADATA = ("stars", "forks", "watchers", "open_issues", "open_pull_requests", "archived")
TOTALS = {"views": ("views_14d", "view_uniques_14d"), "clones": ("clones_14d", "clone_uniques_14d")}


def write_moment(moment: datetime) -> str:
    """Write an aware moment down in UTC, to the second: `2026-11-23T03:17:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_plain(value: object) -> str:
    """Write down what JSON does not know: moments as above, days as `2026-11-23`."""
    return write_moment(value) if isinstance(value, datetime) else str(value)


def read_moment(text: str) -> datetime:
    """Read a moment that was written down, as an aware one; ValueError where it is none."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def write_groups(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Write the groups that a snapshot has, each as its moment `at` and its values; what was not told is left out."""
    return {name: _write(name, group) for name in GROUPS if (group := getattr(snapshot, name)) is not None}


def read_snapshot(day: date, repository: str, groups: Mapping[str, Mapping[str, Any]]) -> Snapshot:
    """Read a snapshot from its written groups; groups and values that this version does not know are passed over."""
    known: dict[str, Any] = {name: _read(name, groups[name]) for name in GROUPS if name in groups}
    return Snapshot(day, repository, **known)


def _write(name: str, group: Group) -> dict[str, Any]:
    at = {"at": write_moment(group.at)}
    match group:
        case Metadata():
            told = {field: value for field in METADATA if (value := getattr(group, field)) is not None}
            return at | told | {"created": group.created.isoformat()}
        case Totals():
            return at | dict(zip(TOTALS[name], (group.count, group.uniques), strict=True))
        case _:
            return at | {"rows": [asdict(row) for row in group.rows]}


def _read(name: str, written: Mapping[str, Any]) -> Group:
    at = read_moment(written["at"])
    if name == "metadata":
        values: dict[str, Any] = {field: written.get(field) for field in METADATA}
        values |= {"archived": bool(written["archived"]), "created": date.fromisoformat(written["created"])}
        return Metadata(at, **values)
    if name in TOTALS:
        count, uniques = TOTALS[name]
        return Totals(at, written[count], written[uniques])
    if name == "paths":
        return TopPaths(at, tuple(TopPath(r["path"], r["title"], r["count"], r["uniques"]) for r in written["rows"]))
    return TopReferrers(at, tuple(TopReferrer(r["referrer"], r["count"], r["uniques"]) for r in written["rows"]))
