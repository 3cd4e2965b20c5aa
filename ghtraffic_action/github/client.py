"""GitHub operations: list, look up and observe repositories."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

from ghtraffic_action.errors import GitHubError, QuotaError
from ghtraffic_action.github import responses
from ghtraffic_action.github.app import App, Tokens
from ghtraffic_action.github.connection import Connection, Request
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.github.lists import installed, owned
from ghtraffic_action.github.lookup import Lookup, RepositoryLookup
from ghtraffic_action.github.pace import PER_MINUTE
from ghtraffic_action.github.rate_limit import IN_FLIGHT, RateLimiter
from ghtraffic_action.github.release_downloads import fetch_downloads
from ghtraffic_action.github.responses import Response
from ghtraffic_action.github.selection import Listed
from ghtraffic_action.github.star_history import fetch_star_history
from ghtraffic_action.github.workflow_runs import WorkflowRunCounter, count_request
from ghtraffic_action.repository_names import INSTALLED
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.downloads import Downloads
from ghtraffic_action.traffic.model import WorkflowRuns
from ghtraffic_action.traffic.observation import Observation, Repository, Series
from ghtraffic_action.traffic.stars import StarHistory, StarYear

log = logging.getLogger(__name__)

_S = TypeVar("_S")
_T = TypeVar("_T")

_ENDPOINTS: Mapping[str, tuple[str, Callable[[Response, str], Any]]] = {
    "views": ("views", lambda response, name: responses.read_series(response, "views", name)),
    "clones": ("clones", lambda response, name: responses.read_series(response, "clones", name)),
    "top paths": ("popular/paths", lambda response, _: responses.read_paths(response)),
    "top referrers": ("popular/referrers", lambda response, _: responses.read_referrers(response)),
}
_MANY = 100
"""From this number of an account's repositories on, its quota is read first."""

_SERIES, _TOPS = ("views", "clones"), ("top paths", "top referrers")


class GitHub:
    """GitHub's API, with up to 16 parallel requests."""

    def __init__(
        self, credentials: str | Tokens | App, url: str, limiter: RateLimiter, runtime: Runtime, platform: str = ""
    ) -> None:
        """Use the API at `url` with a token or App.

        `platform` is where the settings are, for error messages. Raises SettingsError if the App's key is invalid.
        """
        self._connection = Connection(credentials, url, limiter, runtime, platform)
        self._limiter = limiter
        self._executor = runtime.threads(IN_FLIGHT, "github")
        self._runs = WorkflowRunCounter(self._connection, self._send_spare)

    @property
    def warnings(self) -> Sequence[str]:
        """Warnings from the responses so far."""
        return self._connection.warnings

    @property
    def token_ends(self) -> datetime | None:
        """When the token expires, if known."""
        return self._connection.token_ends

    def account(self, repository: str) -> str:
        """Return the account whose limits apply to a repository.

        This is the repository's owner for an App, else the account of the one token.
        """
        return self._connection.account(repository)

    def list_repositories(self, owner: str, patterns: Sequence[str] = ()) -> tuple[Listed, ...]:
        """List an owner's repositories.

        With `installed`, list those of all owners whom `patterns` do not exclude.

        Raises GitHubError.
        """
        if owner == INSTALLED:
            return installed(self._connection, self._run, patterns)
        return owned(self._connection, lambda request: self._limiter.result(self._submit(request)), owner)

    def look_up(self, names: Iterable[str], workflow_repository: str = "") -> Lookup:
        """Look up repositories by any name, and the workflow's own.

        Raises GitHubError if no request can succeed.
        """
        lookup = RepositoryLookup(self._connection, self._run).look_up(tuple(names), workflow_repository)
        fatal = next((error for error in lookup.refused.values() if error.fatal), None)
        app = self._connection.caller.app
        if fatal and not (self._connection.has_several and lookup.found):  # other owners have other credentials
            what = f"{fatal.subject or ('github-app' if app else 'github-token')}: {fatal}"
            raise GitHubError(what, remedy=fatal.remedy)
        accounts = Counter(self._connection.account(repository.name) for repository in lookup.found)
        for account, repositories in accounts.items():
            self._connection.quota(account).plan(len(_ENDPOINTS) * repositories)
        self._run(self._read_quota, [account for account, number in accounts.items() if number > _MANY])
        return lookup

    def observe(self, repository: Repository) -> Callable[[], Observation]:
        """Start fetching a repository's traffic. Return a function that waits for the result.

        Four requests in parallel. If the run takes longer than a minute's pace, or few requests are left, paths and
        referrers are skipped for a repository without views. If a request fails, its part is missing.

        Raises QuotaError if the limits leave too few requests. The returned function can raise it too.
        """
        account = self._connection.account(repository.name)
        self._check_limits(account)
        try:
            quota = self._connection.begin(account, len(_ENDPOINTS))
        except GitHubApiError as error:
            raise QuotaError(str(error)) from error
        sparing = quota.insufficient or quota.planned > PER_MINUTE
        calls = {part: self._start(repository, part) for part in (_SERIES if sparing else _ENDPOINTS)}

        def wait() -> Observation:
            answers = {part: self._outcome(call) for part, call in calls.items()}
            views = answers["views"]
            if sparing and (not isinstance(views, Series) or views.totals.count):
                more = {part: self._start(repository, part) for part in _TOPS}
                answers |= {part: self._outcome(call) for part, call in more.items()}
            quota.keep(unneeded := len(_ENDPOINTS) - len(answers))
            quota.spend(unneeded)
            observation = _observation(repository, answers)
            if not observation.collected:
                self._check_limits(account)
            return observation

        return wait

    def count_workflow_runs(self, repository: Repository, days: Iterable[date]) -> WorkflowRuns | None:
        """Return the number of workflow runs by day, or None if GitHub counted no day."""
        return self._runs.count(repository, days)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """A warning about repositories whose workflow runs could not be read, if any."""
        return self._runs.warnings

    def _check_limits(self, account: str) -> None:
        """Raise QuotaError if an account has to wait longer than the run may."""
        error = self._limiter.fatal_error(account)
        if error and error.transient:
            raise QuotaError(str(error))

    def fetch_downloads(self, repository: Repository) -> Downloads | None:
        """Return the downloads of all release assets, None without assets.

        Raises GitHubApiError, Interrupted, and QuotaError if no request can be spared.
        """
        account = self._connection.account(repository.name)
        return fetch_downloads(self._send_spare, account, repository.name)

    def fetch_star_history(
        self, repository: Repository, known: Sequence[StarYear], pages: Iterator[int]
    ) -> StarHistory:
        """Fetch the star history, only the first of `pages` if `known` has the rest.

        Raises GitHubApiError, Interrupted, and QuotaError if no request can be spared.
        """
        account = self._connection.account(repository.name)
        return fetch_star_history(self._send_spare, account, repository, known, pages)

    def check_access(self, repositories: Iterable[Repository]) -> Mapping[str, GitHubApiError]:
        """Request each repository's views. Return the errors by name."""
        calls = {repository.name: self._start(repository, "views") for repository in repositories}
        return self._errors(calls)

    def check_workflow_runs(self, repositories: Iterable[Repository], day: date) -> Mapping[str, GitHubApiError]:
        """Count one day's workflow runs of each repository. Return the errors by name."""
        account = self._connection.account
        return self._errors(
            {found.name: self._submit(count_request(account(found.name), found.name, day)) for found in repositories}
        )

    def close(self) -> None:
        """Stop the threads and cancel requests not yet sent."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._limiter.close()

    def _read_quota(self, account: str) -> None:
        """Read an account's remaining quota; the request is free."""
        self._connection.quota(account).plan(1)  # it is counted too
        try:
            self._connection.send(Request(account, "GET", "/rate_limit", lambda _: None))
        except GitHubApiError as error:
            log.debug("the quota cannot be read: %s", error)

    def _start(self, repository: Repository, part: str) -> "Future[Any]":
        path, read = _ENDPOINTS[part]
        account = self._connection.account(repository.name)
        reader: Callable[[Response], Any] = partial(_read_for, read, repository.name)
        request = Request(account, "GET", f"/repos/{repository.name}/traffic/{path}", reader)
        return self._executor.submit(self._send_promised, request)

    def _send_promised(self, request: Request[_T]) -> _T:
        with self._connection.quota(request.account).sending():
            return self._connection.send(request)

    def _send_spare(self, request: Request[_T]) -> _T:
        """Send an optional request if the quota can spare it."""
        if not self._connection.quota(request.account).spare():
            raise QuotaError("too few requests are left in this hour")
        call = self._executor.submit(lambda: self._connection.send(request, optional=True))
        return self._limiter.result(call)

    def _submit(self, request: Request[_T]) -> "Future[_T]":
        return self._executor.submit(self._connection.send, request)

    def _run(self, call: Callable[[_S], _T], arguments: Iterable[_S]) -> list[_T]:
        """Call in parallel. A stop ends the wait, even for a response that never comes."""
        calls = [self._executor.submit(call, argument) for argument in arguments]
        return [self._limiter.result(started) for started in calls]

    def _errors(self, calls: "Mapping[str, Future[Any]]") -> dict[str, GitHubApiError]:
        outcomes = {name: self._outcome(call) for name, call in calls.items()}
        return {name: found for name, found in outcomes.items() if isinstance(found, GitHubApiError)}

    def _outcome(self, call: "Future[_T]") -> _T | GitHubApiError:
        try:
            return self._limiter.result(call)
        except GitHubApiError as error:
            return error


def _read_for(read: Callable[[Response, str], _T], name: str, response: Response) -> _T:
    return read(response, name)


def _observation(repository: Repository, answers: Mapping[str, Any]) -> Observation:
    errors = {part: found for part, found in answers.items() if isinstance(found, GitHubApiError)}
    kept = [part for part in answers if part not in errors]
    views, clones, paths, referrers = (answers[part] if part in kept else None for part in _ENDPOINTS)
    return Observation(
        repository,
        views,
        clones,
        paths,
        referrers,
        refusals=_explain(errors, kept),
        remedies=tuple(dict.fromkeys(error.remedy for error in errors.values())),
        transient=any(error.transient for error in errors.values()),
    )


def _explain(errors: Mapping[str, GitHubApiError], kept: Sequence[str]) -> tuple[str, ...]:
    """Return each distinct error once, with the parts it affects."""
    parts: dict[str, list[str]] = {}
    for part, error in errors.items():
        parts.setdefault(str(error), []).append(part)
    if len(parts) < 2 and not kept:  # noqa: PLR2004 - one cause of all
        return tuple(parts)
    texts = [f"{_joined(concerned)}: {text}" for text, concerned in parts.items()]
    if texts and kept:
        texts[-1] += f" ({_joined(kept)} were kept)"
    return tuple(texts)


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
