"""The last 400 days of all repositories, for spreadsheets."""

from collections.abc import Callable
from datetime import date, timedelta

from ghtraffic_action.exports.csvfile import UnreadableError, parse, render_rows
from ghtraffic_action.exports.layout import DAILY, DAILY_PREFIX, month_key, month_of_key, months

DAYS = 400

ROWS = 500_000
"""Maximum rows: half of a spreadsheet's limit. With more repositories the file has fewer days."""

_HEADER = render_rows([DAILY.columns])

ReadFile = Callable[[str], bytes | None]
"""Returns the content of a file by its key; None if there is no such file."""


def recent_days(old: bytes | None, first: str, last: str, read: ReadFile, limit: int = ROWS) -> bytes:
    """Return the file, with months `first` to `last` read again.

    Older months come from `old`, or are all read again if `old` is incomplete or has another form. The file has at most
    `limit` rows.
    """
    begin = f"{first}-01"
    kept = _rows_until(old, begin, limit) if old is not None else None
    if kept is None:
        newest = date.fromisoformat(f"{last}-01") + timedelta(days=31)  # other repositories may have newer days
        found = months(newest - timedelta(days=31 + DAYS), newest)
        return _cut(b"".join(_rows(month, read) for month in found), limit)
    changed = months(date.fromisoformat(begin), _last(old, last))
    return _cut(b"".join((kept, *(_rows(month, read) for month in changed))), limit)


def _rows_until(old: bytes, day: str, limit: int) -> bytes | None:
    """Return the rows before a day, None for an unusable file."""
    if not old.startswith(_HEADER) or not old.endswith(b"\r\n"):
        return None
    try:
        if len(old) == len(_HEADER):
            return None
        if _day(old, len(_HEADER)) >= day:
            return b"" if _is_all(old, limit) else None
        return old[len(_HEADER) : _offset(old, day, len(_HEADER))]
    except (ValueError, UnreadableError):
        return None


def _is_all(old: bytes, limit: int) -> bool:
    """Return whether a file is well below its limits, so that it has all days."""
    first, last = (date.fromisoformat(day) for day in (_day(old, len(_HEADER)), _newest(old)))
    return (last - first).days < DAYS - 1 and old.count(b"\n") <= limit // 2


def _last(old: bytes | None, month: str) -> date:
    """Return a day of the last month, `month` or later."""
    newest = _newest(old or b"")
    return max(date.fromisoformat(f"{month}-01"), date.fromisoformat(newest) if newest else date.min)


def _rows(month: str, read: ReadFile) -> bytes:
    """Return a month's rows with our columns only. Raises UnreadableError."""
    key = month_key("daily", month)
    content = read(key)
    if content is None:
        return b""
    if content.startswith(_HEADER):
        return content[len(_HEADER) :]
    table = parse(key, content)
    return render_rows(tuple(record.get(column, "") for column in DAILY.columns) for record in table.records())


def _cut(rows: bytes, limit: int) -> bytes:
    """Return the newest whole days that fit the limits."""
    newest = _newest(rows)
    if not newest:
        return _HEADER
    first = (date.fromisoformat(newest) - timedelta(days=DAYS - 1)).isoformat()
    begin = _offset(rows, first)
    for _ in range(rows.count(b"\n", begin) - limit):
        begin = rows.index(b"\n", begin) + 1
    if begin and _day(rows, begin) == _day(rows, rows.rfind(b"\n", 0, begin - 1) + 1):
        begin = _offset(rows, _next(_day(rows, begin)))  # days are complete or absent
    return b"".join((_HEADER, memoryview(rows)[begin:]))


def _newest(rows: bytes) -> str:
    """Return the day of the last row, or ""."""
    return _day(rows, rows.rfind(b"\n", 0, len(rows) - 1) + 1) if rows and rows != _HEADER else ""


def _offset(rows: bytes, day: str, begin: int = 0) -> int:
    """Return the offset of a day's first row by bisection."""
    end = len(rows)
    while begin < end:
        line = rows.rfind(b"\n", begin, (begin + end) // 2) + 1 or begin
        if _day(rows, line) < day:
            begin = rows.index(b"\n", line) + 1
        else:
            end = line
    return begin


def _day(rows: bytes, begin: int) -> str:
    """Return the day at a row's offset. Raises UnreadableError.

    Names and ids need no quotes, so a line is a row.
    """
    fields = rows[begin : rows.find(b"\n", begin)].split(b",", 3)
    if len(fields) < 4:  # noqa: PLR2004 - repository, id, day, the rest
        raise UnreadableError("has a row without a day")
    return fields[2].decode()


def _next(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def month_span(keys: set[str]) -> tuple[str, str] | None:
    """Return the first and last month with days, or None."""
    found = sorted(key for key in keys if key.startswith(DAILY_PREFIX))
    return (month_of_key(found[0]), month_of_key(found[-1])) if found else None
