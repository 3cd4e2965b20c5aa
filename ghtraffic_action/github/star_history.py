"""The star history of a repository.

Reads the newest weeks first, and older ones only until the sum equals the number of stars.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from ghtraffic_action.github import fields
from ghtraffic_action.github.connection import Request
from ghtraffic_action.github.errors import InvalidResponseError, invalid_response
from ghtraffic_action.github.responses import Response
from ghtraffic_action.traffic.observation import Repository
from ghtraffic_action.traffic.stars import StarHistory, StarYear, split_years

_WEEKS = 30
"""Weeks of a page; GitHub gives no more."""

_DAYS = 7
_VERSION = {"X-GitHub-Api-Version": "2026-03-10"}

Page = tuple[Response, dict[date, int]]
"""A response, and its stars by day, including zeros."""

Send = Callable[[Request[Page]], Page]
"""Sends a request and returns the parsed response."""


def most_pages(repository: Repository) -> int:
    """Return how many pages reach back to the creation."""
    metadata = repository.metadata
    weeks = (metadata.at.date() - metadata.created) // timedelta(weeks=1) + 2  # both ends may cut one
    return max(1, -(-weeks // _WEEKS))


def fetch_star_history(
    send: Send, account: str, repository: Repository, known: Sequence[StarYear], pages: Iterator[int]
) -> StarHistory:
    """Fetch the star history; `known` has the days that the read pages do not list.

    `pages` yields the numbers of the pages that may be read, and keeps those that were not. Raises GitHubApiError.
    """
    older = {day: stars for year in known for day, stars in year.days}
    found: dict[date, int] = {}
    moments: list[datetime] = []
    for number in pages:
        path = f"/repos/{repository.name}/stargazers/history?page={number}&per_page={_WEEKS}"
        response, page = send(Request(account, "GET", path, _read_page, headers=_VERSION))
        moments.append(response.at)
        found |= page
        first = min(found, default=date.max)
        is_last = len(page) < _WEEKS * _DAYS or first <= repository.metadata.created
        older = {} if is_last else {day: stars for day, stars in older.items() if day < first}
        stars = sum(found.values()) + sum(older.values())
        if is_last or stars == repository.metadata.stars:
            break
    if repository.metadata.stars and not stars:
        raise invalid_response(f"it has no star of the repository's {repository.metadata.stars}")
    return StarHistory(moments[0], split_years(older | found, repository.name, moments[0], known))


def _read_page(response: Response) -> Page:
    days: dict[date, int] = {}
    for week in fields.items(response.body):
        # A week begins on a Sunday in Los Angeles, which is the same date in UTC.
        try:
            begin = datetime.fromtimestamp(fields.count(week, "week"), UTC).date()
        except (OverflowError, OSError, ValueError) as error:
            raise InvalidResponseError("the time of a week is invalid") from error
        counts = fields.items(fields.field(week, "days"))
        if len(counts) != _DAYS or any(type(stars) is not int or stars < 0 for stars in counts):
            raise InvalidResponseError("a week has no 7 days")
        if sum(counts) != fields.count(week, "total"):
            raise InvalidResponseError("a week's total is not the sum of its days")
        days |= {begin + timedelta(days=n): stars for n, stars in enumerate(counts)}
    today = response.at.date()
    if any(stars for day, stars in days.items() if day > today):
        raise InvalidResponseError("stars lie in the future")
    return response, days
