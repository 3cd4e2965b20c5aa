"""A proxy before an emulator of AWS, which answers, delays or loses the requests that a test chooses."""

import http.client
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.unmeasured import leave_unmeasured

_HELD_AT_MOST = 300.0
"""Seconds; longer than any test waits for a program that should not wait for the answer."""

_HOP_BY_HOP = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True)
class Request:
    """One request to AWS."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def operation(self) -> str:
        """The operation of a JSON service, such as `UpdateItem`; else the HTTP method."""
        return self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.method

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of a request to DynamoDB or SSM."""
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed

    @property
    def sort_key(self) -> str:
        """The sort key of the item that a request to DynamoDB is about."""
        return str(self.body["Key"]["sk"]["S"])

    @property
    def name(self) -> str:
        """The operation with its object: `UpdateItem repo#7` or `PUT /bucket/key`."""
        if "X-Amz-Target" in self.headers:
            return f"{self.operation} {self.body.get('Key', {}).get('pk', {}).get('S', '')}"
        return unquote(f"{self.method} {self.path.partition('?')[0]}")


@dataclass(frozen=True)
class Reply:
    """A response instead of the emulator's; if it is `lost`, the emulator's response never arrives."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Reply(lost=True)


def dynamodb_error(code: str, message: str = "invented", **details: object) -> Reply:
    """Return an error in the form of DynamoDB and SSM."""
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **details}
    return Reply(400, json.dumps(content).encode(), {"Content-Type": "application/x-amz-json-1.0"})


def s3_error(code: str, status: int = 403) -> Reply:
    """Return an error in the form of S3."""
    content = f"<Error><Code>{code}</Code><Message>invented</Message></Error>"
    return Reply(status, content.encode(), {"Content-Type": "application/xml"})


def one_by_one(fault: Callable[[Request], Reply | None]) -> Callable[[Request], Reply | None]:
    """Return a fault that also cancels each transaction, so that the store writes its items one by one."""
    cancelled = dynamodb_error("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
    return lambda request: cancelled if request.operation == "TransactWriteItems" else fault(request)


class HeldRequests:
    """A fault that holds the requests of one name, from the `at`-th on, until they are `released`."""

    def __init__(self, name: str, at: int) -> None:
        self.reached, self.released = Event(), Event()
        self._name = name
        self._left = at
        self._lock = Lock()

    def __call__(self, request: Request) -> None:
        """Hold a request until all are released."""
        if request.name.startswith(self._name):
            with self._lock:
                self._left -= 1
                holds = self._left <= 0
            if holds:
                self.reached.set()
                self.released.wait(_HELD_AT_MOST)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # five, the default, are too few for 32 threads that connect at once


class FaultProxy:
    """An HTTP server that passes requests on to `upstream`, unless `fault` returns a reply.

    It passes on one request at a time. AWS writes an item or an object whole; the emulator shows others one that has
    only its keys yet, and checks a condition before it writes, without a lock. Without an upstream, `fault` has to
    answer every request.
    """

    def __init__(self, upstream: str = "") -> None:
        self.fault: Callable[[Request], Reply | None] = lambda _: None
        self.requests: list[Request] = []
        self._upstream = urlsplit(upstream).netloc
        self._one_at_a_time = Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def operations(self) -> list[str]:
        """The operations of the requests, in their order."""
        return [request.operation for request in self.requests]

    def answer(self, request: Request) -> Reply:
        """Return the fault for a request, or the response of the emulator."""
        self.requests.append(request)
        reply = self.fault(request)
        if reply is None:
            return self._forward(request)
        if reply.lost:
            self._forward(request)
        return reply

    def _forward(self, request: Request) -> Reply:
        with self._one_at_a_time, closing(http.client.HTTPConnection(self._upstream, timeout=60)) as emulator:
            headers = {name: value for name, value in request.headers.items() if name != "Expect"}
            emulator.request(request.method, request.path, request.content, headers)
            response = emulator.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
            return Reply(response.status, response.read(), kept)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            if len(content) < length:  # the sender was killed: AWS would wait for the rest
                self.close_connection = True
                return
            reply = proxy.answer(Request(self.command, self.path, dict(self.headers), content))
            if reply.lost:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else reply.content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the base class looks for them

        def handle_expect_100(self) -> bool:
            """Request the body at once: a buffered response would keep the sender waiting."""
            done = super().handle_expect_100()
            self.wfile.flush()
            return done

        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def handle(self) -> None:
            """Serve until the other side closes the connection, even if it breaks it off."""
            leave_unmeasured()
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    return Handler
