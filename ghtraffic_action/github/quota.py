"""The requests that an account has left for a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Event, Lock

_CHECK_INTERVAL = 1.0
"""Seconds between two checks of `stop`."""


@dataclass(frozen=True, slots=True)
class RemainingRequests:
    """The requests that are left, when the quota resets, and the local time of that."""

    requests: int
    resets: datetime
    renews_at: float


class QuotaTracker:
    """One account's quota; thread-safe.

    GitHub may have counted a request whose response is still in transit. It is then subtracted twice: from what GitHub
    says is left, and as one still to be sent. If a response in transit can show that the quota suffices,
    it is waited for.
    """

    def __init__(self) -> None:
        self._lock = Condition()
        self._turn = Lock()
        """Held while a group of requests waits for its decision, which keeps the order of repositories."""
        self._left: RemainingRequests | None = None
        self._needed = self._promised = self._in_transit = self.planned = 0
        self._answered = self._ended = False

    def plan(self, requests: int) -> None:
        """Add expected requests."""
        with self._lock:
            self._needed += requests
            self.planned += requests

    def record(self, left: RemainingRequests) -> None:
        """Record what GitHub says is left."""
        with self._lock:
            known = self._left
            # Responses arrive out of order: the smallest number of an hour is the latest.
            if known is None or left.resets > known.resets or self._is_newer(left, known):
                self._left = left
                self._ended &= known is not None and left.requests <= known.requests  # it grows if it is renewed

    def spend(self, requests: int = 1) -> None:
        """Count expected requests as sent, whether they succeeded or not, or as not needed."""
        with self._lock:
            self._needed = max(0, self._needed - requests)

    def begin(self, requests: int, now: float, stop: Event) -> RemainingRequests | None:
        """Reserve a group of requests.

        Return None if they are reserved, else the quota that is left, which is too small. Until `stop` is set, this
        waits for the first response, and for those in transit if they decide. After a refusal nothing is reserved
        until the quota is renewed, which keeps the order of repositories.
        """
        with self._turn, self._lock:
            while self._is_undecided(requests) and not stop.is_set():
                self._lock.wait(_CHECK_INTERVAL)
            if self._left and now >= self._left.renews_at:
                self._left, self._ended = None, False
            self._ended = self._ended or self._lacks(requests)
            if self._ended:
                return self._left
            self._promised += requests
            return None

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send a reserved request, and release it when it is answered."""
        with self._lock:
            self._in_transit += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_transit -= 1
            self.keep(1)

    def spare(self) -> bool:
        """Plan an optional request if the quota allows it beside all others. Return whether it does."""
        with self._lock:
            if self._left and self._left.requests <= max(self._needed, self._promised):
                return False
            self._needed += 1
            return True

    def keep(self, requests: int) -> None:
        """Release reserved requests that were answered or are not needed."""
        with self._lock:
            self._promised = max(0, self._promised - requests)
            self._answered = True
            self._lock.notify_all()

    @property
    def insufficient(self) -> bool:
        """Whether the remaining quota is known to be too small."""
        return self._left is not None and self._left.requests < self._needed

    def _is_undecided(self, requests: int) -> bool:
        if self._left is None:  # the first response shows what is left
            return self._promised > 0 and not self._answered
        return not self._ended and self._lacks(requests) and not self._lacks(requests - self._in_transit)

    def _lacks(self, requests: int) -> bool:
        return self._left is not None and self._left.requests - self._promised < requests

    @staticmethod
    def _is_newer(left: RemainingRequests, known: RemainingRequests) -> bool:
        return left.resets == known.resets and left.requests < known.requests
