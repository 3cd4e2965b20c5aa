"""Checks of the types and lengths in a line's JSON, which find damaged lines."""

from typing import Any

_LAST_DAY = 60_000
"""A day number of the year 2134."""


def check_day_numbers(*days: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raise ValueError unless all are plausible day numbers."""
    check_integers(list(days))
    if days and not 0 <= min(days) <= max(days) <= _LAST_DAY:
        raise ValueError("days of a line: expected day numbers")


def check_integers(values: Any, length: int | None = None, *, unknown: bool = False) -> None:  # noqa: ANN401 - any JSON value
    """Raise ValueError unless this is a list of integers, with `unknown` also of None."""
    allowed = {int, type(None)} if unknown else {int}
    if type(values) is not list or not {*map(type, values)} <= allowed or length not in (None, len(values)):
        raise ValueError("numbers of a line: expected a list of integers")


def check_texts(*texts: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raise ValueError unless all are strings."""
    if not all(type(text) is str for text in texts):
        raise ValueError("texts of a line: expected strings")
