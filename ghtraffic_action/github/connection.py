"""Sends requests with the right token, at the limiter's pace."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from github import Auth, Github
from github.Requester import Requester

from ghtraffic_action.github.app import App, Installations, Tokens
from ghtraffic_action.github.errors import Caller, InvalidResponseError, error_from_response, no_token, used_up
from ghtraffic_action.github.headers import parse_date, parse_expiration, parse_number
from ghtraffic_action.github.network import library_error
from ghtraffic_action.github.quota import QuotaTracker, RemainingRequests
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.github.responses import Response
from ghtraffic_action.github.session import CLIENT_OPTIONS, translate_errors
from ghtraffic_action.runtime import Runtime

log = logging.getLogger(__name__)

_CLIENTS = 4
"""Clients that a thread keeps open, for its most recently used tokens."""

_SKEW = timedelta(minutes=5)
_ENDING = timedelta(days=30)

_MINUTE = 60.0
"""Seconds until a quota is renewed, if unknown."""

_LONGEST_RESET = 86_400.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """A request: whose token it uses, what it fetches, how to read the response."""

    account: str
    method: Literal["GET", "POST"]
    path: str
    read: Callable[[Response], T]
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """Sends requests through one PyGithub client per thread.

    PyGithub clients are not thread-safe: a shared one mixes up responses.
    """

    def __init__(
        self, credentials: str | Tokens | App, url: str, limiter: RateLimiter, runtime: Runtime, platform: str = ""
    ) -> None:
        """Use the API at `url`. Raises SettingsError if an App's key is invalid."""
        self.warnings: list[str] = []
        self.token_ends: datetime | None = None
        self.caller = Caller(isinstance(credentials, App), platform)
        self._tokens = {"": credentials} if isinstance(credentials, str) else {}
        self._tokens |= credentials.by_owner if isinstance(credentials, Tokens) else {}
        self._app = (
            Installations(credentials, url, limiter, runtime, self.caller) if isinstance(credentials, App) else None
        )
        self._url = url
        self._limiter = limiter
        self._clock = runtime.now
        self._monotonic = runtime.monotonic
        self._stop = runtime.stop
        self._quotas: dict[str, QuotaTracker] = {}
        self._clients = threading.local()
        self._lock = threading.Lock()
        # PyGithub's handler writes to stderr; only the entry points configure logging.
        logging.getLogger("github").handlers.clear()

    def account(self, repository: str) -> str:
        """Return whose token and limits apply to a repository.

        This is its owner, or `""` for the default token.
        """
        owner = repository.partition("/")[0].lower()
        return owner if self._app or owner in self._tokens or "" not in self._tokens else ""

    @property
    def has_several(self) -> bool:
        """Whether owners have separate credentials."""
        return self._app is not None or len(self._tokens) > 1

    def installations(self) -> tuple[str, ...]:
        """Return the owners that installed the App (none without an App). Raises GitHubApiError."""
        return self._app.owners() if self._app else ()

    def quota(self, account: str) -> QuotaTracker:
        """Return an account's quota tracker."""
        return self._quotas.setdefault(account, QuotaTracker())

    def send(self, request: Request[T], *, optional: bool = False) -> T:
        """Send a request and return the parsed response.

        If it is `optional`, its errors do not affect other requests. Raises GitHubApiError and Interrupted.
        """
        token = self._app.token(request.account) if self._app else self._tokens.get(request.account)
        if token is None:
            raise no_token(request.account, self.caller)
        quota, counted = self.quota(request.account), request.method == "GET"  # GraphQL has separate limits

        def attempt() -> T:
            body = None if request.body is None else dict(request.body)
            try:
                received, data = self._requester(token).requestJsonAndCheck(
                    request.method, request.path, headers=dict(request.headers), input=body
                )
            except (TypeError, AttributeError, KeyError, AssertionError) as error:
                raise library_error(error, self._url) from error
            log.debug("%s %s: answered", request.method, request.path)
            headers = {str(name).lower(): str(value) for name, value in received.items()}
            _check_source(headers)
            response = Response(data, _date(headers), headers, self.caller)
            self._note(response, request.account)
            if counted and (left := _left(response, self._monotonic())):
                quota.record(left)
            return request.read(response)

        to_error = partial(error_from_response, caller=self.caller)
        call = self._limiter.call_optional if optional else self._limiter.call
        try:
            return call(lambda: translate_errors(attempt, to_error, self._url), request.account)
        finally:
            if counted:
                quota.spend()

    def begin(self, account: str, requests: int) -> QuotaTracker:
        """Reserve quota for a group of requests; waits if it is renewed soon.

        Raises GitHubApiError if too few requests are left and the wait is too long, and Interrupted.
        """
        quota = self.quota(account)
        while left := quota.begin(requests, self._monotonic(), self._stop):
            # It may have waited for responses, and the quota may be renewed by now.
            self._limiter.pause(used_up(left.resets, max(0.0, left.renews_at - self._monotonic())), account)
        return quota

    def _requester(self, token: str) -> Requester:
        clients: dict[str, Requester] = self._clients.__dict__
        if token in clients:
            clients[token] = clients.pop(token)  # least recently used first
        else:
            while len(clients) >= _CLIENTS:
                clients.pop(next(iter(clients))).close()
            clients[token] = Github(auth=Auth.Token(token), base_url=self._url, lazy=True, **CLIENT_OPTIONS).requester
        return clients[token]

    def _note(self, response: Response, account: str) -> None:
        """Warn once if the token expires soon or the local clock is wrong."""
        now = response.at
        ends = parse_expiration(response.headers.get("github-authentication-token-expiration", ""))
        if ends and not self._app:
            self.token_ends = min(ends, self.token_ends or ends)
            if ends - now < _ENDING:
                of = f" of {account}" if account else ""
                self._warn(f"github-token{of}: it ends on {ends:%Y-%m-%d}: make a new one before, or days will be lost")
        if abs(self._clock() - now) > _SKEW:
            self._warn(f"this machine's clock is wrong: GitHub's time is used, {now:%Y-%m-%d %H:%M} UTC")

    def _warn(self, text: str) -> None:
        with self._lock:
            about = {warning.partition(":")[0] for warning in self.warnings}
            if text.partition(":")[0] not in about:
                self.warnings.append(text)
                log.warning("%s", text)


def _check_source(headers: Mapping[str, str]) -> None:
    """Raise InvalidResponseError if a login page or proxy answered instead of the API."""
    if "location" in headers:
        raise InvalidResponseError(f"it redirects the request to {urlsplit(headers['location']).netloc or '/'}")
    kind = headers.get("content-type", "").partition(";")[0]
    if "html" in kind:
        raise InvalidResponseError(f"expected JSON, got {kind}, probably from a login page or a proxy")


def _left(response: Response, now: float) -> RemainingRequests | None:
    remaining = parse_number(response.headers.get("x-ratelimit-remaining", ""))
    if remaining is None:
        return None
    reset = parse_number(response.headers.get("x-ratelimit-reset", ""))
    wait = _MINUTE if reset is None else reset - response.at.timestamp()
    wait = wait if 0 <= wait <= _LONGEST_RESET else _MINUTE
    return RemainingRequests(int(remaining), response.at + timedelta(seconds=wait), now + wait)


def _date(headers: Mapping[str, str]) -> datetime:
    try:
        return parse_date(headers.get("date", ""))
    except ValueError as error:
        raise InvalidResponseError("it has no Date") from error
