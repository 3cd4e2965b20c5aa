"""Progress on standard error: a bar in a terminal, occasional lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

import click

from ghtraffic_action.runtime import ignore_progress

QUIET = 10.0
"""Seconds before a bar is shown."""

EVERY = 30.0
"""Seconds between two lines of a log."""

Progress = Callable[[int, int], None]
"""Takes the numbers of finished and of all repositories."""


@contextmanager
def show_progress(*, wanted: bool, monotonic: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Yield a thread-safe progress display; nothing unless `wanted`."""
    with ExitStack() as resources:
        if not wanted or not sys.stderr:
            yield ignore_progress
        elif sys.stderr.isatty():
            yield _bar(resources, monotonic)
        else:
            yield _lines(monotonic)


def line(done: int, total: int, seconds: float) -> str:
    """Describe progress: repositories done, rate, time left."""
    rate = done / seconds if seconds else 0.0
    left = f", {_duration((total - done) / rate)} left" if rate and done < total else ""
    return f"{done:,} of {total:,} repositories, {rate * 60:,.0f} a minute{left}"


def _lines(monotonic: Callable[[], float]) -> Progress:
    begun, lock = monotonic(), Lock()
    due = begun + EVERY

    def report(done: int, total: int) -> None:
        nonlocal due
        with lock:
            if (now := monotonic()) < due:
                return
            due = now + EVERY
        click.echo(line(done, total, now - begun), err=True)

    return report


def _bar(resources: ExitStack, monotonic: Callable[[], float]) -> Progress:
    from rich.console import Console  # noqa: PLC0415 - slow to import, and a short run shows no bar
    from rich.progress import BarColumn, TextColumn  # noqa: PLC0415 - also slow
    from rich.progress import Progress as Bar  # noqa: PLC0415 - also slow

    bar = Bar(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True)
    task = bar.add_task("")
    begun, lock = monotonic(), Lock()
    started = False

    def report(done: int, total: int) -> None:
        nonlocal started
        seconds = monotonic() - begun
        with lock:
            if not started and seconds >= QUIET:
                started = True
                resources.enter_context(bar)
        bar.update(task, completed=done, total=total, description=line(done, total, seconds))

    return report


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if not minutes:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - an hour
