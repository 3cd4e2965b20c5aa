"""The generated repositories of `ghtraffic demo`."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ghtraffic_action.demo.fake_github import Repository
from ghtraffic_action.demo.forms import DAY, WINDOW, Form, late_batch
from ghtraffic_action.demo.generated_traffic import WHOLE, GeneratedTraffic

NAME = "octo-lab/lighthouse"
"""A repository that only exists in the demonstration."""

PAUSE = range(30, 50)
"""Days before the last without a run for the fleet: seven days are lost, since GitHub lists 14."""

_WEEKDAY = (1.0, 1.1, 1.15, 1.1, 0.95, 0.45, 0.4)
_LATE = 20
"""The day of collection after which GitHub lists no newer day for three days."""


@dataclass(frozen=True)
class _Profile:
    """A repository's visitors over time.

    Args:
        visitors: initial visitors per day.
        growth: additional visitors per day, each day.
        launch: when a well-read site writes about it, in days before the last (0: never).
        fades: since when the number falls every day, in days before the last (0: never).
        created: when it was created, in days before the last (0: never).
    """

    name: str
    visitors: float
    growth: float = 0.0
    launch: int = 0
    fades: int = 0
    created: int = 0
    private: bool = False
    archived: bool = False
    stars: int = 0
    forks: int = 0


_LIGHTHOUSE = _Profile(NAME, 14, growth=0.2, launch=26, stars=112, forks=9)
_FLEET = (
    _LIGHTHOUSE,
    _Profile("octo-lab/compass", 190, growth=0.1, stars=2140, forks=188),
    _Profile("octo-lab/sextant", 9, growth=0.6, stars=61, forks=4),
    _Profile("octo-lab/anchor", 70, fades=75, stars=530, forks=61),
    _Profile("octo-lab/harbour", 22, private=True, stars=3, forks=1),
    _Profile("octo-lab/tide-tables", 4, archived=True, stars=48, forks=12),
    _Profile("octo-lab/signal-flags", 12, launch=9, created=30, stars=7),
    _Profile("octo-lab/buoy", 0, stars=1),
)


def _starred(draw: random.Random, stars: int, first: date, last: date) -> dict[date, int]:
    """Distribute the stars over the days, more to later ones."""
    starred: dict[date, int] = {}
    for _ in range(stars):
        day = last - timedelta(days=int((last - first).days * draw.random() ** 2))
        starred[day] = starred.get(day, 0) + 1
    return starred


def sample(last: date, days: int) -> Repository:
    """Return a repository with traffic up to `last`, for `days` daily runs."""
    begin = last - timedelta(days=days)
    late = datetime.combine(begin + _LATE * DAY, time(10), UTC)
    return _repository(_LIGHTHOUSE, 0, last, days, late_batch(WHOLE, late, late + 3 * DAY))


def fleet(last: date, days: int) -> list[Repository]:
    """Return growing, stable, fading, new, private, archived and unvisited repositories."""
    return [_repository(profile, number, last, days, WHOLE) for number, profile in enumerate(_FLEET)]


def _repository(profile: _Profile, number: int, last: date, days: int, form: Form) -> Repository:
    draw = random.Random(20261123 + number)  # noqa: S311 - generated traffic needs no secrecy
    first = last - timedelta(days=days + WINDOW)
    created = last - timedelta(days=profile.created) if profile.created else first - timedelta(days=900)
    views: dict[date, tuple[int, int]] = {}
    clones: dict[date, tuple[int, int]] = {}
    news: dict[date, int] = {}
    for age in range(days + WINDOW + 1):
        day = first + timedelta(days=age)
        wave = _wave(profile, days + WINDOW - age)
        visitors = int(_level(profile, age, days + WINDOW - age, day) * draw.uniform(0.75, 1.25))
        views[day] = (int(visitors * draw.uniform(2.0, 3.4)), visitors)
        news[day] = int(views[day][0] * 0.8 * wave / (1 + wave))
        cloners = int(visitors * draw.uniform(0.05, 0.2))
        clones[day] = (cloners + draw.randint(0, 2) * cloners, cloners)
        if day < created:
            del views[day], clones[day]
    return Repository(
        id=904_221_377 + number,
        name=profile.name,
        traffic=GeneratedTraffic(views, clones, name=profile.name, seed=number, news=news, form=form),
        created=created,
        pushed=datetime.combine(last, time(), UTC),
        private=profile.private,
        archived=profile.archived,
        stars=profile.stars,
        forks=profile.forks,
        watchers=7,
        starred=_starred(draw, profile.stars, created, last),
    )


def _level(profile: _Profile, age: int, left: int, day: date) -> float:
    """Return a day's visitors: `age` days after the first, `left` before the last."""
    faded = 0.93 ** (profile.fades - left) if left < profile.fades else 1.0
    return (profile.visitors + age * profile.growth) * (_WEEKDAY[day.weekday()] + _wave(profile, left)) * faded


def _wave(profile: _Profile, left: int) -> float:
    """Return a launch's additional visitors on a day, as a multiple of the usual."""
    return 9.0 * 0.6 ** (profile.launch - left) if profile.launch and left <= profile.launch else 0.0
