"""The requests that an account has left for a run."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from ghtraffic_action.github.rate_limit import IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Left:
    """The remaining requests, when the quota resets, and the local time of that."""

    requests: int
    resets: datetime
    renews_at: float


class QuotaTracker:
    """One account's quota; thread-safe.

    GitHub may have counted a request whose response is still in transit, so that it is subtracted twice. Optional
    requests leave room for as many as can be in flight: else the last repository could be refused.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: Left | None = None
        self._needed = self._promised = self.planned = 0
        self._ended = False

    def plan(self, requests: int) -> None:
        """Add expected requests."""
        with self._lock:
            self._needed += requests
            self.planned += requests

    def spend(self, left: Left | None) -> None:
        """Count a response, and record what GitHub says is left."""
        with self._lock:
            self._needed = max(0, self._needed - 1)
            # Responses arrive out of order: the smallest number of an hour is the latest.
            if left and (self._left is None or left.resets > self._left.resets or self._is_newer(left, self._left)):
                self._left = left

    def begin(self, requests: int, now: float) -> Left | None:
        """Reserve a group of requests.

        Return None if they are reserved, else the quota that is left, which is too small.
        After a refusal nothing is reserved until the quota is renewed, which keeps the order of repositories.
        """
        with self._lock:
            if self._left and now >= self._left.renews_at:
                self._left, self._ended = None, False
            self._ended = self._ended or (self._left is not None and self._left.requests - self._promised < requests)
            if self._ended:
                return self._left
            self._promised += requests
            return None

    def spare(self) -> bool:
        """Plan an optional request if the quota allows it beside all others. Return whether it does."""
        with self._lock:
            if self._left and self._left.requests - IN_FLIGHT <= max(self._needed, self._promised):
                return False
            self._needed += 1
            return True

    def keep(self, requests: int) -> None:
        """Release reserved requests that were answered or are not needed."""
        with self._lock:
            self._promised = max(0, self._promised - requests)

    @property
    def insufficient(self) -> bool:
        """Whether the remaining quota is known to be too small."""
        return self._left is not None and self._left.requests < self._needed

    @staticmethod
    def _is_newer(left: Left, known: Left) -> bool:
        return left.resets == known.resets and left.requests < known.requests
