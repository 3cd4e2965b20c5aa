"""The status: each repository's coverage, recent losses and imminent ones."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

import ghtraffic_action
from ghtraffic_action.cli import main
from ghtraffic_action.errors import StoreError
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.status import RepositoryStatus, Status, status_of
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import Changes, Day, DayRange, Metadata, RunCount, Snapshot, Totals, WorkflowRuns
from ghtraffic_action.views.status_table import print_status
from tests.support.aws import Aws
from tests.support.builders import ROOT

TODAY = date(2026, 11, 24)
NAME = "octo-lab/lighthouse"
STORE = "sqlite:ghtraffic.db"
BOTH = ("views", "clones")


def ago(age: int) -> date:
    return TODAY - timedelta(days=age)


def keep(
    *ages: int,
    days: Iterable[int] = (),
    id: int = 7,  # noqa: A002 - the type's own field
    name: str = NAME,
    metrics: Iterable[str] = BOTH,
    store: str = STORE,
) -> None:
    """Store runs of these days ago, each at 03:17 with all days before it, and `days`."""
    seen = []
    for age in sorted(ages, reverse=True):
        at = datetime.combine(ago(age), time(3, 17), UTC)
        metadata = Metadata(at, 5, 2, None, None, None, archived=False, created=date(2020, 2, 2))
        listed = DayRange(ago(age + 15), ago(age + 2))
        groups: dict[str, Any] = {metric: Totals(at, 1, 1, listed.last) for metric in metrics}
        groups |= {f"{metric}_listed": frozenset({listed}) for metric in metrics}
        seen.append(Snapshot(ago(age), name, metadata=metadata, **groups))
    with closing(open_store(store, create=True)) as opened:
        opened.save(id, Changes(tuple(Day(ago(age), name, 1, 1, 1, 1) for age in days), tuple(seen)))


def status(repositories: str = "", *, today: date = TODAY, since: int = 14, store: str = STORE) -> Status:
    return status_of(read_settings("status", {}, {"store": store, "repositories": repositories or None}), today, since)


def repository_status(since: int = 14) -> RepositoryStatus:
    """Return the status of the one repository."""
    (found,) = status(since=since).repositories
    return found


def counts(found: RepositoryStatus) -> tuple[int, ...]:
    return found.complete, found.provisional, found.partial, found.imported, found.lost


def test_a_status_counts_the_days_of_each_state() -> None:
    """The status has first and last day, days by state, last success and deadline."""
    keep(1, 40, 41, days=[1, 2, 30, 55, 100])
    found = repository_status()
    assert (found.first_day, found.last_day) == (ago(100), ago(1))
    # complete: 56 to 42 and 16 to 3 days ago; provisional: 2 and 1; imported: 100 and 30; lost: 41 to 17 but for 30
    assert counts(found) == (15 + 14, 2, 0, 2, 24)
    assert found.views_observed == found.clones_observed == datetime.combine(ago(1), time(3, 17), UTC)
    assert found.deadline == date(2026, 12, 7)


@pytest.mark.parametrize("age", range(16))
def test_the_deadline_is_the_day_before_which_a_run_loses_nothing(age: int) -> None:
    """A run on the day before it lists every missing day; later each day loses one more."""
    keep(age)
    deadline = repository_status().deadline
    assert deadline == ago(age) + timedelta(days=14)
    for later, lost in ((-1, 0), (0, 0), (1, 1), (5, 5)):
        run = deadline + timedelta(days=later)
        assert status(today=run).repositories[0].lost == lost


@pytest.mark.parametrize(("age", "danger"), [(0, False), (10, False), (11, True), (13, True), (14, True), (300, True)])
def test_three_days_before_the_deadline_a_repository_is_in_danger(age: int, danger: bool) -> None:
    """A monitor is warned while there is time to react."""
    keep(age)
    assert repository_status(since=0).in_danger is danger
    assert status(since=0).exit_code == int(danger)
    if danger:
        moment = f"{ago(age)} 03:17"
        what = "is in danger" if age < 14 else "loses days now"
        problem = f"{NAME}: {what}, the last success was {moment}: run `ghtraffic collect` today"
        assert status(since=0).problems[-1] == problem


@pytest.mark.parametrize(("since", "lost"), [(0, 0), (3, 0), (4, 1), (5, 2), (14, 11), (29, 26), (30, 26), (3650, 26)])
def test_losses_count_from_the_day_on_which_they_were_lost(since: int, lost: int) -> None:
    """A day is lost 15 days later, and only recent losses count."""
    keep(3, 43)  # no answer lists the days 44 to 19 days ago: lost 29 to 4 days ago
    found = status(since=since)
    assert len(found.repositories[0].lost_lately) == lost
    assert found.exit_code == (1 if lost else 0)
    if lost == 11:
        days = f"11 days from {ago(29)} to {ago(19)}"
        assert found.problems == (f"{NAME}: lost for good since {ago(14)}: {days}: run `ghtraffic collect` daily",)
    if lost == 1:
        assert found.problems == (f"{NAME}: lost for good since {ago(4)}: {ago(19)}: run `ghtraffic collect` daily",)


def test_without_runs_days_are_lost_before_a_run_sees_it() -> None:
    """If runs stopped, the days that no run can cover any more count as lost by today's date."""
    keep(20)
    found = repository_status()
    assert (found.lost, found.lost_lately) == (6, tuple(ago(age) for age in range(21, 15, -1)))
    assert (found.last_day, found.deadline) == (ago(22), ago(6))


def test_each_metric_has_its_own_last_success(capsys: pytest.CaptureFixture[str]) -> None:
    """If clones were refused since, they determine deadline and last success."""
    keep(12)
    keep(1, metrics=["views"])
    found = repository_status()
    assert (found.views_observed, found.clones_observed) == tuple(
        datetime.combine(ago(age), time(3, 17), UTC) for age in (1, 12)
    )
    assert (found.deadline, found.in_danger) == (ago(-2), True)
    print_status(status())
    [row] = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{NAME} ")]
    assert str(ago(12)) in row
    assert f"views {ago(1)}, clones {ago(12)}" in status().problems[-1]


def test_imported_repositories_ring_no_alarm() -> None:
    """A repository imported and never observed has no deadline and no problem."""
    keep(days=[100, 90])
    found = repository_status(since=3650)
    assert (counts(found), found.deadline, found.in_danger) == ((0, 0, 0, 2, 0), None, False)
    assert status().exit_code == 0


def test_a_repository_made_again_calms_the_old_one() -> None:
    """The old history of a name that belongs to another id has no problem."""
    keep(30, id=7)
    keep(1, id=8, name=NAME.upper())
    old, new = sorted(status().repositories, key=lambda found: found.id)
    assert (old.superseded, old.deadline, old.lost_lately) == (True, None, ())
    assert (new.superseded, new.deadline) == (False, ago(-13))
    assert status().exit_code == 0


@pytest.mark.parametrize(
    ("repositories", "ids"),
    [
        ("", [7, 8, 9]),
        ("octo-lab/lighthouse", [7]),
        ("Octo-Lab/LIGHTHOUSE", [7]),
        ("octo-lab/*", [7, 9]),
        ("lab/old", [9]),
        ("octo-lab/* !octo-lab/new", [7]),
        ("!octo-lab/*", [8]),
        ("octo-lab/lighthouse, sea/buoy", [7, 8]),
    ],
)
def test_repositories_narrow_it_by_present_and_former_names(repositories: str, ids: list[int]) -> None:
    """Current and former names select a repository; exclusions apply to the current name."""
    keep(1, id=7)
    keep(1, id=8, name="sea/buoy")
    keep(2, id=9, name="lab/old")
    keep(1, id=9, name="octo-lab/new")
    assert sorted(found.id for found in status(repositories).repositories) == ids


def test_a_repository_that_is_not_there_is_a_problem() -> None:
    """A monitor that names a repository without stored days is warned, beside the others."""
    keep(1)
    for names, ids in ((f"sea/buoy {NAME}", [7]), ("sea/buoy", [])):
        found = status(names)
        assert [known.id for known in found.repositories] == ids
        assert found.problems == (f"sea/buoy: {STORE} does not know it: check the name, or collect it",)
        assert found.exit_code == 1


def test_an_empty_store_is_an_error() -> None:
    """An empty or missing store is an error with a remedy."""
    with pytest.raises(StoreError, match=r"sqlite:ghtraffic.db: there is no such file: run"):
        status()
    keep(1)
    Path("ghtraffic.db").rename("other.db")
    with closing(open_store(STORE, create=True)):
        pass
    with pytest.raises(StoreError, match=r"sqlite:ghtraffic.db: it holds nothing: run"):
        status()
    assert main(["status"]) == 1


def test_the_command_prints_a_table_and_the_calendar(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The exit code is 0, or 1 with problems, which are logged as errors."""
    today = datetime.now(UTC).date()
    back = (TODAY - today).days
    keep(back + 1, back + 8)
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    for text in ("observed", f"{NAME}: ", "Mon ", "provisional", "1 repository in sqlite:ghtraffic.db, 0 "):
        assert text in out
    deadline = today + timedelta(days=13)
    assert f"next run due before {deadline} (13 days left)" in out
    assert caplog.messages == []
    keep(back + 40, id=8, name="sea/buoy")
    with caplog.at_level(logging.ERROR):
        assert main(["status", "--since", "3"]) == 1
    assert [message.partition(": ")[0] for message in caplog.messages] == ["sea/buoy"] * 2
    assert "next run due" not in capsys.readouterr().out
    assert main(["status", "--repositories", NAME]) == 0
    assert main(["status", "--since", "-1"]) == 2


@pytest.mark.parametrize("terminal", ["dumb", "xterm-256color"])
@pytest.mark.parametrize("length", [12, 100])
def test_a_terminal_of_80_columns_shows_names_whole(
    terminal: str, length: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider except for a longer name, and nothing is truncated."""
    for name, value in (("TTY_COMPATIBLE", "1"), ("NO_COLOR", "1"), ("COLUMNS", "80"), ("TERM", terminal)):
        monkeypatch.setenv(name, value)
    name = "octo-lab/" + "n" * (length - 9)
    keep(2, 60, days=[30, 100], name=name)
    print_status(status())
    table = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out.partition(f"{name}: ")[0])
    assert name in table
    for heading in ("first day", "complete", "provisional", "imported", "lost", "observed", "due before"):
        assert heading in table
    assert "partial" not in table
    assert "…" not in table
    assert all(len(line) <= 80 for line in table.splitlines() if line != name)


@pytest.mark.e2e
def test_an_encoding_without_the_signs_ends_no_command() -> None:
    """Unencodable signs are replaced, and the exit code does not change."""
    keep((TODAY - datetime.now(UTC).date()).days + 1)
    done = subprocess.run(
        [sys.executable, "-m", "ghtraffic_action", "status"],
        env={**os.environ, "PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1]), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"? provisional" in done.stdout


@pytest.mark.e2e
def test_of_many_repositories_the_table_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """More than three have no calendars, and those with problems are listed first."""
    for i in range(1, 61):
        keep(20 if i > 55 else 1, id=i, name=f"octo-lab/tool-{i:02}", store=STORE)
    print_status(status())
    out = capsys.readouterr().out
    names = re.findall(r"octo-lab/tool-(\d+)", out)
    assert names == [f"{i:02}" for i in (*range(56, 61), *range(1, 46))]
    assert "and 10 more" in out
    assert "Mon " not in out


def test_json_has_the_same(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """With --json it is one object with counts, dates, moments and the exit code."""
    today = datetime.now(UTC).date()
    back = (TODAY - today).days
    keep(back + 20)
    assert main(["status", "--json"]) == 1
    reported = json.loads(capsys.readouterr().out)
    assert (reported["store"], reported["today"], reported["since"], reported["exit_code"]) == (
        STORE,
        str(today),
        14,
        1,
    )
    (found,) = reported["repositories"]
    assert found == {
        "repository": NAME,
        "id": 7,
        "first_day": str(today - timedelta(days=35)),
        "last_day": str(today - timedelta(days=22)),
        "complete": 14,
        "provisional": 0,
        "partial": 0,
        "imported": 0,
        "lost": 6,
        "views_observed": f"{today - timedelta(days=20)}T03:17:00Z",
        "clones_observed": f"{today - timedelta(days=20)}T03:17:00Z",
        "deadline": str(today - timedelta(days=6)),
        "in_danger": True,
        "lost_lately": [str(today - timedelta(days=age)) for age in range(21, 15, -1)],
        "superseded": False,
        "retired": None,
        "workflow_runs_counted": 0,
    }
    assert reported["problems"] == caplog.messages


@pytest.mark.e2e
def test_the_status_says_whose_workflow_runs_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """It also says how many lack them; without any it says nothing."""
    keep(2)
    main(["status"])
    assert "workflow runs" not in capsys.readouterr().out
    at = datetime.combine(ago(2), time(4, 17), UTC)
    counted = WorkflowRuns(at, (RunCount(ago(5), 3), RunCount(ago(4), 0)))
    with closing(open_store(STORE, create=True)) as opened:
        opened.save(7, Changes((), (Snapshot(ago(2), NAME, workflow_runs=counted),)))
    main(["status"])
    assert "workflow runs: counted for 1 repositories on 2 days\n" in capsys.readouterr().out
    keep(2, id=8, name="octo-lab/other")
    main(["status"])
    remedy = "set workflow-runs, and allow Actions: read for private ones"
    assert f"workflow runs: counted for 1 repositories on 2 days, not for 1: {remedy}\n" in capsys.readouterr().out


def test_a_status_needs_no_token_and_names_no_repository_itself() -> None:
    """In a workflow it covers the whole store, without other settings."""
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": NAME, "GHTRAFFIC_STORE": "dynamodb://traffic"}
    read = read_settings("status", environ)
    assert read == Settings(store="dynamodb://traffic", export_to="", platform="Actions", workflow_repository=NAME)
    assert read.warnings == ()


def test_the_status_of_a_table(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """A table is read like a file; a denial names the missing permission."""
    keep(1, store=aws.store)
    assert [found.id for found in status(store=aws.store).repositories] == [7]
    aws.dynamodb.delete_table(TableName=aws.table)
    assert main(["status", "--store", aws.store]) == 1
    assert caplog.messages[-1].startswith(f"store {aws.store}: there is no such table in this account and region")


@pytest.mark.e2e
def test_standard_output_that_is_full_is_reported(tmp_path: Path) -> None:
    """If the output cannot be written, the command fails with one line."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ghtraffic_action", "--help"]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env={"PYTHONPATH": str(ROOT)}
        )
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR the standard output cannot be written (No space left on device)")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_path_that_cannot_be_is_no_store(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands that read report a file name that is too long."""
    assert main(["status", "--store", f"sqlite:{'x' * 300}"]) == 1
    assert "there is no such file" in capsys.readouterr().err


def test_endpoint_that_is_no_address_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], aws: Aws
) -> None:
    """An invalid value in the SDK's environment is reported without a traceback."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "garbage")
    assert main(["status", "--store", aws.store]) == 1
    assert "AWS_ENDPOINT_URL holds 'garbage', which is not a URL" in capsys.readouterr().err
