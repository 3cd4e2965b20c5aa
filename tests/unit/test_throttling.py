"""A table with few write units: a run slows down, completes, and can be stopped."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from threading import Event, Lock, Timer

import pytest

from ghtraffic_action.errors import Interrupted
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from ghtraffic_action.traffic.model import Changes, Day, History
from tests.support.fault_proxy import FaultProxy, Reply, Request, dynamodb_error

pytestmark = pytest.mark.e2e  # real seconds pass

ACCEPTED = Reply(200, json.dumps({"Items": []}).encode(), {"Content-Type": "application/x-amz-json-1.0"})


class Units:
    """Capacity units: `rate` per second, at most `most` kept; without one a request is throttled."""

    def __init__(self, rate: float, most: float) -> None:
        self.rate, self.most = rate, most
        self.left, self.at = most, time.monotonic()
        self.taken = self.refused = 0
        self._lock = Lock()

    def take(self) -> bool:
        """Use a unit. Return False if none is left."""
        with self._lock:
            now = time.monotonic()
            self.left = min(self.most, self.left + (now - self.at) * self.rate)
            self.at = now
            if self.left < 1:
                self.refused += 1
                return False
            self.left -= 1
            self.taken += 1
            return True


@pytest.fixture
def table() -> Iterator[FaultProxy]:
    """Return an empty table."""
    with closing(FaultProxy()) as proxy:
        yield proxy


def limited_to(units: Units) -> Callable[[Request], Reply]:
    """Return a rule that throttles requests without a unit, and refuses transactions."""

    def answer(request: Request) -> Reply:
        if request.operation == "TransactWriteItems":
            return dynamodb_error("TransactionCanceledException")
        return ACCEPTED if units.take() else dynamodb_error("ProvisionedThroughputExceededException")

    return answer


@pytest.fixture(autouse=True)
def environment(table: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Return the environment of a user with credentials for the table."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", table.url)


CHANGES = Changes(tuple(Day(date(2026, 1, 1) + timedelta(days=i), "a/b", views=1) for i in range(60)))


def test_a_save_slows_down_until_all_is_written(table: FaultProxy) -> None:
    """Sixty writes by 32 threads at fifteen units a second are throttled, and each is stored once."""
    units = Units(rate=15, most=5)
    table.fault = limited_to(units)
    with closing(DynamoDBStore("traffic")) as store:
        assert store.save(7, CHANGES).inserted == 60
    assert units.taken == 60
    assert units.refused > 60


def test_a_read_slows_down_too(table: FaultProxy) -> None:
    """A page of a query is retried like a write."""
    units = Units(rate=2, most=1)
    table.fault = limited_to(units)
    with closing(DynamoDBStore("traffic")) as store:
        assert [store.load(7) for _ in range(2)] == [History(7), History(7)]
    assert units.taken == 4
    assert units.refused


def test_a_stopped_run_does_not_go_on_waiting(table: FaultProxy) -> None:
    """A stop is noticed between two attempts."""
    stop = Event()
    units = Units(rate=0, most=0)
    table.fault = limited_to(units)
    with closing(DynamoDBStore("traffic", Runtime(stop))) as store:
        Timer(0.3, stop.set).start()
        with pytest.raises(Interrupted):
            store.save(7, CHANGES)
    assert 0 < units.refused < 60 * 30


def test_the_connections_are_enough_for_readers_and_writers(
    table: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """While 32 threads write, 32 repositories are read: no connection is discarded and opened again."""
    table.fault = limited_to(Units(rate=10**6, most=10**6))
    with closing(DynamoDBStore("traffic")) as store, ThreadPoolExecutor(32) as repositories:
        assert store.load(1) == History(1)
        list(repositories.map(lambda number: (store.load(number), store.save(number, CHANGES)), range(64)))
    assert "pool is full" not in caplog.text
