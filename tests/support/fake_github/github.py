"""GitHub on loopback with everything that a test of the program needs."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from threading import Event, Lock
from types import TracebackType
from typing import Any

from ghtraffic_action.demo.fake_github import JSON_TYPE, LoopbackApi, star_page, traffic_body
from ghtraffic_action.demo.http_server import Request, Response
from tests.support.unmeasured import leave_unmeasured

from . import actions_settings, graphql_api
from .bodies import Budget, write_rate_limit, write_release, write_repository
from .catalogue import Catalogue, Repository, newest_releases
from .refusals import DOCS, Answer, Refusal, refusal
from .workflow_runs import write_runs

ADDRESS = re.compile(
    r"/(?:repos/(?P<name>[^/]+/[^/?]+)|repositories/(?P<id>\d+))"
    r"(?P<below>/traffic/(?P<what>views|clones|popular/paths|popular/referrers)|/actions/runs"
    r"|/(?P<listed>releases|stargazers/history)\?page=(?P<page>[1-9]\d*)&per_page=(?P<size>[1-9]\d*))?"
)
INSTALLATION = re.compile(r"/(?:users|orgs)/(?P<owner>[^/]+)/installation")
ACCESS_TOKENS = re.compile(r"/app/installations/(?P<id>\d+)/access_tokens")
INSTALLED_PAGE = re.compile(r"/installation/repositories\?page=(?P<page>\d+)&per_page=(?P<size>[1-9]\d?|100)")
JWT = re.compile(r"Bearer ([\w-]+\.){2}[\w-]+")
HOUR = timedelta(hours=1)
EXHAUSTED = {"core": Refusal.RATE_LIMITED, "graphql": Refusal.RATE_LIMITED_GRAPHQL}
NO_ACCESS = "Resource not accessible by personal access token"


@dataclass
class _Rule:
    answer: Answer
    path: re.Pattern[str]
    times: int | None

    def applies(self, request: Request) -> bool:
        if self.times == 0 or not self.path.search(request.line):
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FakeGitHub(LoopbackApi):
    """GitHub on loopback, from `with` to its end.

    Args:
        repositories: the repositories that exist; the attribute of this name may be changed at any time.
        now: the moment of all answers; None is the real time.
        port: where to listen; 0 is any free port.
        token: if set, any other `Authorization` is answered 401.
        installed: the owners where a GitHub App is installed, whose key is not checked. It is issued tokens, and each
            opens its owner's repositories alone.
        limit: how many requests of each resource an hour has.
        delay: how many seconds each answer takes.
    """

    def __init__(  # noqa: PLR0913 - independent settings with defaults
        self,
        repositories: Iterable[Repository] = (),
        *,
        now: datetime | None = None,
        port: int = 0,
        token: str | None = None,
        installed: Iterable[str] = (),
        limit: int = 5000,
        delay: float = 0.0,
    ) -> None:
        super().__init__(now, port)
        self._catalogue = Catalogue(repositories)
        self.actions = actions_settings.ActionsSettings()
        self.headers: dict[str, str] = {}
        self.requests: list[Request] = []
        self.most_in_flight = 0
        self.remaining = self.remaining_graphql = self.limit = limit
        self.delay = delay
        self._token = token
        self._installed = {owner.lower(): 1001 + at for at, owner in enumerate(installed)}
        self._tokens: dict[str, str] = {}
        self._rules: list[_Rule] = []
        self._refused: dict[tuple[str, str], str] = {}
        self._in_flight = 0
        self._reset = self.now + HOUR
        self._lock = Lock()
        self._closing = Event()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        super().__exit__(kind, error, trace)

    @property
    def repositories(self) -> list[Repository]:
        """The repositories that exist: add, remove and change them."""
        return self._catalogue.repositories

    @repositories.setter
    def repositories(self, repositories: Iterable[Repository]) -> None:
        self._catalogue.repositories = list(repositories)

    def refuse(self, refusal: Refusal | Answer, *, path: str = "", times: int | None = None) -> None:
        """Answer requests whose `METHOD /path` the regular expression finds with this, `times` times or always.

        A later rule takes precedence.
        """
        answer = refusal.value if isinstance(refusal, Refusal) else refusal
        with self._lock:
            self._rules.insert(0, _Rule(answer, re.compile(path), times))

    def refuse_field(self, repository: str, field: str, message: str = NO_ACCESS) -> None:
        """Refuse one field of one repository in GraphQL; where it may not be null the whole node is null."""
        with self._lock:
            self._refused[repository.lower(), field] = message

    def allow(self) -> None:
        """Drop all rules."""
        with self._lock:
            self._rules.clear()
            self._refused.clear()

    def serve(self, request: Request) -> Response | None:
        """Respond to a request; None closes the connection without an answer."""
        leave_unmeasured()
        with self._lock:
            self.requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            return self._respond(request)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _respond(self, request: Request) -> Response | None:
        resource = "graphql" if request.line.endswith(" /graphql") else "core"
        exhausted = self._spend(request, resource)
        refused = self._refusal(request) or (EXHAUSTED[resource].value if exhausted else None)
        if refused is None:
            answer = self._answer(request)
        elif refused.cut:
            answer = replace(self._answer(request), cut=True, seconds=refused.seconds)
        else:
            answer = refused.to(owner_of(request))
        if seconds := self.delay + answer.seconds:
            self._closing.wait(seconds)
        if not answer.status:
            return None
        return Response(answer.status, answer.content(), {**self.headers_of(resource), **answer.headers})

    def _refusal(self, request: Request) -> Answer | None:
        if not self._knows(request):
            return Refusal.BAD_CREDENTIALS.value
        with self._lock:
            return next((rule.answer for rule in self._rules if rule.applies(request)), None)

    def _knows(self, request: Request) -> bool:
        """Return whether the credentials of a request are known."""
        authorization = request.headers.get("Authorization", "")
        of_app = (INSTALLATION, ACCESS_TOKENS, re.compile("/app/installations"))
        if self._installed and any(form.search(request.line) for form in of_app):
            return bool(JWT.fullmatch(authorization))
        token = authorization.rpartition(" ")[2]
        return token in self._tokens or token == self._token if self._installed or self._token else True

    def _answer(self, request: Request) -> Answer:
        method, _, path = request.line.partition(" ")
        if method == "POST" and path == "/graphql":
            return self._answer_graphql(request)
        special = self._answer_app(request.line) or self._answer_settings(request) or self._answer_installed(request)
        if special:
            return special
        if method != "GET":
            return refusal(405, "Method Not Allowed", f"{DOCS}/rest")
        if path == "/rate_limit":
            return Answer(200, write_rate_limit({name: self._budget(name) for name in ("core", "graphql")}))
        address = ADDRESS.fullmatch(request.path) or ADDRESS.fullmatch(path)
        if not address:
            return refusal(404, "Not Found", f"{DOCS}/rest")
        return self._answer_repository(address, self._visible(request), request.path.partition("?")[2])

    def _answer_app(self, line: str) -> Answer | None:
        """Answer a GitHub App's requests for itself; None for any other request and if it is not installed."""
        method, _, path = line.partition(" ")
        if method == "GET" and path.partition("?")[0] == "/app/installations":
            found = self._installed.items()
            return Answer(200, [{"id": number, "account": {"login": owner}} for owner, number in found])
        if method == "GET" and (asked := INSTALLATION.fullmatch(path)):
            installation = self._installed.get(asked["owner"].lower())
            return Answer(200, {"id": installation, "account": {"login": asked["owner"]}}) if installation else None
        asked = ACCESS_TOKENS.fullmatch(path)
        numbers = {str(number): owner for owner, number in self._installed.items()}
        if method != "POST" or not asked or asked["id"] not in numbers:
            return None
        owner = numbers[asked["id"]]
        with self._lock:
            token = f"ghs_{owner}_{len(self._tokens)}"
            self._tokens[token] = owner
        return Answer(201, {"token": token, "expires_at": f"{self.now + HOUR:%Y-%m-%dT%H:%M:%SZ}", "permissions": {}})

    def _answer_installed(self, request: Request) -> Answer | None:
        """Answer a page of what an installation's token opens; None for any other request."""
        page = INSTALLED_PAGE.fullmatch(request.path)
        if not page:
            return None
        visible = self._visible(request).repositories
        size, first = int(page["size"]), (int(page["page"]) - 1) * int(page["size"])
        bodies = [write_repository(repository, self.url) for repository in visible[first : first + size]]
        return Answer(200, {"total_count": len(visible), "repository_selection": "all", "repositories": bodies})

    def _answer_settings(self, request: Request) -> Answer | None:
        """Answer about the Actions variables and secrets of a repository; None for any other request."""
        method, _, path = request.line.partition(" ")
        asked = actions_settings.ADDRESS.fullmatch(path)
        known = asked and self._visible(request).named(asked["name"])
        return self.actions.answer(method, asked, request.body) if asked and known else None

    def _visible(self, request: Request) -> Catalogue:
        """Return the repositories that the token of a request opens."""
        owner = self._tokens.get(request.headers.get("Authorization", "").rpartition(" ")[2])
        if owner is None:
            return self._catalogue
        return Catalogue(found for found in self.repositories if found.name.lower().startswith(f"{owner}/"))

    def _answer_repository(self, address: re.Match[str], catalogue: Catalogue, query: str) -> Answer:
        if name := address["name"]:
            repository = catalogue.named(name)
            if repository is None and (renamed := catalogue.followed(name)):
                return self._moved(f"{self.url}/repositories/{renamed.id}{address['below'] or ''}")
        else:
            repository = catalogue.numbered(address["id"])
        if repository is None:
            return Refusal.NOT_FOUND.value
        if what := address["what"]:
            return Answer(200, traffic_body(repository.traffic, what, self.now))
        if listed := address["listed"]:
            return Answer(200, self._page(repository, listed, int(address["size"]), int(address["page"])))
        if address["below"]:
            return Answer(200, write_runs(repository, query, self.url))
        return Answer(200, write_repository(repository, self.url))

    def _page(self, repository: Repository, listed: str, size: int, page: int) -> list[dict[str, Any]]:
        if listed == "stargazers/history":
            return star_page(repository, self.now, min(size, 30), page)
        size = min(size, 100)
        found = newest_releases(repository)[(page - 1) * size : page * size]
        return [write_release(repository, release, self.url) for release in found]

    def _moved(self, url: str) -> Answer:
        docs = f"{DOCS}/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"
        return Answer(301, {"message": "Moved Permanently", "url": url, "documentation_url": docs}, {"Location": url})

    def _answer_graphql(self, request: Request) -> Answer:
        try:
            asked: Any = json.loads(request.body)
        except ValueError:
            return refusal(400, "Problems parsing JSON", f"{DOCS}/graphql")
        if not isinstance(asked, dict):
            return refusal(400, "Body should be a JSON object", f"{DOCS}/graphql")
        world = graphql_api.World(self._visible(request), self._budget("graphql"), dict(self._refused))
        return Answer(200, graphql_api.execute(world, asked))

    def _budget(self, resource: str) -> Budget:
        return Budget(self.limit, self.remaining if resource == "core" else self.remaining_graphql, self._reset)

    def _spend(self, request: Request, resource: str) -> bool:
        """Use one request of the hour's quota. Return whether none was left."""
        if request.line == "GET /rate_limit":
            return False
        with self._lock:
            if self.now >= self._reset:
                self.remaining = self.remaining_graphql = self.limit
                self._reset = self.now + HOUR
            attribute = "remaining" if resource == "core" else "remaining_graphql"
            left: int = getattr(self, attribute)
            setattr(self, attribute, max(0, left - 1))
            return left <= 0

    def headers_of(self, resource: str) -> dict[str, str]:
        """Return the headers of every answer; `resource` is `core` or `graphql`."""
        budget = self._budget(resource)
        return {
            "Date": format_datetime(self.now, usegmt=True),
            "Content-Type": JSON_TYPE,
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": str(budget.limit),
            "X-RateLimit-Remaining": str(budget.remaining),
            "X-RateLimit-Used": str(budget.limit - budget.remaining),
            "X-RateLimit-Reset": str(int(budget.reset.timestamp())),
            "X-RateLimit-Resource": resource,
            **self.headers,
        }


def owner_of(request: Request) -> str:
    """Read the owner out of a repository's address."""
    address = ADDRESS.match(request.path)
    return (address["name"] or "").partition("/")[0] if address else ""
