"""The demonstration: the real run, once for each of many days, against a fake of GitHub."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from shutil import which
from threading import Event

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ghtraffic_action.collect import run
from ghtraffic_action.demo.fake_github import FakeRestApi
from ghtraffic_action.demo.sample_data import sample
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.show import traffic_of
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.coverage import known_days
from ghtraffic_action.views.coverage_calendar import print_calendar
from ghtraffic_action.views.report_table import print_report
from ghtraffic_action.views.traffic_view import print_traffic

log = logging.getLogger(__name__)

_RUN_AT = time(11, 17, tzinfo=UTC)
"""When the daily run begins: after the hour from which GitHub lists yesterday."""


def run_demo(directory: str, days: int, stop: Event) -> int:
    """Collect `days` days of the sample below `directory`, then show what is known; return an exit code."""
    folder = _empty_folder(directory)
    last = datetime.now(UTC).date() - timedelta(days=1)
    repository = sample(last, days)
    first_run = datetime.combine(last - timedelta(days=days - 1), _RUN_AT)
    with _without_proxy(), FakeRestApi([repository], now=first_run) as github:
        settings = read_settings(
            "collect",
            {
                "GHTRAFFIC_REPOSITORIES": repository.name,
                "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
                "GHTRAFFIC_STORE": f"sqlite:{folder / 'ghtraffic.db'}",
                "GHTRAFFIC_EXPORT_TO": str(folder / "export"),
                "GITHUB_API_URL": github.url,
            },
        )
        # Each run would warn that it could not read the issues: the fake has no GraphQL.
        logging.getLogger("ghtraffic_action").setLevel(logging.ERROR)
        reports = _collect_daily(settings, github, days, stop)
    if reports:
        _show(settings, reports, folder)
    return max((report.exit_code for report in reports), default=1)


def _empty_folder(directory: str) -> Path:
    """Make the folder, or use one that is there and empty."""
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        what = f"{directory}: it cannot be used ({error.strerror})"
        raise click.UsageError(f"{what}: name a folder that this user can write with --directory") from error
    if not empty:
        raise click.UsageError(f"{directory}: it is not empty: remove it, or name another with --directory")
    return folder


@contextmanager
def _without_proxy() -> Iterator[None]:
    """Reach the stand-in on this machine directly, whatever proxy the environment names."""
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    os.environ |= dict.fromkeys(before, "127.0.0.1,localhost")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _errors_only() -> Iterator[None]:
    """Log no warnings: without GraphQL each run warns that it cannot separate issues from pull requests."""
    logger = logging.getLogger("ghtraffic_action")
    before = logger.level
    logger.setLevel(logging.ERROR if before == logging.WARNING else before)
    try:
        yield
    finally:
        logger.setLevel(before)


def _collect_daily(settings: Settings, github: FakeRestApi, days: int, stop: Event) -> list[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    reports: list[Report] = []
    with _errors_only(), Progress(*columns, console=Console(stderr=True)) as progress:
        for _ in progress.track(range(days), description="one run a day"):
            if stop.is_set():
                break
            reports.append(run(settings, Runtime(stop, now=lambda: github.now)))
            for error in reports[-1].all_errors:
                log.error("%s: %s", github.now.date(), error)
            github.now += timedelta(days=1)
            github.repositories[0].stars += len(reports) % 3
    return reports


def _show(settings: Settings, reports: list[Report], folder: Path) -> None:
    inserted = sum(found.inserted for report in reports for found in report.repositories)
    raised = sum(found.raised for report in reports for found in report.repositories)
    click.echo(f"\n{len(reports)} runs, a day apart: {inserted} days inserted, {raised} times one raised. The last:\n")
    print_report(reports[-1])
    with closing(open_store(settings.store, create=False)) as store:
        for history in store.scan():
            click.echo()
            print_calendar(list(known_days(history)))
            if traffic := traffic_of(history):
                click.echo()
                print_traffic([traffic])
    click.echo(
        f"\nLook at   {folder / 'export' / 'v1'}, where every file is CSV; the store is {folder / 'ghtraffic.db'}"
    )
    program = "ghtraffic" if which("ghtraffic") else f"{sys.executable} -m ghtraffic_action"
    click.echo(f"For real  GHTRAFFIC_GITHUB_TOKEN=... {program} collect OWNER/NAME")
