"""What was observed on single days, thinned by age: stars, 14-day numbers, referrers and paths."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from math import inf
from typing import Any

from ghtraffic_action.page.day_numbers import day_number, week_of
from ghtraffic_action.page.days import Record, number

SERIES = ("stars", "forks", "views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d")

Tiers = tuple[tuple[float, int], ...]
"""Up to which age (days) one observation in how many days is kept, the youngest tier first; older ones are dropped."""

DENSE: Tiers = ((100, 1), (inf, 7))
SPARSE: Tiers = ((30, 1), (100, 7), (inf, 28))
SPARSE_LISTS: Tiers = ((100, 7), (400, 28))

Name = str | tuple[str, str]
"""A referrer, or the path and title of a page."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that were observed, by column; None is unknown."""

    days: list[int]
    columns: dict[str, list[int | None]]


@dataclass(frozen=True, slots=True)
class Lists:
    """The ten largest referrers or paths of 14 days, as observed on some days: name, count, uniques."""

    days: list[int]
    rows: list[list[tuple[Name, int, int]]]


def merge_series(old: Series, since: int | None, rows: Iterable[Record]) -> Series:
    """Replace the observations from `since` on by those of daily rows."""
    kept = bisect_left(old.days, since) if since is not None else 0
    days = old.days[:kept]
    columns = {column: values[:kept] for column, values in old.columns.items()}
    for row in sorted(rows, key=lambda row: row["day"]):
        found = [number(row.get(column)) for column in SERIES]
        if any(value is not None for value in found):
            days.append(day_number(row["day"]))
            for column, value in zip(SERIES, found, strict=True):
                columns[column].append(value)
    return Series(days, columns)


def merge_lists(old: Lists, since: int | None, rows: Iterable[Record], label: str) -> Lists:
    """Replace the observations from `since` on by those of rows, whose name is in the column `label`."""
    kept = bisect_left(old.days, since) if since is not None else 0
    days, lists = old.days[:kept], old.rows[:kept]
    for observed, group in groupby(sorted(rows, key=lambda row: row["observed"]), lambda row: row["observed"]):
        days.append(day_number(observed))
        lists.append([(_name(row, label), int(row["views"]), int(row["view_uniques"])) for row in group])
    return Lists(days, lists)


def thin(days: list[int], end: int, tiers: Tiers) -> list[int]:
    """Return the positions to keep, by the days' age on the day `end`.

    A day is kept if it is the last one of its block of days. Blocks of an older tier consist of whole blocks of a
    younger one, so thinning day by day and all at once keep the same days.
    """
    kept = []
    for position, (day, later) in enumerate(pairwise([*days, None])):
        block = next((size for age, size in tiers if day is not None and end - day <= age), None)
        if day is not None and block and (later is None or _block(day, block) != _block(later, block)):
            kept.append(position)
    return kept


def thin_series(series: Series, end: int, tiers: Tiers) -> Series:
    """Keep the observations of the tiers."""
    kept = thin(series.days, end, tiers)
    columns = {column: [values[at] for at in kept] for column, values in series.columns.items()}
    return Series([series.days[at] for at in kept], columns)


def thin_lists(lists: Lists, end: int, tiers: Tiers) -> Lists:
    """Keep the observations of the tiers."""
    kept = thin(lists.days, end, tiers)
    return Lists([lists.days[at] for at in kept], [lists.rows[at] for at in kept])


def empty_series() -> Series:
    """Return a series without observations."""
    return Series([], {column: [] for column in SERIES})


def dump_series(series: Series) -> dict[str, Any]:
    """Return the series as it is written: the first day, then the distances."""
    return {"days": _distances(series.days), **series.columns}


def load_series(written: Mapping[str, Any]) -> Series:
    """Return the series that `dump_series` wrote."""
    return Series(list(accumulate(written["days"])), {column: written[column] for column in SERIES})


def dump_lists(lists: Lists) -> dict[str, Any]:
    """Return the lists as they are written: each name once, rows as flat numbers."""
    places: dict[Name, int] = {}
    rows = [
        [field for name, count, uniques in row for field in (places.setdefault(name, len(places)), count, uniques)]
        for row in lists.rows
    ]
    return {"names": list(places), "days": _distances(lists.days), "rows": rows}


def load_lists(written: Mapping[str, Any]) -> Lists:
    """Return the lists that `dump_lists` wrote."""
    names = [name if isinstance(name, str) else (name[0], name[1]) for name in written["names"]]
    rows = [
        [(names[at], count, uniques) for at, count, uniques in zip(row[::3], row[1::3], row[2::3], strict=True)]
        for row in written["rows"]
    ]
    return Lists(list(accumulate(written["days"])), rows)


def _name(row: Record, label: str) -> Name:
    return row[label] if label == "referrer" else (_relative(row[label], row["repository"]), row.get("title", ""))


def _relative(path: str, repository: str) -> str:
    """Return a path without the repository's name, so that it stays the same page after a rename."""
    prefix = f"/{repository}"
    rest = path.removeprefix(prefix)
    return (rest or "/") if path.startswith(prefix) and rest[:1] in ("", "/", "?", "#") else path


def _block(day: int, size: int) -> int:
    return day if size == 1 else week_of(day) // (size // 7)


def _distances(days: list[int]) -> list[int]:
    return [day - before for before, day in pairwise([0, *days])]
