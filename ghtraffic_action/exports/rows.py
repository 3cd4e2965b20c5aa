"""The rows of a history in each exported file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache

from ghtraffic_action.exports.catalogue import CatalogueEntry, first_open_day
from ghtraffic_action.exports.csvfile import sanitize_cell
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    CATALOGUE,
    COPIES,
    LATEST_PATHS,
    LATEST_REFERRERS,
    RELEASES,
    REPOSITORIES,
    Row,
    month_key,
    month_of,
    stars_key,
)
from ghtraffic_action.traffic.coverage import (
    WINDOW,
    Coverage,
    DayCoverage,
    current_totals,
    first_covered,
    known_days,
    observed,
    retired_on,
)
from ghtraffic_action.traffic.model import GROUPS, History, Metadata, Metric, Snapshot, Totals
from ghtraffic_action.traffic.serialization import write_moment

_RUN = timedelta(hours=1)
"""Maximum distance of one run's answers."""

SHOWN = timedelta(days=30)
"""How many days of a repository a run's report shows."""

Rows = dict[str, tuple[Row, ...]]
"""Rows by the key of their file."""


@dataclass(frozen=True, slots=True)
class RenderedHistory:
    """A history's catalogue entry (None: never observed), rows by file, and known days.

    `days` also has the days that a run's report shows and the export does not need.
    """

    entry: CatalogueEntry | None = None
    rows: Rows = field(default_factory=dict)
    days: tuple[DayCoverage, ...] = ()


def render_history(history: History, previous: CatalogueEntry | None) -> RenderedHistory:
    """Return a history as exported; its known days are computed here alone.

    If the history was read only in part, `previous` must have its earlier catalogue entry; else there is no entry and
    no row. A repository without known days has no rows. The latest files have no rows of a repository that never had
    such an answer.
    """
    before, first, newest = 0, first_covered(history), observed(history)
    shown = _with_shown_days(history, newest)
    if history.since is not None:
        if previous is None or previous.final_lost_days is None or previous.since != history.since:
            return RenderedHistory(days=tuple(known_days(shown)))
        before, first = previous.final_lost_days, min(previous.first_day, first or previous.first_day)
    known = tuple(known_days(shown, first))
    days = tuple(day for day in known if day.day >= history.since) if history.since else known
    if not days:
        return RenderedHistory(days=known)
    entry = _summarize(history, days, before, first, newest) if first and newest else None
    rows: dict[str, list[Row]] = {}
    for day in days:
        rows.setdefault(month_key("daily", month_of(day.day)), []).append(_daily(history.repository_id, day))
    for snapshot in history.snapshots:
        for kind, tops in _tops(history.repository_id, snapshot).items():
            if history.since is None or snapshot.day >= history.since:
                rows.setdefault(month_key(kind, month_of(snapshot.day)), []).extend(tops)
    catalogue = (_repository(history, entry) if entry else _imported(history, days),)
    latest: Rows = {**_latest_tops(history), REPOSITORIES: catalogue}
    files = {
        **{key: tuple(found) for key, found in rows.items()},
        **latest,
        **{COPIES[key]: found for key, found in latest.items()},
        **_releases(history),
        **_stars(history),
    }
    return RenderedHistory(entry, files, known)


def _with_shown_days(history: History, newest: date | None) -> History:
    """Return a history that begins early enough for a run's report."""
    if history.since is None or newest is None:
        return history
    return replace(history, since=min(history.since, newest - SHOWN + timedelta(days=1)))


def _summarize(history: History, days: Sequence[DayCoverage], before: int, first: date, newest: date) -> CatalogueEntry:
    lost = [day.day for day in days if day.state is Coverage.LOST]
    final_lost = before + sum(day < first_open_day(newest) for day in lost)
    name, retired = history.snapshots[-1].repository, retired_on(history) is not None
    return CatalogueEntry(first, before + len(lost), newest, name, final_lost, retired)


def article_rows(history: History, days: Iterable[DayCoverage]) -> Rows:
    """Render the article's two files: known days with stars and forks, and top paths."""
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
        *_both(day.views_14d),
        *_both(day.clones_14d),
        day.workflow_runs,
    )


def _tops(repository_id: int, snapshot: Snapshot) -> dict[str, tuple[Row, ...]]:
    """Render a snapshot's top groups, also empty ones."""
    place = (snapshot.repository, repository_id, snapshot.day)
    tops: dict[str, tuple[Row, ...]] = {}
    if (paths := snapshot.paths) is not None:
        tops["paths"] = tuple(_row(*place, p.path, p.title, p.count, p.uniques) for p in paths.rows)
    if (referrers := snapshot.referrers) is not None:
        tops["referrers"] = tuple(_row(*place, r.referrer, r.count, r.uniques) for r in referrers.rows)
    if (downloads := snapshot.downloads) is not None:
        tops["downloads"] = tuple(_row(*place, a.tag, a.name, a.count) for a in downloads.rows)
    return tops


def _top_paths(snapshot: Snapshot) -> tuple[Row, ...]:
    return tuple(_row(path.path, path.count) for path in snapshot.paths.rows) if snapshot.paths else ()


def _latest_tops(history: History) -> Rows:
    """Render the newest paths and referrers, none if a later answer has no views."""
    return {
        key: () if _fell_silent(history, snapshot) else _tops(history.repository_id, snapshot)[group]
        for key, group in ((LATEST_PATHS, "paths"), (LATEST_REFERRERS, "referrers"))
        if (snapshot := _last(history, group))
    }


def _fell_silent(history: History, snapshot: Snapshot) -> bool:
    latest = _last(history, "views")
    return bool(latest and latest.views and latest.day > snapshot.day and latest.views.count == 0)


def _releases(history: History) -> Rows:
    """Render the releases by date, by the last answer per tag."""
    rows: dict[str, Row] = {}
    for snapshot in history.snapshots:
        for release in snapshot.releases.rows if snapshot.releases else ():
            published = write_moment(release.published)
            row = _row(snapshot.repository, history.repository_id, release.tag, published)
            rows[row[2]] = row
    return {RELEASES: tuple(sorted(rows.values(), key=lambda row: (row[3], row[2])))} if rows else {}


def _stars(history: History) -> Rows:
    """Render the stars by year, also years without any left."""
    return {
        stars_key(year.year): tuple(_row(year.repository, history.repository_id, day, n) for day, n in year.days)
        for year in history.stars
    }


def _repository(history: History, entry: CatalogueEntry) -> Row:
    recent = [snapshot for snapshot in history.snapshots if snapshot.day >= entry.observed - WINDOW]
    metadata = next((s.metadata for s in reversed(recent) if s.metadata), None)
    retired = retired_on(history)
    return _row(
        history.repository_id,
        recent[-1].repository,
        *_totals(recent, "views"),
        *_totals(recent, "clones"),
        *_metadata(metadata, "stars", "forks", "watchers", "open_issues", "open_pull_requests", "archived", "created"),
        entry.first_day,
        entry.lost_days,
        entry.observed,
        *_metadata(metadata, "private"),
        retired,
        entry.final_lost_days,
        *_metadata(metadata, "topics", "visibility"),
    )


def _imported(history: History, days: Sequence[DayCoverage]) -> Row:
    """Render a repository that was imported and never observed."""
    known = {"repository_id": history.repository_id, "repository": days[-1].repository, "first_day": days[0].day}
    return _row(*((known | {"lost_days": 0}).get(column) for column in CATALOGUE.columns))


def _totals(recent: Sequence[Snapshot], metric: Metric) -> tuple[int | None, int | None]:
    """Return the last run's totals, which can be in either snapshot around midnight."""
    answers = [answer for snapshot in recent if (answer := getattr(snapshot, metric))]
    moments = [group.at for snapshot in recent for name in GROUPS if (group := getattr(snapshot, name))]
    if not answers or max(moments) - max(answer.at for answer in answers) >= _RUN:
        return None, None
    current = [totals for snapshot in recent if (totals := current_totals(snapshot, metric))]
    newest = max(current, key=lambda totals: (totals.last or totals.at.date(), totals.at), default=None)
    return (newest.count, newest.uniques) if newest else (None, None)


def _last(history: History, group: str) -> Snapshot | None:
    return next((s for s in reversed(history.snapshots) if getattr(s, group) is not None), None)


def _metadata(metadata: Metadata | None, *names: str) -> Iterator[object]:
    return (getattr(metadata, name) if metadata else None for name in names)


def _both(totals: Totals | None) -> tuple[int | None, int | None]:
    return (totals.count, totals.uniques) if totals else (None, None)


def _row(*fields: object) -> Row:
    return tuple("" if field is None else _written(field) for field in fields)


@lru_cache(maxsize=4096, typed=True)  # equal fields are one string: a long history repeats names and numbers
def _written(field: object) -> str:
    if isinstance(field, str):
        return sanitize_cell(field)
    return str(field).lower() if isinstance(field, bool) else str(field)
