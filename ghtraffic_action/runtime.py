"""The machine that a run is on: its clocks, its threads, and the wish that the run may end."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

ExecutorFactory = Callable[[int, str], Executor]
"""Makes so many threads, under a name."""


def utc_now() -> datetime:
    """Read this machine's clock."""
    return datetime.now(UTC)


def hide_nothing(_: str) -> None:
    """Leave a secret to the program, which never prints one."""


def ignore_progress(_done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a run takes from where it runs; a simulation gives it something else.

    Once `stop` is set the run ends in good order, and whatever waits, waits for it. `now` is this machine's clock,
    which is only compared with GitHub's; `monotonic` counts the seconds that are waited.
    """

    stop: Event = field(default_factory=Event)
    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    threads: ExecutorFactory = ThreadPoolExecutor
    hide: Callable[[str], None] = hide_nothing
    """Called with each secret that a run reads or makes, so that the log can be kept free of it."""
    progress: Callable[[int, int], None] = ignore_progress
    """Called by any thread with how many repositories are done, and of how many."""
