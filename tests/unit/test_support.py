"""The helpers of the tests."""

import http.client
from contextlib import ExitStack, closing
from socket import create_server
from urllib.parse import urlsplit

import pytest

from tests.support.fault_proxy import LOST, FaultProxy, Reply, Request, dynamodb_error
from tests.support.ports import reserve_port


def test_a_reserved_port_is_given_to_nobody_else() -> None:
    """Of hundreds of servers on any free port none gets it; one that names it does."""
    reserved = {reserve_port() for _ in range(20)}
    assert len(reserved) == 20
    with ExitStack() as servers:
        others = [servers.enter_context(create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(500)]
        assert reserved.isdisjoint(others)
        for port in reserved:
            assert servers.enter_context(create_server(("127.0.0.1", port))).getsockname()[1] == port


def post(url: str, target: str, content: bytes) -> tuple[int, bytes]:
    """Send a request to a JSON service."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.request("POST", "/", content, {"X-Amz-Target": target})
        response = connection.getresponse()
        return response.status, response.read()


def test_the_proxy_replies_forwards_and_loses() -> None:
    """The proxy replies with a fault, forwards a request, or forwards it and loses the response."""
    with closing(FaultProxy()) as upstream, closing(FaultProxy(upstream.url)) as proxy:
        upstream.fault = lambda request: Reply(200, request.content.upper())
        assert post(proxy.url, "DynamoDB.Query", b'{"a": 1}') == (200, b'{"A": 1}')
        proxy.fault = lambda request: dynamodb_error("Denied") if request.operation == "Query" else LOST
        status, content = post(proxy.url, "DynamoDB.Query", b"{}")
        assert (status, b"#Denied" in content) == (400, True)
        assert len(upstream.requests) == 1
        with pytest.raises(http.client.RemoteDisconnected):
            post(proxy.url, "DynamoDB.Scan", b"{}")
        assert len(upstream.requests) == 2
        assert proxy.operations == ["Query", "Query", "Scan"]


def test_requests_have_a_name_by_their_object() -> None:
    """An update is named by its item, an upload by its key."""
    update = b'{"Key": {"pk": {"S": "repo#7"}, "sk": {"S": "day#2026-11-23"}}}'
    request = Request("POST", "/", {"X-Amz-Target": "DynamoDB_20120810.UpdateItem"}, update)
    assert (request.name, request.sort_key) == ("UpdateItem repo#7", "day#2026-11-23")
    assert Request("PUT", "/bucket/a%20b.csv?x=1", {}, b"").name == "PUT /bucket/a b.csv"
