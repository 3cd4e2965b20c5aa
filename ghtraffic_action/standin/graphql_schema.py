"""The part of GitHub's GraphQL schema that a collector of traffic asks: which fields there are and what they give."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from ghtraffic_action.standin.repositories import Catalogue, Repository

PAGE_LIMIT = 100
Arguments = Mapping[str, Any]


class FieldError(Exception):
    """One field is not given; it is null, or its node is where it may not be."""

    def __init__(self, kind: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.entry = {"type": kind, **more, "message": message}


@dataclass(frozen=True)
class Budget:
    """What is left of the points of an hour."""

    limit: int
    remaining: int
    reset: datetime


@dataclass(frozen=True)
class World:
    """All that a query can see, and what it is refused: by repository and field, with the message."""

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
    """Some of the repositories of a connection."""

    nodes: list[Repository]
    total: int
    first: int

    @property
    def end(self) -> int:
        """How many repositories come before the end of the page."""
        return self.first + len(self.nodes)


@dataclass(frozen=True)
class Known:
    """A field of the schema: how its value is found, its type ("" for a scalar) and what it takes."""

    give: Callable[[Any, Arguments], Any]
    type: str = ""
    takes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    nullable: bool = False


def write_moment(moment: datetime) -> str:
    """Write a moment as GitHub does: `2026-11-23T03:17:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_created(repository: Repository) -> str:
    """Write the first moment of the day on which a repository was created."""
    return write_moment(datetime.combine(repository.created, time(), UTC))


def find_repository(world: World, arguments: Arguments) -> Repository:
    """Find a repository by its name, by a former one too unless `followRenames` is false."""
    name = f"{arguments['owner']}/{arguments['name']}"
    follow = arguments.get("followRenames") is not False
    repository = world.catalogue.followed(name) if follow else world.catalogue.named(name)
    if repository is None:
        raise FieldError("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    return repository


def find_owner(world: World, arguments: Arguments) -> Owner | None:
    """Find an owner; GitHub gives null, and no error, for one that it does not know."""
    owned = world.catalogue.owned(arguments["login"])
    return Owner(owned[0].owner, owned) if owned else None


def find_page(owner: Owner, arguments: Arguments) -> Page:
    """Cut one page out of an owner's repositories."""
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
    """Whether a repository is among those that the arguments ask for; null asks for all."""
    told = {"isFork": repository.fork, "isArchived": repository.archived, "privacy": privacy(repository)}
    return all(arguments.get(name) in {None, value} for name, value in told.items())


def ordered(repositories: Iterable[Repository], order: Mapping[str, str] | None) -> list[Repository]:
    """Sort as `orderBy` says."""
    if not order:
        return list(repositories)
    key = ORDERS[order["field"]]
    return sorted(repositories, key=lambda r: (key(r), r.id), reverse=order["direction"] == "DESC")


def write_cursor(place: int) -> str:
    """Write the cursor of the repository at a place, counted from 1."""
    return b64encode(f"cursor:v2:{place}".encode()).decode()


def read_cursor(cursor: str) -> int:
    """Read the place that a cursor stands for."""
    try:
        return int(b64decode(cursor).decode().removeprefix("cursor:v2:"))
    except ValueError:
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise FieldError("INVALID_CURSOR_ARGUMENTS", message) from None


def privacy(repository: Repository) -> str:
    """Name a repository's visibility."""
    return "PRIVATE" if repository.private else "PUBLIC"


def plain(name: str, *, nullable: bool = False) -> Known:
    """Describe a scalar that is an attribute."""
    return Known(lambda source, _: getattr(source, name), nullable=nullable)


def counted(name: str, type_: str, *takes: str) -> Known:
    """Describe a connection of which only the number is known."""
    return Known(lambda source, _: getattr(source, name), type_, ("first", "last", "after", "before", *takes))


ORDERS: dict[str, Callable[[Repository], Any]] = {
    "CREATED_AT": lambda r: r.created,
    "NAME": lambda r: r.name.lower(),
    "PUSHED_AT": lambda r: write_moment(r.pushed) if r.pushed else "",
    "STARGAZERS": lambda r: r.stars,
    "UPDATED_AT": lambda r: r.created,
}
FILTERS = ("after", "affiliations", "isArchived", "isFork", "orderBy", "ownerAffiliations", "privacy")
TOTAL = {"totalCount": Known(lambda number, _: number)}
SCHEMA: dict[str, dict[str, Known]] = {
    "Query": {
        "repository": Known(find_repository, "Repository", ("followRenames",), ("owner", "name"), nullable=True),
        "repositoryOwner": Known(find_owner, "RepositoryOwner", requires=("login",), nullable=True),
        "rateLimit": Known(lambda world, _: world.budget, "RateLimit", ("dryRun",), nullable=True),
    },
    "Repository": {
        "id": Known(lambda r, _: f"R_{r.id}"),
        "databaseId": plain("id", nullable=True),
        "name": Known(lambda r, _: r.name.partition("/")[2]),
        "nameWithOwner": plain("name"),
        "owner": Known(lambda r, _: Owner(r.owner, []), "RepositoryOwner"),
        "stargazerCount": plain("stars"),
        "forkCount": plain("forks"),
        "isArchived": plain("archived"),
        "isPrivate": plain("private"),
        "isFork": plain("fork"),
        "visibility": Known(lambda r, _: privacy(r)),
        "createdAt": Known(lambda r, _: write_created(r)),
        "pushedAt": Known(lambda r, _: write_moment(r.pushed) if r.pushed else None, nullable=True),
        "watchers": counted("watchers", "UserConnection"),
        "issues": counted("open_issues", "IssueConnection", "states"),
        "pullRequests": counted("open_pull_requests", "PullRequestConnection", "states"),
    },
    "UserConnection": TOTAL,
    "IssueConnection": TOTAL,
    "PullRequestConnection": TOTAL,
    "RepositoryOwner": {
        "login": plain("login"),
        "repositories": Known(find_page, "RepositoryConnection", ("first", *FILTERS)),
    },
    "RepositoryConnection": {
        "totalCount": plain("total"),
        "nodes": Known(lambda page, _: page.nodes, "Repository", nullable=True),
        "pageInfo": Known(lambda page, _: page, "PageInfo"),
    },
    "PageInfo": {
        "hasNextPage": Known(lambda page, _: page.end < page.total),
        "hasPreviousPage": Known(lambda page, _: page.first > 0),
        "startCursor": Known(lambda page, _: write_cursor(page.first + 1) if page.nodes else None, nullable=True),
        "endCursor": Known(lambda page, _: write_cursor(page.end) if page.nodes else None, nullable=True),
    },
    "RateLimit": {
        "cost": Known(lambda _budget, _: 1),
        "limit": plain("limit"),
        "nodeCount": Known(lambda _budget, _: 0),
        "remaining": plain("remaining"),
        "resetAt": Known(lambda budget, _: write_moment(budget.reset)),
        "used": Known(lambda budget, _: budget.limit - budget.remaining),
    },
}
