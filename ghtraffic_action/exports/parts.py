"""Merging of some repositories' rows into a shared file."""

import csv
import heapq
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from operator import itemgetter

from ghtraffic_action.exports.csvfile import (
    CsvTable,
    check_count,
    check_day,
    parse,
    read_rows,
    render,
    render_rows,
    stream,
)
from ghtraffic_action.exports.layout import Row, TableSchema, month_of_key, table_of
from ghtraffic_action.exports.rows import Rows

_Place = tuple[str, int]
"""The position of a row in a month's file: its day, its repository."""


@dataclass(frozen=True, slots=True)
class Part:
    """A repository's rendered, sorted rows of a file.

    They replace its rows from the day `since` on (empty: all its rows).
    """

    rows: bytes
    since: str = ""


def render_parts(rows: Rows, since: Callable[[str], str] = lambda _: "") -> dict[str, Part]:
    """Render a repository's rows by file.

    `since` returns the first day to replace in a month's file, empty for all rows.
    """
    parts = {}
    for key, found in rows.items():
        if not (first := since(key)):
            parts[key] = Part(render_rows(found))
        elif first[:7] <= month_of_key(key):
            at = table_of(key).columns.index(table_of(key).order[0])
            parts[key] = Part(render_rows(row for row in found if row[at] >= first), first)
    return parts


def merge(key: str, old: bytes | None, ours: Mapping[int, Part]) -> bytes:
    """Merge our rows into a file. Return it whole and sorted.

    Rows of other repositories stay unchanged, byte for byte. Raises UnreadableError if `old` does not parse.
    """
    table = table_of(key)
    if old is None:
        return render_rows([table.columns]) + b"".join(line for _, line in _sorted_lines(table, ours))
    if table.by_day and (merged := _merge_lines(table, old, ours)) is not None:
        return merged
    return _merge_table(table, parse(key, old), ours)


def _sorted_lines(table: TableSchema, ours: Mapping[int, Part]) -> Iterator[tuple[_Place, bytes]]:
    """Yield our lines with sort keys, in the file's order."""
    if not table.by_day:
        return ((("", i), line) for i in sorted(ours) for line in io.BytesIO(ours[i].rows))
    width = len(table.columns)
    return heapq.merge(
        *(((_place(line, width), line) for line in io.BytesIO(ours[i].rows)) for i in sorted(ours)), key=itemgetter(0)
    )


def _merge_lines(table: TableSchema, old: bytes, ours: Mapping[int, Part]) -> bytes | None:
    """Merge a file of our form line by line; return None for another form.

    This keeps one line in memory. Other forms have columns of another version, another order, or invalid rows.
    """
    header = render_rows([table.columns])
    if not old.startswith(header):
        return None
    merged, lines, width = io.BytesIO(), io.BytesIO(old), len(table.columns)
    lines.seek(len(header))
    merged.write(header)
    new_lines = _sorted_lines(table, ours)
    new, last = next(new_lines, None), ("", 0)
    try:
        for line in lines:
            place = _place(line, width)
            if place < last:
                return None
            last = place
            part = ours.get(place[1])
            if part is None or place[0] < part.since:
                while new and new[0] < place:
                    merged.write(new[1])
                    new = next(new_lines, None)
                merged.write(line)
    except (ValueError, csv.Error):
        return None
    if new:
        merged.write(new[1])
    merged.writelines(line for _, line in new_lines)
    return merged.getvalue()


def _place(line: bytes, width: int) -> _Place:
    """Return a line's day and repository. Raises ValueError or csv.Error for another form."""
    if b'"' in line:
        fields = next(csv.reader([line.decode()], strict=True))
        columns, repository_id, day = len(fields), fields[1], fields[2]
    else:
        text = line.decode()
        columns = text.count(",") + 1
        _, repository_id, day, _ = text.split(",", 3)
    if columns != width or not line.endswith(b"\r\n") or line.count(b"\r") > 1:
        raise ValueError(line)
    check_count(repository_id)
    check_day(day)
    return day, int(repository_id)


def _merge_table(table: TableSchema, old: CsvTable, ours: Mapping[int, Part]) -> bytes:
    """Merge a file of any form; unknown columns stay."""
    header = (*old.header, *(column for column in table.columns if column not in old.header))
    foreign = [position for position, column in enumerate(old.header) if column not in table.columns]
    keys = old.positions(table.key)
    kept, gone = [], {}
    is_replaced = _replaced(table, ours)
    for row, record in zip(old.rows, old.records(), strict=True):
        if is_replaced(record):
            gone[tuple(row[p] for p in keys)] = row
        else:
            kept.append(tuple(field for _, field in zip_longest(header, row, fillvalue="")))
    places = [header.index(column) for column in table.columns]
    own = CsvTable(table.columns, ()).positions(table.key)
    for row in (row for i in sorted(ours) for row in read_rows(ours[i].rows)):
        merged = [""] * len(header)
        for place, field in zip(places, row, strict=True):
            merged[place] = field
        if foreign and (before := gone.get(tuple(row[p] for p in own))):
            for position in foreign:
                merged[position] = before[position]
        kept.append(tuple(merged))
    return render(header, _sorted(table, CsvTable(header, tuple(kept))))


def _replaced(table: TableSchema, ours: Mapping[int, Part]) -> Callable[[Mapping[str, str]], bool]:
    """Return which records of a file our rows replace."""
    if table.additive:
        places = [table.columns.index(column) for column in table.key]
        keys = {tuple(row[place] for place in places) for part in ours.values() for row in read_rows(part.rows)}
        return lambda record: tuple(record[column] for column in table.key) in keys

    def is_replaced(record: Mapping[str, str]) -> bool:
        if "repository_id" not in table.columns:  # the article's file: one repository without a name
            return True
        part = ours.get(int(record["repository_id"]))
        return part is not None and (not part.since or record[table.order[0]] >= part.since)

    return is_replaced


def changed_repositories(key: str, content: bytes, ours: Mapping[int, Part]) -> set[int]:
    """Return the repositories whose rows differ from ours.

    Repositories without rows in the file do not count.
    """
    table = table_of(key)
    if "repository_id" not in table.columns:
        return set(ours)
    theirs: dict[int, list[bytes]] = {}
    is_replaced = _replaced(table, ours)
    for record in stream(key, content).records():
        if is_replaced(record):
            lines = theirs.setdefault(int(record["repository_id"]), [])
            lines.append(render_rows([tuple(record.get(column, "") for column in table.columns)]))
    return {i for i, lines in theirs.items() if sorted(lines) != sorted(io.BytesIO(ours[i].rows))}


def repository_ids(key: str, content: bytes) -> set[int]:
    """Return the repositories that have rows in a file."""
    return {int(record["repository_id"]) for record in stream(key, content).records() if "repository_id" in record}


def _sorted(table: TableSchema, sheet: CsvTable) -> list[Row]:
    order = [(sheet.header.index(column), column == "repository_id") for column in table.order]
    return sorted(sheet.rows, key=lambda row: [int(row[at]) if number else row[at] for at, number in order])
