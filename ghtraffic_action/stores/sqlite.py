"""The store for those who have no AWS: one SQLite file."""

import os
import shlex
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.base import UNREADABLE, Saved, Warnings, read_date, usable_day, usable_snapshot
from ghtraffic_action.stores.sqlite_imports import SQLiteImports, Tables
from ghtraffic_action.traffic.merge import merge_day, merge_snapshot, newer_groups, raised_numbers
from ghtraffic_action.traffic.model import GROUPS, NUMBERS, Changes, Day, History, Snapshot
from ghtraffic_action.traffic.serialization import METADATA, TOTALS, write_groups, write_listed

APPLICATION = 0x67687472
"""Marks the file as ours (`ghtr`), as `PRAGMA application_id` is meant to."""

MIGRATIONS = (
    """
CREATE TABLE repository (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE day (
    repository_id INTEGER NOT NULL REFERENCES repository, day TEXT NOT NULL, repository TEXT NOT NULL,
    views INTEGER, view_uniques INTEGER, clones INTEGER, clone_uniques INTEGER,
    PRIMARY KEY (repository_id, day)
) WITHOUT ROWID;
CREATE TABLE snapshot (
    repository_id INTEGER NOT NULL REFERENCES repository, day TEXT NOT NULL, repository TEXT NOT NULL,
    metadata_at TEXT, stars INTEGER, forks INTEGER, watchers INTEGER, open_issues INTEGER,
    open_pull_requests INTEGER, archived INTEGER, created TEXT,
    views_at TEXT, views_14d INTEGER, view_uniques_14d INTEGER,
    clones_at TEXT, clones_14d INTEGER, clone_uniques_14d INTEGER,
    paths_at TEXT, referrers_at TEXT,
    PRIMARY KEY (repository_id, day)
) WITHOUT ROWID;
CREATE TABLE top_path (
    repository_id INTEGER NOT NULL, day TEXT NOT NULL, position INTEGER NOT NULL,
    path TEXT NOT NULL, title TEXT NOT NULL, count INTEGER NOT NULL, uniques INTEGER NOT NULL,
    PRIMARY KEY (repository_id, day, position)
) WITHOUT ROWID;
CREATE TABLE top_referrer (
    repository_id INTEGER NOT NULL, day TEXT NOT NULL, position INTEGER NOT NULL,
    referrer TEXT NOT NULL, count INTEGER NOT NULL, uniques INTEGER NOT NULL,
    PRIMARY KEY (repository_id, day, position)
) WITHOUT ROWID;
""",
    """
ALTER TABLE snapshot ADD COLUMN views_last TEXT;
ALTER TABLE snapshot ADD COLUMN clones_last TEXT;
ALTER TABLE snapshot ADD COLUMN private INTEGER;
ALTER TABLE snapshot ADD COLUMN retired_at TEXT;
CREATE TABLE listed (
    repository_id INTEGER NOT NULL, day TEXT NOT NULL, field TEXT NOT NULL, days TEXT NOT NULL,
    PRIMARY KEY (repository_id, day, field, days)
) WITHOUT ROWID;
""",
    """
ALTER TABLE snapshot ADD COLUMN releases_at TEXT;
CREATE TABLE release (
    repository_id INTEGER NOT NULL, day TEXT NOT NULL, position INTEGER NOT NULL,
    tag TEXT NOT NULL, published TEXT NOT NULL,
    PRIMARY KEY (repository_id, day, position)
) WITHOUT ROWID;
""",
    """
CREATE TABLE import (
    repository_id INTEGER NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (repository_id, id)
) WITHOUT ROWID;
""",
)
"""The statements that lead from each form of the tables to the next, from an empty file on; only ever appended to.

A file's `user_version` counts those that it has been through. One that lacks some is brought up to date when it is
opened; one that has more was written by a newer version, and is refused.
"""

_LISTS = {"paths": "top_path", "referrers": "top_referrer", "releases": "release"}
"""The tables of the groups that have rows."""

_CURES = {
    "SQLITE_NOTADB": "is no SQLite database: name another file, or move this one away",
    "SQLITE_BUSY": "is locked by another program: run again when that has ended",
    "SQLITE_READONLY": "cannot be written: give this user the right to write the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened: make its folder, and give this user the right to write there",
    "SQLITE_FULL": "cannot grow, the disk is full: make room and run again; nothing that was stored is lost",
    "SQLITE_IOERR": "cannot be written or read, the disk reports an error: look after it and its room, and run again",
    "SQLITE_CORRUPT": "is damaged: bring it back from a backup, or rescue it with `sqlite3 FILE .recover`",
}


class SQLiteStore:
    """Histories in one file; every save is one transaction, so that a crash leaves all of it or nothing."""

    def __init__(
        self, path: str, *, create: bool = True, patience: float = 30.0, forms: Sequence[str] = MIGRATIONS
    ) -> None:
        """Open `path`; wait up to `patience` seconds for another program that writes it."""
        self._path = path
        self._forms = forms
        self._lock = threading.RLock()
        self.imports = SQLiteImports(
            self._transaction, Tables(self._days, self._snapshots, self._write_days, self._write_snapshot)
        )
        if not create and not os.path.exists(path):  # noqa: PTH110 - it says no where Path's own raises an error
            raise StoreError(
                f"store sqlite:{path}: there is no such file: name the store that `ghtraffic collect` keeps"
            )
        self._warnings = Warnings(f"sqlite:{path}")
        try:
            self._open(path, patience)
        except StoreError as error:
            if create or not _is(error, "SQLITE_READONLY", "SQLITE_CANTOPEN"):
                raise
            self._open_copy()

    def _open(self, path: str, patience: float) -> None:
        with self._translated():
            self._database = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            # Who opens a file while others make it is turned away at once, whatever the patience.
            Retrying(
                retry=retry_if_exception(lambda error: _is(error, "SQLITE_BUSY")),
                wait=wait_random(0, 0.1),
                stop=stop_after_delay(patience),
                reraise=True,
            )(self._prepare)
        except BaseException:
            self._database.close()
            raise

    def _open_copy(self) -> None:
        """Read a file that cannot be written from a private copy, which is deleted when it is closed."""
        log = f"{self._path}-wal"
        unfinished = os.path.exists(log) and os.path.getsize(log)  # noqa: PTH110, PTH202 - they raise no error for a folder that is closed
        uri = f"{Path(self._path).absolute().as_uri()}?mode=ro{'' if unfinished else '&immutable=1'}"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as source:
                self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                source.backup(self._database)
        except sqlite3.Error as error:
            belongs = f"; {log} belongs to it: copy both to a folder that can be written" if unfinished else ""
            what = "cannot be read: give this user the right to read the file"
            raise StoreError(f"store sqlite:{self._path}: {what}{belongs}") from error
        self._prepare()

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store."""
        first = since.isoformat() if since else ""
        with self._transaction("BEGIN"):
            days = self._days(repository_id, first)
            return History(repository_id, since, tuple(days), tuple(self._snapshots(repository_id, first)))

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store."""
        if not changes:
            return Saved(changes)
        first = min([*(d.day for d in changes.days), *(s.day for s in changes.snapshots)]).isoformat()
        with self._transaction("BEGIN IMMEDIATE"):
            days = {day.day: day for day in self._days(repository_id, first)}
            snapshots = {snapshot.day: snapshot for snapshot in self._snapshots(repository_id, first)}
            records: list[Day | Snapshot] = [*changes.snapshots, *snapshots.values()]
            records = records or [*changes.days, *days.values()]
            self._database.execute(
                "INSERT INTO repository VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                (repository_id, max(records, key=lambda record: record.day).repository),
            )
            self._write_days(repository_id, changes.days)
            for seen in changes.snapshots:
                if fresh := newer_groups(snapshots.get(seen.day), seen):
                    self._write_snapshot(repository_id, fresh)
        return Saved(
            Changes(
                tuple(merge_day(days.get(day.day, day), day) for day in changes.days),
                tuple(merge_snapshot(snapshots.get(seen.day, seen), seen) for seen in changes.snapshots),
            ),
            inserted=sum(day.day not in days for day in changes.days),
            raised=sum(day.day in days and raised_numbers(days[day.day], day) is not None for day in changes.days),
        )

    def scan(self) -> Iterator[History]:
        """See Store."""
        with self._transaction("BEGIN"):
            ids = [row[0] for row in self._database.execute("SELECT id FROM repository ORDER BY id")]
        for repository_id in ids:
            yield self.load(repository_id)

    def close(self) -> None:
        """See Store. Whoever else has the file open, its own name holds everything afterwards."""
        with suppress(sqlite3.Error):  # what the log holds is stored, and the next run reads it
            self._database.execute("PRAGMA busy_timeout = 0")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.close()

    def _prepare(self) -> None:
        self._database.row_factory = sqlite3.Row
        with self._transaction("BEGIN"):
            self._form()  # before the next line writes to a file that is not ours
        with self._translated():
            self._database.execute("PRAGMA journal_mode = WAL")
        with self._transaction("BEGIN IMMEDIATE"):
            form = self._form()
            for statement in filter(str.strip, ";".join(self._forms[form:]).split(";")):
                self._database.execute(statement)
            if form < len(self._forms):
                self._database.execute(f"PRAGMA user_version = {len(self._forms)}")
                self._database.execute(f"PRAGMA application_id = {APPLICATION}")

    def _form(self) -> int:
        """Return the file's schema version, 0 if it is new. Raises StoreError for foreign or newer files."""
        form, application = (self._pragma(name) for name in ("user_version", "application_id"))
        empty = not self._database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if application != APPLICATION and not empty:
            raise StoreError(f"store sqlite:{self._path}: is the database of another program: name another file")
        if form > len(self._forms):
            raise StoreError(
                f"store sqlite:{self._path}: was written by a newer ghtraffic (form {form}, this one knows "
                f"{len(self._forms)}): upgrade ghtraffic"
            )
        return 0 if empty else form

    def _pragma(self, name: str) -> int:
        return int(self._database.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._database.execute(begin)
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            text = next((text for code, text in _CURES.items() if name.startswith(code)), f"failed: {error}")
            raise StoreError(f"store sqlite:{self._path}: {text}") from error

    def _days(self, repository_id: int, first: str) -> Iterator[Day]:
        rows = self._database.execute(
            f"SELECT day, repository, {', '.join(NUMBERS)} FROM day WHERE repository_id = ? AND day >= ? ORDER BY day",  # noqa: S608 - our own column names
            (repository_id, first),
        )
        for row in rows:
            day = self._date("day", repository_id, row["day"])
            if day:
                skip = partial(self._skip, "day", repository_id, row["day"])
                yield usable_day(day, row["repository"], dict(row), skip)

    def _snapshots(self, repository_id: int, first: str) -> Iterator[Snapshot]:
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
            day = self._date("snapshot", repository_id, row["day"])
            if day:
                groups = _groups(row, lists.get(row["day"], nothing))
                skip = partial(self._skip, "snapshot", repository_id, row["day"])
                yield usable_snapshot(day, row["repository"], groups, listed.get(row["day"], {}), skip)

    def _date(self, table: str, repository_id: int, day: object) -> date | None:
        """Read a row's day; None, with a warning, if no run can have written it."""
        try:
            return read_date(day)
        except UNREADABLE:
            self._skip(table, repository_id, day, "day")
            return None

    def _skip(self, table: str, repository_id: int, day: object, part: str) -> None:
        row = f"repository_id = {repository_id} AND day = '{day}'"
        statement = f"DELETE FROM {table} WHERE {row}"  # noqa: S608 - for the user to run
        self._warnings.skip(f"the {table} where {row}", part, f"sqlite3 {self._path} {shlex.quote(statement)}")

    def _write_days(self, repository_id: int, days: Iterable[Day]) -> None:
        raised = ", ".join(
            f"{n} = CASE WHEN typeof({n}) = 'integer' THEN max({n}, coalesce(excluded.{n}, {n})) ELSE excluded.{n} END"
            for n in NUMBERS
        )
        self._database.executemany(
            f"INSERT INTO day (repository_id, day, repository, {', '.join(NUMBERS)}) VALUES (?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - our own column names
            f"ON CONFLICT (repository_id, day) DO UPDATE SET repository = excluded.repository, {raised}",
            [(repository_id, d.day.isoformat(), d.repository, *(getattr(d, n) for n in NUMBERS)) for d in days],
        )

    def _write_snapshot(self, repository_id: int, seen: Snapshot) -> None:
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


def _is(error: BaseException, *names: str) -> bool:
    return getattr(error.__cause__, "sqlite_errorname", "").startswith(names)


def _columns(groups: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Lay written groups side by side: `at` as `<group>_at`, then the values; rows have tables of their own."""
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
