"""GraphQL queries and the readers of their responses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from ghtraffic_action.github import fields
from ghtraffic_action.github.errors import GitHubApiError, InvalidResponseError, error_from_graphql, error_from_response
from ghtraffic_action.github.responses import Response
from ghtraffic_action.github.selection import Listed
from ghtraffic_action.traffic.downloads import Asset, Downloads
from ghtraffic_action.traffic.model import Metadata, Release, Releases
from ghtraffic_action.traffic.observation import Repository

_TOPICS = "repositoryTopics(first: 20) { nodes { topic { name } } }"
"""A repository has 20 topics at most."""

_SCALARS = (
    f"databaseId nameWithOwner stargazerCount forkCount isArchived isPrivate visibility createdAt pushedAt {_TOPICS}"
)
_CONNECTIONS = {
    "watchers": "watchers { totalCount }",
    "issues": "issues(states: OPEN) { totalCount }",
    "pullRequests": "pullRequests(states: OPEN) { totalCount }",
}
_RELEASES = (
    "releases(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount nodes { tagName publishedAt "
    "releaseAssets(first: 20) { totalCount nodes { name downloadCount } } } }"
)
_RECENT = timedelta(days=30)
"""Maximum age of releases to store: twice the longest gap between runs without loss."""

LIST_QUERY = f"""
query ($owner: String!, $after: String, $first: Int!) {{
  repositoryOwner(login: $owner) {{
    repositories(first: $first, after: $after, ownerAffiliations: OWNER) {{
      nodes {{ nameWithOwner isArchived isFork isPrivate {_TOPICS} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""
"""Lists an owner's repositories, a page of 100 at a time."""


@dataclass(frozen=True, slots=True)
class PathError:
    """An error of one part of a GraphQL response."""

    path: tuple[str | int, ...]
    kind: str
    error: GitHubApiError

    @property
    def connection(self) -> bool:
        """Whether only one connection may be affected, so the rest can be read."""
        return self.path[1] in _CONNECTIONS if len(self.path) > 1 else self.kind == "FORBIDDEN"

    @property
    def of_releases(self) -> bool:
        """Whether only the releases are affected, which are then unknown."""
        return bool(self.path) and str(self.path[0]).startswith("releases")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an owner's repositories, with errors and the next cursor."""

    listed: tuple[Listed, ...]
    errors: tuple[GitHubApiError, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Node:
    """A repository of a lookup (None: unreadable) with the errors of its parts."""

    repository: Repository | None
    errors: tuple[PathError, ...]


def lookup_query(names: Sequence[str], *, apart: bool = False) -> tuple[str, dict[str, str]]:
    """Return the query and variables for up to 100 repositories.

    A connection that the token cannot read makes its whole node null: `apart` gives each connection an alias of its
    own. Releases always have an alias: they need Contents: read on private repositories, which nothing else needs.
    """
    parts, declared, variables = [], [], {}
    inline = "" if apart else " ".join(_CONNECTIONS.values())
    for index, name in enumerate(names):
        variables[f"o{index}"], _, variables[f"n{index}"] = name.partition("/")
        declared += [f"$o{index}: String!", f"$n{index}: String!"]
        repository = f"repository(owner: $o{index}, name: $n{index})"
        parts.append(f"r{index}: {repository} {{ {_SCALARS} {inline} }}")
        parts.append(f"releases{index}: {repository} {{ {_RELEASES} }}")
        if apart:
            parts += [f"{field}{index}: {repository} {{ {text} }}" for field, text in _CONNECTIONS.items()]
    return f"query ({', '.join(declared)}) {{\n  " + "\n  ".join(parts) + "\n}", variables


def read_lookup(response: Response, count: int) -> tuple[Node, ...]:
    """Read a lookup's nodes, with or without separate connections."""
    data, errors = _read(response)
    return tuple(_node(response, data, index, errors) for index in range(count))


def read_page(response: Response) -> Page | None:
    """Read a page of an owner's repositories, None if there is no such owner."""
    data, errors = _read(response)
    owner = fields.field(data, "repositoryOwner")
    refusals = [found.error for found in errors if found.kind != "NOT_FOUND"]
    if owner is None and not refusals:
        return None
    page = None if owner is None else fields.field(owner, "repositories")
    if page is None and refusals:
        raise refusals[0]
    info = fields.field(page, "pageInfo")
    nodes = fields.items(fields.field(page, "nodes"))
    return Page(
        tuple(_listed(node) for node in nodes if node is not None),
        (*_node_errors(nodes, errors), *_left_out(response)),
        fields.text(info, "endCursor") if fields.field(info, "hasNextPage") else None,
    )


def _listed(node: Any) -> Listed:  # noqa: ANN401 - JSON
    name = fields.repository_name(node, "nameWithOwner")
    archived, fork, private = (bool(fields.field(node, flag)) for flag in ("isArchived", "isFork", "isPrivate"))
    return Listed(name, archived, fork, private, _topics(node))


def _topics(node: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    found = fields.items(fields.field(fields.field(node, "repositoryTopics"), "nodes"))
    return tuple(fields.text(fields.field(entry, "topic"), "name") for entry in found)


def _node_errors(nodes: Sequence[Any], errors: Sequence[PathError]) -> Iterator[GitHubApiError]:
    by_place = {found.path[3]: found.error for found in reversed(errors) if _is_of_node(found)}
    for place, node in enumerate(nodes):
        if node is None:
            yield by_place.get(place) or GitHubApiError(
                "GitHub's response has no reason", "check the token's access to them all"
            )
    yield from (found.error for found in errors if not _is_of_node(found))


def _is_of_node(found: PathError) -> bool:
    """Return whether an error beside a list is of one of its repositories."""
    return found.path[2:3] == ("nodes",) and len(found.path) > len(("repositoryOwner", "repositories", "nodes"))


def _left_out(response: Response) -> Iterator[GitHubApiError]:
    """Yield an error if single sign-on hides repositories."""
    if response.headers.get("x-github-sso", "").startswith("partial-results"):
        yield error_from_response(HTTPStatus.FORBIDDEN, "saml", {}, response.caller)


def _read(response: Response) -> tuple[Mapping[str, Any], tuple[PathError, ...]]:
    """Return data and errors. Raises the whole response's error."""
    body = response.body
    if not isinstance(body, Mapping):
        raise InvalidResponseError("it is not a GraphQL response")
    listed = body.get("errors") or []
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise InvalidResponseError("its errors are not a list of objects")
    errors = tuple(_path_error(entry, response) for entry in listed)
    data = body.get("data")
    for found in errors:
        of_part = found.of_releases or _is_of_node(found)
        if not isinstance(data, Mapping) or (found.error.transient and not of_part):
            raise found.error
    if not isinstance(data, Mapping):
        raise InvalidResponseError("it is not a GraphQL response")
    return data, errors


def _path_error(entry: Mapping[str, Any], response: Response) -> PathError:
    path = entry.get("path")
    parts = tuple(part for part in path if isinstance(part, str | int)) if isinstance(path, list) else ()
    error = error_from_graphql(entry, response.headers, response.caller)
    return PathError(parts, str(entry.get("type") or ""), error)


def _node(response: Response, data: Mapping[str, Any], index: int, errors: Sequence[PathError]) -> Node:
    aliases = {f"r{index}", *(f"{name}{index}" for name in _CONNECTIONS)}
    own = tuple(found for found in errors if not found.path or found.path[0] in aliases)
    node = fields.field(data, f"r{index}")
    if node is None:
        return Node(None, own)
    full_name = fields.repository_name(node, "nameWithOwner")
    watchers, issues, pull_requests = (_total(data, node, name, index) for name in _CONNECTIONS)
    metadata = Metadata(
        at=response.at,
        stars=fields.count(node, "stargazerCount"),
        forks=fields.count(node, "forkCount"),
        watchers=watchers,
        open_issues=issues,
        open_pull_requests=pull_requests,
        archived=bool(fields.field(node, "isArchived")),
        created=fields.moment(node, "createdAt").date(),
        private=bool(fields.field(node, "isPrivate")),
        topics=" ".join(sorted(_topics(node))),
        visibility=fields.text(node, "visibility").lower(),
    )
    repository = Repository(
        id=fields.count(node, "databaseId"),
        name=full_name,
        private=bool(fields.field(node, "isPrivate")),
        pushed=fields.moment(node, "pushedAt") if fields.field(node, "pushedAt") else None,
        metadata=metadata,
    )
    holder = data.get(f"releases{index}")
    return Node(repository if holder is None else _with_releases(response, repository, holder), own)


def _with_releases(response: Response, repository: Repository, holder: Mapping[str, Any]) -> Repository:
    """Return the repository with recent releases, and downloads if all are listed."""
    releases = fields.field(holder, "releases")
    nodes = [node for node in fields.items(fields.field(releases, "nodes")) if node is not None]
    published = [node for node in nodes if fields.field(node, "publishedAt")]  # drafts have no date
    rows = [Release(fields.text(node, "tagName"), fields.moment(node, "publishedAt")) for node in published]
    recent = tuple(row for row in rows if row.published >= response.at - _RECENT)
    lists = [(fields.text(node, "tagName"), fields.field(node, "releaseAssets")) for node in published]
    assets = [(tag, asset) for tag, found in lists for asset in fields.items(fields.field(found, "nodes"))]
    unlisted = fields.count(releases, "totalCount") > len(nodes) or any(
        fields.count(found, "totalCount") > len(fields.items(fields.field(found, "nodes"))) for _, found in lists
    )
    counts = tuple(Asset(tag, fields.text(a, "name"), fields.count(a, "downloadCount")) for tag, a in assets if a)
    return replace(
        repository,
        releases=Releases(response.at, recent) if recent else None,
        downloads=Downloads(response.at, counts) if counts and not unlisted else None,
        unlisted_assets=unlisted,
    )


def _total(data: Mapping[str, Any], node: Mapping[str, Any], name: str, index: int) -> int | None:
    """Return a connection's size, None if it cannot be read."""
    holder = node if name in node else fields.field(data, f"{name}{index}")
    connection = None if holder is None else fields.field(holder, name)
    return None if connection is None else fields.count(connection, "totalCount")
