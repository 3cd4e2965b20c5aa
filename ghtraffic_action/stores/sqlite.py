"""The store without AWS: one SQLite file."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.base import COLLECT_FIRST, Saved
from ghtraffic_action.stores.sqlite_imports import SQLiteImports
from ghtraffic_action.stores.sqlite_rows import SQLiteRows
from ghtraffic_action.stores.sqlite_schema import APPLICATION, MIGRATIONS
from ghtraffic_action.traffic.merge import merge_day, merge_snapshot, newer_groups, raised_numbers
from ghtraffic_action.traffic.model import Changes, Day, History, Snapshot
from ghtraffic_action.traffic.stars import StarYear, merge_years, missing_years

_REMEDIES = {
    "SQLITE_NOTADB": "is not an SQLite database: name another file, or move this one away",
    "SQLITE_BUSY": "is locked by another program: run again when that has ended",
    "SQLITE_READONLY": "cannot be written: give this user the right to write the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened: make its folder, and give this user the right to write there",
    "SQLITE_FULL": "cannot grow, the disk is full: free some space and run again; nothing that was stored is lost",
    "SQLITE_IOERR": "cannot be read or written, since the disk fails: check the disk and its free space, and run again",
    "SQLITE_CORRUPT": "is damaged: bring it back from a backup, or rescue it with `sqlite3 FILE .recover`",
}


class SQLiteStore:
    """Histories in one file; every save is a transaction."""

    def __init__(
        self, path: str, *, create: bool = True, lock_timeout: float = 30.0, migrations: Sequence[str] = MIGRATIONS
    ) -> None:
        """Open `path`; wait up to `lock_timeout` seconds for another writer."""
        self._path = path
        self._migrations = migrations
        self._lock = threading.RLock()
        if not create and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a forbidden folder
            raise StoreError(f"store sqlite:{path}: there is no such file: {COLLECT_FIRST}")
        try:
            self._open(path, lock_timeout)
        except StoreError as error:
            if create or not _is(error, "SQLITE_READONLY", "SQLITE_CANTOPEN"):
                raise
            self._open_copy()
        self._rows = SQLiteRows(self._database, path)
        self.imports = SQLiteImports(self._transaction, self._rows)

    def _open(self, path: str, lock_timeout: float) -> None:
        with self._translate_errors():
            self._database = sqlite3.connect(path, timeout=lock_timeout, isolation_level=None, check_same_thread=False)
        try:
            # While another program makes the file, SQLite fails at once, without its timeout.
            Retrying(
                retry=retry_if_exception(lambda error: _is(error, "SQLITE_BUSY")),
                wait=wait_random(0, 0.1),
                stop=stop_after_delay(lock_timeout),
                reraise=True,
            )(self._prepare)
        except BaseException:
            self._database.close()
            raise

    def _open_copy(self) -> None:
        """Open a private copy of a read-only file, which is removed when closed."""
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
            days, snapshots = self._rows.days(repository_id, first), self._rows.snapshots(repository_id, first)
            stars = () if since else self._rows.stars(repository_id)
            return History(repository_id, since, tuple(days), tuple(snapshots), tuple(stars))

    def load_stars(self, repository_id: int) -> tuple[StarYear, ...]:
        """See Store."""
        with self._transaction("BEGIN"):
            return tuple(self._rows.stars(repository_id))

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store."""
        if not changes:
            return Saved(changes)
        first = min([*(d.day for d in changes.days), *(s.day for s in changes.snapshots)], default=date.max).isoformat()
        with self._transaction("BEGIN IMMEDIATE"):
            days = {day.day: day for day in self._rows.days(repository_id, first)}
            snapshots = {snapshot.day: snapshot for snapshot in self._rows.snapshots(repository_id, first)}
            records: list[Day | Snapshot] = [*changes.snapshots, *snapshots.values()]
            records = records or [*changes.days, *days.values()]
            name = max(records, key=lambda record: record.day).repository if records else changes.stars[-1].repository
            self._database.execute(
                "INSERT INTO repository VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                (repository_id, name),
            )
            years = missing_years(stored_years := tuple(self._rows.stars(repository_id)), changes.stars)
            self._rows.write_stars(repository_id, years)
            self._rows.write_days(repository_id, changes.days)
            for seen in changes.snapshots:
                if fresh := newer_groups(snapshots.get(seen.day), seen):
                    self._rows.write_snapshot(repository_id, fresh)
        return Saved(
            Changes(
                tuple(merge_day(days.get(day.day, day), day) for day in changes.days),
                tuple(merge_snapshot(snapshots.get(seen.day, seen), seen) for seen in changes.snapshots),
                merge_years(stored_years, years) if changes.stars else (),
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
        """See Store. Checkpoints the log into the file."""
        with suppress(sqlite3.Error):  # the log is durable, and the next run reads it
            self._database.execute("PRAGMA busy_timeout = 0")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.close()

    def _prepare(self) -> None:
        self._database.row_factory = sqlite3.Row
        with self._transaction("BEGIN"):
            self._schema_version()  # the next line would write to a foreign file
        with self._translate_errors():
            self._database.execute("PRAGMA journal_mode = WAL")
        with self._transaction("BEGIN IMMEDIATE"):
            version = self._schema_version()
            for statement in filter(str.strip, ";".join(self._migrations[version:]).split(";")):
                self._database.execute(statement)
            if version < len(self._migrations):
                self._database.execute(f"PRAGMA user_version = {len(self._migrations)}")
                self._database.execute(f"PRAGMA application_id = {APPLICATION}")

    def _schema_version(self) -> int:
        """Return the schema version, 0 for a new file.

        Raises StoreError for foreign or newer files.
        """
        version, application = (self._pragma(name) for name in ("user_version", "application_id"))
        empty = not self._database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if application != APPLICATION and not empty:
            raise StoreError(f"store sqlite:{self._path}: is the database of another program: name another file")
        if version > len(self._migrations):
            raise StoreError(
                f"store sqlite:{self._path}: was written by a newer ghtraffic (schema {version}, this version reads "
                f"up to {len(self._migrations)}): upgrade ghtraffic"
            )
        return 0 if empty else version

    def _pragma(self, name: str) -> int:
        return int(self._database.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translate_errors():
            self._database.execute(begin)
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            text = next((text for code, text in _REMEDIES.items() if name.startswith(code)), f"failed: {error}")
            raise StoreError(f"store sqlite:{self._path}: {text}") from error


def _is(error: BaseException, *names: str) -> bool:
    return getattr(error.__cause__, "sqlite_errorname", "").startswith(names)
