"""A history of many days in a table and a bucket, written at once, as after ten years of daily runs."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from boto3.dynamodb.types import TypeSerializer

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
from tests.support.fake_github import GeneratedTraffic, Repository

_AT_ONCE = 25
"""Items of one request: DynamoDB's limit."""

_serialize = TypeSerializer().serialize


def write(dynamodb: Any, place: str, repository: Repository, last: date) -> None:  # noqa: ANN401 - a client is made at run time
    """Store and export a repository's days up to `last`, with a snapshot for each; the SDK's environment says where."""
    requests = ({"PutRequest": {"Item": item}} for item in _items(repository, last))
    while batch := list(islice(requests, _AT_ONCE)):
        if dynamodb.batch_write_item(RequestItems={place: batch})["UnprocessedItems"]:
            raise RuntimeError("the emulator did not take all")
    with (
        closing(open_store(f"dynamodb://{place}", create=False)) as store,
        closing(open_destination(f"s3://{place}/traffic")) as destination,
    ):
        if errors := rebuild(store, destination).errors:
            raise RuntimeError(errors)


def _items(repository: Repository, last: date) -> Iterator[dict[str, Any]]:
    traffic = repository.traffic
    assert isinstance(traffic, GeneratedTraffic)  # noqa: S101 - only invented traffic has a truth
    for age in range((last - repository.created).days + 1):
        day = repository.created + timedelta(days=age)
        moment = datetime.combine(day, time(3, 17), UTC)
        place = {"pk": f"repo#{repository.id}", "repo": repository.name}
        numbers = zip(NUMBERS, (*traffic.truth("views", day), *traffic.truth("clones", day)), strict=True)
        groups = write_groups(_snapshot(repository, moment))
        for item in (place | {"sk": f"day#{day}"} | dict(numbers), place | {"sk": f"snapshot#{day}"} | groups):
            yield {name: _serialize(value) for name, value in item.items()}


def _snapshot(repository: Repository, moment: datetime) -> Snapshot:
    views, clones = repository.traffic.views(moment), repository.traffic.clones(moment)
    return Snapshot(
        moment.date(),
        repository.name,
        Metadata(moment, repository.stars, repository.forks, repository.watchers, 0, 0, False, repository.created),
        Totals(moment, views.count, views.uniques),
        Totals(moment, clones.count, clones.uniques),
        TopPaths(moment, tuple(TopPath(*row) for row in repository.traffic.paths(moment))),
        TopReferrers(moment, tuple(TopReferrer(*row) for row in repository.traffic.referrers(moment))),
    )
