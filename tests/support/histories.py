"""Builders of histories, and the errors of a store."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.base import Saved, Store
from ghtraffic_action.traffic.downloads import Asset, Downloads
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    History,
    Metadata,
    Release,
    Releases,
    RunCount,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
    WorkflowRuns,
)
from tests.support.builders import NAME

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = 904_221_377

Opener = Callable[[], Store]
"""Opens the same store again, as another program does."""


def ago(age: int) -> date:
    return TODAY - timedelta(days=age)


def day(age: int, views: int | None = None, clones: int | None = None, name: str = NAME) -> Day:
    """Make a day whose uniques are half of its counts."""
    halves = [None if number is None else number // 2 for number in (views, clones)]
    return Day(ago(age), name, views, halves[0], clones, halves[1])


def metadata(at: datetime = NOON, stars: int = 5) -> Metadata:
    return Metadata(at, stars, 2, 3, 1, 0, archived=False, created=date(2020, 2, 2))


def snapshot(age: int = 0, name: str = NAME, **groups: Any) -> Snapshot:  # noqa: ANN401 - the type's own fields
    return Snapshot(ago(age), name, **groups)


def full_snapshot(at: datetime = NOON) -> Snapshot:
    return Snapshot(
        at.date(),
        NAME,
        metadata=replace(metadata(at), watchers=None, open_issues=None, open_pull_requests=None, archived=True),
        views=Totals(at, 9_876_543_210, 3),
        clones=Totals(at, 0, 0),
        paths=TopPaths(at, (TopPath("/b", 'Ünïcode, "quoted" 🗼', 9, 3), TopPath("/a", "", 9, 2))),
        referrers=TopReferrers(at, (TopReferrer("t.co", 3, 2), TopReferrer("Google", 3, 1))),
        releases=Releases(at, (Release("v2 🗼", at - HOUR), Release("v1", at - timedelta(days=9)))),
        workflow_runs=WorkflowRuns(at, tuple(RunCount(at.date() - timedelta(days=n), 1200 * n) for n in (2, 1))),
        downloads=Downloads(at, (Asset("v2 🗼", 'lamp, "x64".zip', 2**40), Asset("v1", "lamp.zip", 0))),
    )


def refusal(store: Store, attempt: Callable[[Store], object] = lambda store: store.load(ID)) -> str:
    """Return the error with which a store refuses."""
    with pytest.raises(StoreError) as refused:
        attempt(store)
    return str(refused.value)


def scan(store: Store) -> list[History]:
    return list(store.scan())


def save(store: Store) -> Saved:
    return store.save(ID, Changes((day(1, views=1),)))
