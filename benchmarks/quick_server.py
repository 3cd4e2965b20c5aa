"""An HTTP server of one thread for fakes that must cost next to nothing."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping

Reply = tuple[int, Mapping[str, str], bytes]


class QuickServer(ABC):
    """Serves on loopback until its standard input ends.

    Prints its address, then a line of JSON for each line read.
    """

    delay: float
    """Seconds from a request to its answer."""

    url: str
    """The address, once it serves."""

    @abstractmethod
    async def reply(self, line: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return status, headers and body for a request."""

    @abstractmethod
    def directed(self, text: str) -> str:
        """Return the answer to a line of the standard input."""

    def run(self) -> None:
        """Serve."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        print(self.url, flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(self.directed(line), flush=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
                if "expect" in headers:
                    await asyncio.sleep(self.delay)
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, more, content = await self.reply(head[0].rpartition(" ")[0], headers, body)
                lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(content)}"]
                lines += [f"{name}: {value}" for name, value in more.items()]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or the server ends
        finally:
            writer.close()
