"""GitHub's GraphQL API: the values of the schema's fields, and the errors beside them."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLResolveInfo, build_schema, execute_sync, parse, validate

from ghtraffic_action.demo.fake_github import write_midnight, write_moment

from .bodies import Budget, visibility
from .catalogue import Catalogue, Release, Repository, newest_releases

SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text())
PAGE_LIMIT = 100
PARSING = Lock()
"""Requests with the same text at once parse it once."""

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """Everything that a query can see, and the message of each refused repository and field."""

    catalogue: Catalogue
    budget: Budget
    refused: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Owner:
    """An owner, known by having repositories."""

    login: str
    repositories: list[Repository]


@dataclass(frozen=True)
class Page:
    """A page of a connection of repositories."""

    nodes: list[Repository]
    total: int
    first: int

    @property
    def end(self) -> int:
        """The number of repositories until the end of the page."""
        return self.first + len(self.nodes)


class FieldError(Exception):
    """One field has an error instead of a value; `entry` is GitHub's own part of it."""

    def __init__(self, kind: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.entry = {"type": kind, **more}


def execute(world: World, request: Mapping[str, Any]) -> dict[str, Any]:
    """Execute a request: a faulty one is answered without data, a refused field with the data of the others."""
    query = request.get("query")
    if not isinstance(query, str) or not query.strip():
        return {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
    with PARSING:
        document, mistakes = parse_query(query)
    if document is None or mistakes:
        return {"errors": [error.formatted for error in mistakes]}
    result = execute_sync(
        SCHEMA,
        document,
        root_value=world,
        context_value=world.refused,
        variable_values=request.get("variables") or {},
        operation_name=request.get("operationName"),
        field_resolver=resolve,
        type_resolver=lambda *_: "User",
    )
    errors = [write_error(error) for error in result.errors or ()]
    if result.data is None:
        return {"errors": errors}
    return {"data": result.data, "errors": errors} if errors else {"data": result.data}


@lru_cache(maxsize=64)
def parse_query(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """Parse and validate a query; runs send the same few texts, whose variables differ."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(SCHEMA, document))


def resolve(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> Any:  # noqa: ANN401 - any value
    """Return the value of a field, unless it is refused."""
    if isinstance(source, Repository) and (message := info.context.get((source.name.lower(), info.field_name))):
        raise FieldError("FORBIDDEN", message, extensions={"saml_failure": False})
    return FIELDS[info.parent_type.name][info.field_name](source, arguments)


def write_error(error: GraphQLError) -> dict[str, Any]:
    """Write an error as GitHub does; any other exception is a defect of the fake."""
    original = error.original_error
    if original is not None and not isinstance(original, FieldError | GraphQLError):
        raise original
    return {**error.formatted, **(original.entry if isinstance(original, FieldError) else {})}


def find_repository(world: World, arguments: Arguments) -> Repository:
    """Find a repository by its name, or by a former one unless `followRenames` is false."""
    name = f"{arguments['owner']}/{arguments['name']}"
    follow = arguments["followRenames"] is not False
    repository = world.catalogue.followed(name) if follow else world.catalogue.named(name)
    if repository is None:
        raise FieldError("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    return repository


def find_owner(world: World, arguments: Arguments) -> Owner | None:
    """Find an owner; GitHub answers an unknown one with null and no error."""
    owned = world.catalogue.owned(arguments["login"])
    return Owner(owned[0].owner, owned) if owned else None


def find_page(owner: Owner, arguments: Arguments) -> Page:
    """Return one page of an owner's repositories."""
    first, after = arguments.get("first"), arguments.get("after")
    if first is None:
        message = "You must provide a `first` or `last` value to properly paginate the `repositories` connection."
        raise FieldError("MISSING_PAGINATION_BOUNDARIES", message)
    if first > PAGE_LIMIT:
        message = (
            f"Requesting {first} records on the `repositories` connection exceeds the `first` limit of 100 records."
        )
        raise FieldError("EXCESSIVE_PAGINATION", message)
    start = read_cursor(after) if after is not None else 0
    chosen = ordered((r for r in owner.repositories if matches(r, arguments)), arguments.get("orderBy"))
    return Page(chosen[start : start + first], len(chosen), start)


def matches(repository: Repository, arguments: Arguments) -> bool:
    """Return whether a repository passes the filters; null passes all."""
    values = {"isFork": repository.fork, "isArchived": repository.archived, "privacy": visibility(repository)}
    return all(arguments.get(name) in {None, value} for name, value in values.items())


def ordered(repositories: Iterable[Repository], order: Mapping[str, str] | None) -> list[Repository]:
    """Sort by `orderBy`."""
    if not order:
        return list(repositories)
    key = ORDERS[order["field"]]
    return sorted(repositories, key=lambda r: (key(r), r.id), reverse=order["direction"] == "DESC")


def write_cursor(place: int) -> str:
    """Write the cursor of the repository at a place, counted from 1."""
    return b64encode(f"cursor:v2:{place}".encode()).decode()


def read_cursor(cursor: str) -> int:
    """Read the place of a cursor."""
    try:
        return int(b64decode(cursor).decode().removeprefix("cursor:v2:"))
    except ValueError:
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise FieldError("INVALID_CURSOR_ARGUMENTS", message) from None


@dataclass(frozen=True)
class Part:
    """The first nodes of a connection, and how many there are in all."""

    nodes: tuple[Any, ...]
    total: int


def find_releases(repository: Repository, arguments: Arguments) -> Part:
    """Return the newest releases; the order of the only query is by creation, descending."""
    return Part(newest_releases(repository)[: arguments["first"]], len(repository.releases))


def find_assets(release: Release, arguments: Arguments) -> Part:
    """Return the first assets of a release."""
    return Part(release.assets[: arguments["first"]], len(release.assets))


ORDERS: dict[str, Callable[[Repository], Any]] = {
    "CREATED_AT": lambda r: r.created,
    "NAME": lambda r: r.name.lower(),
    "PUSHED_AT": lambda r: write_moment(r.pushed) if r.pushed else "",
    "STARGAZERS": lambda r: r.stars,
    "UPDATED_AT": lambda r: r.created,
}
TOTAL: dict[str, Callable[[Any, Arguments], Any]] = {"totalCount": lambda number, _: number}
PART: dict[str, Callable[[Any, Arguments], Any]] = {
    "totalCount": lambda part, _: part.total,
    "nodes": lambda part, _: part.nodes,
}
FIELDS: dict[str, dict[str, Callable[[Any, Arguments], Any]]] = {
    "Query": {
        "repository": find_repository,
        "repositoryOwner": find_owner,
        "rateLimit": lambda world, _: world.budget,
    },
    "Repository": {
        "id": lambda r, _: f"R_{r.id}",
        "databaseId": lambda r, _: r.id,
        "name": lambda r, _: r.name.partition("/")[2],
        "nameWithOwner": lambda r, _: r.name,
        "owner": lambda r, _: Owner(r.owner, []),
        "stargazerCount": lambda r, _: r.stars,
        "forkCount": lambda r, _: r.forks,
        "isArchived": lambda r, _: r.archived,
        "isPrivate": lambda r, _: r.private,
        "isFork": lambda r, _: r.fork,
        "visibility": lambda r, _: visibility(r),
        "createdAt": lambda r, _: write_midnight(r.created),
        "pushedAt": lambda r, _: write_moment(r.pushed) if r.pushed else None,
        "repositoryTopics": lambda r, arguments: r.topics[: arguments.get("first")],
        "watchers": lambda r, _: r.watchers,
        "issues": lambda r, _: r.open_issues,
        "pullRequests": lambda r, _: r.open_pull_requests,
        "releases": find_releases,
    },
    "ReleaseConnection": PART,
    "ReleaseAssetConnection": PART,
    "ReleaseAsset": {"name": lambda asset, _: asset[0], "downloadCount": lambda asset, _: asset[1]},
    "Release": {
        "tagName": lambda release, _: release.tag,
        "createdAt": lambda release, _: write_moment(release.created),
        "publishedAt": lambda release, _: write_moment(release.published) if release.published else None,
        "isDraft": lambda release, _: release.published is None,
        "releaseAssets": find_assets,
    },
    "RepositoryTopicConnection": {"nodes": lambda topics, _: topics},
    "RepositoryTopic": {"topic": lambda topic, _: topic},
    "Topic": {"name": lambda topic, _: topic},
    "UserConnection": TOTAL,
    "IssueConnection": TOTAL,
    "PullRequestConnection": TOTAL,
    "User": {"login": lambda owner, _: owner.login, "repositories": find_page},
    "RepositoryConnection": {
        "totalCount": lambda page, _: page.total,
        "nodes": lambda page, _: page.nodes,
        "pageInfo": lambda page, _: page,
    },
    "PageInfo": {
        "hasNextPage": lambda page, _: page.end < page.total,
        "hasPreviousPage": lambda page, _: page.first > 0,
        "startCursor": lambda page, _: write_cursor(page.first + 1) if page.nodes else None,
        "endCursor": lambda page, _: write_cursor(page.end) if page.nodes else None,
    },
    "RateLimit": {
        "cost": lambda _budget, _: 1,
        "limit": lambda budget, _: budget.limit,
        "nodeCount": lambda _budget, _: 0,
        "remaining": lambda budget, _: budget.remaining,
        "resetAt": lambda budget, _: write_moment(budget.reset),
        "used": lambda budget, _: budget.limit - budget.remaining,
    },
}
"""The value of each field of the schema, from its source and arguments."""
