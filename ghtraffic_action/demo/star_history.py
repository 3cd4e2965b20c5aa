"""GitHub's star history by week, of stars still given."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

_LOS_ANGELES = timedelta(hours=8)
"""How far behind UTC the days of the history are, at least; daylight saving moves no day of generated stars."""

_DAYS = 7


def star_weeks(stars: int, starred: Mapping[date, int], created: date, now: datetime) -> list[dict[str, Any]]:
    """Return all weeks (from Sundays) from now back to the creation.

    `starred` has the current stars by the day they were given; the rest of `stars` were given on the day of the
    creation.
    """
    today = (now - _LOS_ANGELES).date()
    given = {day: count for day, count in starred.items() if day <= today}
    given[created] = given.get(created, 0) + max(0, stars - sum(given.values()))
    week = today - timedelta(days=today.isoweekday() % _DAYS)
    weeks = []
    while week > min(given) - timedelta(days=_DAYS):
        days = [given.get(week + timedelta(days=n), 0) for n in range(_DAYS)]
        begin = datetime.combine(week, time(), UTC) + _LOS_ANGELES
        weeks.append({"week": int(begin.timestamp()), "total": sum(days), "days": days})
        week -= timedelta(days=_DAYS)
    return weeks
