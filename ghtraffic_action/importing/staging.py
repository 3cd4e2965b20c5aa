"""A temporary store of rows until their repositories are known."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ghtraffic_action.errors import ForeignFileError, StoreError
from ghtraffic_action.importing.model import Claim, Found, LeftOut, Reading, Row
from ghtraffic_action.importing.ownership import name_in_path
from ghtraffic_action.importing.sources import Source
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.traffic.merge import merge_records
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.provenance import ImportedFile

_BATCH = 20_000
"""Rows in memory."""


@dataclass(slots=True)
class FileVersions:
    """The versions of a file: its form, and their SHA-256 in reading order."""

    form: str
    digests: dict[str, None] = field(default_factory=dict)

    def describe(self, name: str) -> ImportedFile:
        """Return the record of the file; several versions share one combined SHA-256."""
        if len(self.digests) == 1:
            return ImportedFile(self.form, name, *self.digests)
        together = sha256("\n".join(self.digests).encode()).hexdigest()
        return ImportedFile(self.form, f"{name} ({len(self.digests)} versions)", together)


@dataclass(slots=True)
class Claimed:
    """The rows of one claim: staging id, file names, and counts of left-out rows."""

    place: int
    staged: bool = False
    files: dict[str, FileVersions] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


class Staging:
    """A temporary store of rows by claim."""

    def __init__(self, folder: str) -> None:
        """Store in `folder`, which stays empty without rows."""
        self._folder = folder
        self._opened: SQLiteStore | None = None
        self.claims: dict[Claim, Claimed] = {}

    def add(self, source: Source, reading: Reading, rows: Iterable[Row]) -> None:
        """Add the rows of a checked file."""
        name = name_in_path(source.place)
        rows, hint = iter(rows), Claim(name, by_path=bool(name))
        met = set[Claim]()
        while batch := list(islice(rows, _BATCH)):
            by_claim: dict[Claim, list[Row]] = {}
            for row in batch:
                by_claim.setdefault(hint if row.claim == Claim() else row.claim, []).append(row)
            for claim, found in by_claim.items():
                self._save(claim, found)
            met |= by_claim.keys()
        for claim in met:
            file_name = source.name if source.path else source.name.rpartition("@")[0]
            file = self.claims[claim].files.setdefault(file_name, FileVersions(reading.form.name))
            file.digests[source.sha256] = None

    def load(self, claim: Claim) -> History:
        """Return the rows of a claim."""
        with self._store() as store:
            return store.load(self.claims[claim].place)

    def close(self) -> None:
        """Close the store."""
        if self._opened:
            self._opened.close()

    @contextmanager
    def _store(self) -> Iterator[SQLiteStore]:
        try:
            self._opened = self._opened or SQLiteStore(str(Path(self._folder) / "staging.db"))
            yield self._opened
        except StoreError as error:
            remedy = "free some space there, or set TMPDIR to a folder with free space"
            raise ForeignFileError(f"temporary files in {self._folder}: {error}: {remedy}") from error

    def _save(self, claim: Claim, rows: Iterable[Row]) -> None:
        claimed = self.claims.setdefault(claim, Claimed(len(self.claims) + 1))
        claimed.left_out.update(row.reason for row in rows if isinstance(row, LeftOut))
        records = [row.record for row in rows if isinstance(row, Found)]
        claimed.staged |= bool(records)
        with self._store() as store:
            store.save(claimed.place, merge_records(records))
