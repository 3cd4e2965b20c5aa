"""Conversion between rows and CSV bytes."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain

from ghtraffic_action.exports.layout import Row, table_of


class UnreadableError(Exception):
    """An invalid file; the message has place and reason."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file's header, also of unknown columns, and its rows."""

    header: tuple[str, ...]
    rows: Iterable[Row]

    def positions(self, columns: Iterable[str]) -> list[int]:
        """Return the positions of columns."""
        return [self.header.index(column) for column in columns]

    def records(self) -> Iterator[dict[str, str]]:
        """Yield each row as a mapping by column."""
        for row in self.rows:
            yield dict(zip(self.header, row, strict=True))


def parse(key: str, content: bytes) -> CsvTable:
    """Parse a whole file. Raises UnreadableError if it does not match its key's schema."""
    table = stream(key, content)
    return CsvTable(table.header, tuple(table.rows))


def stream(key: str, content: bytes) -> CsvTable:
    """Return a file's header and an iterator of its rows.

    Both raise UnreadableError.
    """
    table = table_of(key)
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=""), strict=True)
    rows = _decoded(reader)
    header = next(rows, ())
    needed = [column for column in table.columns if column in table.key or column in _CHECKS]
    if missing := [column for column in needed if column not in header]:
        raise UnreadableError(f"has no column {missing[0]}")
    return CsvTable(header, _checked(header, rows))


def _decoded(reader: Iterator[list[str]]) -> Iterator[Row]:
    try:
        yield from map(tuple, reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"is not CSV ({error})") from error


def _checked(header: Row, rows: Iterator[Row]) -> Iterator[Row]:
    checks = [(header.index(name), check) for name, check in (_CHECKS | _OPTIONAL_CHECKS).items() if name in header]
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise UnreadableError(f"has {len(row)} fields in row {line} where the header has {len(header)}")
        for position, check in checks:
            try:
                check(row[position])
            except ValueError as error:
                column, cell = header[position], row[position][:_SHOWN]
                # Traffic must not reach a public log.
                found = f"{cell!r} as {column}" if column in _CHECKS else f"an invalid {column}"
                raise UnreadableError(f"has {found} in row {line}") from error
        yield row


def check_count(text: str) -> None:
    """Raise ValueError for an invalid or implausible count."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise ValueError(text)


@lru_cache(maxsize=512)
def check_day(text: str) -> None:
    """Raise ValueError for an invalid or implausible day."""
    day = date.fromisoformat(text)
    if day.isoformat() != text or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(text)


def _observed(text: str) -> None:
    if text:  # empty in the catalogue for imported repositories
        check_day(text)


def _number(text: str) -> None:
    if text:  # empty if unknown
        check_count(text)


def _moment(text: str) -> None:
    check_day(text[:10])


_SHOWN = 40
_DIGITS = 18
_FIRST_YEAR, _LAST_YEAR = 2000, 2100

# Columns that the export computes with: within these bounds no arithmetic can fail.
_CHECKS: dict[str, Callable[[str], object]] = {
    "repository_id": check_count,
    "day": check_day,
    "observed": _observed,
    "first_day": check_day,
    "lost_days": check_count,
}

_NUMBERS = (
    "views,view_uniques,clones,clone_uniques,stars,forks,watchers,open_issues,open_pull_requests,"
    "views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,workflow_runs,downloads,final_lost_days"
)
_OPTIONAL_CHECKS = dict.fromkeys(_NUMBERS.split(","), _number) | {"published": _moment}
"""Checks of columns that an older export may lack. The report page computes with them, a run with the last number."""


def read_rows(rows: bytes) -> tuple[Row, ...]:
    """Read rows without a header."""
    return tuple(map(tuple, csv.reader(io.StringIO(rows.decode(), newline=""))))


def render(header: Row, rows: Iterable[Row]) -> bytes:
    """Render a file: UTF-8, CRLF, minimal quoting (RFC 4180)."""
    return render_rows(chain([header], rows))


def render_rows(rows: Iterable[Row]) -> bytes:
    """Render rows without a header."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


@lru_cache(maxsize=1024)  # names and paths repeat in each row
def sanitize_cell(text: str) -> str:
    """Remove control characters, line breaks and spreadsheet formulas from outsiders' text.

    A formula can follow blanks that a spreadsheet ignores, or a semicolon, which separates cells where a comma is the
    decimal sign.
    """
    safe = text
    if not text.isprintable():
        safe = "".join(character for character in text if unicodedata.category(character) not in _CONTROLS)
    if not _SIGNS.isdisjoint(safe):
        safe = ";".join(f"'{part}" if _is_formula(part) else part for part in safe.split(";"))
    return f"'{safe}" if text.startswith("\t") and not safe.startswith("'") else safe


_CONTROLS = ("Cc", "Cs", "Zl", "Zp")
_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u207a\u208c\u208a\u2212")
"""ASCII signs and their Unicode variants, which some spreadsheets treat alike."""

_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


def _is_formula(text: str) -> bool:
    """Return whether the first visible character can start a formula.

    Blanks, marks and formatting characters are invisible.
    """
    visible = (c for c in text if unicodedata.category(c)[0] not in "ZCM" and c not in _FILLERS)
    return next(visible, "") in _SIGNS
