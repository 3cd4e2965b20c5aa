"""The demonstration: a real run on each of many days against a fake GitHub."""

import logging
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from shutil import which
from threading import Event

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ghtraffic_action.collect import run
from ghtraffic_action.demo.fake_github import FakeRestApi
from ghtraffic_action.demo.sample_data import PAUSE, fleet, sample
from ghtraffic_action.page.writer import PAGE
from ghtraffic_action.report import Report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.show import read_traffic
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.coverage import known_days
from ghtraffic_action.views.coverage_calendar import print_calendar
from ghtraffic_action.views.report_table import print_report
from ghtraffic_action.views.traffic_view import print_traffic

log = logging.getLogger(__name__)

_RUN_AT = time(11, 17, tzinfo=UTC)
"""When the daily run begins: after the hour from which GitHub lists yesterday."""


def run_demo(directory: str, days: int, stop: Event, *, many: bool = False, show: bool = False) -> int:
    """Collect the sample day by day into `directory`, then show its coverage.

    Args:
        directory: an empty or missing folder for the store and the export.
        days: how many days to collect.
        stop: ends the demonstration after the current run.
        many: collect a fleet, with a pause, instead of one repository.
        show: open the report page, if there is a desktop.

    Returns:
        The exit code.
    """
    folder = _empty_folder(directory)
    reports = collect_sample(folder, datetime.now(UTC).date() - timedelta(days=1), days, stop, many=many)
    if reports:
        page = folder / "export" / PAGE
        _print(reports, folder, page)
        if show and has_desktop(sys.platform, os.environ):
            click.launch(str(page))
    return max((report.exit_code for report in reports), default=1)


def collect_sample(folder: Path, last: date, days: int, stop: Event, *, many: bool = False) -> list[Report]:
    """Run once on each of `days` days up to `last`; return the reports."""
    repositories = fleet(last, days) if many else [sample(last, days)]
    first_run = datetime.combine(last - timedelta(days=days - 1), _RUN_AT)
    with _without_proxy(), FakeRestApi(repositories, now=first_run) as github:
        settings = read_settings(
            "collect",
            {
                "GHTRAFFIC_REPOSITORIES": " ".join(repository.name for repository in repositories),
                "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
                "GHTRAFFIC_STORE": _store(folder),
                "GHTRAFFIC_EXPORT_TO": str(folder / "export"),
                "GITHUB_API_URL": github.url,
            },
        )
        return _collect_daily(settings, github, days, stop, PAUSE if many else ())


def has_desktop(platform: str, environ: Mapping[str, str]) -> bool:
    """Return whether a graphical browser can open a file."""
    return platform in ("darwin", "win32") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _store(folder: Path) -> str:
    return f"sqlite:{folder / 'ghtraffic.db'}"


def _empty_folder(directory: str) -> Path:
    """Create the folder, or use an existing empty one."""
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
    """Bypass the environment's proxies for loopback."""
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
    """Log no warnings: without GraphQL each run has one."""
    logger = logging.getLogger("ghtraffic_action")
    before = logger.level
    logger.setLevel(before if logging.NOTSET < before < logging.WARNING else logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _collect_daily(
    settings: Settings, github: FakeRestApi, days: int, stop: Event, pause: Collection[int]
) -> list[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    reports: list[Report] = []
    with _errors_only(), Progress(*columns, console=Console(stderr=True)) as progress:
        for day in progress.track(range(days), description="one run a day"):
            if stop.is_set():
                break
            if days - 1 - day not in pause:
                reports.append(run(settings, Runtime(stop, now=lambda: github.now)))
                for error in reports[-1].all_errors:
                    log.error("%s: %s", github.now.date(), error)
            github.now += timedelta(days=1)
            for number, repository in enumerate(github.repositories):
                repository.stars += (day + 1) % 3 if day % (number * number + 1) == 0 else 0
    return reports


def _print(reports: list[Report], folder: Path, page: Path) -> None:
    inserted = sum(found.inserted for report in reports for found in report.repositories)
    raised = sum(found.raised for report in reports for found in report.repositories)
    click.echo(f"\n{len(reports)} runs, a day apart: {inserted} days inserted, {raised} times one raised. The last:\n")
    print_report(reports[-1])
    with closing(open_store(_store(folder), create=False)) as store:
        histories = list(store.scan())
    if len(histories) == 1:
        click.echo()
        print_calendar(list(known_days(histories[0])))
    if traffic := read_traffic(read_settings("status", {"GHTRAFFIC_STORE": _store(folder)})):
        click.echo()
        print_traffic(traffic)
    program = "ghtraffic" if which("ghtraffic") else f"{sys.executable} -m ghtraffic_action"
    click.echo(f"\nFiles     {folder / 'export' / 'v1'} (CSV), {folder / 'ghtraffic.db'} (the store)")
    click.echo(f"For real  GHTRAFFIC_GITHUB_TOKEN=... {program} collect OWNER/NAME")
    click.echo(f"The page  {page}")
