"""Rows on disk until they are written, for constant memory."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.parts import Part


class Spool:
    """Rows by file and repository; thread-safe. Every method raises DestinationError.

    SQLite keeps small data in memory, writes the rest to an unnamed temporary file, and does the locking.
    """

    def __init__(self, part: str = "") -> None:
        """Keep only rows of files whose keys contain `part`."""
        self._part = part
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE part (key, repository_id INTEGER, rows BLOB, since, PRIMARY KEY (key, repository_id))"
        )

    def add(self, repository_id: int, parts: Mapping[str, Part]) -> None:
        """Store a repository's parts of files, replacing earlier ones."""
        found = [(key, repository_id, p.rows, p.since) for key, p in parts.items() if self._part in key]
        with self._translate_errors():
            self._database.executemany("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?)", found)

    def keys(self) -> set[str]:
        """Return the keys of all files with rows."""
        with self._translate_errors():
            return {key for (key,) in self._database.execute("SELECT DISTINCT key FROM part")}

    def size(self, key: str) -> int:
        """Return the size of a file's rows in bytes."""
        with self._translate_errors():
            (size,) = self._database.execute("SELECT total(length(rows)) FROM part WHERE key = ?", (key,)).fetchone()
            return int(size)

    def parts(self, key: str) -> dict[int, Part]:
        """Return the parts of a file by repository."""
        with self._translate_errors():
            parts = self._database.execute("SELECT repository_id, rows, since FROM part WHERE key = ?", (key,))
            return {repository_id: Part(rows, since) for repository_id, rows, since in parts}

    def ids(self, key: str) -> set[int]:
        """Return the repositories with rows in a file."""
        with self._translate_errors():
            found = self._database.execute("SELECT repository_id FROM part WHERE key = ?", (key,))
            return {repository_id for (repository_id,) in found}

    def each(self, key: str) -> Iterator[Part]:
        """Yield a file's parts by repository, one at a time."""
        with self._translate_errors():
            for rows, since in self._database.execute(
                "SELECT rows, since FROM part WHERE key = ? ORDER BY repository_id", (key,)
            ):
                yield Part(rows, since)

    def repositories(self) -> Iterator[tuple[int, dict[str, Part]]]:
        """Yield each repository's parts by file, one at a time."""
        rows = "SELECT repository_id, key, rows, since FROM part ORDER BY repository_id, key"
        with self._translate_errors():
            for repository_id, group in groupby(self._database.execute(rows), itemgetter(0)):
                yield repository_id, {key: Part(rows, since) for _, key, rows, since in group}

    def close(self) -> None:
        """Remove everything."""
        self._database.close()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            remedy = "free space in the folder for temporary files, or set TMPDIR to one with free space"
            raise DestinationError(f"temporary files: {error}: {remedy}") from error
