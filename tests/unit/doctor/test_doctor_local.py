"""`ghtraffic doctor` looks at files and directories, and shows what it found."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.doctor import Finding, exit_code, format_findings
from ghtraffic_action.stores.sqlite import SQLiteStore
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.findings import Findings, problems, unknown


def test_directory_in_a_job_is_a_problem(look: Callable[..., Findings]) -> None:
    """A local file is lost with the runner; a bucket without s3:// counts as a directory."""
    found = look({"GITHUB_ACTIONS": "true"}, store="sqlite:traffic.db", export_to="bucket/prefix")
    assert [what.partition(":")[0] for what in problems(found)] == ["store", "export-to"]
    assert any("s3://bucket/prefix" in what for what in found)


def test_log_beside_the_file_is_named(look: Callable[..., Findings]) -> None:
    """A killed run leaves a write-ahead log, which belongs to the database file."""
    with closing(SQLiteStore("traffic.db")):
        Path("kept").write_bytes(Path("traffic.db-wal").read_bytes() or b"x")
    Path("kept").rename("traffic.db-wal")
    assert any("traffic.db-wal holds a part of it" in what for what in look(store="sqlite:traffic.db"))


def test_file_of_a_newer_version_is_a_problem(look: Callable[..., Findings]) -> None:
    """The file is writable, but a run would refuse it."""
    with closing(SQLiteStore("traffic.db")):
        pass
    with closing(sqlite3.connect("traffic.db")) as database:
        database.execute("PRAGMA user_version = 99")
    with closing(sqlite3.connect("traffic.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert problems(look(store="sqlite:traffic.db")) == ["store sqlite:traffic.db: a newer ghtraffic wrote it"]


def test_file_and_directory_that_a_run_will_make_are_well(look: Callable[..., Findings]) -> None:
    """The checks create no files and send no requests to AWS."""
    found = look(store="sqlite:traffic.db", export_to="deep/export")
    assert "store sqlite:traffic.db: the first run will make it" in found
    assert "export-to deep/export: the first run will make it" in found
    assert problems(found) == unknown(found) == []


def test_file_and_directory_that_are_there_are_well(look: Callable[..., Findings], tmp_path: Path) -> None:
    """An existing store is recognised by its first bytes, without a lock or another file."""
    with closing(SQLiteStore("traffic.db")):
        pass
    (tmp_path / "export").mkdir()
    before = sorted(tmp_path.iterdir())
    found = look(store="sqlite:traffic.db", export_to="export")
    assert "store sqlite:traffic.db: it is there and can be written" in found
    assert "export-to export: it is there and can be written" in found
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("store", "what"),
    [
        ("sqlite:away/traffic.db", "its folder cannot be written"),
        ("sqlite:text", "it is another program's file"),
        ("sqlite:foreign.db", "it is another program's file"),
        ("jsonl:text", "it is another program's file"),
        ("jsonl:away/traffic.jsonl", "its folder cannot be written"),
    ],
)
def test_store_that_cannot_be_used_is_a_problem(
    look: Callable[..., Findings], tmp_path: Path, store: str, what: str
) -> None:
    """Each finding says what the file is instead, and what to do."""
    (tmp_path / "text").write_text("no database")
    with closing(sqlite3.connect("foreign.db")) as database:
        database.execute("PRAGMA application_id = 77")
        database.execute("CREATE TABLE x (y)")
    found = look(store=store)
    assert problems(found) == [f"store {store}: {what}"]
    assert found[f"store {store}: {what}"].remedy


@pytest.mark.parametrize("destination", ["file", "file/below"])
def test_directory_that_is_none_is_a_problem(look: Callable[..., Findings], tmp_path: Path, destination: str) -> None:
    """A file in the place of the directory is a problem."""
    (tmp_path / "file").write_text("")
    (what,) = problems(look(export_to=destination))
    assert what.startswith(f"export-to {destination}: ")


def test_command_prints_a_line_for_each_finding(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line has a sign, problems have reason and remedy below, and the exit code is 1 if there is one."""
    github.now = None
    for name, value in {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor", "--repositories", NAME]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "✓ github-token: a fine-grained token",
        "✓ repositories: the traffic of 1 can be read",
        "✓ store sqlite:ghtraffic.db: the first run will make it",
        "✓ export-to ghtraffic-export: the first run will make it",
    ]
    assert main(["doctor", "--repositories", NAME, "--store", "sqlite:away/x.db"]) == 1
    assert capsys.readouterr().out.splitlines()[2:5] == [
        "✗ store sqlite:away/x.db: its folder cannot be written",
        "    why: nothing can be kept",
        "    remedy: mkdir -p away",
    ]
    assert main(["doctor", "--repositories", NAME, "--store", "sqlite:away/x.db", "--json"]) == 1
    written = json.loads(capsys.readouterr().out)
    assert written["exit_code"] == 1
    assert written["findings"][2] == {
        "what": "store sqlite:away/x.db: its folder cannot be written",
        "state": "problem",
        "reason": "nothing can be kept",
        "remedy": "mkdir -p away",
    }


def test_unknown_is_shown_with_its_reason() -> None:
    """An unknown has its own sign, and the reason on the same line."""
    found = (Finding("table x: its keys", "unknown", "AWS denies it"),)
    assert format_findings(found) == "? table x: its keys (AWS denies it)"
    assert exit_code(found) == 0
