"""The types of a history: days, snapshots and their groups."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ghtraffic_action.traffic.downloads import Downloads
from ghtraffic_action.traffic.stars import StarsAsked, StarYear

Metric = Literal["views", "clones"]
METRICS: tuple[Metric, ...] = ("views", "clones")


@dataclass(frozen=True, slots=True)
class Day:
    """The traffic of a UTC day: the largest numbers reported, None if never."""

    day: date
    repository: str
    views: int | None = None
    view_uniques: int | None = None
    clones: int | None = None
    clone_uniques: int | None = None


NUMBERS = ("views", "view_uniques", "clones", "clone_uniques")


@dataclass(frozen=True, slots=True, order=True)
class DayRange:
    """Consecutive UTC days, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Metadata:
    """A repository's numbers at one moment; None if the token cannot read them.

    `topics` are sorted and separated by spaces, `visibility` is `public`, `private` or `internal`.
    """

    at: datetime
    stars: int
    forks: int
    watchers: int | None
    open_issues: int | None
    open_pull_requests: int | None
    archived: bool
    created: date
    private: bool | None = None
    topics: str | None = None
    visibility: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and uniques of a metric over 14 days.

    `last` is the newest of these days, None in an old-form answer.
    """

    at: datetime
    count: int
    uniques: int
    last: date | None = None


@dataclass(frozen=True, slots=True)
class TopPath:
    """One of the ten most viewed paths, with 14 days' views and uniques."""

    path: str
    title: str
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopPaths:
    """The most viewed paths at one moment, in descending order."""

    at: datetime
    rows: tuple[TopPath, ...]


@dataclass(frozen=True, slots=True)
class TopReferrer:
    """One of the ten top referrers, with 14 days' views and uniques."""

    referrer: str
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopReferrers:
    """The top referrers at one moment, in descending order."""

    at: datetime
    rows: tuple[TopReferrer, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its tag and when it was published."""

    tag: str
    published: datetime


@dataclass(frozen=True, slots=True)
class Releases:
    """The recent releases at one moment, the newest first."""

    at: datetime
    rows: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class RunCount:
    """The number of workflow runs started on a UTC day."""

    day: date
    runs: int


@dataclass(frozen=True, slots=True)
class WorkflowRuns:
    """Workflow runs of past days, each counted once."""

    at: datetime
    rows: tuple[RunCount, ...]


@dataclass(frozen=True, slots=True)
class Retired:
    """When the operator retired the repository, which ends its collection."""

    at: datetime


Group = Metadata | Totals | TopPaths | TopReferrers | Retired | Releases | WorkflowRuns | Downloads | StarsAsked


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The observations of a UTC day: groups, whose newest answers win, and listed days.

    `views_listed` and `clones_listed` hold a range for each whole answer of the day. A snapshot with totals and no
    ranges is of an old-form answer.
    """

    day: date
    repository: str
    metadata: Metadata | None = None
    views: Totals | None = None
    clones: Totals | None = None
    paths: TopPaths | None = None
    referrers: TopReferrers | None = None
    retired: Retired | None = None
    releases: Releases | None = None
    workflow_runs: WorkflowRuns | None = None
    downloads: Downloads | None = None
    star_history: StarsAsked | None = None
    views_listed: frozenset[DayRange] = frozenset()
    clones_listed: frozenset[DayRange] = frozenset()


GROUPS = (
    *("metadata", "views", "clones", "paths", "referrers", "retired"),
    *("releases", "workflow_runs", "downloads", "star_history"),
)
LISTED: dict[Metric, str] = {"views": "views_listed", "clones": "clones_listed"}


@dataclass(frozen=True, slots=True)
class History:
    """What the store has of a repository by day, from about `since` on (None: all).

    A little before `since` may be included. `stars` are those of all years, or empty if not read.
    """

    repository_id: int
    since: date | None = None
    days: tuple[Day, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    stars: tuple[StarYear, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What an observation adds: raised numbers, newer groups, listed days, changed stars."""

    days: tuple[Day, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    stars: tuple[StarYear, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.snapshots or self.stars)


def has_traffic(day: Day) -> bool:
    """Return whether any number of the day is above zero."""
    return any(getattr(day, number) for number in NUMBERS)


def span(days: Iterable[date]) -> DayRange:
    """Return the range from the first to the last day."""
    found = sorted(days)
    return DayRange(found[0], found[-1])
