"""Traffic answers that are repeated as they were recorded."""

from collections.abc import Iterable
from datetime import datetime

from ghtraffic_action.demo.traffic import TOP, PathRow, ReferrerRow, Row, Series


class RecordedTraffic:
    """Answers that are the same at every moment; see Traffic."""

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
        """Return the recorded views."""
        return self._views

    def clones(self, now: datetime) -> Series:  # noqa: ARG002 - the same at every moment
        """Return the recorded clones."""
        return self._clones

    def paths(self, now: datetime) -> tuple[PathRow, ...]:  # noqa: ARG002 - the same at every moment
        """Return the first ten recorded paths."""
        return self._paths

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:  # noqa: ARG002 - the same at every moment
        """Return the first ten recorded referrers."""
        return self._referrers
