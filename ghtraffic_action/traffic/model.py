"""The types of an observation and of a history."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Metric = Literal["views", "clones"]
METRICS: tuple[Metric, ...] = ("views", "clones")

OWNER_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
NAME_PATTERN = r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}"
REPOSITORY_NAME = re.compile(rf"{OWNER_PATTERN}/{NAME_PATTERN}")
"""The full name of a repository on GitHub."""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one UTC day. Each number is the largest ever reported; None was never reported."""

    day: date
    repository: str
    views: int | None = None
    view_uniques: int | None = None
    clones: int | None = None
    clone_uniques: int | None = None


NUMBERS = ("views", "view_uniques", "clones", "clone_uniques")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a repository was at one moment. None was not told: a token may not read everything."""

    at: datetime
    stars: int
    forks: int
    watchers: int | None
    open_issues: int | None
    open_pull_requests: int | None
    archived: bool
    created: date


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and uniques of one metric over the 14 days before one moment."""

    at: datetime
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopPath:
    """One of the ten most viewed paths: views and their uniques over 14 days."""

    path: str
    title: str
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopPaths:
    """The most viewed paths at one moment, most viewed first."""

    at: datetime
    rows: tuple[TopPath, ...]


@dataclass(frozen=True, slots=True)
class TopReferrer:
    """One of the ten sites that sent most visitors: views and their uniques over 14 days."""

    referrer: str
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class TopReferrers:
    """The sites that sent most visitors at one moment, first the one that sent most."""

    at: datetime
    rows: tuple[TopReferrer, ...]


Group = Metadata | Totals | TopPaths | TopReferrers


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen on one UTC day, in five groups; the last answer of the day wins, group by group."""

    day: date
    repository: str
    metadata: Metadata | None = None
    views: Totals | None = None
    clones: Totals | None = None
    paths: TopPaths | None = None
    referrers: TopReferrers | None = None


GROUPS = ("metadata", "views", "clones", "paths", "referrers")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub described it at the moment of `metadata`; `id` survives renames."""

    id: int
    name: str
    private: bool
    pushed: datetime | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Series:
    """One answer for one metric: its 14-day totals and the days it listed."""

    totals: Totals
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What GitHub said about one repository at one moment.

    None did not answer: `refusals` says why, `transient` whether it may answer when asked again.
    """

    repository: Repository
    views: Series | None = None
    clones: Series | None = None
    paths: TopPaths | None = None
    referrers: TopReferrers | None = None
    refusals: tuple[str, ...] = ()
    transient: bool = False

    @property
    def collected(self) -> bool:
        """Whether there is anything to keep: without views and clones a repository writes nothing."""
        return self.views is not None or self.clones is not None


@dataclass(frozen=True, slots=True)
class History:
    """What the store holds of one repository, by day, from `since` on (None: all of it), or from a little before."""

    repository_id: int
    since: date | None = None
    days: tuple[Day, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What one observation adds to a history: the numbers that rise and the groups that are new."""

    days: tuple[Day, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.snapshots)
