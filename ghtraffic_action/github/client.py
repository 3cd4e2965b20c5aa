"""How GitHub is asked: with PyGithub, which no other module knows but those that make its clients and tokens."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from github import Auth, Github, GithubException
from github.Requester import Requester

from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github import responses
from ghtraffic_action.github.app import App, Installations
from ghtraffic_action.github.errors import GitHubApiError, error_from_response
from ghtraffic_action.github.rate_limit import IN_FLIGHT, QuotaTracker, RateLimiter
from ghtraffic_action.github.responses import InvalidResponseError, Reply
from ghtraffic_action.github.session import CLIENT_OPTIONS, translate_errors
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.model import Observation, Repository

log = logging.getLogger(__name__)

_BATCH = 100
"""Repositories described by one query."""

_CLIENTS = 4
"""Clients that a thread keeps open: one for each token that it has used last."""

_SKEW = timedelta(minutes=5)
_ENDING = timedelta(days=30)

_S = TypeVar("_S")
_T = TypeVar("_T")
_Send = Callable[[Requester], tuple[dict[str, Any], Any]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The repositories that were found, by name why others were not, and the one besides (None: not known)."""

    found: tuple[Repository, ...]
    refused: Mapping[str, GitHubApiError]
    workflow_repository: Repository | None = None


class GitHub:
    """Asks GitHub, 16 requests at a time: a client for each thread, since a shared one mixes up answers."""

    def __init__(self, credentials: str | App, url: str, pacer: RateLimiter, machine: Runtime) -> None:
        """Ask the API at `url` with a token or as an App, at `pacer`'s pace.

        Raises SettingsError where the App's key is none.
        """
        self.warnings: list[str] = []
        self.token_ends: datetime | None = None
        self._app = Installations(credentials, url, pacer, machine.now) if isinstance(credentials, App) else None
        self._token = credentials if isinstance(credentials, str) else ""
        self._url = url
        self._pacer = pacer
        self._budgets: dict[str, QuotaTracker] = {}
        self._clients = threading.local()
        self._lock = threading.Lock()
        self._executor = machine.threads(IN_FLIGHT, "github")
        self._clock = machine.now
        # PyGithub's own handler writes to stderr; who runs us decides about that.
        logging.getLogger("github").handlers.clear()

    def list_repositories(self, owner: str) -> tuple[str, ...]:
        """Name an owner's repositories but for archived ones and forks. Raises GitHubError."""
        found: list[str] = []
        after: str | None = None
        while True:
            variables = {"owner": owner, "after": after}
            try:
                page = self._pacer.result(
                    self._executor.submit(
                        self._query, f"{owner}/*", responses.LIST_QUERY, variables, responses.read_page
                    )
                )
            except GitHubApiError as refusal:
                raise GitHubError(f"{owner}/*: {refusal}", transient=refusal.transient, found=tuple(found)) from refusal
            if page is None:
                raise GitHubError(f"{owner}/*: GitHub knows no such owner: check the name")
            names, after = page
            found += names
            if after is None:
                return tuple(found)

    def look_up(self, names: Iterable[str], workflow_repository: str = "") -> Lookup:
        """Describe repositories by their names, old ones too: one query for a hundred, a call for each it misses.

        As an App, one query for a hundred of the same owner. `workflow_repository` names one more to describe. Raises
        GitHubError where nothing at all can be asked.
        """
        names = tuple(names)
        asked = tuple(dict.fromkeys((*names, workflow_repository) if workflow_repository else names))
        accounts: dict[str, list[str]] = {}
        for name in asked:
            accounts.setdefault(self._account(name), []).append(name)
        batches = [
            tuple(same[start : start + _BATCH]) for same in accounts.values() for start in range(0, len(same), _BATCH)
        ]
        found: dict[str, Repository | GitHubApiError] = {}
        for answered in self._each(self._describe_batch, batches):
            found |= answered
        missed = [name for name in names if name not in found]
        found |= zip(missed, self._each(self._describe_one, missed), strict=True)
        finals = [refusal for refusal in found.values() if isinstance(refusal, GitHubApiError) and refusal.fatal]
        wanted = {name: found[name] for name in names}
        repositories = {r.id: r for r in wanted.values() if isinstance(r, Repository)}
        if finals and not (self._app and repositories):  # an App has a token for each owner, and others may be good
            raise GitHubError(f"{'github-app' if self._app else 'github-token'}: {finals[0]}")
        for repository in repositories.values():
            self._budget(repository.name).plan(4)
        one_more = found.get(workflow_repository)
        return Lookup(
            tuple(repositories.values()),
            {name: refusal for name, refusal in wanted.items() if isinstance(refusal, GitHubApiError)},
            one_more if isinstance(one_more, Repository) else None,
        )

    def observe(self, repository: Repository) -> Callable[[], Observation]:
        """Start to ask for a repository's traffic; what is returned waits for the observation.

        Four calls side by side. Where the token is short of requests, paths and referrers are not asked for if there
        were no views. A refused call leaves its part out and says why.
        """
        series = [self._ask(repository, endpoint) for endpoint in ("views", "clones")]
        short = self._budget(repository.name).insufficient
        tops = [] if short else [self._ask(repository, endpoint) for endpoint in _TOPS]

        def wait() -> Observation:
            refusals: list[GitHubApiError] = []
            views, clones = (self._result(call, refusals) for call in series)
            if short and (views is None or views.totals.count):
                tops.extend(self._ask(repository, endpoint) for endpoint in _TOPS)
            paths, referrers = [self._result(call, refusals) for call in tops] or (None, None)
            texts = tuple(dict.fromkeys(map(str, refusals)))
            transient = any(refusal.transient for refusal in refusals)
            return Observation(repository, views, clones, paths, referrers, texts, transient)

        return wait

    def check_access(self, repositories: Iterable[Repository]) -> Mapping[str, GitHubApiError]:
        """Ask each repository for its views alone, and tell by name which of them GitHub refused."""
        calls = {repository.name: self._ask(repository, "views") for repository in repositories}
        found: dict[str, GitHubApiError] = {}
        for name, call in calls.items():
            try:
                self._pacer.result(call)
            except GitHubApiError as refusal:
                found[name] = refusal
        return found

    def close(self) -> None:
        """Let go of the threads; what has not been sent yet is not sent."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _ask(self, repository: Repository, endpoint: str) -> "Future[Any]":
        path, read = _ENDPOINTS[endpoint]
        return self._executor.submit(
            self._call,
            repository.name,
            lambda requester: requester.requestJsonAndCheck("GET", f"/repos/{repository.name}/traffic/{path}"),
            lambda reply: read(reply, repository.name),
            self._budget(repository.name),
        )

    def _each(self, ask: Callable[[_S], _T], subjects: Iterable[_S]) -> list[_T]:
        """Ask for all of them side by side; the stop ends the wait, also for an answer that does not come."""
        calls = [self._executor.submit(ask, subject) for subject in subjects]
        return [self._pacer.result(call) for call in calls]

    def _result(self, call: "Future[_T]", refusals: list[GitHubApiError]) -> _T | None:
        try:
            return self._pacer.result(call)
        except GitHubApiError as refusal:
            refusals.append(refusal)
            return None

    def _describe_batch(self, names: tuple[str, ...]) -> dict[str, Repository | GitHubApiError]:
        query, variables = responses.describe_query(names)

        def read(reply: Reply) -> list[Repository | None]:
            return [responses.read_described(reply, index) for index in range(len(names))]

        try:
            described = self._query(names[0], query, variables, read)
        except GitHubApiError as refusal:
            log.debug("the query for %d repositories was refused: %s", len(names), refusal)
            return dict.fromkeys(names, refusal) if refusal.fatal else {}
        return {name: found for name, found in zip(names, described, strict=True) if found}

    def _describe_one(self, name: str) -> Repository | GitHubApiError:
        try:
            return self._call(
                name,
                lambda requester: requester.requestJsonAndCheck("GET", f"/repos/{name}"),
                responses.read_repository,
            )
        except GitHubApiError as refusal:
            return refusal

    def _query(self, name: str, query: str, variables: Mapping[str, str | None], read: Callable[[Reply], _T]) -> _T:
        return self._call(name, lambda requester: _partial(requester, query, dict(variables)), read)

    def _call(self, name: str, send: _Send, read: Callable[[Reply], _T], budget: QuotaTracker | None = None) -> _T:
        """Ask about the repository `name`, with the token for it."""
        account = self._account(name)
        token = self._app.token(account) if self._app else self._token

        def request() -> _T:
            headers, body = send(self._requester(token))
            self._note(headers)
            if budget:
                budget.spend(_integer(headers.get("x-ratelimit-remaining")))
            return read(Reply(body, _date(headers)))

        return self._pacer.call(lambda: translate_errors(request, error_from_response), account)

    def _account(self, name: str) -> str:
        """Tell whose limits and token hold for a repository: its owner's for an App, else those of the one token."""
        return name.partition("/")[0].lower() if self._app else ""

    def _budget(self, name: str) -> QuotaTracker:
        return self._budgets.setdefault(self._account(name), QuotaTracker())

    def _requester(self, token: str) -> Requester:
        clients: dict[str, Requester] = self._clients.__dict__
        if token not in clients:
            while len(clients) >= _CLIENTS:
                clients.pop(next(iter(clients))).close()
            clients[token] = Github(auth=Auth.Token(token), base_url=self._url, lazy=True, **CLIENT_OPTIONS).requester
        return clients[token]

    def _note(self, headers: Mapping[str, str]) -> None:
        """Warn once of a token that ends soon, and of a local clock that is wrong."""
        now = _date(headers)
        ends = None if self._app else _token_end(headers.get("github-authentication-token-expiration", ""))
        self.token_ends = ends or self.token_ends
        if ends and ends - now < _ENDING:
            self._warn(f"github-token: it ends on {ends:%Y-%m-%d}: make a new one before, or days will be lost")
        if abs(self._clock() - now) > _SKEW:
            self._warn(f"this machine's clock is wrong: GitHub says {now:%Y-%m-%d %H:%M} UTC, and is believed")

    def _warn(self, text: str) -> None:
        with self._lock:
            about = {warning.partition(":")[0] for warning in self.warnings}
            if text.partition(":")[0] not in about:
                self.warnings.append(text)
                log.warning("%s", text)


_TOPS = ("paths", "referrers")
_ENDPOINTS: dict[str, tuple[str, Callable[[Reply, str], Any]]] = {
    "views": ("views", lambda reply, name: responses.read_series(reply, "views", name)),
    "clones": ("clones", lambda reply, name: responses.read_series(reply, "clones", name)),
    "paths": ("popular/paths", lambda reply, _: responses.read_paths(reply)),
    "referrers": ("popular/referrers", lambda reply, _: responses.read_referrers(reply)),
}


def _partial(requester: Requester, query: str, variables: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Send a query; nodes that GitHub refuses are null in what it answers, beside the others."""
    try:
        headers, answer = requester.graphql_query(query, variables)
    except GithubException as error:
        if isinstance(error.data, Mapping) and isinstance(error.data.get("data"), Mapping):
            return dict(error.headers or {}), error.data["data"]
        raise
    except (TypeError, AttributeError) as error:  # PyGithub takes any JSON for an object with errors in a list
        raise InvalidResponseError("it is no GraphQL answer") from error
    if not isinstance(answer, Mapping):
        raise InvalidResponseError("it is no GraphQL answer")
    return headers, answer.get("data")


def _date(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise InvalidResponseError("it has no Date") from error


def _token_end(text: str) -> datetime | None:
    for form in ("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %z"):
        try:
            ends = datetime.strptime(text, form)  # noqa: DTZ007 - a zone by name is UTC, the one GitHub sends
        except ValueError:
            continue
        return ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    return None


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
