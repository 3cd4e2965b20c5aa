"""How rows become CSV bytes and back."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, zip_longest

from ghtraffic_action.exports.layout import Row, TableSchema, table_of


class UnreadableError(Exception):
    """A file is not of its kind: the text says where and why."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file's content: its header, which may have columns that this version does not know, and its rows."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def positions(self, columns: Iterable[str]) -> list[int]:
        """Tell where columns stand."""
        return [self.header.index(column) for column in columns]

    def repository_ids(self) -> set[int]:
        """Tell of which repositories there are rows."""
        return {int(record["repository_id"]) for record in self.records() if "repository_id" in record}

    def records(self) -> Iterator[dict[str, str]]:
        """Give each row by the names of its columns."""
        for row in self.rows:
            yield dict(zip(self.header, row, strict=True))


def parse(key: str, content: bytes) -> CsvTable:
    """Read a file's bytes; UnreadableError where they are not of the kind that its key names."""
    table = table_of(key)
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"is no CSV ({error})") from error
    header = tuple(rows[0]) if rows else ()
    needed = [column for column in table.columns if column in table.key or column in _CHECKS]
    if missing := [column for column in needed if column not in header]:
        raise UnreadableError(f"has no column {missing[0]}")
    sheet = CsvTable(header, tuple(map(tuple, rows[1:])))
    checks = [(header.index(column), check) for column, check in _CHECKS.items() if column in header]
    for line, row in enumerate(sheet.rows, 2):
        if len(row) != len(header):
            raise UnreadableError(f"has {len(row)} fields in row {line} where the header has {len(header)}")
        for position, check in checks:
            try:
                check(row[position])
            except ValueError as error:
                raise UnreadableError(f"has {row[position]!r} as {header[position]} in row {line}") from error
    return sheet


# What the columns must hold that the export itself relies on.
_CHECKS: dict[str, Callable[[str], object]] = {
    "repository_id": int,
    "day": date.fromisoformat,
    "observed": lambda text: text and date.fromisoformat(text),  # the catalogue has it empty of imported repositories
    "first_day": date.fromisoformat,
    "lost_days": int,
}


def merge(key: str, old: CsvTable | None, rows: Iterable[Row], replaced: Callable[[dict[str, str]], bool]) -> bytes:
    """Put `rows` in the place of those that `replaced` tells, and render the whole, sorted.

    Columns that this version does not know stay, also on a row that takes the place of one with the same key.
    """
    table = table_of(key)
    if old is None:
        return render(table.columns, _sorted(table, CsvTable(table.columns, tuple(rows))))
    header = (*old.header, *(column for column in table.columns if column not in old.header))
    foreign = [position for position, column in enumerate(old.header) if column not in table.columns]
    keys = old.positions(table.key)
    kept, gone = [], {}
    for row, record in zip(old.rows, old.records(), strict=True):
        if replaced(record):
            gone[tuple(row[p] for p in keys)] = row
        else:
            kept.append(tuple(field for _, field in zip_longest(header, row, fillvalue="")))
    places = [header.index(column) for column in table.columns]
    own = CsvTable(table.columns, ()).positions(table.key)
    for row in rows:
        merged = [""] * len(header)
        for place, field in zip(places, row, strict=True):
            merged[place] = field
        if foreign and (before := gone.get(tuple(row[p] for p in own))):
            for position in foreign:
                merged[position] = before[position]
        kept.append(tuple(merged))
    return render(header, _sorted(table, CsvTable(header, tuple(kept))))


def changed_repositories(key: str, theirs: CsvTable, ours: Mapping[int, Sequence[Row]]) -> list[int]:
    """Tell of which repositories a file holds other rows than ours; one of which it holds none does not differ."""
    table = table_of(key)
    if "repository_id" not in table.columns:
        return list(ours)
    found: dict[int, list[Row]] = {}
    for record in theirs.records():
        rows = found.setdefault(int(record["repository_id"]), [])
        rows.append(tuple(record.get(column, "") for column in table.columns))
    return [i for i, rows in ours.items() if i in found and sorted(found[i]) != sorted(rows)]


def render(header: Row, rows: Iterable[Row]) -> bytes:
    """Render a file: UTF-8, CRLF, quotes only where RFC 4180 needs them."""
    return render_rows(chain([header], rows))


def render_rows(rows: Iterable[Row]) -> bytes:
    """Render rows without a header."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def sanitize_cell(text: str) -> str:
    """Make outsiders' text safe to open: no control characters, and nothing that a spreadsheet takes for a formula."""
    safe = text
    if not text.isprintable():
        safe = "".join(character for character in text if unicodedata.category(character) not in ("Cc", "Cs"))
    return f"'{safe}" if text.startswith("\t") or safe.startswith(("=", "+", "-", "@")) else safe


def _sorted(table: TableSchema, sheet: CsvTable) -> list[Row]:
    order = [(sheet.header.index(column), column == "repository_id") for column in table.order]
    return sorted(sheet.rows, key=lambda row: [int(row[at]) if number else row[at] for at, number in order])
