"""Which rows a history has in each exported file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ghtraffic_action.exports.csvfile import CsvTable, sanitize_cell
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    CATALOGUE,
    LATEST_PATHS,
    LATEST_REFERRERS,
    REPOSITORIES,
    Row,
    month_key,
    month_of,
)
from ghtraffic_action.traffic.coverage import WINDOW, Coverage, DayCoverage, first_covered, known_days, observed
from ghtraffic_action.traffic.model import History, Metadata, Snapshot, Totals

_RUN = timedelta(hours=1)
"""The answers of one run are not further apart."""

Rows = dict[str, tuple[Row, ...]]
"""Rows by the key of the file that they belong in."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What the catalogue says of one repository: what an earlier export has already settled."""

    first_day: date
    lost_days: int
    observed: date

    @property
    def settled(self) -> date:
        """The first day about which a later answer can still say something; those before stay as they are."""
        return self.observed - WINDOW

    @property
    def since(self) -> date:
        """The first day of the first month that has to be written again."""
        return (self.observed - WINDOW - timedelta(days=1)).replace(day=1)


def read_catalogue(catalogue: CsvTable) -> dict[int, CatalogueEntry]:
    """Read what was exported of each repository that was ever observed, by its id."""
    return {
        int(record["repository_id"]): CatalogueEntry(
            first_day=date.fromisoformat(record["first_day"]),
            lost_days=int(record["lost_days"]),
            observed=date.fromisoformat(record["observed"]),
        )
        for record in catalogue.records()
        if record["observed"]
    }


def summarize(history: History, before: CatalogueEntry | None) -> CatalogueEntry | None:
    """Sum a history up as the catalogue does; `before` stands for what lies before its first day. None: unobserved."""
    first, newest = (before.first_day if before else first_covered(history)), observed(history)
    if first is None or newest is None:
        return None
    unsettled = [day for day in known_days(history, first) if before is None or day.day >= before.settled]
    lost = sum(day.state is Coverage.LOST for day in unsettled)
    return CatalogueEntry(first, lost + (before.lost_days if before else 0), newest)


def rows_of(history: History, before: CatalogueEntry | None) -> Rows:
    """Render one history; `before` stands for what lies before its first day, where it was not read whole.

    A repository of which nothing is known has no rows. The latest files have none of one that never had such an answer.
    """
    exported = summarize(history, before)
    days = list(known_days(history, exported.first_day if exported else None))
    if not days:
        return {}
    rows: dict[str, list[Row]] = {}
    for day in days:
        rows.setdefault(month_key("daily", month_of(day.day)), []).append(_daily(history.repository_id, day))
    for snapshot in history.snapshots:
        for kind, tops in _tops(history.repository_id, snapshot).items():
            if history.since is None or snapshot.day >= history.since:
                rows.setdefault(month_key(kind, month_of(snapshot.day)), []).extend(tops)
    return {
        **{key: tuple(found) for key, found in rows.items()},
        **_latest_tops(history),
        REPOSITORIES: (_repository(history, exported) if exported else _imported(history, days),),
    }


def article_rows(history: History, before: CatalogueEntry | None) -> Rows:
    """Render one history as the two files of the article: days with stars and forks, and the top paths."""
    days = known_days(history, before.first_day if before else None)
    latest = _last(history, "paths")
    return {
        ARTICLE_DAYS: tuple(
            _row(f"{d.day} 00:00:00", d.clones, d.views, *_metadata(d.metadata, "stars", "forks")) for d in days
        ),
        ARTICLE_PATHS: _top_paths(latest) if latest else (),
    }


def _daily(repository_id: int, day: DayCoverage) -> Row:
    return _row(
        day.repository,
        repository_id,
        day.day,
        day.views,
        day.view_uniques,
        day.clones,
        day.clone_uniques,
        day.state.label,
        *_metadata(day.metadata, "stars", "forks", "watchers", "open_issues", "open_pull_requests"),
    )


def _tops(repository_id: int, snapshot: Snapshot) -> dict[str, tuple[Row, ...]]:
    """Render the groups that a snapshot has; one without rows too, since it may take the place of one with some."""
    place = (snapshot.repository, repository_id, snapshot.day)
    tops: dict[str, tuple[Row, ...]] = {}
    if (paths := snapshot.paths) is not None:
        tops["paths"] = tuple(_row(*place, p.path, p.title, p.count, p.uniques) for p in paths.rows)
    if (referrers := snapshot.referrers) is not None:
        tops["referrers"] = tuple(_row(*place, r.referrer, r.count, r.uniques) for r in referrers.rows)
    return tops


def _top_paths(snapshot: Snapshot) -> tuple[Row, ...]:
    return tuple(_row(path.path, path.count) for path in snapshot.paths.rows) if snapshot.paths else ()


def _latest_tops(history: History) -> Rows:
    return {
        key: _tops(history.repository_id, snapshot)[group]
        for key, group in ((LATEST_PATHS, "paths"), (LATEST_REFERRERS, "referrers"))
        if (snapshot := _last(history, group))
    }


def _repository(history: History, exported: CatalogueEntry) -> Row:
    recent = [snapshot for snapshot in history.snapshots if snapshot.day >= exported.observed - WINDOW]
    metadata = next((s.metadata for s in reversed(recent) if s.metadata), None)
    return _row(
        history.repository_id,
        recent[-1].repository,
        *_totals([snapshot.views for snapshot in recent], recent[-1]),
        *_totals([snapshot.clones for snapshot in recent], recent[-1]),
        *_metadata(metadata, "stars", "forks", "watchers", "open_issues", "open_pull_requests", "archived", "created"),
        exported.first_day,
        exported.lost_days,
        exported.observed,
    )


def _imported(history: History, days: list[DayCoverage]) -> Row:
    """Render a repository that was imported and never observed: its id, its name and its first day."""
    known = {"repository_id": history.repository_id, "repository": days[-1].repository, "first_day": days[0].day}
    return _row(*((known | {"lost_days": 0}).get(column) for column in CATALOGUE.columns))


def _totals(answers: list[Totals | None], last: Snapshot) -> tuple[int | None, int | None]:
    """Take the newest totals, if the run that saw `last` had them: one that crosses midnight leaves two snapshots."""
    newest = next((totals for totals in reversed(answers) if totals), None)
    seen = max(group.at for group in (last.views, last.clones, last.paths, last.referrers, last.metadata) if group)
    return (newest.count, newest.uniques) if newest and seen - newest.at < _RUN else (None, None)


def _last(history: History, group: str) -> Snapshot | None:
    return next((s for s in reversed(history.snapshots) if getattr(s, group) is not None), None)


def _metadata(metadata: Metadata | None, *names: str) -> Iterator[object]:
    return (getattr(metadata, name) if metadata else None for name in names)


def _row(*fields: object) -> Row:
    return tuple("" if field is None else _written(field) for field in fields)


def _written(field: object) -> str:
    if isinstance(field, str):
        return sanitize_cell(field)
    return str(field).lower() if isinstance(field, bool) else str(field)
