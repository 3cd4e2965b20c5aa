"""Reversals of imports, computed from a history and its import records."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from ghtraffic_action.traffic.merge import apply, missing_from
from ghtraffic_action.traffic.model import Changes, Day, History, Snapshot, TopPath, TopPaths, Totals
from ghtraffic_action.traffic.provenance import ImportRecord, Replacement, Reversal, describe_import, reverse_import

NAME = "octo-lab/atlas"
MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)
TODAY = MORNING.date()


def bring(history: History, id_: str, *found: Day | Snapshot) -> tuple[History, ImportRecord]:
    """Import days and snapshots. Return the new history and the record."""
    days = tuple(record for record in found if isinstance(record, Day))
    snapshots = tuple(record for record in found if isinstance(record, Snapshot))
    seen = Changes(days, snapshots)
    record = describe_import(ImportRecord(id_, MORNING, NAME, ()), history, seen)
    return apply(history, missing_from(history, seen)), record


def without(history: History, reversal: Reversal) -> History:
    """Return the history after the reversal of an import."""
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    for replacement in reversal.replacements:
        records: dict[date, Day] | dict[date, Snapshot] = days if isinstance(replacement.old, Day) else snapshots
        del records[replacement.old.day]
        if isinstance(replacement.new, Day):
            days[replacement.new.day] = replacement.new
        elif replacement.new:
            snapshots[replacement.new.day] = replacement.new
    return History(history.repository_id, None, tuple(days.values()), tuple(snapshots.values()))


def undo_all(history: History, records: Iterable[ImportRecord], order: Iterable[str]) -> History:
    """Reverse imports in an order of ids, each with the records left by earlier reversals."""
    left = {record.id: record for record in records}
    for id_ in order:
        reversal = reverse_import(history, tuple(left.values()), left[id_])
        history = without(history, reversal)
        del left[id_]
        left |= {record.id: record for record in reversal.records}
    return history


def views(hours: int, count: int) -> Totals:
    return Totals(MORNING + timedelta(hours=hours), count, 1, TODAY - timedelta(days=1))


def paths(hours: int, path: str) -> TopPaths:
    return TopPaths(MORNING + timedelta(hours=hours), (TopPath(path, "", 3, 1),))


@pytest.mark.parametrize("order", list(permutations("123")), ids="".join)
@pytest.mark.parametrize("before", [History(7), History(7, None, (), (Snapshot(TODAY, NAME, views=views(0, 5)),))])
def test_groups_that_imports_replaced_come_back_in_any_order(before: History, order: tuple[str, ...]) -> None:
    """An import whose group was replaced passes the group before it to the later import."""
    history, first = bring(before, "1", Snapshot(TODAY, NAME, views=views(1, 6), paths=paths(1, "/a")))
    history, second = bring(history, "2", Snapshot(TODAY, NAME, views=views(2, 7)))
    history, third = bring(history, "3", Snapshot(TODAY, NAME, views=views(3, 8), paths=paths(3, "/b")))
    assert history.snapshots == (Snapshot(TODAY, NAME, views=views(3, 8), paths=paths(3, "/b")),)
    assert undo_all(history, (first, second, third), order) == before


@pytest.mark.parametrize("order", list(permutations("123")), ids="".join)
def test_days_that_imports_raised_come_back_in_any_order(order: tuple[str, ...]) -> None:
    """A change is passed to the import that raised the same day further."""
    yesterday = TODAY - timedelta(days=1)
    history, first = bring(History(7), "1", Day(yesterday, NAME, 5, 2))
    history, second = bring(history, "2", Day(TODAY, NAME, 9, 3), Day(TODAY - timedelta(days=2), NAME, 1, 1))
    history, third = bring(history, "3", Day(TODAY, NAME, 10, 3), Day(yesterday, NAME, 6, 2))
    assert undo_all(history, (first, second, third), order) == History(7)


def test_what_is_gone_already_is_left_alone() -> None:
    """A removed day or snapshot needs no replacement, and does not count as kept."""
    _, record = bring(History(7), "1", Day(TODAY, NAME, 5, 2), Snapshot(TODAY, NAME, views=views(1, 6)))
    assert reverse_import(History(7), (record,), record) == Reversal((), (), 0)


def test_a_group_that_a_run_replaced_stays() -> None:
    """Only groups that are still the import's are removed."""
    history, record = bring(History(7), "1", Snapshot(TODAY, NAME, views=views(1, 6), paths=paths(1, "/a")))
    newer = apply(history, Changes((), (Snapshot(TODAY, NAME, views=views(5, 9)),)))
    [replacement] = reverse_import(newer, (record,), record).replacements
    assert replacement == Replacement(newer.snapshots[0], Snapshot(TODAY, NAME, views=views(5, 9)))
