"""The coverage of stored repositories, with recent and imminent losses."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from ghtraffic_action.errors import StoreError
from ghtraffic_action.github.selection import glob_of
from ghtraffic_action.repository_names import is_excluded
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import EMPTY, open_store
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage, deadline, known_days, last_listed, retired_on
from ghtraffic_action.traffic.model import History, Metric
from ghtraffic_action.traffic.provenance import ImportedFile, ImportRecord
from ghtraffic_action.traffic.serialization import write_plain

CALENDARS = 3
"""Maximum number of repositories for which calendars are printed."""

_DAY = timedelta(days=1)

_DANGER = timedelta(days=3)
"""The time before its deadline in which a repository is in danger."""


@dataclass(frozen=True, slots=True)
class RepositoryStatus:
    """A repository's coverage on a day, as numbers of days by state.

    `views_observed` and `clones_observed` are the moments of the newest answers. A run before `deadline` loses nothing
    (None: no run is missing, since it was imported and never observed, or is `superseded`: another repository now has
    its name). `lost_lately` are the days lost in the requested period.
    """

    repository: str
    id: int
    first_day: date
    last_day: date
    complete: int
    provisional: int
    partial: int
    imported: int
    lost: int
    views_observed: datetime | None
    clones_observed: datetime | None
    deadline: date | None
    in_danger: bool
    lost_lately: tuple[date, ...]
    superseded: bool = False
    retired: date | None = None
    workflow_runs_counted: int = 0
    """The days whose workflow runs were counted."""

    @property
    def observed(self) -> datetime | None:
        """The moment of the newest answer for either metric."""
        return max(filter(None, (self.views_observed, self.clones_observed)), default=None)


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """An import's changes in all repositories; its id is for `ghtraffic import --undo`."""

    id: str
    at: datetime
    repositories: tuple[str, ...]
    inserted: int
    raised: int
    files: tuple[ImportedFile, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Coverage of the selected repositories on the UTC day `today`.

    `missing` are names that the store does not know. `days` has the known days of each repository, if there are few
    repositories.
    """

    store: str
    today: date
    since: int
    repositories: tuple[RepositoryStatus, ...]
    missing: tuple[str, ...] = ()
    days: tuple[tuple[DayCoverage, ...], ...] = ()
    imports: tuple[ImportStatus, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems as *where: what happened: what to do*."""
        missing = (f"{name}: {self.store} does not know it: check the name, or collect it" for name in self.missing)
        return (*missing, *(problem for found in self.repositories for problem in problems_of(found, self)))

    @property
    def exit_code(self) -> int:
        """1 if a repository recently lost a day, is in danger, or is missing."""
        return 1 if self.problems else 0

    def as_json(self) -> str:
        """Return the status as JSON, with its exit code."""
        written = asdict(self) | {"exit_code": self.exit_code, "problems": self.problems}
        del written["days"]
        return json.dumps(written, default=write_plain, indent=2)


def status_of(settings: Settings, today: date, since: int) -> Status:
    """Read the whole store and return its coverage on `today`.

    `repositories` select by current and former names. `since`: report losses of this many days before today. Raises
    UserError, also if the store is empty.
    """
    named, statuses, days = set[str](), list[RepositoryStatus](), list[tuple[DayCoverage, ...]]()
    records = list[ImportRecord]()
    with closing(open_store(settings.store, create=False)) as store:
        for history in store.scan():
            known = tuple(known_days(history, today=today))
            names = {day.repository for day in history.days} | {seen.repository for seen in history.snapshots}
            matching = {p for p in settings.repositories if any(fnmatchcase(n.lower(), glob_of(p)) for n in names)}
            named |= matching
            if known and _selected(known[-1].repository, settings.repositories, matching):
                statuses.append(_repository_status(history, known, today, since))
                records += store.imports.records(history.repository_id)
                days = [*days, known][: CALENDARS + 1]
    missing = tuple(p for p in settings.repositories if not p.startswith("!") and p not in named)
    if not statuses and not missing:
        raise StoreError(EMPTY.format(store=settings.store))
    in_order = sorted(_superseded(statuses), key=lambda found: (found.repository.lower(), found.id))
    return Status(settings.store, today, since, tuple(in_order), missing, tuple(days), tuple(_imports(records)))


def _imports(records: Iterable[ImportRecord]) -> Iterator[ImportStatus]:
    """Aggregate the records of each import, the oldest first."""
    for _, group in groupby(sorted(records, key=lambda record: record.id), key=lambda record: record.id):
        found = tuple(group)
        yield ImportStatus(
            id=found[0].id,
            at=found[0].at,
            repositories=tuple(sorted({record.repository for record in found})),
            inserted=sum(record.inserted for record in found),
            raised=sum(record.raised for record in found),
            files=tuple(dict.fromkeys(file for record in found for file in record.files)),
        )


def _repository_status(history: History, days: Sequence[DayCoverage], today: date, since: int) -> RepositoryStatus:
    counts: dict[str, Any] = {state.label: sum(day.state is state for day in days) for state in Coverage}
    views, clones = (_observed(history, metric) for metric in ("views", "clones"))
    last = last_listed(history)
    due = deadline(last) if last and not retired_on(history) else None
    lost = [day.day for day in days if day.state is Coverage.LOST]
    return RepositoryStatus(
        repository=days[-1].repository,
        id=history.repository_id,
        first_day=days[0].day,
        last_day=max((day.day for day in days if day.state is not Coverage.LOST), default=days[-1].day),
        **counts,
        views_observed=views,
        clones_observed=clones,
        deadline=due,
        in_danger=due is not None and due - today <= _DANGER,
        lost_lately=()
        if retired_on(history)
        else tuple(day for day in lost if deadline(day - _DAY) >= today - timedelta(days=since)),
        retired=retired_on(history),
        workflow_runs_counted=sum(day.workflow_runs is not None for day in days),
    )


def _observed(history: History, metric: Metric) -> datetime | None:
    return next((answer.at for s in reversed(history.snapshots) if (answer := getattr(s, metric))), None)


def _selected(name: str, patterns: Iterable[str], matching: set[str]) -> bool:
    return not is_excluded(name, patterns) and (bool(matching) or all(pattern.startswith("!") for pattern in patterns))


def _superseded(statuses: Iterable[RepositoryStatus]) -> Iterator[RepositoryStatus]:
    """Mark repositories whose name another one has now: no run can collect them."""
    statuses = list(statuses)
    newest: dict[str, datetime] = {}
    for found in statuses:
        if found.observed:
            name = found.repository.lower()
            newest[name] = max(found.observed, newest.get(name, found.observed))
    for found in statuses:
        if found.observed and found.observed < newest[found.repository.lower()]:
            yield replace(found, superseded=True, deadline=None, in_danger=False, lost_lately=())
        else:
            yield found


def problems_of(found: RepositoryStatus, status: Status) -> Iterator[str]:
    """Yield a repository's problems."""
    if lost := found.lost_lately:
        days = f"{lost[0]}" if len(lost) == 1 else f"{len(lost)} days from {lost[0]} to {lost[-1]}"
        since = status.today - timedelta(days=status.since)
        yield f"{found.repository}: lost for good since {since}: {days}: run `ghtraffic collect` daily"
    if found.in_danger:
        what = "is in danger" if found.deadline and found.deadline > status.today else "loses days now"
        yield f"{found.repository}: {what}, the last success was {last_success(found)}: run `ghtraffic collect` today"


def last_success(found: RepositoryStatus) -> str:
    """Return the last success, by metric if they differ."""
    views, clones = found.views_observed, found.clones_observed
    if views and clones and views.date() == clones.date():
        return f"{max(views, clones):%Y-%m-%d %H:%M}"
    moments = [f"{name} {at:%Y-%m-%d}" for name, at in (("views", views), ("clones", clones)) if at]
    return ", ".join(moments) or "never"
