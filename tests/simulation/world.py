"""What really happens: repositories, their true traffic and their later changes, drawn from a seed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from ghtraffic_action.demo.forms import ENDPOINTS
from ghtraffic_action.demo.traffic import Endpoint
from tests.support.fake_github import (
    WHOLE,
    Form,
    FormChange,
    GeneratedTraffic,
    OldForm,
    PathRow,
    PlaceholderForm,
    ReferrerRow,
    Release,
    Replay,
    Repository,
    Row,
    Truth,
    late_batch,
)

BEFORE = 40
"""Days of traffic that there were before the first run."""

TOP = 2
"""How many paths and referrers an answer lists."""


@dataclass(frozen=True)
class UnsteadyForm:
    """A form with more faults: its answers lag for hours or days, and views of bots are removed later.

    `taken_back` holds from which day on which days are listed with less, and how much of each number is left.
    """

    form: Form
    taken_back: Mapping[date, tuple[frozenset[date], float]]

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """See Form."""
        drawn = truth.draw(endpoint, f"{now:%Y-%m-%d %H}") % 12
        counted = now.replace(hour=max(0, now.hour - drawn)) if drawn <= 5 else now
        drawn = truth.draw(now.date()) % 40
        newest = now.date() - timedelta(days=drawn if drawn <= 5 else 0)
        rows = self.form.rows(truth, endpoint, counted)
        return tuple(self._less(row, now.date()) for row in rows if row[0] <= newest)

    def _less(self, row: Row, today: date) -> Row:
        day, count, uniques = row
        for since, (days, left) in self.taken_back.items():
            if today >= since and day in days:
                return day, int(count * left), int(uniques * left)
        return row


class ShortLists:
    """Traffic whose lists of paths and referrers are short."""

    def __init__(self, traffic: GeneratedTraffic) -> None:
        self._traffic = traffic
        self.views = traffic.views
        self.clones = traffic.clones

    def paths(self, now: datetime) -> tuple[PathRow, ...]:
        """See Traffic."""
        return self._traffic.paths(now)[:TOP]

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """See Traffic."""
        return self._traffic.referrers(now)[:TOP]


@dataclass
class World:
    """All repositories, those that the user asks for, and what happens on each day before its runs."""

    repositories: list[Repository]
    asked: list[str]
    events: dict[date, list[Callable[["World"], None]]] = field(default_factory=dict)

    def begin(self, day: date) -> None:
        """Apply the events of this day."""
        for event in self.events.get(day, ()):
            event(self)


def draw_world(draw: Random, first: date, days: int, most: int) -> World:
    """Draw one to `most` repositories, and what happens to them."""
    span = [first + timedelta(days=n) for n in range(days)]
    batches = list(_late_batches(draw, span))
    repositories = [
        _repository(draw, 1000 + n, f"octo-{'ab'[n % 2]}/boat-{n}", span, batches)
        for n in range(min(most, draw.choice((1, 1, 2, 3))))
    ]
    world = World(repositories, [repository.name for repository in repositories])
    if draw.random() < 0.2:
        world.asked = [f"{owner}/*" for owner in sorted({repository.owner for repository in repositories})]
    for day, event in _events(draw, span, len(repositories), batches):
        world.events.setdefault(day, []).append(event)
    return world


def _late_batches(draw: Random, span: Sequence[date]) -> Iterator[tuple[datetime, datetime]]:
    """Draw when GitHub lists no newer days of any repository."""
    for day in span:
        if draw.random() < 0.04:
            begin = datetime.combine(day, time(draw.randrange(24)), UTC)
            yield begin, begin + timedelta(days=draw.choice((1, 2, 2, 3)))


def _repository(
    draw: Random, number: int, name: str, span: Sequence[date], batches: Iterable[tuple[datetime, datetime]]
) -> Repository:
    created = span[0] - timedelta(days=draw.choice((0, 2, 20, 400)))
    begin = max(created, span[0] - timedelta(days=BEFORE))
    lived = [begin + timedelta(days=n) for n in range((span[-1] - begin).days + 2)]
    popularity = draw.choice((0.2, 3.0, 40.0))
    traffic = GeneratedTraffic(
        _traffic(draw, lived, popularity),
        _traffic(draw, lived, popularity / 4),
        name=name,
        seed=number,
        form=_form(draw, created, lived, batches),
    )
    return Repository(
        id=number,
        name=name,
        traffic=ShortLists(traffic),
        created=created,
        pushed=datetime(2026, 1, 1, tzinfo=UTC),
        private=draw.random() < 0.3,
        stars=draw.randrange(500),
        forks=draw.randrange(50),
        watchers=draw.randrange(20),
        open_issues=draw.randrange(9),
        open_pull_requests=draw.randrange(9),
        topics=("ospo", "cli")[: number % 3],
        workflow_runs={day: (number + 7 * day.toordinal()) % 23 for day in lived},
    )


def _form(draw: Random, created: date, lived: Sequence[date], batches: Iterable[tuple[datetime, datetime]]) -> Form:
    """Draw how GitHub answers: mostly as since December 2025, sometimes as before, sometimes as before until a day."""
    form: Form = WHOLE
    for begin, end in batches:
        form = late_batch(form, begin, end)
    for _ in range(draw.choice((0, 0, 1, 3))):
        form = _replay(draw, form, lived)
    if draw.random() < 0.6:
        seen = datetime.combine(created + timedelta(days=draw.choice((1, 1, 2, 4))), time(draw.randrange(24)), UTC)
        form = FormChange(PlaceholderForm(), seen, form)
    change = datetime.combine(draw.choice(lived), time(draw.randrange(24)), UTC)
    kind = draw.random()
    if kind < 0.2:
        return FormChange(_old_form(draw, lived), change, form)
    if kind < 0.25:
        return FormChange(form, change, _old_form(draw, lived))
    return _old_form(draw, lived) if kind < 0.35 else form


def _replay(draw: Random, form: Form, lived: Sequence[date]) -> Form:
    """Draw an answer that is repeated for an hour or a day, now and then by some of the endpoints alone."""
    begin = datetime.combine(draw.choice(lived), time(draw.randrange(24)), UTC)
    end = begin + timedelta(hours=draw.choice((1, 6, 24)))
    some: tuple[frozenset[Endpoint], ...] = (ENDPOINTS, frozenset(("views",)), frozenset(("clones", "referrers")))
    endpoints = draw.choice(some)
    return Replay(form, begin, end, begin - timedelta(days=draw.choice((1, 3, 6, 12, 20, 25))), endpoints)


def _old_form(draw: Random, lived: Sequence[date]) -> Form:
    form = OldForm(
        omit_zeros=draw.random() < 0.5,
        include_today=draw.random() < 0.7,
        cut_until_hour=draw.choice((0, 6, 12, 24)),
        latest_rise=draw.choice((3, 7, 13)),
    )
    taken_back = {
        draw.choice(lived): (frozenset(draw.sample(lived, min(5, len(lived)))), draw.random())
        for _ in range(draw.choice((0, 0, 2)))
    }
    return UnsteadyForm(form, taken_back)


def _traffic(draw: Random, span: Sequence[date], popularity: float) -> dict[date, tuple[int, int]]:
    found = {}
    for day in span:
        count = int(draw.expovariate(1 / popularity))
        found[day] = (count, draw.randint(1, count) if count else 0)
    return found


Event = Callable[[World], None]


def _events(
    draw: Random, span: Sequence[date], count: int, batches: Iterable[tuple[datetime, datetime]]
) -> Iterator[tuple[date, Event]]:
    for day in span:
        if draw.random() < 0.4:
            yield day, _starred(draw.randrange(count), draw.choice((-1, 1, 1, 5)))
    for _ in range(draw.choice((0, 0, 2, 12))):
        yield draw.choice(span), _released(draw.randrange(count), draw.randrange(1, 4))
    for day in span:
        if draw.random() < 0.3:
            yield day, _downloaded(draw.randrange(count), draw.choice((1, 1, 40)))
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
        yield from _replaced(
            draw, place, day, [d for d in span if d >= day + timedelta(days=gone)] or span[-1:], batches
        )


def _starred(place: int, more: int) -> Event:
    def happen(world: World) -> None:
        if place < len(world.repositories):
            world.repositories[place].stars = max(0, world.repositories[place].stars + more)

    return happen


def _released(place: int, assets: int) -> Event:
    def happen(world: World) -> None:
        if place < len(world.repositories):
            repository = world.repositories[place]
            number = len(repository.releases) + 1
            moment = datetime(2019, 1, 1, number, tzinfo=UTC)  # too old for the list of releases
            names = tuple((f"boat-{n}.zip", 0) for n in range(assets))
            repository.releases = (*repository.releases, Release(f"v{number}", moment, moment, names))

    return happen


def _downloaded(place: int, more: int) -> Event:
    """Download the first asset of the newest release, which an older release may become."""

    def happen(world: World) -> None:
        if place < len(world.repositories) and world.repositories[place].releases:
            repository = world.repositories[place]
            *older, newest = repository.releases
            (name, count), *others = newest.assets
            repository.releases = (*older, replace(newest, assets=((name, count + more), *others)))

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


def _replaced(
    draw: Random, place: int, day: date, later: Sequence[date], batches: Iterable[tuple[datetime, datetime]]
) -> Iterator[tuple[date, Event]]:
    """Delete a repository, and make another of the same name later: another id, another history."""
    names: list[str] = []
    again = later[0]
    other = _repository(draw, 2000 + place, "octo-a/another", later, batches)
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
