"""Reads and writes days and snapshots in SQLite's tables."""

import json
import shlex
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from typing import Any

from ghtraffic_action.stores.validation import UNREADABLE, Warnings, read_date, usable_day, usable_snapshot, usable_year
from ghtraffic_action.traffic.import_records import read_import
from ghtraffic_action.traffic.model import GROUPS, NUMBERS, Day, Snapshot
from ghtraffic_action.traffic.provenance import ImportRecord
from ghtraffic_action.traffic.serialization import (
    METADATA,
    TOTALS,
    write_groups,
    write_listed,
    write_moment,
    write_star_days,
)
from ghtraffic_action.traffic.stars import StarYear

_LISTS = {
    "paths": "top_path",
    "referrers": "top_referrer",
    "releases": "release",
    "workflow_runs": "workflow_run",
    "downloads": "download",
}
"""The tables of the groups that have rows."""


class SQLiteRows:
    """Days and snapshots as rows; the caller begins the transaction."""

    def __init__(self, database: sqlite3.Connection, path: str) -> None:
        """Use `database`, whose file is `path`."""
        self._database = database
        # SQLite stores any bytes as text; one invalid text would make all rows unreadable.
        database.text_factory = partial(str, encoding="utf-8", errors="replace")
        self._path = path
        self._warnings = Warnings(f"sqlite:{path}")

    def days(self, repository_id: int, first: str) -> Iterator[Day]:
        """Yield a repository's days from `first` on, in order."""
        rows = self._database.execute(
            f"SELECT day, repository, {', '.join(NUMBERS)} FROM day WHERE repository_id = ? AND day >= ? ORDER BY day",  # noqa: S608 - our own column names
            (repository_id, first),
        )
        for row in rows:
            skip = partial(self._skip, "day", repository_id, row["day"])
            if day := _date(row, skip):
                yield usable_day(day, row["repository"], dict(row), skip)

    def snapshots(self, repository_id: int, first: str) -> Iterator[Snapshot]:
        """Yield a repository's snapshots from `first` on, in order."""
        where = "WHERE repository_id = ? AND day >= ? ORDER BY day"
        lists: dict[str, dict[str, list[sqlite3.Row]]] = {}
        for group, table in _LISTS.items():
            for row in self._database.execute(f"SELECT * FROM {table} {where}, position", (repository_id, first)):  # noqa: S608 - our own names
                lists.setdefault(row["day"], {name: [] for name in _LISTS})[group].append(row)
        listed: dict[str, dict[str, list[str]]] = {}
        for row in self._database.execute(f"SELECT day, field, days FROM listed {where}", (repository_id, first)):  # noqa: S608 - our own names
            listed.setdefault(row["day"], {}).setdefault(row["field"], []).append(row["days"])
        nothing: dict[str, list[sqlite3.Row]] = {name: [] for name in _LISTS}
        for row in self._database.execute(f"SELECT * FROM snapshot {where}", (repository_id, first)):  # noqa: S608 - our own names
            skip = partial(self._skip, "snapshot", repository_id, row["day"])
            if day := _date(row, skip):
                groups = _groups(row, lists.get(row["day"], nothing))
                yield usable_snapshot(day, row["repository"], groups, listed.get(row["day"], {}), skip)

    def stars(self, repository_id: int) -> Iterator[StarYear]:
        """Yield a repository's stars by year, in order."""
        days: dict[int, dict[str, Any]] = {}
        query = "SELECT year, day, stars FROM star WHERE repository_id = ?"
        for year, day, stars in self._database.execute(query, (repository_id,)):
            days.setdefault(year, {})[day] = stars
        query = "SELECT year, repository, at FROM star_year WHERE repository_id = ? ORDER BY year"
        for year, repository, at in self._database.execute(query, (repository_id,)).fetchall():
            skip = partial(self._skip_year, repository_id, year)
            if found := usable_year(year, repository, at, days.get(year, {}), skip):
                yield found

    def write_stars(self, repository_id: int, years: Iterable[StarYear]) -> None:
        """Replace years of stars."""
        for year in years:
            keys = {"repository_id": repository_id, "year": year.year}
            self._upsert("star_year", keys, {"repository": year.repository, "at": write_moment(year.at)})
            self._database.execute("DELETE FROM star WHERE repository_id = :repository_id AND year = :year", keys)
            self._database.executemany(
                "INSERT INTO star VALUES (?, ?, ?, ?)",
                [(repository_id, year.year, day, stars) for day, stars in write_star_days(year).items()],
            )

    def _skip_year(self, repository_id: int, year: object, part: str) -> None:
        row = f"repository_id = {repository_id} AND year = {year}"
        statement = f"DELETE FROM star_year WHERE {row}; DELETE FROM star WHERE {row}"  # noqa: S608 - for the user to run
        self._warnings.skip(f"the star_year where {row}", part, f"sqlite3 {self._path} {shlex.quote(statement)}")

    def imports(self, repository_id: int) -> Iterator[ImportRecord]:
        """Yield a repository's import records, the oldest first."""
        query = "SELECT id, record FROM import WHERE repository_id = ? ORDER BY id"
        for row in self._database.execute(query, (repository_id,)):
            try:
                yield read_import(json.loads(row["record"]))
            except UNREADABLE:
                where = f"repository_id = {repository_id} AND id = '{row['id']}'"
                self._skip_row("import", where, "record")

    def _skip(self, table: str, repository_id: int, day: object, part: str) -> None:
        self._skip_row(table, f"repository_id = {repository_id} AND day = '{day}'", part)

    def _skip_row(self, table: str, where: str, part: str) -> None:
        statement = f"DELETE FROM {table} WHERE {where}"  # noqa: S608 - for the user to run
        self._warnings.skip(f"the {table} where {where}", part, f"sqlite3 {self._path} {shlex.quote(statement)}")

    def write_days(self, repository_id: int, days: Iterable[Day]) -> None:
        """Insert days and raise the numbers of stored ones."""
        raised = ", ".join(
            f"{n} = CASE WHEN typeof({n}) = 'integer' THEN max({n}, coalesce(excluded.{n}, {n})) ELSE excluded.{n} END"
            for n in NUMBERS
        )
        self._database.executemany(
            f"INSERT INTO day (repository_id, day, repository, {', '.join(NUMBERS)}) VALUES (?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - our own column names
            f"ON CONFLICT (repository_id, day) DO UPDATE SET repository = excluded.repository, {raised}",
            [(repository_id, d.day.isoformat(), d.repository, *(getattr(d, n) for n in NUMBERS)) for d in days],
        )

    def write_snapshot(self, repository_id: int, seen: Snapshot) -> None:
        """Replace a snapshot's groups, and add its listed ranges."""
        groups = write_groups(seen)
        keys = {"repository_id": repository_id, "day": seen.day.isoformat()}
        self._upsert("snapshot", keys, {"repository": seen.repository, **_columns(groups)})
        for group, table in _LISTS.items():
            if group in groups:
                self._database.execute(f"DELETE FROM {table} WHERE repository_id = :repository_id AND day = :day", keys)  # noqa: S608 - our own names
                for position, row in enumerate(groups[group]["rows"]):
                    self._upsert(table, {**keys, "position": position}, row)
        self._database.executemany(
            "INSERT OR IGNORE INTO listed VALUES (:repository_id, :day, :field, :days)",
            [{**keys, "field": field, "days": days} for field, ranges in write_listed(seen).items() for days in ranges],
        )

    def _upsert(self, table: str, keys: dict[str, Any], columns: dict[str, Any]) -> None:
        row = {**keys, **columns}
        self._database.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)}) "  # noqa: S608 - our own names
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in columns)}",
            row,
        )


def _date(row: sqlite3.Row, skip: Callable[[str], None]) -> date | None:
    """Return a row's day; None, reported to `skip`, if its day or its name is invalid."""
    if type(row["repository"]) is not str:
        skip("repository")
        return None
    try:
        return read_date(row["day"])
    except UNREADABLE:
        skip("day")
        return None


def _columns(groups: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return groups as columns: `<group>_at`, then the values.

    Rows of groups have their own tables.
    """
    columns: dict[str, Any] = {}
    for name, group in groups.items():
        columns[f"{name}_at"] = group["at"]
        columns |= {field: value for field, value in group.items() if field not in ("at", "rows", "last")}
        if name in TOTALS:
            columns[f"{name}_last"] = group.get("last")
        if name == "metadata":
            columns |= {field: group.get(field) for field in METADATA}
    return columns


def _groups(row: sqlite3.Row, lists: dict[str, list[sqlite3.Row]]) -> dict[str, dict[str, Any]]:
    """Return the groups of a row: the inverse of `_columns`."""
    groups: dict[str, dict[str, Any]] = {}
    for name in GROUPS:
        if (at := row[f"{name}_at"]) is not None:
            fields = (*METADATA, "created") if name == "metadata" else TOTALS.get(name, ())
            groups[name] = {"at": at, **{field: row[field] for field in fields}}
            if name in TOTALS:
                groups[name]["last"] = row[f"{name}_last"]
            if name in lists:
                groups[name]["rows"] = lists[name]
    return groups
