"""The list of all repositories that an App can read."""

from collections.abc import Callable, Iterable
from functools import partial

from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github import fields
from ghtraffic_action.github.connection import Connection, Request
from ghtraffic_action.github.errors import GitHubApiError, InvalidResponseError
from ghtraffic_action.github.responses import Response
from ghtraffic_action.github.selection import Listed

_PAGE = 100
_MOST = 1_000_000
"""More repositories of an installation are implausible."""
_Page = tuple[int, tuple[Listed, ...]]
Run = Callable[[Callable[[tuple[str, int]], _Page], Iterable[tuple[str, int]]], list[_Page]]
"""Calls a function for each page, in parallel."""


class ListingError(GitHubError):
    """An incomplete list, with the repositories `found` before the error."""

    def __init__(self, text: str, found: tuple[Listed, ...] = (), *, transient: bool = False, remedy: str = "") -> None:
        super().__init__(text, transient=transient, remedy=remedy)
        self.found = found


def installed(connection: Connection, run: Run) -> tuple[Listed, ...]:
    """List the repositories of all installations in parallel. Raises ListingError."""
    try:
        owners = connection.installations()
        page = partial(_read_page, connection)
        first = dict(zip(owners, run(page, [(owner, 1) for owner in owners]), strict=True))
        more = [(owner, at) for owner, (total, _) in first.items() for at in range(2, -(-total // _PAGE) + 1)]
        pages = [*first.values(), *run(page, more)]
    except GitHubApiError as error:
        raise ListingError(f"installed: {error}", transient=error.transient, remedy=error.remedy) from error
    return tuple(listed for _, entries in pages for listed in entries)


def _read_page(connection: Connection, place: tuple[str, int]) -> _Page:
    owner, page = place
    path = f"/installation/repositories?page={page}&per_page={_PAGE}"
    return connection.send(Request(owner, "GET", path, _read))


def _read(response: Response) -> _Page:
    entries = fields.items(fields.field(response.body, "repositories"))
    total = fields.count(response.body, "total_count")
    if total > _MOST:
        raise InvalidResponseError(f"total_count is {total}")
    return total, tuple(map(_listed, entries))


def _listed(entry: object) -> Listed:
    archived, fork, private = (bool(fields.field(entry, flag)) for flag in ("archived", "fork", "private"))
    topics = tuple(str(topic) for topic in fields.items(fields.field(entry, "topics")))
    return Listed(fields.repository_name(entry, "full_name"), archived, fork, private, topics)
