"""Answers in the form since December 2025, with 14 final days: their coverage, and what is stored."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.traffic.coverage import (
    Coverage,
    DayCoverage,
    current_totals,
    deadline,
    first_covered,
    known_days,
    last_listed,
    observed,
    usually_listed,
)
from ghtraffic_action.traffic.merge import apply, merge, merge_snapshot
from ghtraffic_action.traffic.model import Day, DayRange, History, Metadata, Snapshot, Totals
from ghtraffic_action.traffic.observation import Form, Observation, Repository, Series

NAME = "octo-lab/lighthouse"
X = date(2026, 6, 20)
COMPLETE, PROVISIONAL, PARTIAL, IMPORTED, LOST = sorted(Coverage)


def ago(days: int) -> date:
    return X - timedelta(days=days)


def at(day: date, hour: int = 11) -> datetime:
    return datetime.combine(day, time(hour, 17), UTC)


def rows(last: date, counts: Iterable[int] = (1,) * 14, metric: str = "views") -> tuple[Day, ...]:
    """Return consecutive days that end with `last`."""
    numbers = list(counts)
    fields = (metric, f"{metric[:-1]}_uniques")
    return tuple(
        Day(last - timedelta(days=len(numbers) - 1 - n), NAME, **dict.fromkeys(fields, number))
        for n, number in enumerate(numbers)
    )


def series(
    last: date, asked: date = X, counts: Iterable[int] = (1,) * 14, metric: str = "views", hour: int = 11
) -> Series:
    days = rows(last, counts, metric)
    total = sum(getattr(day, metric) for day in days)
    return Series(Totals(at(asked, hour), total, total), days)


def observation(
    views: Series | None, clones: Series | None = None, *, asked: date = X, created: date = date(2020, 2, 2)
) -> Observation:
    metadata = Metadata(at(asked), 5, 2, 3, 1, 0, archived=False, created=created)
    return Observation(Repository(7, NAME, private=False, pushed=None, metadata=metadata), views, clones)


def both(last: date, asked: date = X, counts: Iterable[int] = (1,) * 14, **more: Any) -> Observation:  # noqa: ANN401 - the fields of an observation
    counts = tuple(counts)
    return observation(series(last, asked, counts), series(last, asked, counts, "clones"), asked=asked, **more)


def heard(*observations: Observation) -> History:
    """Store observations one after the other."""
    history = History(7)
    for found in observations:
        history = apply(history, merge(history, found))
    return history


def known(history: History, **more: date) -> dict[date, DayCoverage]:
    return {day.day: day for day in known_days(history, **more)}


def states(history: History, **more: date) -> dict[date, Coverage]:
    return {day: found.state for day, found in known(history, **more).items()}


@pytest.mark.parametrize(
    ("days", "form"),
    [
        (rows(ago(1)), Form.WHOLE),
        (rows(ago(2), (0,) * 14), Form.WHOLE),
        (rows(ago(26)), Form.WHOLE),
        (rows(X, (0,) * 14), Form.PLACEHOLDER),
        (rows(X, (0,) * 3), Form.PLACEHOLDER),
        (rows(X), Form.OLD),
        (rows(ago(1), (1,) * 13), Form.OLD),
        (rows(ago(1), (1,) * 15), Form.OLD),
        ((*rows(ago(2), (1,) * 13), *rows(ago(16), (1,))), Form.OLD),
        ((), Form.OLD),
    ],
)
def test_the_form_of_an_answer(days: tuple[Day, ...], form: Form) -> None:
    """Whole: 14 consecutive days without the request's day; placeholder: zeros with it; old: anything else."""
    assert Series(Totals(at(X), 0, 0), days).form is form


def test_a_listed_day_is_complete_at_once() -> None:
    """The 14 listed days are complete; later days up to the request are provisional, without a number."""
    found = known(heard(both(ago(2), counts=range(14))))
    assert {day for day, one in found.items() if one.state is COMPLETE} == {ago(age) for age in range(2, 16)}
    assert [(found[day].state, found[day].views, found[day].clones) for day in (ago(1), X)] == [
        (PROVISIONAL, None, None)
    ] * 2
    assert (found[ago(15)].views, found[ago(2)].clone_uniques) == (0, 13)
    assert min(found) == ago(15)


def test_zeros_of_a_whole_answer_are_known_without_being_stored() -> None:
    """An idle repository stores no days, and each listed one is 0."""
    history = heard(both(ago(1), counts=(0,) * 14))
    assert history.days == ()
    assert {
        (one.views, one.view_uniques, one.clones, one.clone_uniques) for one in list(known(history).values())[:14]
    } == {(0,) * 4}


def test_a_placeholder_leaves_nothing() -> None:
    """A placeholder covers no day: neither days, totals nor zeros are stored."""
    history = heard(both(X, counts=(0,) * 14))
    assert (history.days, observed(history), known(history)) == ((), None, {})
    later = heard(both(X, counts=(0,) * 14), both(X, X + timedelta(days=1), range(1, 15)))
    assert {day: one.views for day, one in known(later).items() if one.state is COMPLETE} == {
        ago(13 - n): n + 1 for n in range(14)
    }


def test_days_before_the_creation_are_neither_stored_nor_shown() -> None:
    """Listed zeros and imported numbers of such days are ignored."""
    history = heard(both(ago(1), counts=range(14), created=ago(4)))
    assert [day.day for day in history.days] == [ago(age) for age in (4, 3, 2, 1)]
    assert first_covered(history) == ago(4)
    imported = replace(history, days=(Day(ago(9), NAME, views=3), *history.days))
    assert min(known(imported)) == ago(4)


@pytest.mark.parametrize(("apart", "lost"), [(1, 0), (13, 0), (14, 0), (15, 1), (20, 6)])
def test_days_that_no_answer_listed_are_lost_once_the_window_has_passed(apart: int, lost: int) -> None:
    """Between two whole answers all days but the 14 of the second are lost."""
    found = states(heard(both(ago(1 + apart), ago(apart)), both(ago(1))))
    assert sum(state is LOST for state in found.values()) == lost
    assert LOST not in states(heard(both(ago(1)))).values()


def test_what_is_lost_follows_from_the_answers_of_either_metric() -> None:
    """If clones were refused, their lost days make the days lost, even with complete views."""
    found = states(heard(both(ago(21), ago(20)), observation(series(ago(1)))))
    assert {found[ago(age)] for age in range(15, 21)} == {LOST}
    assert {found[ago(age)] for age in range(1, 15)} == {PROVISIONAL}


def test_a_replay_adds_what_it_lists_and_lowers_nothing() -> None:
    """A repeated answer covers its days; totals, deadline and later days do not change."""
    fresh, replay = both(ago(1), counts=range(14)), both(ago(20), counts=range(14, 28))
    history = heard(both(ago(40), ago(39)), fresh, replay)
    assert heard(both(ago(40), ago(39)), replay, fresh).snapshots == history.snapshots
    found = known(history)
    assert {found[ago(age)].state for age in range(20, 34)} == {COMPLETE}
    assert {found[ago(age)].state for age in range(15, 20)} == {LOST}
    assert found[X].views_14d == Totals(at(X), sum(range(14)), sum(range(14)), ago(1))
    assert last_listed(history) == ago(1)


def test_totals_of_a_window_long_ended_are_not_shown() -> None:
    """Totals that end up to four days ago are a late batch; older ones are not current."""
    for age, shown in ((1, True), (4, True), (5, False), (20, False)):
        [snapshot] = heard(both(ago(age))).snapshots
        assert (current_totals(snapshot, "views") is not None) is shown


def test_the_old_form_is_understood_beside_the_new_one() -> None:
    """Days of old answers follow the old rule until a whole answer lists them."""
    old = Series(Totals(at(ago(20)), 9, 9), rows(ago(20), (3, 0, 5)))
    history = heard(observation(old, asked=ago(20)), both(ago(16), ago(15)), both(ago(1)))
    found = known(history)
    assert found[ago(20)].state is COMPLETE
    assert found[ago(30)].state is LOST  # the clones were never asked for
    alone = known(heard(observation(old, replace(old, days=()), asked=ago(20)), both(ago(1))))
    assert {alone[ago(age)].state for age in range(20, 27)} == {PARTIAL}
    assert {alone[ago(age)].state for age in range(27, 34)} == {COMPLETE}
    assert (alone[ago(33)].views, alone[ago(20)].views) == (0, 5)


@pytest.mark.parametrize(("hour", "last"), [(3, 2), (8, 2), (9, 1), (11, 1), (23, 1)])
def test_what_github_usually_lists(hour: int, last: int) -> None:
    """Yesterday is listed once the daily batch is done, which is certain from 09:00 UTC on."""
    assert usually_listed(at(X, hour)) == ago(last)


@pytest.mark.parametrize("late", [1, 2, 3, 4])
def test_a_run_before_the_deadline_loses_nothing(late: int) -> None:
    """A run at any hour, and after a late batch, loses nothing before the deadline; later a day may be lost."""
    history = heard(both(ago(late)))
    last = last_listed(history)
    assert last == ago(late)
    due = deadline(last)
    assert due == ago(late) + timedelta(days=16)
    for lag in (1, 2, 3, 4):
        run = due - timedelta(days=1)
        after = apply(history, merge(history, both(run - timedelta(days=lag), run)))
        assert LOST not in states(after).values()
    too_late = due
    after = apply(history, merge(history, both(too_late - timedelta(days=1), too_late)))
    assert list(states(after).values()).count(LOST) == 1


def test_without_runs_the_clock_decides_what_is_lost() -> None:
    """By today's date one day is lost per day, from the day after the deadline on."""
    history = heard(both(ago(1)))
    due = deadline(ago(1))
    for later, lost in ((-1, 0), (0, 0), (1, 1), (10, 10)):
        found = states(history, today=due + timedelta(days=later))
        assert [day for day, state in found.items() if state is LOST] == [ago(-n) for n in range(lost)]


def test_a_stored_day_that_nothing_lists_is_imported() -> None:
    """Imported days, and those of a run killed before its snapshot, have the state imported."""
    history = replace(heard(both(ago(1))), days=(Day(ago(60), NAME, 4, 2, 1, 1), Day(ago(5), NAME, 9, 9, 9, 9)))
    found = known(history)
    assert (found[ago(60)].state, found[ago(5)].state, found[ago(5)].views) == (IMPORTED, COMPLETE, 9)


def without_moments(history: History) -> list[object]:
    """Remove the moments of answers, since an equal answer of the same day is not stored again."""
    found: list[object] = [*history.days]
    for snapshot in history.snapshots:
        totals = [(one.count, one.uniques, one.last) for one in (snapshot.views, snapshot.clones) if one]
        found.append((snapshot.day, totals, snapshot.views_listed, snapshot.clones_listed))
    return found


answers = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 26), st.booleans(), st.integers(0, 23)), max_size=8)


@pytest.mark.e2e
@given(answers, st.randoms())
def test_the_order_of_answers_does_not_matter(drawn: list[tuple[int, int, bool, int]], random: Random) -> None:
    """Snapshots merged in any order give the same history."""
    seen = []
    for asked, lag, refused, hour in drawn:
        day = ago(60 - asked)
        views = series(day - timedelta(days=lag), day, counts=(lag,) * 14, hour=hour)
        clones = None if refused else series(ago(70), day, (0,) * 14, "clones")
        seen.append(observation(views, clones, asked=day))
    shuffled = list(seen)
    random.shuffle(shuffled)
    assert without_moments(heard(*seen)) == without_moments(heard(*shuffled))
    assert not any(merge(heard(*seen), found) for found in seen)


def test_two_answers_of_one_day_keep_both_ranges() -> None:
    """The snapshot lists the days of a fresh answer and of a replay."""
    one, two = (heard(both(last)).snapshots[0] for last in (ago(1), ago(12)))
    ranges = {DayRange(ago(14), ago(1)), DayRange(ago(25), ago(12))}
    assert merge_snapshot(one, two).views_listed == ranges
    assert merge_snapshot(two, one).views_listed == ranges


def test_a_snapshot_of_an_older_version_follows_the_old_rule() -> None:
    """A snapshot with totals and without ranges completes the days of a week before."""
    stored = History(7, snapshots=(Snapshot(X, NAME, views=Totals(at(X), 1, 1), clones=Totals(at(X), 1, 1)),))
    found = states(stored)
    assert (found[ago(7)], found[ago(6)], found[X]) == (COMPLETE, PROVISIONAL, PROVISIONAL)
