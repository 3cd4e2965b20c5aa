"""Reader of GitHub's answers in JSON files, in any wrapping."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.columns import (
    find_columns,
    full_name,
    is_rolling,
    metric_of_path,
    parse_day,
    read_day,
)
from ghtraffic_action.importing.model import Claim, Form, Found, LeftOut, Reading, Row
from ghtraffic_action.importing.unreadable import check_merged
from ghtraffic_action.repository_names import NAME_PATTERN, REPOSITORY_NAME
from ghtraffic_action.traffic.model import METRICS, Metric

API_SHAPED = Form("API-shaped JSON")

ROLLING = "numbers of weeks, months or 14 days"
ERROR = "errors of GitHub in the place of days"
_NAME = re.compile(NAME_PATTERN)
_NO_METRIC = "counts of an unknown metric: put views or clones into the file's name"
_WRAPPERS = frozenset(
    (
        *("traffic", "data", "day", "days", "daily", "history", "entries", "items", "records", "rows", "latest"),
        *("response", "result", "results", "body", "payload", "stats", "statistics", "metrics", "insights"),
        *("github", "repo", "repos", "repository", "repositories"),
    )
)
"""Keys of wrappers; other keys can be repositories."""

_ERROR_FIELDS = frozenset(("message", "documentation_url", "status", "errors"))


def recognise_json(content: bytes, path: str) -> Reading | None:
    """Return a JSON file's reading, None without traffic.

    Raises ForeignFileError if it is an error message of GitHub.
    """
    try:
        documents = list(_documents(content.decode("utf-8-sig").strip()))
    except UnicodeDecodeError:
        return None
    except (ValueError, RecursionError) as error:
        if b'"timestamp"' in content or b'"uniques"' in content:
            check_merged(content)
            raise ForeignFileError(f"it is not JSON ({error}): correct it, or leave it out") from error
        return None
    about = metric_of_path(path) is not None
    if documents and all(_error(document, bare=about) for document in documents):
        what = f"it is an error that GitHub returned, {_error(documents[0], bare=about)!r}, and no traffic"
        raise ForeignFileError(f"{what}: leave it out")
    walk = _Walk(metric_of_path(path))
    rows = (row for document in documents for row in walk.checked(document))
    if not any(True for _ in rows) and not any(map(_is_empty_answer, documents)):
        return None
    return Reading(API_SHAPED, lambda: (row for document in documents for row in walk.checked(document)))


def _documents(text: str) -> Iterator[object]:
    """Yield the JSON documents of a text, one after another."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        document, place = decoder.raw_decode(text, place)
        yield document
        while place < len(text) and text[place].isspace():
            place += 1


def _error(value: object, *, bare: bool = True) -> str:
    """Return the message of a GitHub error, or "".

    With `bare`, a message alone counts too.
    """
    if not isinstance(value, dict):
        return ""
    message, errors = value.get("message"), value.get("errors")
    if isinstance(message, str) and (
        {"documentation_url", "status"} & set(value) or (bare and set(value) <= _ERROR_FIELDS)
    ):
        return message[:100]
    if isinstance(errors, list) and errors and "data" in value and not value["data"]:
        return _error(errors[0]) or "errors"
    return ""


def _is_empty_answer(document: object) -> bool:
    return isinstance(document, dict) and {"count", "uniques"} <= document.keys() and _is_answer(document)


class _Walk:
    """Finds the days in a document, in any wrapping."""

    def __init__(self, metric: Metric | None) -> None:
        self._path_metric = metric

    def checked(self, document: object) -> Iterator[Row]:
        """Yield the rows. Raises ForeignFileError at an invalid one."""
        try:
            yield from self.rows(document, Claim(), None)
        except ValueError as error:
            raise ForeignFileError(f"{error}: correct it, or leave the file out") from error
        except RecursionError as error:
            raise ForeignFileError("it is nested too deeply: leave the file out") from error

    def rows(self, value: object, claim: Claim, metric: Metric | None) -> Iterator[Row]:
        if isinstance(value, list):
            for entry in value:
                yield from self.rows(entry, claim, metric)
        elif isinstance(value, dict):
            yield from self._object(value, claim, metric)

    def _object(self, fields: Mapping[str, Any], claim: Claim, metric: Metric | None) -> Iterator[Row]:
        if _error(fields):
            yield LeftOut(ERROR, claim)
            return
        columns = find_columns(fields, metric or self._path_metric)
        name = full_name(fields, columns)
        claim = Claim(name) if name else claim
        plain = {name: value for name, value in fields.items() if not isinstance(value, dict | list)}
        if "day" in find_columns(plain).of and not _is_answer(fields):
            yield from self._day(plain, claim, metric, fields)
        elif ("path" in plain or "referrer" in plain) and "count" in plain:
            yield LeftOut("paths or referrers without a date", claim)
        else:
            for key, child in fields.items():
                yield from self._child(key, child, claim, metric)

    def _child(self, key: str, child: object, claim: Claim, metric: Metric | None) -> Iterator[Row]:
        if not isinstance(child, dict | list):
            return
        if isinstance(child, dict) and _is_day(key):
            yield from self._object({"date": key} | child, claim, metric)
        elif REPOSITORY_NAME.fullmatch(key):
            yield from self.rows(child, Claim(key), metric)
        elif is_rolling(key) and not ("14" in key and _is_answer(child)):
            if any(True for _ in self.rows(child, claim, metric or "views")):
                yield LeftOut(ROLLING, claim)
        elif key and (found := metric_of_path(key)):
            yield from self.rows(child, claim, found)
        elif key.lower() in _WRAPPERS:
            yield from self.rows(child, claim, metric)
        elif _NAME.fullmatch(key) and isinstance(child, dict) and any(name in child for name in METRICS):
            yield from self.rows(child, Claim(key), metric)

    def _day(
        self, plain: Mapping[str, Any], claim: Claim, metric: Metric | None, fields: Mapping[str, Any]
    ) -> Iterator[Row]:
        """Yield an object's day: its own numbers, or those of each metric below it."""
        columns = find_columns(plain, metric or self._path_metric)
        nested = [name for name in METRICS if isinstance(fields.get(name), dict)]
        named = [name for name in fields if REPOSITORY_NAME.fullmatch(name) and isinstance(fields[name], dict)]
        date = {"date": plain[columns.of["day"]]}
        if named:
            for name in named:
                yield from self._object(date | dict(fields[name]), Claim(name), metric)
        elif nested:
            for name in nested:
                yield from self._object(date | dict(fields[name]), claim, name)
        elif columns.without_uniques:
            alone = ", ".join(columns.without_uniques)
            raise ValueError(f"{alone}: a count without uniques may be a total of any kind")
        elif columns.metrics:
            day = read_day(plain, columns, claim.name)
            yield Found(claim, day) if day else LeftOut("rows of a whole month", claim)
        elif "count" in columns.of:
            yield LeftOut(_NO_METRIC, claim)
        elif any("view" in name or "clone" in name for name in columns.rolling):
            yield LeftOut(ROLLING, claim)


def _is_answer(fields: object) -> bool:
    """Return whether an object lists days, so that its own numbers are sums."""
    if not isinstance(fields, dict):
        return False
    children = [fields[metric] for metric in METRICS if metric in fields]
    return any(isinstance(child, list) or _is_answer(child) for child in children)


def _is_day(key: str) -> bool:
    try:
        parse_day(key)
    except ValueError:
        return False
    return True
