"""Daily observations thinned by age: stars, 14-day numbers, referrers, paths."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, pairwise
from math import inf
from operator import itemgetter
from typing import Any

from ghtraffic_action.page.day_numbers import MONDAY_OFFSET, day_number
from ghtraffic_action.page.days import Record, number
from ghtraffic_action.page.line_checks import check_day_numbers, check_integers, check_texts

SERIES = ("stars", "forks", "views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d", "downloads")
"""The columns; those of downloads are left out where a repository has none."""

Tiers = tuple[tuple[float, int], ...]
"""Maximum age (days) and interval (days) of observations to keep, youngest tier first; older ones are dropped."""

DENSE: Tiers = ((100, 1), (inf, 7))
SPARSE: Tiers = ((30, 1), (400, 7), (inf, 28))
SPARSE_LISTS: Tiers = ((100, 7), (400, 28))

_OBSERVED = itemgetter("observed")

Name = str | tuple[str, str]
"""A referrer, or the path and title of a page."""


@dataclass(frozen=True, slots=True)
class Series:
    """Observed numbers by column; None is unknown."""

    days: list[int]
    columns: dict[str, list[int | None]]


@dataclass(frozen=True, slots=True)
class Lists:
    """The ten largest referrers or paths of 14 days, by day of observation.

    A row holds three numbers for each of them: its index in `names`, count, uniques.
    """

    days: list[int]
    names: list[Name]
    rows: list[list[int]]


def merge_series(old: Series, since: int | None, rows: Iterable[Record]) -> Series:
    """Replace the observations from `since` on by daily rows."""
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
    """Replace the observations from `since` on by rows named in column `label`."""
    kept = bisect_left(old.days, since) if since is not None else 0
    days, lists = old.days[:kept], old.rows[:kept]
    places = {name: place for place, name in enumerate(old.names)}
    for observed, group in groupby(sorted(rows, key=_OBSERVED), _OBSERVED):
        days.append(day_number(observed))
        lists.append([])
        for row in group:
            place = places.setdefault(_name(row, label), len(places))
            lists[-1] += (place, int(row["views"] or 0), int(row["view_uniques"] or 0))
    return Lists(days, list(places), lists)


def thin(days: list[int], end: int, tiers: Tiers) -> list[int]:
    """Return the positions to keep, by the days' age on the day `end`.

    The last day of each block of days is kept. Blocks of an older tier consist of whole blocks of a younger one, so
    thinning day by day and all at once keep the same days.
    """
    kept: list[int] = []
    younger = len(days)
    for age, size in tiers:
        first = bisect_left(days, end - age)
        blocks = [(day + MONDAY_OFFSET) // size for day in days[first : younger + 1]]
        last = len(days) - 1 - first
        kept[:0] = [first + at for at in range(younger - first) if at == last or blocks[at] != blocks[at + 1]]
        younger = first
    return kept


def thin_rows(rows: Iterable[Record], end: int, tiers: Tiers) -> list[Record]:
    """Keep only rows to keep, before they are parsed."""
    rows = list(rows)
    observed = sorted({row["observed"] for row in rows})
    kept = {observed[at] for at in thin([day_number(text) for text in observed], end, tiers)}
    return [row for row in rows if row["observed"] in kept]


def thin_series(series: Series, end: int, tiers: Tiers) -> Series:
    """Thin the observations."""
    kept = thin(series.days, end, tiers)
    columns = {column: [values[at] for at in kept] for column, values in series.columns.items()}
    return Series([series.days[at] for at in kept], columns)


def thin_lists(lists: Lists, end: int, tiers: Tiers) -> Lists:
    """Thin the observations, and keep only their names, in order of appearance."""
    kept = thin(lists.days, end, tiers)
    places: dict[int, int] = {}
    rows = [lists.rows[at].copy() for at in kept]
    for row in rows:
        row[::3] = [places.setdefault(place, len(places)) for place in row[::3]]
    return Lists([lists.days[at] for at in kept], [lists.names[place] for place in places], rows)


def empty_lists() -> Lists:
    """Return lists without observations."""
    return Lists([], [], [])


def empty_series() -> Series:
    """Return a series without observations."""
    return Series([], {column: [] for column in SERIES})


def dump_series(series: Series) -> dict[str, Any]:
    """Serialize a series, with days as differences."""
    columns = {
        name: values
        for name, values in series.columns.items()
        if name != "downloads" or any(value is not None for value in values)
    }
    return {"days": _distances(series.days), **columns}


def load_series(written: Mapping[str, Any]) -> Series:
    """Read a series that `dump_series` wrote. Raises an error if it is damaged."""
    days = _load_days(written["days"])
    unknown = {"downloads": [None] * len(days)}
    columns = {column: (unknown | dict(written))[column] for column in SERIES}
    for values in columns.values():
        check_integers(values, len(days), unknown=True)
    return Series(days, columns)


def dump_lists(lists: Lists) -> dict[str, Any]:
    """Serialize lists."""
    return {"names": lists.names, "days": _distances(lists.days), "rows": lists.rows}


def load_lists(written: Mapping[str, Any]) -> Lists:
    """Read lists that `dump_lists` wrote. Raises an error if they are damaged."""
    names: list[Name] = [name if isinstance(name, str) else (name[0], name[1]) for name in written["names"]]
    check_texts(*(text for name in names if isinstance(name, tuple) for text in name))
    lists = Lists(_load_days(written["days"]), names, written["rows"])
    together = list(chain.from_iterable(lists.rows))
    check_integers(together)
    places = together[::3]
    if any(len(row) % 3 for row in lists.rows) or (places and not 0 <= min(places) <= max(places) < len(names)):
        raise ValueError("rows of a line: expected places of names, counts and uniques")
    if len(lists.rows) != len(lists.days):
        raise ValueError("rows of a line: expected one for each day")
    return lists


def _load_days(distances: Any) -> list[int]:  # noqa: ANN401 - any JSON value
    check_integers(distances)
    days = list(accumulate(distances))
    check_day_numbers(*days)
    return days


def _name(row: Record, label: str) -> Name:
    return row[label] if label == "referrer" else (_relative(row[label], row["repository"]), row.get("title", ""))


def _relative(path: str, repository: str) -> str:
    """Return a path without the repository's name, so that renames do not change it."""
    prefix = f"/{repository}"
    rest = path.removeprefix(prefix)
    return (rest or "/") if path.startswith(prefix) and rest[:1] in ("", "/", "?", "#") else path


def _distances(days: list[int]) -> list[int]:
    return [day - before for before, day in pairwise([0, *days])]
