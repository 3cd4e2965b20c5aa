"""Writes years of daily runs to a table and a bucket."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from benchmarks.quick_github import CREATED, visits
from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import (
    NUMBERS,
    Metadata,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)
from ghtraffic_action.traffic.serialization import write_groups

_AT_ONCE = 25
"""Items of one request: DynamoDB's limit."""

_serialize = TypeSerializer().serialize


def write(dynamodb: Any, place: str, number: int, days: int, last: date) -> None:  # noqa: ANN401 - a client is made at run time
    """Store and export a repository's last days, with a snapshot for each."""
    requests = ({"PutRequest": {"Item": item}} for item in _items(number, days, last))
    while batch := list(islice(requests, _AT_ONCE)):
        if dynamodb.batch_write_item(RequestItems={place: batch})["UnprocessedItems"]:
            raise RuntimeError("the emulator did not take all")
    with (
        closing(open_store(f"dynamodb://{place}", create=False)) as store,
        closing(open_destination(f"s3://{place}/traffic")) as destination,
    ):
        if errors := rebuild(store, destination).errors:
            raise RuntimeError(errors)


def _items(number: int, days: int, last: date) -> Iterator[dict[str, Any]]:
    for age in range(days):
        day = last - timedelta(days=age)
        place = {"pk": f"repo#{number}", "repo": f"octo-lab/boat-{number}"}
        numbers = dict(zip(NUMBERS, (visits(number, day), 1) * 2, strict=True))
        groups = write_groups(_snapshot(number, datetime.combine(day, time(3, 17), UTC)))
        for item in (place | {"sk": f"day#{day}"} | numbers, place | {"sk": f"snapshot#{day}"} | groups):
            yield {name: _serialize(value) for name, value in item.items()}


def _snapshot(number: int, moment: datetime) -> Snapshot:
    listed = [moment.date() - timedelta(days=age) for age in range(14, 0, -1)]
    totals = Totals(moment, sum(visits(number, day) for day in listed), 9, listed[0])
    return Snapshot(
        moment.date(),
        f"octo-lab/boat-{number}",
        Metadata(moment, 5, 2, 1, 0, 0, False, CREATED),
        totals,
        totals,
        TopPaths(moment, (TopPath("/octo-lab/page-0", "A page", 9, 3),)),
        TopReferrers(moment, (TopReferrer("/octo-lab/page-0", 9, 3),)),
    )
