"""A runtime on which waiting takes no time."""

from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any

from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.runtime import Runtime, utc_now


class NoWaitEvent(Event):
    """A stop event that is never set and on which waiting takes no time; `waits` holds the seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Record the wait instead of waiting."""
        self.waits.append(timeout or 0.0)
        return self.is_set()

    def monotonic(self) -> float:
        """Return the seconds, as if all waits had taken place."""
        return sum(self.waits)


def no_wait_limiter(**settings: Any) -> RateLimiter:  # noqa: ANN401 - the pacer's own
    """Make a rate limiter whose waits take no time."""
    stop = NoWaitEvent()
    return RateLimiter(stop, monotonic=stop.monotonic, **settings)


def no_wait_runtime(now: Callable[[], datetime] = utc_now) -> Runtime:
    """Make a runtime on which waiting takes no time."""
    stop = NoWaitEvent()
    return Runtime(stop, now=now, monotonic=stop.monotonic)
