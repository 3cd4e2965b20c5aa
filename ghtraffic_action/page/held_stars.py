"""A repository's current stars by the day they were given."""

from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate, pairwise
from typing import Any

from ghtraffic_action.page.day_numbers import date_of, day_number, number_of
from ghtraffic_action.page.days import Record
from ghtraffic_action.page.line_checks import check_day_numbers, check_integers

HeldStars = list[tuple[int, int]]
"""Days in order, or first days of months, with their stars."""


def merge_held_stars(old: HeldStars, years: Collection[str], rows: Iterable[Record]) -> HeldStars:
    """Replace the stars of the rows' years."""
    kept = [(day, stars) for day, stars in old if str(date_of(day).year) not in years]
    return sorted([*kept, *((day_number(row["day"]), int(row["stars"] or 0)) for row in rows)])


def thin_held_stars(held: HeldStars) -> HeldStars:
    """Return the sums by month."""
    months: dict[int, int] = {}
    for day, stars in held:
        first = number_of(date_of(day).replace(day=1))
        months[first] = months.get(first, 0) + stars
    return sorted(months.items())


def dump_held_stars(held: HeldStars) -> dict[str, list[int]]:
    """Serialize the stars, with days as differences."""
    days = [day for day, _ in held]
    return {"days": [day - before for before, day in pairwise([0, *days])], "stars": [stars for _, stars in held]}


def load_held_stars(written: Mapping[str, Any]) -> HeldStars:
    """Read the stars that `dump_held_stars` wrote. Raises an error if they are damaged."""
    check_integers(written["days"])
    check_integers(written["stars"], len(written["days"]))
    held = list(zip(accumulate(written["days"]), written["stars"], strict=True))
    check_day_numbers(*(day for day, _ in held))
    return held
