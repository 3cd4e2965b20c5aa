"""Plans that once broke an invariant: the export must not depend on which run wrote it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.support.fake_github import WHOLE, Form, GeneratedTraffic, Replay, Repository
from tests.support.files import IN_MEMORY

from .scenario import Batch
from .simulate import Plan, Simulation
from .world import World

pytestmark = pytest.mark.usefixtures("unmeasured")

FIRST = date(2026, 3, 2)
CREATED = FIRST - timedelta(days=400)
REQUESTS = 40
"""At least as many as one run of one repository sends."""
KILLS = range(0, REQUESTS, 3)
"""After how many requests a run is killed: at one or more before, in and after each of its parts."""


def at(day: int, hour: int, minute: int = 17, second: int = 0) -> datetime:
    """Return a moment on a day, counted from FIRST."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, hour, minute, second, tzinfo=UTC) + timedelta(days=day)


def simulate(folder: Path, batches: Sequence[Batch], form: Form = WHOLE) -> Simulation:
    """Execute the batches on SQLite and a directory, check each invariant after each, and `verify` at the end."""
    days = [FIRST + timedelta(days=n) for n in range(-60, 150)]
    numbers = {day: (1 + day.day % 7, 1) for day in days}
    traffic = GeneratedTraffic(numbers, numbers, name="octo-a/boat", seed=1, form=form)
    world = World([Repository(1000, "octo-a/boat", traffic, CREATED, pushed=at(-1, 0))], ["octo-a/boat"])
    folder.mkdir()
    draw = Random(0)  # noqa: S311 - it has to be repeatable, not secret
    simulation = Simulation(0, draw, Plan(FIRST, world, batches), folder)
    simulation.run()
    return simulation


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder in memory if possible: a store on a disk waits for each of its writes."""
    with TemporaryDirectory(dir=IN_MEMORY, prefix="plans-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("refused", ["/views", "/clones"])
@pytest.mark.parametrize("gap", [15, 16, 31])
def test_whole_run_after_one_that_was_refused_an_endpoint(folder: Path, refused: str, gap: int) -> None:
    """After a gap, a run that was refused an endpoint and a whole one on that day count the lost days alike."""
    for hours in ((2, 13), (13, 14)):
        runs = [Batch(at(gap, hours[0]), refused=refused), Batch(at(gap, hours[1])), Batch(at(gap + 1, 13))]
        simulate(folder / f"{hours[0]}", [Batch(at(0, 13)), *runs])


@pytest.mark.parametrize("gap", [16, 31])
def test_runs_across_midnight_of_which_the_earlier_is_killed(folder: Path, gap: int) -> None:
    """Of two runs across midnight the earlier may be killed at any request: later runs count the same lost days."""
    for kill_at in KILLS:
        crossing = Batch(
            at(gap, 23, 59, 58),
            after=(0.0, 1.0),
            kill_at=(kill_at, None),
            stop_at=(None,) * 2,
            skew=(timedelta(),) * 2,
            distance=0.5,
        )
        simulate(folder / f"{kill_at}", [Batch(at(0, 13)), crossing, Batch(at(gap + 1, 1)), Batch(at(gap + 2, 13))])


@pytest.mark.parametrize("later", [(0,), (5, 20)])
def test_replay_that_a_killed_run_has_heard(folder: Path, later: tuple[int, ...]) -> None:
    """After a run that received an answer of weeks ago and was killed, later runs lose none of the days."""
    begin = at(60, 13, 0)
    form = Replay(WHOLE, begin, begin + timedelta(hours=2), of=at(34, 13))
    for kill_at in KILLS:
        failed = [Batch(at(60 + days, 15), outage="v1/") for days in later[:-1]]
        runs = [Batch(at(0, 13)), Batch(at(59, 13)), Batch(at(60, 13), kill_at=(kill_at,)), *failed]
        simulate(folder / f"{kill_at}", [*runs, Batch(at(60 + later[-1], 16))], form)


def test_killed_at_any_request_after_a_gap(folder: Path) -> None:
    """A run killed at any request, before and after a gap, does not change what later runs export."""
    for kill_at in range(REQUESTS):
        gap = [Batch(at(day, 13), kill_at=(kill_at,)) for day in (2, 25)]
        simulate(folder / f"{kill_at}", [Batch(at(0, 13)), *gap, Batch(at(26, 3)), Batch(at(40, 13))])
