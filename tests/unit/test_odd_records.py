"""Invalid records in stores: each is skipped with a warning, and the rest is used."""

import logging
import sqlite3
import subprocess
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.errors import RecordError
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import Changes, Day, DayRange, Snapshot, TopPath, TopPaths, Totals
from tests.support.aws import Aws

ID = 7
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = Day(date(2026, 11, 20), "a/b", views=5, view_uniques=2, clones=3, clone_uniques=1)
SEEN = Snapshot(NOON.date(), "a/b", views=Totals(NOON, 50, 20), paths=TopPaths(NOON, (TopPath("/a", "A", 3, 2),)))
NEW = Changes((Day(DAY.day, "a/b", views=6, view_uniques=2, clones=3, clone_uniques=1),), (SEEN,))
Put = Callable[..., None]


@pytest.fixture(params=["sqlite", pytest.param("dynamodb", marks=pytest.mark.e2e)])
def address(request: pytest.FixtureRequest) -> str:
    """Return the address of a store with one day and one snapshot."""
    store = "sqlite:traffic.db" if request.param == "sqlite" else request.getfixturevalue("aws").store
    with closing(open_store(store, create=True)) as opened:
        opened.save(ID, Changes((DAY,), (SEEN,)))
    return str(store)


@pytest.fixture
def put(address: str, request: pytest.FixtureRequest) -> Put:
    """Return a function that writes directly into the store: `put("day", "2026-11-20", views="many")`."""

    def put(kind: str, day: str, **values: Any) -> None:  # noqa: ANN401 - whatever somebody writes
        if address.startswith("sqlite:"):
            with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
                keys = {"repository_id": ID, "day": day, "repository": "a/b"}
                row = keys | values
                places = ", ".join(f":{name}" for name in row)
                updates = ", ".join(f"{name} = excluded.{name}" for name in row)
                database.execute(
                    f"INSERT INTO {kind} ({', '.join(row)}) VALUES ({places}) "  # noqa: S608 - names of this test
                    f"ON CONFLICT (repository_id, day) DO UPDATE SET {updates}",
                    row,
                )
        else:
            aws: Aws = request.getfixturevalue("aws")
            update = {name: {"Value": _attribute(value)} for name, value in ({"repo": "a/b"} | values).items()}
            aws.dynamodb.update_item(
                TableName=aws.table,
                Key={"pk": {"S": f"repo#{ID}"}, "sk": {"S": f"{kind}#{day}"}},
                AttributeUpdates=update,
            )

    return put


def _attribute(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever somebody writes
    if isinstance(value, dict):
        return {"M": {name: _attribute(field) for name, field in value.items()}}
    return {"N": str(value)} if isinstance(value, int | float) else {"S": value}


def load(address: str) -> tuple[tuple[Day, ...], tuple[Snapshot, ...]]:
    with closing(open_store(address, create=True)) as store:
        history = store.load(ID)
        [scanned] = store.scan()
    assert scanned == history
    return history.days, history.snapshots


@pytest.mark.parametrize("day", ["note", "9999-12-31", "1970-01-01", "2026-11-20 ", "20261120"])
@pytest.mark.parametrize("kind", ["day", "snapshot"])
def test_a_day_that_is_none_is_skipped_by_name(
    address: str, put: Put, caplog: pytest.LogCaptureFixture, kind: str, day: str
) -> None:
    """The warning appears once, with the command that removes the record."""
    put(kind, day)
    assert load(address) == ((DAY,), (SEEN,))
    [warning] = {record.getMessage() for record in caplog.records if record.levelno == logging.WARNING}
    assert day in warning
    assert ("delete-item" if address.startswith("dynamodb") else f"FROM {kind} WHERE repository_id = 7") in warning
    with closing(open_store(address, create=True)) as store:
        assert store.save(ID, NEW).raised == 1


@pytest.mark.parametrize("value", ["many", 12.5, -3])
def test_a_number_that_is_none_is_skipped_and_replaced(
    address: str, put: Put, caplog: pytest.LogCaptureFixture, value: object
) -> None:
    """The other numbers are read, and a run stores GitHub's number instead."""
    put("day", "2026-11-20", views=value)
    [day], _ = load(address)
    assert (day.views, day.clones) == (None, 3)
    assert "unusable views" in caplog.text
    if value == 12.5 and address.startswith("dynamodb"):
        return  # larger than what is seen: see below
    with closing(open_store(address, create=True)) as store:
        store.save(ID, NEW)
    assert load(address)[0] == NEW.days


def test_a_number_that_cannot_be_replaced_has_the_line_that_removes_it(aws: Aws) -> None:
    """A fraction above the observed number stops its own repository only; the error's command removes it."""
    with closing(open_store(aws.store, create=True)) as store:
        store.save(ID, Changes((DAY,)))
        key = {"pk": {"S": f"repo#{ID}"}, "sk": {"S": f"day#{DAY.day}"}}
        odd = {"views": {"Value": {"N": "12.5"}}}
        aws.dynamodb.update_item(TableName=aws.table, Key=key, AttributeUpdates=odd)
        with pytest.raises(RecordError) as refused:
            store.save(ID, NEW)
        assert f"the item repo#{ID} day#{DAY.day} has invalid values" in str(refused.value)
        assert f'aws dynamodb delete-item --table-name {aws.table} --key \'{{"pk"' in str(refused.value)
        aws.dynamodb.delete_item(TableName=aws.table, Key=key)
        assert store.save(ID, NEW).inserted == 1


@pytest.mark.parametrize(
    ("column", "group"),
    [
        ({"views_14d": "many"}, {"at": "2026-11-20T12:00:00Z", "views_14d": "many", "view_uniques_14d": 20}),
        ({"views_at": "9998-01-01T00:00:00Z"}, {"at": "9998-01-01T00:00:00Z", "views_14d": 1, "view_uniques_14d": 1}),
        ({"views_at": "noon"}, {"views_14d": 1}),
        ({"views_at": "x"}, "many"),
    ],
)
def test_a_group_that_cannot_be_read_is_skipped(
    address: str,
    put: Put,
    caplog: pytest.LogCaptureFixture,
    column: dict[str, object],
    group: object,
) -> None:
    """The other groups are read, and the next run replaces the invalid one."""
    put("snapshot", "2026-11-20", **(column if address.startswith("sqlite") else {"views": group}))
    _, [seen] = load(address)
    assert (seen.views, seen.paths) == (None, SEEN.paths)
    assert "unusable views" in caplog.text
    if isinstance(group, dict) and str(group.get("at")).startswith("9998") and address.startswith("dynamodb"):
        with closing(open_store(address, create=True)) as store, pytest.raises(RecordError, match="delete-item"):
            store.save(ID, NEW)
        return
    with closing(open_store(address, create=True)) as store:
        store.save(ID, NEW)
    assert load(address)[1] == (SEEN,)


def test_the_line_that_removes_a_row_does(caplog: pytest.LogCaptureFixture) -> None:
    """The warning's command works in a shell and removes nothing else."""
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        store.save(ID, Changes((DAY,), (SEEN,)))
    with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
        database.execute("INSERT INTO day (repository_id, day, repository) VALUES (7, 'note', 'a/b')")
    assert load("sqlite:traffic.db") == ((DAY,), (SEEN,))
    statement = caplog.messages[0].split("`")[1].removeprefix("sqlite3 traffic.db ")
    words = subprocess.run(["sh", "-c", f"printf %s {statement}"], capture_output=True, text=True, check=True).stdout
    with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
        assert database.execute(words).rowcount == 1
    caplog.clear()
    assert load("sqlite:traffic.db") == ((DAY,), (SEEN,))
    assert caplog.messages == []


@pytest.mark.parametrize("record", ["junk", '{"id": "x"}', b"\xff", "[" * 200_000])
def test_a_record_of_an_import_that_is_none_is_skipped(
    address: str, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest, record: str | bytes
) -> None:
    """Backups and the list of other imports work."""
    if address.startswith("sqlite:"):
        with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
            database.execute("INSERT INTO import VALUES (?, 'x', ?)", (ID, record))
    else:
        aws: Aws = request.getfixturevalue("aws")
        written = record if isinstance(record, bytes) else zlib.compress(record.encode())
        item = {"pk": {"S": f"repo#{ID}"}, "sk": {"S": "import#x"}, "record": {"B": written}}
        aws.dynamodb.put_item(TableName=aws.table, Item=item)
    with closing(open_store(address, create=True)) as store:
        assert store.imports.records(ID) == ()
    assert "has an unusable record, which was skipped" in caplog.text
    assert "import#x" in caplog.text or "DELETE FROM import WHERE repository_id = 7" in caplog.text


@pytest.mark.parametrize(("table", "column"), [("day", "repository"), ("top_path", "path")])
def test_a_text_in_another_encoding_stops_nothing(table: str, column: str) -> None:
    """SQLite accepts any bytes as text; invalid ones are replaced, and the day is read."""
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        store.save(ID, Changes((DAY,), (SEEN,)))
    with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
        database.execute(f"UPDATE {table} SET {column} = CAST(x'612fff' AS TEXT)")  # noqa: S608 - names of this test
    days, snapshots = load("sqlite:traffic.db")
    assert [day.views for day in days] == [5]
    assert [snapshot.paths is not None for snapshot in snapshots] == [True]
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        assert store.save(ID, NEW).raised == 1


TOTALS = {"at": "2026-11-20T12:00:00Z", "views_14d": 50, "view_uniques_14d": 20}


@pytest.mark.parametrize(
    ("kind", "columns", "attributes"),
    [
        ("day", {"views": "many"}, {"views": "many"}),
        ("day", {"views": -1, "clones": None}, {"views": -1, "clones": "none"}),
        ("snapshot", {"views_14d": -1}, {"views": TOTALS | {"views_14d": -1}}),
        ("snapshot", {"views_at": "2026-11-19T12:00:00Z"}, {"views": TOTALS | {"at": "2026-11-19T12:00:00Z"}}),
    ],
)
def test_a_backup_of_odd_records_can_be_restored(
    address: str, put: Put, kind: str, columns: dict[str, object], attributes: dict[str, object]
) -> None:
    """One damaged record does not make a backup that its own import refuses: only its readable parts are in it."""
    put(kind, "2026-11-20", **(columns if address.startswith("sqlite") else attributes))
    write_backup(Settings(store=address), "first.jsonl")
    import_backup(Settings(store="sqlite:other.db"), "first.jsonl", date(2026, 11, 23))
    write_backup(Settings(store="sqlite:other.db"), "second.jsonl")
    assert Path("first.jsonl").read_bytes() == Path("second.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("UPDATE day SET repository = x'612f62'", "the day where repository_id = 7 AND day = '2026-11-20'"),
        ("UPDATE snapshot SET repository = x'612f62'", "the snapshot where repository_id = 7 AND day = '2026-11-20'"),
    ],
)
def test_a_name_that_is_no_text_is_skipped(statement: str, part: str, caplog: pytest.LogCaptureFixture) -> None:
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        store.save(ID, Changes((DAY,), (SEEN,)))
    with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
        database.execute(statement)
    days, snapshots = load("sqlite:traffic.db")
    assert len(days) + len(snapshots) == 1
    assert f"{part} has an unusable repository" in caplog.text
    write_backup(Settings(store="sqlite:traffic.db"), "backup.jsonl")


def test_listed_days_without_totals_can_be_restored() -> None:
    """The days that an answer listed count even if its totals are damaged."""
    listed = frozenset({DayRange(date(2026, 11, 6), date(2026, 11, 19))})
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        store.save(ID, Changes((DAY,), (replace(SEEN, views_listed=listed),)))
    with closing(sqlite3.connect("traffic.db", isolation_level=None)) as database:
        database.execute("UPDATE snapshot SET views_14d = 'many'")
    write_backup(Settings(store="sqlite:traffic.db"), "backup.jsonl")
    import_backup(Settings(store="sqlite:other.db"), "backup.jsonl", date(2026, 11, 23))
    _, [seen] = load("sqlite:other.db")
    assert (seen.views, seen.views_listed) == (None, listed)


def test_items_of_other_programs_are_no_repositories(aws: Aws) -> None:
    """Only ids that an exported file can have are repositories."""
    for pk in ("repo#99999999999999999999", "repo#07", "repo#x", "user#7"):
        item = {"pk": {"S": pk}, "sk": {"S": "day#2026-11-20"}, "repo": {"S": "a/b"}, "views": {"N": "1"}}
        aws.dynamodb.put_item(TableName=aws.table, Item=item)
    with closing(open_store(aws.store, create=True)) as store:
        assert list(store.scan()) == []
