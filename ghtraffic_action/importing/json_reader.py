"""The reader of JSON files in the shape of GitHub's answers: raw, by day, in lists, wrapped."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.columns import find_columns, full_name, metric_of_path, parse_day, read_day
from ghtraffic_action.importing.model import Claim, Form, Found, LeftOut, Reading, Row
from ghtraffic_action.repository_names import REPOSITORY_NAME
from ghtraffic_action.traffic.model import METRICS, Metric

API_SHAPED = Form("API-shaped JSON")

_NO_METRIC = "days of views or of clones: put the word into the file's name"
_WRAPPERS = ("traffic", "data", "days", "daily", "history", "entries", "items")


def recognise_json(content: bytes, path: str) -> Reading | None:
    """Return the reading of a JSON file; None if it is no JSON, or none about traffic.

    Raises ForeignFileError if it is an error that GitHub returned.
    """
    try:
        documents = list(_documents(content.decode("utf-8-sig").strip()))
    except UnicodeDecodeError:
        return None
    except (ValueError, RecursionError) as error:
        if b'"timestamp"' in content or b'"uniques"' in content:
            raise ForeignFileError(f"it is no JSON ({error}): correct it, or leave it out") from error
        return None
    for document in documents:
        _refuse_error(document)
    walk = _Walk(metric_of_path(path))
    try:
        if not any(True for document in documents for _ in walk.rows(document, Claim(), None)):
            return None
    except ValueError as error:
        raise ForeignFileError(f"{error}: correct it, or leave the file out") from error
    return Reading(API_SHAPED, lambda: (row for document in documents for row in walk.checked(document)))


def _documents(text: str) -> Iterator[object]:
    """Yield the documents of a text, which may be several, one after another."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        document, place = decoder.raw_decode(text, place)
        yield document
        while place < len(text) and text[place].isspace():
            place += 1


def _refuse_error(document: object) -> None:
    if not isinstance(document, dict) or "message" not in document:
        return
    if "documentation_url" in document or "status" in document:
        message = str(document["message"])[:100]
        raise ForeignFileError(f"it is an error that GitHub returned, {message!r}, and no traffic: leave it out")


class _Walk:
    """Finds the days of a document, whatever they are wrapped in."""

    def __init__(self, metric: Metric | None) -> None:
        self._path_metric = metric

    def checked(self, document: object) -> Iterator[Row]:
        """Yield the rows. Raises ForeignFileError at one that is broken."""
        try:
            yield from self.rows(document, Claim(), None)
        except ValueError as error:
            raise ForeignFileError(f"{error}: correct it, or leave the file out") from error

    def rows(self, value: object, claim: Claim, metric: Metric | None) -> Iterator[Row]:
        if isinstance(value, list):
            for entry in value:
                yield from self.rows(entry, claim, metric)
        elif isinstance(value, dict):
            yield from self._object(value, claim, metric)

    def _object(self, fields: Mapping[str, Any], claim: Claim, metric: Metric | None) -> Iterator[Row]:
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
        elif key and (found := metric_of_path(key)):
            yield from self.rows(child, claim, found)
        elif key.lower() in _WRAPPERS:
            yield from self.rows(child, claim, metric)

    def _day(
        self, plain: Mapping[str, Any], claim: Claim, metric: Metric | None, fields: Mapping[str, Any]
    ) -> Iterator[Row]:
        """Yield the day of one object: its own numbers, or those of each metric below it."""
        columns = find_columns(plain, metric or self._path_metric)
        nested = [name for name in METRICS if isinstance(fields.get(name), dict)]
        date = {"date": plain[columns.of["day"]]}
        if nested:
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


def _is_answer(fields: Mapping[str, Any]) -> bool:
    """Return whether an object lists days itself: its own count and uniques are sums, and its date that of a run."""
    children = [fields[metric] for metric in METRICS if metric in fields]
    return any(isinstance(child, list) or (isinstance(child, dict) and _is_answer(child)) for child in children)


def _is_day(key: str) -> bool:
    try:
        parse_day(key)
    except ValueError:
        return False
    return True
