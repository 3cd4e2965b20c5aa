"""Run the emulator ministack with DynamoDB's lookup by sort key.

On its own it sorts and compares the whole partition for every query, which takes 200 ms for ten years of days. Here it
is given only the part of the partition between the bounds.
"""

from typing import Any

from ministack import app
from ministack.services import dynamodb

CONDITION = "pk = :pk AND sk BETWEEN :first AND :last"
"""The only key condition of ghtraffic's queries."""

query_all = dynamodb._query  # noqa: SLF001 - the emulator has no index to switch on, and its release is pinned


def query_between(data: dict[str, Any]) -> Any:  # noqa: ANN401 - the emulator's own answer
    """Answer a query from the part of the partition between its bounds."""
    table = dynamodb._tables.get(data["TableName"])  # noqa: SLF001 - the emulator has no interface for it
    if data.get("KeyConditionExpression") != CONDITION or not table:
        return query_all(data)
    partition, first, last = (data["ExpressionAttributeValues"][f":{name}"]["S"] for name in ("pk", "first", "last"))
    whole = table["items"].get(partition, {})
    try:
        table["items"][partition] = {key: item for key, item in whole.items() if first <= key <= last}
        return query_all(data)
    finally:
        table["items"][partition] = whole


dynamodb._query = query_between  # noqa: SLF001 - the emulator has no interface for it

if __name__ == "__main__":
    app.main()
