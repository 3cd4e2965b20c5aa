"""The interface of stores."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.provenance import ImportRecord, Reversal
from ghtraffic_action.traffic.stars import StarYear

COLLECT_FIRST = "run `ghtraffic collect` first, or name the store that it writes"
"""The remedy for a missing or empty store."""

EMPTY = f"store {{store}}: it holds nothing: {COLLECT_FIRST}"
"""The error of a store that should not be empty."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The records that a save touched, as they are now and as they were."""

    stored: Changes
    inserted: int = 0
    raised: int = 0


class Imports(Protocol):
    """Stores the records of imports, which runs do not read. Every method raises StoreError."""

    def records(self, repository_id: int) -> tuple[ImportRecord, ...]:
        """Read a repository's import records, the oldest first."""

    def add(self, repository_id: int, record: ImportRecord) -> None:
        """Write a record, replacing one of the same id."""

    def take_back(self, repository_id: int, undone: ImportRecord, reversal: Reversal) -> bool:
        """Reverse an import, then remove its record. Only here can numbers fall.

        Return False if a day or snapshot was changed concurrently: the record then stays, so read again.
        """


class Store(Protocol):
    """Stores histories by the merge rule, with concurrent writers. Every method raises StoreError."""

    @property
    def imports(self) -> Imports:
        """The records of imports."""

    def load(self, repository_id: int, since: date | None = None) -> History:
        """Read a repository's history from `since` on (None: all), with all earlier saves."""

    def load_stars(self, repository_id: int) -> tuple[StarYear, ...]:
        """Read the stars of all years, omitted by some loads."""

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """Raise numbers and replace older groups; write snapshots only after all days."""

    def scan(self) -> Iterator[History]:
        """Read all histories, one at a time, in any order."""

    def close(self) -> None:
        """Close files and connections."""


def open_store(address: str, *, create: bool, runtime: Runtime | None = None) -> Store:
    """Open `dynamodb://TABLE`, `sqlite:PATH` or `jsonl:PATH`; `create` permits a new file.

    Without `create`, a read-only file can be opened too. Raises StoreError; a table is first accessed by a read.
    """
    kind, _, rest = address.partition(":")
    if kind == "dynamodb":
        from ghtraffic_action.stores.dynamodb import DynamoDBStore  # noqa: PLC0415 - boto3 is slow to import

        return DynamoDBStore(rest.removeprefix("//"), runtime)
    if kind == "jsonl":
        from ghtraffic_action.stores.jsonl import JsonLinesStore  # noqa: PLC0415 - only where it is used

        return JsonLinesStore(rest, create=create)
    from ghtraffic_action.stores.sqlite import SQLiteStore  # noqa: PLC0415 - only where it is used

    return SQLiteStore(rest, create=create)


def open_or_empty(address: str, runtime: Runtime | None = None) -> Store:
    """Open a store for reading, in memory and empty if there is no file."""
    kind, _, path = address.partition(":")
    missing = kind != "dynamodb" and not os.path.exists(path)  # noqa: PTH110 - Path.exists raises for a forbidden folder
    return open_store("sqlite::memory:", create=True) if missing else open_store(address, create=False, runtime=runtime)
