"""Day numbers: days since 1970-01-01."""

from datetime import date
from functools import lru_cache

_EPOCH = date(1970, 1, 1).toordinal()
MONDAY_OFFSET = 3
"""1970-01-01 was a Thursday: with this offset, seven consecutive days from Monday on are a block."""


@lru_cache(maxsize=4096)
def day_number(text: str) -> int:
    """Return the day number of an ISO day or datetime."""
    return date.fromisoformat(text[:10]).toordinal() - _EPOCH


def number_of(day: date) -> int:
    """Return a date's day number."""
    return day.toordinal() - _EPOCH


def date_of(number: int) -> date:
    """Return a day number's date."""
    return date.fromordinal(number + _EPOCH)


def monday(number: int) -> int:
    """Return the Monday of a day's ISO week."""
    return number - (number + MONDAY_OFFSET) % 7


def span_starts(begin: int, end: int) -> list[int]:
    """Return `begin`, and all Mondays and firsts before `end`.

    The spans that start there add up to weeks and to months alike.
    """
    days = range(begin, end)
    return [day for day in days if day in (begin, monday(day)) or date_of(day).day == 1]
