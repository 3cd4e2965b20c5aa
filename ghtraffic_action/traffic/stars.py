"""A repository's current stars by the day they were given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

StarDays = tuple[tuple[date, int], ...]
"""Days in order with their current stars, without zeros."""


@dataclass(frozen=True, slots=True)
class StarYear:
    """A year's stars by GitHub's days, those of Los Angeles.

    `at` is the moment of the answer that changed them last. A star that is removed lowers a past day, so a later
    answer replaces an earlier one.
    """

    year: int
    repository: str
    at: datetime
    days: StarDays


@dataclass(frozen=True, slots=True)
class StarHistory:
    """The complete star history at one moment."""

    at: datetime
    years: tuple[StarYear, ...]


@dataclass(frozen=True, slots=True)
class StarsAsked:
    """When GitHub answered or refused the star history; its days are stored separately."""

    at: datetime


def newer_year(stored: StarYear | None, seen: StarYear) -> StarYear | None:
    """Return the given year if it replaces the stored one, else None."""
    return seen if stored is None or (seen.at >= stored.at and seen.days != stored.days) else None


def merge_years(stored: Iterable[StarYear], seen: Iterable[StarYear]) -> tuple[StarYear, ...]:
    """Return the stored years with newer ones replaced, in order."""
    years = {year.year: year for year in stored}
    years |= {year.year: year for year in seen if newer_year(years.get(year.year), year)}
    return tuple(years[number] for number in sorted(years))


def missing_years(stored: Iterable[StarYear], seen: Iterable[StarYear]) -> tuple[StarYear, ...]:
    """Return the given years that replace stored ones."""
    years = {year.year: year for year in stored}
    return tuple(year for year in seen if newer_year(years.get(year.year), year))


def split_years(
    days: Mapping[date, int], repository: str, at: datetime, known: Iterable[StarYear] = ()
) -> tuple[StarYear, ...]:
    """Group days by year, in order; a `known` year can become empty."""
    years: dict[int, list[tuple[date, int]]] = {year.year: [] for year in known}
    for day in sorted(days):
        if days[day]:
            years.setdefault(day.year, []).append((day, days[day]))
    return tuple(StarYear(year, repository, at, tuple(years[year])) for year in sorted(years))
