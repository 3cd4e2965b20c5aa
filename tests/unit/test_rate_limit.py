"""The rate limiter: pace, retries, pauses, and what ends a wait."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Timer

import pytest

from ghtraffic_action.errors import Interrupted
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.github.rate_limit import RateLimiter
from tests.support.runtime import NoWaitEvent, no_wait_limiter


class Asked:
    """A request that fails with each of `refusals` in turn and then succeeds; `at` records its times."""

    def __init__(self, *refusals: GitHubApiError, clock: NoWaitEvent | None = None) -> None:
        self.refusals = list(refusals)
        self.at: list[float] = []
        self._clock = clock

    def __call__(self) -> str:
        """Send the request."""
        self.at.append(self._clock.monotonic() if self._clock else 0.0)
        if self.refusals:
            raise self.refusals.pop(0)
        return "answer"


def transient(wait: float = 0.0) -> GitHubApiError:
    return GitHubApiError("it failed", "run again", transient=True, wait=wait)


def pause(seconds: float) -> GitHubApiError:
    return GitHubApiError("a pause", "wait", wait=seconds)


def limiter_on(stop: NoWaitEvent) -> RateLimiter:
    return RateLimiter(stop, monotonic=stop.monotonic)


def stopping_in(seconds: float) -> tuple[Event, Callable[[], None]]:
    """Return a stop event that is set after some seconds, and a function that waits for it."""
    stop = Event()
    timer = Timer(seconds, stop.set)
    timer.start()
    return stop, timer.join


def test_no_more_start_in_a_minute_than_allowed() -> None:
    """With a limit of five a minute the sixth request waits until the stop."""
    stop, joined = stopping_in(0.3)
    limiter, asked = RateLimiter(stop, per_minute=5), Asked()
    for _ in range(5):
        limiter.call(asked)
    with pytest.raises(Interrupted):
        limiter.call(asked)
    assert len(asked.at) == 5
    joined()


def test_limit_holds_for_all_threads_together() -> None:
    """Eight threads share the limit: five requests are sent in all."""
    stop, joined = stopping_in(0.4)
    limiter, asked = RateLimiter(stop, per_minute=5), Asked()
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(limiter.call, asked) for _ in range(8)]
    assert sorted(type(call.exception()) is Interrupted for call in calls) == [False] * 5 + [True] * 3
    assert len(asked.at) == 5
    joined()


@pytest.mark.e2e
def test_retries_count_towards_the_limit() -> None:
    """With one request a minute the retry is not sent."""
    stop, joined = stopping_in(1.3)
    asked = Asked(transient())
    with pytest.raises(Interrupted):
        RateLimiter(stop, per_minute=1).call(asked)
    assert len(asked.at) == 1
    joined()


def test_passing_refusal_is_tried_again() -> None:
    """A request with one transient error succeeds on the second attempt."""
    asked = Asked(transient())
    assert no_wait_limiter().call(asked) == "answer"
    assert len(asked.at) == 2


def test_passing_refusal_is_tried_four_times_at_most() -> None:
    """After four attempts the last error is raised unchanged."""
    refusals = [transient() for _ in range(9)]
    asked = Asked(*refusals)
    with pytest.raises(GitHubApiError) as refusal:
        no_wait_limiter().call(asked)
    assert refusal.value is refusals[3]
    assert len(asked.at) == 4


def test_tries_come_further_and_further_apart() -> None:
    """The pauses between tries double from half a second on, with half a second of jitter at most."""
    stop = NoWaitEvent()
    with pytest.raises(GitHubApiError):
        RateLimiter(stop).call(Asked(*(transient() for _ in range(4))))
    assert len(stop.waits) == 3
    assert all(base <= wait <= base + 0.5 for base, wait in zip((0.5, 1.0, 2.0), stop.waits, strict=True))


def test_lasting_refusal_is_not_tried_again_and_stops_nobody() -> None:
    """A permanent error is raised after one attempt; the next request is sent."""
    limiter = no_wait_limiter()
    asked = Asked(GitHubApiError("no", "ask"))
    with pytest.raises(GitHubApiError, match="no: ask"):
        limiter.call(asked)
    assert len(asked.at) == 1
    assert limiter.call(Asked()) == "answer"


def test_final_refusal_stops_all_others_unsent() -> None:
    """After a fatal error no other request is sent; each raises a copy of the error."""
    limiter, later = no_wait_limiter(), Asked()
    first = GitHubApiError("GitHub does not know this token", "make one", fatal=True)
    with pytest.raises(GitHubApiError):
        limiter.call(Asked(first))
    with pytest.raises(GitHubApiError, match="GitHub does not know this token: make one") as refusal:
        limiter.call(later)
    assert later.at == []
    assert refusal.value is not first
    assert refusal.value.fatal


def test_pause_that_github_asks_for_holds_every_request() -> None:
    """While one request's pause lasts no other is sent, and the paused one is not sent again."""
    stop = NoWaitEvent()
    limiter, paused, other = limiter_on(stop), Asked(transient(wait=7.0), clock=stop), Asked(clock=stop)
    with pytest.raises(GitHubApiError):
        limiter.call(Asked(pause(7.0)))
    assert limiter.call(other) == "answer"
    assert other.at == [7.0]
    assert limiter.call(paused) == "answer"
    sent, again = paused.at
    assert again - sent >= 7.0


def test_shorter_pause_does_not_end_a_longer_one() -> None:
    """Of two overlapping pauses the longer one counts, also if the shorter one is reported later."""
    stop = NoWaitEvent()
    limiter, other = limiter_on(stop), Asked(clock=stop)

    def short_one() -> None:
        with pytest.raises(GitHubApiError):
            limiter.call(Asked(pause(8.0)))
        raise pause(1.0)

    with pytest.raises(GitHubApiError):
        limiter.call(short_one)
    assert limiter.call(other) == "answer"
    assert other.at == [8.0]


def test_pause_beyond_the_time_is_final() -> None:
    """A pause beyond max-wait is not waited for: it ends all requests with its message, and stays transient."""
    stop = NoWaitEvent()
    limiter = RateLimiter(stop, max_wait=10, monotonic=stop.monotonic)
    with pytest.raises(GitHubApiError, match="it failed: run again") as refusal:
        limiter.call(Asked(transient(wait=10.5)))
    assert refusal.value.fatal
    assert refusal.value.transient
    later = Asked()
    with pytest.raises(GitHubApiError, match="it failed: run again"):
        limiter.call(later)
    assert later.at == []
    assert stop.waits == []


def test_pauses_are_waited_for_as_long_as_there_is_time() -> None:
    """GitHub's pauses are waited for until max-wait is used up; the next one is not."""
    stop = NoWaitEvent()
    limiter, asked = (
        RateLimiter(stop, max_wait=100, monotonic=stop.monotonic),
        Asked(*(transient(wait=9.0) for _ in range(12))),
    )
    with pytest.raises(GitHubApiError):
        limiter.call(asked)
    assert len(asked.at) == 12
    assert stop.monotonic() >= 11 * 9.0


def test_time_that_is_worked_is_not_waited() -> None:
    """Only waits count towards max-wait, not work; overlapping pauses count once."""
    stop = NoWaitEvent()
    limiter = RateLimiter(stop, max_wait=100, monotonic=stop.monotonic)
    stop.waits.append(1000.0)
    assert limiter.call(Asked(transient(), transient(wait=60.0))) == "answer"
    with pytest.raises(GitHubApiError) as refusal:
        limiter.call(Asked(transient(wait=60.0)))
    assert refusal.value.fatal


def test_nothing_is_sent_once_stopped() -> None:
    """After a stop no request is sent."""
    stop, asked = Event(), Asked()
    stop.set()
    with pytest.raises(Interrupted):
        RateLimiter(stop).call(asked)
    assert asked.at == []


@pytest.mark.parametrize("wait", [0.0, 600.0], ids=["between tries", "during a pause"])
def test_stop_ends_a_wait_at_once(wait: float) -> None:
    """A stop ends the pause before a retry and a pause that GitHub asked for; nothing is sent afterwards."""
    stop, asked = Event(), Asked(transient(wait))
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(RateLimiter(stop).call, asked)
        while not asked.at:
            time.sleep(0.001)
        stop.set()
        assert isinstance(call.exception(timeout=5), Interrupted)
    assert len(asked.at) == 1


def test_what_is_no_refusal_passes_through() -> None:
    """Any other exception is raised unchanged after one attempt."""
    sent: list[int] = []

    def broken() -> None:
        sent.append(1)
        raise KeyError("x")

    with pytest.raises(KeyError):
        no_wait_limiter().call(broken)
    assert sent == [1]


def test_result_waits_for_another_threads_call() -> None:
    """The call's result is returned, or its error raised."""
    limiter = RateLimiter(Event())
    with ThreadPoolExecutor(1) as threads:
        assert limiter.result(threads.submit(limiter.call, Asked())) == "answer"
        with pytest.raises(GitHubApiError, match="no: ask"):
            limiter.result(threads.submit(limiter.call, Asked(GitHubApiError("no", "ask"))))


def test_response_without_an_end_is_given_up() -> None:
    """A byte now and then keeps a connection open forever: after two attempts that is an error."""
    limiter, ended, sent = no_wait_limiter(longest=0.01), Event(), list[int]()

    def endless() -> str:
        sent.append(1)
        ended.wait(60)
        return "too late"

    with pytest.raises(GitHubApiError, match="did not end within 0 s") as refusal:
        limiter.call(endless)
    assert refusal.value.transient
    assert len(sent) == 2
    ended.set()


def test_close_ends_the_threads() -> None:
    """A process that runs more than once, as the Lambda, keeps none of them."""
    limiter, before = no_wait_limiter(), set(threading.enumerate())
    limiter.call(Asked())
    [thread] = [found for found in set(threading.enumerate()) - before if found.name.startswith("attempt")]
    limiter.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.e2e
def test_stop_ends_the_wait_for_an_answer_that_does_not_come() -> None:
    """A stop ends the wait for a response that never comes."""
    stop, joined = stopping_in(0.1)
    with pytest.raises(Interrupted):
        RateLimiter(stop).result(Future[str]())
    joined()


def test_answer_that_came_counts_even_after_the_stop() -> None:
    """A response that came before the stop is returned."""
    stop, call = Event(), Future[str]()
    call.set_result("answer")
    stop.set()
    assert RateLimiter(stop).result(call) == "answer"


def unknown_token() -> GitHubApiError:
    return GitHubApiError("GitHub does not know this token", "make one", fatal=True, attempts=3)


def test_error_that_may_be_a_replicas_is_confirmed_before_it_holds_for_all() -> None:
    """Two errors do not confirm it: the third attempt succeeds, and other requests are sent."""
    limiter, asked = no_wait_limiter(), Asked(unknown_token(), unknown_token())
    assert limiter.call(asked) == "answer"
    assert limiter.call(Asked()) == "answer"


def test_confirmed_error_stops_all_others_unsent() -> None:
    """After three attempts the error is fatal for its account only."""
    limiter, later = no_wait_limiter(), Asked()
    with pytest.raises(GitHubApiError):
        limiter.call(Asked(*(unknown_token() for _ in range(3))), "octo-lab")
    with pytest.raises(GitHubApiError) as refused:
        limiter.call(later, "octo-lab")
    assert refused.value.fatal
    assert later.at == []
    assert limiter.call(Asked(), "deep-sea") == "answer"


def test_other_requests_wait_for_the_confirmation() -> None:
    """While a 401 is retried, other requests of the account wait for a second."""
    stop = NoWaitEvent()
    limiter = RateLimiter(stop, monotonic=stop.monotonic)
    order: list[str] = []

    def first() -> str:
        order.append("first")
        if len(order) == 1:
            raise unknown_token()
        return "answer"

    assert limiter.call(first) == "answer"
    assert stop.monotonic() >= 1.0


def test_each_account_has_a_pace_of_its_own() -> None:
    """Two accounts start their two requests a minute at once; the third of one waits for its own first."""
    stop = NoWaitEvent()
    limiter = RateLimiter(stop, per_minute=2, monotonic=stop.monotonic)
    for account in ("octo-lab", "deep-sea") * 2:
        limiter.call(Asked(), account)
    assert stop.waits == []
    limiter.call(Asked(), "deep-sea")
    assert stop.waits == [60.25]


def test_secondary_limit_slows_the_account_down() -> None:
    """After GitHub's pause half as many requests start in a minute, for this account alone."""
    stop = NoWaitEvent()
    limiter = RateLimiter(stop, per_minute=20, monotonic=stop.monotonic)
    limiter.call(Asked(GitHubApiError("a pause", "wait", transient=True, wait=60.0, too_fast=True)), "octo-lab")
    stop.waits.clear()
    for _ in range(15):
        limiter.call(Asked(), "octo-lab")
    assert stop.waits
    stop.waits.clear()
    for _ in range(20):
        limiter.call(Asked(), "deep-sea")
    assert stop.waits == []
