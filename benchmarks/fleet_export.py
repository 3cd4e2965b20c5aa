"""Measure the export of a fleet: `python -m benchmarks.fleet_export [--repositories 1000]`.

Each case stores a history, then observes every repository once more and exports, in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection, connect
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from rich.console import Console
from rich.table import Table

from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.incremental import read_export
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.exports.run_export import RunExport
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.traffic.merge import apply, merge
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    Metadata,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)
from ghtraffic_action.traffic.observation import Observation, Repository, Series

NAME = "octo-lab/a-repository-of-the-fleet"
TODAY = date(2026, 10, 31)
AT_ONCE = 12
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Case:
    """A fleet: stored days and top rows per repository, and whether an export exists."""

    name: str
    days: int
    tops: int
    exported: bool
    most: int


CASES = (
    Case("busy, day 31 of the month", 31, 10, exported=True, most=200),
    Case("10 years, no catalogue", 3_650, 2, exported=False, most=256),
)


def snapshot(day: date, tops: int) -> Snapshot:
    """Make what one run sees on a day."""
    at = datetime.combine(day, time(3, 17), UTC)
    paths = tuple(
        TopPath(f"/octo-lab/fleet/blob/main/docs/{n}.md", f"Page {n} of the docs", 90, 9) for n in range(tops)
    )
    referrers = tuple(TopReferrer(f"site-{n}.example.com", 90, 9) for n in range(tops))
    metadata = Metadata(at, 5, 2, 3, 1, 0, archived=False, created=date(2010, 1, 1))
    totals = Totals(at, 900, 90)
    return Snapshot(day, NAME, metadata, totals, totals, TopPaths(at, paths), TopReferrers(at, referrers))


def listed(day: date) -> tuple[Day, ...]:
    """Make the days that one answer lists."""
    return tuple(Day(day - timedelta(days=n), NAME, 60 + n, 20, 12, 5) for n in range(1, 15))


def store_history(path: Path, case: Case, repositories: int) -> None:
    """Store a history without its last day: save one repository, copy its rows for others."""
    days = [TODAY - timedelta(days=n) for n in range(case.days - 1, 0, -1)]
    numbers = {day.day: day for seen in days for day in listed(seen)}
    with closing(SQLiteStore(str(path))) as store:
        store.save(1, Changes(tuple(numbers.values()), tuple(snapshot(day, case.tops) for day in days)))
    with closing(connect(path)) as database, database:
        for repository_id in range(2, repositories + 1):
            for table in ("repository", "day", "snapshot", "top_path", "top_referrer"):
                copy(database, table, repository_id)


def copy(database: Connection, table: str, repository_id: int) -> None:
    """Copy the first repository's records of a table to another."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    own = "id" if table == "repository" else "repository_id"
    chosen = ", ".join(str(repository_id) if column == own else column for column in columns)
    database.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table} WHERE {own} = 1")  # noqa: S608 - our own names


def collect(export: RunExport, repository_id: int, tops: int) -> None:
    """Load, merge, save and render one repository, as a run does."""
    seen = snapshot(TODAY, tops)
    assert seen.metadata  # noqa: S101 - made above
    assert seen.views  # noqa: S101 - made above
    series = Series(seen.views, listed(TODAY))
    repository = Repository(repository_id, NAME, private=False, pushed=None, metadata=seen.metadata)
    observation = Observation(repository, series, replace(series, days=()), seen.paths, seen.referrers)
    history = export.extend(export.load(repository_id, TODAY), observation)
    history = apply(history, export.store.save(repository_id, merge(history, observation)).stored)
    export.keep(repository_id, export.render(history)[1])


def run(folder: Path, tops: int, repositories: int) -> dict[str, float | str]:
    """Observe and export everything; return what it took."""
    began = perf_counter()
    destination, runtime = DirectoryDestination(str(folder / "export")), Runtime()
    with closing(SQLiteStore(str(folder / "traffic.db"))) as store, closing(Spool()) as spool:
        with ThreadPoolExecutor(AT_ONCE) as workers:
            before = workers.submit(read_export, destination, runtime)
            before.result()
            export = RunExport(store, destination, before, spool, runtime)
            list(workers.map(lambda repository_id: collect(export, repository_id, tops), range(1, repositories + 1)))
        result = export.write()
    if result.errors:
        raise RuntimeError(result.errors)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    return {"peak": peak, "cpu": process_time(), "seconds": perf_counter() - began, "files": len(result.files)}


def contents(folder: Path) -> str:
    """Return one digest of all files."""
    found = sha256()
    for path in sorted(folder.rglob("*.csv")):
        found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


def measure(case: Case, repositories: int) -> Iterator[str]:
    """Measure one case; yield the cells of its line."""
    with TemporaryDirectory(prefix="fleet-") as place:
        folder = Path(place)
        store_history(folder / "traffic.db", case, repositories)
        with closing(SQLiteStore(str(folder / "traffic.db"))) as store:
            if case.exported:
                rebuild(store, DirectoryDestination(str(folder / "export")))
            command = [sys.executable, "-m", "benchmarks.fleet_export", "--repositories", str(repositories)]
            command += ["--run", place, "--tops", str(case.tops)]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(ended.stdout)
            rebuild(store, DirectoryDestination(str(folder / "rebuilt")))
        same = contents(folder / "export") == contents(folder / "rebuilt")
    yield f"{repositories:,} repositories, {case.name}"
    yield f"{found['peak']:.0f} MB (at most {case.most})"
    yield f"{found['cpu']:.1f} s"
    yield f"{found['seconds']:.1f} s"
    yield f"{found['files']} files, {'as rebuilt' if same else 'NOT as rebuilt'}"


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=1_000)
    parser.add_argument("--run", type=Path, help="observe and export in this folder, and print what it took")
    parser.add_argument("--tops", type=int, default=2)
    parser.add_argument("--only", default="", help="those cases that have this in their name")
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run(arguments.run, arguments.tops, arguments.repositories)))
        return
    table = Table("case", "peak memory", "CPU", "wall", "export")
    for case in CASES:
        if arguments.only in case.name:
            table.add_row(*measure(case, arguments.repositories))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
