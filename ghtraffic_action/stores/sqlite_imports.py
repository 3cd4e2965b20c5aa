"""Import records in SQLite."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from ghtraffic_action.stores.sqlite_rows import SQLiteRows
from ghtraffic_action.traffic.import_records import write_import
from ghtraffic_action.traffic.model import Day
from ghtraffic_action.traffic.provenance import ImportRecord, Replacement, Reversal

_OF_A_SNAPSHOT = ("snapshot", "top_path", "top_referrer", "release", "workflow_run", "download", "listed")


class SQLiteImports:
    """Import records, one row per import and repository."""

    def __init__(
        self, transaction: Callable[[str], AbstractContextManager[sqlite3.Connection]], rows: SQLiteRows
    ) -> None:
        self._transaction = transaction
        self._rows = rows

    def records(self, repository_id: int) -> tuple[ImportRecord, ...]:
        """See Imports."""
        with self._transaction("BEGIN"):
            return tuple(self._rows.imports(repository_id))

    def add(self, repository_id: int, record: ImportRecord) -> None:
        """See Imports."""
        with self._transaction("BEGIN IMMEDIATE") as database:
            _put(database, repository_id, record)

    def take_back(self, repository_id: int, undone: ImportRecord, reversal: Reversal) -> bool:
        """See Imports. One transaction."""
        with self._transaction("BEGIN IMMEDIATE") as database:
            found = {*self._rows.days(repository_id, ""), *self._rows.snapshots(repository_id, "")}
            if any(replacement.old not in found for replacement in reversal.replacements):
                return False
            for replacement in reversal.replacements:
                self._replace(database, repository_id, replacement)
            for record in reversal.records:
                _put(database, repository_id, record)
            database.execute("DELETE FROM import WHERE repository_id = ? AND id = ?", (repository_id, undone.id))
            self._rename(database, repository_id)
        return True

    def _replace(self, database: sqlite3.Connection, repository_id: int, replacement: Replacement) -> None:
        tables = ("day",) if isinstance(replacement.old, Day) else _OF_A_SNAPSHOT
        for table in tables:
            database.execute(
                f"DELETE FROM {table} WHERE repository_id = ? AND day = ?",  # noqa: S608 - our own names
                (repository_id, replacement.old.day.isoformat()),
            )
        if isinstance(replacement.new, Day):
            self._rows.write_days(repository_id, (replacement.new,))
        elif replacement.new is not None:
            self._rows.write_snapshot(repository_id, replacement.new)

    def _rename(self, database: sqlite3.Connection, repository_id: int) -> None:
        """Update the repository's row after an undo, or delete it if nothing is left."""
        newest = (
            "SELECT repository FROM (SELECT day, 1 AS place, repository FROM snapshot WHERE repository_id = :id"
            " UNION ALL SELECT day, 0, repository FROM day WHERE repository_id = :id)"
            " ORDER BY place DESC, day DESC LIMIT 1"
        )
        row = database.execute(newest, {"id": repository_id}).fetchone()
        if row:
            database.execute("UPDATE repository SET name = ? WHERE id = ?", (row[0], repository_id))
        else:
            database.execute("DELETE FROM repository WHERE id = ?", (repository_id,))


def _put(database: sqlite3.Connection, repository_id: int, record: ImportRecord) -> None:
    written = json.dumps(write_import(record), ensure_ascii=False, separators=(",", ":"))
    database.execute("INSERT OR REPLACE INTO import VALUES (?, ?, ?)", (repository_id, record.id, written))
