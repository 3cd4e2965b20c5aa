"""Pacing and retries of requests to GitHub."""

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Event, Lock
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event, wait_exponential, wait_random

from ghtraffic_action.errors import Interrupted
from ghtraffic_action.github.errors import GitHubApiError, endless_response
from ghtraffic_action.github.pace import PER_MINUTE, Pace, Start
from ghtraffic_action.runtime import ExecutorFactory

log = logging.getLogger(__name__)

IN_FLIGHT = 16
"""Requests under way at once; GitHub allows 100."""

MAX_WAIT = 900.0
"""Seconds that a run may wait for GitHub by default."""

_CONFIRMATION = 1.0
"""Seconds to pause other requests while a possibly fatal error is confirmed by a retry."""

_OPTIONAL_ATTEMPTS = 3
"""Attempts of an optional request."""

_LONGEST = 60.0
"""Seconds for a whole response, since the connection's timeout only limits the wait for its next byte."""

_THREADS = 64
"""Threads that send requests: those in flight, and those with a response that does not end."""

_CHECK_INTERVAL = 1.0
"""Seconds between two checks of `stop`."""

_Answer = TypeVar("_Answer")


class RateLimiter:
    """Paces the requests of each account, until `stop` is set."""

    def __init__(  # noqa: PLR0913 - independent settings with defaults
        self,
        stop: Event,
        *,
        max_wait: float = MAX_WAIT,
        per_minute: int = PER_MINUTE,
        monotonic: Callable[[], float] = time.monotonic,
        threads: ExecutorFactory = ThreadPoolExecutor,
        longest: float = _LONGEST,
    ) -> None:
        """Pause an account for at most `max_wait` seconds in total, and wait `longest` seconds for a response."""
        self._stop = stop
        self._monotonic = monotonic
        self._max_wait = max_wait
        self._waited: dict[str, float] = {}
        self._per_minute = per_minute
        self._paces: dict[str, Pace] = {}
        self._held_until: dict[str, float] = {}
        self._fatal: dict[str, GitHubApiError] = {}
        self._lock = Lock()
        self._longest = longest
        self._attempts = threads(_THREADS, "attempt")

    def call(self, request: Callable[[], _Answer], account: str = "") -> _Answer:
        """Send a paced request, and retry it as its error allows.

        A fatal error stops all requests of the same `account`. Raises GitHubApiError, immediately after a fatal error,
        and Interrupted.
        """
        backoff = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5)
        retrying: Callable[..., _Answer] = Retrying(
            retry=retry_if_exception_type(GitHubApiError),
            wait=lambda state: backoff(state) + _retry_after(state),
            stop=_gives_up,
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        try:
            return retrying(self._once, request, account)
        except GitHubApiError as error:
            if error.fatal:
                with self._lock:
                    self._fatal.setdefault(account, replace(error, attempts=1, wait=0.0))
            raise

    def call_optional(self, request: Callable[[], _Answer], account: str = "") -> _Answer:
        """Send a paced request whose errors do not affect others and cause no wait.

        Failures of GitHub itself are retried immediately. Raises GitHubApiError and Interrupted.
        """
        retrying: Callable[..., _Answer] = Retrying(
            retry=retry_if_exception_type(GitHubApiError),
            wait=wait_random(0, 0.5),
            stop=_ends_optional,
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        return retrying(self._once, request, account, optional=True)

    def pause(self, refusal: GitHubApiError, account: str) -> None:
        """Pause the account as long as an error asks. Raises the error if too long."""
        held = self._apply(refusal, account)
        if held.fatal:
            raise held
        self._wait(account)

    def fatal_error(self, account: str) -> GitHubApiError | None:
        """Return the error that stops an account's requests, if any."""
        return self._fatal.get(account)

    def result(self, call: "Future[_Answer]", within: float = math.inf) -> _Answer:
        """Return the result of another thread's call. Raises Interrupted at a stop, and TimeoutError."""
        ends = time.monotonic() + within
        while not call.done():
            if self._stop.is_set():
                raise Interrupted
            if (left := ends - time.monotonic()) <= 0:
                raise TimeoutError
            with suppress(TimeoutError):
                call.exception(min(left, _CHECK_INTERVAL))
        return call.result()

    def close(self) -> None:
        """Stop the threads, without waiting for a response that does not end."""
        self._attempts.shutdown(wait=False, cancel_futures=True)

    def _once(self, request: Callable[[], _Answer], account: str, *, optional: bool = False) -> _Answer:
        pace, start = self._begin(account)
        begun = self._monotonic()
        try:
            answer = self._send(request)
        except GitHubApiError as refusal:
            if refusal.too_fast:
                with self._lock:
                    pace.halve(start, self._monotonic())
            if optional:
                raise
            raise self._apply(refusal, account) from refusal
        with self._lock:
            pace.finish(start, self._monotonic() - begun)
        return answer

    def _send(self, request: Callable[[], _Answer]) -> _Answer:
        """Send a request in a thread of its own, which keeps a response that does not end."""
        sent = self._attempts.submit(request)
        try:
            return self.result(sent, self._longest)
        except TimeoutError as error:
            sent.cancel()
            raise endless_response(self._longest) from error

    def _apply(self, refusal: GitHubApiError, account: str) -> GitHubApiError:
        """Pause the account as long as an error asks; if too long, make it fatal."""
        with self._lock:
            now = self._monotonic()
            held_until = max(self._held_until.get(account, 0.0), now)
            until = max(held_until, now + refusal.wait)
            waited = self._waited.get(account, 0.0) + until - held_until
            if refusal.wait and waited > self._max_wait:
                return replace(refusal, fatal=True, wait=0.0, attempts=1)
            if refusal.wait:
                log.info("GitHub asks to wait %.0f s: %s", refusal.wait, refusal.what)
                self._held_until[account], self._waited[account] = until, waited
            elif refusal.fatal and refusal.attempts > 1:
                self._held_until[account] = max(held_until, now + _CONFIRMATION)
        return refusal

    def _begin(self, account: str) -> tuple[Pace, Start]:
        """Wait for a request's start time, again if the account is paused meanwhile."""
        while True:
            self._wait(account)
            with self._lock:
                now = self._monotonic()
                pace = self._paces.setdefault(account, Pace(self._per_minute))
                start = pace.reserve(now)
            if start.at > now:
                self._stop.wait(start.at - now)
            if not self._stop.is_set() and account not in self._fatal and not self._held(account):
                return pace, start

    def _wait(self, account: str) -> None:
        while True:
            if self._stop.is_set():
                raise Interrupted
            if account in self._fatal:
                raise replace(self._fatal[account])
            held = self._held(account)
            if not held:
                return
            self._stop.wait(held)

    def _held(self, account: str) -> float:
        """Return the seconds until the account's pause ends."""
        return max(0.0, self._held_until.get(account, 0.0) - self._monotonic())


def _gives_up(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, GitHubApiError) or (error.wait and error.transient):
        return False
    return state.attempt_number >= error.attempts


def _ends_optional(state: RetryCallState) -> bool:
    """Return whether an optional request is not retried.

    Only failures of GitHub itself are retried, at once.
    """
    error = state.outcome.exception() if state.outcome else None
    retryable = isinstance(error, GitHubApiError) and error.transient and not error.wait
    return not retryable or state.attempt_number >= _OPTIONAL_ATTEMPTS


def _retry_after(state: RetryCallState) -> float:
    """Return the seconds that GitHub asked to wait."""
    error = state.outcome.exception() if state.outcome else None
    return error.wait if isinstance(error, GitHubApiError) else 0.0
