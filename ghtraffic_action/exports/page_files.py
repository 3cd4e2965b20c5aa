"""Conversion of exported rows to the report page's data."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from ghtraffic_action.exports.csvfile import read_rows
from ghtraffic_action.exports.layout import (
    CATALOGUE,
    DAILY,
    DOWNLOADS,
    PATHS,
    REFERRERS,
    RELEASES,
    REPOSITORIES,
    STARS,
    STARS_PREFIX,
    TABLES,
    Row,
    year_of_key,
)
from ghtraffic_action.exports.parts import Part
from ghtraffic_action.exports.rows import Rows
from ghtraffic_action.page.data import changed_lines, merge_data
from ghtraffic_action.page.line import Line, RepositoryRows, merge_rows, parse_line, render_line

_MONTHLY = {"daily": DAILY, "referrers": REFERRERS, "paths": PATHS, "downloads": DOWNLOADS}

_Kinds = dict[str, list[Row]]
"""Rows by kind of file."""


def page_part(rows: Rows, since: date | None) -> Part | None:
    """Return a repository's rows from `since` on, or its whole line; None without data."""
    (entry,) = rows[REPOSITORIES]
    catalogue, kinds = dict(zip(CATALOGUE.columns, entry, strict=True)), _kinds(rows)
    if since:
        return Part(json.dumps([catalogue, kinds], separators=(",", ":")).encode(), since.isoformat())
    line = merge_rows(None, _repository_rows(catalogue, kinds, None))
    return Part(render_line(line)) if line else None


def merge_parts(data: bytes, parts: Iterable[Part]) -> bytes:
    """Merge parts into the page's data. Raises StaleLineError."""
    return merge_data(data, _changes(parts))


def changed_repositories(data: bytes, parts: Iterable[Part]) -> set[int]:
    """Return the repositories whose lines differ from ours."""
    return changed_lines(data, _changes(parts))


def repository_rows(catalogue: Mapping[str, str], parts: Mapping[str, Part]) -> RepositoryRows:
    """Return all rows of a repository from its parts."""
    kinds = _kinds({key: read_rows(part.rows) for key, part in parts.items()})
    return _repository_rows(catalogue, kinds, None)


def _changes(parts: Iterable[Part]) -> Iterator[RepositoryRows | Line]:
    for part in parts:
        if part.since:
            catalogue, kinds = json.loads(part.rows)
            yield _repository_rows(catalogue, kinds, date.fromisoformat(part.since))
        elif line := parse_line(part.rows):
            yield line


def _kinds(rows: Rows) -> _Kinds:
    """Return the rows of the files by kind."""
    return {
        kind: [row for key in sorted(rows) if key.startswith(f"v1/{kind}/month=") for row in rows[key]]
        for kind in _MONTHLY
    } | {
        "releases": list(rows.get(RELEASES, ())),
        "stars": [row for key in sorted(rows) if key.startswith(STARS_PREFIX) for row in rows[key]],
        "star_years": [(year_of_key(key),) for key in sorted(rows) if key.startswith(STARS_PREFIX)],
    }


def _repository_rows(catalogue: Mapping[str, str], kinds: _Kinds, since: date | None) -> RepositoryRows:
    tables = _MONTHLY | {"releases": TABLES[RELEASES], "stars": STARS}
    daily, referrers, paths, downloads, releases, stars = (
        [dict(zip(table.columns, row, strict=True)) for row in kinds[kind]] for kind, table in tables.items()
    )
    totals = Counter[str]()
    for row in downloads:
        totals[row["observed"]] += int(row["downloads"] or 0)
    for row in daily:
        if row["day"] in totals:
            row["downloads"] = str(totals[row["day"]])
    years = [year for (year,) in kinds["star_years"]]
    return RepositoryRows(catalogue, daily, referrers, paths, releases, since, stars, years)
