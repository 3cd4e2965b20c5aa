"""What a repository's four traffic endpoints say: the form of their answers, and answers that are given as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

Row = tuple[date, int, int]
"""A day, its count and its uniques."""
PathRow = tuple[str, str, int, int]
"""A path, its title, its count and its uniques over 14 days."""
ReferrerRow = tuple[str, int, int]
"""A referrer, its count and its uniques over 14 days."""
TOP = 10


@dataclass(frozen=True)
class Series:
    """One answer of the views or the clones endpoint; `uniques` is over the window, not the sum of the days."""

    count: int
    uniques: int
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Series":
        """Make an answer whose totals are the sums of its rows."""
        listed = tuple(rows)
        return cls(sum(count for _, count, _ in listed), sum(uniques for _, _, uniques in listed), listed)


class Traffic(Protocol):
    """What one repository's four traffic endpoints say at a moment."""

    def views(self, now: datetime) -> Series:
        """Answer for `traffic/views`."""
        ...

    def clones(self, now: datetime) -> Series:
        """Answer for `traffic/clones`."""
        ...

    def paths(self, now: datetime) -> tuple[PathRow, ...]:
        """Answer for `traffic/popular/paths`: at most 10, most viewed first."""
        ...

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """Answer for `traffic/popular/referrers`: at most 10, first the one that sent most."""
        ...


class RecordedTraffic:
    """Answers that are the same at every moment, as a recording has them."""

    def __init__(
        self,
        views: Series | Iterable[Row] = (),
        clones: Series | Iterable[Row] = (),
        paths: Iterable[PathRow] = (),
        referrers: Iterable[ReferrerRow] = (),
    ) -> None:
        self._views = views if isinstance(views, Series) else Series.of(views)
        self._clones = clones if isinstance(clones, Series) else Series.of(clones)
        self._paths = tuple(paths)[:TOP]
        self._referrers = tuple(referrers)[:TOP]

    def views(self, now: datetime) -> Series:  # noqa: ARG002 - the same at every moment
        """Answer with the views given."""
        return self._views

    def clones(self, now: datetime) -> Series:  # noqa: ARG002 - the same at every moment
        """Answer with the clones given."""
        return self._clones

    def paths(self, now: datetime) -> tuple[PathRow, ...]:  # noqa: ARG002 - the same at every moment
        """Answer with the first ten paths given."""
        return self._paths

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:  # noqa: ARG002 - the same at every moment
        """Answer with the first ten referrers given."""
        return self._referrers
