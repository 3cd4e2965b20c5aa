"""Two runs at the same time."""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import read_settings
from tests.support.aws import Aws
from tests.support.builders import NAME, NOW, TOKEN, repository
from tests.support.csvfiles import all_daily, exported, numbers_of, reported, stored
from tests.support.fake_github import FakeGitHub
from tests.support.fault_proxy import FaultProxy, HeldRequests
from tests.support.programs import DAILY, ended

pytestmark = pytest.mark.usefixtures("unmeasured")

BUOY = "octo-lab/buoy"
CRANE = "harbour/crane"


@contextmanager
def two_moments(github: FakeGitHub, gap: timedelta) -> Iterator[tuple[FakeGitHub, FakeGitHub]]:
    """Serve GitHub at two moments, one per run: numbers grow, and one day is cut short."""
    github.repositories += [repository(BUOY, id=8), repository(CRANE, id=9)]
    later = [repository(), repository(BUOY, id=8), repository(CRANE, id=9)]
    with FakeGitHub(later, now=NOW + gap, token=TOKEN) as other:
        yield github, other


@pytest.fixture
def two(github: FakeGitHub) -> Iterator[tuple[FakeGitHub, FakeGitHub]]:
    """Return the fake GitHub of the morning and of the afternoon."""
    with two_moments(github, timedelta(hours=12)) as both:
        yield both


@pytest.fixture
def shared(request: pytest.FixtureRequest, backends: dict[str, str]) -> dict[str, str]:
    """Return backends that two runs can use at once."""
    if backends["store"].startswith("dynamodb"):
        request.getfixturevalue("proxy")
    return backends


def assert_both_are_kept(backends: Mapping[str, str], two: Sequence[FakeGitHub]) -> None:
    """Check that the store has the larger number of both runs, and the export agrees with it."""
    histories = stored(backends["store"])
    for at, told_by in enumerate(([two[0]], two, [two[1]])):
        history = histories[7 + at]
        expected: dict[date, tuple[int, ...]] = {}
        for github in told_by:
            for day, numbers in reported(github, at).items():
                expected[day] = tuple(map(max, numbers, expected.get(day, (0,) * 4)))
        assert numbers_of(history) == expected
        assert [snapshot.day for snapshot in history.snapshots] == sorted({github.now.date() for github in told_by})
        assert history.snapshots[-1].views
        assert history.snapshots[-1].views.at == told_by[-1].now
    before = exported(backends["export_to"])
    assert {row["repository_id"] for row in all_daily(before)} == {"7", "8", "9"}
    assert main(["export", "--store", backends["store"], "--export-to", backends["export_to"]]) == 0
    assert exported(backends["export_to"]) == before


@pytest.mark.parametrize("attempt_number", range(3))
def test_two_runs_at_once_in_one_process_lose_nothing(
    two: tuple[FakeGitHub, FakeGitHub], shared: dict[str, str], attempt_number: int
) -> None:
    """No number is lowered and no repository's row is lost, although one run has an older answer."""
    names = (f"{NAME} {BUOY}", f"{BUOY} {CRANE}")

    def run_one(place: int) -> tuple[str, ...]:
        environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": two[place].url}
        settings = read_settings("collect", environ, {**shared, "repositories": names[place]})
        return run(settings, Runtime(now=lambda: two[place].now)).all_errors

    order = (0, 1) if attempt_number % 2 else (1, 0)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(run_one, order)) == [(), ()]
    assert_both_are_kept(shared, two)


def test_two_processes_at_once_lose_nothing(
    two: tuple[FakeGitHub, FakeGitHub],
    shared: dict[str, str],
    program: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    """Two processes at once, such as an Action and a Lambda, lose nothing."""
    processes = [
        program(url=two[0].url, repositories=f"{NAME} {BUOY}", **shared),
        program(url=two[1].url, repositories=f"{BUOY} {CRANE}", **shared),
    ]
    done = [ended(process, tmp_path) for process in processes]
    assert [one.code for one in done] == [0, 0], "\n".join(one.err for one in done)
    assert_both_are_kept(shared, two)


def test_run_that_met_the_export_of_another_takes_it_in(
    github: FakeGitHub, aws: Aws, proxy: FaultProxy, program: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A run that finds a month's file changed by another run merges that run's rows."""
    backends = {"store": aws.store, "export_to": aws.export_to}
    proxy.fault = held = HeldRequests(f"PUT /{aws.bucket}/traffic/{DAILY}", 1)
    with two_moments(github, timedelta(days=9)) as two:
        first = program(url=two[0].url, repositories=f"{NAME} {BUOY}", **backends)
        assert held.reached.wait(30)
        proxy.fault = lambda _: None
        second = program(url=two[1].url, repositories=f"{BUOY} {CRANE}", **backends)
        assert ended(second, tmp_path).code == 0
        held.released.set()
        assert ended(first, tmp_path).code == 0
        assert [request.name for request in proxy.requests].count(f"PUT /{aws.bucket}/traffic/{DAILY}") >= 3
        assert_both_are_kept(backends, two)
