"""The demonstration: its output, its files, and its numbers compared with those that were reported."""

import csv
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Event

import pytest

import ghtraffic_action
from ghtraffic_action.cli import main
from ghtraffic_action.demo.run import has_desktop, run_demo
from ghtraffic_action.demo.sample_data import NAME, PAUSE, sample
from tests.support.files import without_rights
from tests.support.programs import FleetDemo

DAYS = 5


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Return the output and the folder of a demonstration of five days."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "ghtraffic_action", "demo", "--days", str(DAYS)]
    environ = os.environ | {"PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1])}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False), folder


def daily_rows(folder: Path) -> list[dict[str, str]]:
    """Read all exported days, in order."""
    rows: list[dict[str, str]] = []
    for path in sorted((folder / "ghtraffic-demo" / "export" / "v1" / "daily").glob("*/daily.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def test_demonstration_succeeds_and_shows_what_it_did(
    shown: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """It exits with 0 and prints the runs, the summary, the calendar, and where the files are."""
    done, folder = shown
    assert done.returncode == 0, done.stderr
    assert f"{DAYS} runs, a day apart" in done.stdout
    assert "1 of 1 collected" in done.stdout
    assert f"{NAME}: " in done.stdout
    for line in ("Mon ", "Sun ", "provisional", "Files", "For real"):
        assert line in done.stdout
    page = Path("ghtraffic-demo", "export", "report.html")
    assert done.stdout.splitlines()[-1] == f"The page  {page}"
    assert (folder / page).stat().st_size > 10_000


def test_demonstration_warns_of_nothing(shown: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Runs use the fake's clock, so there is no warning of a wrong one; standard error has only progress."""
    done, _ = shown
    assert "WARNING" not in done.stderr
    assert "ERROR" not in done.stderr
    assert "one run a day" in done.stderr


def test_demonstration_leaves_a_store_and_an_export(shown: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """It leaves the database and files of every kind below the one folder that it names."""
    _, folder = shown
    assert [path.name for path in folder.iterdir()] == ["ghtraffic-demo"]
    assert (folder / "ghtraffic-demo" / "ghtraffic.db").read_bytes().startswith(b"SQLite format 3")
    files = {path.name for path in (folder / "ghtraffic-demo" / "export" / "v1").rglob("*.csv")}
    assert files == {"daily.csv", "paths.csv", "referrers.csv", "repositories.csv", "stars.csv"}


def test_demonstration_keeps_the_number_listed_for_each_day(
    shown: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """Every day's views are those that the sample listed at the moment of a run, and no day is missing."""
    _, folder = shown
    exported = {date.fromisoformat(row["day"]): int(row["views"]) for row in daily_rows(folder) if row["views"]}
    last_run = max(exported) + timedelta(days=1)
    traffic = sample(last_run, DAYS).traffic
    listed: dict[date, int] = {}
    for age in range(DAYS):
        answer = traffic.views(datetime.combine(last_run - timedelta(days=age), time(11, 17), UTC))
        listed |= {day: count for day, count, _ in answer.rows}
    assert exported == listed
    assert sorted(listed) == [last_run - timedelta(days=age) for age in range(13 + DAYS, 0, -1)]


def test_demonstration_shows_a_late_batch_and_a_launch() -> None:
    """GitHub's numbers end earlier than usual for two days, and one day has many more views than before."""
    last = date(2026, 11, 25)
    traffic = sample(last, 60).traffic
    moments = [datetime.combine(last - timedelta(days=age), time(11, 17), UTC) for age in range(59, -1, -1)]
    ages = [(now.date() - traffic.views(now).rows[-1][0]).days for now in moments]
    assert (ages.count(1), ages.count(2), ages.count(3)) == (58, 1, 1)
    views = [traffic.views(now).rows[-1][1] for now in moments]
    assert max(views) > 4 * sorted(views)[30]
    sites = [traffic.referrers(now)[0][0] for now in moments]
    assert sites.count("news.ycombinator.com") == 18, (
        "the site that wrote about it is the first for 14 days and a little"
    )
    assert sites[0] == sites[-1] == "Google"


@pytest.mark.xdist_group("fleet-demo")
def test_demonstration_of_a_fleet_has_what_a_fleet_has(fleet_demo: FleetDemo) -> None:
    """One of eight repositories is new, one private, one fading, one without views; seven days are lost."""
    [first, *others] = fleet_demo.reports
    assert first.exit_code == 0
    assert len(others) == fleet_demo.days - len(PAUSE) - 1
    with (fleet_demo.folder / "export" / "v1" / "latest" / "repositories.csv").open(
        newline="", encoding="utf-8"
    ) as file:
        rows = {row["repository"].removeprefix("octo-lab/"): row for row in csv.DictReader(file)}
    assert len(rows) == 8
    assert {name: row["lost_days"] for name, row in rows.items() if row["lost_days"] != "7"} == {"signal-flags": "0"}
    assert [name for name, row in rows.items() if row["private"] == "true"] == ["harbour"]
    assert (rows["buoy"]["views_14d"], rows["signal-flags"]["created"]) == ("0", "2026-10-26")
    assert int(rows["sextant"]["views_14d"]) > 100 > int(rows["anchor"]["views_14d"])


@pytest.mark.parametrize(
    ("platform", "environ", "found"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_page_is_opened_on_a_desktop_alone(platform: str, environ: dict[str, str], found: bool) -> None:
    """Without a desktop no browser starts: one in the terminal would block the demonstration."""
    assert has_desktop(platform, environ) is found


def test_demonstration_opens_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--open` it asks the desktop to open the page."""
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    for display, directory in (("", "without"), (":0", "with")):
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        assert main(["demo", "--days", "1", "--open", "--directory", directory]) == 0
    assert opened == [str(Path("with", "export", "report.html"))]


def test_demonstration_touches_nothing_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not empty is refused with exit code 2 and does not change."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    assert main(["demo", "--days", "1", "--directory", "full"]) == 2
    assert "full: it is not empty: remove it, or name another with --directory" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_demonstration_uses_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing empty folder is accepted."""
    (tmp_path / "empty").mkdir()
    assert main(["demo", "--days", "1", "--directory", "empty"]) == 0
    assert "1 runs, a day apart" in capsys.readouterr().out
    assert (tmp_path / "empty" / "ghtraffic.db").exists()


@pytest.mark.parametrize("days", ["0", "-1", "3651", "many"])
def test_demonstration_is_of_one_day_to_ten_years(days: str, tmp_path: Path) -> None:
    """Any other number of days is refused with exit code 2, and nothing is created."""
    assert main(["demo", "--days", days]) == 2
    assert not (tmp_path / "ghtraffic-demo").exists()


def test_demonstration_stopped_before_its_first_run_ends_quietly() -> None:
    """It prints nothing and exits with 1."""
    stop = Event()
    stop.set()
    assert run_demo("stopped", 2, stop) == 1


def demo(**environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a demonstration of two days as another process."""
    command = [sys.executable, "-m", "ghtraffic_action", "demo", "--days", "2"]
    root = str(Path(ghtraffic_action.__file__).parents[1])
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": root, **environ}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_demonstration_needs_no_proxy(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is not used for loopback."""
    monkeypatch.delenv("no_proxy")
    done = demo(**{variable: "http://127.0.0.1:9"})
    assert done.returncode == 0, done.stderr


def test_demonstration_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the demonstration the caller's proxy variables are unchanged."""
    monkeypatch.setenv("NO_PROXY", "example.com")
    monkeypatch.delenv("no_proxy", raising=False)
    assert run_demo("demo", 1, Event()) == 0
    assert os.environ["NO_PROXY"] == "example.com"
    assert "no_proxy" not in os.environ


@pytest.mark.parametrize("closed", ["folder", "parent"])
def test_demonstration_in_a_folder_that_cannot_be_written_is_refused(
    others_folder: Path, closed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is one line without a traceback."""
    folder = others_folder if closed == "folder" else others_folder / "new"
    others_folder.chmod(0o700 if closed == "folder" else 0o755)
    with without_rights(others_folder):
        assert main(["demo", "--days", "1", "--directory", str(folder)]) == 2
    assert "it cannot be used (Permission denied): name a folder" in capsys.readouterr().err


@pytest.mark.usefixtures("unmeasured")
def test_demonstration_says_why_a_day_failed() -> None:
    """A full disk is reported with the day, without a traceback."""
    limited = 'ulimit -f 160; exec "$0" -m ghtraffic_action demo --days 3'
    environ = os.environ | {"PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1])}
    done = subprocess.run(
        ["sh", "-c", limited, sys.executable], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    what = "(store sqlite:ghtraffic-demo/ghtraffic.db|export-to ghtraffic-demo/export): "
    assert re.search(rf"ERROR \d{{4}}-\d\d-\d\d: {what}", done.stderr), done.stderr
