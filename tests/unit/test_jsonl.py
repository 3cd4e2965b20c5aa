"""The store in a file of JSON lines: its form, small differences, its lock, and what it refuses."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.cli import main
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.stores.jsonl import JsonLinesStore
from ghtraffic_action.traffic.model import Changes, Day
from tests.support.files import without_rights
from tests.support.histories import ID, NOON, TODAY, day, full_snapshot, refusal, save, scan

PATH = Path("traffic.jsonl")


@pytest.fixture
def store() -> Iterator[JsonLinesStore]:
    with closing(JsonLinesStore(str(PATH))) as opened:
        yield opened


def lines() -> list[str]:
    return PATH.read_text().splitlines()


def test_the_file_is_a_backup_of_the_store(store: JsonLinesStore) -> None:
    """The file equals a backup of the store, byte for byte, and another store can import it."""
    for i in (30, 4):
        store.save(i, Changes((day(2, views=1), day(1, clones=i)), (full_snapshot(),)))
    assert write_backup(Settings(store=f"jsonl:{PATH}"), "backup.jsonl") == 6
    assert Path("backup.jsonl").read_bytes() == PATH.read_bytes()
    import_backup(Settings(store="sqlite:copy.db"), str(PATH), TODAY)
    with closing(open_store("sqlite:copy.db", create=False)) as copy:
        assert scan(copy) == scan(store)


def test_a_backup_is_a_store(store: JsonLinesStore) -> None:
    """Any store's backup can be used as a store in a branch."""
    with closing(open_store("sqlite:other.db", create=True)) as other:
        other.save(ID, Changes((day(1, views=1),), (full_snapshot(),)))
        write_backup(Settings(store="sqlite:other.db"), str(PATH))
        assert scan(store) == scan(other)


def test_a_run_s_difference_is_small(store: JsonLinesStore) -> None:
    """A new day adds two lines and replaces the last one."""
    for i in (1, 2):
        store.save(i, Changes((day(2, views=1),), (full_snapshot(NOON - timedelta(days=1)),)))
    before = lines()
    store.save(1, Changes((day(1, views=5),), (full_snapshot(),)))
    assert [line for line in lines() if line not in before][:-1] == [lines()[2], lines()[4]]
    assert [line for line in before if line not in lines()] == [before[-1]]


def test_what_changes_nothing_leaves_the_file_alone(store: JsonLinesStore) -> None:
    """A rerun writes nothing, so that a workflow has nothing to commit."""
    save(store)
    before = PATH.stat()
    save(store)
    assert PATH.stat() == before


def test_a_file_in_any_order_is_read(store: JsonLinesStore) -> None:
    """Lines that somebody added by hand or merged by git are merged by the rule, and sorted by the next save."""
    records = [
        {"id": 7, "day": "2026-11-20", "repository": "a/b", "views": 4},
        {"id": 5, "day": "2026-11-21", "repository": "a/c", "views": 1},
        {"id": 7, "day": "2026-11-19", "repository": "a/b", "views": 2},
        {"id": 7, "day": "2026-11-20", "repository": "a/b", "views": 3, "clones": 1},
    ]
    head, end = {"format": "ghtraffic backup", "version": 1}, {"records": 4}
    PATH.write_text("".join(f"{json.dumps(line)}\n" for line in (head, *records, end)))
    assert [(found.views, found.clones) for found in store.load(7).days] == [(2, None), (4, 1)]
    store.save(7, Changes((day(1, views=1),)))
    assert [(line.get("id"), line.get("day")) for line in map(json.loads, lines()[1:-1])] == [
        (5, "2026-11-21"),
        (7, "2026-11-19"),
        (7, "2026-11-20"),
        (7, "2026-11-22"),
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "line 1: the file is empty: restore the file from an earlier commit"),
        (b"day,views\n", "line 1: it is not JSON: name the file that `ghtraffic collect` writes"),
        (b'{"format":"ghtraffic backup","version":3}\n', "this ghtraffic reads 2 and older ones: upgrade ghtraffic"),
        (b'{"format":"ghtraffic backup","version":2}\n', "the file was cut off: restore the file"),
        (
            b'{"format":"ghtraffic backup","version":2}\n<<<<<<< HEAD\n',
            "line 2: it is not JSON: correct it, or restore",
        ),
        (b'{"format":"ghtraffic backup","version":2}\n{"records":1}\n', "line 2: it counts 1 records, but there are 0"),
    ],
    ids=["empty", "CSV", "newer", "cut off", "conflict", "count"],
)
def test_a_file_that_is_not_whole_is_refused(content: bytes, what: str) -> None:
    """It does not count as an empty store, and a save does not replace it."""
    PATH.write_bytes(content)
    with pytest.raises(Exception, match=r"store jsonl:traffic\.jsonl: ") as refused:
        JsonLinesStore(str(PATH))
    assert what in str(refused.value)
    assert PATH.read_bytes() == content


def test_a_file_that_is_damaged_meanwhile_is_refused(store: JsonLinesStore) -> None:
    """A changed number does not match the hash, and the file is not overwritten."""
    save(store)
    changed = PATH.read_text().replace('"views":1', '"views":9')
    PATH.write_text(changed)
    assert "another SHA-256" in refusal(store)
    assert "another SHA-256" in refusal(store, save)
    assert PATH.read_text() == changed


class _ReplacedMeanwhile(tuple[Day, ...]):
    """Days that make another program replace the file when they are read."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Day]:
        if (other := Path("other.jsonl")).exists():
            other.replace(PATH)
        return super().__iter__()


def test_a_file_that_git_replaces_meanwhile_is_merged(store: JsonLinesStore) -> None:
    """Changes by a program without our lock, such as git, are not overwritten."""
    save(store)
    with closing(JsonLinesStore("other.jsonl")) as other:
        other.save(ID, Changes((day(1, views=2), day(3, clones=3))))
    saved = store.save(ID, Changes(_ReplacedMeanwhile((day(2, views=4),))))
    assert saved.inserted == 1
    assert store.load(ID).days == (day(3, clones=3), day(2, views=4), day(1, views=2))


def test_another_writer_is_waited_for_and_then_named() -> None:
    """A lock that is held too long is an error; readers need no lock."""
    with FileLock(".traffic.jsonl.lock"), closing(JsonLinesStore(str(PATH), lock_timeout=0)) as store:
        assert scan(store) == []
        assert refusal(store, save) == (
            "store jsonl:traffic.jsonl: another program keeps writing it: run again when that has ended"
        )
    assert not PATH.exists()


def test_only_a_run_makes_the_file() -> None:
    """Commands that read report a missing file; a run creates the file, but not its folder."""
    missing = "there is no such file: run `ghtraffic collect` first, or name the store that it writes"
    for create, path, what in ((False, "traffic.jsonl", missing), (True, "away/traffic.jsonl", "make its folder")):
        with pytest.raises(Exception, match="store jsonl:") as refused:
            JsonLinesStore(path, create=create)
        assert what in str(refused.value)
    JsonLinesStore(str(PATH)).close()
    assert not PATH.exists()


def test_a_file_that_cannot_be_written_is_named(others_folder: Path) -> None:
    """It can be read, no temporary file is left, and its content does not change."""
    path = others_folder / "traffic.jsonl"
    with closing(JsonLinesStore(str(path))) as store:
        save(store)
        before = path.read_bytes()
        with without_rights(others_folder):
            what = refusal(store, lambda opened: opened.save(ID, Changes((day(1, views=2),))))
            with closing(open_store(f"jsonl:{path}", create=False)) as reader:
                assert reader.load(ID).days == (day(1, views=1),)
        assert "give this user the right to write there" in what
    assert path.read_bytes() == before
    assert sorted(found.name for found in others_folder.iterdir()) == [".traffic.jsonl.lock", "traffic.jsonl"]


def test_a_link_stays_a_link() -> None:
    """The file that it points to is replaced, with the rights that a new file has."""
    Path("deep").mkdir()
    PATH.symlink_to("deep/real.jsonl")
    with closing(JsonLinesStore(str(PATH))) as store:
        save(store)
    assert PATH.is_symlink()
    umask = os.umask(0)
    os.umask(umask)
    assert Path("deep/real.jsonl").stat().st_mode & 0o777 == 0o666 & ~umask


def test_commands_work_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`export`, `verify`, `status` and `import` work with this store."""
    with closing(JsonLinesStore(str(PATH))) as store:
        store.save(ID, Changes((day(1, views=1),), (full_snapshot(),)))
    flags = ["--store", f"jsonl:{PATH}"]
    assert main(["export", *flags, "--export-to", "export"]) == 0
    assert main(["verify", *flags, "--export-to", "export"]) == 0
    assert main(["import", str(PATH), "--store", "jsonl:copy.jsonl"]) == 0
    assert Path("copy.jsonl").read_bytes() == PATH.read_bytes()
    capsys.readouterr()
    main(["status", *flags, "--json"])
    assert json.loads(capsys.readouterr().out)["repositories"][0]["repository"] == "octo-lab/lighthouse"
