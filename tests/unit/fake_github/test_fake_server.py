"""Connections, threads and the log of the fake of GitHub."""

import http.client
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import pytest

import ghtraffic_action.demo
from tests.support.fake_github import FakeGitHub, RecordedTraffic, Request
from tests.support.fake_github_world import Client, tool, wait_for


class TestServer:
    """Connections, threads and the log."""

    def test_requests_are_logged(self, client: Client, fake: FakeGitHub) -> None:
        """The log has what was asked, with query strings, bodies, headers and the moment."""
        before = time.monotonic()
        client.ask("/repos/octo/tool?x=1", accept="text/plain")
        client.ask("/graphql", "POST", "{}")
        asked, posted = fake.requests
        assert (asked.method, asked.path, asked.line) == ("GET", "/repos/octo/tool?x=1", "GET /repos/octo/tool")
        assert asked.headers["Accept"] == "text/plain"
        assert (posted.method, posted.path, posted.body) == ("POST", "/graphql", b"{}")
        assert before <= asked.at <= posted.at <= time.monotonic()
        assert isinstance(asked, Request)

    def test_the_most_in_flight_are_counted(self) -> None:
        """Requests under way at the same moment are counted, each on its own connection."""
        with FakeGitHub([tool()], delay=0.1) as fake:
            clients = [Client(fake) for _ in range(4)]
            threads = [threading.Thread(target=client.ask, args=("/repos/octo/tool",)) for client in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for client in clients:
                client.close()
            assert fake.most_in_flight == 4

    def test_the_end_closes_everything(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Threads end, idle connections are closed, the port is free again, and nothing was printed."""
        threads = threading.active_count()
        with FakeGitHub([tool()]) as fake:
            client = Client(fake)
            client.ask("/repos/octo/tool")
            port = int(fake.url.rpartition(":")[2])
        assert threading.active_count() == threads
        with pytest.raises(ConnectionError):
            client.ask("/repos/octo/tool")
        with FakeGitHub(port=port) as fake:
            assert fake.url == f"http://127.0.0.1:{port}"
        client.close()
        assert capfd.readouterr() == ("", "")

    def test_a_client_that_hangs_up_is_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A connection reset by the client is not an error of the fake."""
        with FakeGitHub([tool()], delay=0.05) as fake:
            with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2]))) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                wait_for(lambda: fake.requests)
            client = Client(fake)
            assert client.ask("/repos/octo/tool").status == 200
            client.close()
        assert capfd.readouterr() == ("", "")

    def test_a_mistake_in_a_test_is_printed(self, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]) -> None:
        """If a test's traffic raises an exception, the connection closes and the traceback is printed."""
        fake.repositories[0].traffic = RecordedTraffic(paths=[("one", "two", 3)])  # type: ignore[list-item]
        client = Client(fake)
        with pytest.raises(http.client.RemoteDisconnected):
            client.ask("/repos/octo/tool/traffic/popular/paths")
        client.close()
        assert "ValueError: zip() argument" in capfd.readouterr().err

    def test_an_answer_is_one_packet(self, fake: FakeGitHub) -> None:
        """Head and body arrive together: small writes would each wait 40 ms for the one before."""
        with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2]))) as connection:
            connection.sendall(b"GET /repos/octo/tool/traffic/views HTTP/1.1\r\n\r\n")
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert f"Content-Length: {len(body)}".encode() in head


def test_the_demonstrations_fake_needs_only_the_standard_library() -> None:
    """CI serves it with a Python without packages."""
    folder = Path(ghtraffic_action.demo.__file__).parent
    imports = [
        line.split()[1]
        for file in folder.glob("*.py")
        if file.name != "run.py"
        for line in file.read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
    others = {name for name in imports if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others
    assert all(name.startswith("ghtraffic_action.demo.") for name in others)
