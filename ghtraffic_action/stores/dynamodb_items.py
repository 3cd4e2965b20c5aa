"""DynamoDB items of days and snapshots, and their updates."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from ghtraffic_action.stores.validation import UNREADABLE, usable_day, usable_snapshot, usable_year
from ghtraffic_action.traffic.merge import newer_groups, raised_numbers
from ghtraffic_action.traffic.model import GROUPS, LISTED, NUMBERS, Day, Snapshot
from ghtraffic_action.traffic.serialization import TOTALS, write_groups, write_listed, write_moment, write_star_days
from ghtraffic_action.traffic.stars import StarYear

Record = TypeVar("Record", Day, Snapshot)
Attributes = dict[str, Any]


class _Deserializer(TypeDeserializer):
    """Reads numbers as integers."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)


_serialize = TypeSerializer().serialize
_deserialize = _Deserializer().deserialize
PARTITION_KEY = re.compile(r"repo#([1-9]\d{0,17})", re.ASCII)


def partition_key(repository_id: int) -> str:
    """Return the partition key of a repository."""
    return f"repo#{repository_id}"


def _day(day: date, repository: str, item: Attributes, skip: Callable[[str], None]) -> Day:
    return usable_day(day, repository, {n: _plain(item[n]) for n in NUMBERS if n in item}, skip)


def item_key(pk: str, prefix: str, day: date | int) -> Attributes:
    """Return an item's partition and sort key."""
    return {"pk": {"S": pk}, "sk": {"S": f"{prefix}{day}"}}


def _snapshot(day: date, repository: str, item: Attributes, skip: Callable[[str], None]) -> Snapshot:
    groups = {name: _plain(item[name]) for name in GROUPS if name in item}
    listed = {name: item[name].get("SS", [str(item[name])]) for name in LISTED.values() if name in item}
    return usable_snapshot(day, repository, groups, listed, skip)


def _plain(attribute: Attributes) -> Any:  # noqa: ANN401 - whatever an item holds
    """Return an attribute's value; non-integers, which are invalid, as text."""
    try:
        return _deserialize(attribute)  # type: ignore[arg-type] # one attribute: its type and its value
    except UNREADABLE:
        return str(attribute)


def _raise_numbers(day: Day) -> dict[str, Any]:
    numbers = {number: value for number in NUMBERS if (value := getattr(day, number)) is not None}
    return {
        "UpdateExpression": "SET repo = :repo, " + ", ".join(f"#{n} = :{n}" for n in numbers),
        "ConditionExpression": " AND ".join(_rises(f"#{n}", f":{n}") for n in numbers),
        "ExpressionAttributeNames": {f"#{n}": n for n in numbers},
        "ExpressionAttributeValues": {f":{n}": {"N": str(value)} for n, value in numbers.items()}
        | {":type": {"S": "N"}},
    }


def _replace_groups(snapshot: Snapshot) -> dict[str, Any]:
    groups, listed = write_groups(snapshot), write_listed(snapshot)
    replace = ["repo = :repo", *(f"#{g} = :{g}" for g in groups)]
    # A set that only grows needs no condition.
    grow = [f"#{field} :{field}" for field in listed]
    conditions = [_is_not_older(g, last="last" in group) for g, group in groups.items()]
    names = {"#at": "at"} if groups else {}
    names |= {"#last": "last"} if any("#last" in condition for condition in conditions) else {}
    values: dict[str, Any] = {":type": {"S": "S"}} if groups else {}
    values |= {f":{g}": _serialize(group) for g, group in groups.items()}
    values |= {
        f":{g}_{field}": {"S": group[field]}
        for g, group in groups.items()
        for field in ("at", "last")
        if field in group
    }
    request = {
        "UpdateExpression": "SET " + ", ".join(replace) + (" ADD " + ", ".join(grow) if grow else ""),
        "ExpressionAttributeNames": names | {f"#{name}": name for name in (*groups, *listed)},
        "ExpressionAttributeValues": values | {f":{field}": {"SS": ranges} for field, ranges in listed.items()},
    }
    return request | ({"ConditionExpression": " AND ".join(conditions)} if conditions else {})


def _is_not_older(group: str, *, last: bool) -> str:
    """Return the condition that a group is not older than the stored one.

    The same rule as `merge.is_newer`.
    """
    at = _rises(f"#{group}.#at", f":{group}_at")
    if group not in TOTALS:
        return at
    window = f"#{group}.#last"
    unknown = f"attribute_not_exists({window}) OR NOT attribute_type({window}, :type)"
    if not last:
        return f"(({unknown}) AND {at})"
    return f"({unknown} OR {window} < :{group}_last OR ({window} = :{group}_last AND {at}))"


def _rises(stored: str, seen: str) -> str:
    """Return the condition that no larger number is stored.

    A value of another type is replaced.
    """
    return f"(attribute_not_exists({stored}) OR NOT attribute_type({stored}, :type) OR {stored} <= {seen})"


@dataclass(frozen=True, slots=True)
class Form(Generic[Record]):
    """A kind of record, and how to store it."""

    prefix: str
    request: Callable[[Record], dict[str, Any]]
    read: Callable[[date, str, Attributes, Callable[[str], None]], Record]
    changes: Callable[[Record | None, Record], Record | None]


DAY = Form("day#", _raise_numbers, _day, raised_numbers)
SNAPSHOT = Form("snapshot#", _replace_groups, _snapshot, newer_groups)


STARS = "stars#"
"""The sort key of a year's stars begins with this, and the year follows."""


def write_year(year: StarYear) -> dict[str, Any]:
    """Return the update that writes a year's stars unless newer ones are stored."""
    values = {"at": {"S": write_moment(year.at)}, "days": _serialize(write_star_days(year))}
    return {
        "UpdateExpression": "SET repo = :repo, #at = :at, #days = :days",
        "ConditionExpression": _rises("#at", ":at"),
        "ExpressionAttributeNames": {"#at": "at", "#days": "days"},
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}
        | {":repo": {"S": year.repository}, ":type": {"S": "S"}},
    }


def read_year(item: Attributes, skip: Callable[[str], None]) -> StarYear | None:
    """Read a year's stars; None, reported to `skip`, if invalid."""
    try:
        year = int(item["sk"]["S"].partition("#")[2])
        return usable_year(year, item["repo"]["S"], _plain(item["at"]), _plain(item["days"]), skip)
    except UNREADABLE:
        skip("year")
        return None


_PLACEHOLDER = re.compile(r"[#:]\w+")


def insertion(table: str, key: Attributes, request: Mapping[str, Any], repository: str) -> Attributes:
    """Return the transaction item that inserts what an update writes."""
    used = set(_PLACEHOLDER.findall(request["UpdateExpression"]))
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    update = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": request["UpdateExpression"],
        "ConditionExpression": "attribute_not_exists(pk)",
        "ExpressionAttributeNames": {name: names[name] for name in names.keys() & used},
        "ExpressionAttributeValues": {value: values[value] for value in values.keys() & used}
        | {":repo": {"S": repository}},
    }
    return {"Update": update}
