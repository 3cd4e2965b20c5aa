"""Where histories are kept: what every store can do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ghtraffic_action.traffic.model import Changes, History

EMPTY = "store {store}: it holds nothing: name the store that `ghtraffic collect` keeps"
"""What is said of a store that should have something to read."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save left in the store: the days and snapshots it touched as they are now, and how it found them."""

    stored: Changes
    inserted: int = 0
    raised: int = 0


class Store(Protocol):
    """Keeps histories by the merge rule, whoever else writes at the same time. Every method raises StoreError."""

    def load(self, repository_id: int, since: date | None = None) -> History:
        """Read one repository's history from `since` on (None: all of it), consistent with all earlier saves."""

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """Raise numbers and replace groups, never the other way; the snapshots only after every day is stored."""

    def scan(self) -> Iterator[History]:
        """Read every repository's whole history, one at a time, in no order."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_store(address: str, *, create: bool) -> Store:
    """Open the store that `dynamodb://TABLE`, `sqlite:PATH` or `jsonl:PATH` names; `create` permits a new file.

    Raises StoreError where it cannot be opened. A table is looked at when it is first read.
    """
    kind, _, rest = address.partition(":")
    if kind == "dynamodb":
        from ghtraffic_action.stores.dynamodb import DynamoDBStore  # noqa: PLC0415 - boto3 is slow to import

        return DynamoDBStore(rest.removeprefix("//"))
    if kind == "jsonl":
        from ghtraffic_action.stores.jsonl import JsonLinesStore  # noqa: PLC0415 - only where it is used

        return JsonLinesStore(rest, create=create)
    from ghtraffic_action.stores.sqlite import SQLiteStore  # noqa: PLC0415 - likewise only where it is used

    return SQLiteStore(rest, create=create)
