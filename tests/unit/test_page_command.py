"""`ghtraffic report`: the page built from the export, without the store."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.page.data import PAGE_DATA, read_heads, select_lines
from ghtraffic_action.page.writer import PAGE, write_page
from ghtraffic_action.stores.sqlite import SQLiteStore
from tests.support.aws import Aws
from tests.support.exports import NAME, OTHER, World, files_in, seventy_days

RENAMED = "octo-lab/renamed"


pytestmark = pytest.mark.xdist_group("seventy days")


@pytest.fixture
def export(seventy_days_folder: Path) -> dict[str, bytes]:
    """Return an export of 70 days, without its store."""
    shutil.copytree(seventy_days_folder / "export", "export")
    return files_in("export")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what a browser would have opened."""
    found: list[str] = []
    monkeypatch.setattr("click.launch", found.append)
    return found


def report(*words: str) -> int:
    return main(["report", "--export-to", "export", *words])


def lines_in(path: str) -> bytes:
    """Return the data inside a page."""
    lines = Path(path).read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if line.startswith(b'[{"format"'))


def test_the_page_of_the_months_is_the_page_of_the_runs(export: dict[str, bytes]) -> None:
    """Missing or incomplete data is rebuilt from the months with the same bytes."""
    for data in (None, select_lines(export[PAGE_DATA], [NAME])):
        for key in (PAGE_DATA, PAGE):
            Path("export", key).unlink()
        if data:
            Path("export", PAGE_DATA).write_bytes(data)
        assert report() == 0
        assert files_in("export") == export


@pytest.mark.parametrize(
    "key",
    [
        "v1/daily/month=2026-09/notes.csv",
        "v1/daily/month=2026-9/daily.csv",
        "v1/other/month=2026-09/other.csv",
        "v1/stars/stars.csv",
        "v1/daily/month=2026-09/month=2026-09/daily.csv",
    ],
)
def test_files_of_others_do_not_change_the_page(export: dict[str, bytes], key: str) -> None:
    Path("export", PAGE_DATA).unlink()
    Path("export", key).parent.mkdir(parents=True, exist_ok=True)
    Path("export", key).write_text("x")
    assert report() == 0
    assert files_in("export") == export | {key: b"x"}


def test_the_page_in_a_bucket_is_made_of_its_months(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(open_destination(aws.export_to)) as destination:
        with closing(SQLiteStore("elsewhere.db")) as store:
            seventy_days(World(store, destination))
        assert destination.read(PAGE) is None
        assert main(["report", "--export-to", aws.export_to]) == 0
        page, data = destination.read(PAGE), destination.read(PAGE_DATA)
    assert capsys.readouterr().out == f"{aws.export_to}/report.html\n"
    assert page
    assert data
    assert page.content == write_page(data.content)
    assert len(read_heads(data.content)) == 3


def test_the_page_of_named_repositories_is_a_file_here(
    export: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(NAME.upper(), RENAMED) == 0
    assert capsys.readouterr().out == "report.html\n"
    assert Path("report.html").read_bytes() == write_page(select_lines(export[PAGE_DATA], [NAME, RENAMED]))
    assert report(RENAMED, "--output", "one.html") == 0
    assert [head.name for head in read_heads(lines_in("one.html")).values()] == [RENAMED]
    assert files_in("export") == export


def test_unknown_names_are_refused(export: dict[str, bytes], caplog: pytest.LogCaptureFixture) -> None:
    assert report(NAME, OTHER) == 2
    assert caplog.messages == [f"repositories: the export does not have {OTHER}: run `ghtraffic status`"]
    assert not Path("report.html").exists()
    assert export


def test_a_public_page_leaves_out_what_is_not_known_to_be_public(
    export: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    lines = [json.loads(line) for line in export[PAGE_DATA].splitlines()]
    written = b""
    for (head, body), private in zip(lines, (True, None, False), strict=True):
        written += json.dumps([head | {"private": private}, body], separators=(",", ":")).encode() + b"\n"
    Path("export", PAGE_DATA).write_bytes(written)
    assert report("--public") == 0
    assert list(read_heads(lines_in("report.html"))) == [100]
    assert report("--public", NAME) == 2
    assert "none of these repositories is known to be public" in caplog.text


def test_open_shows_the_page(export: dict[str, bytes], opened: list[str]) -> None:
    assert report("--open") == 0
    assert report("--open", NAME) == 0
    assert opened == ["export/report.html", "report.html"]
    assert files_in("export") == export


def test_without_an_export_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert report() == 1
    assert "export/v1/latest/repositories.csv: there is no such file: run `ghtraffic collect` first" in caplog.text
