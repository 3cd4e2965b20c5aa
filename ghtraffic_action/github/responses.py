"""What GitHub's answers say: from JSON to our types, and a refusal of what makes no sense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ghtraffic_action.traffic.model import (
    Day,
    Metadata,
    Metric,
    Repository,
    Series,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)

_SCALARS = "databaseId nameWithOwner stargazerCount forkCount isArchived isPrivate createdAt pushedAt"
_CONNECTIONS = {
    "watchers": "watchers { totalCount }",
    "open_issues": "issues(states: OPEN) { totalCount }",
    "open_pull_requests": "pullRequests(states: OPEN) { totalCount }",
}

LIST_QUERY = """
query ($owner: String!, $after: String) {
  repositoryOwner(login: $owner) {
    repositories(first: 100, after: $after, ownerAffiliations: OWNER, isFork: false, isArchived: false) {
      nodes { nameWithOwner }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
"""Names an owner's repositories, a page of 100 at a time, without archived ones and forks."""


class InvalidResponseError(ValueError):
    """An answer that cannot be true, or is none at all; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its JSON, and the moment that its `Date` header tells."""

    body: Any
    at: datetime


def describe_query(names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Ask for the metadata of up to 100 repositories: the query and its variables.

    Each connection has an alias of its own, since one that the token may not read takes its whole node along.
    """
    parts, declared, variables = [], [], {}
    for index, name in enumerate(names):
        variables[f"o{index}"], _, variables[f"n{index}"] = name.partition("/")
        declared += [f"$o{index}: String!", f"$n{index}: String!"]
        repository = f"repository(owner: $o{index}, name: $n{index})"
        parts.append(f"r{index}: {repository} {{ {_SCALARS} }}")
        parts += [f"{field}{index}: {repository} {{ {text} }}" for field, text in _CONNECTIONS.items()]
    return f"query ({', '.join(declared)}) {{\n  " + "\n  ".join(parts) + "\n}", variables


def read_described(reply: Reply, index: int) -> Repository | None:
    """Read the repository with `index` in a described answer; None where its node is null."""
    node = _get(reply.body, f"r{index}")
    if node is None:
        return None
    connections = {field: _total(_get(reply.body, f"{field}{index}")) for field in _CONNECTIONS}
    metadata = Metadata(
        at=reply.at,
        stars=_count(node, "stargazerCount"),
        forks=_count(node, "forkCount"),
        archived=bool(_get(node, "isArchived")),
        created=_moment(node, "createdAt").date(),
        private=bool(_get(node, "isPrivate")),
        **connections,
    )
    return Repository(
        id=_count(node, "databaseId"),
        name=_text(node, "nameWithOwner"),
        private=bool(_get(node, "isPrivate")),
        pushed=_moment(node, "pushedAt") if _get(node, "pushedAt") else None,
        metadata=metadata,
    )


def read_repository(reply: Reply) -> Repository:
    """Read the answer of `GET /repos/{owner}/{name}`, which does not tell issues from pull requests."""
    body = reply.body
    metadata = Metadata(
        at=reply.at,
        stars=_count(body, "stargazers_count"),
        forks=_count(body, "forks_count"),
        watchers=_count(body, "subscribers_count"),
        open_issues=None,
        open_pull_requests=None,
        archived=bool(_get(body, "archived")),
        created=_moment(body, "created_at").date(),
        private=bool(_get(body, "private")),
    )
    return Repository(
        id=_count(body, "id"),
        name=_text(body, "full_name"),
        private=bool(_get(body, "private")),
        pushed=_moment(body, "pushed_at") if _get(body, "pushed_at") else None,
        metadata=metadata,
    )


def read_page(reply: Reply) -> tuple[tuple[str, ...], str | None] | None:
    """Read a page of an owner's repositories: their names, and where the next begins; None: no such owner."""
    owner = _get(reply.body, "repositoryOwner")
    if owner is None:
        return None
    page = _get(owner, "repositories")
    info = _get(page, "pageInfo")
    names = tuple(_text(node, "nameWithOwner") for node in _list(_get(page, "nodes")) if node is not None)
    return names, _text(info, "endCursor") if _get(info, "hasNextPage") else None


def read_series(reply: Reply, metric: Metric, repository: str) -> Series:
    """Read the answer for views or clones; zero days may be missing, and so may today."""
    rows = _list(_get(reply.body, metric))
    totals = Totals(reply.at, _count(reply.body, "count"), _count(reply.body, "uniques"))
    return Series(totals, tuple(_day(row, metric, repository, reply.at.date()) for row in rows))


def read_paths(reply: Reply) -> TopPaths:
    """Read the ten most viewed paths."""
    return TopPaths(
        reply.at,
        tuple(
            TopPath(_text(row, "path"), _text(row, "title"), _count(row, "count"), _count(row, "uniques"))
            for row in _list(reply.body)
        ),
    )


def read_referrers(reply: Reply) -> TopReferrers:
    """Read the ten referrers that sent most views."""
    return TopReferrers(
        reply.at,
        tuple(
            TopReferrer(_text(row, "referrer"), _count(row, "count"), _count(row, "uniques"))
            for row in _list(reply.body)
        ),
    )


def _day(row: Any, metric: Metric, repository: str, today: date) -> Day:  # noqa: ANN401 - JSON
    day = _moment(row, "timestamp").date()
    if day > today:
        raise InvalidResponseError(f"{day} lies in the future")
    count, uniques = _count(row, "count"), _count(row, "uniques")
    if metric == "views":
        return Day(day, repository, views=count, view_uniques=uniques)
    return Day(day, repository, clones=count, clone_uniques=uniques)


def _get(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, Mapping) or name not in value:
        raise InvalidResponseError(f"it has no {name}")
    return value[name]


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, list):
        raise InvalidResponseError("it has no list where one belongs")
    return value


def _count(value: Any, name: str) -> int:  # noqa: ANN401 - JSON
    number = _get(value, name)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise InvalidResponseError(f"{name} is {number!r}")
    return number


def _text(value: Any, name: str) -> str:  # noqa: ANN401 - JSON
    text = _get(value, name)
    if not isinstance(text, str):
        raise InvalidResponseError(f"{name} is {text!r}")
    return text.encode(errors="replace").decode()  # JSON can hold halves of characters, which no store takes


def _moment(value: Any, name: str) -> datetime:  # noqa: ANN401 - JSON
    try:
        return datetime.fromisoformat(_text(value, name)).astimezone(UTC)
    except ValueError as error:
        raise InvalidResponseError(f"{name} is {_get(value, name)!r}") from error


def _total(node: Any) -> int | None:  # noqa: ANN401 - JSON
    if node is None:
        return None
    (connection,) = node.values()
    return _count(connection, "totalCount")
