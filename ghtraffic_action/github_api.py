"""How GitHub is asked: the only module that knows PyGithub."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from github import Auth, Github, GithubException
from github.Requester import Requester
from requests.exceptions import RequestException

from ghtraffic_action import __version__, answers
from ghtraffic_action.answers import Nonsense, Reply
from ghtraffic_action.errors import GitHubError
from ghtraffic_action.pacing import IN_FLIGHT, Budget, Pacer
from ghtraffic_action.refusals import Refused, refused
from ghtraffic_action.traffic import Observation, Repository

log = logging.getLogger(__name__)

_TIMEOUT = 20
"""Seconds until an attempt is given up."""

_BATCH = 100
"""Repositories described by one query."""

_SKEW = timedelta(minutes=5)
_ENDING = timedelta(days=30)

_S = TypeVar("_S")
_T = TypeVar("_T")
_Send = Callable[[Requester], tuple[dict[str, Any], Any]]


@dataclass(frozen=True, slots=True)
class Described:
    """The repositories that were found, by name why others were not, and the one besides (None: not known)."""

    found: tuple[Repository, ...]
    refused: Mapping[str, Refused]
    besides: Repository | None = None


class GitHub:
    """Asks GitHub, 16 requests at a time: a client for each thread, since a shared one mixes up answers."""

    def __init__(self, token: str, *, url: str, pacer: Pacer, clock: Callable[[], datetime]) -> None:
        """Ask the API at `url` with `token`, at `pacer`'s pace; the local `clock` is only compared with GitHub's."""
        self.warnings: list[str] = []
        self._token = token
        self._url = url
        self._pacer = pacer
        self._budget = Budget()
        self._clients = threading.local()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="github")
        self._clock = clock
        # PyGithub's own handler writes to stderr; who runs us decides about that.
        logging.getLogger("github").handlers.clear()

    def names(self, owner: str) -> tuple[str, ...]:
        """Name an owner's repositories but for archived ones and forks. Raises GitHubError."""
        found: list[str] = []
        after: str | None = None
        while True:
            variables = {"owner": owner, "after": after}
            try:
                page = self._pacer.result(
                    self._executor.submit(self._query, answers.LIST_QUERY, variables, answers.read_page)
                )
            except Refused as refusal:
                raise GitHubError(f"{owner}/*: {refusal}") from refusal
            if page is None:
                raise GitHubError(f"{owner}/*: GitHub knows no such owner: check the name")
            names, after = page
            found += names
            if after is None:
                return tuple(found)

    def describe(self, names: Iterable[str], besides: str = "") -> Described:
        """Describe repositories by their names, old ones too: one query for a hundred, a call for each it misses.

        `besides` names one more, that the same query describes. Raises GitHubError where nothing at all can be asked.
        """
        names = tuple(names)
        asked = tuple(dict.fromkeys((*names, besides) if besides else names))
        batches = [asked[start : start + _BATCH] for start in range(0, len(asked), _BATCH)]
        found: dict[str, Repository | Refused] = {}
        for answered in self._each(self._describe_batch, batches):
            found |= answered
        missed = [name for name in names if name not in found]
        found |= zip(missed, self._each(self._describe_one, missed), strict=True)
        finals = [refusal for refusal in found.values() if isinstance(refusal, Refused) and refusal.final]
        if finals:
            raise GitHubError(f"github-token: {finals[0]}")
        wanted = {name: found[name] for name in names}
        repositories = {r.id: r for r in wanted.values() if isinstance(r, Repository)}
        self._budget.plan(4 * len(repositories))
        one_more = found.get(besides)
        return Described(
            tuple(repositories.values()),
            {name: refusal for name, refusal in wanted.items() if isinstance(refusal, Refused)},
            one_more if isinstance(one_more, Repository) else None,
        )

    def observe(self, repository: Repository) -> Callable[[], Observation]:
        """Start to ask for a repository's traffic; what is returned waits for the observation.

        Four calls side by side. Where the token is short of requests, paths and referrers are not asked for if there
        were no views. A refused call leaves its part out and says why.
        """
        series = [self._ask(repository, endpoint) for endpoint in ("views", "clones")]
        short = self._budget.short
        tops = [] if short else [self._ask(repository, endpoint) for endpoint in _TOPS]

        def wait() -> Observation:
            refusals: list[Refused] = []
            views, clones = (self._result(call, refusals) for call in series)
            if short and (views is None or views.totals.count):
                tops.extend(self._ask(repository, endpoint) for endpoint in _TOPS)
            paths, referrers = [self._result(call, refusals) for call in tops] or (None, None)
            texts = tuple(dict.fromkeys(map(str, refusals)))
            passing = any(refusal.passing for refusal in refusals)
            return Observation(repository, views, clones, paths, referrers, texts, passing)

        return wait

    def close(self) -> None:
        """Let go of the threads; what has not been sent yet is not sent."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _ask(self, repository: Repository, endpoint: str) -> "Future[Any]":
        path, read = _ENDPOINTS[endpoint]
        return self._executor.submit(
            self._call,
            lambda requester: requester.requestJsonAndCheck("GET", f"/repos/{repository.name}/traffic/{path}"),
            lambda reply: read(reply, repository.name),
            self._budget,
        )

    def _each(self, ask: Callable[[_S], _T], subjects: Iterable[_S]) -> list[_T]:
        """Ask for all of them side by side; the stop ends the wait, also for an answer that does not come."""
        calls = [self._executor.submit(ask, subject) for subject in subjects]
        return [self._pacer.result(call) for call in calls]

    def _result(self, call: "Future[_T]", refusals: list[Refused]) -> _T | None:
        try:
            return self._pacer.result(call)
        except Refused as refusal:
            refusals.append(refusal)
            return None

    def _describe_batch(self, names: tuple[str, ...]) -> dict[str, Repository | Refused]:
        query, variables = answers.describe_query(names)

        def read(reply: Reply) -> list[Repository | None]:
            return [answers.read_described(reply, index) for index in range(len(names))]

        try:
            described = self._query(query, variables, read)
        except Refused as refusal:
            log.debug("the query for %d repositories was refused: %s", len(names), refusal)
            return dict.fromkeys(names, refusal) if refusal.final else {}
        return {name: found for name, found in zip(names, described, strict=True) if found}

    def _describe_one(self, name: str) -> Repository | Refused:
        try:
            return self._call(
                lambda requester: requester.requestJsonAndCheck("GET", f"/repos/{name}"), answers.read_repository
            )
        except Refused as refusal:
            return refusal

    def _query(self, query: str, variables: Mapping[str, str | None], read: Callable[[Reply], _T]) -> _T:
        return self._call(lambda requester: _partial(requester, query, dict(variables)), read)

    def _call(self, send: _Send, read: Callable[[Reply], _T], budget: Budget | None = None) -> _T:
        def request() -> _T:
            try:
                headers, body = send(self._requester())
                self._note(headers)
                if budget:
                    budget.spend(_integer(headers.get("x-ratelimit-remaining")))
                return read(Reply(body, _date(headers)))
            except GithubException as error:
                raise _refused(error) from error
            except Nonsense as error:
                raise _nonsense(str(error)) from error
            except RequestException as error:
                raise Refused(
                    f"GitHub cannot be reached ({type(error).__name__})",
                    "check the network and GITHUB_API_URL, and run again",
                    passing=True,
                ) from error
            except (ValueError, RuntimeError) as error:
                raise _nonsense(f"it is no whole JSON ({type(error).__name__})") from error

        return self._pacer.call(request)

    def _requester(self) -> Requester:
        if not hasattr(self._clients, "requester"):
            self._clients.requester = Github(
                auth=Auth.Token(self._token),
                base_url=self._url,
                lazy=True,
                timeout=_TIMEOUT,
                retry=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
                user_agent=f"ghtraffic/{__version__}",
            ).requester
        requester: Requester = self._clients.requester
        return requester

    def _note(self, headers: Mapping[str, str]) -> None:
        """Warn once of a token that ends soon, and of a local clock that is wrong."""
        now = _date(headers)
        ends = _token_end(headers.get("github-authentication-token-expiration", ""))
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
    "views": ("views", lambda reply, name: answers.read_series(reply, "views", name)),
    "clones": ("clones", lambda reply, name: answers.read_series(reply, "clones", name)),
    "paths": ("popular/paths", lambda reply, _: answers.read_paths(reply)),
    "referrers": ("popular/referrers", lambda reply, _: answers.read_referrers(reply)),
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
        raise Nonsense("it is no GraphQL answer") from error
    if not isinstance(answer, Mapping):
        raise Nonsense("it is no GraphQL answer")
    return headers, answer.get("data")


def _refused(error: GithubException) -> Refused:
    data = error.data if isinstance(error.data, Mapping) else {}
    errors = data.get("errors")
    first = errors[0] if errors and isinstance(errors, list) else {}
    message = str(data.get("message") or first.get("message") or "")
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    if first.get("type") in ("RATE_LIMITED", "RATE_LIMIT"):  # of GraphQL alone, told as a 200: REST has its own hour
        return replace(refused(429, message, headers), passing=False, wait=0.0)
    return refused(error.status, message, headers)


def _nonsense(what: str) -> Refused:
    return Refused(
        f"GitHub's answer makes no sense: {what}; nothing of it was kept",
        "run again later; if it stays, report it",
        passing=True,
    )


def _date(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise Nonsense("it has no Date") from error


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
