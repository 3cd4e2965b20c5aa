"""Compares an export with what it must show after the responses so far."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache

from benchmarks.recording import Kept
from tests.simulation.expected import METRICS, Expected, ExpectedDay
from tests.support.csvfiles import rows

Row = Mapping[str, str]

ZERO = "zeros that no answer lists"
NOT_FINAL = "complete numbers that are not final"
NOT_LOST = "lost days not shown as lost"
NOT_COMPLETE = "listed days not complete"
LOST_DAYS = "wrong lost_days"
OTHER = "other differences"
FAULTS = (ZERO, NOT_FINAL, NOT_LOST, NOT_COMPLETE, LOST_DAYS, OTHER)

RISEN = "complete by the old form, rose later"
"""Days that GitHub itself raised a week or more later, until December 2025."""

UNIQUES = {"views": "view_uniques", "clones": "clone_uniques"}
_read = lru_cache(maxsize=512)(rows)
"""Most files are the same after a run as before it."""


def faults_of(files: Mapping[str, bytes], expected: Expected, final: Kept) -> Counter[str]:
    """Count the faults of an export of one repository, and what has RISEN.

    `final` holds the largest number of each metric and day that GitHub ever answered.
    """
    shown = {
        date.fromisoformat(row["day"]): row for key in files if key.startswith("v1/daily/") for row in _read(files[key])
    }
    faults = Counter(
        fault
        for day in expected.days.keys() | shown.keys()
        for fault in _faults_of_day(shown.get(day, {}), day, expected.days.get(day), final)
    )
    catalogue = [row for row in _read(files.get("v1/latest/repositories.csv", b"")) if row["observed"]]
    faults.update(_faults_of_catalogue(catalogue[0] if catalogue else {}, expected))
    return faults


def _faults_of_day(row: Row, day: date, expected: ExpectedDay | None, final: Kept) -> Iterator[str]:
    state = expected.state if expected else ""
    if row.get("state", "") != state:
        yield {"lost": NOT_LOST, "complete": NOT_COMPLETE}.get(state, OTHER)
    for metric in METRICS:
        cells = row.get(metric, ""), row.get(UNIQUES[metric], "")
        if cells != _cells(getattr(expected, metric, None), getattr(expected, UNIQUES[metric], None)):
            yield ZERO if cells == ("0", "0") else OTHER
        if row.get("state") == "complete" and cells != _cells(*final.get((metric, day), (0, 0))):
            yield NOT_FINAL if expected and metric in expected.listed else RISEN
        totals = row.get(f"{metric}_14d", ""), row.get(f"{UNIQUES[metric]}_14d", "")
        if totals != _cells(*(getattr(expected, f"{metric}_14d", None) or (None, None))):
            yield OTHER


def _faults_of_catalogue(row: Row, expected: Expected) -> Iterator[str]:
    if expected.observed and row.get("lost_days") != str(expected.lost_days):
        yield LOST_DAYS
    if (row.get("first_day", ""), row.get("observed", "")) != _cells(expected.first_day, expected.observed):
        yield OTHER


def _cells(*numbers: object) -> tuple[str, ...]:
    return tuple("" if number is None else str(number) for number in numbers)
