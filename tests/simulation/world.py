"""What really happens: repositories, their true traffic and what becomes of them, drawn from a seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from zlib import crc32

from tests.support.fake_github import (
    GeneratedTraffic,
    OldForm,
    PathRow,
    ReferrerRow,
    Repository,
    Row,
    Series,
)

BEFORE = 40
"""Days of traffic that there were before the first run."""

TOP = 2
"""How many paths and referrers an answer lists."""


class Unsteady:
    """Tells invented traffic with worse habits: an answer lags, for hours or for days, and bots' views are taken back.

    `taken_back` says from which day on which days are told with less, and how much of each number is left.
    """

    def __init__(
        self, traffic: GeneratedTraffic, seed: int, taken_back: dict[date, tuple[frozenset[date], float]]
    ) -> None:
        self._traffic = traffic
        self._seed = seed
        self._taken_back = taken_back

    def views(self, now: datetime) -> Series:
        """See Traffic."""
        return self._told(self._traffic.views(self._refreshed("views", now)), now)

    def clones(self, now: datetime) -> Series:
        """See Traffic."""
        return self._told(self._traffic.clones(self._refreshed("clones", now)), now)

    def paths(self, now: datetime) -> tuple[PathRow, ...]:
        """See Traffic."""
        return self._traffic.paths(now)[:TOP]

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """See Traffic."""
        return self._traffic.referrers(now)[:TOP]

    def _refreshed(self, metric: str, now: datetime) -> datetime:
        """Tell when the numbers were counted that are told now: in some hours, hours before."""
        drawn = crc32(f"{self._seed} {metric} {now:%Y-%m-%d %H}".encode()) % 12
        return now.replace(hour=max(0, now.hour - drawn)) if drawn <= 5 else now

    def _told(self, series: Series, now: datetime) -> Series:
        drawn = crc32(f"{self._seed} {now.date()}".encode()) % 40
        lag = drawn if drawn <= 5 else 0
        newest = now.date() - timedelta(days=lag)
        rows = [self._less(row, now.date()) for row in series.rows if row[0] <= newest]
        uniques = sum(row[2] for row in rows)
        return Series(
            sum(row[1] for row in rows), max([uniques * 7 // 10, *(row[2] for row in rows)], default=0), tuple(rows)
        )

    def _less(self, row: Row, today: date) -> Row:
        day, count, uniques = row
        for since, (days, left) in self._taken_back.items():
            if today >= since and day in days:
                return day, int(count * left), int(uniques * left)
        return row


@dataclass
class World:
    """The repositories that there are, those that the user asks for, and what happens on each day before its runs."""

    repositories: list[Repository]
    asked: list[str]
    events: dict[date, list[Callable[["World"], None]]] = field(default_factory=dict)

    def begin(self, day: date) -> None:
        """Let happen what happens on this day."""
        for event in self.events.get(day, ()):
            event(self)


def draw_world(draw: Random, first: date, days: int, most: int) -> World:
    """Draw one to `most` repositories, and what becomes of them."""
    span = [first + timedelta(days=n) for n in range(days)]
    repositories = [
        _repository(draw, 1000 + n, f"octo-{'ab'[n % 2]}/boat-{n}", first, days)
        for n in range(min(most, draw.choice((1, 1, 2, 3))))
    ]
    world = World(repositories, [repository.name for repository in repositories])
    if draw.random() < 0.2:
        world.asked = [f"{owner}/*" for owner in sorted({repository.owner for repository in repositories})]
    for day, event in _events(draw, span, len(repositories), days):
        world.events.setdefault(day, []).append(event)
    return world


def _repository(draw: Random, number: int, name: str, first: date, days: int) -> Repository:
    created = first - timedelta(days=draw.choice((2, 20, 400)))
    begin = max(created, first - timedelta(days=BEFORE))
    span = [begin + timedelta(days=n) for n in range((first - begin).days + days + 1)]
    popularity = draw.choice((0.2, 3.0, 40.0))
    traffic = GeneratedTraffic(
        _traffic(draw, span, popularity),
        _traffic(draw, span, popularity / 4),
        name=name,
        seed=number,
        form=OldForm(
            omit_zeros=draw.random() < 0.5,
            include_today=draw.random() < 0.7,
            cut_until_hour=draw.choice((0, 6, 12, 24)),
            latest_rise=draw.choice((3, 7, 13)),
        ),
    )
    taken_back = {
        draw.choice(span): (frozenset(draw.sample(span, min(5, len(span)))), draw.random())
        for _ in range(draw.choice((0, 0, 2)))
    }
    return Repository(
        id=number,
        name=name,
        traffic=Unsteady(traffic, number, taken_back),
        created=created,
        pushed=datetime(2026, 1, 1, tzinfo=UTC),
        private=draw.random() < 0.3,
        stars=draw.randrange(500),
        forks=draw.randrange(50),
        watchers=draw.randrange(20),
        open_issues=draw.randrange(9),
        open_pull_requests=draw.randrange(9),
    )


def _traffic(draw: Random, span: list[date], popularity: float) -> dict[date, tuple[int, int]]:
    found = {}
    for day in span:
        count = int(draw.expovariate(1 / popularity))
        found[day] = (count, draw.randint(1, count) if count else 0)
    return found


Event = Callable[[World], None]


def _events(draw: Random, span: list[date], count: int, days: int) -> Iterator[tuple[date, Event]]:
    for day in span:
        if draw.random() < 0.4:
            yield day, _starred(draw.randrange(count), draw.choice((-1, 1, 1, 5)))
    for _ in range(draw.choice((0, 1, 2))):
        yield (
            draw.choice(span),
            _renamed(draw.randrange(count), f"octo-{draw.choice('ab')}/ship-{draw.randrange(1000)}"),
        )
    if draw.random() < 0.3:
        place, day = draw.randrange(count), draw.choice(span)
        yield day, _private(place, private=True)
        yield day + timedelta(days=draw.randint(1, 20)), _private(place, private=False)
    if draw.random() < 0.25:
        place, day, gone = draw.randrange(count), draw.choice(span), draw.randint(0, 9)
        yield from _replaced(draw, place, day, day + timedelta(days=gone), days)


def _starred(place: int, more: int) -> Event:
    def happen(world: World) -> None:
        if place < len(world.repositories):
            world.repositories[place].stars = max(0, world.repositories[place].stars + more)

    return happen


def _renamed(place: int, name: str) -> Event:
    def happen(world: World) -> None:
        if place < len(world.repositories) and all(found.name != name for found in world.repositories):
            repository = world.repositories[place]
            repository.former_names = (*repository.former_names, repository.name)
            repository.name = name

    return happen


def _private(place: int, *, private: bool) -> Event:
    def happen(world: World) -> None:
        if place < len(world.repositories):
            world.repositories[place].private = private

    return happen


def _replaced(draw: Random, place: int, day: date, again: date, days: int) -> Iterator[tuple[date, Event]]:
    """Delete a repository, and make another of the same name some days later: another id, another history."""
    names: list[str] = []
    other = _repository(draw, 2000 + place, "octo-a/another", again, days)
    other.created = again

    def delete(world: World) -> None:
        if place < len(world.repositories):
            names.append(world.repositories.pop(place).name)

    def create(world: World) -> None:
        if names:
            other.name = names[0]
            world.repositories.append(other)

    yield day, delete
    yield again, create
