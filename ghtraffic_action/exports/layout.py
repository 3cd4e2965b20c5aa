"""Keys and columns of the exported files."""

from dataclasses import dataclass, replace
from datetime import date

Row = tuple[str, ...]

DATA_PREFIX = "v1/"
DAILY_PREFIX = "v1/daily/"
LATEST_PATHS = "v1/latest/paths.csv"
LATEST_REFERRERS = "v1/latest/referrers.csv"
STARS_PREFIX = "v1/stars/"
RELEASES = "v1/releases/releases.csv"
REPOSITORIES = "v1/latest/repositories.csv"
PATHS_TABLE = "v1/latest_paths/paths.csv"
REFERRERS_TABLE = "v1/latest_referrers/referrers.csv"
REPOSITORIES_TABLE = "v1/repositories/repositories.csv"
RECENT = "v1/latest/daily.csv"
RUN = "v1/latest/run.json"
"""The report of the last run, which cannot be rebuilt from a store."""

COPIES = {LATEST_PATHS: PATHS_TABLE, LATEST_REFERRERS: REFERRERS_TABLE, REPOSITORIES: REPOSITORIES_TABLE}
"""Copies of the latest files, one per folder: Athena reads all files of a folder as one table."""

ARTICLE_DAYS = "views_clones_stars/views_clones_stars.csv"
ARTICLE_PATHS = "top_paths/top_paths.csv"


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A kind of file: its columns, keys and sort order.

    If it is `additive`, rows are only added, or replaced by key.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]
    additive: bool = False

    @property
    def by_day(self) -> bool:
        """Whether rows are sorted by day and repository."""
        return self.order[1:] == ("repository_id",)


def _schema(columns: str, key: str, order: str) -> TableSchema:
    return TableSchema(tuple(columns.split(",")), tuple(key.split(",")), tuple(order.split(",")))


DAILY = _schema(
    "repository,repository_id,day,views,view_uniques,clones,clone_uniques,state,"
    "stars,forks,watchers,open_issues,open_pull_requests,"
    "views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,workflow_runs",
    key="day,repository_id",
    order="day,repository_id",
)
PATHS = _schema(
    "repository,repository_id,observed,path,title,views,view_uniques",
    key="observed,repository_id,path",
    order="observed,repository_id",
)
REFERRERS = _schema(
    "repository,repository_id,observed,referrer,views,view_uniques",
    key="observed,repository_id,referrer",
    order="observed,repository_id",
)
DOWNLOADS = _schema(
    "repository,repository_id,observed,tag,asset,downloads",
    key="observed,repository_id,tag,asset",
    order="observed,repository_id",
)
STARS = _schema("repository,repository_id,day,stars", key="day,repository_id", order="day,repository_id")
CATALOGUE = _schema(
    "repository_id,repository,views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,stars,forks,watchers,"
    "open_issues,open_pull_requests,archived,created,first_day,lost_days,observed,private,retired,final_lost_days,"
    "topics,visibility",
    key="repository_id",
    order="repository_id",
)
TABLES = {
    LATEST_PATHS: TableSchema(PATHS.columns, PATHS.key, ("repository_id",)),
    LATEST_REFERRERS: TableSchema(REFERRERS.columns, REFERRERS.key, ("repository_id",)),
    REPOSITORIES: CATALOGUE,
    RELEASES: replace(
        _schema("repository,repository_id,tag,published", "repository_id,tag", "repository_id,published,tag"),
        additive=True,
    ),
    ARTICLE_DAYS: _schema("timestamp,clones,views,stars,forks", key="timestamp", order="timestamp"),
    ARTICLE_PATHS: TableSchema(("path", "views"), ("path",), ()),
}
TABLES[RECENT] = DAILY
TABLES |= {copy: TABLES[key] for key, copy in COPIES.items()}
_BY_KIND = {"daily": DAILY, "paths": PATHS, "referrers": REFERRERS, "downloads": DOWNLOADS, "stars": STARS}


def month_key(kind: str, month: str) -> str:
    """Return the key of a month's file, `kind` being daily, paths, referrers or downloads."""
    return f"v1/{kind}/month={month}/{kind}.csv"


def stars_key(year: int) -> str:
    """Return the key of a year's stars."""
    return f"{STARS_PREFIX}year={year}/stars.csv"


def year_of_key(key: str) -> str:
    """Return the year in a file's key, or ""."""
    return key.partition("/year=")[2][:4]


def month_of_key(key: str) -> str:
    """Return the month in a file's key, or ""."""
    return key.partition("/month=")[2][:7]


def is_period(key: str) -> bool:
    """Return whether a file is that of a month or a year."""
    months = (month_key(kind, month_of_key(key)) for kind in _BY_KIND if kind != "stars")
    return key in (*months, f"{STARS_PREFIX}year={year_of_key(key)}/stars.csv")


def month_of(day: date) -> str:
    """Return a day's month: `2026-11`."""
    return f"{day:%Y-%m}"


def months(first: date, last: date) -> list[str]:
    """Return the months from one day to another."""
    begin, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(begin, end + 1)]


def table_of(key: str) -> TableSchema:
    """Return the schema of a file by its key."""
    return TABLES.get(key) or _BY_KIND[key.split("/")[1]]
