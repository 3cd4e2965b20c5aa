"""The file of a store's records, one per line.

The first line names the format, the last has the number of records and their hash.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import Any, BinaryIO, Literal

from ghtraffic_action.traffic.encodings import compression, marked_encoding
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.provenance import ImportRecord
from ghtraffic_action.traffic.records import Record, read_record, write_imports, write_records

FORMAT = "ghtraffic backup"
VERSION = 2
"""The version that is written; docs/backup.md describes the form."""

READABLE = (1, 2)
"""The readable versions; version 2 added listed days, the last day of totals, and retirement."""

_LONGEST = 16 * 1024 * 1024
"""Maximum bytes of a line; a longer one is invalid."""

_SHORT = 1000
"""The first line has fewer bytes."""


class LineError(ValueError):
    """An invalid line; `kind` selects the remedy."""

    def __init__(self, number: int, what: str, kind: Literal["head", "version", "line", "end"]) -> None:
        super().__init__(what)
        self.number = number
        self.kind = kind


def write_lines(records: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file with these records."""
    digest, number = sha256(), 0
    for number, line in enumerate(chain((_line({"format": FORMAT, "version": VERSION}),), records)):  # noqa: B007 - the number of records, after the loop
        digest.update(line)
        yield line
    yield _line({"records": number, "sha256": digest.hexdigest()})


def record_lines(history: History, imports: Iterable[ImportRecord] = ()) -> Iterator[bytes]:
    """Yield the lines of a history: days, snapshots, imports."""
    return map(_line, chain(write_records(history), write_imports(history.repository_id, imports)))


def is_record_file(content: bytes) -> bool:
    """Return whether a file's content or first line is that of a backup."""
    first = content.removeprefix(BOM_UTF8).lstrip().partition(b"\n")[0]
    try:
        fields = json.loads(first) if first.startswith(b"{") and len(first) < _SHORT else None
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("format") == FORMAT


def read_record_line(line: bytes) -> Record:
    """Parse a record's line, of any day. Raises ValueError if it is invalid."""
    return read_record(_parse(line, line), date.max)[1]


def read_lines(file: BinaryIO, today: date) -> Iterator[tuple[int, Record, bytes]]:
    """Yield all records, each with its repository's id and line.

    Raises LineError at the first invalid line, such as a day after `today`. The file is complete only if none was
    raised.
    """
    number, records, seen = 0, -1, sha256()  # the head is no record
    for number, raw in enumerate(iter(partial(file.readline, _LONGEST), b""), 1):
        try:
            if records < 0:
                _check_encoding(raw)
            if not (line := _written(raw, first=number == 1)):
                continue
            fields = _parse(line, raw)
            if records < 0:
                _check_head(fields)
            elif isinstance(fields, dict) and "records" in fields:
                more = any(_written(rest) for rest in iter(partial(file.readline, _LONGEST), b""))
                _check_end(fields, records, seen.hexdigest(), more=more)
                return
            else:
                yield *read_record(fields, today), line
        except LineError:
            raise
        except ValueError as error:
            raise LineError(number, str(error), "line" if records >= 0 else "head") from error
        records += 1
        seen.update(line)
    what = "the last line of a backup is missing, so the file was cut off" if number else "the file is empty"
    raise LineError(number + 1, what, "end")


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _written(line: bytes, *, first: bool = False) -> bytes:
    """Strip what editors, git and Windows add to a line."""
    text = (line.removeprefix(BOM_UTF8) if first else line).strip(b" \t\r\n\x1a")
    return text and text + b"\n"


def _parse(line: bytes, raw: bytes) -> object:
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON" if raw.endswith(b"\n") else "it is cut off") from error


def _check_encoding(line: bytes) -> None:
    """Raise ValueError for a compressed file or another encoding."""
    if packed := compression(line):
        raise ValueError(f"the file is compressed ({packed}), so it has to be unpacked first")
    if b"\0" in line:
        encoding = marked_encoding(line) or "UTF-16"
        raise ValueError(f"the file is in {encoding} or damaged, and a backup is in UTF-8")


def _check_head(fields: object) -> None:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError("it is not the first line of a backup")
    if fields.get("version") not in READABLE:
        what = f"the backup is of version {fields.get('version')!r}, this ghtraffic reads {VERSION} and older ones"
        raise LineError(1, what, "version")


def _check_end(fields: dict[str, Any], records: int, digest: str, *, more: bool) -> None:
    if fields["records"] != records:
        raise ValueError(f"it counts {fields['records']!r} records, but there are {records}")
    if fields.get("sha256", digest) != digest:
        raise ValueError("the lines above it have another SHA-256: they were changed or damaged")
    if more:
        raise ValueError("it should be the last line, but another follows")
