"""The SQLite store: its form, its lock and its permissions."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.stores.sqlite_schema import MIGRATIONS
from ghtraffic_action.traffic.model import (
    NUMBERS,
    Changes,
    History,
    TopPath,
    TopPaths,
    Totals,
)
from tests.support.files import without_rights
from tests.support.histories import (
    ID,
    NOON,
    day,
    refusal,
    save,
    snapshot,
)


def test_the_file_is_in_wal_mode_and_marked_as_ours() -> None:
    """Readers do not block the writer, and `file` and later versions recognise the file."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    with closing(sqlite3.connect("traffic.db")) as database:
        pragmas = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "user_version")]
        assert pragmas == ["wal", len(MIGRATIONS)]
        assert database.execute("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"ghtr"
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        lists = {"listed", "top_path", "top_referrer", "release", "workflow_run", "download", "star", "star_year"}
        assert tables == {"repository", "day", "snapshot", "import", *lists}


def test_a_file_keeps_its_history() -> None:
    """Saved days are there when the file is opened again."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    with closing(SQLiteStore("traffic.db", create=False)) as store:
        assert store.load(ID).days == (day(1, views=1),)


def test_a_save_is_all_or_nothing() -> None:
    """If one value cannot be written, the whole save is undone: half an observation would be wrong coverage."""
    unwritable = TopPaths(NOON, (TopPath("/a", "A", 1, 1), TopPath("/b", "\ud800", 1, 1)))
    with closing(SQLiteStore("traffic.db")) as store:
        with pytest.raises(UnicodeEncodeError):
            store.save(ID, Changes((day(1, views=1),), (snapshot(views=Totals(NOON, 1, 1), paths=unwritable),)))
        assert list(store.scan()) == []
        save(store)
        assert store.load(ID).days == (day(1, views=1),)


def test_a_new_file_can_be_opened_by_many_at_once() -> None:
    """The first connection creates the tables; the others use them."""
    start = Barrier(6)

    def begin(i: int) -> None:
        start.wait(10)
        with closing(SQLiteStore("traffic.db")) as store:
            store.save(i, Changes((day(1, views=i),)))

    with ThreadPoolExecutor(6) as executor:
        list(executor.map(begin, range(6)))
    with closing(SQLiteStore("traffic.db")) as store:
        assert sorted(history.repository_id for history in store.scan()) == list(range(6))


def refusal_of(path: str | Path, *, create: bool = True, lock_timeout: float = 0.01) -> str:
    """Return a refused file's error without the file's name."""
    with pytest.raises(StoreError) as refused:
        SQLiteStore(str(path), create=create, lock_timeout=lock_timeout)
    where, _, text = str(refused.value).partition(f"store sqlite:{path}: ")
    assert where == ""
    return text


def test_a_file_that_is_no_database_is_left_alone() -> None:
    """A text file, say a wrong path, is refused and keeps its bytes."""
    Path("notes.txt").write_text("not a database, but long enough to look at\n" * 40)
    before = Path("notes.txt").read_bytes()
    assert refusal_of("notes.txt") == "is not an SQLite database: name another file, or move this one away"
    assert Path("notes.txt").read_bytes() == before


def test_the_database_of_another_program_is_left_alone() -> None:
    """Tables that are not ours are refused, and not a byte of the file is changed."""
    with closing(sqlite3.connect("other.db")) as database:
        database.execute("CREATE TABLE day (theirs TEXT)")
    before = Path("other.db").read_bytes()
    assert refusal_of("other.db") == "is the database of another program: name another file"
    assert Path("other.db").read_bytes() == before


def test_a_file_of_a_newer_version_is_left_alone() -> None:
    """A form that this version does not know is refused, with both versions' numbers."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    with closing(sqlite3.connect("traffic.db")) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    known = len(MIGRATIONS)
    text = f"was written by a newer ghtraffic (schema {known + 1}, this version reads up to {known}): upgrade ghtraffic"
    assert refusal_of("traffic.db") == text


def test_a_file_of_an_older_form_is_brought_up_to_date() -> None:
    """Each missing migration is applied once without losing data, and an older version then refuses the file."""
    known = len(MIGRATIONS)
    later = (
        *MIGRATIONS,
        "CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('2');",
        "INSERT INTO note VALUES ('3');",
    )
    with closing(SQLiteStore("traffic.db", migrations=later[:known])) as store:
        save(store)
    for _ in range(2):
        with closing(SQLiteStore("traffic.db", migrations=later)) as store:
            assert store.load(ID).days == (day(1, views=1),)
    with closing(sqlite3.connect("traffic.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (known + 2,)
        assert database.execute("SELECT text FROM note").fetchall() == [("2",), ("3",)]
    what = f"was written by a newer ghtraffic (schema {known + 2}, this version reads up to {known})"
    assert refusal_of("traffic.db") == f"{what}: upgrade ghtraffic"


def test_a_step_that_fails_leaves_the_older_form() -> None:
    """If a migration fails, the version that wrote the file can still use it."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    broken = (*MIGRATIONS, "CREATE TABLE note (text TEXT); INSERT INTO notes VALUES ('2');")
    with pytest.raises(StoreError, match=r"store sqlite:traffic\.db: failed: no such table: notes"):
        SQLiteStore("traffic.db", migrations=broken)
    with closing(SQLiteStore("traffic.db")) as store:
        assert store.load(ID).days == (day(1, views=1),)


def test_a_repository_is_listed_by_its_newest_name() -> None:
    """The file has the newest name, also after an import of older days."""
    with closing(SQLiteStore("traffic.db")) as store:
        store.save(ID, Changes((day(1, views=1),), (snapshot(name="lab/new", views=Totals(NOON, 1, 1)),)))
        store.save(ID, Changes((day(40, views=1, name="lab/old"), day(1, views=2, name="lab/old"))))
    with closing(sqlite3.connect("traffic.db")) as database:
        assert database.execute("SELECT id, name FROM repository").fetchall() == [(ID, "lab/new")]


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Open a write transaction and do not end it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


def test_a_locked_file_is_waited_for_and_then_named() -> None:
    """Saving and opening time out with the same remedy."""
    text = "is locked by another program: run again when that has ended"
    with closing(SQLiteStore("traffic.db", lock_timeout=0.01)) as store:
        with locked("traffic.db"):
            assert refusal(store, save) == f"store sqlite:traffic.db: {text}"
            assert refusal_of("traffic.db") == text
            assert store.load(ID) == History(ID)
        save(store)
        assert len(store.load(ID).days) == 1


def test_a_missing_file_is_not_made_by_a_rebuild() -> None:
    """An export from a store that is not there names what to do, and leaves no empty file."""
    text = "there is no such file: run `ghtraffic collect` first, or name the store that it writes"
    assert refusal_of("missing.db", create=False) == text
    with pytest.raises(StoreError, match=r"store sqlite:missing.db: there is no such file"):
        open_store("sqlite:missing.db", create=False)
    assert not Path("missing.db").exists()


def test_a_file_whose_folder_cannot_be_used_is_named() -> None:
    """A folder that is missing, or is a file, is reported."""
    Path("file").touch()
    text = "cannot be opened: make its folder, and give this user the right to write there"
    assert refusal_of("missing/traffic.db") == text
    assert refusal_of("file/traffic.db") == text
    assert refusal_of(".") == text


def test_a_file_that_may_only_be_read_is_named(others_folder: Path) -> None:
    """The remedy is the permission to write the file."""
    path = others_folder / "traffic.db"
    with closing(SQLiteStore(str(path))) as store:
        save(store)
    text = "cannot be written: give this user the right to write the file and its folder"
    with without_rights(others_folder):
        assert refusal_of(path) == text


def test_a_folder_that_may_not_be_written_is_named(others_folder: Path) -> None:
    """The remedy is the permission to write the folder."""
    text = "cannot be opened: make its folder, and give this user the right to write there"
    with without_rights(others_folder):
        assert refusal_of(others_folder / "traffic.db") == text


def test_the_numbers_of_a_day_are_the_columns_of_the_store() -> None:
    """A day's numbers have the same names in the table, the file and the export."""
    assert NUMBERS == ("views", "view_uniques", "clones", "clone_uniques")
    with closing(SQLiteStore("traffic.db")):
        pass
    with closing(sqlite3.connect("traffic.db")) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(day)")]
    assert columns == ["repository_id", "day", "repository", *NUMBERS]
