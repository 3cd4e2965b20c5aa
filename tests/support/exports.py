"""A small world in which runs export: generated traffic, a store, a destination."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import LARGEST, Destination, File
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.incremental import ExportBefore, read_export
from ghtraffic_action.exports.layout import month_key
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.run_export import RunExport
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.base import Store
from ghtraffic_action.traffic.merge import apply, merge
from ghtraffic_action.traffic.model import (
    Day,
    Metadata,
    Metric,
    Release,
    Releases,
    RunCount,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
    WorkflowRuns,
)
from ghtraffic_action.traffic.observation import Observation, Repository, Series
from tests.support.aws import Aws
from tests.support.fake_github import GeneratedTraffic, OldForm
from tests.support.fake_github import Series as AnswerSeries
from tests.support.runtime import no_wait_runtime

START = date(2026, 8, 20)
NAME = "octo-lab/lighthouse"
OTHER = "octo-lab/beacon"
DAILY = month_key("daily", "2026-11")

_Answer = TypeVar("_Answer")


@dataclass
class Observed:
    """A repository as runs observe it: invented traffic, and what else a test changes from day to day."""

    id: int
    name: str
    traffic: GeneratedTraffic
    stars: int = 5
    created: date = date(2020, 2, 2)
    refused: frozenset[str] = frozenset()
    paths: tuple[TopPath, ...] | None = None
    releases: tuple[Release, ...] = ()
    workflow_runs: tuple[RunCount, ...] = ()

    def at(self, now: datetime) -> Observation:
        """Return the observation at a moment."""
        metadata = Metadata(now, self.stars, 2, 3, None, 0, archived=False, created=self.created)
        recent = tuple(release for release in self.releases if now - release.published < timedelta(days=30))
        releases = Releases(now, recent) if recent else None
        repository = Repository(self.id, self.name, private=False, pushed=None, metadata=metadata, releases=releases)
        paths = tuple(TopPath(*row) for row in self.traffic.paths(now)) if self.paths is None else self.paths
        referrers = tuple(TopReferrer(*row) for row in self.traffic.referrers(now))
        return Observation(
            repository,
            views=self._unless_refused("views", self._series("views", self.traffic.views(now), now)),
            clones=self._unless_refused("clones", self._series("clones", self.traffic.clones(now), now)),
            paths=self._unless_refused("paths", TopPaths(now, paths)),
            referrers=self._unless_refused("referrers", TopReferrers(now, referrers)),
            workflow_runs=WorkflowRuns(now, self.workflow_runs) if self.workflow_runs else None,
        )

    def _unless_refused(self, name: str, answer: _Answer) -> _Answer | None:
        return None if name in self.refused else answer

    def _series(self, metric: Metric, answer: AnswerSeries, now: datetime) -> Series:
        numbers = ("views", "view_uniques") if metric == "views" else ("clones", "clone_uniques")
        days = tuple(Day(row[0], self.name, **dict(zip(numbers, row[1:], strict=True))) for row in answer.rows)
        return Series(Totals(now, answer.count, answer.uniques), days)


def invented(name: str = NAME, *, length: int = 400, number: int = 40) -> GeneratedTraffic:
    """Invent traffic in which some days have none, and some have clones but no views."""

    def series(factor: int) -> dict[date, tuple[int, int]]:
        counts = {START - timedelta(days=40 - i): (number + i * factor % 23) * (i % 7 > 1) for i in range(length)}
        return {day: (count, count // 3) for day, count in counts.items()}

    return GeneratedTraffic(series(5), series(3), name=name, form=OldForm(omit_zeros=True))


def lighthouse(**changes: Any) -> Observed:  # noqa: ANN401 - the fields of Observed
    return replace(Observed(7, NAME, invented()), **changes)


def morning(day: date) -> datetime:
    return datetime.combine(day, time(3, 17), UTC)


@dataclass
class Run:
    """A run in progress, which has already read the export."""

    rows: RunExport

    @classmethod
    def begin(cls, world: "World", runtime: Runtime) -> "Run":
        """Read the export, as a run does before it reads the store."""
        before = Future[ExportBefore]()
        before.set_result(read_export(world.destination, runtime, article=world.article, report=world.report))
        return cls(RunExport(world.store, world.destination, before, Spool(), runtime, article=world.article))

    @property
    def before(self) -> ExportBefore:
        """The export as it was."""
        return self.rows.before

    def collect(self, repository: Observed, now: datetime) -> None:
        """Load, merge, save and render one repository."""
        observation = repository.at(now)
        history = self.rows.extend(self.rows.load(repository.id, now.date()), observation)
        saved = self.rows.store.save(repository.id, merge(history, observation))
        self.rows.keep(repository.id, self.rows.render(apply(history, saved.stored))[1])

    def export(self) -> ExportResult:
        """Write the export."""
        with closing(self.rows.spool):
            return self.rows.write()


@dataclass
class World:
    """A store, a destination, and runs over them."""

    store: Store
    destination: Destination
    article: bool = False
    report: bool = False

    def begin(self) -> Run:
        """Begin a run, which reads the export first."""
        return Run.begin(self, no_wait_runtime())

    def run(self, now: datetime, *repositories: Observed) -> ExportResult:
        """Observe, store and export."""
        run = self.begin()
        for repository in repositories:
            run.collect(repository, now)
        return run.export()

    def rows(self, key: str) -> list[dict[str, str]]:
        """Read a file's rows."""
        return rows_in(self.destination, key)


def rows_in(destination: Destination, key: str) -> list[dict[str, str]]:
    file = destination.read(key)
    assert file is not None, key
    return list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))


class FailingDestination:
    """A destination that fails, or calls a test's function, at chosen requests, and records all requests."""

    def __init__(self, inner: Destination) -> None:
        """Forward everything to `inner`."""
        self.inner = inner
        self.unwritable: Callable[[str], bool] = lambda _: False
        self.unreadable: Callable[[str], bool] = lambda _: False
        self.before_read: Callable[[str], object] = lambda _: None
        self.before_write: Callable[[str], object] = lambda _: None
        self.reads: list[str] = []
        self.writes: list[str] = []

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """See Destination."""
        self.before_read(key)
        self.reads.append(key)
        if self.unreadable(key):
            raise DestinationError(f"export-to {key}: cannot be read")
        return self.inner.read(key, limit)

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        self.before_write(key)
        self.writes.append(key)
        if self.unwritable(key):
            raise DestinationError(f"export-to {key}: cannot be written")
        self.inner.write(key, content, version)

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination."""
        return self.inner.keys(prefix)

    def uri(self, key: str) -> str:
        """See Destination."""
        return self.inner.uri(key)

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination."""
        return self.inner.manifests()

    def close(self) -> None:
        """See Destination."""
        self.inner.close()


def files_in(folder: str | Path) -> dict[str, bytes]:
    """Read all files of a directory except its lock."""
    root = Path(folder)
    paths = (path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def files_of(aws: Aws) -> dict[str, bytes]:
    """Read all files of the bucket."""
    listed = aws.s3.list_objects_v2(Bucket=aws.bucket).get("Contents", [])
    return {
        found["Key"].removeprefix("traffic/"): aws.s3.get_object(Bucket=aws.bucket, Key=found["Key"])["Body"].read()
        for found in listed
    }


def rebuilt(store: Store, folder: str = "rebuilt", *, article: bool = False, report: bool = False) -> dict[str, bytes]:
    """Write all files from the store alone into another folder."""
    assert rebuild(store, DirectoryDestination(folder), article=article, report=report).errors == ()
    return files_in(folder)


RUNS = [*range(6), *range(8, 12), 15, 17, 22, 28, 29, 30, 31, 38, 45, 46, 47, 62, 63, 66, 69]
"""The days, of 70, on which there is a run: daily ones, weekly ones, and a pause of more than two weeks."""


def seventy_days(world: World) -> None:
    """Run on 70 days over three repositories, with everything that can change a row."""
    first = lighthouse()
    second = Observed(12, OTHER, invented(OTHER, number=3), stars=50)
    third = Observed(100, "octo-lab/late", GeneratedTraffic({}, {}), created=START + timedelta(days=20))
    for n in RUNS:
        day = START + timedelta(days=n)
        first.stars += n % 4 - 1
        second.refused = frozenset({"views"} if n in (3, 46) else {"paths", "referrers"} if 20 <= n < 63 else ())
        first.refused = frozenset({"clones"} if 8 <= n < 29 else ())
        if n == 28:
            second.name = "octo-lab/renamed"
        if n in (2, 9, 38):
            second.releases = (Release(f"v{n}", morning(day)), *second.releases)
            first.releases = (Release("nightly", morning(day)),)
        first.workflow_runs = tuple(RunCount(day - timedelta(days=ago), n + ago) for ago in (1, 2, 14) if n % 3)
        repositories = [first, *([second] if n != 31 else []), *([third] if n >= 22 else [])]
        assert world.run(morning(day), *repositories).errors == ()
        if n % 10 == 5:
            assert world.run(morning(day) + timedelta(hours=9), first).errors == ()
