"""Recognition of a file's form by its content."""

import re
from pathlib import Path

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.csv_reader import recognise_csv
from ghtraffic_action.importing.json_reader import recognise_json
from ghtraffic_action.importing.model import Reading
from ghtraffic_action.importing.sqlite_reader import MAGIC, is_store_of_ours, recognise_sqlite
from ghtraffic_action.importing.unreadable import as_utf8, check_data
from ghtraffic_action.traffic.encodings import compression
from ghtraffic_action.traffic.record_file import is_record_file

_TEXT = re.compile(r".*\.(?:csv|tsv|jsonl?|ndjson)(?:\.(?:gz|bz2|xz|zst|7z|zip))?", re.IGNORECASE | re.DOTALL)
_DATABASE = re.compile(r".*\.(?:db|sqlite3?)", re.IGNORECASE | re.DOTALL)
"""Names of database files, which are expected to have data."""

_HEAD = 1000
"""The first line of a backup ends within these bytes."""

_BOM = b"\xef\xbb\xbf"


class SkippedFileError(ForeignFileError):
    """A file in a folder that is skipped; other files are still imported."""


def recognise(content: bytes, name: str, path: Path | None, *, named: bool) -> Reading | None:
    """Return the reading of another tool's file, None for an unrelated file in a folder.

    Raises ForeignFileError if the file cannot be read, or if the user `named` it and it is unrelated. Raises
    SkippedFileError for a compressed file or a ghtraffic store in a folder.
    """
    text = bool(_TEXT.fullmatch(name))
    if (named or text) and (packed := compression(content)):
        raise _other(f"compressed ({packed}): unpack it, then import what it holds", named=named)
    content = as_utf8(content) if named or text else content
    if is_record_file(content[:_HEAD].replace(b"\r", b"\n")):
        what = "it is a backup of ghtraffic in another encoding, or with unusual line ends"
        raise ForeignFileError(f"{what}: save it as UTF-8, or make it again with `ghtraffic export --format jsonl`")
    reading = _recognise(content, name, path)
    if reading is None and is_store_of_ours(content, path):
        raise _other("a store of ghtraffic: import what `ghtraffic export --format jsonl` writes of it", named=named)
    if reading is None and (named or text or _DATABASE.fullmatch(name)) and not content.removeprefix(_BOM).strip():
        raise ForeignFileError("it is empty: leave it out")
    if reading is None and text:
        check_data(content)
    if reading is None and named:
        raise ForeignFileError("its form is unknown (docs/import.md lists them): leave it out")
    return reading


def _recognise(content: bytes, name: str, path: Path | None) -> Reading | None:
    if content.startswith(MAGIC):
        return recognise_sqlite(content, path)
    if b"\0" in content[:4096]:
        return None
    start = content.removeprefix(_BOM).lstrip()[:1]
    return recognise_json(content, name) if start in (b"{", b"[") else recognise_csv(content, name)


def _other(what: str, *, named: bool) -> ForeignFileError:
    return (ForeignFileError if named else SkippedFileError)(f"it is {what}")
