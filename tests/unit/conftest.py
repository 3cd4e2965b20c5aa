"""What the tests of stores share."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest

from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from tests.support.aws import Aws
from tests.support.fault_proxy import FaultProxy
from tests.support.histories import Opener


@pytest.fixture
def table(aws: Aws, proxy: FaultProxy) -> Iterator[DynamoDBStore]:
    assert proxy.requests == []
    with closing(DynamoDBStore(aws.table)) as store:
        yield store


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK tries again at once."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(params=["sqlite:traffic.db", "jsonl:traffic.jsonl", pytest.param("dynamodb", marks=pytest.mark.e2e)])
def opened(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Open the same store as often as wanted, as several programs do."""
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
