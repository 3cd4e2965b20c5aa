"""The reader of other tools' SQLite databases, which are opened read-only."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.columns import parse_day, parse_number
from ghtraffic_action.importing.model import Claim, Form, Found, LeftOut, Reading, Row, Zeros
from ghtraffic_action.traffic.model import METRICS, Day

MAGIC = b"SQLite format 3\0"

# Its columns are NOT NULL DEFAULT 0, and it has a row for each day of the stars: 0 is unknown.
GHSTATS = Form("ghstats", Zeros.FILLED)
GGHSTATS = Form("gghstats")

_GHSTATS = (
    "SELECT repos.id, repos.name, date, views_count, views_uniques, clones_count, clones_uniques"
    " FROM repo_stats JOIN repos ON repos.id = repo_id ORDER BY repo_id, date"
)
_GGHSTATS = "SELECT repo, date, count, uniques FROM {table} ORDER BY repo, date"
_WAL = (b"\2\2", b"\1\1")
"""The header's two version bytes of a database with a write-ahead log, and of one without."""


def recognise_sqlite(content: bytes, path: Path | None) -> Reading | None:
    """Return the reading of a database; None if it is none of these tools'. `path` is where it lies, if it is a file.

    Raises ForeignFileError if it cannot be read.
    """
    if not content.startswith(MAGIC):
        return None
    with _opened(content, path) as database:
        tables = {name for (name,) in _select(database, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    if {"repos", "repo_stats"} <= tables:
        return Reading(GHSTATS, lambda: _ghstats(content, path))
    if {"views", "clones"} <= tables:
        return Reading(GGHSTATS, lambda: _gghstats(content, path))
    return None


def _opened(content: bytes, path: Path | None) -> "closing[sqlite3.Connection]":
    try:
        if path is None:
            database = sqlite3.connect(":memory:")
            database.deserialize(content[:18] + content[18:20].replace(*_WAL) + content[20:])
        else:
            # Without a log of another program nothing changes, and SQLite need not write files of its own.
            still = "" if Path(f"{path}-wal").exists() else "&immutable=1"
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
            found = _day(day, str(name), *numbers)
            yield Found(Claim(str(name), _number(identity)), found) if found else LeftOut("rows of a whole month")


def _gghstats(content: bytes, path: Path | None) -> Iterator[Row]:
    with _opened(content, path) as database:
        for metric in METRICS:
            for name, day, *numbers in _select(database, _GGHSTATS.format(table=metric)):
                pair = (*numbers, None, None) if metric == "views" else (None, None, *numbers)
                found = _day(day, str(name), *pair)
                yield Found(Claim(str(name)), found) if found else LeftOut("rows of a whole month")


def _day(text: object, name: str, *numbers: object) -> Day | None:
    try:
        day = parse_day(text)
    except ValueError as error:
        raise ForeignFileError(f"{error}: leave the database out") from error
    return None if day is None else Day(day, name, *map(_number, numbers))


def _number(value: object) -> int | None:
    try:
        return parse_number(value, "a number")
    except ValueError as error:
        raise ForeignFileError(f"{error}: leave the database out") from error
