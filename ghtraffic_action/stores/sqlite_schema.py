"""The schema of the SQLite file and its migrations."""

APPLICATION = 0x67687472
"""Marks the file as ours (`ghtr`), as `PRAGMA application_id` is meant to."""


def _listing(table: str, columns: str) -> str:
    """Return the statement for a snapshot's list table, which must never change."""
    return f"""CREATE TABLE {table} (
    repository_id INTEGER NOT NULL, day TEXT NOT NULL, position INTEGER NOT NULL,
    {columns},
    PRIMARY KEY (repository_id, day, position)
) WITHOUT ROWID;"""


MIGRATIONS = (
    f"""
CREATE TABLE repository (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE day (
    repository_id INTEGER NOT NULL REFERENCES repository, day TEXT NOT NULL, repository TEXT NOT NULL,
    views INTEGER, view_uniques INTEGER, clones INTEGER, clone_uniques INTEGER,
    PRIMARY KEY (repository_id, day)
) WITHOUT ROWID;
CREATE TABLE snapshot (
    repository_id INTEGER NOT NULL REFERENCES repository, day TEXT NOT NULL, repository TEXT NOT NULL,
    metadata_at TEXT, stars INTEGER, forks INTEGER, watchers INTEGER, open_issues INTEGER,
    open_pull_requests INTEGER, archived INTEGER, created TEXT,
    views_at TEXT, views_14d INTEGER, view_uniques_14d INTEGER,
    clones_at TEXT, clones_14d INTEGER, clone_uniques_14d INTEGER,
    paths_at TEXT, referrers_at TEXT,
    PRIMARY KEY (repository_id, day)
) WITHOUT ROWID;
{_listing("top_path", "path TEXT NOT NULL, title TEXT NOT NULL, count INTEGER NOT NULL, uniques INTEGER NOT NULL")}
{_listing("top_referrer", "referrer TEXT NOT NULL, count INTEGER NOT NULL, uniques INTEGER NOT NULL")}
""",
    """
ALTER TABLE snapshot ADD COLUMN views_last TEXT;
ALTER TABLE snapshot ADD COLUMN clones_last TEXT;
ALTER TABLE snapshot ADD COLUMN private INTEGER;
ALTER TABLE snapshot ADD COLUMN retired_at TEXT;
CREATE TABLE listed (
    repository_id INTEGER NOT NULL, day TEXT NOT NULL, field TEXT NOT NULL, days TEXT NOT NULL,
    PRIMARY KEY (repository_id, day, field, days)
) WITHOUT ROWID;
""",
    f"""
ALTER TABLE snapshot ADD COLUMN releases_at TEXT;
{_listing("release", "tag TEXT NOT NULL, published TEXT NOT NULL")}
""",
    """
CREATE TABLE import (
    repository_id INTEGER NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (repository_id, id)
) WITHOUT ROWID;
""",
    f"""
ALTER TABLE snapshot ADD COLUMN workflow_runs_at TEXT;
{_listing("workflow_run", "created TEXT NOT NULL, runs INTEGER NOT NULL")}
""",
    """
ALTER TABLE snapshot ADD COLUMN topics TEXT;
ALTER TABLE snapshot ADD COLUMN visibility TEXT;
""",
    f"""
ALTER TABLE snapshot ADD COLUMN downloads_at TEXT;
{_listing("download", "tag TEXT NOT NULL, asset TEXT NOT NULL, downloads INTEGER NOT NULL")}
""",
    """
ALTER TABLE snapshot ADD COLUMN star_history_at TEXT;
CREATE TABLE star_year (
    repository_id INTEGER NOT NULL, year INTEGER NOT NULL, repository TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (repository_id, year)
) WITHOUT ROWID;
CREATE TABLE star (
    repository_id INTEGER NOT NULL, year INTEGER NOT NULL, day TEXT NOT NULL, stars INTEGER NOT NULL,
    PRIMARY KEY (repository_id, year, day)
) WITHOUT ROWID;
""",
)
"""The migrations, from an empty file on; only ever appended to.

A file's `user_version` is the number of migrations applied. Missing ones are applied when it is opened; a file with
more was written by a newer version and is refused.
"""
