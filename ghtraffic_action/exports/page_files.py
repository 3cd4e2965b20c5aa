"""How rows of the export become lines of the report page's data."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ghtraffic_action.exports.layout import CATALOGUE, DAILY, PATHS, REFERRERS, REPOSITORIES, Row, TableSchema
from ghtraffic_action.exports.parts import Part
from ghtraffic_action.exports.rows import Rows
from ghtraffic_action.page.data import changed_lines, merge_data
from ghtraffic_action.page.line import Line, RepositoryRows, merge_rows, parse_line, render_line

_MONTHLY = {"daily": DAILY, "referrers": REFERRERS, "paths": PATHS}

_Kinds = dict[str, list[Row]]
"""Rows by kind of file."""


def page_part(rows: Rows, since: date | None) -> Part | None:
    """Return what a repository's line needs: its rows from `since` on, or the whole line; None if nothing is known."""
    kinds: _Kinds = {kind: _months(rows, kind) for kind in _MONTHLY} | {"catalogue": list(rows[REPOSITORIES])}
    if since:
        return Part(json.dumps(kinds, separators=(",", ":")).encode(), since.isoformat())
    line = merge_rows(None, _repository_rows(kinds, None))
    return Part(render_line(line)) if line else None


def merge_parts(data: bytes, parts: Iterable[Part]) -> bytes:
    """Return the page's data with the parts merged into it. Raises StaleLineError."""
    return merge_data(data, _changes(parts))


def changed_repositories(data: bytes, parts: Iterable[Part]) -> set[int]:
    """Return the repositories whose lines in the page's data are not what ours would make of them."""
    return changed_lines(data, _changes(parts))


def _changes(parts: Iterable[Part]) -> Iterator[RepositoryRows | Line]:
    for part in parts:
        if part.since:
            yield _repository_rows(json.loads(part.rows), date.fromisoformat(part.since))
        elif line := parse_line(part.rows):
            yield line


def _months(rows: Rows, kind: str) -> list[Row]:
    return [row for key in sorted(rows) if key.startswith(f"v1/{kind}/month=") for row in rows[key]]


def _repository_rows(kinds: _Kinds, since: date | None) -> RepositoryRows:
    (catalogue,) = _records(CATALOGUE, kinds["catalogue"])
    return RepositoryRows(
        catalogue, since=since, **{kind: list(_records(table, kinds[kind])) for kind, table in _MONTHLY.items()}
    )


def _records(table: TableSchema, rows: Iterable[Sequence[str]]) -> Iterator[dict[str, str]]:
    return (dict(zip(table.columns, row, strict=True)) for row in rows)
