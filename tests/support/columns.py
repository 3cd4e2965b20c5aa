"""The kind of each exported column: what its text becomes in Athena and QuickSight."""

from ghtraffic_action.exports.layout import CATALOGUE, DAILY, DOWNLOADS, PATHS, REFERRERS, STARS

KINDS = {
    **dict.fromkeys(("repository", "state", "path", "title", "referrer", "topics", "visibility"), "text"),
    **dict.fromkeys(("tag", "asset"), "text"),
    **dict.fromkeys(("day", "observed", "created", "first_day"), "date"),
    **dict.fromkeys(("archived", "private", "retired"), "boolean"),
}
"""The kinds of columns that are no numbers."""

NUMBERS = {
    *("repository_id", "stars", "forks", "watchers", "open_issues", "open_pull_requests", "lost_days"),
    *("final_lost_days", "views", "view_uniques", "clones", "clone_uniques"),
    *("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d", "workflow_runs", "downloads"),
}

TABLES = {
    "daily": DAILY.columns,
    "paths": PATHS.columns,
    "referrers": REFERRERS.columns,
    "downloads": DOWNLOADS.columns,
    "stars": STARS.columns,
    "latest_paths": PATHS.columns,
    "latest_referrers": REFERRERS.columns,
    "repositories": CATALOGUE.columns,
}
"""The columns of each table, which lies in the folder of its name below v1/."""

PARTITIONS = {**dict.fromkeys(("daily", "paths", "referrers", "downloads"), "month"), "stars": "year"}
"""What the folders of a table are named after; others have one file."""


def kind(column: str) -> str:
    """Return text, number, date or boolean. Raise KeyError for a column that neither table lists."""
    return "number" if column in NUMBERS else KINDS[column]
