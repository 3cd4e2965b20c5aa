"""Days, snapshots and imports as JSON objects: what is omitted, and what is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ghtraffic_action.traffic.model import Day, History, Snapshot, Totals
from ghtraffic_action.traffic.records import read_record, write_records
from ghtraffic_action.traffic.serialization import read_range

TODAY = date(2026, 11, 20)
NAME = "octo-lab/atlas"
IMPORT: dict[str, Any] = {
    "id": 7,
    "import": "20261120T080000Z-1a2b",
    "at": "2026-11-20T08:00:00Z",
    "repository": NAME,
    "files": [],
    "days": [{"day": "2026-11-19", "views": [None, 5], "view_uniques": [None, 2]}],
    "snapshots": [],
}


def test_records_that_say_nothing_are_left_out() -> None:
    """Days without numbers and snapshots without groups are omitted."""
    seen = Snapshot(TODAY, NAME, views=Totals(datetime(2026, 11, 20, tzinfo=UTC), 5, 2))
    history = History(7, None, (Day(TODAY, NAME), Day(TODAY, NAME, 1)), (Snapshot(TODAY, NAME), seen))
    assert [set(fields) for fields in write_records(history)] == [
        {"id", "day", "repository", "views"},
        {"id", "snapshot", "repository", "views"},
    ]


def test_an_import_is_read() -> None:
    """The record below is valid."""
    repository_id, record = read_record(IMPORT, TODAY)
    assert (repository_id, record.repository) == (7, NAME)


@pytest.mark.parametrize(
    "change",
    [
        {"days": [{"day": "2026-11-19", "views": [None, -5]}]},
        {"days": [{"day": "2026-11-19", "views": [None, True]}]},
        {"days": [{"day": "2026-11-19", "views": [None, "5"]}]},
        {"days": [{"day": "yesterday", "views": [None, 5]}]},
        {"days": [{"day": "2026-11-19", "views": [5]}]},
        {"days": None},
        {"snapshots": [{"day": "2026-11-19", "before": NAME, "moments": {}}]},
        {"at": "2026-11-20T08:00:00+00:00"},
        {"other": 1},
    ],
    ids=repr,
)
def test_an_import_that_no_version_writes_is_refused(change: dict[str, Any]) -> None:
    """Any error in an import's record is reported as an error of that import."""
    with pytest.raises(ValueError, match="import"):
        read_record(IMPORT | change, TODAY)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    """A range with exchanged days is invalid."""
    with pytest.raises(ValueError, match="2026-11-22/2026-11-09"):
        read_range("2026-11-22/2026-11-09")


STARS: dict[str, Any] = {
    "id": 7,
    "stars": 2026,
    "repository": NAME,
    "at": "2026-11-19T08:00:00Z",
    "days": {"2026-11-01": 3},
}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"days": {"2025-11-01": 3}}, "days"),
        ({"days": {"2026-11-01": 0}}, "days"),
        ({"days": {"2026-11-01": True}}, "days"),
        ({"days": {"2026-11-20": 1}}, "after its own moment"),
        ({"stars": 2006, "days": {"2006-11-01": 1}}, "before GitHub's first"),
        ({"at": "2026-11-21T08:00:00Z"}, "2026-11-21 is in the future"),
    ],
    ids=repr,
)
def test_stars_of_a_year_that_cannot_be_true_are_refused(change: dict[str, Any], wrong: str) -> None:
    """The record above is valid; each change of it is reported."""
    assert read_record(STARS, TODAY)[0] == 7
    with pytest.raises(ValueError, match=wrong):
        read_record(STARS | change, TODAY)


def test_listed_days_that_reach_the_snapshot_s_own_day_are_refused() -> None:
    """A whole answer only lists finished days."""
    views = {"at": "2026-11-19T08:00:00Z", "views_14d": 5, "view_uniques_14d": 2, "last": "2026-11-19"}
    record = {"id": 7, "snapshot": "2026-11-19", "repository": NAME, "views": views}
    with pytest.raises(ValueError, match="views_listed reaches the snapshot's own day"):
        read_record(record | {"views_listed": ["2026-11-06/2026-11-19"]}, TODAY)
