"""Imports of foreign files, as the tests run them."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ghtraffic_action.backup.archive import write_backup
from ghtraffic_action.importing.importer import Plan, Request, run_import
from ghtraffic_action.importing.ownership import Identity
from ghtraffic_action.importing.undo import Undone, undo_import
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import Day, History
from tests.support.builders import ROOT

EXCERPTS = ROOT / "tests" / "data" / "import"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
STORE = "sqlite:traffic.db"
ATLAS = "octo-lab/atlas"


def look_up(name: str) -> Identity:
    """Return the repository of a name, with the length of the name as its id."""
    return Identity(len(name), name)


def bring(*paths: str | Path, store: str = STORE, now: datetime = NOW, **flags: Any) -> Plan:  # noqa: ANN401 - of Request
    """Import foreign files of octo-lab/atlas, id 7, and write them."""
    known: dict[str, Any] = {"repository": ATLAS, "repository_id": 7, "write": True}
    request = Request(tuple(map(str, paths)), **(known | flags))
    return run_import(Settings(store=store), request, now, look_up)


def take_back(import_id: str, store: str = STORE) -> Undone:
    return undo_import(Settings(store=store), import_id)


def backup_of(store: str = STORE) -> bytes:
    """Return the whole store as a backup, empty if it holds nothing."""
    with closing(open_store(store, create=True)) as opened:
        if not any(history.days or history.snapshots for history in opened.scan()):
            return b""
    write_backup(Settings(store=store), "whole.jsonl")
    return Path("whole.jsonl").read_bytes()


def history_of(repository_id: int = 7, store: str = STORE) -> History:
    with closing(open_store(store, create=True)) as opened:
        return opened.load(repository_id)


def days_of(repository_id: int = 7, store: str = STORE) -> tuple[Day, ...]:
    return history_of(repository_id, store).days


def write_csv(name: str, header: str, *rows: str) -> str:
    """Write a CSV file and return its name."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("\n".join((header, *rows, "")))
    return name


def write_database(name: str, schema: str, *tables: tuple[str, Iterable[tuple[object, ...]]]) -> str:
    """Write a SQLite database and return its name."""
    with closing(sqlite3.connect(name)) as database:
        database.executescript(schema)
        for table, rows in tables:
            for row in rows:
                database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - the tests' own
        database.commit()
    return name
