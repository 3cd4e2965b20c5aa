"""Lookup of repositories by name, in batches with single lookups as a fallback."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock

from ghtraffic_action.github.connection import Connection, Request
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.github.queries import Node, lookup_query, read_lookup
from ghtraffic_action.github.responses import read_repository
from ghtraffic_action.traffic.observation import Repository

log = logging.getLogger(__name__)

_BATCH = 100
"""Initial number of repositories per query."""

_SMALLEST_ON_FAILURE = 25
"""Smallest number of repositories per query after timeouts, which can also mean that GitHub is down."""

Found = Repository | GitHubApiError
Run = Callable[[Callable[[Sequence[str]], Mapping[str, Found]], Iterable[Sequence[str]]], list[Mapping[str, Found]]]
"""Calls a function for each list of names, in parallel."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The result of a lookup: repositories, errors by name, warnings.

    `workflow_repository` is the repository of the running workflow, if known.
    """

    found: tuple[Repository, ...]
    refused: Mapping[str, GitHubApiError]
    workflow_repository: Repository | None = None
    warnings: tuple[str, ...] = ()


class RepositoryLookup:
    """Looks up the metadata of repositories."""

    def __init__(self, connection: Connection, run: Run) -> None:
        self._connection = connection
        self._run = run
        self._lock = Lock()
        self._unknown: GitHubApiError | None = None

    def look_up(self, names: Sequence[str], workflow_repository: str) -> Lookup:
        """Look up repositories, and the workflow's own if that costs no extra request."""
        wanted = tuple(dict.fromkeys((*names, workflow_repository) if workflow_repository else names))
        found: dict[str, Found] = {}
        for batch in self._run(self._look_up_batch, self._batches(wanted)):
            found |= batch
        for single in self._run(self._look_up_one, [(name,) for name in names if name not in found]):
            found |= single
        asked = {name: found[name] for name in names}
        repositories = tuple({r.id: r for r in asked.values() if isinstance(r, Repository)}.values())
        own = found.get(workflow_repository)
        return Lookup(
            repositories,
            {name: error for name, error in asked.items() if isinstance(error, GitHubApiError)},
            own if isinstance(own, Repository) else None,
            self._warnings(repositories),
        )

    def _batches(self, names: Sequence[str]) -> list[Sequence[str]]:
        """Split names into batches of one account each."""
        accounts: dict[str, list[str]] = {}
        for name in names:
            accounts.setdefault(self._connection.account(name), []).append(name)
        return [batch for same in accounts.values() for batch in _split(same, _BATCH)]

    def _look_up_batch(self, names: Sequence[str], *, apart: bool = False) -> dict[str, Found]:
        """Look up names in one query, split if too large; missing names are left out."""
        try:
            nodes = self._query(names, apart=apart)
        except GitHubApiError as error:
            log.debug("the query for %d repositories failed: %s", len(names), error)
            if error.fatal:
                return dict.fromkeys(names, error)
            self._note_unknown(error)
            return self._halve(names, names, error, apart=apart)
        found: dict[str, Found] = {name: node.repository for name, node in nodes.items() if node.repository}
        missed = {name: node for name, node in nodes.items() if not node.repository}
        oversized = [name for name, node in missed.items() if any(part.error.oversized for part in node.errors)]
        if oversized:
            found |= self._halve(oversized, names, GitHubApiError("", "", oversized=True), apart=apart)
        partial_nodes = [name for name, node in missed.items() if any(part.connection for part in node.errors)]
        if apart:
            errors = (part.error for node in nodes.values() for part in node.errors)
            self._note_unknown(next(errors, None))
        elif partial_nodes:
            found |= self._look_up_batch(partial_nodes, apart=True)
        return found

    def _halve(
        self, names: Sequence[str], asked: Sequence[str], error: GitHubApiError, *, apart: bool
    ) -> dict[str, Found]:
        """Look up the names in two halves, if the error can be due to size."""
        found: dict[str, Found] = {}
        if error.oversized and len(asked) > (_SMALLEST_ON_FAILURE if error.transient else 1):
            for half in _split(names, (len(asked) + 1) // 2):
                found |= self._look_up_batch(half, apart=apart)
        return found

    def _query(self, names: Sequence[str], *, apart: bool) -> dict[str, Node]:
        query, variables = lookup_query(names, apart=apart)
        account = self._connection.account(names[0])
        body = {"query": query, "variables": variables}
        read = partial(read_lookup, count=len(names))
        return dict(zip(names, self._connection.send(Request(account, "POST", "/graphql", read, body)), strict=True))

    def _look_up_one(self, names: Sequence[str]) -> dict[str, Found]:
        (name,) = names
        try:
            request = Request(self._connection.account(name), "GET", f"/repos/{name}", read_repository)
            return {name: self._connection.send(request)}
        except GitHubApiError as error:
            return {name: error}

    def _note_unknown(self, error: GitHubApiError | None) -> None:
        with self._lock:
            self._unknown = self._unknown or error

    def _warnings(self, repositories: Sequence[Repository]) -> tuple[str, ...]:
        known = [r.metadata for r in repositories]
        unknown = sum(None in (m.watchers, m.open_issues, m.open_pull_requests) for m in known)
        if not unknown:
            return ()
        what = f"metadata: watchers, open issues or pull requests of {unknown} of {len(known)} repositories are unknown"
        if self._unknown and (self._unknown.transient or self._unknown.oversized):
            return (f"{what} ({self._unknown.what}): a later run reads them; traffic is not affected",)
        remedy = "grant Issues: read and Pull requests: read too, or ignore this; traffic is not affected"
        return (f"{what}: the token may not read them: {remedy}",)


def _split(names: Sequence[str], size: int) -> list[Sequence[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]
