"""The report page and its data file, as written by runs and by a rebuild."""

from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ghtraffic_action.exports.destination import Destination
from ghtraffic_action.exports.layout import REPOSITORIES
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.exports.verify import verify
from ghtraffic_action.page.data import PAGE_DATA, read_heads
from ghtraffic_action.page.writer import PAGE, write_page
from ghtraffic_action.stores.base import Store
from tests.support.exports import (
    OTHER,
    FailingDestination,
    Observed,
    World,
    invented,
    lighthouse,
    morning,
    rebuilt,
)

DAY = date(2026, 11, 20)
BEACON = Observed(12, OTHER, invented(OTHER))


@pytest.fixture
def world(store: Store, destination: Destination) -> World:
    return World(store, destination, report=True)


def content(world: World, key: str) -> bytes:
    file = world.destination.read(key)
    assert file, key
    return file.content


@pytest.mark.e2e
@pytest.mark.xdist_group("seventy days")
def test_the_page_of_many_runs_is_that_of_the_store(many_runs: World) -> None:
    world = many_runs
    assert b'"releases":[[' in content(world, PAGE_DATA)
    expected = rebuilt(world.store, report=True)
    assert content(world, PAGE_DATA) == expected[PAGE_DATA]
    assert content(world, PAGE) == expected[PAGE] == write_page(expected[PAGE_DATA])
    assert list(read_heads(expected[PAGE_DATA])) == [7, 12, 100]
    assert rebuild(world.store, world.destination, report=True).written == ()


def test_a_rerun_writes_neither_page_nor_data(world: World) -> None:
    first = world.run(morning(DAY), lighthouse())
    again = world.run(morning(DAY), lighthouse())
    assert (again.files, again.written, again.errors) == (first.files, (), ())
    assert {world.destination.uri(key) for key in (PAGE_DATA, PAGE)} <= {*first.written}


def test_a_run_loads_no_more_of_a_history_for_the_page(world: World) -> None:
    for day in (DAY - timedelta(days=90), DAY - timedelta(days=1)):
        world.run(morning(day), lighthouse())
    before = world.begin().before
    since = before.since(7, DAY)
    assert since
    history = replace(world.store.load(7, since), since=since)
    parts = before.render(history, lambda _: pytest.fail("the whole history was loaded"))[1]
    assert parts[PAGE_DATA].since == str(since)


@pytest.mark.e2e
def test_a_page_that_was_off_for_months_is_caught_up(world: World) -> None:
    """The repository is loaded whole, since its line is older than the days that the export needs."""
    world.run(morning(DAY - timedelta(days=120)), lighthouse(), BEACON)
    world.report = False
    for ago in range(108, 0, -12):
        world.run(morning(DAY - timedelta(days=ago)), lighthouse(), BEACON)
    world.report = True
    assert world.run(morning(DAY), lighthouse(), BEACON).errors == ()
    assert content(world, PAGE_DATA) == rebuilt(world.store, report=True)[PAGE_DATA]


def damaged_body(data: bytes) -> bytes:
    return data.replace(b'"days"', b'"dayz"', 1)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "damage",
    [
        damaged_body,
        lambda data: data[:300],
        lambda data: data.replace(b'"format":1', b'"format":0'),
        lambda _: b"\xff\n",
    ],
    ids=["body", "cut off", "older format", "no text"],
)
def test_damaged_lines_are_made_again(world: World, damage: object) -> None:
    assert callable(damage)
    for day in (DAY - timedelta(days=40), DAY - timedelta(days=1)):
        world.run(morning(day), lighthouse(), BEACON)
    found = world.destination.read(PAGE_DATA)
    assert found
    world.destination.write(PAGE_DATA, damage(found.content), found.version)
    assert world.run(morning(DAY), lighthouse(), BEACON).errors == ()
    assert content(world, PAGE_DATA) == rebuilt(world.store, report=True)[PAGE_DATA]


@pytest.mark.parametrize("key", [PAGE_DATA, PAGE])
def test_a_page_that_could_not_be_written_is_caught_up(world: World, key: str) -> None:
    """The catalogue is written although the page failed, and the next run writes the page."""
    world.run(morning(DAY - timedelta(days=1)), lighthouse())
    inner, world.destination = world.destination, FailingDestination(world.destination)
    world.destination.unwritable = lambda written: written == key
    failed = world.run(morning(DAY), lighthouse())
    assert failed.errors == (f"export-to {key}: cannot be written",)
    assert inner.uri(REPOSITORIES) in failed.written
    world.destination = inner
    assert world.run(morning(DAY), lighthouse()).errors == ()
    expected = rebuilt(world.store, report=True)
    assert (content(world, PAGE_DATA), content(world, PAGE)) == (expected[PAGE_DATA], expected[PAGE])


@pytest.mark.e2e
@pytest.mark.parametrize("key", [PAGE_DATA, PAGE])
def test_two_runs_at_once_lose_no_line(world: World, key: str) -> None:
    """A line that another run wrote between read and write is kept."""
    world.run(morning(DAY - timedelta(days=30)), lighthouse(), BEACON)
    inner, world.destination = world.destination, FailingDestination(world.destination)
    first = world.begin()
    first.collect(lighthouse(), morning(DAY))
    others: list[object] = []

    def interfere(written: str) -> None:
        if written == key and not others:
            others.append(None)
            other = World(world.store, inner, report=True)
            others.append(other.run(morning(DAY), replace(BEACON, stars=77), lighthouse(stars=99)))

    world.destination.before_write = interfere
    assert first.export().errors == ()
    assert len(others) == 2
    expected = rebuilt(world.store, report=True)
    assert (content(world, PAGE_DATA), content(world, PAGE)) == (expected[PAGE_DATA], expected[PAGE])


def test_verify_covers_page_and_data(world: World) -> None:
    world.run(morning(DAY), lighthouse())
    assert verify(world.store, world.destination, report=True).problems == ()
    for key, changed in ((PAGE_DATA, b""), (PAGE, b"<p>")):
        file = world.destination.read(key)
        assert file
        world.destination.write(key, changed, file.version)
    found = verify(world.store, world.destination, report=True, repair=True)
    assert [what.partition(": ")[0] for what in found.differing] == [
        world.destination.uri(k) for k in (PAGE, PAGE_DATA)
    ]
    assert verify(world.store, world.destination, report=True).problems == ()
    assert verify(world.store, world.destination).problems == ()


def test_a_month_alone_leaves_the_page(world: World) -> None:
    world.run(morning(DAY), lighthouse())
    with closing(FailingDestination(world.destination)) as destination:
        rebuild(world.store, destination, month="2026-11", report=True)
        assert not {PAGE, PAGE_DATA} & {*destination.reads, *destination.writes}
