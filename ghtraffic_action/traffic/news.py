"""Notable changes: days of unusual views, risen and new referrers.

The rule is that of the report page (`page/script/spikes.js`), for the days that an observation lists first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median_high

from ghtraffic_action.traffic.coverage import DayCoverage, listed_days
from ghtraffic_action.traffic.model import History, TopReferrer, TopReferrers
from ghtraffic_action.traffic.observation import Observation

SPIKE_FACTOR = 3
LEAST_VIEWS = 20
USUAL_DAYS = 28
_LEAST_KNOWN = 7
_TEN = 10
_LEAST_RISE = 5
_SHARE_OF_RISE = 0.15
_COMPARED = timedelta(days=10)
"""Maximum distance of a compared observation of referrers from the day."""

_OBSERVED_BEFORE = timedelta(days=14)
"""How long referrers have to be known before a new one is notable."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rise:
    """A referrer, and the increase of its 14-day views."""

    referrer: str
    by: int


@dataclass(frozen=True, slots=True)
class Spike:
    """A day with at least three times the usual views.

    Usual is the median of up to 28 known days before. `rise` is the referrer that rose most, None if unknown or if none
    rose enough to explain the day.
    """

    day: date
    views: int
    usual: int
    rise: Rise | None = None


@dataclass(frozen=True, slots=True)
class News:
    """The notable changes of an observation.

    No referrer of `new_referrers` was among the top ten since `since`.
    """

    spike: Spike | None = None
    new_referrers: tuple[TopReferrer, ...] = ()
    since: date | None = None


def find_news(before: History, observation: Observation, days: Iterable[DayCoverage]) -> News | None:
    """Return the notable changes of an observation, or None.

    `before` is the history without the observation, `days` are the newest days with it. A day counts for the first
    observation that lists it, a referrer for the first that has it among the ten.
    """
    spike = _find_spike(before, observation, days)
    since, found = _new_referrers(before, observation)
    return News(spike, found, since if found else None) if spike or found else None


def _find_spike(before: History, observation: Observation, days: Iterable[DayCoverage]) -> Spike | None:
    """Return the most unusual newly listed day; None before the second observation."""
    listed = observation.views.listed if observation.views else None
    known = listed_days(before, "views")
    if listed is None or not known:
        return None
    views = {day.day: day.views for day in days if day.views is not None}
    new = (day for day in views if listed.first <= day <= listed.last and day not in known)
    spikes = [spike for day in new if (spike := _spike_on(views, day))]
    if not spikes:
        return None
    found = max(spikes, key=lambda spike: (spike.views - spike.usual, spike.day))
    return Spike(found.day, found.views, found.usual, _largest_rise(before, observation.referrers, found))


def _spike_on(views: Mapping[date, int], day: date) -> Spike | None:
    """Return a day as a spike, if it and not a neighbour stands out."""
    earlier = sorted(known for known in views if known < day)[-USUAL_DAYS:]
    if len(earlier) < _LEAST_KNOWN:
        return None
    usual = median_high(views[known] for known in earlier)
    neighbours = (views.get(day - _DAY, 0), views.get(day + _DAY, 0))
    least = max(LEAST_VIEWS, SPIKE_FACTOR * usual, *neighbours)
    return Spike(day, views[day], usual) if views[day] >= least else None


def _largest_rise(before: History, now: TopReferrers | None, spike: Spike) -> Rise | None:
    """Return the most risen referrer, if it explains a part of the day's views."""
    compared = (seen for seen in before.snapshots if spike.day - _COMPARED <= seen.day < spike.day)
    earlier = [seen.referrers.rows for seen in compared if seen.referrers]
    if not earlier or now is None or now.at.date() > spike.day + _COMPARED:
        return None
    old = {row.referrer: row.count for row in earlier[-1]}
    limit = min(old.values()) if len(old) >= _TEN else 0  # a referrer outside the top ten had no more
    rises = [Rise(row.referrer, row.count - old.get(row.referrer, limit)) for row in now.rows]
    least = max(_LEAST_RISE + 1, (spike.views - spike.usual) * _SHARE_OF_RISE)
    return max((rise for rise in rises if rise.by >= least), key=lambda rise: rise.by, default=None)


def _new_referrers(before: History, observation: Observation) -> tuple[date | None, tuple[TopReferrer, ...]]:
    """Return the first day with known referrers, and those never seen since then."""
    observed = [(seen.day, seen.referrers.rows) for seen in before.snapshots if seen.referrers]
    now = observation.referrers
    if now is None or not observed or now.at.date() - observed[0][0] < _OBSERVED_BEFORE:
        return None, ()
    seen = {row.referrer for _, rows in observed for row in rows}
    return observed[0][0], tuple(row for row in now.rows if row.referrer not in seen)
