"""Reader of other tools' SQLite databases, opened read-only."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.columns import parse_day, parse_id, parse_number, plain_repository
from ghtraffic_action.importing.model import Claim, Form, Found, LeftOut, Reading, Row, Zeros
from ghtraffic_action.traffic.model import METRICS, Day

MAGIC = b"SQLite format 3\0"

# Columns are NOT NULL DEFAULT 0, with rows also for days with stars only: 0 is unknown.
GHSTATS = Form("ghstats", Zeros.FILLED)
GGHSTATS = Form("gghstats")

_GHSTATS = (
    "SELECT repos.id, repos.name, date, views_count, views_uniques, clones_count, clones_uniques"
    " FROM repo_stats JOIN repos ON repos.id = repo_id ORDER BY repo_id, date"
)
_GGHSTATS = "SELECT repo, date, count, uniques FROM {table} ORDER BY repo, date"
_COLUMNS = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"
_GHSTATS_TABLES = {
    "repos": {"id", "name"},
    "repo_stats": {"repo_id", "date", "views_count", "views_uniques", "clones_count", "clones_uniques"},
}
_GGHSTATS_TABLES: dict[str, set[str]] = {metric: {"repo", "date", "count", "uniques"} for metric in METRICS}
_OUR_TABLES = {"repository": {"id", "name"}, "day": {"views", "clones"}, "snapshot": {"day"}}

_WAL = (b"\2\2", b"\1\1")
"""The header's two version bytes of a database with a write-ahead log, and of one without."""

_LOGS = ("-wal", "-journal")
"""Suffixes of files that belong to a database."""


def recognise_sqlite(content: bytes, path: Path | None) -> Reading | None:
    """Return a database's reading, None for an unknown one.

    `path` is the database's path, if it is a file. Raises ForeignFileError if it cannot be read.
    """
    if not content.startswith(MAGIC):
        return None
    with _opened(content, path) as database:
        columns = _columns(database)
        if not columns and content[18:20] == _WAL[0]:
            what = "the database has no tables, likely since its log (…-wal) is not beside it"
            raise ForeignFileError(f"{what}: copy both files, or leave it out")
        if _has(columns, _GHSTATS_TABLES):
            _check_whole(database)
            return Reading(GHSTATS, lambda: _ghstats(content, path))
        if _has(columns, _GGHSTATS_TABLES):
            _check_whole(database)
            return Reading(GGHSTATS, lambda: _gghstats(content, path))
    return None


def is_store_of_ours(content: bytes, path: Path | None) -> bool:
    """Return whether a file is a ghtraffic store."""
    if not content.startswith(MAGIC):
        return False
    with _opened(content, path) as database:
        return _has(_columns(database), _OUR_TABLES)


def _columns(database: sqlite3.Connection) -> dict[str, set[str]]:
    columns: dict[str, set[str]] = {}
    for table, column in _select(database, _COLUMNS):
        columns.setdefault(str(table).lower(), set()).add(str(column).lower())
    return columns


def _has(columns: Mapping[str, set[str]], tables: Mapping[str, set[str]]) -> bool:
    return all(needed <= columns.get(table, set()) for table, needed in tables.items())


def _check_whole(database: sqlite3.Connection) -> None:
    """Raise ForeignFileError if the database is damaged: rows could be missing or wrong."""
    for (found,) in _select(database, "PRAGMA quick_check(1)"):
        if found != "ok":
            what = str(found).splitlines()[-1][:100]
            raise ForeignFileError(f"the database is damaged ({what}): take a whole copy of it, or leave it out")


def _opened(content: bytes, path: Path | None) -> "closing[sqlite3.Connection]":
    try:
        if path is None:
            database = sqlite3.connect(":memory:")
            database.deserialize(content[:18] + content[18:20].replace(*_WAL) + content[20:])
        else:
            # Without a log nothing changes, and SQLite need not write files.
            still = "" if any(Path(f"{path}{log}").exists() for log in _LOGS) else "&immutable=1"
            database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{still}", uri=True)
    except sqlite3.Error as error:
        raise _unreadable(error) from error
    return closing(database)


def _select(database: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    try:
        yield from database.execute(query)
    except sqlite3.Error as error:
        raise _unreadable(error) from error


def _unreadable(error: sqlite3.Error) -> ForeignFileError:
    return ForeignFileError(f"the database cannot be read ({error}): check that it is whole, or leave it out")


def _ghstats(content: bytes, path: Path | None) -> Iterator[Row]:
    with _opened(content, path) as database:
        for identity, name, day, *numbers in _select(database, _GHSTATS):
            yield _row(plain_repository(name), identity, day, numbers)


def _gghstats(content: bytes, path: Path | None) -> Iterator[Row]:
    with _opened(content, path) as database:
        for metric in METRICS:
            for name, day, *numbers in _select(database, _GGHSTATS.format(table=metric)):
                pair = (*numbers, None, None) if metric == "views" else (None, None, *numbers)
                yield _row(plain_repository(name), None, day, pair)


def _row(name: str, identity: object, day: object, numbers: Iterable[object]) -> Row:
    try:
        claim, found = Claim(name, parse_id(identity)), parse_day(day)
        values = [parse_number(value, f"a number of {day}") for value in numbers]
    except ValueError as error:
        raise ForeignFileError(f"{error}: leave the database out") from error
    return Found(claim, Day(found, name, *values)) if found else LeftOut("rows of a whole month", claim)
