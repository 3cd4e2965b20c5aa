"""Fixtures of the tests of exports: stores, destinations and histories."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from ghtraffic_action.exports.destination import Destination, open_destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.stores.base import Store
from ghtraffic_action.stores.sqlite import SQLiteStore
from tests.support.aws import Aws
from tests.support.exports import World, seventy_days


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    with closing(SQLiteStore("traffic.db")) as store:
        yield store


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.e2e)])
def destination(request: pytest.FixtureRequest) -> Iterator[Destination]:
    address = "export" if request.param == "directory" else request.getfixturevalue("aws").export_to
    with closing(open_destination(address)) as destination:
        yield destination


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.e2e)])
def many_runs(request: pytest.FixtureRequest) -> Iterator[World]:
    """Return the world after 70 days, with the export in a directory or in a bucket."""
    if request.param == "directory":
        yield request.getfixturevalue("after_seventy_days")
        return
    aws: Aws = request.getfixturevalue("aws")
    with closing(SQLiteStore("traffic.db")) as store, closing(open_destination(aws.export_to)) as bucket:
        world = World(store, bucket, report=True)
        seventy_days(world)
        yield world


@pytest.fixture
def directory() -> DirectoryDestination:
    return DirectoryDestination("export")


@pytest.fixture
def world(store: Store, directory: Destination) -> World:
    return World(store, directory)
