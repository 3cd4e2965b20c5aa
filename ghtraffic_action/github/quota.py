"""The requests that an account has left in this hour, beside those that a run still needs."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock


@dataclass(frozen=True, slots=True)
class Left:
    """What a response says: the requests that are left, when there are new ones, and that moment on our own clock."""

    requests: int
    resets: datetime
    renews_at: float


class QuotaTracker:
    """One account's quota; all threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: Left | None = None
        self._needed = self._promised = self.planned = 0
        self._ended = False

    def plan(self, requests: int) -> None:
        """Add requests that are to come."""
        with self._lock:
            self._needed += requests
            self.planned += requests

    def plan_optional(self) -> bool:
        """Plan one more request if all that is planned leaves room for it; return whether it does."""
        with self._lock:
            if self._left is not None and self._left.requests <= max(self._needed, self._promised):
                return False
            self._needed += 1
            return True

    def spend(self, left: Left | None) -> None:
        """Remove one that was answered, with what is left as GitHub says."""
        with self._lock:
            self._needed = max(0, self._needed - 1)
            # Responses overtake each other: the smallest number of an hour is the latest.
            if left and (self._left is None or left.resets > self._left.resets or self._is_newer(left, self._left)):
                self._left = left

    def begin(self, requests: int, now: float) -> Left | None:
        """Promise requests that belong together; return None, or what is left if that is too little.

        Once it was too little nothing more is promised until the quota is renewed, so that the order is kept.
        """
        with self._lock:
            if self._left and now >= self._left.renews_at:
                self._left, self._ended = None, False
            self._ended = self._ended or (self._left is not None and self._left.requests - self._promised < requests)
            if self._ended:
                return self._left
            self._promised += requests
            return None

    def spare(self, requests: int) -> bool:
        """Return whether so many are left beside all that the run still needs; if so, they are needed too."""
        with self._lock:
            enough = self._left is None or self._left.requests - self._needed >= requests
            self._needed += requests if enough else 0
            return enough

    def keep(self, requests: int) -> None:
        """Remove promised requests that were answered, or are not needed."""
        with self._lock:
            self._promised = max(0, self._promised - requests)

    @property
    def insufficient(self) -> bool:
        """Whether what is left is known not to be enough."""
        return self._left is not None and self._left.requests < self._needed

    @staticmethod
    def _is_newer(left: Left, known: Left) -> bool:
        return left.resets == known.resets and left.requests < known.requests
