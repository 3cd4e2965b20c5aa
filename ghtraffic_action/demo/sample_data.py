"""The generated repository of `ghtraffic demo`."""

import random
from datetime import UTC, date, datetime, time, timedelta

from ghtraffic_action.demo.fake_github import Repository
from ghtraffic_action.demo.forms import DAY, WINDOW, late_batch
from ghtraffic_action.demo.generated_traffic import WHOLE, GeneratedTraffic

NAME = "octo-lab/lighthouse"
"""The repository does not exist outside the demonstration."""

_WEEKDAY = (1.0, 1.1, 1.15, 1.1, 0.95, 0.45, 0.4)
_LATE = 20
"""The day of collection after which GitHub lists no newer day for three days."""
_LAUNCH = 34
"""The day of collection on which a well-read site writes about it."""


def sample(last: date, days: int) -> Repository:
    """Return a repository with traffic until `last`, for `days` days of collection and the window before them."""
    draw = random.Random(20261123)  # noqa: S311 - generated traffic needs no secrecy
    begin = last - timedelta(days=days)
    first = begin - WINDOW * DAY
    views: dict[date, tuple[int, int]] = {}
    clones: dict[date, tuple[int, int]] = {}
    for age in range(days + WINDOW + 1):
        day = first + timedelta(days=age)
        since_launch = age - WINDOW - _LAUNCH
        wave = 9.0 * 0.6**since_launch if since_launch >= 0 else 0.0
        visitors = int((14 + age / 5) * (_WEEKDAY[day.weekday()] + wave) * draw.uniform(0.75, 1.25))
        views[day] = (int(visitors * draw.uniform(2.0, 3.4)), visitors)
        cloners = int(visitors * draw.uniform(0.05, 0.2))
        clones[day] = (cloners + draw.randint(0, 2) * cloners, cloners)
    late = datetime.combine(begin + _LATE * DAY, time(10), UTC)
    return Repository(
        id=904_221_377,
        name=NAME,
        traffic=GeneratedTraffic(views, clones, name=NAME, form=late_batch(WHOLE, late, late + 3 * DAY)),
        created=first - timedelta(days=200),
        pushed=datetime.combine(last, time(), UTC),
        stars=112,
        forks=9,
        watchers=7,
    )
