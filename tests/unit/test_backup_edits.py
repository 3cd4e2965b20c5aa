"""Backups after edits by editors, git and Windows."""

import bz2
import codecs
import gzip
import lzma
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.errors import BackupError, ForeignFileError
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import open_store
from tests.support.imports import ATLAS, NOW, STORE, bring, days_of, take_back, write_csv

HEADER = "date,views,uniques"


@pytest.fixture
def backup() -> bytes:
    """Return a backup of two days, without its store."""
    bring(write_csv("t.csv", HEADER, "2026-03-01,5,2", "2026-03-02,7,2"))
    write_backup(Settings(store=STORE), "whole.jsonl")
    for file in Path().glob("traffic.db*"):
        file.unlink()
    return Path("whole.jsonl").read_bytes()


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "git's autocrlf": lambda content: content.replace(b"\n", b"\r\n"),
    "a byte-order mark": lambda content: codecs.BOM_UTF8 + content,
    "both": lambda content: codecs.BOM_UTF8 + content.replace(b"\n", b"\r\n"),
    "no last end of line": lambda content: content.rstrip(b"\n"),
    "empty lines behind": lambda content: content + b"\r\n\n",
    "empty lines before": lambda content: b"\n" + content,
    "empty lines between": lambda content: content.replace(b"\n", b"\n\n"),
    "blanks behind": lambda content: content.replace(b"\n", b" \t\n"),
    "an end of DOS": lambda content: content + b"\x1a",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_that_leaves_records_whole_does_no_harm(backup: bytes, edit: Callable[[bytes], bytes]) -> None:
    """The file is accepted as a backup and as a store, whose next write normalises it."""
    Path("edited.jsonl").write_bytes(edit(backup))
    bring("edited.jsonl")
    assert [day.views for day in days_of()] == [5, 7]
    with closing(open_store("jsonl:edited.jsonl", create=False)) as store:
        assert [day.views for day in store.load(7).days] == [5, 7]
    bring(write_csv("more.csv", HEADER, "2026-03-03,9,2"), store="jsonl:edited.jsonl")
    assert b"\r" not in Path("edited.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (gzip.compress, r"the file is compressed \(gzip\)"),
        (lzma.compress, r"the file is compressed \(xz\)"),
        (bz2.compress, r"the file is compressed \(bzip2\)"),
        (lambda content: content.decode().encode("utf-16"), "the file is in UTF-16 or damaged"),
        (lambda content: content.decode().encode("utf-32"), "the file is in UTF-32 or damaged"),
        (lambda content: content.decode().encode("utf-16-le"), "the file is in UTF-16 or damaged"),
    ],
)
def test_another_encoding_is_named(backup: bytes, edit: Callable[[bytes], bytes], what: str) -> None:
    """It is also recognised in a pipe, where only the first line can be inspected."""
    Path("edited.jsonl").write_bytes(edit(backup))
    with pytest.raises(BackupError, match=what):
        import_backup(Settings(store=STORE), "edited.jsonl", NOW.date())


@pytest.mark.parametrize(
    "edit", [lambda content: content.decode().encode("utf-16"), lambda content: content.replace(b"\n", b"\r")]
)
def test_a_backup_is_never_read_as_foreign(backup: bytes, edit: Callable[[bytes], bytes]) -> None:
    """Read as a table, its days would lose their coverage."""
    Path("edited.jsonl").write_bytes(edit(backup))
    with pytest.raises(ForeignFileError, match="it is a backup of ghtraffic in another encoding"):
        bring("edited.jsonl")


def test_an_undo_leaves_what_a_backup_of_the_same_import_brought(backup: bytes) -> None:
    """Numbers that the foreign file raised return to the backup's; the store did not have the day before."""
    Path("folder").mkdir()
    Path("folder/whole.jsonl").write_bytes(backup)
    write_csv("folder/views.csv", HEADER, "2026-03-01,9,3", "2026-03-05,1,1")
    plan = bring("folder", repository_id=None)
    assert [(found.who.id, found.new, found.raised) for found in plan.repositories] == [(7, 1, 1)]
    assert [day.views for day in days_of()] == [9, 7, 1]
    take_back(plan.id)
    assert [(day.views, day.view_uniques) for day in days_of()] == [(5, 2), (7, 2)]
    assert days_of()[0].repository == ATLAS
