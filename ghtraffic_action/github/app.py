"""Installation tokens of a GitHub App, one per owner."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import jwt
from github import Auth, BadAttributeException, GithubIntegration, UnknownObjectException
from github.Installation import Installation
from jwt.algorithms import RSAAlgorithm

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.github.errors import (
    Caller,
    GitHubApiError,
    InvalidResponseError,
    error_from_app_response,
    not_installed,
)
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.github.session import CLIENT_OPTIONS, translate_errors
from ghtraffic_action.runtime import Runtime

_RENEWAL = timedelta(minutes=50)
"""Maximum age of an installation's token; GitHub expires it after an hour."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App's id and a private key in PEM."""

    id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by owner in lower case; `""` is the default."""

    by_owner: Mapping[str, str] = field(repr=False)


class Installations:
    """Creates and caches the App's installation tokens; thread-safe."""

    def __init__(self, app: App, url: str, limiter: RateLimiter, runtime: Runtime, caller: Caller) -> None:
        try:
            # Parsing a key takes 40 ms, as long as seventy signatures.
            key = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(app.key)
            sign = partial(jwt.encode, key=key, algorithm="RS256")  # type: ignore[arg-type] # a private key
            self._auth = Auth.AppAuth(app.id, sign_func=sign)
            self._auth.create_jwt()
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise SettingsError(
                "github-app-key: it is not an RSA private key without a password: "
                "make one in the App's settings and set it as it is"
            ) from error
        self._url = url
        self._limiter = limiter
        self._clock = runtime.now
        self._hide = runtime.hide
        self._caller = caller
        self._made: dict[str, tuple[datetime, str | GitHubApiError]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def token(self, owner: str) -> str:
        """Return the token for an owner's repositories.

        Raises GitHubApiError; the same error again for the same owner.
        """
        with self._locks.setdefault(owner, threading.Lock()):
            now = self._clock()
            made, token = self._made.get(owner, (now, ""))
            if not token or (isinstance(token, str) and now - made > _RENEWAL):
                token = self._make(owner)
                self._made[owner] = (now, token)
        if isinstance(token, GitHubApiError):
            raise replace(token)
        return token

    def owners(self) -> tuple[str, ...]:
        """Return the App's owners in lower case. Raises GitHubApiError."""
        return self._send("", _owners)

    def _make(self, owner: str) -> str | GitHubApiError:
        try:
            # The first is documented for users, the second for organisations.
            for find in (GithubIntegration.get_user_installation, GithubIntegration.get_org_installation):
                if installation := self._send(owner, partial(_found, find, owner)):
                    token = self._send(owner, partial(_token_of, installation))
                    self._hide(token)
                    return token
        except GitHubApiError as error:
            return error
        return not_installed(owner)

    def _send(self, owner: str, call: Callable[[GithubIntegration], _T]) -> _T:
        def request() -> _T:
            # A new client each time: PyGithub clients are not thread-safe.
            with GithubIntegration(auth=self._auth, base_url=self._url, **CLIENT_OPTIONS) as integration:
                try:
                    return call(integration)
                except (
                    AssertionError,
                    TypeError,
                    AttributeError,
                    BadAttributeException,
                ) as error:  # PyGithub does not validate responses
                    raise InvalidResponseError("it has no installation or token") from error

        to_error = partial(error_from_app_response, owner=owner, caller=self._caller)
        return self._limiter.call(lambda: translate_errors(request, to_error, self._url))


def _found(
    find: Callable[[GithubIntegration, str], Installation], owner: str, integration: GithubIntegration
) -> int | None:
    """Return the id of an owner's installation, or None."""
    try:
        return find(integration, owner).id
    except UnknownObjectException as error:
        if "integration" in str(error.data).lower():  # the App itself is unknown, not the installation
            raise
        return None


def _owners(integration: GithubIntegration) -> tuple[str, ...]:
    """Return the owners of repositories.

    An App can also be installed at an enterprise, whose account has no login.
    """
    accounts = (installation.raw_data.get("account") for installation in integration.get_installations())
    return tuple(account["login"].lower() for account in accounts if account and account.get("login"))


def _token_of(installation: int, integration: GithubIntegration) -> str:
    token = integration.get_access_token(installation).token
    if not token:
        raise InvalidResponseError("it has no token")
    return token
