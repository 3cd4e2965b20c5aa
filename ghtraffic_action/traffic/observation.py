"""GitHub's answers about a repository at one moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from ghtraffic_action.traffic.downloads import Downloads
from ghtraffic_action.traffic.model import (
    Day,
    DayRange,
    Metadata,
    Releases,
    TopPaths,
    TopReferrers,
    Totals,
    WorkflowRuns,
    has_traffic,
    span,
)
from ghtraffic_action.traffic.stars import StarHistory

WINDOW_DAYS = 14
"""Days that GitHub lists in an answer for views or clones."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository's description; its `id` survives renames.

    It is of the moment of `metadata`. `unlisted_assets`: the description lists only a part of the release assets, so
    `downloads` is unknown.
    """

    id: int
    name: str
    private: bool
    pushed: datetime | None
    metadata: Metadata
    releases: Releases | None = None
    downloads: Downloads | None = None
    unlisted_assets: bool = False


class Form(Enum):
    """The form of an answer's list of days."""

    WHOLE = "14 consecutive days, final and with zeros, without the own day"
    PLACEHOLDER = "zeros up to the own day, for a repository that GitHub has not counted yet"
    OLD = "the days with traffic, the own day among them, as until December 2025"


@dataclass(frozen=True, slots=True)
class Series:
    """An answer for one metric: 14-day totals and listed days."""

    totals: Totals
    days: tuple[Day, ...]

    @property
    def form(self) -> Form:
        """The answer's form, by the days it lists and the day it was given."""
        listed = sorted(day.day for day in self.days)
        own_day = self.totals.at.date()
        if own_day in listed and not any(map(has_traffic, self.days)):
            return Form.PLACEHOLDER
        consecutive = listed == [listed[0] + timedelta(days=n) for n in range(WINDOW_DAYS)] if listed else False
        return Form.WHOLE if consecutive and own_day not in listed else Form.OLD

    @property
    def listed(self) -> DayRange | None:
        """A whole answer's listed days; None for another form."""
        return span(day.day for day in self.days) if self.form is Form.WHOLE else None


@dataclass(frozen=True, slots=True)
class Observation:
    """GitHub's answers about a repository at one moment; None: the request failed.

    `refusals` has the reasons, `remedies` what to do. `transient`: a later run may succeed.
    """

    repository: Repository
    views: Series | None = None
    clones: Series | None = None
    paths: TopPaths | None = None
    referrers: TopReferrers | None = None
    workflow_runs: WorkflowRuns | None = None
    downloads: Downloads | None = None
    star_history: StarHistory | None = None
    refusals: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    transient: bool = False

    @property
    def collected(self) -> bool:
        """Whether there are views or clones; otherwise nothing is stored."""
        return self.views is not None or self.clones is not None
