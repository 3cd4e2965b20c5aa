"""Where histories are kept: what every store can do."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.provenance import ImportRecord, Reversal

EMPTY = "store {store}: it holds nothing: name the store that `ghtraffic collect` keeps"
"""What is said of a store that should have something to read."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save left in the store: the days and snapshots it touched as they are now, and how it found them."""

    stored: Changes
    inserted: int = 0
    raised: int = 0


class Imports(Protocol):
    """Keeps the records of imports, which no run reads. Every method raises StoreError."""

    def records(self, repository_id: int) -> tuple[ImportRecord, ...]:
        """Read the records of one repository's imports, the oldest first."""

    def add(self, repository_id: int, record: ImportRecord) -> None:
        """Write a record; one of the same id is replaced."""

    def take_back(self, repository_id: int, undone: ImportRecord, reversal: Reversal) -> bool:
        """Write what takes an import back, then remove its record: the only place where a number falls.

        Return False if somebody else changed a day or a snapshot meanwhile: then the record stays, so read again.
        """


class Store(Protocol):
    """Keeps histories by the merge rule, whoever else writes at the same time. Every method raises StoreError."""

    @property
    def imports(self) -> Imports:
        """The records of imports."""

    def load(self, repository_id: int, since: date | None = None) -> History:
        """Read one repository's history from `since` on (None: all of it), consistent with all earlier saves."""

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """Raise numbers and replace groups, never the other way; the snapshots only after every day is stored."""

    def scan(self) -> Iterator[History]:
        """Read every repository's whole history, one at a time, in no order."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_store(address: str, *, create: bool) -> Store:
    """Open the store that `dynamodb://TABLE` or `sqlite:PATH` names; `create` makes a SQLite file that is not there.

    Raises StoreError where it cannot be opened. A table is looked at when it is first read.
    """
    kind, _, rest = address.partition(":")
    if kind == "dynamodb":
        from ghtraffic_action.stores.dynamodb import DynamoDBStore  # noqa: PLC0415 - boto3 is slow to import

        return DynamoDBStore(rest.removeprefix("//"))
    from ghtraffic_action.stores.sqlite import SQLiteStore  # noqa: PLC0415 - likewise only where it is used

    return SQLiteStore(rest, create=create)


def open_or_empty(address: str) -> Store:
    """Open a store to read it; one in memory, which is empty, if there is no such file."""
    path = address.removeprefix("sqlite:")
    missing = path != address and not os.path.exists(path)  # noqa: PTH110 - it says no where Path's own raises an error
    return open_store("sqlite::memory:" if missing else address, create=True)
