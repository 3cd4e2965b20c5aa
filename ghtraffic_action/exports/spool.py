"""Rows on disk until they are written, which keeps the memory of an export flat."""

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.csvfile import render_rows
from ghtraffic_action.exports.layout import Row
from ghtraffic_action.exports.rows import Rows


class Spool:
    """The rows of many repositories, by file. Every method may be called from any thread and raises DestinationError.

    SQLite keeps what is small in memory, writes the rest to an unnamed temporary file, and needs no lock of ours.
    """

    def __init__(self, part: str = "") -> None:
        """Keep the rows of those files alone whose keys contain `part`."""
        self._part = part
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE part (key TEXT, repository_id INTEGER, rows BLOB, PRIMARY KEY (key, repository_id))"
        )

    def add(self, repository_id: int, rows: Rows) -> None:
        """Store the rows of a repository in the place of its earlier ones."""
        parts = [(key, repository_id, render_rows(found)) for key, found in rows.items() if self._part in key]
        with self._translated():
            self._database.executemany("INSERT OR REPLACE INTO part VALUES (?, ?, ?)", parts)

    def keys(self) -> set[str]:
        """Return the keys of all files that have rows."""
        with self._translated():
            return {key for (key,) in self._database.execute("SELECT DISTINCT key FROM part")}

    def rows(self, key: str) -> dict[int, tuple[Row, ...]]:
        """Return the rows of a file by repository, sorted by its id."""
        with self._translated():
            parts = self._database.execute("SELECT repository_id, rows FROM part WHERE key = ? ORDER BY 1", (key,))
            return {repository_id: _read(rows) for repository_id, rows in parts}

    def close(self) -> None:
        """Remove everything."""
        self._database.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            remedy = "make room in the folder for temporary files, or set TMPDIR to one that has some"
            raise DestinationError(f"temporary files: {error}: {remedy}") from error


def _read(rows: bytes) -> tuple[Row, ...]:
    return tuple(map(tuple, csv.reader(io.StringIO(rows.decode(), newline=""))))
