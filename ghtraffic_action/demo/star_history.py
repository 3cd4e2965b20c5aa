"""GitHub's star history by week, of stars still given."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

_LOS_ANGELES = timedelta(hours=8)
"""How far behind UTC the days of the history are, at least; daylight saving moves no day of generated stars."""

_DAYS = 7


def star_weeks(
    stars: int, starred: Mapping[date, int], created: date, now: datetime, chosen: slice
) -> list[dict[str, Any]]:
    """Return some of the weeks (from Sundays), which go from now back to the creation.

    `starred` has the current stars by the day they were given; the rest of `stars` were given on the day of the
    creation.
    """
    today = (now - _LOS_ANGELES).date()
    given = {day: count for day, count in starred.items() if day <= today}
    given[created] = given.get(created, 0) + max(0, stars - sum(given.values()))
    newest = today - timedelta(days=today.isoweekday() % _DAYS)
    older = -(-(newest - min(given)).days // _DAYS)
    return [_week(given, newest - timedelta(weeks=ago)) for ago in range(older + 1)[chosen]]


def _week(given: Mapping[date, int], first: date) -> dict[str, Any]:
    days = [given.get(first + timedelta(days=n), 0) for n in range(_DAYS)]
    begin = datetime.combine(first, time(), UTC) + _LOS_ANGELES
    return {"week": int(begin.timestamp()), "total": sum(days), "days": days}
