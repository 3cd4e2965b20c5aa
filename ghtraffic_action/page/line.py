"""A line of `report/data.jsonl`: one repository's data for the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import inf
from typing import Any

from ghtraffic_action.page.day_numbers import day_number, number_of
from ghtraffic_action.page.days import (
    Days,
    Record,
    dump_days,
    limit_days,
    load_days,
    merge_days,
    number,
)
from ghtraffic_action.page.held_stars import (
    HeldStars,
    dump_held_stars,
    load_held_stars,
    merge_held_stars,
    thin_held_stars,
)
from ghtraffic_action.page.line_checks import check_day_numbers, check_integers, check_texts
from ghtraffic_action.page.snapshots import (
    DENSE,
    SPARSE,
    SPARSE_LISTS,
    Lists,
    Series,
    Tiers,
    dump_lists,
    dump_series,
    empty_lists,
    empty_series,
    load_lists,
    load_series,
    merge_lists,
    merge_series,
    thin_lists,
    thin_rows,
    thin_series,
)

FORMAT = 1

NEWEST = (
    "views_14d",
    "view_uniques_14d",
    "clones_14d",
    "clone_uniques_14d",
    "stars",
    "forks",
    "watchers",
    "open_issues",
    "open_pull_requests",
)
"""The catalogue's numbers, in the order of its columns."""

_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Level:
    """The level of detail of a file's lines."""

    days: int | None
    series: Tiers
    lists: Tiers
    budget: float
    """Maximum total days of all repositories for this level."""


LEVELS = (
    Level(None, DENSE, DENSE, 40_000),
    Level(None, SPARSE, SPARSE_LISTS, 400_000),
    Level(1600, SPARSE, SPARSE_LISTS, 400_000),
    Level(800, SPARSE, SPARSE_LISTS, 400_000),
    Level(400, SPARSE, SPARSE_LISTS, inf),
)
"""The finest level first. Each one can be computed from a finer one."""


@dataclass(frozen=True, slots=True)
class RepositoryRows:
    """A repository's exported rows, from `since` on (None: all).

    Each row is a mapping of columns to cells. Columns that an older export does not have may be missing.
    """

    catalogue: Record
    daily: Sequence[Record]
    referrers: Sequence[Record] = ()
    paths: Sequence[Record] = ()
    releases: Sequence[Record] = ()
    since: date | None = None
    stars: Sequence[Record] = ()
    star_years: Sequence[str] = ()
    """The years whose stars are complete in the rows."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a line, readable without the rest."""

    repository_id: int
    name: str
    private: bool | None
    archived: bool
    created: str
    first_day: str
    lost_days: int | None
    observed: str
    begin: int
    end: int
    level: int
    newest: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A repository's data for the page."""

    head: Head
    days: Days
    names: list[tuple[int, str]]
    """Names by their first day."""
    series: Series = field(default_factory=empty_series)
    referrers: Lists = field(default_factory=empty_lists)
    paths: Lists = field(default_factory=empty_lists)
    releases: list[tuple[int, str]] = field(default_factory=list)
    held: HeldStars = field(default_factory=list)


def merge_rows(old: Line | None, rows: RepositoryRows) -> Line | None:
    """Replace a line's days since `rows.since`; None without days."""
    since = number_of(rows.since) if rows.since and old else None
    days = merge_days(old.days if old else None, since, rows.daily)
    if days is None:
        return None
    level = old.head.level if old else 0
    referrers, paths = (thin_rows(found, days.end, LEVELS[level].lists) for found in (rows.referrers, rows.paths))
    return Line(
        _head(rows.catalogue, days, level),
        days,
        _merge_names(old.names if old and since is not None else [], since, rows.daily),
        merge_series(old.series if old else empty_series(), since, rows.daily),
        merge_lists(old.referrers if old else empty_lists(), since, referrers, "referrer"),
        merge_lists(old.paths if old else empty_lists(), since, paths, "path"),
        _merge_releases(old.releases if old and since is not None else [], rows.releases),
        merge_held_stars(old.held if old and since is not None else [], rows.star_years, rows.stars),
    )


def limit_line(line: Line, level: int) -> Line:
    """Reduce a line to a level of detail."""
    level = max(level, line.head.level)
    detail, end = LEVELS[level], line.head.end
    return replace(
        line,
        head=replace(line.head, level=level),
        days=limit_days(line.days, detail.days),
        series=thin_series(line.series, end, detail.series),
        referrers=thin_lists(line.referrers, end, detail.lists),
        paths=thin_lists(line.paths, end, detail.lists),
        held=thin_held_stars(line.held) if level else line.held,
    )


def render_line(line: Line) -> bytes:
    """Return the line's bytes: ASCII JSON that is safe in an HTML script element."""
    head = {"format": FORMAT} | {name: getattr(line.head, name) for name in Head.__slots__}
    body = {
        "days": dump_days(line.days),
        "names": line.names,
        "series": dump_series(line.series),
        "referrers": dump_lists(line.referrers),
        "paths": dump_lists(line.paths),
        "releases": line.releases,
        "held": dump_held_stars(line.held),
    }
    return _ENCODER.encode([head, body]).replace("<", "\\u003c").encode()


def parse_head(line: bytes) -> Head | None:
    """Parse a line's head, None if damaged or another format."""
    try:
        written, _ = _DECODER.raw_decode(line[1:_HEAD_BYTES].decode("ascii"))
        return _load_head(written) if line.endswith(b"]") else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def parse_line(line: bytes) -> Line | None:
    """Parse a line, None if damaged or of another format."""
    try:
        written, body = json.loads(line.decode("ascii"))
        return Line(
            _load_head(written),
            load_days(body["days"]),
            _load_names(body["names"]),
            load_series(body["series"]),
            load_lists(body["referrers"]),
            load_lists(body["paths"]),
            _load_names(body["releases"]),
            load_held_stars(body["held"]),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def _head(catalogue: Record, days: Days, level: int) -> Head:
    return Head(
        repository_id=int(catalogue["repository_id"]),
        name=catalogue["repository"],
        private={"true": True, "false": False}.get(catalogue.get("private", "")),
        archived=catalogue.get("archived") == "true",
        created=catalogue.get("created", ""),
        first_day=catalogue.get("first_day", ""),
        lost_days=number(catalogue.get("lost_days")),
        observed=catalogue.get("observed", ""),
        begin=days.begin,
        end=days.end,
        level=level,
        newest=tuple(number(catalogue.get(column)) for column in NEWEST),
    )


def _load_head(written: Mapping[str, Any]) -> Head:
    if written["format"] != FORMAT:
        raise ValueError(f"format of a line: expected {FORMAT}, got {written['format']!r}")
    values = {name: written[name] for name in Head.__slots__}
    check_texts(*(values[name] for name in ("name", "created", "first_day", "observed")))
    check_integers([values["repository_id"], values["level"]])
    check_integers([values["lost_days"], *values["newest"]], len(NEWEST) + 1, unknown=True)
    check_day_numbers(values["begin"], values["end"])
    if values["observed"]:
        date.fromisoformat(values["observed"])
    if not (0 <= values["level"] < len(LEVELS) and values["begin"] <= values["end"]):
        raise ValueError("level or span of a line: out of bounds")
    return Head(**values | {"newest": tuple(values["newest"])})


def _load_names(written: Any) -> list[tuple[int, str]]:  # noqa: ANN401 - any JSON value
    names = [(day, name) for day, name in written]
    check_day_numbers(*(day for day, _ in names))
    check_texts(*(name for _, name in names))
    return names


def _merge_names(old: list[tuple[int, str]], since: int | None, rows: Sequence[Record]) -> list[tuple[int, str]]:
    names = [(day, name) for day, name in old if since is None or day < since]
    for row in sorted(rows, key=lambda row: row["day"]):
        if not names or names[-1][1] != row["repository"]:
            names.append((day_number(row["day"]), row["repository"]))
    return names


def _merge_releases(old: list[tuple[int, str]], rows: Sequence[Record]) -> list[tuple[int, str]]:
    """Return the releases by day, each tag's newest row."""
    days = {tag: day for day, tag in old} | {row["tag"]: day_number(row["published"]) for row in rows}
    return sorted((day, tag) for tag, day in days.items())
