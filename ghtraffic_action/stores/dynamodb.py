"""The store in AWS: one DynamoDB table, written by conditional updates alone."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from ghtraffic_action import aws
from ghtraffic_action.errors import RecordError, StoreError
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.base import UNREADABLE, Saved, Warnings, read_date, usable_day, usable_snapshot
from ghtraffic_action.stores.dynamodb_imports import DynamoDBImports
from ghtraffic_action.traffic.merge import merge_day, merge_snapshot, newer_groups, raised_numbers
from ghtraffic_action.traffic.model import GROUPS, LISTED, NUMBERS, Changes, Day, History, Snapshot
from ghtraffic_action.traffic.serialization import TOTALS, write_groups, write_listed

_Record = TypeVar("_Record", Day, Snapshot)
_Attributes = dict[str, Any]

CREATE = (
    "aws dynamodb create-table --table-name {table} --billing-mode PAY_PER_REQUEST"
    " --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S"
    " --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE"
)
"""The command that makes the table by hand."""

_FEWEST_AT_ONCE = 4
"""Days from which on they are likely all new: a run a day changes fewer."""

_MOST_AT_ONCE = 100
"""Items of one transaction; DynamoDB allows no more."""

_PLACEHOLDER = re.compile(r"[#:]\w+")

_OTHER_KEYS = "the table has other keys than pk and sk, both strings: name another, or make one with `{create}`"


class DynamoDBStore:
    """Histories as items `day#…` and `snapshot#…` below `repo#<id>`: a register per number that only rises.

    Safe from several threads. What it does not know of an item, it leaves as it is.
    """

    def __init__(self, table: str, runtime: Runtime | None = None) -> None:
        """Open `table`, in the account and the region of the SDK's environment."""
        runtime = runtime or Runtime()
        self._table = table
        self._opening = aws.Opening("dynamodb", lambda client: aws.repeat_throttled(client, runtime.stop))
        self._writers = runtime.threads(aws.PARALLEL, "dynamodb")
        self._warnings = Warnings(f"dynamodb://{table}")
        self.imports = DynamoDBImports(table, self._opening, self._writers, self._translated)

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store. Two strongly consistent queries, of the days and of the snapshots."""
        pk = _pk(repository_id)
        first = since.isoformat() if since else ""
        with self._translated():
            # In this order: days without the snapshot of a save under way are not covered, the reverse would be zeros.
            snapshots = self._read(_SNAPSHOT, self._query(pk, f"snapshot#{first}", "snapshot#~"))
            days = self._read(_DAY, self._query(pk, f"day#{first}", "day#~"))
        return History(repository_id, since, days, snapshots)

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store. One transaction if all of it is new.

        Else one conditional update for each day that rises, side by side, then for each snapshot.
        """
        pk = _pk(repository_id)
        with self._translated():
            if self._insert(pk, changes):
                return Saved(changes, inserted=len(changes.days))
            before = list(self._writers.map(lambda day: self._update(pk, _DAY, day), changes.days))
            found = list(self._writers.map(lambda seen: self._update(pk, _SNAPSHOT, seen), changes.snapshots))
        days = tuple(zip(before, changes.days, strict=True))
        snapshots = zip(found, changes.snapshots, strict=True)
        return Saved(
            Changes(
                tuple(merge_day(old, day) if old else day for old, day in days),
                tuple(merge_snapshot(old, seen) if old else seen for old, seen in snapshots),
            ),
            inserted=sum(old is None for old, _ in days),
            raised=sum(old is not None and raised_numbers(old, day) is not None for old, day in days),
        )

    def scan(self) -> Iterator[History]:
        """See Store. Reads the table twice: once for the ids, then each repository."""
        with self._translated():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table, ProjectionExpression="pk, sk", ConsistentRead=True
            )
            found = (self._id(item) for page in pages for item in page["Items"])
            ids = {repository_id for repository_id in found if repository_id is not None}
        for repository_id in sorted(ids):
            yield self.load(repository_id)

    def close(self) -> None:
        """See Store."""
        self._writers.shutdown()
        self._opening.close()

    @property
    def _client(self) -> Any:  # noqa: ANN401 - of the SDK, made at run time
        return self._opening()

    def _id(self, item: _Attributes) -> int | None:
        """Return an item's repository id; None for another program's item."""
        if not item.keys() >= {"pk", "sk"}:
            other = _OTHER_KEYS.format(create=CREATE.format(table=self._table))
            raise StoreError(f"store dynamodb://{self._table}: {other}")
        pk = _PK.fullmatch(item["pk"].get("S", ""))
        return int(pk[1]) if pk else None

    def _query(self, pk: str, first: str, last: str) -> Iterator[_Attributes]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def _read(self, form: "_Form[_Record]", items: Iterator[_Attributes]) -> tuple[_Record, ...]:
        return tuple(record for item in items if (record := self._readable(form, item)) is not None)

    def _readable(self, form: "_Form[_Record]", item: _Attributes) -> _Record | None:
        """Read an item without the parts that no run has written; None if nothing of it can be used."""
        keys = {key: item[key] for key in ("pk", "sk")}
        name = " ".join(repr(key.get("S")) for key in keys.values())

        def skip(part: str) -> None:
            self._warnings.skip(f"the item {name}", part, self._removal(keys))

        try:
            return form.read(read_date(keys["sk"]["S"].partition("#")[2]), item["repo"]["S"], item, skip)
        except UNREADABLE:
            skip("key" if "repo" in item else "repo")
            return None

    def _removal(self, keys: _Attributes) -> str:
        """Return the command that removes an item."""
        return f"aws dynamodb delete-item --table-name {self._table} --key {shlex.quote(json.dumps(keys))}"

    def _insert(self, pk: str, changes: Changes) -> bool:
        """Write many changes in one transaction; return whether it held, since nothing of them was stored before.

        A transaction of conditional updates needs no other right than an update does.
        """
        size = len(changes.days) + len(changes.snapshots)
        if len(changes.days) < _FEWEST_AT_ONCE or size > _MOST_AT_ONCE:
            return False
        days = [self._insertion(pk, _DAY, day) for day in changes.days]
        snapshots = [self._insertion(pk, _SNAPSHOT, seen) for seen in changes.snapshots]
        try:
            self._client.transact_write_items(TransactItems=[*days, *snapshots])
        except self._client.exceptions.TransactionCanceledException:
            return False
        return True

    def _insertion(self, pk: str, form: "_Form[_Record]", seen: _Record) -> _Attributes:
        """Return the update of a transaction that writes an item which must not be there."""
        request = form.request(seen)
        used = set(_PLACEHOLDER.findall(request["UpdateExpression"]))
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        update = {
            "TableName": self._table,
            "Key": _key(pk, form.prefix, seen.day),
            "UpdateExpression": request["UpdateExpression"],
            "ConditionExpression": "attribute_not_exists(pk)",
            "ExpressionAttributeNames": {name: names[name] for name in names.keys() & used},
            "ExpressionAttributeValues": {value: values[value] for value in values.keys() & used}
            | {":repo": {"S": seen.repository}},
        }
        return {"Update": update}

    def _update(self, pk: str, form: "_Form[_Record]", seen: _Record) -> _Record | None:
        """Write `seen`; where somebody else stored more in the meantime, only what of it is still news.

        Returns what was stored before, None where nothing was.
        """
        keys = _key(pk, form.prefix, seen.day)
        fresh: _Record | None = seen
        before: _Record | None = None
        while fresh is not None:
            request = form.request(fresh)
            request["ExpressionAttributeValues"][":repo"] = {"S": fresh.repository}
            try:
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=keys,
                    ReturnValues="ALL_OLD",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **request,
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                found = self._readable(form, error.response["Item"]) if "Item" in error.response else before
                if found == before:  # nobody has written in the meantime, so that no further try would hold
                    what = f"the item {pk} {form.prefix}{seen.day} holds what no run has written"
                    remedy = f"remove it: `{self._removal(keys)}`"
                    raise RecordError(f"store dynamodb://{self._table}: {what}: {remedy}") from error
                before = found
                fresh = form.news(before, seen)
            else:
                return self._readable(form, answer["Attributes"]) if answer.get("Attributes") else None
        return before

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except aws.ERRORS as error:
            raise StoreError(f"store dynamodb://{self._table}: {self._explain(error)}") from error

    def _explain(self, error: Exception) -> str:
        create = CREATE.format(table=self._table)
        match aws.code(error):
            case "ResourceNotFoundException":
                where = f"in this account and region ({self._client.meta.region_name})"
                region = "set its region (`aws-region` in Actions, elsewhere AWS_DEFAULT_REGION)"
                return f"there is no such table {where}: {region}, name another, or make it with `{create}`"
            case "ResourceInUseException":
                return "the table is being changed or deleted: run again when it is active, or name another"
            case "ValidationException":
                return _OTHER_KEYS.format(create=create)
            case "ProvisionedThroughputExceededException":
                units = f"`aws dynamodb update-table --table-name {self._table} --billing-mode PAY_PER_REQUEST`"
                return f"{aws.explain(error, 'dynamodb')}; pay for each request: {units}"
        return str(aws.explain(error, "dynamodb"))


class _Deserializer(TypeDeserializer):
    """Reads numbers as integers, which all of ours are."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)


_serialize = TypeSerializer().serialize
_deserialize = _Deserializer().deserialize
_PK = re.compile(r"repo#(\d+)")


def _pk(repository_id: int) -> str:
    return f"repo#{repository_id}"


def _day(day: date, repository: str, item: _Attributes, skip: Callable[[str], None]) -> Day:
    return usable_day(day, repository, {n: _plain(item[n]) for n in NUMBERS if n in item}, skip)


def _key(pk: str, prefix: str, day: date) -> _Attributes:
    return {"pk": {"S": pk}, "sk": {"S": f"{prefix}{day}"}}


def _snapshot(day: date, repository: str, item: _Attributes, skip: Callable[[str], None]) -> Snapshot:
    groups = {name: _plain(item[name]) for name in GROUPS if name in item}
    listed = {name: item[name].get("SS", [str(item[name])]) for name in LISTED.values() if name in item}
    return usable_snapshot(day, repository, groups, listed, skip)


def _plain(attribute: _Attributes) -> Any:  # noqa: ANN401 - whatever an item holds
    """Return an attribute's value; a number that is no integer, which no run writes, as its text."""
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
    # A set that only grows needs no condition: two answers of one day may list different days.
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
    """Return the condition that a group is not older than the stored one, as `merge.is_newer` defines it."""
    at = _rises(f"#{group}.#at", f":{group}_at")
    if group not in TOTALS:
        return at
    window = f"#{group}.#last"
    unknown = f"attribute_not_exists({window}) OR NOT attribute_type({window}, :type)"
    if not last:
        return f"(({unknown}) AND {at})"
    return f"({unknown} OR {window} < :{group}_last OR ({window} = :{group}_last AND {at}))"


def _rises(stored: str, seen: str) -> str:
    """Return the condition that nothing larger is stored; a value of another type is no run's and is replaced."""
    return f"(attribute_not_exists({stored}) OR NOT attribute_type({stored}, :type) OR {stored} <= {seen})"


@dataclass(frozen=True, slots=True)
class _Form(Generic[_Record]):
    """How one kind of record lies in the table, and what of one seen is news to one stored."""

    prefix: str
    request: Callable[[_Record], dict[str, Any]]
    read: Callable[[date, str, _Attributes, Callable[[str], None]], _Record]
    news: Callable[[_Record | None, _Record], _Record | None]


_DAY = _Form("day#", _raise_numbers, _day, raised_numbers)
_SNAPSHOT = _Form("snapshot#", _replace_groups, _snapshot, newer_groups)
