"""An HTTP server on loopback with a function for responses."""

import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Lock, Thread
from time import monotonic

_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """A request; `path` includes the query, `at` is in seconds of the monotonic clock.

    The names of `headers` are in title case: `X-Github-Api-Version`.
    """

    method: str
    path: str
    at: float
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def line(self) -> str:
        """The method and the path without the query."""
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True)
class Response:
    """A response without its length."""

    status: int
    body: bytes
    headers: Mapping[str, str]


Respond = Callable[[Request], Response | None]
"""Responds to a request; None closes the connection without a response."""


class Server:
    """Listens on loopback until closed, with all connections and threads."""

    def __init__(self, respond: Respond, port: int = 0) -> None:
        self._server = _Server(respond, port)
        self._thread = Thread(target=self._server.accept_connections, name="fake-github", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL, without a trailing slash."""
        host, port = self._server.socket.getsockname()
        return f"http://{host}:{port}"

    def close(self) -> None:
        """Stop listening, close all connections and wait for their threads."""
        self._server.stop_accepting()
        self._thread.join()
        self._server.disconnect()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, respond: Respond, port: int) -> None:
        self.respond = respond
        self._connections: dict[socket.socket, Thread] = {}
        self._lock = Lock()
        self._closing = False
        super().__init__(("127.0.0.1", port), _Handler)

    def accept_connections(self) -> None:
        while not self._closing:
            self.handle_request()

    def stop_accepting(self) -> None:
        self._closing = True
        socket.create_connection(self.socket.getsockname()).close()  # it wakes the thread that accepts, without polls

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002 - the base class's
        return not self._closing

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)  # noqa: S101 - a TCP server's requests are sockets
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        super().shutdown_request(request)
        with self._lock:
            self._connections.pop(request, None)  # type: ignore[arg-type] # a TCP server's requests are sockets

    def disconnect(self) -> None:
        with self._lock:
            connections = dict(self._connections)
        for connection, thread in connections.items():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # it is only printed


class _Handler(BaseHTTPRequestHandler):
    """Writes each response in one packet, to avoid delays."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _respond(self) -> None:
        at = monotonic()
        headers = {name.title(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        response = self.server.respond(Request(self.command, self.path, at, body, headers))
        if response is None:
            self.close_connection = True
            return
        sent = {**response.headers, "Content-Length": str(len(response.body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        head = f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n{lines}\r\n".encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + response.body)

    do_GET = do_HEAD = do_POST = _respond  # noqa: N815 - the base class looks for these names
    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's parameter
        """Print nothing."""
