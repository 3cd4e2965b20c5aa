"""The recognition of a file's form by its content."""

from pathlib import Path

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.csv_reader import recognise_csv
from ghtraffic_action.importing.json_reader import recognise_json
from ghtraffic_action.importing.model import Reading
from ghtraffic_action.importing.sqlite_reader import MAGIC, recognise_sqlite

_DATA = (".csv", ".json", ".db", ".sqlite", ".sqlite3")


def recognise(content: bytes, name: str, path: Path | None, *, named: bool) -> Reading | None:
    """Return the reading of a file of another tool; None if it is something else, as folders have it.

    A file that the user `named` has to be one. Raises ForeignFileError otherwise, or if it cannot be read.
    """
    reading = None
    if content.startswith(MAGIC):
        reading = recognise_sqlite(content, path)
    elif b"\0" not in content[:4096]:
        start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        reading = recognise_json(content, name) if start in (b"{", b"[") else recognise_csv(content, name)
    if reading is None and not content.strip() and (named or name.endswith(_DATA)):
        raise ForeignFileError("it is empty: leave it out")
    if reading is None and named:
        raise ForeignFileError("it is none of the forms that are known (docs/import.md lists them): leave it out")
    return reading
