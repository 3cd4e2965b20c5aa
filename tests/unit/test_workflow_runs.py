"""Workflow runs beside the clones: each day is counted once, and failures do not affect the traffic."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.errors import Interrupted
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.connection import Connection, Request
from ghtraffic_action.github.quota import QuotaTracker, RemainingRequests
from ghtraffic_action.github.workflow_runs import WorkflowRunCounter
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.model import History, RunCount, Snapshot, WorkflowRuns
from ghtraffic_action.traffic.observation import Observation
from ghtraffic_action.traffic.workflow_runs import add_runs, workflow_runs
from tests.support.builders import NAME, NOW, TOKEN, days, repository
from tests.support.csvfiles import all_daily, exported, stored
from tests.support.fake_github import OLD, Answer, FakeGitHub, GeneratedTraffic, RecordedTraffic, Refusal
from tests.support.runtime import no_wait_limiter, no_wait_runtime

DAY = timedelta(days=1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
YESTERDAY = NOON.date() - DAY
RUNS = {date(2026, 9, 1) + n * DAY: n for n in range(120)}
UNCOUNTED = (
    "workflow-runs: GitHub refused those of {}, whose column stays empty: give the token the repository permission "
    "Actions: read, or leave workflow-runs out"
)
NOT_ACTIONS = replace(Refusal.NOT_ACCESSIBLE_BY_TOKEN.value, headers={"X-Accepted-GitHub-Permissions": "actions=read"})


@pytest.fixture
def busy(github: FakeGitHub) -> FakeGitHub:
    """Return a repository with traffic in the current form, and more workflow runs each day."""
    truth = days(date(2026, 9, 1), 200), days(date(2026, 9, 1), 200, 20)
    github.repositories = [repository(traffic=GeneratedTraffic(*truth), workflow_runs=RUNS)]
    github.now = NOON
    return github


def collect(github: FakeGitHub, *, workflow_runs: bool = True) -> Report:
    """Run once at GitHub's time, without real waits."""
    settings = Settings(
        repositories=tuple(found.name for found in github.repositories),
        github_token=TOKEN,
        store="sqlite:traffic.db",
        export_to="export",
        github_api_url=github.url,
        workflow_runs=workflow_runs,
    )
    return run(settings, no_wait_runtime(now=lambda: github.now))


def asked(github: FakeGitHub) -> list[str]:
    """Return the days that were requested, and clear the log."""
    found = [request.path for request in github.requests if "/actions/" in request.path]
    github.requests.clear()
    prefix, suffix = f"/repos/{NAME}/actions/runs?created=", "&per_page=1"
    return [path.removeprefix(prefix).removesuffix(suffix) for path in found]


def column() -> dict[str, str]:
    """Return the exported runs by day."""
    return {row["day"]: row["workflow_runs"] for row in all_daily(exported("export"))}


@pytest.mark.e2e
def test_each_day_is_counted_once(busy: FakeGitHub) -> None:
    """The first run requests the 14 listed days, newest first; the same day none, the next day one."""
    window = [YESTERDAY - n * DAY for n in range(14)]
    assert collect(busy).exit_code == 0
    assert asked(busy) == [str(day) for day in window]
    assert column() == {str(day): str(RUNS[day]) for day in window} | {str(NOON.date()): ""}
    collect(busy)
    assert asked(busy) == []
    busy.now += DAY
    collect(busy)
    assert asked(busy) == [str(NOON.date())]
    assert column()[str(NOON.date())] == str(RUNS[NOON.date()])
    (history,) = stored("sqlite:traffic.db").values()
    assert workflow_runs(history) == {day: RUNS[day] for day in (*window, NOON.date())}


def test_runs_are_not_counted_unless_wanted(busy: FakeGitHub) -> None:
    """By default no such request is sent."""
    collect(busy, workflow_runs=False)
    assert asked(busy) == []
    assert set(column().values()) == {""}


def test_days_before_the_creation_are_not_asked_about(busy: FakeGitHub) -> None:
    """GitHub lists such days as zeros, but their runs are not requested."""
    busy.repositories[0].created = YESTERDAY - DAY
    collect(busy)
    assert asked(busy) == [str(YESTERDAY), str(YESTERDAY - DAY)]


def test_answers_of_the_old_form_list_no_final_day(busy: FakeGitHub) -> None:
    """Their runs are not requested, since the last day may still grow."""
    busy.repositories[0].traffic = GeneratedTraffic(days(date(2026, 9, 1), 200), {}, form=OLD)
    collect(busy)
    assert asked(busy) == []


@pytest.mark.e2e
def test_a_refusal_is_one_line_and_no_failure(busy: FakeGitHub) -> None:
    """A refused repository is requested once per run; its clones are stored."""
    busy.repositories.append(repository("octo-lab/other", id=8, traffic=busy.repositories[0].traffic))
    busy.refuse(NOT_ACTIONS, path="/actions/runs")
    report = collect(busy)
    assert len(asked(busy)) == 2
    assert (report.exit_code, report.all_warnings) == (0, (UNCOUNTED.format("2 repositories"),))
    assert all(row["clones"] or row["state"] == "provisional" for row in all_daily(exported("export")))
    busy.allow()
    assert collect(busy).all_warnings == ()
    assert column()[str(YESTERDAY)]


@pytest.mark.e2e
def test_what_was_counted_before_a_failure_is_kept(busy: FakeGitHub) -> None:
    """After a failure of GitHub a later run counts the other days, without a warning."""
    busy.refuse(Refusal.SERVER_ERROR_JSON, path="/actions/runs")
    report = collect(busy)
    assert (report.exit_code, report.all_warnings) == (0, ())
    busy.allow()
    busy.now += timedelta(hours=1)
    busy.refuse(NOT_ACTIONS, path="/actions/runs")
    busy.refuse(busy_answer(3), path="/actions/runs", times=2)
    assert collect(busy).all_warnings == (UNCOUNTED.format("1 repository"),)
    assert [column()[str(YESTERDAY - n * DAY)] for n in range(3)] == ["3", "3", ""]
    busy.allow()
    busy.now += timedelta(hours=1)
    busy.requests.clear()
    collect(busy)
    assert len(asked(busy)) == 12
    assert [column()[str(YESTERDAY - n * DAY)] for n in range(3)] == ["3", "3", str(RUNS[YESTERDAY - 2 * DAY])]


def busy_answer(total: int) -> Answer:
    return replace(Refusal.HTML.value, body={"total_count": total, "workflow_runs": []}, headers={})


@pytest.fixture
def asking(busy: FakeGitHub) -> Iterator[GitHub]:
    """Return the program's client."""
    with closing(GitHub(TOKEN, busy.url, no_wait_limiter(), Runtime(now=lambda: busy.now))) as made:
        yield made


def test_a_redirect_that_drops_the_day_is_no_answer(busy: FakeGitHub, asking: GitHub) -> None:
    """A response about all days is rejected, and so is a list with several runs."""
    (found,) = asking.look_up([NAME]).found
    busy.repositories[0].former_names, busy.repositories[0].name = (NAME,), "octo-lab/renamed"
    assert asking.count_workflow_runs(found, [YESTERDAY]) is None
    busy.repositories[0].workflow_runs = {YESTERDAY - DAY: 1}
    assert asking.count_workflow_runs(found, [YESTERDAY]) is None
    busy.repositories[0].workflow_runs = {YESTERDAY: 1}
    assert asking.count_workflow_runs(found, [YESTERDAY]) == WorkflowRuns(NOON, (RunCount(YESTERDAY, 1),))


@pytest.mark.parametrize("body", [[], {}, {"total_count": -1}, {"total_count": 1, "workflow_runs": {}}])
def test_an_answer_that_is_none_counts_nothing(busy: FakeGitHub, asking: GitHub, body: object) -> None:
    """An invalid response stores nothing, and nothing fails."""
    (found,) = asking.look_up([NAME]).found
    busy.refuse(replace(Refusal.HTML.value, body=body, headers={}), path="/actions/")
    assert asking.count_workflow_runs(found, [YESTERDAY]) is None
    assert asking.uncounted == ()


@pytest.mark.e2e
def test_traffic_goes_first(busy: FakeGitHub) -> None:
    """With little quota beyond the traffic of all repositories, only a few days are counted."""
    truth = RecordedTraffic(views=[(YESTERDAY, 9, 3)])
    busy.repositories += [repository(f"octo-lab/boat-{n:03}", id=100 + n, traffic=truth) for n in range(120)]
    busy.limit = busy.remaining = 4 * 121 + 3
    report = collect(busy)
    assert (len(report.collected), report.exit_code) == (121, 0)
    assert len(asked(busy)) <= 3


def test_refused_requests_are_no_longer_needed(busy: FakeGitHub, asking: GitHub) -> None:
    """Three of four requests of the first repository fail: a day is counted while two are left to spare."""
    busy.repositories += [repository("octo-lab/boat", id=100, traffic=RecordedTraffic())]
    found, _ = asking.look_up([NAME, "octo-lab/boat"]).found
    busy.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="views|popular")
    busy.headers["X-RateLimit-Remaining"] = "6"
    assert asking.observe(found)().clones
    assert asking.count_workflow_runs(found, [YESTERDAY])


def test_requests_that_a_quiet_repository_does_not_need_are_free(busy: FakeGitHub, asking: GitHub) -> None:
    """Short of requests, two of four are not sent: with one left beside the second repository's, a day is counted."""
    busy.repositories = [repository(id=7, traffic=RecordedTraffic()), repository("octo-lab/boat", id=100)]
    quiet, _ = asking.look_up([NAME, "octo-lab/boat"]).found
    busy.headers["X-RateLimit-Remaining"] = "5"
    asking.check_access([quiet])
    assert asking.observe(quiet)().views
    assert sorted(request.path.rpartition("/")[2] for request in busy.requests[1:]) == ["clones", "views", "views"]
    assert asking.count_workflow_runs(quiet, [YESTERDAY])


def test_an_optional_request_needs_one_that_nobody_else_does() -> None:
    """One more is left than are planned: it is free, and again if it was sent in vain."""
    quota = QuotaTracker()
    assert quota.spare()
    quota.record(RemainingRequests(5, NOW, 60.0))
    quota.spend()
    quota.plan(4)
    assert quota.spare()
    assert not quota.spare()
    quota.spend()
    assert quota.spare()


def test_a_stop_leaves_the_days_to_the_next_run(busy: FakeGitHub) -> None:
    """Observed days are still stored; only the counting of workflow runs ends."""

    def stopped(_: Request[WorkflowRuns]) -> WorkflowRuns:
        raise Interrupted

    connection = Connection(TOKEN, busy.url, no_wait_limiter(), Runtime())
    with closing(GitHub(TOKEN, busy.url, no_wait_limiter(), Runtime(now=lambda: busy.now))) as asking:
        (found,) = asking.look_up([NAME]).found
    counter = WorkflowRunCounter(connection, stopped)
    assert counter.count(found, [YESTERDAY]) is None
    assert counter.warnings == ()
    observation = Observation(found)
    assert add_runs(History(7), observation, None) is observation


def test_two_runs_of_a_day_make_one_group(asking: GitHub) -> None:
    """The second run of a day includes the first one's counts, since a group is replaced whole."""
    (found,) = asking.look_up([NAME]).found
    first, second, third = (RunCount(YESTERDAY - n * DAY, n) for n in (0, 1, 2))
    snapshots = (
        Snapshot(YESTERDAY, NAME, workflow_runs=WorkflowRuns(NOON - DAY, (third,))),
        Snapshot(NOON.date(), NAME, workflow_runs=WorkflowRuns(NOON, (first,))),
    )
    later = NOON + timedelta(hours=2)
    seen = add_runs(History(7, None, (), snapshots), Observation(found), WorkflowRuns(later, (second,)))
    assert seen.workflow_runs == WorkflowRuns(later, (second, first))
