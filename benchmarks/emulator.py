"""The emulator ministack, finding items by their sort key as DynamoDB does; run by the Python of its own environment.

Left to itself it sorts and compares the whole partition for every query: of ten years of days, for 200 ms. Here it is
given that part of the partition alone which lies between the bounds, and does what it does with that.
"""

from typing import Any

from ministack import app
from ministack.services import dynamodb

CONDITION = "pk = :pk AND sk BETWEEN :first AND :last"
"""The one condition that ghtraffic queries by."""

query_all = dynamodb._query  # noqa: SLF001 - the emulator has no index to switch on, and its release is pinned


def query_between(data: dict[str, Any]) -> Any:  # noqa: ANN401 - the emulator's own answer
    """Answer a query from the part of the partition that its bounds leave."""
    table = dynamodb._tables.get(data["TableName"])  # noqa: SLF001 - likewise
    if data.get("KeyConditionExpression") != CONDITION or not table:
        return query_all(data)
    partition, first, last = (data["ExpressionAttributeValues"][f":{name}"]["S"] for name in ("pk", "first", "last"))
    whole = table["items"].get(partition, {})
    try:
        table["items"][partition] = {key: item for key, item in whole.items() if first <= key <= last}
        return query_all(data)
    finally:
        table["items"][partition] = whole


dynamodb._query = query_between  # noqa: SLF001 - likewise

if __name__ == "__main__":
    app.main()
