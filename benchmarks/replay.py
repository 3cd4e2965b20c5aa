"""Replay a recording through the real run, and compare what is kept with the largest ever reported.

`python -m benchmarks.replay RECORDING`: each line is one run, at the moment it was taken.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import boto3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import recording
from benchmarks.processes import Service, environment
from benchmarks.recording import Kept, Line
from ghtraffic_action.collect import run
from ghtraffic_action.exports.csvfile import parse
from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.exports.layout import month_key, months
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import METRICS
from tests.support.fake_github import FakeGitHub, Repository

REPOSITORY_ID = 7
SHOWN = 10
"""How many differences are listed."""


@dataclass(frozen=True)
class Replayed:
    """What a replay left in one store and one destination, and how many days each run wrote."""

    stored: Kept
    exported: Kept
    written: tuple[int, ...]
    seconds: float

    def differences(self, truth: Kept) -> list[str]:
        """List every metric and day of which something else is kept than the largest ever reported."""
        return [*_differences("stored", self.stored, truth), *_differences("exported", self.exported, _nonzero(truth))]


def replay(lines: Sequence[Line], store: str, export_to: str, progress: Iterable[Line] | None = None) -> Replayed:
    """Run once for each line, into the places that are named as in the settings; RuntimeError where a run fails.

    `progress` gives the same lines, and may show how far it is.
    """
    began = perf_counter()
    name = lines[0].repository
    created = min(day for line in lines for metric in METRICS for day in line.numbers[metric])
    repository = Repository(REPOSITORY_ID, name, lines[0].traffic, created)
    with FakeGitHub([repository], now=lines[0].taken_at) as github:
        settings = read_settings(
            "collect",
            {
                "GHTRAFFIC_REPOSITORIES": name,
                "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
                "GHTRAFFIC_STORE": store,
                "GHTRAFFIC_EXPORT_TO": export_to,
                "GITHUB_API_URL": github.url,
            },
        )
        written = tuple(_run(settings, github, line) for line in progress or lines)
    return Replayed(_stored(store), _exported(export_to, lines), written, perf_counter() - began)


def _run(settings: Settings, github: FakeGitHub, line: Line) -> int:
    github.now = line.taken_at
    github.repositories[0].traffic = line.traffic
    github.requests.clear()
    report = run(settings, Runtime(now=lambda: github.now))
    if report.exit_code:
        raise RuntimeError(f"the run of {line.taken_at} failed: {'; '.join(report.all_errors)}")
    return sum(found.inserted + found.raised for found in report.repositories)


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


def _exported(address: str, lines: Sequence[Line]) -> Kept:
    """Read the daily files, but for zeros and what is unknown, which they derive."""
    days = [day for line in lines for metric in METRICS for day in line.numbers[metric]]
    kept: Kept = {}
    with closing(open_destination(address)) as destination:
        for key in (month_key("daily", month) for month in months(min(days), lines[-1].taken_at.date())):
            if file := destination.read(key):
                for record in parse(key, file.content).records():
                    kept |= _exported_day(record)
    return _nonzero(kept)


def _exported_day(record: Mapping[str, str]) -> Kept:
    day = date.fromisoformat(record["day"])
    columns = {"views": ("views", "view_uniques"), "clones": ("clones", "clone_uniques")}
    return {
        (metric, day): (int(record[count]), int(record[uniques]))
        for metric in METRICS
        for count, uniques in (columns[metric],)
        if record[count]
    }


def _nonzero(kept: Kept) -> Kept:
    return {place: numbers for place, numbers in kept.items() if any(numbers)}


def _differences(where: str, kept: Kept, truth: Kept) -> list[str]:
    return [
        f"{place[0]} of {place[1]}: {kept.get(place, 'nothing')} {where}, {truth.get(place, 'nothing')} reported"
        for place in sorted(kept.keys() | truth.keys())
        if kept.get(place) != truth.get(place)
    ]


def print_replayed(console: Console, name: str, replayed: Replayed, truth: Kept) -> int:
    """Print what a replay left, and return the number of differences."""
    table = Table("", "counts", "days", "uniques", title=name, title_justify="left", title_style="bold")
    for what, kept in (("reported", truth), ("stored", replayed.stored), ("exported", replayed.exported)):
        for metric in METRICS:
            count, uniques = recording.total(kept, metric)
            days = sum(of == metric for of, _ in kept)
            table.add_row(f"{metric} {what}", f"{count:,}", f"{days:,}", f"{uniques:,}")
    console.print(table)
    differences = replayed.differences(truth)
    for difference in differences[:SHOWN]:
        console.print(f"  {difference}", style="red")
    console.print(
        f"{len(differences)} differences; {len(replayed.written):,} runs in {replayed.seconds:.0f} s; "
        f"days written by a run: median {median(replayed.written):g}, 95 % at most "
        f"{sorted(replayed.written)[len(replayed.written) * 95 // 100]}, most {max(replayed.written)}\n"
    )
    return len(differences)


def print_losses(console: Console, lines: Sequence[Line], truth: Kept) -> None:
    """Print what other rules would have lost of the same answers."""
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


def _replay_locally(lines: Sequence[Line], progress: Iterable[Line], _: str) -> Replayed:
    with TemporaryDirectory(prefix="ghtraffic-") as folder:
        return replay(lines, f"sqlite:{folder}/traffic.db", f"{folder}/export", progress)


def _replay_on_aws(lines: Sequence[Line], progress: Iterable[Line], emulator: str) -> Replayed:
    with Service("aws", emulator) as aws:
        here = environment(AWS_ENDPOINT_URL=aws.url)
        os.environ.clear()
        os.environ.update(here)
        boto3.client("dynamodb").create_table(
            TableName="traffic",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        boto3.client("s3").create_bucket(Bucket="traffic")
        return replay(lines, "dynamodb://traffic", "s3://traffic/export", progress)


STORES = {"local": ("SQLite and a directory", _replay_locally), "aws": ("DynamoDB and S3", _replay_on_aws)}


def main(argv: Sequence[str] | None = None) -> int:
    """Replay as the arguments say; return 1 where anything differs from the largest ever reported."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("recording", type=Path, help="a recording, JSON lines, also compressed (.gz)")
    parser.add_argument("--store", choices=("local", "aws", "both"), default="both", help="default: both")
    parser.add_argument("--emulator", choices=("ministack", "moto"), default="ministack", help="default: ministack")
    arguments = parser.parse_args(argv)
    lines = recording.read(arguments.recording)
    truth = recording.largest(lines)
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=120)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    differences = 0
    for store in STORES if arguments.store == "both" else (arguments.store,):
        name, replay_there = STORES[store]
        with Progress(*columns, console=Console(stderr=True)) as progress:
            replayed = replay_there(lines, progress.track(lines, description=name), arguments.emulator)
        differences += print_replayed(console, name, replayed, truth)
    print_losses(console, lines, truth)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
