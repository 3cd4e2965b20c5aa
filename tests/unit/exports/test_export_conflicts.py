"""Concurrent exports, and files that cannot be read or written."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from ghtraffic_action.errors import StoreError
from ghtraffic_action.exports.destination import Destination, File
from ghtraffic_action.exports.incremental import write_export
from ghtraffic_action.exports.layout import (
    LATEST_PATHS,
    RECENT,
    REPOSITORIES,
    month_key,
)
from ghtraffic_action.exports.parts import Part
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.stores.base import Store
from tests.support.exports import (
    DAILY,
    NAME,
    OTHER,
    START,
    FailingDestination,
    Observed,
    World,
    files_in,
    invented,
    lighthouse,
    morning,
    rebuilt,
    rows_in,
)
from tests.support.runtime import no_wait_runtime


def test_files_are_read_again_before_the_store(world: World) -> None:
    """After a conflict a run reads the files again, then the store, and loses no row of the other run."""
    now = morning(date(2026, 11, 10))
    slow, fast = world.begin(), world.begin()
    slow.collect(lighthouse(stars=5), now)
    fast.collect(lighthouse(stars=4), now + timedelta(hours=15))
    assert fast.export().errors == ()
    steps: list[str] = []
    destination = FailingDestination(world.destination)
    destination.before_read = steps.append

    def load(repository_id: int) -> dict[str, Part]:
        steps.append("load")
        return slow.rows.render_again(repository_id)

    result = write_export(destination, slow.before, slow.rows.spool, load, no_wait_runtime())
    assert result.errors == ()
    others = sorted(set(files_in("export")) - {RECENT, REPOSITORIES})
    assert sorted(steps[: len(others)]) == others
    assert [step for step in steps[len(others) :] if "/daily" not in step] == ["load", REPOSITORIES]
    assert files_in("export") == rebuilt(world.store)


def test_a_file_that_others_keep_writing_is_given_up(world: World) -> None:
    """After twelve conflicts the error names the file; the store has what was collected."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    inner = world.destination
    world.destination = destination = FailingDestination(inner)
    turns = iter(range(100))

    def interfere(key: str) -> None:
        if key == LATEST_PATHS:
            current = inner.read(key)
            assert current is not None
            content = current.content + b"%s,%d,2026-11-01,/,t,1,1\r\n" % (NAME.encode(), 1000 + next(turns))
            inner.write(key, content, current.version)

    destination.before_write = interfere
    result = world.run(morning(date(2026, 11, 11)), lighthouse())
    assert result.errors == (
        f"export-to export/{LATEST_PATHS}: other programs changed it in all 12 attempts: run again later",
    )
    assert destination.writes.count(LATEST_PATHS) == 12
    assert rows_in(inner, REPOSITORIES)[0]["observed"] == "2026-11-10"


def test_a_store_that_cannot_be_read_again_is_an_error(world: World) -> None:
    """If the store cannot be read again after a conflict, the other run's file and the catalogue stay."""
    now = morning(date(2026, 11, 10))
    slow, fast = world.begin(), world.begin()
    slow.collect(lighthouse(stars=5), now)
    fast.collect(lighthouse(stars=4), now + timedelta(hours=15))
    assert fast.export().errors == ()
    before = files_in("export")

    def load(repository_id: int) -> dict[str, Part]:
        raise StoreError(f"store of {repository_id}: gone")

    result = write_export(world.destination, slow.before, slow.rows.spool, load, no_wait_runtime())
    assert result == ExportResult(errors=("store of 7: gone",))
    assert files_in("export") == before


def test_two_repositories_export_at_once(world: World) -> None:
    """Two runs that read the same files both end up with their rows in them."""
    now = morning(date(2026, 11, 10))
    one, two = world.begin(), world.begin()
    one.collect(lighthouse(), now)
    two.collect(Observed(12, OTHER, invented(OTHER)), now)
    assert one.export().errors == ()
    assert two.export().errors == ()
    assert {row["repository_id"] for row in world.rows(DAILY)} == {"7", "12"}
    assert [row["repository_id"] for row in world.rows(REPOSITORIES)] == ["7", "12"]
    assert files_in("export") == rebuilt(world.store)


def test_the_slower_of_two_exports_lowers_nothing(store: Store, destination: Destination) -> None:
    """A run that loaded before another one stored reads the store again, and writes the newer numbers."""
    world = World(store, destination)
    world.run(morning(date(2026, 11, 9)), lighthouse())
    early = morning(date(2026, 11, 10))
    slow, fast = world.begin(), world.begin()
    slow.collect(lighthouse(stars=5), early)
    fast.collect(lighthouse(stars=4), early + timedelta(hours=15))
    assert fast.export().errors == ()
    newest = [world.rows(key) for key in (DAILY, REPOSITORIES)]
    assert slow.export().errors == ()
    assert [world.rows(key) for key in (DAILY, REPOSITORIES)] == newest
    assert newest[1][0]["stars"] == "4"
    assert rebuild(store, destination).written == ()


@pytest.mark.e2e
def test_exports_at_once_from_threads_lose_no_row(world: World) -> None:
    """Four simultaneous exports into one directory leave the files of a rebuild."""
    now = morning(date(2026, 11, 10))
    repositories = [Observed(i, f"octo-lab/r{i}", invented(f"octo-lab/r{i}", number=i)) for i in range(1, 5)]
    start = Barrier(4)

    def run(repository: Observed) -> ExportResult:
        start.wait(10)
        return world.run(now, repository)

    with ThreadPoolExecutor(4) as executor:
        assert [result.errors for result in executor.map(run, repositories)] == [()] * 4
    assert [row["repository_id"] for row in world.rows(REPOSITORIES)] == ["1", "2", "3", "4"]
    assert files_in("export") == rebuilt(world.store)


def test_a_month_that_does_not_parse_is_refused_alone(store: Store, destination: Destination) -> None:
    """The file stays and is reported with a remedy; the catalogue is not written, so that a later run catches up."""
    world = World(store, destination)
    world.run(morning(date(2026, 11, 10)), lighthouse())
    broken = b"<html>half a fi"
    destination.write(DAILY, broken, (destination.read(DAILY) or File(b"", "", "")).version)
    catalogue = world.rows(REPOSITORIES)
    result = world.run(morning(date(2026, 11, 12)), lighthouse(stars=9))
    assert result.errors == (
        (
            f"export-to {destination.uri(DAILY)}: the file has no column repository_id; it was left unchanged: "
            "rebuild it with `ghtraffic export --month 2026-11`"
        ),
    )
    assert (destination.read(DAILY) or File(b"", "", "")).content == broken
    assert world.rows(REPOSITORIES) == catalogue
    assert {row["observed"] for row in world.rows(LATEST_PATHS)} == {"2026-11-12"}
    assert {row["observed"] for row in world.rows(month_key("paths", "2026-11"))} == {"2026-11-10", "2026-11-12"}
    assert destination.uri(DAILY) not in result.files
    assert rebuild(store, destination, month="2026-11").written == (destination.uri(DAILY),)
    assert world.run(morning(date(2026, 11, 13)), lighthouse(stars=9)).errors == ()
    assert world.rows(REPOSITORIES)[0]["observed"] == "2026-11-13"
    assert rebuild(store, destination).written == ()


CATALOGUE_ROW = "{id},octo-lab/lighthouse,,,,,,,,,,,,{first_day},{lost_days},{observed}\r\n"
SPOILT: dict[str, bytes | dict[str, str]] = {
    "too large": b"x" * 17 * 1024 * 1024,
    "not text": b"\xff\x00" * 1000,
    "one cell": b'"' + b"x" * 1_000_000,
    "late": {"observed": "9999-12-31"},
    "early": {"first_day": "0001-01-01"},
    "negative": {"lost_days": "-5"},
    "unbounded": {"id": "9" * 5000},
}


@pytest.mark.e2e
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_run_stores_first_whatever_the_export_looks_like(world: World, spoilt: str) -> None:
    """With any catalogue a run stores its answers; an invalid catalogue stays and is reported."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    content = SPOILT[spoilt]
    if isinstance(content, dict):
        good = {"id": "8", "first_day": "2026-11-01", "lost_days": "0", "observed": "2026-11-10"}
        content = Path("export", REPOSITORIES).read_bytes() + CATALOGUE_ROW.format(**good | content).encode()
    Path("export", REPOSITORIES).write_bytes(content)
    result = world.run(morning(date(2026, 11, 12)), lighthouse())
    (error,) = result.errors
    assert error.startswith(f"export-to export/{REPOSITORIES}: the file ")
    assert error.endswith("it was left unchanged: rebuild it with `ghtraffic export`")
    assert len(error) < 300
    assert world.store.load(7).snapshots[-1].day == date(2026, 11, 12)
    assert Path("export", REPOSITORIES).read_bytes() == content
    assert rebuild(world.store, world.destination).errors == ()
    assert files_in("export") == rebuilt(world.store)


@pytest.mark.parametrize("key", [REPOSITORIES, LATEST_PATHS])
def test_another_file_that_does_not_parse_names_the_whole_rebuild(world: World, key: str) -> None:
    """The error of a file without a month has the command that rebuilds everything."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    Path("export", key).write_bytes(b"garbage")
    result = world.run(morning(date(2026, 11, 11)), lighthouse())
    (error,) = result.errors
    assert error.endswith("it was left unchanged: rebuild it with `ghtraffic export`")
    assert Path("export", key).read_bytes() == b"garbage"
    assert rebuild(world.store, world.destination).errors == ()
    assert world.run(morning(date(2026, 11, 12)), lighthouse()).errors == ()
    assert files_in("export") == rebuilt(world.store)


@pytest.mark.e2e
@pytest.mark.parametrize("trouble", ["all", "daily", "catalogue", "unreadable"])
def test_an_export_that_failed_for_a_month_is_caught_up(world: World, trouble: str) -> None:
    """When the destination works again nothing is missing: the files are those of a rebuild."""
    fails: dict[str, Callable[[str], bool]] = {
        "all": lambda _: True,
        "daily": lambda key: "/daily/" in key,
        "catalogue": lambda key: key == REPOSITORIES,
        "unreadable": lambda _: True,
    }
    troubled = FailingDestination(world.destination)
    world.destination = troubled
    repository = lighthouse()
    for n in range(0, 50, 10):
        failing = 10 <= n < 40
        setattr(
            troubled,
            "unreadable" if trouble == "unreadable" else "unwritable",
            fails[trouble] if failing else lambda _: False,
        )
        repository.stars += 1
        result = world.run(morning(START + timedelta(days=n)), repository)
        assert bool(result.errors) == failing
    assert files_in("export") == rebuilt(world.store)


def test_a_failing_file_keeps_no_other_from_being_written(world: World) -> None:
    """Other files are written; only the catalogue requires that all succeed."""
    world.destination = troubled = FailingDestination(world.destination)
    troubled.unwritable = lambda key: key == LATEST_PATHS
    result = world.run(morning(date(2026, 11, 20)), lighthouse())
    assert result.errors == (f"export-to {LATEST_PATHS}: cannot be written",)
    kinds = {Path(name).name for name in files_in("export")}
    assert kinds == {"daily.csv", "paths.csv", "referrers.csv", "repositories.csv"}
    assert REPOSITORIES not in files_in("export")
    assert "export/v1/latest/referrers.csv" in result.written
