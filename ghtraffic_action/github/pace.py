"""Start times of requests within GitHub's limits per minute."""

from collections import deque
from dataclasses import dataclass

PER_MINUTE = 850
"""Requests that may start in any rolling minute, retries included; GitHub allows 900."""

_SECONDS = 80.0
"""Seconds of response time in any rolling minute; GitHub allows 90 of its own time, "roughly" the response time."""

_MINUTE = 60.25
"""Seconds until a start no longer counts: GitHub counts arrivals, and those through a new connection are late."""

_RECOVERY = 0.1
"""The fraction of the full pace that is recovered per minute."""

_RECENT = 64
"""Responses from which the response time is estimated.

A quarter of them took less: a busy machine adds to the times that it measures, GitHub's own are lower.
"""


@dataclass(slots=True, eq=False)
class Start:
    """The start time of a request, and the response seconds it is expected to use."""

    at: float
    seconds: float
    counts: bool = True


class Pace:
    """The starts of the last minute; not thread-safe."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._per_minute = per_minute
        self._starts: deque[Start] = deque()
        self._seconds = 0.0
        self._expected = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._share = 1.0
        self._halved_at = 0.0

    def reserve(self, now: float) -> Start:
        """Reserve and return the earliest start within the limits."""
        self._forget(now - _MINUTE)
        share = self._current_share(now)
        most, seconds = max(1, int(self._per_minute * share)), _SECONDS * share
        at = max(now, self._starts[-1].at) if self._starts else now
        count, spent = len(self._starts), self._seconds
        for start in self._starts:
            if count < most and spent + self._expected <= seconds:
                break
            count, spent, at = count - 1, spent - start.seconds, max(at, start.at + _MINUTE)
        start = Start(at, self._expected)
        self._starts.append(start)
        self._seconds += start.seconds
        return start

    def finish(self, start: Start, seconds: float) -> None:
        """Record the response time of a request."""
        self._recent.append(seconds)
        self._expected = sorted(self._recent)[len(self._recent) // 4]
        if start.counts and not start.seconds:  # its time was not estimated at the start
            start.seconds = self._expected
            self._seconds += start.seconds

    def halve(self, start: Start, now: float) -> None:
        """Halve the pace, once for all requests in flight."""
        if start.at >= self._halved_at:
            self._share, self._halved_at = self._current_share(now) / 2, now

    def _current_share(self, now: float) -> float:
        return min(1.0, self._share + _RECOVERY * (now - self._halved_at) / 60)

    def _forget(self, until: float) -> None:
        while self._starts and self._starts[0].at <= until:
            start = self._starts.popleft()
            start.counts = False
            self._seconds -= start.seconds
