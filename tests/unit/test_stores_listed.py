"""Listed days and totals in all stores: ranges are only added, and totals follow the newest window."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from ghtraffic_action.stores.base import Store
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.stores.sqlite_schema import MIGRATIONS
from ghtraffic_action.traffic.model import Changes, Day, DayRange, Metadata, Retired, Snapshot, Totals

ID = 7
NAME = "octo-lab/lighthouse"
NOON = datetime(2026, 6, 20, 12, tzinfo=UTC)
TODAY = NOON.date()


def whole(ends: int, count: int, *, minutes: int = 0) -> Snapshot:
    """Return the snapshot of a whole answer for views that ends some days before it."""
    last = TODAY - timedelta(days=ends)
    totals = Totals(NOON + timedelta(minutes=minutes), count, count, last)
    return Snapshot(TODAY, NAME, views=totals, views_listed=frozenset({DayRange(last - timedelta(days=13), last)}))


def saved(store: Store, *snapshots: Snapshot) -> Snapshot:
    """Save snapshots in sequence, and load the result."""
    for snapshot in snapshots:
        store.save(ID, Changes((), (snapshot,)))
    [found] = store.load(ID).snapshots
    return found


def test_two_answers_of_a_day_keep_both_their_ranges(store: Store) -> None:
    """A fresh and a repeated answer list different days: both ranges are stored."""
    found = saved(store, whole(1, 9), whole(12, 5, minutes=3))
    assert found.views_listed == whole(1, 9).views_listed | whole(12, 5).views_listed


@pytest.mark.parametrize("replay_first", [False, True])
def test_totals_of_the_newest_window_stay(store: Store, *, replay_first: bool) -> None:
    """A repeated earlier answer does not replace the totals, in any order."""
    fresh, replay = whole(1, 9), whole(12, 5, minutes=3)
    assert saved(store, *((replay, fresh) if replay_first else (fresh, replay))).views == fresh.views


def test_a_later_answer_for_the_same_window_replaces_the_totals(store: Store) -> None:
    """Within one window the later moment is stored."""
    assert saved(store, whole(1, 9, minutes=3), whole(1, 8)).views == whole(1, 9, minutes=3).views
    assert saved(store, whole(1, 8, minutes=5)).views == whole(1, 8, minutes=5).views


def test_totals_of_the_old_form_give_way_to_a_whole_answer(store: Store) -> None:
    """If both forms come on one day, the totals with a last day are stored."""
    old = Snapshot(TODAY, NAME, views=Totals(NOON + timedelta(hours=1), 3, 3))
    assert saved(store, old, whole(1, 9)).views == whole(1, 9).views
    assert saved(store, old).views == whole(1, 9).views


def test_a_save_returns_the_snapshot_as_it_is_now(store: Store) -> None:
    """A save returns the days that another run listed on the same day."""
    store.save(ID, Changes((), (whole(12, 5),)))
    [now] = store.save(ID, Changes((), (whole(1, 9),))).stored.snapshots
    assert now.views_listed == whole(1, 9).views_listed | whole(12, 5).views_listed
    assert now.views == whole(1, 9).views


def test_a_repository_can_be_retired(store: Store) -> None:
    """The moment of retirement is stored beside the day's observations."""
    seen = whole(1, 9)
    found = saved(store, seen, Snapshot(TODAY, NAME, retired=Retired(NOON)))
    assert (found.retired, found.views) == (Retired(NOON), seen.views)


def test_whether_a_repository_is_private_is_kept(store: Store) -> None:
    """None is unknown, as in snapshots of older versions."""
    for private in (True, False, None):
        metadata = Metadata(NOON, 5, 2, 3, 1, 0, archived=False, created=date(2020, 2, 2), private=private)
        store.save(ID, Changes((), (Snapshot(TODAY, NAME, metadata=metadata),)))
        assert store.load(ID).snapshots[0].metadata == metadata
        store.save(ID, Changes((Day(TODAY, NAME, 1, 1),), ()))


def test_topics_and_visibility_are_kept(store: Store) -> None:
    """No topics are distinguished from unknown ones."""
    for topics, visibility in (("cli ospo", "internal"), ("", "public"), (None, None)):
        known = Metadata(NOON, 5, 2, 3, 1, 0, False, date(2020, 2, 2), topics=topics, visibility=visibility)
        store.save(ID, Changes((), (Snapshot(TODAY, NAME, metadata=known),)))
        assert store.load(ID).snapshots[0].metadata == known


def test_a_file_of_the_first_form_gains_listed_days() -> None:
    """Old snapshots stay without listed days, and new ones have them."""
    with closing(SQLiteStore("old.db", migrations=MIGRATIONS)) as store:
        store.save(ID, Changes((Day(TODAY, NAME, 1, 1),), (Snapshot(TODAY, NAME, views=Totals(NOON, 1, 1)),)))
    with closing(sqlite3.connect("old.db")) as database:
        for statement in (
            "DROP TABLE listed",
            "DROP TABLE release",
            "DROP TABLE download",
            "DROP TABLE star",
            "DROP TABLE star_year",
            "DROP TABLE import",
            "DROP TABLE workflow_run",
            *(
                f"ALTER TABLE snapshot DROP COLUMN {name}"
                for name in (
                    "views_last",
                    "workflow_runs_at",
                    "clones_last",
                    "retired_at",
                    "private",
                    "releases_at",
                    "topics",
                    "visibility",
                    "downloads_at",
                    "star_history_at",
                )
            ),
            "PRAGMA user_version = 1",
        ):
            database.execute(statement)
        database.commit()
    with closing(SQLiteStore("old.db")) as store:
        [old] = store.load(ID).snapshots
        assert (old.views, old.views_listed) == (Totals(NOON, 1, 1), frozenset())
        assert saved(store, whole(1, 9)).views_listed == whole(1, 9).views_listed
