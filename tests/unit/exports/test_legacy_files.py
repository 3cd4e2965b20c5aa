"""The two files in the form of the article."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.exports.destination import Destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
)
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.stores.base import Store
from ghtraffic_action.traffic.model import (
    TopPath,
)
from tests.support.exports import OTHER, START, Observed, World, files_in, invented, lighthouse, morning, rebuilt


def test_the_article_s_files_have_the_article_s_form(world: World) -> None:
    """One file has days with clones, views, stars and forks, the other the top paths, most viewed first."""
    world.article = True
    paths = (TopPath("/b", "B", 9, 3), TopPath("/a", "=A", 5, 4))
    world.run(morning(date(2026, 11, 20)), lighthouse(paths=paths))
    lines = files_in("export")[ARTICLE_DAYS].decode().splitlines()
    assert lines[0] == "timestamp,clones,views,stars,forks"
    stored = world.store.load(7).days[0]
    assert lines[1] == f"{stored.day} 00:00:00,{stored.clones or 0},{stored.views or 0},,"
    assert lines[-1].startswith("2026-11-20 00:00:00,")
    assert lines[-1].endswith(",5,2")
    assert files_in("export")[ARTICLE_PATHS] == b"path,views\r\n/b,9\r\n/a,5\r\n"


@pytest.mark.e2e
def test_the_article_s_files_hold_the_whole_history(world: World) -> None:
    """Switched on late, the files have all days from the first on, and later equal a rebuild."""
    repository = lighthouse()
    for n in range(0, 60, 9):
        world.article = n >= 45
        repository.stars += 1
        repository.paths = (TopPath(f"/{n}", "T", n, 1),)
        assert world.run(morning(START + timedelta(days=n)), repository).errors == ()
    exported = files_in("export")
    days = exported[ARTICLE_DAYS].decode().splitlines()[1:]
    assert days[0].startswith(f"{START - timedelta(days=14)} 00:00:00,")
    assert len(days) == 54 + 15
    assert exported[ARTICLE_PATHS] == b"path,views\r\n/54,54\r\n"
    assert exported == rebuilt(world.store, article=True)


@pytest.mark.e2e
def test_the_article_s_files_are_made_again_where_they_are_missing(world: World) -> None:
    """A removed file comes back whole with the next run."""
    world.article = True
    for n in range(0, 60, 12):
        world.run(morning(START + timedelta(days=n)), lighthouse())
    Path("export", ARTICLE_DAYS).unlink()
    world.run(morning(START + timedelta(days=60)), lighthouse())
    assert files_in("export") == rebuilt(world.store, article=True)


@pytest.mark.e2e
def test_two_repositories_in_turn_do_not_mix(world: World) -> None:
    """Each run replaces both files completely, since they do not name the repository."""
    world.article = True
    other = Observed(12, OTHER, invented(OTHER, number=3), refused=frozenset({"paths"}))
    for n in range(0, 40, 10):
        now = morning(START + timedelta(days=n))
        world.run(now, lighthouse())
        first = files_in("export")[ARTICLE_DAYS]
        world.run(now, other)
        alone = World(world.store, DirectoryDestination(f"alone-{n}"), article=True)
        alone.run(now, other)
        assert files_in("export")[ARTICLE_DAYS] == files_in(f"alone-{n}")[ARTICLE_DAYS] != first
        assert files_in("export")[ARTICLE_PATHS] == b"path,views\r\n"
    slow, fast = world.begin(), world.begin()
    slow.collect(lighthouse(), now)
    fast.collect(other, now)
    assert fast.export().errors == slow.export().errors == ()
    assert files_in("export")[ARTICLE_DAYS] == first


def test_the_article_s_files_are_for_one_repository(store: Store, directory: Destination) -> None:
    """A rebuild for several is refused before anything is written."""
    World(store, DirectoryDestination("elsewhere")).run(
        morning(START), lighthouse(), Observed(12, OTHER, invented(OTHER))
    )
    with pytest.raises(SettingsError, match="legacy-csv: the store holds several repositories"):
        rebuild(store, directory, article=True)
    assert files_in("export") == {}
