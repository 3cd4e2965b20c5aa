"""The rebuild of the export from the store."""

import tracemalloc
from collections.abc import Iterable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.errors import SettingsError, StoreError
from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.layout import (
    REPOSITORIES,
    month_key,
    table_of,
)
from ghtraffic_action.exports.rebuild import export_all, rebuild
from ghtraffic_action.exports.verify import verify, verify_all
from ghtraffic_action.settings import read_settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    Snapshot,
    TopPath,
    TopPaths,
    Totals,
)
from tests.support.aws import Aws
from tests.support.exports import (
    DAILY,
    NAME,
    START,
    FailingDestination,
    World,
    files_in,
    files_of,
    lighthouse,
    morning,
)


@pytest.mark.xdist_group("seventy days")
def test_one_month_can_be_rebuilt(after_seventy_days: World) -> None:
    """Only that month's files are written, not the catalogue."""
    world = after_seventy_days
    whole = files_in("export")
    for key in whole:
        Path("export", key).write_bytes(b"damaged")
    keys = [month_key(kind, "2026-09") for kind in ("daily", "paths", "referrers")]
    result = rebuild(world.store, world.destination, month="2026-09")
    assert result.errors == ()
    assert sorted(result.written) == sorted(f"export/{key}" for key in keys)
    assert files_in("export") == {key: whole[key] if key in keys else b"damaged" for key in whole}
    assert rebuild(world.store, world.destination, report=True).errors == ()
    assert files_in("export") == whole


def test_a_lost_bucket_costs_nothing(aws: Aws, store: Store) -> None:
    """An empty bucket gets all files and manifests again, the catalogue last."""
    World(store, DirectoryDestination("elsewhere")).run(morning(date(2026, 11, 20)), lighthouse())
    with closing(open_destination(aws.export_to)) as bucket:
        result = rebuild(store, bucket)
        manifests = bucket.manifests()
    assert result.errors == ()
    assert result.written == result.files
    assert result.files[-1] == f"{aws.export_to}/{REPOSITORIES}"
    assert files_of(aws) == files_in("elsewhere") | dict(manifests)


def test_a_rebuild_overwrites_nothing_newer(world: World) -> None:
    """Rows that a run exports during a rebuild are kept: the rebuild reads the store again."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    Path("export", DAILY).write_bytes(",".join(table_of(DAILY).columns).encode() + b"\r\n")
    troubled = FailingDestination(world.destination)
    runs = iter([morning(date(2026, 11, 11))])

    def interfere(_: str) -> None:
        if now := next(runs, None):
            assert world.run(now, lighthouse(stars=99)).errors == ()

    troubled.before_write = interfere
    assert rebuild(world.store, troubled).errors == ()
    assert world.rows(DAILY)[-1]["stars"] == "99"
    assert world.rows(REPOSITORIES)[0]["observed"] == "2026-11-11"


@pytest.mark.xdist_group("seventy days")
def test_a_failed_rebuild_leaves_the_catalogue(after_seventy_days: World) -> None:
    """The catalogue is written only if all other files were."""
    world = after_seventy_days
    Path("export", REPOSITORIES).write_bytes(b"")
    troubled = FailingDestination(world.destination)
    Path("export", DAILY.replace("2026-11", "2026-09")).write_bytes(b"damaged")
    troubled.unwritable = lambda key: "2026-09/daily" in key
    result = rebuild(world.store, troubled)
    assert len(result.errors) == 1
    assert files_in("export")[REPOSITORIES] == b""


def test_an_export_is_made_by_the_settings() -> None:
    """`export_all` opens the configured store and destination, and reports an empty or missing store or month."""
    environ = {"GHTRAFFIC_STORE": "sqlite:traffic.db", "GHTRAFFIC_EXPORT_TO": "out"}
    chosen = read_settings("export", environ)
    with pytest.raises(StoreError, match=r"store sqlite:traffic.db: there is no such file"):
        export_all(chosen)
    with closing(open_store(chosen.store, create=True)) as store:
        with pytest.raises(StoreError, match=r"store sqlite:traffic.db: it holds nothing: run"):
            export_all(chosen)
        World(store, DirectoryDestination("elsewhere"), report=True).run(morning(date(2026, 11, 20)), lighthouse())
    with pytest.raises(StoreError, match=r"it holds nothing of 2020-01: run"):
        export_all(chosen, "2020-01")
    assert files_in("out") == {}
    assert len(export_all(chosen).files) == 12
    assert files_in("out") == files_in("elsewhere")


def test_a_store_whose_repositories_have_no_day_yet_exports_nothing() -> None:
    """A repository that GitHub has not counted yet has no rows, which is no error, also for `verify`."""
    chosen = read_settings("export", {"GHTRAFFIC_STORE": "sqlite:traffic.db", "GHTRAFFIC_EXPORT_TO": "out"})
    now = morning(date(2026, 11, 20))
    with closing(open_store(chosen.store, create=True)) as store:
        store.save(7, Changes((), (Snapshot(now.date(), NAME, paths=TopPaths(now, ())),)))
    assert export_all(chosen).files == ()
    assert (verify_all(chosen, repair=False).files, files_in("out")) == (0, {})


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "november", "2026-11-01", "202611"])
def test_a_malformed_month_is_quoted(month: str) -> None:
    """A month other than YYYY-MM is refused before anything is opened."""
    with pytest.raises(SettingsError, match=f"month: '{month}' is not a month: write YYYY-MM"):
        export_all(read_settings("export", {"GHTRAFFIC_STORE": "sqlite:missing.db"}), month)


def filled(store: Store, repositories: Iterable[int], length: int) -> None:
    """Store histories of some days, with a snapshot each day."""
    for i in repositories:
        days = [START + timedelta(days=n) for n in range(length)]
        seen = (
            Snapshot(
                day,
                f"octo-lab/repository-{i}",
                views=Totals(morning(day), 1, 1),
                paths=TopPaths(morning(day), (TopPath("/a", "A", 1, 1),)),
            )
            for day in days
        )
        store.save(
            i,
            Changes(tuple(Day(day, f"octo-lab/repository-{i}", n, 1, n, 1) for n, day in enumerate(days)), tuple(seen)),
        )


@pytest.mark.e2e
def test_a_rebuild_and_a_comparison_stream(store: Store) -> None:
    """Peak memory does not grow with ten times as many repositories."""

    def peak(folder: str) -> int:
        tracemalloc.start()
        try:
            assert rebuild(store, DirectoryDestination(folder)).errors == ()
            Path(folder, DAILY).write_text("damaged")
            assert len(verify(store, DirectoryDestination(folder), repair=True).differing) == 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    filled(store, range(2), 310)
    few = min(peak(f"few-{n}") for n in range(3))
    filled(store, range(2, 20), 310)
    # Again if other threads of this process happened to take memory meanwhile.
    assert any(peak(f"many-{n}") < 3 * few for n in range(3))
    assert len(files_in("many-0")) == 2 * 11 + 5
