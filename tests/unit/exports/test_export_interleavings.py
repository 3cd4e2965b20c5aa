"""Simultaneous exports in random orders, with kills and refusals: no row is lost."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from threading import Lock
from typing import TypeVar

import pytest

from ghtraffic_action.errors import DestinationError, StoreError
from ghtraffic_action.exports.destination import LARGEST, Conflict, File, digest
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.stores.base import Imports, Saved, Store
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.stars import StarYear
from tests.simulation.scheduler import Clock, Process, Scheduler, Stop, machine
from tests.support.exports import START, Observed, Run, World, invented, morning

pytestmark = pytest.mark.e2e  # a simulation

_T = TypeVar("_T")


class MemoryDestination:
    """Files in memory with compare-and-swap; versions are never reused."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self._lock = Lock()
        self._versions = iter(range(1_000_000))

    def read(self, key: str, limit: int = LARGEST) -> File | None:  # noqa: ARG002 - files are small
        """See Destination."""
        return self.files.get(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination."""
        return (key for key in self.files if key.startswith(prefix))

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        with self._lock:
            current = self.files.get(key)
            if (current and current.version) != version:
                raise Conflict(key)
            self.files[key] = File(content, digest(content), str(next(self._versions)))

    def uri(self, key: str) -> str:
        """See Destination."""
        return key

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination."""
        return {}

    def close(self) -> None:
        """See Destination."""

    def contents(self) -> dict[str, bytes]:
        """Return all files."""
        return {key: file.content for key, file in sorted(self.files.items())}


@dataclass
class Way:
    """A connection that lets one request through at a time in a random order, and refuses some."""

    scheduler: Scheduler
    draw: Random
    refusals: float = 0.0

    def send(self, work: Callable[[], _T], error: type[Exception]) -> _T:
        """Do `work` in turn, refuse it, or lose its response."""
        self.scheduler.request()
        refused = self.draw.random() < self.refusals
        if refused and self.draw.random() < 0.5:
            raise error("refused")
        done = work()
        if refused:
            raise error("the answer was lost")
        return done


@dataclass
class RemoteDestination:
    """A destination behind a `Way`."""

    inner: MemoryDestination
    way: Way

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """See Destination."""
        return self.way.send(lambda: self.inner.read(key, limit), DestinationError)

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination."""
        return self.inner.keys(prefix)

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        self.way.send(lambda: self.inner.write(key, content, version), DestinationError)

    def uri(self, key: str) -> str:
        """See Destination."""
        return key

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination."""
        return {}

    def close(self) -> None:
        """See Destination."""


@dataclass
class RemoteStore:
    """A store behind a `Way`."""

    inner: Store
    way: Way

    @property
    def imports(self) -> Imports:
        """See Store."""
        return self.inner.imports

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store."""
        return self.way.send(lambda: self.inner.load(repository_id, since), StoreError)

    def load_stars(self, repository_id: int) -> tuple[StarYear, ...]:
        """See Store."""
        return self.way.send(lambda: self.inner.load_stars(repository_id), StoreError)

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store."""
        return self.way.send(lambda: self.inner.save(repository_id, changes), StoreError)

    def scan(self) -> Iterator[History]:
        """See Store."""
        return self.inner.scan()

    def close(self) -> None:
        """See Store."""


class Simulation:
    """Batches of runs with one store and one destination."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311 - it has to be repeatable
        random.seed(seed)  # the waits between rounds
        self.clock = Clock(morning(START))
        self.scheduler = Scheduler(self.draw, self.clock)
        self.way = Way(self.scheduler, self.draw)
        self.store = SQLiteStore(":memory:")
        self.destination = MemoryDestination()
        self.repositories = [
            Observed(i, f"octo-lab/r{i}", invented(f"octo-lab/r{i}", number=i), stars=i)
            for i in range(1, self.draw.randint(2, 4))
        ]

    def batch(self, count: int, *, kills: float, refusals: float) -> bool:
        """Run some runs simultaneously. Return whether all of them exported everything."""
        self.way.refusals = refusals
        runs = []
        for _ in range(count):
            kill_at = self.draw.randrange(60) if self.draw.random() < kills else None
            some = self.draw.sample(self.repositories, self.draw.randint(1, len(self.repositories)))
            runs.append(Process(partial(self._run, some if kills or refusals else self.repositories), kill_at))
            runs[-1].stop = Stop(self.scheduler)
        self.scheduler.run(runs)
        for run in runs:
            assert run.error is None or isinstance(run.error, StoreError), run.error
        return all(run.result is not None and not run.result.errors for run in runs)

    def _run(self, repositories: list[Observed], process: Process[ExportResult]) -> ExportResult:
        runtime = machine(self.clock, self.draw, process.stop, timedelta())
        store, destination = RemoteStore(self.store, self.way), RemoteDestination(self.destination, self.way)
        run = Run.begin(World(store, destination), runtime)
        for repository in repositories:
            self.clock.advance(self.draw.randrange(25))
            repository.stars += 1
            run.collect(repository, self._now())
        return run.export()

    def _now(self) -> datetime:
        return self.clock.now.replace(microsecond=0)

    def rebuilt(self) -> dict[str, bytes]:
        """Return the files of a rebuild."""
        destination = MemoryDestination()
        assert rebuild(self.store, destination).errors == ()
        return destination.contents()


@pytest.mark.parametrize("seed", range(25))
def test_the_export_equals_a_rebuild_whatever_runs_did(seed: int) -> None:
    """After kills and refusals one undisturbed batch leaves the files of a rebuild, byte for byte."""
    simulation = Simulation(seed)
    with closing(simulation.store):
        for _ in range(5):
            days = simulation.draw.choice([0, 1, 1, 2, 9, 16])
            simulation.clock.now += timedelta(days=days, seconds=simulation.draw.randrange(70_000))
            kills, refusals = simulation.draw.choice([(0.0, 0.0), (0.5, 0.0), (0.3, 0.05)])
            if simulation.batch(simulation.draw.randint(2, 4), kills=kills, refusals=refusals):
                everything = not kills and not refusals
                assert not everything or simulation.destination.contents() == simulation.rebuilt()
        assert simulation.batch(2, kills=0, refusals=0)
        assert simulation.destination.contents() == simulation.rebuilt()


def test_a_killed_run_and_a_lost_race_happen() -> None:
    """The seeds above include killed runs, refused requests and lost races."""
    conflicts: list[str] = []
    ended = []

    class Watched(MemoryDestination):
        def write(self, key: str, content: bytes, version: str | None) -> None:
            try:
                super().write(key, content, version)
            except Conflict:
                conflicts.append(key)
                raise

    for seed in range(5):
        simulation = Simulation(seed)
        simulation.destination = Watched()
        with closing(simulation.store):
            ended += [simulation.batch(3, kills=0.5, refusals=0.05), simulation.batch(3, kills=0, refusals=0)]
    assert conflicts
    assert set(ended) == {False, True}
