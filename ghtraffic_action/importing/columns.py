"""Columns of other tools: aliases of names, parsers of cells."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.repository_names import NAME_PATTERN, OWNER_PATTERN
from ghtraffic_action.traffic.model import METRICS, NUMBERS, Day, Metric

_ALIASES = {
    "day": ("day", "_date", "date", "time_iso8601", "timestamp", "datetime"),
    "name": ("repository", "repository_name", "repo_name", "repo", "full_name", "name"),
    "owner": ("owner", "org", "organization", "organisation"),
    "id": ("repository_id", "repo_id"),
    "views": ("views", "total_views", "views_total", "views_count", "view_count", "count_views"),
    "view_uniques": (
        "view_uniques",
        "unique_views",
        "views_unique",
        "views_uniques",
        "unique_visitors",
        "visitors",
        "uniques_views",
    ),
    "clones": ("clones", "total_clones", "clones_total", "clones_count", "clone_count", "count_clones"),
    "clone_uniques": (
        "clone_uniques",
        "unique_clones",
        "clones_unique",
        "clones_uniques",
        "unique_cloners",
        "cloners",
        "uniques_clones",
    ),
    "count": ("count",),
    "uniques": ("uniques", "unique", "daily_uniques", "unique_visitors/cloners"),
}
"""Aliases of columns. `count` and `uniques` are those of the file's only metric."""

_NUMBER = re.compile(r"(\d+)(?:\.(?!000$)0+)?")
"""Digits, also with a fraction of zeros; not 1.000, which can be a thousand."""

_UNKNOWN = frozenset(("", "nan", "na", "n/a", "#n/a", "null", "none", "\\n"))
"""Representations of a missing number."""

_LARGEST = 1_000_000_000
"""More views or clones on a day are implausible."""

_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?github\.com/|https?://api\.github\.com/repos/|git@github\.com:", re.IGNORECASE
)
_MONTH = re.compile(r"\d{4}-\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEKDAY = re.compile(r"\d{4}-?W\d{2}-?\d")
_ROLLING = re.compile(r"14_?d|14_?days|week|month|rolling|cumulative")
"""Names of columns with sums over several days."""

_NAMED = re.compile(rf"(?:{OWNER_PATTERN}/)?{NAME_PATTERN}")
_WORDS = re.compile(r"[ -]+|(?<=[a-z])(?=[A-Z])")

_OTHER_METRIC = {"views": "clones", "clones": "views"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The file's column names by our names."""

    of: Mapping[str, str]
    rolling: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics with columns."""
        return tuple(metric for metric in METRICS if metric in self.of)

    @property
    def without_uniques(self) -> tuple[str, ...]:
        """The count columns without a column of uniques."""
        return tuple(self.of[metric] for metric in self.metrics if f"{metric[:-1]}_uniques" not in self.of)


@lru_cache(maxsize=1024)  # each row has the same columns
def plain_name(name: str) -> str:
    """Return a column's name in snake case: `totalViews` and `Total views` become `total_views`."""
    return _WORDS.sub("_", name.strip()).lower()


def find_columns(header: Iterable[str], metric: Metric | None = None) -> Columns:
    """Return the known columns of a header.

    `metric` is that of columns named only `count` and `uniques`.
    """
    names = {plain_name(name): name for name in header}
    found = {
        ours: next(names[alias] for alias in aliases if alias in names)
        for ours, aliases in _ALIASES.items()
        if any(alias in names for alias in aliases)
    }
    counts = [name for name in METRICS if name in found]
    if not counts and metric and "count" in found:
        found[metric] = found["count"]
        counts = [metric]
    missing = [name for name in counts if f"{name[:-1]}_uniques" not in found]
    if len(missing) == 1:
        found |= _uniques_of(missing[0], found, alone=len(counts) == 1)
    return Columns(found, tuple(name for name in names if _ROLLING.search(name)))


def _uniques_of(metric: str, found: Mapping[str, str], *, alone: bool) -> dict[str, str]:
    """Return the column of a metric's uniques.

    A column that names no metric counts too, and also one of the other metric if the file has only the metric `alone`.
    """
    other = f"{_OTHER_METRIC[metric][:-1]}_uniques"
    place = "uniques" if "uniques" in found else other if alone and other in found else ""
    return {f"{metric[:-1]}_uniques": found[place]} if place else {}


def read_day(cells: Mapping[str, Any], columns: Columns, name: str) -> Day | None:
    """Return a row's day, None for a month. Raises ValueError."""
    day = parse_day(cells[columns.of["day"]])
    held = {number: columns.of[number] for number in NUMBERS if number in columns.of}
    numbers = {number: parse_number(cells.get(column), column) for number, column in held.items()}
    return None if day is None else Day(day, name, **numbers)


def parse_day(value: object) -> date | None:
    """Parse a date or UTC midnight; None for a month."""
    text = str(value).strip()
    if _MONTH.fullmatch(text):
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a date: expected YYYY-MM-DD") from error
    if "W" in text and not _WEEKDAY.fullmatch(text):
        raise ValueError(f"{text!r} is a week: expected a day, YYYY-MM-DD")
    if moment.utcoffset() not in (None, timedelta(0)):
        raise ValueError(f"{text!r} is of another time zone: expected a day in UTC")
    if moment.replace(tzinfo=UTC) != datetime.combine(moment.date(), datetime.min.time(), UTC):
        raise ValueError(f"{text!r} is a moment: expected a day, YYYY-MM-DD")
    return moment.date()


def parse_number(value: object, column: str) -> int | None:
    """Parse a count, also 12.0; None for an empty cell."""
    number = _parse_digits(value, column)
    if number is not None and number > _LARGEST:
        raise ValueError(f"{column} is {str(value)[:40]!r}: expected at most {_LARGEST:,}, which no repository reaches")
    return number


def _parse_digits(value: object, column: str) -> int | None:
    if value is None or str(value).strip().lower() in _UNKNOWN:
        return None
    found = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value).strip())
    if not found or len(found[1]) > 18:  # noqa: PLR2004 - digits that fit into 64 bits
        raise ValueError(f"{column} is {str(value)[:40]!r}: expected a number from 0 on, in digits only")
    return int(found[1])


def parse_id(value: object) -> int | None:
    """Parse GitHub's repository id; None for an empty cell."""
    number = _parse_digits(value, "the repository's id")
    if number == 0:
        raise ValueError("the repository's id is 0: expected GitHub's number of it")
    return number


def is_rolling(name: str) -> bool:
    """Return whether a column has sums over several days."""
    return bool(_ROLLING.search(plain_name(name)))


def full_name(cells: Mapping[str, Any], columns: Columns) -> str:
    """Return a row's repository, with its owner if there is a column for it."""
    held = {part: cells.get(columns.of[part]) for part in ("name", "owner") if part in columns.of}
    name, owner = (plain_repository(held.get(part)) for part in ("name", "owner"))
    if columns.of.get("name", "").lower() == "name" and not _NAMED.fullmatch(name):
        return ""  # a title of anything
    return f"{owner}/{name}" if owner and name and "/" not in name else name


def plain_repository(value: object) -> str:
    """Return a repository's name, also from its URL; empty if there is none."""
    return _plain_text(value) if isinstance(value, str) else ""


@lru_cache(maxsize=1024)  # most rows have the name of the row before
def _plain_text(value: str) -> str:
    name = _ADDRESS.sub("", value.strip(), count=1)
    return name.removesuffix("/").removesuffix(".git").encode(errors="replace").decode()


def metric_of_path(path: str) -> Metric | None:
    """Return the metric that a file's name, or else its folder (`views`, `clones`), names."""
    *folders, name = PurePath(path).parts
    folder = folders[-1].lower() if folders and folders[-1].lower() in METRICS else ""
    for text in (plain_name(name), folder):
        found = [metric for metric in METRICS if re.search(rf"(?<![a-z]){metric}?(?![a-z])", text)]
        if len(found) == 1:
            return found[0]
    return None


def check_columns(columns: Columns, header: Iterable[str]) -> None:
    """Raise ForeignFileError if the columns have no daily numbers."""
    header = [plain_name(name) for name in header]
    shown = ",".join(header)[:100]
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise ForeignFileError(f"{', '.join(twice)}: two columns of one name: give each its own name")
    if "day" not in columns.of:
        raise ForeignFileError(f"its rows are months, weeks or sums, not days ({shown}): leave it out")
    if not columns.metrics:
        rolling = ", ".join(columns.rolling)
        raise ForeignFileError(f"{rolling}: sums of several days, which no day can be read from: leave it out")
    if columns.without_uniques:
        alone = ", ".join(columns.without_uniques)
        raise ForeignFileError(f"{alone}: a count without uniques may be a total of any kind: leave the file out")
