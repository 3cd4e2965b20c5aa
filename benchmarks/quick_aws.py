"""A fake of DynamoDB and S3 that costs next to nothing: `python -m benchmarks.quick_aws DELAY_MS`.

Tables and buckets are there as soon as they are named. Conditions are not evaluated, since there is only one writer; a
transaction is cancelled if an item is there.
"""

import asyncio
import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from hashlib import md5
from typing import Any
from urllib.parse import parse_qs

from benchmarks.quick_server import QuickServer, Reply

_SET = re.compile(r"(#?\w+) = (:\w+)")
_ADD = re.compile(r"(#\w+) (:\w+)")
_AMZ = {"Content-Type": "application/x-amz-json-1.0"}
_XML = {"Content-Type": "application/xml"}

Item = dict[str, Any]
Partition = dict[str, Item]


class QuickAws(QuickServer):
    """Tables and buckets in memory."""

    def __init__(self, delay: float) -> None:
        self.delay = delay / 1000
        self.tables: dict[str, dict[str, Partition]] = defaultdict(lambda: defaultdict(dict))
        self.objects: dict[str, bytes] = {}
        self.counted = Counter[str]()

    def directed(self, text: str) -> str:
        """Return the counts since the last line, which may also clear all that is stored."""
        counted, self.counted = dict(self.counted), Counter()
        if json.loads(text).get("forget"):
            self.tables.clear()
            self.objects.clear()
        return json.dumps(counted)

    async def reply(self, line: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer after the delay."""
        await asyncio.sleep(self.delay)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        self.counted[operation or line.partition(" ")[0]] += 1
        if operation:
            status, answer = self._table(operation, json.loads(body))
            return status, _AMZ, json.dumps(answer).encode()
        method, _, path = line.partition(" ")
        return self._object(method, path, body)

    def _table(self, operation: str, asked: dict[str, Any]) -> tuple[int, object]:
        match operation:
            case "Query":
                return 200, {"Items": self._query(asked)}
            case "Scan":
                partitions = self.tables[asked["TableName"]].values()
                return 200, {"Items": [item for partition in partitions for item in partition.values()]}
            case "GetItem":
                item = self._item(asked["TableName"], asked["Key"], {})
                return 200, {"Item": item} if item else {}
            case "PutItem":
                self._put(asked["TableName"], asked["Item"])
                return 200, {}
            case "BatchWriteItem":
                for name, requests in asked["RequestItems"].items():
                    for request in requests:
                        self._put(name, request["PutRequest"]["Item"])
                return 200, {"UnprocessedItems": {}}
        return self._update(
            [entry["Update"] for entry in asked["TransactItems"]] if "TransactItems" in asked else [asked]
        )

    def _query(self, asked: dict[str, Any]) -> list[Item]:
        values = asked["ExpressionAttributeValues"]
        items = self.tables[asked["TableName"]][values[":pk"]["S"]]
        keys = sorted(items)
        first, last = bisect_left(keys, values[":first"]["S"]), bisect_right(keys, values[":last"]["S"])
        return [items[key] for key in keys[first:last]]

    def _update(self, updates: list[dict[str, Any]]) -> tuple[int, object]:
        there = [self._item(update["TableName"], update["Key"], dict(update["Key"])) for update in updates]
        if len(updates) > 1 and any(len(item) > 2 for item in there):
            error = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "message": "cancelled"}
            return 400, error | {"CancellationReasons": []}
        before = dict(there[0])
        for item, update in zip(there, updates, strict=True):
            self._apply(item, update)
            self._put(update["TableName"], item)
        return 200, {"Attributes": before} if len(before) > 2 and len(updates) == 1 else {}

    def _item(self, table: str, key: Item, otherwise: Item) -> Item:
        partition, sort = _keys(key)
        return self.tables[table][partition].get(sort, otherwise)

    def _put(self, table: str, item: Item) -> None:
        partition, sort = _keys(item)
        self.tables[table][partition][sort] = item

    @staticmethod
    def _apply(item: Item, update: dict[str, Any]) -> None:
        names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
        replaced, _, added = update["UpdateExpression"].partition(" ADD ")
        item |= {names.get(name, name): values[value] for name, value in _SET.findall(replaced)}
        for name, value in _ADD.findall(added):
            known = item.get(names[name], {"SS": []})["SS"]
            item[names[name]] = {"SS": sorted({*known, *values[value]["SS"]})}

    def _object(self, method: str, path: str, body: bytes) -> Reply:
        key, _, query = path.partition("?")
        if "list-type" in query:
            return 200, _XML, self._listing(key, parse_qs(query)["prefix"][0])
        if method == "PUT":
            self.objects[key] = body
        if key not in self.objects:
            return 404, _XML, b"<Error><Code>NoSuchKey</Code></Error>"
        content = self.objects[key]
        tag = {"ETag": f'"{md5(content, usedforsecurity=False).hexdigest()}"'}
        return 200, tag, b"" if method == "PUT" else content

    def _listing(self, bucket: str, prefix: str) -> bytes:
        keys = [key.removeprefix(f"{bucket}/") for key in sorted(self.objects) if key.startswith(f"{bucket}/{prefix}")]
        found = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()


def _keys(item: Item) -> tuple[str, str]:
    """Return partition and sort key; a table of the article has a timestamp alone."""
    return (item["pk"]["S"], item["sk"]["S"]) if "pk" in item else ("", item["timestamp"]["S"])


if __name__ == "__main__":
    QuickAws(float(sys.argv[1])).run()
