"""The contract of all stores."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from threading import Barrier

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ghtraffic_action.stores.base import Saved, Store
from ghtraffic_action.traffic.merge import apply, merge, merge_day
from ghtraffic_action.traffic.model import Changes, Day, History, TopPath, TopPaths, TopReferrers, Totals
from ghtraffic_action.traffic.observation import Observation, Repository, Series
from tests.support.builders import NAME
from tests.support.histories import HOUR, ID, NOON, TODAY, Opener, ago, day, full_snapshot, metadata, snapshot


def test_a_repository_that_was_never_saved_has_an_empty_history(store: Store) -> None:
    """An unknown repository has an empty history, which is no error."""
    assert store.load(ID) == History(ID)
    assert store.load(ID, TODAY) == History(ID, since=TODAY)
    assert list(store.scan()) == []


def test_what_is_saved_is_loaded(store: Store) -> None:
    """Every value of every type is loaded as it was saved, rows in order."""
    days = (day(3, views=0, clones=5_000_000_000), day(2, clones=0), day(1, views=7))
    changes = Changes(days, (full_snapshot(NOON - timedelta(days=1)), full_snapshot()))
    assert store.save(ID, changes) == Saved(changes, inserted=3)
    assert store.load(ID) == History(ID, None, *(changes.days, changes.snapshots))


def test_another_program_sees_what_was_saved(opened: Opener) -> None:
    """When a save returns, its data are in the table or file, not only in memory."""
    one, two = opened(), opened()
    one.save(ID, Changes((day(1, views=7),), (full_snapshot(),)))
    assert two.load(ID) == History(ID, None, (day(1, views=7),), (full_snapshot(),))


def test_a_history_is_loaded_from_a_day_on(store: Store) -> None:
    """Days and snapshots from `since` on are loaded, that day included."""
    seen = tuple(snapshot(age, views=Totals(NOON - timedelta(days=age), 1, 1)) for age in (3, 2, 1))
    store.save(ID, Changes((day(3, views=1), day(2, views=2), day(1, views=3)), seen))
    assert store.load(ID, ago(2)) == History(ID, ago(2), (day(2, views=2), day(1, views=3)), seen[1:])
    assert store.load(ID, TODAY) == History(ID, TODAY)


def test_inserted_and_raised_days_are_counted(store: Store) -> None:
    """A day that was not there is inserted, one that rises is raised, one that does neither is not counted."""
    store.save(ID, Changes((day(3, views=10), day(2, views=10), day(1, views=10))))
    saved = store.save(ID, Changes((day(3, views=9), day(2, views=11), day(1, clones=1), day(0, views=1))))
    assert (saved.inserted, saved.raised) == (1, 2)


def test_nothing_is_lowered(store: Store) -> None:
    """Each number keeps its largest value, and the save reports what the store holds."""
    store.save(ID, Changes((Day(ago(1), NAME, 10, 5, 4, 2),)))
    saved = store.save(ID, Changes((Day(ago(1), NAME, 9, 6, 5, 1),)))
    assert store.load(ID).days == (Day(ago(1), NAME, 10, 6, 5, 2),)
    assert saved == Saved(Changes((Day(ago(1), NAME, 10, 6, 5, 2),)), raised=1)
    saved = store.save(ID, Changes((Day(ago(1), NAME, 1, 1, 1, 1),)))
    assert saved == Saved(Changes((Day(ago(1), NAME, 10, 6, 5, 2),)))
    assert store.load(ID).days == (Day(ago(1), NAME, 10, 6, 5, 2),)


def test_a_missing_number_leaves_the_stored_one(store: Store) -> None:
    """Views without clones do not change the clones, and vice versa."""
    store.save(ID, Changes((day(1, views=10),), (snapshot(views=Totals(NOON, 10, 5)),)))
    store.save(ID, Changes((day(1, clones=4),), (snapshot(clones=Totals(NOON, 4, 2)),)))
    assert store.load(ID).days == (day(1, views=10, clones=4),)
    assert store.load(ID).snapshots == (snapshot(views=Totals(NOON, 10, 5), clones=Totals(NOON, 4, 2)),)


def test_the_same_once_more_changes_nothing(store: Store) -> None:
    """A repeated save fails nothing, counts nothing and changes nothing."""
    changes = Changes((day(1, views=7, clones=3),), (full_snapshot(),))
    store.save(ID, changes)
    assert store.save(ID, changes) == Saved(changes)
    assert store.load(ID) == History(ID, None, changes.days, changes.snapshots)


def test_nothing_to_save_is_nothing(store: Store) -> None:
    """Empty changes leave no trace."""
    assert store.save(ID, Changes()) == Saved(Changes())
    assert list(store.scan()) == []


def test_a_later_answer_replaces_its_group(store: Store) -> None:
    """The last answer of the day is stored for each group."""
    store.save(ID, Changes(snapshots=(full_snapshot(),)))
    seen = snapshot(
        metadata=metadata(NOON + HOUR, stars=1),
        paths=TopPaths(NOON + HOUR, (TopPath("/c", "C", 1, 1),)),
        referrers=TopReferrers(NOON + HOUR, ()),
    )
    expected = replace(full_snapshot(), metadata=seen.metadata, paths=seen.paths, referrers=seen.referrers)
    assert store.save(ID, Changes(snapshots=(seen,))).stored == Changes(snapshots=(expected,))
    assert store.load(ID).snapshots == (expected,)


def test_an_earlier_answer_does_not_replace_its_group(store: Store) -> None:
    """A late save of older answers adds only groups that are missing."""
    later = snapshot(metadata=metadata(NOON, stars=1), views=Totals(NOON, 10, 5), paths=TopPaths(NOON, ()))
    store.save(ID, Changes(snapshots=(later,)))
    before = NOON - HOUR
    seen = snapshot(
        metadata=metadata(before, stars=9),
        views=Totals(NOON + HOUR, 11, 6),
        clones=Totals(before, 4, 2),
        paths=TopPaths(before, (TopPath("/c", "C", 1, 1),)),
    )
    expected = replace(later, views=seen.views, clones=seen.clones)
    assert store.save(ID, Changes(snapshots=(seen,))).stored.snapshots == (expected,)
    assert store.load(ID).snapshots == (expected,)


def test_an_answer_that_is_wholly_outdated_changes_nothing(store: Store) -> None:
    """If all groups are older than the stored ones, the save returns the stored snapshot."""
    store.save(ID, Changes(snapshots=(full_snapshot(),)))
    older = replace(full_snapshot(NOON - HOUR), metadata=metadata(NOON - HOUR, stars=99))
    assert store.save(ID, Changes(snapshots=(older,))) == Saved(Changes(snapshots=(full_snapshot(),)))
    assert store.load(ID).snapshots == (full_snapshot(),)


def test_another_answer_of_the_same_moment_is_taken(store: Store) -> None:
    """Moments have seconds, so an answer of the same second replaces the stored one."""
    store.save(ID, Changes(snapshots=(snapshot(metadata=metadata(stars=1)),)))
    store.save(ID, Changes(snapshots=(snapshot(metadata=metadata(stars=2)),)))
    assert store.load(ID).snapshots == (snapshot(metadata=metadata(stars=2)),)


def test_both_names_of_a_renamed_repository_are_kept(store: Store) -> None:
    """The history has one id: earlier days keep the old name, later ones have the new one."""
    seen = snapshot(1, views=Totals(NOON - timedelta(days=1), 1, 1))
    store.save(ID, Changes((day(2, views=1), day(1, views=1)), (seen,)))
    new = "octo-lab/beacon"
    changes = Changes((day(1, views=2, name=new),), (snapshot(name=new, views=Totals(NOON, 3, 1)),))
    store.save(ID, changes)
    (history,) = store.scan()
    assert [found.repository for found in history.days] == [NAME, new]
    assert [found.repository for found in history.snapshots] == [NAME, new]


def test_repositories_do_not_touch_each_other(store: Store) -> None:
    """Histories are separated by id, even if one id begins with another."""
    store.save(1, Changes((day(1, views=1),), (snapshot(views=Totals(NOON, 1, 1)),)))
    store.save(12, Changes((day(1, views=12),), (snapshot(views=Totals(NOON, 12, 6)),)))
    assert store.load(1) == History(1, None, (day(1, views=1),), (snapshot(views=Totals(NOON, 1, 1)),))
    assert store.load(12) == History(12, None, (day(1, views=12),), (snapshot(views=Totals(NOON, 12, 6)),))


def test_a_scan_reads_every_history_whole(store: Store) -> None:
    """Each repository comes once, with all of its days and snapshots."""
    for i in (30, 4, 5_000_000_000):
        store.save(i, Changes((day(400, views=i), day(1, clones=i)), (full_snapshot(),)))
    histories = sorted(store.scan(), key=lambda history: history.repository_id)
    assert histories == [store.load(i) for i in (4, 30, 5_000_000_000)]
    assert [len(history.days) for history in histories] == [2, 2, 2]


def test_what_another_run_stored_in_the_meantime_comes_back(opened: Opener) -> None:
    """A save returns what is stored by now, and lowers nothing."""
    one, two = opened(), opened()
    one.save(ID, Changes((Day(ago(1), NAME, 10, 5, 1, 1),)))
    seen = Changes((Day(ago(1), NAME, 20, 4, 3, 3),), (snapshot(views=Totals(NOON, 20, 4)),))
    two.save(ID, Changes((Day(ago(1), NAME, 30, 9, 2, 2),), (snapshot(clones=Totals(NOON, 2, 2)),)))
    assert one.save(ID, seen) == Saved(
        Changes(
            (Day(ago(1), NAME, 30, 9, 3, 3),),
            (snapshot(views=Totals(NOON, 20, 4), clones=Totals(NOON, 2, 2)),),
        ),
        raised=1,
    )
    assert two.load(ID).days == (Day(ago(1), NAME, 30, 9, 3, 3),)


def test_runs_at_once_lose_nothing(opened: Opener) -> None:
    """After concurrent saves the largest numbers and the last answers are stored."""
    programs = (opened(), opened())
    start = Barrier(4)

    def save(run: int) -> list[Saved]:
        start.wait(10)
        saved = []
        for turn in range(4):
            mixed = (run * 7 + turn * 5) % 16
            days = tuple(Day(ago(age), NAME, mixed + age, 16 - mixed, (mixed * age) % 11, run) for age in range(3))
            seen = snapshot(metadata=metadata(NOON + timedelta(minutes=mixed), stars=100 - mixed))
            saved.append(programs[run % 2].save(ID, Changes(days, (seen,))))
        return saved

    with ThreadPoolExecutor(4) as executor:
        saved = [found for runs in executor.map(save, range(4)) for found in runs]
    reported = [(run * 7 + turn * 5) % 16 for run in range(4) for turn in range(4)]
    history = programs[0].load(ID)
    assert history.days == tuple(
        Day(ago(age), NAME, max(reported) + age, 16 - min(reported), max(m * age % 11 for m in reported), 3)
        for age in (2, 1, 0)
    )
    last = max(reported)
    assert history.snapshots == (snapshot(metadata=metadata(NOON + timedelta(minutes=last), stars=100 - last)),)
    assert sum(found.inserted for found in saved) == 3


def test_repositories_are_saved_side_by_side(store: Store) -> None:
    """One store serves all threads of a run."""
    changes = Changes((day(1, views=3), day(0, views=1)), (full_snapshot(),))
    with ThreadPoolExecutor(8) as executor:
        saved = list(executor.map(lambda i: store.save(i, changes), range(1, 17)))
        loaded = list(executor.map(store.load, range(1, 17)))
    assert [found.inserted for found in saved] == [2] * 16
    assert loaded == [
        History(i, None, (day(0, views=1), day(1, views=3))[::-1], changes.snapshots) for i in range(1, 17)
    ]


numbers = st.none() | st.integers(0, 9)
told_days = st.lists(
    st.tuples(st.integers(0, 3), numbers, numbers).filter(lambda reported: reported[1:] != (None, None)), max_size=4
)
fresh_ids = count(1_000)


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has a repository of its own
)
@given(runs=st.lists(st.tuples(told_days, st.integers(0, 20), st.booleans()), max_size=5))
def test_a_store_does_what_the_rule_says(
    store: Store, runs: list[tuple[list[tuple[int, int | None, int | None]], int, bool]]
) -> None:
    """After any saves, of runs that had loaded just before or long before, the store holds what the pure rule gives."""
    repository_id = next(fresh_ids)
    long_ago = expected = store.load(repository_id)
    for reported, minutes, stale in runs:
        at = NOON + timedelta(minutes=minutes)
        days: dict[date, Day] = {}
        for age, views, clones in reported:
            found = day(age, views, clones)
            days[found.day] = merge_day(days[found.day], found) if found.day in days else found
        observation = Observation(
            Repository(repository_id, NAME, private=False, pushed=None, metadata=metadata(at, stars=minutes)),
            views=Series(Totals(at, minutes, minutes), tuple(days.values())),
        )
        history = long_ago if stale else store.load(repository_id)
        store.save(repository_id, merge(history, observation))
        expected = apply(expected, merge(expected, observation))
    assert store.load(repository_id) == expected
