"""What the tests of the fake of GitHub share: a plain client, two repositories, generated traffic and queries."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ghtraffic_action.demo.fake_github import LoopbackApi
from ghtraffic_action.github.queries import LIST_QUERY, lookup_query
from tests.support.fake_github import WHOLE, Form, GeneratedTraffic, RecordedTraffic, Repository

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
START = date(2026, 9, 1)
VIEWS = ((date(2026, 11, 21), 40, 9), (date(2026, 11, 22), 2, 1))
CLONES = ((date(2026, 11, 20), 7, 3),)
PATHS = (("/octo/tool", "octo/tool: a tool", 40, 9), ("/octo/tool/issues", "Issues", 2, 1))
REFERRERS = (("Google", 12, 5),)
REPOSITORY_QUERY = """
query($o0: String!, $n0: String!, $o1: String!, $n1: String!) {
  r0: repository(owner: $o0, name: $n0) { ...scalars }
  c0: repository(owner: $o0, name: $n0) { ...connections }
  r1: repository(owner: $o1, name: $n1) { ...scalars }
  c1: repository(owner: $o1, name: $n1) { ...connections }
}
fragment scalars on Repository {
  databaseId nameWithOwner stargazerCount forkCount isArchived isPrivate isFork createdAt pushedAt
}
fragment connections on Repository {
  watchers { totalCount } issues(states: OPEN) { totalCount } pullRequests(states: OPEN) { totalCount }
}
"""
OWNER_QUERY = """
query($login: String!, $after: String) {
  repositoryOwner(login: $login) {
    repositories(
      first: 100, after: $after, ownerAffiliations: OWNER, isFork: false, isArchived: false
      orderBy: {field: NAME, direction: ASC}
    ) {
      totalCount
      nodes { nameWithOwner databaseId isPrivate }
      pageInfo { hasNextPage endCursor }
    }
  }
  rateLimit { cost limit remaining resetAt used }
}
"""
QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "repositories": (REPOSITORY_QUERY, {"o0": "octo", "n0": "tool", "o1": "octo", "n1": "old-secret"}),
    "owner": (OWNER_QUERY, {"login": "octo"}),
    "the program looks up": lookup_query(("octo/tool", "octo/old-secret")),
    "the program looks up apart": lookup_query(("octo/tool", "octo/old-secret"), apart=True),
    "the program lists": (LIST_QUERY, {"owner": "octo", "after": None, "first": 100}),
}


@dataclass(frozen=True)
class Heard:
    """An answer as a plain client receives it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The parsed body."""
        return json.loads(self.text)


class Client:
    """A connection that is kept alive."""

    def __init__(self, api: LoopbackApi) -> None:
        self._connection = http.client.HTTPConnection(api.url.removeprefix("http://"))

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Heard:
        """Send one request and wait for its answer."""
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return Heard(response.status, dict(response.getheaders()), response.read().decode())

    def query(self, text: str, **variables: object) -> dict[str, Any]:
        """Send one GraphQL query."""
        heard = self.ask("/graphql", "POST", json.dumps({"query": text, "variables": variables}))
        assert heard.status == 200
        answer: dict[str, Any] = heard.json
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def tool() -> Repository:
    recorded = RecordedTraffic(VIEWS, CLONES, PATHS, REFERRERS)
    return Repository(
        11,
        "octo/tool",
        recorded,
        START,
        pushed=NOW,
        stars=5,
        forks=4,
        watchers=3,
        open_issues=2,
        open_pull_requests=1,
        former_names=("octo/gadget", "reef/tool"),
    )


def secret() -> Repository:
    return Repository(12, "octo/secret", RecordedTraffic(), START, private=True, former_names=("octo/old-secret",))


def wait_for(happened: Callable[[], object]) -> None:
    """Wait until something has happened, at most five seconds."""
    end = time.monotonic() + 5
    while not happened() and time.monotonic() < end:
        time.sleep(0.001)


def generated(days: int = 60, *, seed: int = 0, form: Form = WHOLE) -> GeneratedTraffic:
    """Return `days` days of traffic until TODAY, none of them without views."""
    truth = {TODAY - timedelta(days=age): (30 + age % 7 * 11, 10 + age % 5) for age in range(days)}
    clones = {day: (count // 10, uniques // 10) for day, (count, uniques) in truth.items()}
    return GeneratedTraffic(truth, clones, name="octo/tool", seed=seed, form=form)
