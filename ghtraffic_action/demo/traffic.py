"""The content of GitHub's traffic answers for a repository."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

Endpoint = Literal["views", "clones", "paths", "referrers"]
"""One of the four traffic endpoints."""
Numbers = tuple[int, int]
"""A count and its uniques."""
Row = tuple[date, int, int]
"""A day, its count and its uniques."""
PathRow = tuple[str, str, int, int]
"""A path, its title, its count and its uniques over 14 days."""
ReferrerRow = tuple[str, int, int]
"""A referrer, its count and its uniques over 14 days."""
TOP = 10


@dataclass(frozen=True)
class Series:
    """An answer for views or clones; `uniques` is over the window, not a sum."""

    count: int
    uniques: int
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Series":
        """Return an answer whose totals are sums of its rows."""
        listed = tuple(rows)
        return cls(sum(count for _, count, _ in listed), sum(uniques for _, _, uniques in listed), listed)


class Traffic(Protocol):
    """Answers of the four traffic endpoints of a repository."""

    def views(self, now: datetime) -> Series:
        """Return the answer of `traffic/views`."""
        ...

    def clones(self, now: datetime) -> Series:
        """Return the answer of `traffic/clones`."""
        ...

    def paths(self, now: datetime) -> tuple[PathRow, ...]:
        """Return `traffic/popular/paths`: at most 10, most viewed first."""
        ...

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """Return `traffic/popular/referrers`: at most 10, most views first."""
        ...
