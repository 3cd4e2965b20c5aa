"""GitHub's error responses as messages with a remedy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from ghtraffic_action.github.headers import parse_date, parse_number, parse_retry_after
from ghtraffic_action.github.known_errors import (
    APP_BY_MESSAGE,
    APP_BY_STATUS,
    BY_MESSAGE,
    BY_STATUS,
    HIDDEN,
    SCOPES,
    KnownError,
)
from ghtraffic_action.settings.names import setting_name

_ATTEMPTS = 4
"""Attempts of a request with a transient error."""

_CONFIRMATIONS = 3
"""Attempts before a 401 or 404 counts: replicas can lag seconds behind a change."""

_PAUSE = 60.0
"""Seconds to wait for a limit without an end time."""

_LONGEST_RESET = timedelta(days=1)
_RESOURCE = "x-ratelimit-resource"


@dataclass(eq=False)
class GitHubApiError(Exception):
    """A failed request to GitHub, with its remedy.

    A `transient` error is worth retrying, after `wait` seconds if GitHub says so. A `fatal` error, once repeated
    `attempts` times, stops all other requests of the account. An `oversized` query can be split. `subject` is what a
    fatal error concerns, if not the credentials. `too_fast` asks for a slower pace.
    """

    what: str
    remedy: str
    transient: bool = False
    fatal: bool = False
    wait: float = 0.0
    attempts: int = 0
    oversized: bool = False
    subject: str = ""
    too_fast: bool = False

    def __post_init__(self) -> None:
        self.attempts = self.attempts or (_ATTEMPTS if self.transient else 1)

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


class InvalidResponseError(ValueError):
    """An impossible or missing response, which is discarded."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What remedies depend on: App or token, and the platform."""

    app: bool = False
    platform: str = "Actions"

    def fill(self, text: str) -> str:
        """Replace the placeholders of a text by the settings' names on this platform."""
        names = ("github_token", "github_app", "github_app_key")
        return text.format(**{name: setting_name(name, self.platform) for name in names})


def error_from_response(status: int, message: str, headers: Mapping[str, str], caller: Caller) -> GitHubApiError:
    """Return the error for a response's `status` and GitHub's `message`.

    The names in `headers` are in lower case.
    """
    text = "saml" if "x-github-sso" in headers else message.lower()
    if limited := _limited(status, text, headers):
        return limited
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        oversized = status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
        return replace(server_error(str(status)), oversized=oversized)
    if known := _known_by_message(text, headers, caller):
        return GitHubApiError(f"{known.what} ({status})", caller.fill(known.remedy))
    known_status = _known_by_status(status, headers, caller)
    if known_status is None and not message:
        what = f"the response was {status} without a message from GitHub, so it is probably from a proxy"
        return GitHubApiError(what, "check the network, and HTTPS_PROXY if there is a proxy")
    if known_status is None:
        return GitHubApiError(f"GitHub answered {status} {message[:200]!r}", "look it up in GitHub's documentation")
    return GitHubApiError(
        known_status.what,
        caller.fill(known_status.remedy),
        fatal=status == HTTPStatus.UNAUTHORIZED,
        attempts=_CONFIRMATIONS if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND) else 1,
    )


def error_from_app_response(
    status: int, message: str, headers: Mapping[str, str], *, owner: str, caller: Caller
) -> GitHubApiError:
    """Return the error for a failed request of an App for a token for `owner`."""
    text = message.lower()
    if status == HTTPStatus.UNAUTHORIZED:
        return GitHubApiError(
            "GitHub rejects the signature of this App's key (401): it is not the App's key, the App has another id, or "
            "this machine's clock is wrong",
            caller.fill(
                "make a private key in the App's settings, set {github_app_key} to it and {github_app} to the App ID"
            ),
            fatal=True,
            attempts=_CONFIRMATIONS,
        )
    if status == HTTPStatus.NOT_FOUND and "integration" in text:
        return GitHubApiError(
            "GitHub knows no App of this id (404)",
            caller.fill("set {github_app} to the App ID or the client ID of the App's settings"),
            fatal=True,
            attempts=_CONFIRMATIONS,
        )
    if "suspended" in text:
        return GitHubApiError(
            f"the App's installation at {owner} is suspended ({status})",
            f"let an owner of {owner} lift that (Settings, GitHub Apps, Configure, Unsuspend), or exclude it: "
            f"`!{owner}/*`",
        )
    return replace(error_from_response(status, message, headers, caller), fatal=False)


def error_from_graphql(error: Mapping[str, Any], headers: Mapping[str, str], caller: Caller) -> GitHubApiError:
    """Return the error for one of a GraphQL response's `errors`.

    An entry without a type means that GitHub failed.
    """
    kind, message = str(error.get("type") or ""), str(error.get("message") or "")
    extensions = error.get("extensions")
    if kind in ("RATE_LIMITED", "RATE_LIMIT"):
        return error_from_response(HTTPStatus.TOO_MANY_REQUESTS, message, {**headers, _RESOURCE: "graphql"}, caller)
    if "secondary rate limit" in message.lower():
        return error_from_response(HTTPStatus.TOO_MANY_REQUESTS, message, headers, caller)
    if refused := _refused_query(kind, message, extensions):
        return refused
    if kind == "NOT_FOUND":
        return error_from_response(HTTPStatus.NOT_FOUND, "", {}, caller)
    if kind in ("", "INTERNAL", "SERVICE_UNAVAILABLE", "TIMEOUT"):
        return replace(server_error(repr(message[:100])), oversized="timeout" in f"{kind} {message}".lower())
    saml = isinstance(extensions, Mapping) and extensions.get("saml_failure") is True
    return error_from_response(HTTPStatus.FORBIDDEN, "saml" if saml else message, {}, caller)


def _refused_query(kind: str, message: str, extensions: object) -> GitHubApiError | None:
    """Return the error of a query that is too large or not understood, else None."""
    if kind in ("RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED") or "complexity" in message.lower():
        what = f"GitHub refuses a query of this size ({kind or message[:100]!r})"
        return GitHubApiError(what, "report it, with the log of this run", oversized=True)
    if not kind and isinstance(extensions, Mapping) and extensions.get("code"):
        what = f"GitHub does not understand a query of this version ({message[:100]!r})"
        return GitHubApiError(what, "upgrade ghtraffic; if it is the newest, report it", transient=True, attempts=1)
    return None


def server_error(detail: str) -> GitHubApiError:
    """Return the error for a failure of GitHub itself."""
    return GitHubApiError(
        f"GitHub failed ({detail})", "run again later; www.githubstatus.com shows outages", transient=True
    )


def endless_response(seconds: float) -> GitHubApiError:
    """Return the error for a response that does not end in time."""
    return GitHubApiError(
        f"GitHub's response did not end within {seconds:.0f} s",
        "check the network, and HTTPS_PROXY if there is a proxy, and run again",
        transient=True,
        attempts=2,  # each takes its time and a thread
    )


def used_up(resets: datetime | None, wait: float) -> GitHubApiError:
    """Return the error for an exhausted quota, with its reset time if known."""
    when = f"{resets:%H:%M} UTC" if resets else "a minute from now"
    return GitHubApiError(
        "the token's requests of this hour are used up (rate limit)",
        f"run again after {when}; what was collected is stored",
        transient=True,
        wait=wait,
    )


def invalid_response(what: str) -> GitHubApiError:
    """Return the error for an impossible response."""
    return GitHubApiError(
        f"GitHub's response is invalid: {what}",
        "run again later; if the problem persists, report it",
        transient=True,
    )


def not_installed(owner: str) -> GitHubApiError:
    """Return the error for an owner who has not installed the App."""
    return GitHubApiError(
        f"the GitHub App is not installed at {owner}",
        f"install it there: the App's settings, Install App, {owner}, and select the repositories",
    )


def no_token(owner: str, caller: Caller) -> GitHubApiError:
    """Return the error for an owner without a token."""
    return GitHubApiError(
        f"there is no token for {owner}",
        caller.fill(f"add a line {owner}=TOKEN to {{github_token}}, or one without an owner"),
    )


def known_errors() -> tuple[GitHubApiError, ...]:
    """Return all errors that need a user's action."""
    rows = (*BY_STATUS.values(), *BY_MESSAGE.values())
    return tuple(GitHubApiError(known.what, Caller().fill(known.remedy)) for known in rows)


def _known_by_message(text: str, headers: Mapping[str, str], caller: Caller) -> KnownError | None:
    scopes = _scopes(headers)
    if "must have" in text and scopes is not None and not scopes & {"repo", "public_repo"}:
        return SCOPES
    return next((known for part, known in (APP_BY_MESSAGE if caller.app else BY_MESSAGE).items() if part in text), None)


def _known_by_status(status: int, headers: Mapping[str, str], caller: Caller) -> KnownError | None:
    scopes = _scopes(headers)
    if status == HTTPStatus.NOT_FOUND and scopes is not None and "repo" not in scopes:
        return HIDDEN
    return (APP_BY_STATUS if caller.app else BY_STATUS).get(status)


def _scopes(headers: Mapping[str, str]) -> set[str] | None:
    """Return the scopes of a classic token, None for other tokens."""
    given = headers.get("x-oauth-scopes")
    return None if given is None else {scope.strip() for scope in given.split(",")}


def _limited(status: int, text: str, headers: Mapping[str, str]) -> GitHubApiError | None:
    if status not in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        return None
    now = _now(headers)
    is_429 = status == HTTPStatus.TOO_MANY_REQUESTS
    spent = "rate limit exceeded" in text or (is_429 and headers.get("x-ratelimit-remaining") == "0")
    if "secondary rate limit" in text or "abuse" in text or "retry-after" in headers or (is_429 and not spent):
        wait = parse_retry_after(headers.get("retry-after", ""), now) or _PAUSE
        what, remedy = "GitHub asks for a pause (secondary rate limit)", f"run again in {wait:.0f} s"
        return GitHubApiError(what, remedy, transient=True, wait=wait, too_fast=True)
    if spent:
        reset = parse_number(headers.get("x-ratelimit-reset", ""))
        plausible = reset is not None and reset < (now + _LONGEST_RESET).timestamp()
        wait = max(1.0, reset - now.timestamp() + 1) if reset is not None and plausible else _PAUSE
        limited = used_up(datetime.fromtimestamp(reset, UTC) if reset and plausible else None, wait)
        # REST has a separate quota: the limit of GraphQL affects no other request.
        return replace(limited, wait=0.0, attempts=1) if headers.get(_RESOURCE) == "graphql" else limited
    return None


def _now(headers: Mapping[str, str]) -> datetime:
    try:
        return parse_date(headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)
