"""SQLite files that cannot be written, and files that are complete after a run."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.stores.sqlite_schema import MIGRATIONS
from ghtraffic_action.traffic.model import Changes, Day
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.files import without_rights

ID = 7
DAYS = tuple(Day(date(2026, 11, number), "a/b", views=number) for number in range(1, 20))


def fill(path: Path) -> None:
    with closing(SQLiteStore(str(path))) as store:
        store.save(ID, Changes(DAYS))


def test_a_folder_that_cannot_be_written_can_be_read(others_folder: Path) -> None:
    """It can be read, and no file is created beside it."""
    path = others_folder / "traffic.db"
    fill(path)
    with without_rights(others_folder):
        with closing(open_store(f"sqlite:{path}", create=False)) as store:
            assert store.load(ID).days == DAYS
            assert len(list(store.scan())) == 1
        assert [found.name for found in others_folder.iterdir()] == ["traffic.db"]
        with pytest.raises(StoreError, match="cannot be written"):
            open_store(f"sqlite:{path}", create=True)


def test_a_file_that_cannot_be_written_can_be_read(others_folder: Path) -> None:
    """It can be read even if its folder is writable."""
    path = others_folder / "traffic.db"
    fill(path)
    with without_rights(others_folder), closing(open_store(f"sqlite:{path}", create=False)) as store:
        assert store.load(ID).days == DAYS


def test_an_older_form_can_be_read(others_folder: Path) -> None:
    """A private copy is migrated, and the file does not change."""
    path = others_folder / "traffic.db"
    fill(path)
    later = "CREATE TABLE note (text TEXT);"
    before = path.read_bytes()
    with without_rights(others_folder):
        with closing(SQLiteStore(str(path), create=False, migrations=(*MIGRATIONS, later))) as store:
            assert store.load(ID).days == DAYS
        assert path.read_bytes() == before


def test_an_unfinished_log_that_cannot_be_read_is_named(others_folder: Path) -> None:
    """Without the log the numbers would be wrong, so reading is refused."""
    path = others_folder / "traffic.db"
    with closing(SQLiteStore(str(path))) as store:
        store.save(ID, Changes(DAYS))
        for name in ("traffic.db", "traffic.db-wal"):
            shutil.copy(others_folder / name, others_folder / f"copy-{name}")
    for name in ("traffic.db", "traffic.db-wal"):
        (others_folder / f"copy-{name}").rename(others_folder / name)
    text = f"{path}-wal belongs to it: copy both to a folder that can be written"
    with without_rights(others_folder), pytest.raises(StoreError, match=text):
        open_store(f"sqlite:{path}", create=False)


@pytest.mark.e2e
@pytest.mark.parametrize("command", ["status", "export", "verify", "backup", "dry run"])
def test_every_command_that_only_reads_can(
    command: str,
    others_folder: Path,
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Commands that read work in another user's folder; a run reports the missing permission."""
    github.now = None
    for name, value in {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}.items():
        monkeypatch.setenv(name, value)
    store = ["--store", f"sqlite:{others_folder / 'traffic.db'}"]
    collect = ["collect", "--repositories", NAME, "--export-to", str(others_folder / "export")]
    assert main([*collect, *store]) == 0
    where = ["--export-to", "here"]
    shutil.copytree(others_folder / "export", "here")
    shutil.rmtree(others_folder / "export")
    words = {
        "status": ["status", *store],
        "export": ["export", *where, *store],
        "verify": ["verify", *where, *store],
        "backup": ["export", "--format", "jsonl", *store],
        "dry run": [*collect[:3], "--dry-run", *where, *store],
    }
    Path().chmod(0o777)
    assert main(words[command]) == 0  # what Python reads late, such as a codec, may be closed to another user
    subprocess.run(["chmod", "-R", "a+rwX", "here"], check=True)
    with without_rights(others_folder):
        assert main(words[command]) == 0
        assert main([*collect[:3], *where, *store]) == 1
    assert "lighthouse" in capsys.readouterr().out + "lighthouse" * (command in ("export", "verify"))


def test_a_closed_file_is_whole_though_somebody_reads(tmp_path: Path) -> None:
    """A concurrent reader keeps the log file, but the log is empty: the database alone can be copied."""
    path = tmp_path / "traffic.db"
    store = SQLiteStore(str(path))
    store.save(ID, Changes(DAYS))
    with closing(sqlite3.connect(path)) as reader:
        assert reader.execute("SELECT count(*) FROM day").fetchone() == (len(DAYS),)
        store.close()
        shutil.copy(path, tmp_path / "copy.db")
    with closing(open_store(f"sqlite:{tmp_path / 'copy.db'}", create=False)) as copy:
        assert copy.load(ID).days == DAYS


@pytest.mark.e2e
def test_a_run_that_was_killed_leaves_both_files(tmp_path: Path) -> None:
    """Both files together have everything, and the next run merges them."""
    program = (
        "import os; from tests.unit.test_read_only_store import *;"
        "store = SQLiteStore('traffic.db'); store.save(ID, Changes(DAYS)); os._exit(9)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(root)}, check=False)
    assert (tmp_path / "traffic.db-wal").stat().st_size
    with closing(open_store("sqlite:traffic.db", create=False)) as store:
        assert store.load(ID).days == DAYS
    assert [found.name for found in tmp_path.iterdir()] == ["traffic.db"]
