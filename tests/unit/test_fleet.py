"""Runs over many repositories: quota, deadline, allowed failures, and several runs on a day."""

from collections import Counter
from datetime import timedelta

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.settings.tolerance import Tolerance
from tests.support.builders import NOW, TOKEN, repository
from tests.support.csvfiles import exported, rows, stored
from tests.support.fake_github import FakeGitHub, RecordedTraffic, Refusal
from tests.support.runtime import NoWaitEvent, no_wait_runtime

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NONE_FAILS = Tolerance()
BUSY = RecordedTraffic(views=[((NOW - 3 * DAY).date(), 9, 3)], paths=[("/a", "A", 9, 3)])


def fleet(github: FakeGitHub, number: int) -> None:
    """Add some repositories to the fake."""
    github.repositories = [repository(f"octo-lab/boat-{at:03}", id=at, traffic=BUSY) for at in range(1, number + 1)]


def collect(
    github: FakeGitHub,
    repositories: tuple[str, ...] = (),
    *,
    once_a_day: bool = False,
    allow_failures: Tolerance = NONE_FAILS,
) -> Report:
    """Run once for these or all repositories, at GitHub's time, without real waits."""
    settings = Settings(
        repositories=repositories or tuple(found.name for found in github.repositories),
        github_token=TOKEN,
        store="sqlite:traffic.db",
        export_to="export",
        github_api_url=github.url,
        max_wait=10.0,
        once_a_day=once_a_day,
        allow_failures=allow_failures,
    )
    return run(settings, no_wait_runtime(now=lambda: github.now))


def traffic_requests(github: FakeGitHub) -> Counter[str]:
    """Count the traffic requests by repository, and clear them."""
    sent = Counter(request.path.split("/")[3] for request in github.requests if "/traffic/" in request.path)
    github.requests.clear()
    return sent


@pytest.mark.e2e
def test_quota_that_ends_cuts_no_repository_in_half(github: FakeGitHub) -> None:
    """Each of four runs starts with the repositories observed longest ago, and sends all requests of one or none."""
    fleet(github, 130)
    github.limit = github.remaining = 200
    reports, collected = [], set[str]()
    for _ in range(4):
        reports.append(collect(github))
        sent = traffic_requests(github)
        assert set(sent.values()) == {4}
        assert sum(sent.values()) <= 200
        collected |= set(sent)
        github.now += HOUR
    first = reports[0]
    assert first.failed == ()
    assert len(first.collected) + len(first.remaining) == first.total == 130
    assert len(first.collected) >= 35
    (error,) = first.all_errors
    assert error.startswith(f"{len(first.remaining)} repositories were not started; octo-lab/boat-0")
    assert "the token's requests of this hour are used up (rate limit): run again after" in error
    assert len(collected) == 130


def test_small_fleet_is_not_cut_in_half_either(github: FakeGitHub) -> None:
    """The first repository shows what is left before the others are started: ten requests are for two."""
    fleet(github, 12)
    github.remaining = 10
    github.delay = 0.02
    report = collect(github)
    assert (len(report.collected), len(report.remaining), report.failed, github.remaining) == (2, 10, (), 2)


@pytest.mark.e2e
def test_quota_that_just_suffices_collects_all(github: FakeGitHub) -> None:
    """No request is left after the last repository, although responses arrive after GitHub has counted others."""
    fleet(github, 110)
    github.limit = github.remaining = 4 * 110
    github.delay = 0.02
    report = collect(github)
    assert (len(report.collected), report.remaining, github.remaining) == (110, (), 0)


def test_limit_that_leaves_only_paths_leaves_the_repository_to_the_next_run(github: FakeGitHub) -> None:
    """Without views and clones nothing is stored, so the repository was not collected; it did not fail either."""
    fleet(github, 1)
    github.refuse(Refusal.RATE_LIMITED.value.variant(seconds=0.1), path="traffic/(views|clones)")
    report = collect(github)
    assert (report.remaining, report.repositories, report.exit_code) == (("octo-lab/boat-001",), (), 1)


@pytest.mark.e2e
def test_used_up_quota_sends_nothing_in_vain(github: FakeGitHub) -> None:
    """A run without remaining requests requests no traffic."""
    fleet(github, 130)
    github.remaining = 0
    report = collect(github)
    assert traffic_requests(github) == {}
    assert (report.exit_code, len(report.remaining)) == (1, 130)


class PassingTime(NoWaitEvent):
    """A stop event that is never set; each wait advances GitHub's clock."""

    def __init__(self, github: FakeGitHub) -> None:
        super().__init__()
        self._github = github

    def wait(self, timeout: float | None = None) -> bool:
        """Advance the fake's time."""
        self._github.now += timedelta(seconds=timeout or 0.0)
        return super().wait(timeout)


@pytest.mark.e2e
def test_quota_that_is_renewed_soon_is_waited_for(github: FakeGitHub) -> None:
    """A pause within `max-wait` is waited out once, nothing is refused, and all are collected."""
    fleet(github, 120)
    github.limit, github.remaining = 500, 100
    stop = PassingTime(github)
    names = tuple(found.name for found in github.repositories)
    settings = Settings(names, github_token=TOKEN, github_api_url=github.url, max_wait=3_700.0)
    report = run(settings, Runtime(stop, lambda: github.now, stop.monotonic))
    assert (len(report.collected), report.remaining, report.exit_code) == (120, (), 0)
    assert set(traffic_requests(github).values()) == {4}
    assert max(stop.waits) < 3_700  # of each thread: several may wait side by side


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("age", "once_a_day", "exit_code"), [(1, False, 0), (12, False, 0), (13, False, 1), (13, True, 0), (14, True, 1)]
)
def test_run_that_ends_early_is_green_if_nothing_can_be_lost(
    github: FakeGitHub, age: int, once_a_day: bool, exit_code: int
) -> None:
    """The next run, a day later, observes the remaining repositories before their days leave GitHub's window."""
    fleet(github, 120)
    assert collect(github).exit_code == 0
    github.now += age * DAY
    github.limit = github.remaining = 40
    report = collect(github, once_a_day=once_a_day)
    assert report.unfinished
    assert report.unfinished.number == len(report.remaining) > 100
    assert report.unfinished.deadline == (NOW + 14 * DAY).date()
    assert report.deadline == report.unfinished.deadline
    assert report.exit_code == exit_code
    assert [report.unfinished.text] == [*(report.all_errors if exit_code else report.all_warnings)]


@pytest.mark.e2e
def test_once_a_day_asks_nobody_twice(github: FakeGitHub) -> None:
    """Later runs of a UTC day skip observed repositories; runs of the next day do not."""
    fleet(github, 3)
    first = collect(github, once_a_day=True)
    assert (len(first.collected), first.fresh) == (3, 0)
    traffic_requests(github)
    fleet(github, 4)
    second = collect(github, once_a_day=True)
    assert traffic_requests(github) == {"boat-004": 4}
    assert (len(second.collected), second.fresh, second.exit_code) == (1, 3, 0)
    third = collect(github, once_a_day=True)
    assert (third.collected, third.fresh, third.exit_code) == ((), 4, 0)
    github.now += DAY
    assert len(collect(github, once_a_day=True).collected) == 4


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("tolerance", "exit_code"),
    [
        (Tolerance(0), 1),
        (Tolerance(1), 1),
        (Tolerance(2), 0),
        (Tolerance(49, percent=True), 1),
        (Tolerance(50, percent=True), 0),
    ],
)
def test_allowed_failures_are_listed_all_the_same(github: FakeGitHub, tolerance: Tolerance, exit_code: int) -> None:
    """The exit code depends on the allowed number, also without private names; the errors are always listed."""
    fleet(github, 4)
    for boat in github.repositories:
        boat.private = True
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="boat-00[12]/traffic")
    report = collect(github, allow_failures=tolerance)
    assert report.exit_code == report.without_traffic().exit_code == exit_code
    assert len(report.failed) == 2
    assert len(report.all_errors) == 2


def test_owner_that_cannot_be_listed_is_never_allowed(github: FakeGitHub) -> None:
    """The run fails, and a Lambda's is retried, since an unknown number of repositories is missing."""
    fleet(github, 4)
    report = collect(github, ("octo-lab/boat-001", "deep-sea/*"), allow_failures=Tolerance(9))
    assert report.exit_code == report.without_traffic().exit_code == 1
    assert [found.name for found in report.disallowed] == ["deep-sea/*"]


@pytest.mark.e2e
def test_silent_repositories_are_asked_for_two_requests_in_a_long_run(github: FakeGitHub) -> None:
    """In a run longer than a minute, paths and referrers are fetched only for repositories with views."""
    fleet(github, 213)
    for quiet in github.repositories[1:]:
        quiet.traffic = RecordedTraffic()
    assert collect(github).exit_code == 0
    sent = traffic_requests(github)
    assert (sent.pop("boat-001"), set(sent.values())) == (4, {2})


@pytest.mark.e2e
def test_repository_that_fell_silent_has_no_latest_paths(github: FakeGitHub) -> None:
    """Its last paths are removed from the latest file although none were fetched, and stay in their month."""
    fleet(github, 213)
    assert collect(github).exit_code == 0
    assert len(rows(exported("export")["v1/latest/paths.csv"])) == 213
    github.now += 20 * DAY
    for quiet in github.repositories[1:]:
        quiet.traffic = RecordedTraffic()
    github.repositories[0].traffic = RecordedTraffic(
        views=[((github.now - 2 * DAY).date(), 1, 1)], paths=[("/b", "B", 1, 1)]
    )
    traffic_requests(github)
    assert collect(github).exit_code == 0
    assert traffic_requests(github)["boat-002"] == 2
    files = exported("export")
    assert [row["path"] for row in rows(files["v1/latest/paths.csv"])] == ["/b"]
    assert len(rows(files["v1/paths/month=2026-11/paths.csv"])) == 213
    assert stored("sqlite:traffic.db")[2].snapshots[-1].paths is None
