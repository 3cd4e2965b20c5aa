"""Import records in DynamoDB."""

import json
import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from ghtraffic_action.errors import StoreError
from ghtraffic_action.stores.validation import UNREADABLE
from ghtraffic_action.traffic.import_records import read_import, write_import
from ghtraffic_action.traffic.model import NUMBERS, Day, Snapshot
from ghtraffic_action.traffic.provenance import ImportRecord, Replacement, Reversal
from ghtraffic_action.traffic.serialization import write_groups, write_listed

_LARGEST = 390_000
"""Bytes of a record; DynamoDB refuses items of more than 400 KB."""

_serialize = TypeSerializer().serialize
_Attributes = dict[str, Any]


class DynamoDBImports:
    """Import records as compressed items `import#<id>` below `repo#<id>`."""

    def __init__(
        self,
        table: str,
        client: Callable[[], Any],
        writers: Executor,
        translate_errors: Callable[[], AbstractContextManager[None]],
        skip: Callable[[_Attributes, str], None],
    ) -> None:
        self._table = table
        self._client = client
        self._writers = writers
        self._translate_errors = translate_errors
        self._skip = skip

    def records(self, repository_id: int) -> tuple[ImportRecord, ...]:
        """See Imports."""
        with self._translate_errors():
            pages = (
                self._client()
                .get_paginator("query")
                .paginate(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                    ExpressionAttributeValues={":pk": {"S": f"repo#{repository_id}"}, ":prefix": {"S": "import#"}},
                    ConsistentRead=True,
                )
            )
            return tuple(record for page in pages for item in page["Items"] if (record := self._read(item)))

    def _read(self, item: _Attributes) -> ImportRecord | None:
        """Read an item, None with a warning if invalid."""
        try:
            return read_import(json.loads(zlib.decompress(item["record"]["B"])))
        except (*UNREADABLE, zlib.error):
            self._skip(item, "record")
            return None

    def add(self, repository_id: int, record: ImportRecord) -> None:
        """See Imports."""
        written = zlib.compress(json.dumps(write_import(record), ensure_ascii=False, separators=(",", ":")).encode())
        if len(written) > _LARGEST:
            what = f"the record of import {record.id} has {len(written)} bytes, more than an item holds"
            raise StoreError(f"store dynamodb://{self._table}: {what}: import fewer files at once")
        with self._translate_errors():
            self._client().update_item(  # needs no other permission than a run
                TableName=self._table,
                Key=_key(repository_id, f"import#{record.id}"),
                UpdateExpression="SET repo = :repo, #record = :record",
                ExpressionAttributeNames={"#record": "record"},
                ExpressionAttributeValues={":repo": {"S": record.repository}, ":record": {"B": written}},
            )

    def take_back(self, repository_id: int, undone: ImportRecord, reversal: Reversal) -> bool:
        """See Imports. The record is removed last, so an interrupted undo can be repeated."""
        with self._translate_errors():
            replaced = list(self._writers.map(partial(self._replace, repository_id), reversal.replacements))
        if not all(replaced):
            return False
        for record in reversal.records:
            self.add(repository_id, record)
        with self._translate_errors():
            self._client().delete_item(TableName=self._table, Key=_key(repository_id, f"import#{undone.id}"))
        return True

    def _replace(self, repository_id: int, replacement: Replacement) -> bool:
        """Replace an unchanged item. Return whether it was unchanged."""
        kind = "day" if isinstance(replacement.old, Day) else "snapshot"
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": _key(repository_id, f"{kind}#{replacement.old.day}"),
        }
        client = self._client()
        try:
            if replacement.new is None:
                client.delete_item(**request, **_unchanged(_attributes(replacement.old), {}))
            else:
                old, new = _attributes(replacement.old), _attributes(replacement.new)
                client.update_item(**request, **_unchanged(old, new))
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(repository_id: int, sk: str) -> _Attributes:
    return {"pk": {"S": f"repo#{repository_id}"}, "sk": {"S": sk}}


def _attributes(record: Day | Snapshot) -> _Attributes:
    """Return a record's attributes as stored."""
    repository = {"repo": {"S": record.repository}}
    if isinstance(record, Day):
        return repository | {n: {"N": str(value)} for n in NUMBERS if (value := getattr(record, n)) is not None}
    groups = {name: _serialize(group) for name, group in write_groups(record).items()}
    return repository | groups | {field: {"SS": ranges} for field, ranges in write_listed(record).items()}


def _unchanged(old: _Attributes, new: _Attributes) -> dict[str, Any]:
    """Return the condition that an item is unchanged, and the update to `new`."""
    changed = [name for name in (*old, *(n for n in new if n not in old)) if old.get(name) != new.get(name)]
    request: dict[str, Any] = {
        "ConditionExpression": " AND ".join(
            f"#{name} = :old_{name}" if name in old else f"attribute_not_exists(#{name})" for name in changed
        ),
        "ExpressionAttributeNames": {f"#{name}": name for name in changed},
        "ExpressionAttributeValues": {f":old_{name}": old[name] for name in changed if name in old},
    }
    if new:
        put, drop = [n for n in changed if n in new], [n for n in changed if n not in new]
        sets = "SET " + ", ".join(f"#{name} = :{name}" for name in put) if put else ""
        removes = "REMOVE " + ", ".join(f"#{name}" for name in drop) if drop else ""
        request["UpdateExpression"] = f"{sets} {removes}".strip()
        request["ExpressionAttributeValues"] |= {f":{name}": new[name] for name in put}
    return request
