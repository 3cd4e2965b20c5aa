"""Streaming reader of CSV files, recognised by their columns."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import PurePath
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.columns import (
    Columns,
    check_columns,
    find_columns,
    full_name,
    metric_of_path,
    parse_id,
    parse_number,
    plain_name,
    read_day,
)
from ghtraffic_action.importing.model import Claim, Form, Found, LeftOut, Reading, Row, Zeros
from ghtraffic_action.importing.unreadable import check_merged
from ghtraffic_action.traffic.model import Snapshot, TopPath, TopPaths, TopReferrer, TopReferrers

OURS = Form("ghtraffic export", Zeros.KNOWN)
GHRS_SNAPSHOT = Form("GHRS snapshot")
HOME_MADE = Form("CSV")
ARTICLE = Form("the article's CSV", Zeros.FILLED)

_FORMS: tuple[tuple[Form, frozenset[str], frozenset[str]], ...] = tuple(
    (form, frozenset(needed.split(",")), frozenset(allowed.split(",")))
    for form, needed, allowed in (
        (OURS, "repository,repository_id,day,views,clones,state", ""),
        (Form("sangonzal/repository-traffic-action"), "_date,total_views,unique_views", ""),
        (Form("sangonzal/repository-traffic-action"), "_date,total_clones,unique_clones", ""),
        # It joins the two metrics: a zero can be a day that only the other metric listed.
        (Form("GHRS", Zeros.FILLED), "time_iso8601,clones_total,clones_unique,views_total,views_unique", ""),
        # It fills each gap up to the day of its run with zeros.
        (Form("repostats", Zeros.FILLED), "date,total_views,unique_views", ""),
        (Form("repostats", Zeros.FILLED), "date,total_clones,unique_clones", ""),
        (Form("github-traffic-stats"), "repository_name,date,views", "unique_visitors/cloners,unique_visitors"),
        (Form("github-traffic-stats"), "repository_name,date,clones", "unique_visitors/cloners,unique_cloners"),
        # It writes 0 where one of the two metrics has no row.
        (ARTICLE, "timestamp,clones,views,stars,forks", ""),
        # It fills the other metric with zeros, and both after a failure.
        (Form("repo-traffic", Zeros.FILLED), "repo,date,views,views_uniques,clones,clones_uniques", ""),
    )
)
"""Forms with known meaning of zeros, by their columns; others are taken to repeat GitHub."""

_NO_DAYS = {
    "stars_cumulative": "stars that were counted afterwards, not on the day",
    "forks_cumulative": "forks that were counted afterwards, not on the day",
}
_TOPS = {"url_path": "paths", "referrer": "referrers", "path": "paths"}
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}_\d{6})_top_(?:paths|referrers)_snapshot")
_OWN_TABLES = ("observed", "first_day")
_PARTS = frozenset(
    ("hour", "page", "url", "country", "source", "branch", "metric", "type", "kind", "event", "category", "user")
)
"""Columns that split a day into several rows, each a part of the day."""

_LONGEST = 64 * 1024
"""The header must end within these bytes, so that other files are not read to the end."""

_DELIMITERS = ",;\t|"
_PREAMBLE = re.compile(r"\s*(?:#.*|sep=.)?\s*", re.IGNORECASE)
"""Lines above the header: empty lines, comments, and a spreadsheet's `sep=`."""


def recognise_csv(content: bytes, path: str) -> Reading | None:
    """Return a CSV file's reading, None without a known column.

    Raises ForeignFileError if the file cannot be read.
    """
    header = _header(content)
    lower = [plain_name(name) for name in header]
    undated = next((_NO_DAYS[name] for name in lower if name in _NO_DAYS), None)
    if undated:
        return _without_days(content, Form("GHRS stars or forks"), undated)
    if any(name in _TOPS for name in lower):
        return _tops(content, path, lower)
    if "repository_id" in lower and any(name in _OWN_TABLES for name in lower):
        return _without_days(content, OURS, "rows without daily numbers")
    columns = find_columns(header, metric_of_path(path))
    if not _is_about_traffic(columns):
        return None
    check_merged(content)
    if "count" in columns.of and not columns.metrics:
        return _without_days(
            content, HOME_MADE, "counts of an unknown metric: put views or clones into the file's name"
        )
    form = _form(lower)
    if form is not ARTICLE:
        check_columns(columns, header)
    return Reading(form, lambda: _days(content, columns))


def _header(content: bytes) -> list[str]:
    try:
        return next(_lines(content[:_LONGEST], errors="replace"))[1]
    except (StopIteration, csv.Error):
        return []


def _lines(content: bytes, errors: str = "strict") -> Iterator[tuple[int, list[str]]]:
    """Yield header and rows with line numbers, cells stripped.

    Raises UnicodeDecodeError and csv.Error.
    """
    # A decoder for the whole file would need a second copy in memory.
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="", errors=errors)
    above, first = 0, ""
    for first in text:
        if not _PREAMBLE.fullmatch(first):
            break
        above += 1
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], text), strict=True, delimiter=delimiter)
    for cells in reader:
        yield above + reader.line_num, [cell.strip() for cell in cells]


def _is_about_traffic(columns: Columns) -> bool:
    dated = "day" in columns.of or bool(columns.rolling)
    return dated and (bool(columns.metrics) or "count" in columns.of or any(map(_is_metric, columns.rolling)))


def _is_metric(name: str) -> bool:
    return "view" in name or "clone" in name


def _form(header: Sequence[str]) -> Form:
    for form, needed, allowed in _FORMS:
        exact = form is not OURS
        if needed <= set(header) and not (exact and set(header) - needed - allowed):
            return form
    return HOME_MADE


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield rows by column, with line numbers. Raises ForeignFileError."""
    try:
        lines = _lines(content)
        _, header = next(lines, (0, []))
        lower = [name.lower() for name in header]
        for line, cells in lines:
            if not any(cells) or [cell.lower() for cell in cells] == lower:
                continue  # an empty line, or a repeated header
            if len(cells) != len(header):
                what = f"{len(cells)} cells below {len(header)} columns"
                raise ForeignFileError(f"line {line}: {what}: correct the line, or leave the file out")
            yield line, dict(zip(header, cells, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ForeignFileError(f"it is not CSV in UTF-8 ({error}): leave it out") from error


def _read(content: bytes, read: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    for line, cells in _rows(content):
        try:
            row = read(cells)
        except ValueError as error:
            raise ForeignFileError(f"line {line}: {error}: correct the line, or leave the file out") from error
        yield row


def _days(content: bytes, columns: Columns) -> Iterator[Row]:
    identity = columns.of.get("id", "")
    parts = _DayParts()

    def read(cells: Mapping[str, Any]) -> Row:
        name = full_name(cells, columns)
        day = read_day(cells, columns, name)
        if day is None:
            return LeftOut("rows of a whole month", Claim(name))
        parts.check(name, day.day, cells)
        return Found(Claim(name, parse_id(cells[identity]) if identity else None), day)

    return _read(content, read)


class _DayParts:
    """Detects rows of parts of a day, such as hours, which cannot be added up."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, date], tuple[str, ...]] = {}

    def check(self, name: str, day: date, cells: Mapping[str, str]) -> None:
        """Raise ValueError if an earlier row was another part of the same day."""
        columns = [column for column in cells if plain_name(column) in _PARTS]
        part = tuple(cells[column] for column in columns)
        if columns and self._met.setdefault((name, day), part) != part:
            what = f"another row of {day} with another {' and '.join(columns)}"
            raise ValueError(f"{what}, so the rows are parts of days, and no day's uniques can be read from them")


def _without_days(content: bytes, form: Form, reason: str) -> Reading:
    return Reading(form, lambda: (LeftOut(reason) for _ in _rows(content)))


def _tops(content: bytes, path: str, header: Sequence[str]) -> Reading:
    """Read paths or referrers as of the moment in the file's name."""
    found = _MOMENT.search(PurePath(path).name)
    if not found or not {"views_total", "views_unique"} <= set(header):
        return _without_days(content, Form("top paths or referrers"), "paths or referrers without a date")
    at = datetime.strptime(found[1], "%Y-%m-%d_%H%M%S").replace(tzinfo=UTC)
    return Reading(GHRS_SNAPSHOT, lambda: iter([Found(Claim(), _snapshot(content, at))]))


def _snapshot(content: bytes, at: datetime) -> Snapshot:
    paths, referrers = list[TopPath](), list[TopReferrer]()
    for line, cells in _rows(content):
        try:
            count, uniques = (parse_number(cells[name], name) or 0 for name in ("views_total", "views_unique"))
        except ValueError as error:
            raise ForeignFileError(f"line {line}: {error}: correct the line, or leave the file out") from error
        if "url_path" in cells:
            paths.append(TopPath(cells["url_path"], "", count, uniques))
        else:
            referrers.append(TopReferrer(cells["referrer"], count, uniques))
    if paths or "url_path" in _header(content):
        return Snapshot(at.date(), "", paths=TopPaths(at, tuple(paths)))
    return Snapshot(at.date(), "", referrers=TopReferrers(at, tuple(referrers)))
