"""The merge rule: the largest number ever reported, and the last answer of a day for each group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.traffic.merge import apply, merge, merge_day, merge_snapshot, newer_groups, raised_numbers
from ghtraffic_action.traffic.model import (
    NUMBERS,
    Changes,
    Day,
    History,
    Metadata,
    Metric,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)
from ghtraffic_action.traffic.observation import Observation, Repository, Series

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME = "octo-lab/lighthouse"
NOTHING = History(7)

Rows = Mapping[date, tuple[int, int]]


def ago(age: int) -> date:
    return TODAY - timedelta(days=age)


def metadata(at: datetime = NOON, **changes: Any) -> Metadata:  # noqa: ANN401 - the type's own fields
    fields: dict[str, Any] = {
        "stars": 5,
        "forks": 2,
        "watchers": 3,
        "open_issues": 1,
        "open_pull_requests": 0,
        "archived": False,
        "created": date(2020, 2, 2),
    }
    return Metadata(at, **(fields | changes))


def series(metric: Metric, rows: Rows, at: datetime = NOON, name: str = NAME) -> Series:
    count, uniques = ("views", "view_uniques") if metric == "views" else ("clones", "clone_uniques")
    days = tuple(Day(day, name, **{count: row[0], uniques: row[1]}) for day, row in rows.items())
    return Series(Totals(at, sum(row[0] for row in rows.values()), sum(row[1] for row in rows.values())), days)


def observation(
    views: Rows | None = None, clones: Rows | None = None, at: datetime = NOON, stars: int = 5
) -> Observation:
    return Observation(
        Repository(7, NAME, private=False, pushed=None, metadata=metadata(at, stars=stars)),
        views=None if views is None else series("views", views, at),
        clones=None if clones is None else series("clones", clones, at),
    )


def after(*observations: Observation, history: History = NOTHING) -> History:
    """Merge observations into a history in sequence."""
    for seen in observations:
        history = apply(history, merge(history, seen))
    return history


def numbers(days: Iterable[Day]) -> dict[tuple[date, str], int]:
    """Return the known numbers."""
    return {(d.day, number): value for d in days for number in NUMBERS if (value := getattr(d, number)) is not None}


counts = st.integers(0, 50)
rows = st.dictionaries(st.integers(0, 14).map(ago), st.tuples(counts, counts), max_size=15)
rows_of_old_form = st.builds(
    lambda found, today: found | {TODAY: today},  # traffic today: neither a placeholder nor a whole answer
    rows,
    st.tuples(st.integers(1, 50), counts),
)
days = st.builds(Day, st.just(TODAY), st.just(NAME), *[st.none() | counts for _ in NUMBERS])


def observations_of(rows: st.SearchStrategy[Rows]) -> st.SearchStrategy[Observation]:
    """Return a strategy for observations with random rows and missing answers."""
    moments = st.integers(0, 23 * 60).map(
        lambda minutes: datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=minutes)
    )
    return st.builds(observation, st.none() | rows, st.none() | rows, moments, counts)


observations = observations_of(rows)
observations_of_old_form = observations_of(rows_of_old_form)


@given(
    st.lists(observations_of_old_form, max_size=5).flatmap(
        lambda seen: st.tuples(st.just(seen), st.permutations(seen)),
    )
)
def test_a_number_is_the_largest_ever_reported(case: tuple[Sequence[Observation], Sequence[Observation]]) -> None:
    """In any order of runs, the history has the largest number reported, and no other numbers."""
    seen, shuffled = case
    reported = [numbers(answer.days) for o in seen for answer in (o.views, o.clones) if answer]
    largest = {key: max(answer[key] for answer in reported if key in answer) for answer in reported for key in answer}
    assert numbers(after(*seen).days) == largest
    assert numbers(after(*shuffled).days) == largest


@given(st.lists(observations, max_size=3), observations)
def test_a_rerun_changes_nothing(before: list[Observation], seen: Observation) -> None:
    """The same observation once more leaves nothing to write."""
    history = after(*before, seen)
    assert merge(history, seen) == Changes()
    assert not merge(history, seen)


@given(st.lists(observations, max_size=3), observations)
def test_changes_are_only_what_rises(before: list[Observation], seen: Observation) -> None:
    """Only numbers that are missing or larger than in the history are changes."""
    history = after(*before)
    stored, reported = numbers(history.days), numbers(merge(history, seen).days)
    assert all(key not in stored or value > stored[key] for key, value in reported.items())


@given(days, days, days)
def test_the_larger_number_is_a_join(one: Day, two: Day, three: Day) -> None:
    """Taking the larger number is commutative, associative and idempotent, so no lock or clock is needed."""
    assert merge_day(one, two) == merge_day(two, one)
    assert merge_day(merge_day(one, two), three) == merge_day(one, merge_day(two, three))
    assert merge_day(one, one) == one
    assert merge_day(merge_day(one, two), two) == merge_day(one, two)


@given(days, days)
def test_what_rises_is_what_the_join_adds(stored: Day, seen: Day) -> None:
    """A day is written exactly if the larger numbers differ from the stored ones."""
    risen = raised_numbers(stored, seen)
    assert (risen is None) == (merge_day(stored, seen) == stored)
    assert merge_day(stored, risen or stored) == merge_day(stored, seen)


@given(observations_of_old_form, observations_of_old_form)
def test_of_two_answers_of_a_day_the_later_one_wins(one: Observation, two: Observation) -> None:
    """In either order, each group of the day's snapshot is that of the later answer that had it."""
    if one.repository.metadata.at == two.repository.metadata.at:
        return
    early, late = sorted((one, two), key=lambda seen: seen.repository.metadata.at)
    for history in (after(early, late), after(late, early)):
        for snapshot in history.snapshots:
            last = late if late.collected else early
            assert snapshot.metadata is not None
            assert snapshot.metadata.stars == last.repository.metadata.stars
            for metric in ("views", "clones"):
                answer = getattr(late, metric) or getattr(early, metric)
                kept = getattr(snapshot, metric)
                assert (kept and replace(kept, at=NOON)) == (answer and replace(answer.totals, at=NOON))


def test_days_are_the_union_of_both_metrics() -> None:
    """A day with clones but no views is a day; the number that was not reported stays unknown."""
    history = after(observation({ago(2): (9, 3), ago(1): (8, 2)}, {ago(1): (4, 1), ago(0): (3, 1)}))
    assert history.days == (
        Day(ago(2), NAME, views=9, view_uniques=3),
        Day(ago(1), NAME, views=8, view_uniques=2, clones=4, clone_uniques=1),
        Day(ago(0), NAME, clones=3, clone_uniques=1),
    )


def test_a_new_history_takes_all_of_an_answer() -> None:
    """All new days are stored, zeros included."""
    changes = merge(NOTHING, observation({ago(1): (0, 0)}, {}))
    assert changes.days == (Day(ago(1), NAME, views=0, view_uniques=0),)


def test_a_day_that_an_answer_leaves_out_is_not_stored() -> None:
    """Zeros are derived by the export; an answer without rows stores no day."""
    changes = merge(NOTHING, observation({}, {}))
    assert changes.days == ()
    assert changes.snapshots[0].views == Totals(NOON, 0, 0)


def test_a_growing_day_is_raised_number_by_number() -> None:
    """Count and uniques rise apart: a larger count beside smaller uniques raises the count alone."""
    history = after(observation({ago(1): (20, 7)}, {}))
    changes = merge(history, observation({ago(1): (25, 6)}, {}))
    assert changes.days == (Day(ago(1), NAME, views=25),)
    assert apply(history, changes).days == (Day(ago(1), NAME, views=25, view_uniques=7),)


def test_the_cut_edge_lowers_nothing() -> None:
    """The oldest day of a later window is cut short, and the stored number stays."""
    history = after(observation({ago(14): (100, 40)}, {}))
    assert merge(history, observation({ago(14): (31, 12)}, {})).days == ()


@pytest.mark.parametrize("refused", ["views", "clones"])
def test_a_refused_metric_is_left_alone(refused: str) -> None:
    """A failed endpoint writes nothing for its metric, never 0, and what is stored of it stays."""
    answered = {"views": {ago(1): (9, 3)}, "clones": {ago(1): (4, 2)}}
    history = after(observation(answered["views"], answered["clones"]))
    higher = {metric: None if metric == refused else {ago(1): (50, 30)} for metric in answered}
    seen = observation(higher["views"], higher["clones"])
    stored = after(seen, history=history)
    assert getattr(stored.days[0], refused) == answered[refused][ago(1)][0]
    assert getattr(merge(NOTHING, seen).days[0], refused) is None
    assert getattr(merge(NOTHING, seen).snapshots[0], refused) is None
    assert getattr(stored.snapshots[0], refused).count == answered[refused][ago(1)][0]


def test_a_repository_refused_altogether_writes_nothing() -> None:
    """Without views and clones no group is stored, so that the alarm on missing collections goes off."""
    seen = replace(observation(), paths=TopPaths(NOON, ()), referrers=TopReferrers(NOON, ()))
    assert not seen.collected
    assert merge(NOTHING, seen) == Changes()


def test_midnight_splits_the_groups() -> None:
    """Each group is stored on the UTC day of its own answer."""
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    early = late + timedelta(seconds=2)
    seen = replace(
        observation({ago(1): (9, 3)}, at=late, stars=8),
        clones=series("clones", {ago(1): (4, 1)}, at=early),
        referrers=TopReferrers(early, (TopReferrer("Google", 3, 2),)),
    )
    first, second = merge(NOTHING, seen).snapshots
    assert (first.day, second.day) == (TODAY, TODAY + timedelta(days=1))
    assert (first.metadata, first.views) == (metadata(late, stars=8), Totals(late, 9, 3))
    assert (first.clones, first.paths, first.referrers) == (None, None, None)
    assert (second.clones, second.referrers) == (
        Totals(early, 4, 1),
        TopReferrers(early, (TopReferrer("Google", 3, 2),)),
    )
    assert (second.metadata, second.views, second.paths) == (None, None, None)


def test_stars_fall_too() -> None:
    """The last answer of the day is stored, even with fewer stars."""
    history = after(observation({}, {}, stars=9), observation({}, {}, at=NOON + timedelta(hours=1), stars=4))
    assert history.snapshots[0].metadata == metadata(NOON + timedelta(hours=1), stars=4)


def test_a_late_arrival_of_an_older_answer_loses() -> None:
    """A group of an earlier moment than the stored one is dropped; a group that nobody had is kept."""
    history = after(observation({ago(1): (9, 3)}, stars=4))
    older = replace(observation({}, {}, at=NOON - timedelta(hours=1), stars=9))
    (snapshot,) = merge(history, older).snapshots
    assert snapshot == Snapshot(TODAY, NAME, clones=Totals(NOON - timedelta(hours=1), 0, 0))


def test_groups_are_replaced_one_by_one() -> None:
    """Changed groups are written, equal ones are not, and groups without an answer stay."""
    paths = TopPaths(NOON, (TopPath("/a", "A", 9, 3), TopPath("/b", "B", 9, 2)))
    history = after(replace(observation({ago(1): (9, 3)}, {}), paths=paths))
    later = NOON + timedelta(minutes=5)
    changes = merge(history, observation({ago(1): (9, 3)}, {}, at=later, stars=6))
    assert changes.snapshots == (Snapshot(TODAY, NAME, metadata=metadata(later, stars=6)),)
    assert apply(history, changes).snapshots[0].paths == paths


def test_the_order_of_the_top_paths_is_news() -> None:
    """A changed order of the rows is a change."""
    one, two = TopPath("/a", "A", 9, 3), TopPath("/b", "B", 9, 2)
    history = after(replace(observation({}, {}), paths=TopPaths(NOON, (one, two))))
    swapped = TopPaths(NOON + timedelta(hours=1), (two, one))
    assert merge(history, replace(observation({}, {}), paths=swapped)).snapshots == (
        Snapshot(TODAY, NAME, paths=swapped),
    )


def test_equal_answers_at_another_moment_change_nothing() -> None:
    """An answer that differs only in its moment is not written."""
    seen = observation({ago(1): (9, 3)}, {ago(1): (4, 1)})
    again = observation({ago(1): (9, 3)}, {ago(1): (4, 1)}, at=NOON + timedelta(hours=3))
    assert merge(after(seen), again) == Changes()


def test_the_next_day_begins_a_snapshot_of_its_own() -> None:
    """Equal answers on another day are stored, since coverage depends on them."""
    seen = observation({ago(1): (9, 3)}, {})
    again = observation({ago(1): (9, 3)}, {}, at=NOON + timedelta(days=1))
    changes = merge(after(seen), again)
    assert changes.days == ()
    assert [snapshot.day for snapshot in changes.snapshots] == [TODAY + timedelta(days=1)]
    assert changes.snapshots[0].views == Totals(NOON + timedelta(days=1), 9, 3)


def test_a_new_name_is_news_to_the_snapshot() -> None:
    """After a rename equal answers are stored again under the new name."""
    seen = observation({ago(2): (9, 3), ago(1): (5, 1)}, {}, at=NOON - timedelta(hours=1))
    history = after(seen)
    name = "octo-lab/beacon"
    renamed = Observation(
        replace(seen.repository, name=name, metadata=metadata()),
        views=series("views", {ago(2): (9, 3), ago(1): (7, 2)}, name=name),
        clones=series("clones", {}, name=name),
    )
    changes = merge(history, renamed)
    assert changes.days == (Day(ago(1), name, views=7, view_uniques=2),)
    assert [(s.repository, s.metadata, s.clones) for s in changes.snapshots] == [(name, metadata(), Totals(NOON, 0, 0))]
    both = apply(history, changes)
    assert [day.repository for day in both.days] == [NAME, name]
    assert both.repository_id == 7
    assert merge(both, renamed) == Changes()


def test_an_answer_from_before_a_rename_does_not_bring_the_old_name_back() -> None:
    """A stored group of the same moment is not written again under an old name, as old backups have it."""
    hour = timedelta(hours=1)
    old = Snapshot(TODAY, NAME, views=Totals(NOON, 1, 1), clones=Totals(NOON, 2, 2))
    stored = merge_snapshot(old, Snapshot(TODAY, "octo-lab/beacon", views=Totals(NOON + hour, 3, 3)))
    assert stored.clones == old.clones
    assert newer_groups(stored, old) is None


def test_the_later_of_two_snapshots_is_taken_group_by_group() -> None:
    """A stored group stays where nothing was seen or something older; otherwise the seen one takes its place."""
    hour = timedelta(hours=1)
    stored = Snapshot(TODAY, NAME, metadata=metadata(stars=1), views=Totals(NOON, 1, 1), clones=Totals(NOON, 2, 2))
    seen = Snapshot(TODAY, NAME, metadata=metadata(NOON - hour, stars=9), views=Totals(NOON + hour, 3, 3))
    assert merge_snapshot(stored, seen) == Snapshot(
        TODAY, NAME, metadata=metadata(stars=1), views=Totals(NOON + hour, 3, 3), clones=Totals(NOON, 2, 2)
    )
    assert newer_groups(stored, seen) == Snapshot(TODAY, NAME, views=Totals(NOON + hour, 3, 3))


def test_another_answer_of_the_same_moment_takes_its_place() -> None:
    """Moments have seconds: of two answers in one second the last one is stored."""
    history = after(observation({}, {}, stars=1), observation({}, {}, stars=2))
    assert history.snapshots[0].metadata == metadata(stars=2)


def test_merging_leaves_its_history_as_it_was() -> None:
    """The history that was loaded is not changed by a merge, and adding changes keeps where it begins."""
    history = History(7, since=ago(20), days=(Day(ago(1), NAME, views=1, view_uniques=1),))
    grown = after(observation({ago(1): (9, 3)}, {}), history=history)
    assert history.days == (Day(ago(1), NAME, views=1, view_uniques=1),)
    assert (grown.repository_id, grown.since, grown.days[0].views) == (7, ago(20), 9)


def test_days_come_in_order_whatever_the_order_of_the_rows() -> None:
    """Histories and changes are sorted by day: equal data, equal bytes."""
    seen = observation({ago(1): (1, 1), ago(5): (1, 1), ago(3): (1, 1)}, {ago(4): (1, 1)})
    expected = [ago(5), ago(4), ago(3), ago(1)]
    assert [day.day for day in merge(NOTHING, seen).days] == expected
    assert [day.day for day in after(seen).days] == expected
