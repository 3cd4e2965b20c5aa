"""Downloads of all releases of a repository, page by page.

A lookup of the repository lists only the newest releases.
"""

from collections.abc import Callable

from ghtraffic_action.github import fields
from ghtraffic_action.github.connection import Request
from ghtraffic_action.github.responses import Response
from ghtraffic_action.traffic.downloads import Asset, Downloads

_PER_PAGE = 100
_MOST_PAGES = 10
_MOST_ASSETS = 1000
"""Maximum number of stored assets, newest releases first: a DynamoDB item has at most 400 kB."""

Page = tuple[int, tuple[Asset, ...]]
"""How many releases a page has, and their assets."""

Send = Callable[[Request[tuple[Response, Page]]], tuple[Response, Page]]
"""Sends a request and returns the parsed response."""


def fetch_downloads(send: Send, account: str, repository: str) -> Downloads | None:
    """Return the downloads of all release assets, None without assets.

    Raises GitHubApiError.
    """
    assets: list[Asset] = []
    for number in range(1, _MOST_PAGES + 1):
        path = f"/repos/{repository}/releases?page={number}&per_page={_PER_PAGE}"
        response, (releases, found) = send(Request(account, "GET", path, _read_page))
        assets += found
        if releases < _PER_PAGE or len(assets) >= _MOST_ASSETS:
            break
    return Downloads(response.at, tuple(assets[:_MOST_ASSETS])) if assets else None


def _read_page(response: Response) -> tuple[Response, Page]:
    """Read a page of releases; drafts have no downloads."""
    releases = fields.items(response.body)
    published = (release for release in releases if fields.field(release, "published_at"))
    assets = tuple(
        Asset(fields.text(release, "tag_name"), fields.text(asset, "name"), fields.count(asset, "download_count"))
        for release in published
        for asset in fields.items(fields.field(release, "assets"))
    )
    return response, (len(releases), assets)
