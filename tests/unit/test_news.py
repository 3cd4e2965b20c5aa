"""The notable changes in an observation: unusual views, the referrer that rose, new referrers."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest

from ghtraffic_action.traffic import news
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.traffic.model import Day, DayRange, History, Snapshot, TopReferrer, TopReferrers, Totals
from ghtraffic_action.traffic.news import News, Rise, Spike, find_news
from ghtraffic_action.traffic.observation import Observation, Repository, Series
from tests.support.builders import NAME, ROOT
from tests.support.histories import ID, NOON, ago, metadata

YESTERDAY = ago(1)
USUAL = dict.fromkeys(range(1, 29), 10)
"""Views by the days before yesterday."""

Referrers = Mapping[str, int]


def days(views: Mapping[int, int | None]) -> list[DayCoverage]:
    """Return days with views by age; None is unknown."""
    return [
        DayCoverage(ago(age), NAME, count, count, 0, 0, Coverage.COMPLETE, None)
        for age, count in sorted(views.items(), reverse=True)
    ]


def tops(at: datetime, found: Referrers) -> TopReferrers:
    return TopReferrers(at, tuple(TopReferrer(name, count, 1) for name, count in found.items()))


def before(*, newest: int = 2, referrers: Mapping[int, Referrers] | None = None) -> History:
    """Return a history whose last answer lists days up to `newest` days ago, with referrers by age."""
    listed = frozenset({DayRange(ago(newest + 13), ago(newest))})
    seen = {newest - 1: Snapshot(ago(newest - 1), NAME, views_listed=listed)}
    for age, found in (referrers or {}).items():
        at = NOON - timedelta(days=age)
        seen[age] = Snapshot(
            ago(age), NAME, referrers=tops(at, found), views_listed=seen.get(age, seen[newest - 1]).views_listed
        )
    return History(ID, snapshots=tuple(seen[age] for age in sorted(seen, reverse=True)))


def observation(referrers: Referrers | None = None, *, last: int = 1, own_day: bool = False) -> Observation:
    """Return an answer with 14 days up to `last` days ago, in the old form with `own_day`."""
    listed = [ago(last + n) for n in range(14)] + [ago(0)] * own_day
    series = Series(Totals(NOON, 1, 1, ago(last)), tuple(Day(day, NAME, views=1) for day in listed))
    found = tops(NOON, referrers) if referrers is not None else None
    return Observation(Repository(ID, NAME, private=False, pushed=None, metadata=metadata()), series, referrers=found)


def spike(
    views: Mapping[int, int | None],
    history: History | None = None,
    *,
    referrers: Referrers | None = None,
    last: int = 1,
    own_day: bool = False,
) -> Spike | None:
    """Return the observation's spike."""
    found = find_news(history or before(), observation(referrers, last=last, own_day=own_day), days(views))
    return found.spike if found else None


def test_a_day_of_three_times_the_usual_views_is_news() -> None:
    """Usual is the median of the 28 known days before, and the threshold is three times that."""
    assert spike(USUAL | {1: 30}) == Spike(YESTERDAY, 30, 10)
    assert spike(USUAL | {1: 29}) is None
    assert spike(USUAL | {1: 30, 2: 9, 3: 500, 4: 900}) == Spike(YESTERDAY, 30, 10)


def test_small_numbers_are_no_news() -> None:
    """A rise from 1 to 3 views, or to 19, is not unusual."""
    few = dict.fromkeys(USUAL, 1)
    assert spike(few | {1: 3}) is None
    assert spike(few | {1: 19}) is None
    assert spike(few | {1: 20}) == Spike(YESTERDAY, 20, 1)


def test_what_is_usual_takes_seven_known_days() -> None:
    """With fewer known days there is no usual number, and unknown days do not count."""
    week = dict.fromkeys(range(2, 9), 10)
    assert spike(week | {1: 30}) == Spike(YESTERDAY, 30, 10)
    assert spike(week | {1: 30, 8: None}) is None


def test_only_the_last_28_known_days_are_usual() -> None:
    """Older days do not count as usual."""
    assert spike(dict.fromkeys(range(2, 30), 10) | dict.fromkeys(range(30, 90), 500) | {1: 30}) is not None


def test_the_day_before_or_after_a_larger_one_is_no_news() -> None:
    """A launch is reported once, not again while it fades."""
    assert spike(USUAL | {1: 60, 2: 90}) is None
    assert spike(USUAL | {1: 90, 2: 60}, before(newest=3)) == Spike(YESTERDAY, 90, 10)
    assert spike(USUAL | {1: 60, 2: 90}, before(newest=3)) == Spike(ago(2), 90, 10)


def test_a_day_is_news_once() -> None:
    """Only the first answer that lists the day reports it, not a rerun and not a replay."""
    assert spike(USUAL | {1: 90}, before(newest=1)) is None
    assert spike(USUAL | {1: 90, 5: 200}) == Spike(YESTERDAY, 90, 10)
    assert spike(USUAL | {5: 200}, last=5) is None


def test_after_a_gap_the_most_unusual_day_is_news() -> None:
    """One of all newly listed days is reported."""
    views = dict.fromkeys(range(1, 30), 10) | {3: 80, 6: 120, 12: 999}
    assert spike(views, before(newest=8)) == Spike(ago(6), 120, 10)


def test_the_first_observation_has_no_spike() -> None:
    """An observation without views, or in the old form, has none either."""
    views = USUAL | {1: 90}
    assert spike(views, History(ID)) is None
    assert spike(views, own_day=True) is None
    refused = Observation(observation().repository)
    assert find_news(before(), refused, days(views)) is None


def test_the_referrer_that_rose_most_is_named() -> None:
    """The rise is measured from the last observation before the day."""
    history = before(referrers={5: {"Google": 1}, 2: {"Google": 100, "t.co": 3}})
    found = spike(USUAL | {1: 90}, history, referrers={"Google": 110, "t.co": 60})
    assert found
    assert found.rise == Rise("t.co", 57)


def test_a_rise_of_a_few_views_explains_nothing() -> None:
    """No referrer is named, even on a day with few views."""
    few, history = dict.fromkeys(USUAL, 1) | {1: 20}, before(referrers={2: {"t.co": 3}})
    found = [spike(few, history, referrers={"t.co": now}) for now in (8, 9)]
    assert [one and one.rise for one in found] == [None, Rise("t.co", 6)]


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ({2: {"t.co": 3}}, {"t.co": 8}),
        ({2: {"t.co": 3}}, {"t.co": 14}),
        ({1: {"t.co": 3}}, {"t.co": 60}),
        ({12: {"t.co": 3}}, {"t.co": 60}),
        ({2: {"t.co": 3}}, None),
    ],
)
def test_no_referrer_is_blamed_without_reason(earlier: dict[int, Referrers], now: Referrers | None) -> None:
    """The rise must be large enough, and the compared observation recent and before the day."""
    found = spike(USUAL | {1: 90}, before(referrers=earlier), referrers=now)
    assert found
    assert found.rise is None


def test_a_referrer_that_was_not_among_ten_had_at_most_their_least() -> None:
    """With fewer than ten referrers before, it had none."""
    ten = {f"site{n}": 30 + n for n in range(10)}
    views = USUAL | {1: 90}
    found = [spike(views, before(referrers={2: old}), referrers=ten | {"t.co": 50}) for old in (ten, {"site1": 31})]
    assert [one and one.rise for one in found] == [Rise("t.co", 20), Rise("t.co", 50)]


def test_a_late_look_names_no_referrer() -> None:
    """After ten days the 14-day numbers may no longer contain the day."""
    views = dict.fromkeys(range(1, 31), 10) | {12: 90}
    history = before(newest=14, referrers={13: {"t.co": 3}})
    found = spike(views, history, referrers={"t.co": 60})
    assert found == Spike(ago(12), 90, 10)


def test_a_referrer_never_seen_before_is_news() -> None:
    """The referrers must have been known for 14 days; a failed observation does not count."""
    history = before(referrers={14: {"Google": 1}, 2: {"Bing": 1}})
    now = {"Google": 5, "lobste.rs": 4, "Bing": 3, "t.co": 1}
    new = (TopReferrer("lobste.rs", 4, 1), TopReferrer("t.co", 1, 1))
    assert find_news(history, observation(now), days(USUAL)) == News(None, new, ago(14))
    assert find_news(history, observation({"Google": 5}), days(USUAL)) is None
    assert find_news(history, observation(), days(USUAL)) is None
    assert find_news(before(referrers={13: {"Google": 1}}), observation(now), days(USUAL)) is None
    assert find_news(before(), observation(now), days(USUAL)) is None


def test_the_page_has_the_same_rule() -> None:
    """The script of the report page has the same numbers."""
    script = (ROOT / "ghtraffic_action" / "page" / "script" / "spikes.js").read_text()
    for name in ("SPIKE_FACTOR", "LEAST_VIEWS", "USUAL_DAYS"):
        found = re.search(rf"^const {name} = ([0-9]+);", script, re.MULTILINE)
        assert found, name
        assert int(found[1]) == getattr(news, name)


def test_days_are_compared_by_date() -> None:
    """The days of a history need no order."""
    views = days(USUAL | {1: 30})
    found = find_news(before(), observation(), reversed(views))
    assert found
    assert found.spike == Spike(date(2026, 11, 22), 30, 10)
