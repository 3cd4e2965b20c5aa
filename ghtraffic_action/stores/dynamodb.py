"""The store in AWS: a DynamoDB table."""

import json
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

from ghtraffic_action import aws
from ghtraffic_action.errors import RecordError, StoreError
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.base import Saved
from ghtraffic_action.stores.dynamodb_imports import DynamoDBImports
from ghtraffic_action.stores.dynamodb_items import (
    DAY,
    PARTITION_KEY,
    SNAPSHOT,
    STARS,
    Attributes,
    Form,
    Record,
    insertion,
    item_key,
    partition_key,
    read_year,
    write_year,
)
from ghtraffic_action.stores.validation import UNREADABLE, Warnings, read_date
from ghtraffic_action.traffic.merge import merge_day, merge_snapshot, raised_numbers
from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.stars import StarYear

CREATE = (
    "aws dynamodb create-table --table-name {table} --billing-mode PAY_PER_REQUEST"
    " --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S"
    " --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE"
)
"""The command that makes the table by hand."""

_FEWEST_AT_ONCE = 4
"""From this number of days on, all are probably new: a daily run changes fewer."""

_MOST_AT_ONCE = 100
"""Items of one transaction; DynamoDB allows no more."""

_OTHER_KEYS = "the table has other keys than pk and sk, both strings: name another, or make one with `{create}`"


class DynamoDBStore:
    """Histories as items `day#…` and `snapshot#…` below `repo#<id>`; thread-safe.

    Numbers only rise. Unknown attributes of an item stay.
    """

    def __init__(self, table: str, runtime: Runtime | None = None) -> None:
        """Use `table` in the SDK's account and region."""
        runtime = runtime or Runtime()
        self._table = table
        self._opening = aws.BackgroundClient("dynamodb", lambda client: aws.repeat_throttled(client, runtime.stop))
        self._writers = runtime.threads(aws.PARALLEL, "dynamodb")
        self._warnings = Warnings(f"dynamodb://{table}")
        self.imports = DynamoDBImports(table, self._opening, self._writers, self._translate_errors, self._skip)

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store. Two strongly consistent queries, without the stars."""
        pk = partition_key(repository_id)
        first = since.isoformat() if since else ""
        with self._translate_errors():
            # Snapshots first: a concurrent save may add days without coverage, never the reverse (false zeros).
            items = list(self._query(pk, f"snapshot#{first}", "snapshot#~" if since else "stars#~"))
            snapshots = self._read(SNAPSHOT, (item for item in items if _is(item, SNAPSHOT.prefix)))
            days = self._read(DAY, self._query(pk, f"day#{first}", "day#~"))
        return History(repository_id, since, days, snapshots, self._read_stars(items))

    def load_stars(self, repository_id: int) -> tuple[StarYear, ...]:
        """See Store. One strongly consistent query."""
        with self._translate_errors():
            return self._read_stars(self._query(partition_key(repository_id), STARS, "stars#~"))

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store. One transaction if everything is new.

        Else one conditional update for each year's stars and each day that rises, in parallel, then for each snapshot.
        """
        pk = partition_key(repository_id)
        with self._translate_errors():
            if self._insert(pk, changes):
                return Saved(changes, inserted=len(changes.days))
            stars = tuple(self._writers.map(lambda year: self._write_year(pk, year), changes.stars))
            before = list(self._writers.map(lambda day: self._update(pk, DAY, day), changes.days))
            found = list(self._writers.map(lambda seen: self._update(pk, SNAPSHOT, seen), changes.snapshots))
        days = tuple(zip(before, changes.days, strict=True))
        snapshots = zip(found, changes.snapshots, strict=True)
        return Saved(
            Changes(
                tuple(merge_day(old, day) if old else day for old, day in days),
                tuple(merge_snapshot(old, seen) if old else seen for old, seen in snapshots),
                stars,
            ),
            inserted=sum(old is None for old, _ in days),
            raised=sum(old is not None and raised_numbers(old, day) is not None for old, day in days),
        )

    def scan(self) -> Iterator[History]:
        """See Store. Scans for ids, then reads each repository."""
        with self._translate_errors():
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

    def _id(self, item: Attributes) -> int | None:
        """Return an item's repository id, None for foreign items."""
        if not item.keys() >= {"pk", "sk"}:
            other = _OTHER_KEYS.format(create=CREATE.format(table=self._table))
            raise StoreError(f"store dynamodb://{self._table}: {other}")
        pk = PARTITION_KEY.fullmatch(item["pk"].get("S", ""))
        return int(pk[1]) if pk else None

    def _query(self, pk: str, first: str, last: str) -> Iterator[Attributes]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def _read(self, form: Form[Record], items: Iterator[Attributes]) -> tuple[Record, ...]:
        return tuple(record for item in items if (record := self._readable(form, item)) is not None)

    def _read_stars(self, items: Iterable[Attributes]) -> tuple[StarYear, ...]:
        found = (read_year(item, partial(self._skip, item)) for item in items if _is(item, STARS))
        return tuple(year for year in found if year)

    def _readable(self, form: Form[Record], item: Attributes) -> Record | None:
        """Read an item's valid parts, None without any."""
        skip = partial(self._skip, item)
        try:
            return form.read(read_date(item["sk"]["S"].partition("#")[2]), item["repo"]["S"], item, skip)
        except UNREADABLE:
            skip("key" if "repo" in item else "repo")
            return None

    def _skip(self, item: Attributes, part: str) -> None:
        keys = {key: item[key] for key in ("pk", "sk")}
        name = " ".join(repr(key.get("S")) for key in keys.values())
        self._warnings.skip(f"the item {name}", part, self._removal(keys))

    def _write_year(self, pk: str, year: StarYear) -> StarYear:
        """Write a year's stars. Return the stored ones, which can be newer."""
        key = item_key(pk, STARS, year.year)
        try:
            self._client.update_item(
                TableName=self._table, Key=key, ReturnValuesOnConditionCheckFailure="ALL_OLD", **write_year(year)
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item = error.response["Item"]
            return read_year(item, partial(self._skip, item)) or year
        return year

    def _removal(self, keys: Attributes) -> str:
        """Return the command to remove an item."""
        return f"aws dynamodb delete-item --table-name {self._table} --key {shlex.quote(json.dumps(keys))}"

    def _insert(self, pk: str, changes: Changes) -> bool:
        """Insert changes in one transaction. Return False if something was already stored.

        A transaction of conditional updates needs no other permission than an update.
        """
        size = len(changes.days) + len(changes.snapshots) + len(changes.stars)
        if len(changes.days) < _FEWEST_AT_ONCE or size > _MOST_AT_ONCE:
            return False
        items = [
            *((item_key(pk, DAY.prefix, day.day), DAY.request(day), day.repository) for day in changes.days),
            *(
                (item_key(pk, SNAPSHOT.prefix, seen.day), SNAPSHOT.request(seen), seen.repository)
                for seen in changes.snapshots
            ),
            *((item_key(pk, STARS, year.year), write_year(year), year.repository) for year in changes.stars),
        ]
        try:
            self._client.transact_write_items(TransactItems=[insertion(self._table, *item) for item in items])
        except self._client.exceptions.TransactionCanceledException:
            return False
        return True

    def _update(self, pk: str, form: Form[Record], seen: Record) -> Record | None:
        """Store the new numbers or groups of `seen`, again after a concurrent write.

        Return the record as it was before, None if there was none.
        """
        keys = item_key(pk, form.prefix, seen.day)
        fresh: Record | None = seen
        before: Record | None = None
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
                if found == before:  # no concurrent write, so a retry would fail too
                    what = f"the item {pk} {form.prefix}{seen.day} has invalid values"
                    remedy = f"remove it: `{self._removal(keys)}`"
                    raise RecordError(f"store dynamodb://{self._table}: {what}: {remedy}") from error
                before = found
                fresh = form.changes(before, seen)
            else:
                return self._readable(form, answer["Attributes"]) if answer.get("Attributes") else None
        return before

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
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


def _is(item: Attributes, prefix: str) -> bool:
    return str(item["sk"].get("S", "")).startswith(prefix)
