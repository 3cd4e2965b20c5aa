"""A fake of GitHub with two repositories, and a client of it."""

from collections.abc import Iterator

import pytest

from tests.support.fake_github import FakeGitHub
from tests.support.fake_github_world import NOW, Client, secret, tool


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub([tool(), secret()], now=NOW) as fake:
        yield fake


@pytest.fixture
def client(fake: FakeGitHub) -> Iterator[Client]:
    client = Client(fake)
    yield client
    client.close()
