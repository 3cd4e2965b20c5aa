"""A proxy that adds latency: every response arrives a fixed time later, however many are in flight.

`python -m benchmarks.delay --to HOST:PORT --milliseconds 80` prints its address and ends with its standard input.
`GET /__delay__` returns what has passed since the last such request, which itself is neither delayed nor counted.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass, field
from time import monotonic

CONTROL = "/__delay__"
BODILESS = frozenset({204, 304})


@dataclass
class Passed:
    """The requests that passed: each one's name, arrival and response, and the most in flight at once."""

    requests: list[tuple[str, float, float]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def arrive(self) -> float:
        """Record the start of a request."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return monotonic()

    def leave(self, name: str, arrived: float) -> None:
        """Record the response to a request."""
        self.in_flight -= 1
        self.requests.append((name, arrived, monotonic()))

    def take(self) -> bytes:
        """Return the record as JSON, and reset it."""
        taken = {"requests": self.requests, "most_in_flight": self.most_in_flight}
        self.requests, self.most_in_flight = [], self.in_flight
        return json.dumps(taken).encode()


@dataclass(frozen=True)
class Head:
    """The head of a request or a response."""

    first: str
    headers: dict[str, str]
    raw: bytes

    @classmethod
    async def read(cls, reader: asyncio.StreamReader) -> "Head | None":
        """Read a head; None if the connection was closed instead."""
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = raw.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        return cls(first, headers, raw)

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.first.split(" ", 2)[1])

    @property
    def name(self) -> str:
        """The name of a request: DynamoDB's operation, or the method and the path."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2] or " ".join(self.first.split(" ", 2)[:2])

    @property
    def closes(self) -> bool:
        """Whether the connection ends with it."""
        return self.headers.get("connection", "").lower() == "close"

    def kept_alive(self, length: int) -> bytes:
        """Return the bytes of a response that keeps the connection open and has a length."""
        lines = [line for line in self.raw[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
        if "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            lines.append(b"Content-Length: %d" % length)
        return b"\r\n".join(lines) + b"\r\n\r\n"


async def read_body(head: Head, reader: asyncio.StreamReader, *, to_the_end: bool) -> bytes:
    """Yield the body as it arrives; a response without a length ends with the connection."""
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        parts: list[bytes] = []
        while True:
            size = await reader.readuntil(b"\r\n")
            parts += [size, await reader.readuntil(b"\r\n")] if int(size, 16) == 0 else [size]
            if int(size, 16) == 0:
                return b"".join(parts)
            parts.append(await reader.readexactly(int(size, 16) + 2))
    if "content-length" in head.headers:
        return await reader.readexactly(int(head.headers["content-length"]))
    return await reader.read() if to_the_end else b""


class Proxy:
    """Forwards requests to one server, each connection on its own; asyncio's sockets have TCP_NODELAY set."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._host = host
        self._port = port
        self._seconds = seconds
        self._passed = Passed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side closes it."""
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while asked := await Head.read(reader):
                if asked.name == f"GET {CONTROL}":
                    taken = self._passed.take()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(taken) + taken)
                    continue
                arrived = self._passed.arrive()
                try:
                    server = server or await asyncio.open_connection(self._host, self._port)
                    if not await self._pass(asked, reader, writer, server):
                        server[1].close()
                        server = None
                finally:
                    self._passed.leave(asked.name, arrived)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            if server:
                server[1].close()

    async def _pass(
        self,
        asked: Head,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> bool:
        """Forward one request and its response; return whether the server keeps the connection."""
        from_server, to_server = server
        to_server.write(asked.raw)
        waits = asked.headers.get("expect", "").lower() == "100-continue"
        if not waits:
            to_server.write(await read_body(asked, reader, to_the_end=False))
        while True:
            answer = await Head.read(from_server)
            if answer is None:
                raise ConnectionResetError("the server closed the connection without an answer")
            if answer.status >= 200:
                break
            await asyncio.sleep(self._seconds)
            writer.write(answer.raw)
            if waits:
                to_server.write(await read_body(asked, reader, to_the_end=False))
                waits = False
        bodiless = asked.first.startswith("HEAD ") or answer.status in BODILESS
        body = b"" if bodiless else await read_body(answer, from_server, to_the_end=True)
        await asyncio.sleep(self._seconds)
        writer.write((answer.raw if bodiless else answer.kept_alive(len(body))) + body)
        return not answer.closes


async def forward(to: str, seconds: float) -> None:
    """Listen on a free port of loopback, print the address, and serve until the standard input ends."""
    host, _, port = to.partition(":")
    server = await asyncio.start_server(Proxy(host, int(port), seconds).serve, "127.0.0.1", 0, backlog=256)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Forward as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--milliseconds", type=float, required=True)
    arguments = parser.parse_args()
    asyncio.run(forward(arguments.to, arguments.milliseconds / 1000))


if __name__ == "__main__":
    main()
