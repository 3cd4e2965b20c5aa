"""Import records in a file of JSON lines."""

from collections.abc import Callable
from dataclasses import replace

from ghtraffic_action.traffic.model import Day, History, Snapshot
from ghtraffic_action.traffic.provenance import ImportRecord, Reversal

Contents = tuple[History, tuple[ImportRecord, ...]]
"""What a file holds of one repository."""

Change = Callable[[Contents], Contents | None]
"""Returns the new contents, None if nothing has to be written."""


class JsonLinesImports:
    """Import records as lines after the days and snapshots of their repository."""

    def __init__(self, read: Callable[[int], Contents], change: Callable[[int, Change], bool]) -> None:
        self._read = read
        self._change = change

    def records(self, repository_id: int) -> tuple[ImportRecord, ...]:
        """See Imports."""
        return self._read(repository_id)[1]

    def add(self, repository_id: int, record: ImportRecord) -> None:
        """See Imports."""
        self._change(repository_id, lambda contents: (contents[0], _put(contents[1], record)))

    def take_back(self, repository_id: int, undone: ImportRecord, reversal: Reversal) -> bool:
        """See Imports. Replaces the file once."""

        def change(contents: Contents) -> Contents | None:
            history, records = contents
            kept: set[Day | Snapshot] = {*history.days, *history.snapshots}
            old = {replacement.old for replacement in reversal.replacements}
            if not old <= kept:
                return None
            after = kept - old | {replacement.new for replacement in reversal.replacements if replacement.new}
            ordered = sorted(after, key=lambda record: record.day)
            records = tuple(record for record in _put(records, *reversal.records) if record.id != undone.id)
            days = tuple(record for record in ordered if isinstance(record, Day))
            snapshots = tuple(record for record in ordered if isinstance(record, Snapshot))
            return replace(history, days=days, snapshots=snapshots), records

        return self._change(repository_id, change)


def _put(records: tuple[ImportRecord, ...], *changed: ImportRecord) -> tuple[ImportRecord, ...]:
    by_id = {record.id: record for record in (*records, *changed)}
    return tuple(by_id[key] for key in sorted(by_id))
