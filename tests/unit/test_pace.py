"""The pace: requests per minute, response time, slowdown and recovery."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest

from ghtraffic_action.github.pace import Pace, Start


def starts(pace: Pace, number: int, *, seconds: float = 0.05, now: float = 0.0) -> Iterator[Start]:
    """Start requests in sequence, each as early as allowed, with responses after `seconds`."""
    for _ in range(number):
        start = pace.reserve(now)
        now = max(now, start.at)
        pace.finish(start, seconds)
        yield start


def most_in_a_minute(moments: list[float]) -> int:
    return max(sum(begin <= other < begin + 60 for other in moments) for begin in moments)


def test_a_burst_uses_the_limit_and_no_more() -> None:
    """The whole limit can start at once, and again a minute later."""
    moments = [start.at for start in starts(Pace(50), 175)]
    assert moments == sorted(moments)
    assert most_in_a_minute(moments) == 50
    assert moments[49:51] == [0.0, 60.25]
    assert moments[-1] == 180.75


def test_late_arrivals_keep_the_limit() -> None:
    """Requests that arrive up to a quarter of a second late stay within GitHub's limit."""
    delays = Random("delays")  # noqa: S311 - it has to be repeatable, not secret
    arrivals = [start.at + delays.uniform(0, 0.25) for start in starts(Pace(50), 175)]
    assert most_in_a_minute(arrivals) == 50


def test_waiting_requests_have_their_moments_at_once() -> None:
    """Requests that wait side by side are given different moments without asking again."""
    pace = Pace(3)
    moments = [pace.reserve(now).at for now in (0.0, 10.0, 20.0, 21.0, 21.0, 21.0, 21.0)]
    assert moments == [0.0, 10.0, 20.0, 60.25, 70.25, 80.25, 120.5]


@pytest.mark.parametrize("seconds", [0.25, 0.5, 2.0])
def test_response_time_of_a_minute_is_limited(seconds: float) -> None:
    """Slow responses take at most 80 seconds together in any rolling minute."""
    moments = [start.at for start in starts(Pace(850), 1000, seconds=seconds)]
    assert most_in_a_minute(moments) == int(80 / seconds)


def test_quick_answers_are_limited_by_number_alone() -> None:
    """With responses of 90 ms all 850 requests may start."""
    assert most_in_a_minute([start.at for start in starts(Pace(850), 900, seconds=0.09)]) == 850


def test_a_busy_machine_does_not_slow_the_pace_down() -> None:
    """Delays of our own machine do not count as GitHub's time: 850 requests may start."""
    pace, now, moments = Pace(850), 0.0, list[float]()
    for number in range(900):
        start = pace.reserve(now)
        now = max(now, start.at)
        pace.finish(start, 0.08 if number % 3 == 0 else 0.3)
        moments.append(start.at)
    assert most_in_a_minute(moments) == 850


def test_a_volley_that_is_refused_halves_the_pace_once() -> None:
    """Sixteen simultaneous refusals halve the pace once."""
    pace = Pace(100)
    volley = [pace.reserve(0.0) for _ in range(16)]
    for start in volley:
        pace.halve(start, 1.0)
    moments = [start.at for start in starts(pace, 60, now=61.0)]
    in_a_minute = sum(moment < 121.0 for moment in moments)
    assert in_a_minute == 60  # half of 100, and a tenth that has come back


def test_a_second_refusal_halves_it_again_and_ten_minutes_restore_it() -> None:
    """A request that started after the first refusal counts again; the pace recovers by a tenth a minute."""
    pace = Pace(100)
    pace.halve(pace.reserve(0.0), 0.0)
    pace.halve(pace.reserve(0.0), 0.0)
    slow = [start.at for start in starts(pace, 40, now=0.0)]
    assert sum(moment < 60.0 for moment in slow) < 30
    assert all(later >= earlier for earlier, later in pairwise(slow))
    fast = [start.at for start in starts(pace, 100, now=1000.0)]
    assert fast == [1000.0] * 100
