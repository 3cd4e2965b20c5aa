"""The record of an import, from which it is reversed exactly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ghtraffic_action.traffic.coverage import listed_days, zero_days_since
from ghtraffic_action.traffic.merge import missing_from
from ghtraffic_action.traffic.model import GROUPS, METRICS, NUMBERS, Changes, Day, History, Metric, Snapshot

PAIRS: dict[Metric, tuple[str, str]] = {metric: (metric, f"{metric[:-1]}_uniques") for metric in METRICS}


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """An imported file: form, name, and SHA-256 in hexadecimal."""

    form: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RaisedDay:
    """A day's numbers before and after an import raised them (None: new day)."""

    before: Day | None
    after: Day


@dataclass(frozen=True, slots=True)
class AddedGroups:
    """The groups that an import added to a snapshot, and those they replaced.

    The new groups are given by their moments. `before` is None for a new snapshot.
    """

    day: date
    before: Snapshot | None
    moments: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """What an import changed of one repository."""

    id: str
    at: datetime
    repository: str
    files: tuple[ImportedFile, ...]
    days: tuple[RaisedDay, ...] = ()
    snapshots: tuple[AddedGroups, ...] = ()

    @property
    def inserted(self) -> int:
        """The number of new days."""
        return sum(day.before is None for day in self.days)

    @property
    def raised(self) -> int:
        """The number of existing days with raised numbers."""
        return len(self.days) - self.inserted


@dataclass(frozen=True, slots=True)
class Replacement:
    """A stored day or snapshot and its replacement (None: none)."""

    old: Day | Snapshot
    new: Day | Snapshot | None


@dataclass(frozen=True, slots=True)
class Reversal:
    """The reversal of an import: replacements, changed records of other imports, days that stay."""

    replacements: tuple[Replacement, ...]
    records: tuple[ImportRecord, ...]
    kept: int


def describe_import(record: ImportRecord, history: History, seen: Changes) -> ImportRecord:
    """Return the record, completed with what `seen` will change of a history."""
    changes = missing_from(history, seen)
    days = {day.day: day for day in history.days}
    snapshots = {snapshot.day: snapshot for snapshot in history.snapshots}
    return replace(
        record,
        days=tuple(_raised(days.get(day.day), day) for day in changes.days),
        snapshots=tuple(_added(snapshots.get(seen.day), seen) for seen in changes.snapshots),
    )


def _raised(stored: Day | None, seen: Day) -> RaisedDay:
    numbers = {n: getattr(stored, n) for n in NUMBERS if stored and getattr(seen, n) is not None}
    return RaisedDay(stored and Day(stored.day, stored.repository, **numbers), seen)


def _added(stored: Snapshot | None, seen: Snapshot) -> AddedGroups:
    moments = tuple((name, group.at) for name in GROUPS if (group := getattr(seen, name)) is not None)
    groups: dict[str, Any] = {name: getattr(stored, name, None) for name, _ in moments}
    return AddedGroups(seen.day, stored and Snapshot(stored.day, stored.repository, **groups), moments)


def reverse_import(history: History, records: Sequence[ImportRecord], undone: ImportRecord) -> Reversal:
    """Return the changes that reverse one of the history's records.

    A number returns to its earlier value only if nothing raised or listed it since. A number that another import raised
    further stays; that import's record then gets the earlier value.
    """
    others = {record.id: record for record in sorted(records, key=lambda r: r.id) if record.id != undone.id}
    before = dict(others)
    days, kept = _reverse_days(history, others, undone)
    snapshots = tuple(_reverse_snapshots(history, others, undone))  # this also changes `others`
    rewritten = tuple(record for record in others.values() if record != before[record.id])
    return Reversal((*days, *snapshots), rewritten, kept)


def _reverse_days(
    history: History, others: dict[str, ImportRecord], undone: ImportRecord
) -> tuple[list[Replacement], int]:
    stored = {day.day: day for day in history.days}
    listed = {metric: zero_days_since(history, metric, undone.at) for metric in METRICS}
    # An import changes no day that is already listed. So a day that is listed now was listed since, possibly by an
    # answer from before the import that was stored after it.
    final = {metric: listed_days(history, metric) for metric in METRICS}
    replacements, kept = list[Replacement](), 0
    for change in undone.days:
        old = stored.get(change.after.day)
        numbers = {number: getattr(old, number, None) for number in NUMBERS}
        whole = True
        for metric, pair in PAIRS.items():
            raised = {n: value for n in pair if (value := getattr(change.after, n)) is not None}
            if not raised:
                continue
            known = change.after.day in final[metric] or listed[metric](change.after.day)
            if not known and all(numbers[n] == value for n, value in raised.items()):
                numbers |= {n: getattr(change.before, n, None) for n in raised}
            elif old:
                whole = False
                if not _inherit(others, change, raised):
                    kept += 1
        if old and (new := _restored(old, numbers, change, whole=whole)) != old:
            replacements.append(Replacement(old, new))
    return replacements, kept


def _restored(old: Day, numbers: Mapping[str, Any], change: RaisedDay, *, whole: bool) -> Day | None:
    if all(value is None for value in numbers.values()):
        return None
    own = whole and change.before is not None and old.repository == change.after.repository
    return Day(old.day, change.before.repository if own and change.before else old.repository, **numbers)


def _inherit(others: dict[str, ImportRecord], change: RaisedDay, raised: Mapping[str, int]) -> bool:
    """Move a change to the first other import that raised it further, if any.

    Return whether there is one.
    """
    for record in others.values():
        for place, later in enumerate(record.days):
            if later.after.day == change.after.day and _raises_further(later, raised):
                days = (*record.days[:place], _joined(change, later, raised), *record.days[place + 1 :])
                others[record.id] = replace(record, days=days)
                return True
    return False


def _raises_further(later: RaisedDay, raised: Mapping[str, int]) -> bool:
    return any(getattr(later.after, n) is not None and getattr(later.before, n, None) == raised[n] for n in raised)


def _joined(change: RaisedDay, later: RaisedDay, raised: Mapping[str, int]) -> RaisedDay:
    """Return the later change with the earlier one's `before`."""
    ends = {n: value for n in raised if (value := getattr(later.after, n)) is not None}
    starts: dict[str, Any] = {n: getattr(later.before, n, None) for n in NUMBERS}
    starts |= {n: getattr(change.before, n, None) for n in raised}
    after = replace(later.after, **(dict(raised) | ends))
    named = change.before or later.before
    known = any(value is not None for value in starts.values())
    return RaisedDay(replace(named, **starts) if named and known else None, after)


def _reverse_snapshots(
    history: History, others: dict[str, ImportRecord], undone: ImportRecord
) -> Iterator[Replacement]:
    stored = {snapshot.day: snapshot for snapshot in history.snapshots}
    for added in undone.snapshots:
        old = stored.get(added.day)
        if old is None:
            continue
        groups: dict[str, Any] = {
            name: getattr(added.before, name, None)
            for name, at in added.moments
            if (group := getattr(old, name)) is not None and group.at == at
        }
        for name, at in added.moments:
            if name not in groups:
                _inherit_group(others, added, name, at)
        new = replace(old, **groups)
        if added.before and len(groups) == len(added.moments) and old.repository == undone.repository:
            new = replace(new, repository=added.before.repository)
        empty = not any(getattr(new, name) for name in (*GROUPS, "views_listed", "clones_listed"))
        if new != old:
            yield Replacement(old, None if empty else new)


def _inherit_group(others: dict[str, ImportRecord], added: AddedGroups, name: str, at: datetime) -> None:
    for record in others.values():
        snapshots = tuple(_joined_group(later, added, name, at) for later in record.snapshots)
        others[record.id] = replace(record, snapshots=snapshots)


def _joined_group(later: AddedGroups, added: AddedGroups, name: str, at: datetime) -> AddedGroups:
    replaced = getattr(later.before, name, None)
    if later.day != added.day or later.before is None or replaced is None or replaced.at != at:
        return later
    group: dict[str, Any] = {name: getattr(added.before, name, None)}
    restored = replace(later.before, **group)
    return replace(later, before=restored if any(getattr(restored, name) for name in GROUPS) else None)
