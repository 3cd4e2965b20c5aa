"""The result of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from ghtraffic_action.traffic.coverage import DayCoverage, usually_listed
from ghtraffic_action.traffic.model import TopPath, TopReferrer
from ghtraffic_action.traffic.news import News


@dataclass(frozen=True, slots=True)
class RepositoryResult:
    """The result for a repository. Unknown numbers are None; `days` are the last 30.

    `lost_new` counts the days lost since the last run. `last_listed` is the last day that GitHub has listed for both
    metrics. A run before `deadline` loses nothing. `errors` are the failed requests, `remedies` what to do about them,
    if known separately. If `transient`, a later run can succeed.
    """

    name: str
    id: int | None = None
    private: bool | None = None
    observed: datetime | None = None
    stars: int | None = None
    views_14d: int | None = None
    view_uniques_14d: int | None = None
    clones_14d: int | None = None
    clone_uniques_14d: int | None = None
    inserted: int = 0
    raised: int = 0
    first_day: date | None = None
    lost_days: int | None = None
    lost_new: int | None = None
    last_listed: date | None = None
    deadline: date | None = None
    errors: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    transient: bool = False
    days: tuple[DayCoverage, ...] = ()
    paths: tuple[TopPath, ...] = ()
    referrers: tuple[TopReferrer, ...] = ()
    news: News | None = None
    entry: int = 0
    """The number of the user's entry that selects it, from 1."""
    is_list: bool = False
    """Whether it is a failed list or pattern, not a repository."""


TRAFFIC = ("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d", "days", "paths", "referrers", "news")
"""Traffic fields, which public reports omit, as they omit the stars of private repositories."""

FEW = 3
"""Up to this number, repositories with the same cause are listed one by one."""

OMITTED = ("days", "paths", "referrers", "news", "entry", "is_list")
"""Fields that the JSON report omits: long ones, which the export or `alerts` has, and internal ones."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An exported repository that is missing from its owner's list: it is no longer collected."""

    name: str
    observed: date
    deadline: date

    @property
    def warning(self) -> str:
        """What happened and what to do."""
        return (
            f"{self.name}: GitHub no longer lists it (last observed {self.observed}), so it is not collected: name "
            f"it, exclude it with !{self.name}, or retire it with `ghtraffic retire {self.name}`"
        )


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The repositories that a run did not start.

    `stalest` was observed longest ago: it loses days unless a run comes before `deadline`. `next_run` is the expected
    day of the next run.
    """

    number: int
    why: str
    stalest: str
    observed: date | None
    deadline: date
    next_run: date

    @property
    def safe(self) -> bool:
        """Whether the next run comes in time."""
        return self.next_run < self.deadline

    @property
    def text(self) -> str:
        """What happened and what to do."""
        seen = f"last observed {self.observed}" if self.observed else "never observed"
        names = "repository was" if self.number == 1 else "repositories were"
        return (
            f"{self.number} {names} not started; {self.stalest} has waited longest ({seen}, due before "
            f"{self.deadline}): {self.why}"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run: what was collected, stored, exported, and what failed.

    `selected` describes what each pattern matched and left out. `remaining` are the repositories not started, because
    the run was stopped or the store failed. `public` is the visibility of the workflow's own repository (None: unknown,
    or no workflow), `pushed` when it was last pushed to. `token_ends` is when GitHub's token expires (None: never).
    `unfinished` sums up what remains if a limit or the deadline ended the run. `fresh` counts the repositories skipped
    because of an earlier run of the day. `failures_allowed` is how many may fail. `traffic_shown` is false if traffic
    was redacted. `alerting` is whether alerts are wanted.
    """

    repositories: tuple[RepositoryResult, ...]
    store: str
    export_to: str
    dry_run: bool = False
    selected: tuple[str, ...] = ()
    exported: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    interrupted: bool = False
    remaining: tuple[str, ...] = ()
    unfinished: Unfinished | None = None
    fresh: int = 0
    failures_allowed: int = 0
    unlisted: tuple[Unlisted, ...] = ()
    public: bool | None = None
    traffic_shown: bool = True
    pushed: datetime | None = None
    token_ends: datetime | None = None
    alerting: bool = False

    @property
    def collected(self) -> tuple[RepositoryResult, ...]:
        """The completely collected repositories."""
        return tuple(repository for repository in self.repositories if not repository.errors)

    @property
    def failed(self) -> tuple[RepositoryResult, ...]:
        """The repositories with failed requests."""
        return tuple(repository for repository in self.repositories if repository.errors)

    @property
    def deadline(self) -> date | None:
        """The day before which the next run is due, if known."""
        if self.dry_run:
            return None
        known = [found.deadline for found in self.repositories if found.deadline]
        known += [found.deadline for found in self.unlisted]
        return min([*known, self.unfinished.deadline] if self.unfinished else known, default=None)

    @property
    def late(self) -> tuple[date, int] | None:
        """GitHub's last listed day and its delay in days, None if on time."""
        listed = [(found.last_listed, found.observed) for found in self.repositories if found.last_listed]
        last, at = max(((last, at) for last, at in listed if at), default=(None, None))
        missing = (usually_listed(at) - last).days if last and at else 0
        return (last, missing) if last and missing > 0 else None

    @property
    def total(self) -> int:
        """The number of repositories to collect."""
        return len(self.repositories) + len(self.remaining)

    @property
    def all_errors(self) -> tuple[str, ...]:
        """The errors as *where: what happened: what to do*, merged by common cause."""
        names: dict[str, list[str]] = {}
        for found in self.failed:
            names.setdefault("; ".join(found.errors), []).append(found.name)
        unfinished = (self.unfinished.text,) if self.unfinished and not self.unfinished.safe else ()
        return (
            *self.errors,
            *unfinished,
            *(f"{where}: {text}" for text, failed in names.items() for where in _where(failed)),
        )

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """What needs attention although the run succeeded."""
        unfinished = (self.unfinished.text,) if self.unfinished and self.unfinished.safe else ()
        return (*self.warnings, *unfinished, *(found.warning for found in self.unlisted))

    @property
    def disallowed(self) -> tuple[RepositoryResult, ...]:
        """The failures, unless there are few enough of them; a failed list is never allowed."""
        lists_failed = any(found.is_list for found in self.failed)
        allowed = not lists_failed and len(self.failed) <= self.failures_allowed
        return () if allowed else self.failed

    @property
    def exit_code(self) -> int:
        """0 if all succeeded, or if the rest can be collected later without loss."""
        waits = not self.remaining or (self.unfinished is not None and self.unfinished.safe)
        done = self.collected or self.fresh or not self.total
        return 0 if done and waits and not self.disallowed and not self.errors else 1

    def without_traffic(self) -> "Report":
        """Return the report without traffic and private repositories' names."""
        repositories = tuple(map(_anonymous, self.repositories))
        unlisted = tuple(replace(found, name="a repository") for found in self.unlisted)
        remaining = tuple("?" for _ in self.remaining)
        unfinished = self.unfinished and replace(self.unfinished, stalest="a repository")
        hidden = replace(self, repositories=repositories, remaining=remaining, unfinished=unfinished, unlisted=unlisted)
        return replace(hidden, traffic_shown=False)


def _where(names: Sequence[str]) -> Iterator[str]:
    """Yield the names, or two of many with the number of the others."""
    if len(names) <= FEW:
        yield from names
    else:
        yield f"{names[0]}, {names[1]} and {len(names) - 2} more"


def _anonymous(found: RepositoryResult) -> RepositoryResult:
    listed = f"repository {found.entry} of the list" if found.entry else "a repository of the list"
    unnamed = f"#{found.id}" if found.id else listed
    name = found.name if found.private is False else unnamed
    default: dict[str, Any] = {field.name: field.default for field in fields(RepositoryResult) if field.name in TRAFFIC}
    return replace(found, name=name, stars=found.stars if found.private is False else None, **default)
