"""The quota: what is left of an hour, what is promised, and when repositories are no longer begun."""

from datetime import UTC, datetime, timedelta

from ghtraffic_action.github.quota import Left, QuotaTracker

RESET = datetime(2026, 11, 23, 13, tzinfo=UTC)


def left(requests: int, *, hours: int = 0) -> Left:
    return Left(requests, RESET + timedelta(hours=hours), renews_at=3_600.0 * (hours + 1))


def test_quota_is_insufficient_when_less_is_left_than_needed() -> None:
    """It is as soon as GitHub says that less is left than is still to be sent, and not before."""
    quota = QuotaTracker()
    quota.plan(8)
    assert not quota.insufficient
    quota.spend(left(7))
    assert not quota.insufficient
    quota.spend(left(5))
    assert quota.insufficient


def test_quota_without_githubs_word_is_sufficient() -> None:
    """Responses without a number change only what is still to be sent."""
    quota = QuotaTracker()
    quota.plan(3)
    quota.spend(left(2))
    quota.spend(None)
    assert not quota.insufficient
    quota.plan(2)
    assert quota.insufficient


def test_no_repository_is_begun_without_all_of_its_requests() -> None:
    """Of ten requests eight are promised to two repositories; the third does not begin with two."""
    quota = QuotaTracker()
    quota.spend(left(10))
    assert [quota.begin(4, 0.0) for _ in range(3)] == [None, None, left(10)]


def test_answered_requests_are_no_longer_promised() -> None:
    """After each answer both numbers fall; what a repository does not need is free again."""
    quota = QuotaTracker()
    quota.spend(left(9))
    assert quota.begin(4, 0.0) is None
    for remaining in (8, 7):
        quota.spend(left(remaining))
        quota.keep(1)
    quota.keep(2)
    assert quota.begin(4, 0.0) is None
    assert quota.begin(4, 0.0) == left(7)


def test_nothing_is_begun_after_the_first_that_was_not() -> None:
    """A later repository does not overtake a staler one, although requests are free again."""
    quota = QuotaTracker()
    quota.spend(left(5))
    assert quota.begin(4, 0.0) is None
    assert quota.begin(4, 0.0)
    quota.keep(4)
    assert quota.begin(4, 0.0)


def test_quota_is_renewed_at_its_moment() -> None:
    """From the moment on that GitHub named, repositories are begun again."""
    quota = QuotaTracker()
    quota.spend(left(0))
    assert quota.begin(4, 3_599.0) == left(0)
    assert quota.begin(4, 3_600.0) is None


def test_response_of_a_new_hour_replaces_the_old_number() -> None:
    """A larger number counts if its hour ends later, and a late answer of the old hour does not."""
    quota = QuotaTracker()
    quota.spend(left(2))
    quota.spend(left(4_999, hours=1))
    quota.spend(left(1))
    assert quota.begin(4, 0.0) is None
