"""The invented repository of `ghtraffic demo`: plausible traffic whose truth is known."""

import random
from datetime import UTC, date, datetime, time, timedelta

from ghtraffic_action.standin import GeneratedTraffic, Repository

NAME = "octo-lab/lighthouse"
"""A name of no meaning; the repository does not exist outside the demonstration."""

_WEEKDAY = (1.0, 1.1, 1.15, 1.1, 0.95, 0.45, 0.4)
_LAUNCH = 34
"""The day on which a well-read site writes about it."""


def sample(last: date, days: int) -> Repository:
    """Invent a repository whose traffic ends on `last`, with `days` of it and the window before them."""
    draw = random.Random(20261123)  # noqa: S311 - invented traffic needs no secrecy
    first = last - timedelta(days=days + 14)
    views: dict[date, tuple[int, int]] = {}
    clones: dict[date, tuple[int, int]] = {}
    for age in range(days + 15):
        day = first + timedelta(days=age)
        since_launch = age - 14 - _LAUNCH
        wave = 9.0 * 0.6**since_launch if since_launch >= 0 else 0.0
        visitors = int((14 + age / 5) * (_WEEKDAY[day.weekday()] + wave) * draw.uniform(0.75, 1.25))
        views[day] = (int(visitors * draw.uniform(2.0, 3.4)), visitors)
        cloners = int(visitors * draw.uniform(0.05, 0.2))
        clones[day] = (cloners + draw.randint(0, 2) * cloners, cloners)
    return Repository(
        id=904_221_377,
        name=NAME,
        traffic=GeneratedTraffic(views, clones, name=NAME, omit_zeros=True),
        created=first - timedelta(days=200),
        pushed=datetime.combine(last, time(), UTC),
        stars=112,
        forks=9,
        watchers=7,
        open_issues=6,
        open_pull_requests=2,
    )
