"""A table with few write units: a run slows down and gets done, and notices in between that it is to stop."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread, Timer

import pytest

from ghtraffic_action.errors import Interrupted
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from ghtraffic_action.traffic.model import Changes, Day, History

pytestmark = pytest.mark.e2e  # real seconds pass

THROTTLED = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow"}
CANCELED = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "message": "invented"}


class Units:
    """Capacity units: `rate` come each second, `most` can be kept; without one a request is throttled."""

    def __init__(self, rate: float, most: float) -> None:
        self.rate, self.most = rate, most
        self.left, self.at = most, time.monotonic()
        self.taken = self.refused = 0
        self._lock = Lock()

    def take(self) -> bool:
        """Take a unit; False if none is left."""
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


@contextmanager
def table_of(units: Units) -> Iterator[str]:
    """Serve a table that accepts each write for a unit, and holds nothing."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            whole = self.headers["X-Amz-Target"].endswith("TransactWriteItems")  # more units than the table has
            taken = not whole and units.take()
            content = json.dumps({"Items": []} if taken else CANCELED if whole else THROTTLED).encode()
            self.send_response(200 if taken else 400)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who may use the table."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


CHANGES = Changes(tuple(Day(date(2026, 1, 1) + timedelta(days=i), "a/b", views=1) for i in range(60)))


def test_a_save_slows_down_until_all_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty writes by 32 threads at fifteen units a second are throttled often, and each is written once."""
    units = Units(rate=15, most=5)
    with table_of(units) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        with closing(DynamoDBStore("traffic")) as store:
            assert store.save(7, CHANGES).inserted == 60
    assert units.taken == 60
    assert units.refused > 60


def test_a_read_slows_down_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a query is repeated as a write is."""
    units = Units(rate=2, most=1)
    with table_of(units) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        with closing(DynamoDBStore("traffic")) as store:
            assert [store.load(7) for _ in range(2)] == [History(7), History(7)]
    assert units.taken == 4
    assert units.refused


def test_a_run_that_is_to_stop_does_not_go_on_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries the wish to stop is noticed."""
    stop = Event()
    units = Units(rate=0, most=0)
    with table_of(units) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        with closing(DynamoDBStore("traffic", Runtime(stop))) as store:
            Timer(0.3, stop.set).start()
            with pytest.raises(Interrupted):
                store.save(7, CHANGES)
    assert 0 < units.refused < 60 * 30


def test_the_connections_are_enough_for_readers_and_writers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While 32 threads write, 32 repositories are read: no connection is thrown away and made anew."""
    with table_of(Units(rate=10**6, most=10**6)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        with closing(DynamoDBStore("traffic")) as store, ThreadPoolExecutor(32) as repositories:
            assert store.load(1) == History(1)
            list(repositories.map(lambda number: (store.load(number), store.save(number, CHANGES)), range(96)))
    assert "pool is full" not in caplog.text
