"""The quota of an hour: remaining and reserved requests, and when repositories are not started."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from threading import Event, Thread

from ghtraffic_action.github.connection import Connection
from ghtraffic_action.github.quota import QuotaTracker, RemainingRequests
from ghtraffic_action.runtime import Runtime
from tests.support.runtime import no_wait_limiter

GOING_ON = Event()
RESET = datetime(2026, 11, 23, 13, tzinfo=UTC)


def left(requests: int, *, hours: int = 0) -> RemainingRequests:
    return RemainingRequests(requests, RESET + timedelta(hours=hours), renews_at=3_600.0 * (hours + 1))


def answer(quota: QuotaTracker, remaining: int) -> None:
    """Record a response with the number of remaining requests."""
    quota.record(left(remaining))
    quota.spend()


def test_quota_is_insufficient_when_less_is_left_than_needed() -> None:
    """It is insufficient once fewer requests remain than are still planned."""
    quota = QuotaTracker()
    quota.plan(8)
    assert not quota.insufficient
    answer(quota, 7)
    assert not quota.insufficient
    answer(quota, 5)
    assert quota.insufficient


def test_quota_without_githubs_word_is_sufficient() -> None:
    """Responses without the header only reduce the planned requests."""
    quota = QuotaTracker()
    quota.plan(3)
    answer(quota, 2)
    quota.spend()
    assert not quota.insufficient
    quota.plan(2)
    assert quota.insufficient


def test_no_repository_is_begun_without_all_of_its_requests() -> None:
    """With ten requests left two repositories are started, and the third is not."""
    quota = QuotaTracker()
    quota.record(left(10))
    assert [quota.begin(4, 0.0, GOING_ON) for _ in range(3)] == [None, None, left(10)]


def test_answered_requests_are_no_longer_promised() -> None:
    """A response releases a reserved request, and so does a request that was not needed."""
    quota = QuotaTracker()
    quota.record(left(9))
    assert quota.begin(4, 0.0, GOING_ON) is None
    for remaining in (8, 7):
        quota.record(left(remaining))
        quota.keep(1)
    quota.keep(2)
    assert quota.begin(4, 0.0, GOING_ON) is None
    assert quota.begin(4, 0.0, GOING_ON) == left(7)


def test_nothing_is_begun_after_the_first_that_was_not() -> None:
    """A later repository does not overtake one observed earlier, even if requests become free."""
    quota = QuotaTracker()
    quota.record(left(5))
    assert quota.begin(4, 0.0, GOING_ON) is None
    assert quota.begin(4, 0.0, GOING_ON)
    quota.keep(4)
    assert quota.begin(4, 0.0, GOING_ON)


def test_quota_is_renewed_at_its_moment() -> None:
    """Repositories are started again from GitHub's reset time on."""
    quota = QuotaTracker()
    quota.record(left(0))
    assert quota.begin(4, 3_599.0, GOING_ON) == left(0)
    assert quota.begin(4, 3_600.0, GOING_ON) is None


def test_response_of_a_new_hour_replaces_the_old_number() -> None:
    """A larger number counts if its hour ends later, and a late answer of the old hour does not."""
    quota = QuotaTracker()
    quota.record(left(2))
    quota.record(left(4_999, hours=1))
    quota.record(left(1))
    assert quota.begin(4, 0.0, GOING_ON) is None


def test_quota_is_renewed_when_a_response_shows_it() -> None:
    """GitHub can renew it before the local moment: a later reset shows it if more requests are left."""
    quota = QuotaTracker()
    quota.record(left(3))
    assert quota.begin(4, 3_599.0, GOING_ON) == left(3)
    jitter = RemainingRequests(3, RESET + timedelta(seconds=1), renews_at=3_601.0)
    quota.record(jitter)
    quota.keep(4)
    assert quota.begin(1, 3_599.0, GOING_ON) == jitter
    quota.record(left(4_990, hours=1))
    assert quota.begin(4, 3_599.5, GOING_ON) is None


def test_quota_that_is_renewed_during_the_decision_is_not_waited_for() -> None:
    """A decision that waits for responses can take longer than the rest of the hour."""
    moments = chain([3_000.0], repeat(3_600.0))
    runtime = Runtime(monotonic=lambda: next(moments))
    connection = Connection("github_pat_invented", "http://127.0.0.1:1", no_wait_limiter(max_wait=10), runtime)
    connection.quota("").record(left(0))
    assert connection.begin("", 4) is connection.quota("")


def in_transit(quota: QuotaTracker, requests: int) -> ExitStack:
    """Send reserved requests whose responses arrive when the stack is closed."""
    responses = ExitStack()
    for _ in range(requests):
        responses.enter_context(quota.sending())
    return responses


def test_a_quota_that_just_suffices_is_used_up() -> None:
    """The decision waits for three responses in transit, and the last four requests are sent."""
    quota, decisions = QuotaTracker(), list[RemainingRequests | None]()
    quota.record(left(8))
    assert quota.begin(4, 0.0, GOING_ON) is None
    with in_transit(quota, 3):
        with quota.sending():
            quota.record(left(4))
        last = Thread(target=lambda: decisions.append(quota.begin(4, 0.0, GOING_ON)))
        last.start()
        last.join(0.05)
        assert decisions == []
    last.join()
    assert decisions == [None]


def test_the_first_response_is_waited_for() -> None:
    """Until then the quota is unknown: of five requests four are sent, and the next four are not."""
    quota, decisions = QuotaTracker(), list[RemainingRequests | None]()
    assert quota.begin(4, 0.0, GOING_ON) is None
    with in_transit(quota, 3):
        with quota.sending():
            second = Thread(target=lambda: decisions.append(quota.begin(4, 0.0, GOING_ON)))
            second.start()
            second.join(0.05)
            assert decisions == []
            quota.record(left(4))
        quota.record(left(1))
    second.join()
    assert decisions == [left(1)]


def test_response_without_a_number_is_waited_for_once() -> None:
    """A server that does not report its limits may have none."""
    quota = QuotaTracker()
    assert quota.begin(4, 0.0, GOING_ON) is None
    with quota.sending():
        pass
    assert quota.begin(4, 0.0, GOING_ON) is None
    assert quota.begin(4, 0.0, GOING_ON) is None


def test_responses_that_cannot_help_are_not_waited_for() -> None:
    """Even without the requests in transit one request is missing, so nothing waits."""
    quota = QuotaTracker()
    quota.record(left(7))
    assert quota.begin(4, 0.0, GOING_ON) is None
    quota.record(left(3))
    with in_transit(quota, 3):
        assert quota.begin(4, 0.0, GOING_ON) == left(3)


def test_a_stop_ends_the_wait_for_responses_in_transit() -> None:
    """The decision is then made without the responses."""
    quota, stop = QuotaTracker(), Event()
    stop.set()
    quota.record(left(4))
    assert quota.begin(4, 0.0, GOING_ON) is None
    with in_transit(quota, 4):
        assert quota.begin(4, 0.0, stop) == left(4)
