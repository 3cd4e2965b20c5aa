"""The lists of repositories: an owner's, or all that an App can read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github import fields, queries
from ghtraffic_action.github.connection import Connection, Request
from ghtraffic_action.github.errors import GitHubApiError, InvalidResponseError, invalid_response
from ghtraffic_action.github.responses import Response
from ghtraffic_action.github.selection import Listed
from ghtraffic_action.repository_names import is_excluded

_PAGE = 100
"""Initial page size, GitHub's maximum."""

_SMALLEST_PAGE = 25
"""Smallest page size after timeouts, which can also mean that GitHub is down."""

_RETRIES = 3
"""Repeated requests of an owner's list for repositories that GitHub failed to list."""

_MOST = 1_000_000
"""More repositories of an installation are implausible."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of an installation's list, or why it cannot be read.

    The whole list has `total` repositories.
    """

    owner: str
    total: int = 0
    listed: tuple[Listed, ...] = ()
    error: GitHubApiError | None = None


Run = Callable[[Callable[[tuple[str, int]], _Page], Iterable[tuple[str, int]]], list[_Page]]
"""Calls a function for each page, in parallel."""

Send = Callable[[Request[queries.Page | None]], queries.Page | None]
"""Sends a request and returns its page, None if GitHub knows no such owner."""


class ListingError(GitHubError):
    """An incomplete list, with the repositories `found` before the error."""

    def __init__(self, text: str, found: tuple[Listed, ...] = (), *, transient: bool = False, remedy: str = "") -> None:
        super().__init__(text, transient=transient, remedy=remedy)
        self.found = found


def installed(connection: Connection, run: Run, patterns: Sequence[str]) -> tuple[Listed, ...]:
    """List the repositories of all installations in parallel, without owners whom `patterns` exclude.

    Raises ListingError, with the repositories of the owners whose lists were read.
    """
    try:
        owners = [owner for owner in connection.installations() if not is_excluded(f"{owner}/*", patterns)]
    except GitHubApiError as error:
        raise ListingError(f"installed: {error}", transient=error.transient, remedy=error.remedy) from error
    read = partial(_read_pages, connection, run)
    pages = read(owners)
    # A repository that is removed meanwhile moves a later one to a page that was read before.
    pages += read([owner for owner in owners if _is_short([page for page in pages if page.owner == owner])])
    listed = tuple({entry.name: entry for page in pages for entry in page.listed}.values())
    errors = {page.owner: page.error for page in pages if page.error}
    for owner, why in errors.items():
        what = f"installed: the lists of {len(errors)} of {len(owners)} owners cannot be read, that of {owner}: {why}"
        transient = any(found.transient for found in errors.values())
        raise ListingError(what, listed, transient=transient, remedy=why.remedy)
    return listed


def owned(connection: Connection, send: Send, owner: str) -> tuple[Listed, ...]:
    """List an owner's repositories, page by page. Raises ListingError."""
    account = connection.account(f"{owner}/*")
    found: list[Listed] = []
    errors: list[GitHubApiError] = []
    after: str | None = None
    cursors: set[str | None] = {None}
    size, retries = _PAGE, _RETRIES
    while True:
        body = {"query": queries.LIST_QUERY, "variables": {"owner": owner, "after": after, "first": size}}
        try:
            page = send(Request(account, "POST", "/graphql", queries.read_page, body))
            if page and page.after is not None and (page.after in cursors or not (page.listed or page.errors)):
                raise invalid_response("its list of repositories has no end")
        except GitHubApiError as error:
            if error.oversized and size > (_SMALLEST_PAGE if error.transient else 1):
                size //= 2
                continue
            what = f"{owner}/*: {error}"
            raise ListingError(what, tuple(found), transient=error.transient, remedy=error.remedy) from error
        if page is None:
            raise ListingError(f"{owner}/*: GitHub knows no such owner: check the name", remedy="check the name")
        if retries and (failed := next((error for error in page.errors if error.transient), None)):
            retries -= 1
            size = max(1, size // 2) if failed.oversized else size
            continue
        found += page.listed
        errors += page.errors
        after = page.after
        if after is None:
            break
        cursors.add(after)
    if errors:
        what = f"{owner}/*: {len(errors)} of its repositories cannot be listed: {errors[0]}"
        transient = any(error.transient for error in errors)
        raise ListingError(what, tuple(found), transient=transient, remedy=errors[0].remedy)
    return tuple(found)


def _read_pages(connection: Connection, run: Run, owners: Sequence[str]) -> list[_Page]:
    """Read all pages of the owners' lists."""
    read = partial(_read_page, connection)
    first = run(read, [(owner, 1) for owner in owners])
    return first + run(read, [(page.owner, at) for page in first for at in range(2, -(-page.total // _PAGE) + 1)])


def _read_page(connection: Connection, place: tuple[str, int]) -> _Page:
    owner, page = place
    path = f"/installation/repositories?page={page}&per_page={_PAGE}"
    try:
        return connection.send(Request(owner, "GET", path, partial(_read, owner)))
    except GitHubApiError as error:
        return _Page(owner, error=error)


def _read(owner: str, response: Response) -> _Page:
    entries = fields.items(fields.field(response.body, "repositories"))
    total = fields.count(response.body, "total_count")
    if total > _MOST:
        raise InvalidResponseError(f"total_count is {total}")
    return _Page(owner, total, tuple(map(_listed, entries)))


def _is_short(pages: Sequence[_Page]) -> bool:
    """Return whether an owner's pages lack repositories that their total counts."""
    names = {entry.name for page in pages for entry in page.listed}
    return len(names) < pages[0].total and not any(page.error for page in pages)


def _listed(entry: object) -> Listed:
    archived, fork, private = (bool(fields.field(entry, flag)) for flag in ("archived", "fork", "private"))
    topics = tuple(str(topic) for topic in fields.items(fields.field(entry, "topics")))
    return Listed(fields.repository_name(entry, "full_name"), archived, fork, private, topics)
