"""A run's environment: clocks, threads, stop event."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

ExecutorFactory = Callable[[int, str], Executor]
"""Creates an executor of so many threads, with a name."""


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def hide_nothing(_: str) -> None:
    """Do not mask a secret, as no output has one."""


def ignore_progress(_done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A run's clocks, threads and stop event, simulated in tests.

    Setting `stop` ends all waits and then the run. `now` is the local clock, only compared with GitHub's;
    `monotonic` is in seconds.
    """

    stop: Event = field(default_factory=Event)
    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    threads: ExecutorFactory = ThreadPoolExecutor
    hide: Callable[[str], None] = hide_nothing
    """Called with each secret that a run reads or creates, to mask it in the log."""
    progress: Callable[[int, int], None] = ignore_progress
    """Called by any thread with the numbers of finished and of all repositories."""
