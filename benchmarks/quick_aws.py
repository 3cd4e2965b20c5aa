"""A fake of DynamoDB and S3 that costs next to nothing: `python -m benchmarks.quick_aws DELAY_MS`.

Conditions are not evaluated, since there is only one writer; a transaction is cancelled if an item is there.
"""

import asyncio
import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from hashlib import md5
from typing import Any

from benchmarks.quick_server import QuickServer, Reply

_SET = re.compile(r"(#?\w+) = (:\w+)")
_ADD = re.compile(r"(#\w+) (:\w+)")
_AMZ = {"Content-Type": "application/x-amz-json-1.0"}


class QuickAws(QuickServer):
    """One table and one bucket in memory."""

    def __init__(self, delay: float) -> None:
        self.delay = delay / 1000
        self.items: dict[str, dict[str, dict[str, Any]]] = {}
        self.objects: dict[str, bytes] = {}
        self.counted = Counter[str]()

    def directed(self, text: str) -> str:
        """Return the counts since the last line, which may also clear all that is stored."""
        counted, self.counted = dict(self.counted), Counter()
        if json.loads(text).get("forget"):
            self.items.clear()
            self.objects.clear()
        return json.dumps(counted)

    async def reply(self, line: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer after the delay."""
        await asyncio.sleep(self.delay)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        self.counted[operation or line.partition(" ")[0]] += 1
        if operation:
            return self._table(operation, json.loads(body))
        method, _, path = line.partition(" ")
        return self._object(method, path, body)

    def _table(self, operation: str, asked: dict[str, Any]) -> Reply:
        if operation == "Query":
            values = asked["ExpressionAttributeValues"]
            items = self.items.get(values[":pk"]["S"], {})
            keys = sorted(items)
            first, last = bisect_left(keys, values[":first"]["S"]), bisect_right(keys, values[":last"]["S"])
            return 200, _AMZ, json.dumps({"Items": [items[key] for key in keys[first:last]]}).encode()
        updates = [entry["Update"] for entry in asked["TransactItems"]] if "TransactItems" in asked else [asked]
        there = [self._item(update) for update in updates]
        if len(updates) > 1 and any(len(item) > 2 for item in there):
            error = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "message": "cancelled"}
            return 400, _AMZ, json.dumps(error | {"CancellationReasons": []}).encode()
        before = dict(there[0])
        for item, update in zip(there, updates, strict=True):
            self._apply(item, update)
        return 200, _AMZ, json.dumps({"Attributes": before} if len(before) > 2 and len(updates) == 1 else {}).encode()

    def _item(self, update: dict[str, Any]) -> dict[str, Any]:
        keys = update["Key"]
        return self.items.setdefault(keys["pk"]["S"], {}).setdefault(keys["sk"]["S"], dict(keys))

    @staticmethod
    def _apply(item: dict[str, Any], update: dict[str, Any]) -> None:
        names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
        replaced, _, added = update["UpdateExpression"].partition(" ADD ")
        item |= {names.get(name, name): values[value] for name, value in _SET.findall(replaced)}
        for name, value in _ADD.findall(added):
            known = item.get(names[name], {"SS": []})["SS"]
            item[names[name]] = {"SS": sorted({*known, *values[value]["SS"]})}

    def _object(self, method: str, path: str, body: bytes) -> Reply:
        key = path.partition("?")[0]
        if method == "PUT":
            self.objects[key] = body
        if key not in self.objects:
            return 404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchKey</Code></Error>"
        content = self.objects[key]
        tag = {"ETag": f'"{md5(content, usedforsecurity=False).hexdigest()}"'}
        return 200, tag, b"" if method == "PUT" else content


if __name__ == "__main__":
    QuickAws(float(sys.argv[1])).run()
