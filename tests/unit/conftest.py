"""Fixtures of the tests of stores."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, chdir, closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from ghtraffic_action.stores.sqlite import SQLiteStore
from tests.support.aws import Aws
from tests.support.exports import World, seventy_days
from tests.support.fault_proxy import FaultProxy
from tests.support.histories import Opener


@pytest.fixture
def table(aws: Aws, proxy: FaultProxy) -> Iterator[DynamoDBStore]:
    assert proxy.requests == []
    with closing(DynamoDBStore(aws.table)) as store:
        yield store


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK retry without pauses."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(params=["sqlite:traffic.db", "jsonl:traffic.jsonl", pytest.param("dynamodb", marks=pytest.mark.e2e)])
def opened(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Return a function that opens one store several times, as several programs do."""
    address = request.param
    if address == "dynamodb":
        aws: Aws = request.getfixturevalue("aws")
        request.getfixturevalue("proxy")
        address = aws.store
    with ExitStack() as stores:
        yield lambda: stores.enter_context(closing(open_store(address, create=True)))


@pytest.fixture
def store(opened: Opener) -> Store:
    return opened()


@pytest.fixture(scope="session")
def seventy_days_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the store and export of 70 days, made once for the xdist group "seventy days"."""
    folder = tmp_path_factory.mktemp("seventy-days")
    with chdir(folder), closing(SQLiteStore("traffic.db")) as store:
        seventy_days(World(store, DirectoryDestination("export"), report=True))
    return folder


@pytest.fixture
def after_seventy_days(seventy_days_folder: Path, tmp_path: Path) -> Iterator[World]:
    """Return the world after 70 days, in a directory."""
    shutil.copytree(seventy_days_folder, tmp_path, dirs_exist_ok=True)
    with closing(SQLiteStore("traffic.db")) as store:
        yield World(store, DirectoryDestination("export"), report=True)
