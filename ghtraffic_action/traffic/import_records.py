"""Serialization of import records, for all stores and backups."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from ghtraffic_action.traffic.model import NUMBERS, Day, Snapshot
from ghtraffic_action.traffic.provenance import AddedGroups, ImportedFile, ImportRecord, RaisedDay
from ghtraffic_action.traffic.serialization import read_moment, read_snapshot, write_groups, write_moment


def write_import(record: ImportRecord) -> dict[str, Any]:
    """Serialize a record, with each raised number's old (None: unknown) and new value."""
    return {
        "import": record.id,
        "at": write_moment(record.at),
        "repository": record.repository,
        "files": [{"form": file.form, "name": file.name, "sha256": file.sha256} for file in record.files],
        "days": [_write_day(day) for day in record.days],
        "snapshots": [_write_groups(added) for added in record.snapshots],
    }


def read_import(fields: Mapping[str, Any]) -> ImportRecord:
    """Read a serialized record.

    Raises ValueError, TypeError, LookupError or AttributeError if it is invalid.
    """
    name = str(fields["repository"])
    return ImportRecord(
        id=str(fields["import"]),
        at=read_moment(fields["at"]),
        repository=name,
        files=tuple(ImportedFile(str(f["form"]), str(f["name"]), str(f["sha256"])) for f in fields["files"]),
        days=tuple(_read_day(day, name) for day in fields["days"]),
        snapshots=tuple(_read_groups(added) for added in fields["snapshots"]),
    )


def _write_day(raised: RaisedDay) -> dict[str, Any]:
    before = {"before": raised.before.repository} if raised.before else {}
    raised_numbers = (number for number in NUMBERS if getattr(raised.after, number) is not None)
    numbers = {n: [getattr(raised.before, n, None), getattr(raised.after, n)] for n in raised_numbers}
    return {"day": str(raised.after.day), **before, **numbers}


def _read_day(fields: Mapping[str, Any], name: str) -> RaisedDay:
    day = date.fromisoformat(fields["day"])
    pairs = {number: fields[number] for number in NUMBERS if number in fields}
    before = {number: _number(pair[0]) for number, pair in pairs.items() if pair[0] is not None}
    after = {number: _number(pair[1]) for number, pair in pairs.items()}
    return RaisedDay(Day(day, str(fields["before"]), **before) if "before" in fields else None, Day(day, name, **after))


def _write_groups(added: AddedGroups) -> dict[str, Any]:
    moments = {name: write_moment(at) for name, at in added.moments}
    before = {"before": added.before.repository, "groups": write_groups(added.before)} if added.before else {}
    return {"day": str(added.day), "moments": moments, **before}


def _read_groups(fields: Mapping[str, Any]) -> AddedGroups:
    day = date.fromisoformat(fields["day"])
    before: Snapshot | None = None
    if "before" in fields:
        before = read_snapshot(day, str(fields["before"]), fields["groups"], {})
    return AddedGroups(day, before, tuple((name, read_moment(at)) for name, at in fields["moments"].items()))


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
