"""GitHub without a network: PyGithub's requests call the fake, with faults on the way."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from github.Requester import Requester
from requests import exceptions

from tests.support.fake_github import Answer, FakeGitHub, Refusal, Request, Response

from .faults import GITHUB, Faults
from .journal import Group, Journal
from .scheduler import Clock, Process, Scheduler

URL = "http://127.0.0.1:1"
"""Where nobody listens: the requests never get there."""

_TIMEOUT = 20.0
_ANSWERS: Mapping[str, Answer] = {
    "refused": Refusal.NOT_ACCESSIBLE_BY_TOKEN.value,
    "unknown token": Refusal.BAD_CREDENTIALS.value,
    "5xx": Refusal.SERVER_ERROR_JSON.value,
    "5xx as HTML": Refusal.SERVER_ERROR_HTML.value,
    "secondary limit": Refusal.SECONDARY_RATE_LIMITED.value,
    "HTML": Refusal.HTML.value,
}


@dataclass
class Distance:
    """How many seconds each request takes."""

    seconds: float = 0.05


class GitHub:
    """The fake, the faults on the way to it, and the journal of its answers."""

    def __init__(self, fake: FakeGitHub, scheduler: Scheduler, clock: Clock, faults: Faults, journal: Journal) -> None:
        self._fake = fake
        self._scheduler = scheduler
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self.distance = Distance()
        self.heard: dict[Process[Any], list[Group]] = {}
        fake.url = URL

    def ask(self, request: Request) -> Response:
        """Answer one request of the process whose turn it is."""
        self._scheduler.request()
        self._clock.advance(self.distance.seconds)
        fault = self._faults.next("GitHub", GITHUB)
        if self._faults.refuses(request.path):
            return self._respond(Refusal.NOT_ACCESSIBLE_BY_TOKEN.value)
        if fault == "reset":
            raise exceptions.ConnectionError("the connection was reset")
        if fault in _ANSWERS:
            return self._respond(_ANSWERS[fault])
        if fault == "limit of the hour":
            return self._limited()
        self._fake.now = self._clock.now
        response = self._fake.serve(request)
        if response is None or response.status != 200:
            return response or self._respond(Refusal.SERVER_ERROR_JSON.value)
        groups = self._journal.note(request.path, response.body, self._clock.now, self._fake.repositories)
        return self._on_the_way_back(fault, response, groups)

    def _on_the_way_back(self, fault: str, response: Response, groups: list[Group]) -> Response:
        if fault == "answer lost":
            raise exceptions.ConnectionError("the connection was closed before the answer came")
        if fault == "timed out":
            self._clock.advance(_TIMEOUT)
            raise exceptions.ReadTimeout("the answer did not come")
        if fault == "slow":
            self._clock.advance(_TIMEOUT / 2)
        if fault == "truncated":
            return Response(response.status, response.body[: len(response.body) // 2], response.headers)
        self.heard.setdefault(self._scheduler.process, []).extend(groups)
        return response

    def _respond(self, answer: Answer) -> Response:
        self._fake.now = self._clock.now
        return Response(answer.status, answer.content(), {**self._fake.headers_of("core"), **answer.headers})

    def _limited(self) -> Response:
        """Answer that the hour's requests are used up, until a moment that may be too late for the run."""
        reset = int(self._clock.now.timestamp()) + self._faults.draw.choice((30, 600, 3000))
        return self._respond(Refusal.RATE_LIMITED.value.variant(headers={"X-RateLimit-Reset": str(reset)}))


class _Answered:
    """An answer in the form that PyGithub expects of a connection."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self._response = response

    def getheaders(self) -> Mapping[str, str]:
        return self._response.headers.items()  # type: ignore[return-value] # PyGithub wants pairs

    def read(self) -> str:
        return self._response.body.decode()


@contextmanager
def connected(github: GitHub) -> Iterator[None]:
    """Connect PyGithub to `github`, as its own tests connect it to recordings."""

    class Connection:
        def __init__(self, *_: object, **__: object) -> None:
            self._request: Request | None = None

        def request(self, verb: str, url: str, body: str | None, headers: Mapping[str, str], *_: object) -> None:
            content = (body if isinstance(body, str) else json.dumps(body) if body else "").encode()
            self._request = Request(verb, url, 0.0, content, {name.title(): value for name, value in headers.items()})

        def getresponse(self) -> _Answered:
            assert self._request is not None
            return _Answered(github.ask(self._request))

        def close(self) -> None:
            pass

    Requester.injectConnectionClasses(Connection, Connection)  # type: ignore[arg-type] # they have what is used
    try:
        yield
    finally:
        Requester.resetConnectionClasses()
