"""Replay recordings through the real run, and check the export after every run.

`python -m benchmarks.replay RECORDING…`: each line is a run at the moment it was taken; at a cadence of 7 days those
lines are runs that lie at least 7 days apart.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import boto3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import judgement, recording
from benchmarks.processes import Service, environment
from benchmarks.recording import Kept, Line
from ghtraffic_action.collect import run
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import METRICS
from tests.simulation import expected
from tests.support.aws import create_table
from tests.support.csvfiles import exported
from tests.support.fake_github import FakeGitHub, Repository

REPOSITORY_ID = 7
CADENCES = (1, 3, 7, 13)
"""Days from one run to the next; with 1 every line is a run."""


@dataclass(frozen=True)
class Replayed:
    """The store after a replay, the expected numbers, and the faults of all exports."""

    stored: Kept
    heard: Kept
    faults: Counter[str]
    written: tuple[int, ...]
    seconds: float

    def is_exact(self, metric: str) -> bool:
        """Return whether the store has exactly the largest number of each day."""
        stored, heard = ({p: n for p, n in kept.items() if p[0] == metric} for kept in (self.stored, self.heard))
        return stored == heard


def at_cadence(lines: Sequence[Line], days: int) -> list[Line]:
    """Return the lines that a run every so many days receives."""
    if days == 1:
        return list(lines)
    heard = [lines[0]]
    for line in lines:
        if line.taken_at.date() >= heard[-1].taken_at.date() + timedelta(days=days):
            heard.append(line)
    return heard


def replay(lines: Sequence[Line], store: str, export_to: str, final: Kept | None = None) -> Replayed:
    """Run once for each line and check each export.

    `final` holds the last number of each day, if the lines are not all of the recording. Raises RuntimeError if a run
    fails.
    """
    began = perf_counter()
    final = recording.largest(lines) if final is None else final
    created = min((day for (_, day), numbers in final.items() if any(numbers)), default=lines[0].taken_at.date())
    kept, faults, written = expected.Kept(created), Counter[str](), []
    repository = Repository(REPOSITORY_ID, lines[0].repository, lines[0].traffic, created)
    with FakeGitHub([repository], now=lines[0].taken_at) as github:
        settings = read_settings(
            "collect",
            {
                "GHTRAFFIC_REPOSITORIES": lines[0].repository,
                "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
                "GHTRAFFIC_STORE": store,
                "GHTRAFFIC_EXPORT_TO": export_to,
                "GITHUB_API_URL": github.url,
            },
        )
        for line in lines:
            report = _run(settings, github, line)
            for answer in line.answers:
                kept.add(answer)
            judged = kept.expected()
            faults.update(judgement.faults_of(exported(export_to), judged, final))
            faults[judgement.OTHER] += report.repositories[0].deadline != judged.deadline
            written.append(sum(found.inserted + found.raised for found in report.repositories))
    return Replayed(_stored(store), dict(kept.numbers), faults, tuple(written), perf_counter() - began)


def _run(settings: Settings, github: FakeGitHub, line: Line) -> Report:
    github.now = line.taken_at
    github.repositories[0].traffic = line.traffic
    github.requests.clear()
    report = run(settings, Runtime(now=lambda: github.now))
    if report.exit_code:
        raise RuntimeError(f"the run of {line.taken_at} failed: {'; '.join(report.all_errors)}")
    return report


def _stored(address: str) -> Kept:
    with closing(open_store(address, create=False)) as store:
        history = store.load(REPOSITORY_ID)
    kept: Kept = {}
    for day in history.days:
        if day.views is not None and day.view_uniques is not None:
            kept["views", day.day] = (day.views, day.view_uniques)
        if day.clones is not None and day.clone_uniques is not None:
            kept["clones", day.day] = (day.clones, day.clone_uniques)
    return kept


def print_losses(console: Console, lines: Sequence[Line], truth: Kept) -> None:
    """Print the losses of other rules on the same answers."""
    rules = {
        "insert once": recording.first,
        "the article: once, by days of views": recording.article,
        "the last answer wins": recording.last,
        "the largest (ours)": recording.largest,
    }
    columns = [f"{what} of {metric}" for metric in METRICS for what in ("counts", "uniques")]
    table = Table("lost by the rule", *columns, title="The same answers by other rules", title_justify="left")
    for name, rule in rules.items():
        kept = rule(lines)
        losses = [loss for metric in METRICS for loss in recording.lost(kept, truth, metric)]
        table.add_row(name, *(f"{loss:.1%}" for loss in losses))
    console.print(table)


@contextmanager
def _local(_: str) -> Iterator[tuple[str, str]]:
    with TemporaryDirectory(prefix="ghtraffic-") as folder:
        yield f"sqlite:{folder}/traffic.db", f"{folder}/export"


@contextmanager
def _aws(emulator: str) -> Iterator[tuple[str, str]]:
    with Service("aws", emulator) as aws:
        here = environment(AWS_ENDPOINT_URL=aws.url)
        os.environ.clear()
        os.environ.update(here)
        create_table(boto3.client("dynamodb"), "traffic")
        boto3.client("s3").create_bucket(Bucket="traffic")
        yield "dynamodb://traffic", "s3://traffic/export"


PLACES = {"local": _local, "aws": _aws}


@dataclass(frozen=True)
class _Result:
    recording: str
    store: str
    cadence: int
    replayed: Replayed


def _results(
    recordings: Sequence[Path], stores: Sequence[str], cadences: Sequence[int], emulator: str
) -> list[_Result]:
    tasks = list(product(recordings, stores, cadences))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for path, store, cadence in progress.track(tasks, description="replays"):
            lines = recording.read(path)
            with PLACES[store](emulator) as (address, export_to):
                replayed = replay(at_cadence(lines, cadence), address, export_to, recording.largest(lines))
            results.append(_Result(path.name.partition(".")[0], store, cadence, replayed))
    return results


def print_results(console: Console, results: Iterable[_Result]) -> int:
    """Print a line for each replay; return the number of faults."""
    columns = (
        "recording",
        "places",
        "days",
        "runs",
        *judgement.FAULTS,
        judgement.RISEN,
        "views",
        "clones",
        "written",
        "s",
    )
    table = Table(*columns, title="Every export judged after every run", title_justify="left")
    faults = 0
    for found in results:
        replayed = found.replayed
        exact = [replayed.is_exact(metric) for metric in METRICS]
        faults += sum(replayed.faults[fault] for fault in judgement.FAULTS) + exact.count(False)
        table.add_row(
            found.recording,
            found.store,
            str(found.cadence),
            f"{len(replayed.written):,}",
            *(f"{replayed.faults[fault]:,}" for fault in (*judgement.FAULTS, judgement.RISEN)),
            *("exact" if of else "differ" for of in exact),
            f"{median(replayed.written):g}, at most {max(replayed.written)}",
            f"{replayed.seconds:.0f}",
        )
    console.print(table)
    console.print(f"{faults:,} faults; written: days by a run, the median and the most")
    return faults


def main(argv: Sequence[str] | None = None) -> int:
    """Replay as the arguments say; return 1 if any export was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("recordings", type=Path, nargs="+", help="recordings, JSON lines, also compressed (.gz)")
    parser.add_argument("--store", choices=("local", "aws", "both"), default="local", help="default: local")
    parser.add_argument("--cadence", type=int, nargs="+", default=CADENCES, help="default: 1 3 7 13")
    parser.add_argument("--emulator", choices=("ministack", "moto"), default="ministack", help="default: ministack")
    arguments = parser.parse_args(argv)
    stores = tuple(PLACES) if arguments.store == "both" else (arguments.store,)
    results = _results(arguments.recordings, stores, arguments.cadence, arguments.emulator)
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=190)
    faults = print_results(console, results)
    for path in arguments.recordings:
        lines = recording.read(path)
        print_losses(console, lines, recording.largest(lines))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
