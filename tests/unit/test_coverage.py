"""The coverage of each day, and whether a missing number is zero."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.traffic.coverage import Coverage, DayCoverage, first_covered, known_days, observed
from ghtraffic_action.traffic.model import Day, History, Metadata, Snapshot, Totals

DAY = date(2026, 7, 1)
NAME = "octo-lab/lighthouse"
CREATED = date(2020, 2, 2)
METRICS = frozenset({"views", "clones"})

COMPLETE, PROVISIONAL, PARTIAL, IMPORTED, LOST = sorted(Coverage)


def on(age: int) -> date:
    """Return the day `age` days after the day in question."""
    return DAY + timedelta(days=age)


def snapshot(
    day: date, answered: Iterable[str] = METRICS, *, name: str = NAME, created: date = CREATED, stars: int = 5
) -> Snapshot:
    at = datetime.combine(day, time(3, 17), UTC)
    metadata = Metadata(at, stars, 2, 3, 1, 0, archived=False, created=created)
    totals = {metric: Totals(at, 0, 0) for metric in answered}
    return Snapshot(day, name, metadata=metadata, views=totals.get("views"), clones=totals.get("clones"))


def history(*snapshots: Snapshot, days: Iterable[Day] = (), since: date | None = None) -> History:
    return History(7, since, tuple(days), tuple(sorted(snapshots, key=lambda seen: seen.day)))


def observed_on(*ages: int, days: Iterable[Day] = ()) -> History:
    return history(*(snapshot(on(age)) for age in ages), days=days)


def known(of: History, day: date = DAY) -> DayCoverage:
    """Return the coverage of one day of a history."""
    return {found.day: found for found in known_days(of)}[day]


@pytest.mark.parametrize(
    ("ages", "state"),
    [
        ((0,), PROVISIONAL),
        ((6,), PROVISIONAL),
        ((7,), COMPLETE),
        ((13,), COMPLETE),
        ((0, 6), PROVISIONAL),
        ((0, 13), COMPLETE),
        ((0, 6, 13), COMPLETE),
        ((0, 6, 14), PARTIAL),
        ((6, 14), PARTIAL),
        ((0, 14), PARTIAL),
        ((0, 300), PARTIAL),
        ((7, 300), COMPLETE),
        ((-1, 7), COMPLETE),
        ((-1, 13), COMPLETE),
        ((-1, 14), LOST),
        ((-13, 14), LOST),
        ((-1, 300), LOST),
    ],
)
def test_the_age_of_an_answer_decides(ages: tuple[int, ...], state: Coverage) -> None:
    """An answer of D+7 to D+13 completes D; while one can come D is provisional, then partial or lost."""
    assert known(observed_on(*ages)).state is state


def test_the_cut_edge_is_partial() -> None:
    """A day that only an answer of D+14 listed is partial, since its number was cut short."""
    day = Day(DAY, NAME, views=31, view_uniques=12, clones=2, clone_uniques=1)
    for before in ((), (-1,)):
        found = known(observed_on(*before, 14, days=[day]))
        assert (found.state, found.views, found.clone_uniques) == (PARTIAL, 31, 1)


def test_days_listed_before_the_first_covered_one_are_shown() -> None:
    """The additional day of the first answer is exported as partial, without zeros; a gap there has no row."""
    found = list(known_days(observed_on(14, days=[Day(DAY, NAME, views=31, view_uniques=12)])))
    assert found[0] == DayCoverage(DAY, NAME, 31, 12, None, None, PARTIAL, None)
    assert [day.day for day in found] == [on(age) for age in range(15)]
    assert next(known_days(observed_on(14))).day == on(1)


def test_the_cut_edge_counts_metric_by_metric() -> None:
    """Unknown clones make the day lost, even if the cut edge has its views."""
    assert known(observed_on(-1, 14, days=[Day(DAY, NAME, views=31, view_uniques=12)])).state is LOST


@pytest.mark.parametrize(
    ("views", "clones", "state"),
    [
        ((7,), (7,), COMPLETE),
        ((7,), (6,), PROVISIONAL),
        ((6,), (7,), PROVISIONAL),
        ((7, 14), (6, 14), PARTIAL),
        ((6, 14), (7, 14), PARTIAL),
        ((7, 14), (14,), LOST),
        ((14,), (7, 14), LOST),
        ((7, 14), (), LOST),
        ((7, 13), (), PROVISIONAL),
    ],
)
def test_the_state_is_the_less_certain_of_both_metrics(
    views: tuple[int, ...], clones: tuple[int, ...], state: Coverage
) -> None:
    """Coverage is derived from each metric's own answers; a refused one covers nothing."""
    answered = {
        age: [metric for metric, ages in (("views", views), ("clones", clones)) if age in ages]
        for age in {*views, *clones}
    }
    assert known(history(*(snapshot(on(age), metrics) for age, metrics in answered.items()))).state is state


@pytest.mark.parametrize(
    ("ages", "number"),
    [((0,), None), ((1,), None), ((0, 1), None), ((2,), 0), ((1, 2), 0), ((13,), 0), ((-1, 14), None), ((1, 14), None)],
)
def test_a_day_left_out_is_zero_from_the_second_day_on(ages: tuple[int, ...], number: int | None) -> None:
    """An answer of D+2 to D+13 without the day means zero; before, the answer may lag, and afterwards nobody knows."""
    found = known(observed_on(*ages))
    assert (found.views, found.view_uniques, found.clones, found.clone_uniques) == (number,) * 4


def test_zero_is_decided_metric_by_metric() -> None:
    """A refused metric is unknown on a day on which the other metric is zero."""
    found = known(history(snapshot(on(1)), snapshot(on(2), ["clones"])))
    assert (found.views, found.view_uniques, found.clones, found.clone_uniques) == (None, None, 0, 0)
    found = known(history(snapshot(on(1)), snapshot(on(2), ["views"])))
    assert (found.views, found.view_uniques, found.clones, found.clone_uniques) == (0, 0, None, None)


def test_a_stored_number_is_shown_as_it_is() -> None:
    """A stored number is shown, even today's, and the metric that the answer omitted is zero."""
    today = known(observed_on(0, days=[Day(DAY, NAME, views=4, view_uniques=2)]))
    assert (today.views, today.view_uniques, today.clones, today.clone_uniques) == (4, 2, None, None)
    later = known(observed_on(2, days=[Day(DAY, NAME, clones=4, clone_uniques=2)]))
    assert (later.views, later.view_uniques, later.clones, later.clone_uniques) == (0, 0, 4, 2)


def test_nothing_lies_before_the_creation() -> None:
    """The first day of a repository is the one on which it was created."""
    of = history(snapshot(on(9), created=on(4)))
    assert first_covered(of) == on(4)
    assert [day.day for day in known_days(of)] == [on(age) for age in range(4, 10)]
    assert first_covered(history(snapshot(on(13), created=on(0)))) == on(0)
    assert first_covered(history(snapshot(on(13), created=on(-1)))) == on(0)


def test_days_reach_from_the_first_answers_window_to_the_newest_answer() -> None:
    """The first answer covers its day and 13 before it; nothing is known after the newest answer."""
    of = observed_on(13, 40)
    days = [day.day for day in known_days(of)]
    assert (first_covered(of), observed(of)) == (DAY, on(40))
    assert days == [on(age) for age in range(41)]


def test_one_metric_is_enough_to_be_observed() -> None:
    """The newest answer for either metric is the newest; a snapshot of neither covers nothing."""
    of = history(snapshot(on(13), ["clones"]), snapshot(on(20), ["views"]), snapshot(on(21), []))
    assert (first_covered(of), observed(of)) == (DAY, on(20))


def test_without_an_answer_nothing_is_known() -> None:
    """Without answers only stored days are known, whatever other groups the snapshots have."""
    for of in (history(), history(snapshot(DAY, [])), history(days=[Day(DAY, NAME)])):
        assert (observed(of), first_covered(of), list(known_days(of, today=on(50)))) == (None, None, [])


def test_days_that_no_answer_covers_are_imported() -> None:
    """Stored days without snapshots are imported; days between them are unknown, not lost."""
    days = [Day(on(age), NAME, views=age + 1, view_uniques=1) for age in (0, 1, 5)]
    for today in (None, on(3), on(300)):
        found = list(known_days(history(days=days), today=today))
        assert [(day.day, day.state, day.views, day.clones) for day in found] == [
            (on(0), IMPORTED, 1, None),
            (on(1), IMPORTED, 2, None),
            (on(5), IMPORTED, 6, None),
        ]


def test_imported_days_stand_beside_those_of_runs() -> None:
    """Imported days before the first window, in a gap and after the newest answer each have a row."""
    days = [Day(on(age), NAME, views=9, view_uniques=9, clones=1, clone_uniques=1) for age in (-40, -1, 0, 20, 70)]
    found = {day.day: day.state for day in known_days(observed_on(13, 50, days=days))}
    assert [day for day in found if day < on(0) or day > on(50)] == [on(-40), on(-1), on(70)]
    assert [found[on(age)] for age in (-40, -1, 0, 20, 70)] == [IMPORTED, PARTIAL, COMPLETE, IMPORTED, IMPORTED]
    assert {found[on(age)] for age in range(14, 37) if age != 20} == {LOST}


def test_a_later_run_judges_imported_days() -> None:
    """An imported day that an answer covers has the state that the answer gives it."""
    day = Day(DAY, NAME, views=9, view_uniques=9, clones=1, clone_uniques=1)
    assert known(observed_on(-20, 7, days=[day])).state is COMPLETE
    assert known(observed_on(-20, 6, days=[day])).state is PROVISIONAL


def test_imported_views_do_not_find_lost_clones() -> None:
    """In a gap unknown clones make an imported day lost; before the first answer they do not."""
    day = Day(DAY, NAME, views=31, view_uniques=12)
    assert known(observed_on(-1, 20, days=[day])).state is LOST
    assert known(observed_on(20, days=[day])).state is IMPORTED


@pytest.mark.parametrize(
    ("today", "state", "lost"),
    [(0, PROVISIONAL, 0), (15, PROVISIONAL, 0), (16, PARTIAL, 0), (17, PARTIAL, 1), (46, PARTIAL, 30)],
)
def test_without_runs_the_days_are_lost_one_after_the_other(today: int, state: Coverage, lost: int) -> None:
    """By today's date one day is lost per day, from 15 days after the last observed day on."""
    found = {day.day: day.state for day in known_days(observed_on(0), today=on(today))}
    assert found[DAY] is state
    assert [day for day in found if found[day] is LOST] == [on(age) for age in range(1, lost + 1)]
    assert max(found) == on(lost)


def test_a_clock_behind_the_newest_answer_changes_nothing() -> None:
    """A `today` before the newest answer has no effect."""
    of = observed_on(0, 20)
    assert list(known_days(of, today=on(3))) == list(known_days(of))


def test_stars_are_stamped_on_the_day_of_their_answer_alone() -> None:
    """A day without a snapshot of its own has no stars."""
    of = history(snapshot(on(0), stars=3), snapshot(on(2), stars=8))
    reported = {day.day: day.metadata and day.metadata.stars for day in known_days(of)}
    assert (reported[on(0)], reported[on(1)], reported[on(2)]) == (3, None, 8)
    assert set(reported.values()) == {3, None, 8}


def test_weekly_runs_complete_every_day() -> None:
    """One run a week, on any day of it, completes all days that are two weeks old."""
    of = observed_on(*range(0, 70, 7))
    states = {day.day: day.state for day in known_days(of)}
    assert {state for day, state in states.items() if day <= on(63 - 7)} == {COMPLETE}
    assert {state for day, state in states.items() if day > on(63 - 7)} == {PROVISIONAL}


@pytest.mark.parametrize(("every", "states"), [(8, {COMPLETE, PARTIAL}), (14, {COMPLETE, PARTIAL})])
def test_rarer_runs_leave_partial_days_but_none_lost(every: int, states: set[Coverage]) -> None:
    """Runs up to 14 days apart lose no day, but past a week some are seen only while they grow."""
    last = on(every * 5)
    assert {day.state for day in known_days(observed_on(*range(0, every * 6, every))) if day.day < last} >= states
    assert LOST not in {day.state for day in known_days(observed_on(*range(0, every * 6, every)))}


@pytest.mark.parametrize(("apart", "lost"), [(14, 0), (15, 1), (20, 6), (100, 86)])
def test_a_pause_loses_what_no_window_covered(apart: int, lost: int) -> None:
    """All days between two runs are lost except the last 14."""
    gaps = [day.day for day in known_days(observed_on(0, apart)) if day.state is LOST]
    assert gaps == [on(age) for age in range(1, lost + 1)]


def test_a_day_has_the_name_of_its_time() -> None:
    """The name is the snapshot's, else the stored day's, else the next snapshot's."""
    of = history(
        snapshot(on(5), name="lab/old"),
        snapshot(on(9), name="lab/new"),
        days=[Day(on(5), "lab/older"), Day(on(7), "lab/between"), Day(on(2), "lab/early")],
    )
    names = {day.day: day.repository for day in known_days(of)}
    assert names[on(5)] == "lab/old"
    assert names[on(7)] == "lab/between"
    assert names[on(2)] == "lab/early"
    assert (names[on(4)], names[on(6)], names[on(8)], names[on(9)]) == ("lab/old", "lab/new", "lab/new", "lab/new")


def test_the_labels_are_the_words_of_the_export() -> None:
    """The five words are complete, provisional, partial, imported and lost, the most certain first."""
    assert [state.label for state in sorted(Coverage)] == ["complete", "provisional", "partial", "imported", "lost"]


def expected(day: date, answers: dict[str, list[date]], newest: date) -> Coverage:
    """Return a day's state by the rule for answers of D to D+13."""
    states = []
    for reported in answers.values():
        ages = [(answer - day).days for answer in reported]
        if any(7 <= age <= 13 for age in ages):
            states.append(COMPLETE)
        elif (newest - day).days <= 13:
            states.append(PROVISIONAL)
        else:
            states.append(PARTIAL if any(0 <= age <= 13 for age in ages) else LOST)
    return max(states)


answered = st.sets(st.sampled_from(sorted(METRICS)))
snapshots = st.dictionaries(st.integers(0, 90), answered, min_size=1, max_size=14)


@given(snapshots)
def test_the_states_follow_the_rule(drawn: dict[int, set[str]]) -> None:
    """Each day from the first covered one on has the state of the rule, for random answers."""
    of = history(*(snapshot(on(age), metrics) for age, metrics in drawn.items()))
    answers = {metric: sorted(on(age) for age, reported in drawn.items() if metric in reported) for metric in METRICS}
    newest = max((reported[-1] for reported in answers.values() if reported), default=None)
    assert observed(of) == newest
    for day in known_days(of):
        assert newest is not None
        assert day.state is expected(day.day, answers, newest)


@given(snapshots, st.integers(0, 90), st.integers(0, 20), st.sets(st.integers(0, 90)))
def test_a_part_of_a_history_shows_the_same_of_its_days(
    drawn: dict[int, set[str]], begin: int, before: int, stored: set[int]
) -> None:
    """A history read from a later day on gives the same coverage of its days."""
    days = [Day(on(age), f"lab/day-{age}", views=age, view_uniques=1) for age in sorted(stored)]
    seen = [snapshot(on(age), metrics, name=f"lab/{age}") for age, metrics in drawn.items()]
    whole = history(*seen, days=days)
    since, read = on(begin), on(begin - before)
    part = history(*(s for s in seen if s.day >= read), days=(d for d in days if d.day >= read), since=since)
    newest = observed(whole)
    if newest is None or newest < since:
        return
    tail = [day for day in known_days(whole) if day.day >= since]
    assert list(known_days(part, first_covered(whole))) == tail


@given(snapshots, snapshots)
def test_more_answers_never_make_a_settled_day_less_certain(
    drawn: dict[int, set[str]], more: dict[int, set[str]]
) -> None:
    """A day once complete stays so, and a lost one is never found again by later answers."""
    before = history(*(snapshot(on(age), metrics) for age, metrics in drawn.items()))
    newest = observed(before)
    if newest is None:
        return
    later = (snapshot(newest + timedelta(days=age + 1), metrics) for age, metrics in more.items())
    now = {day.day: day.state for day in known_days(replace(before, snapshots=(*before.snapshots, *later)))}
    for day in known_days(before):
        if day.state in (COMPLETE, PARTIAL, LOST):
            assert now[day.day] is day.state
