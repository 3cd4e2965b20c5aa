"""Readers of GitHub's REST responses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ghtraffic_action.github import fields
from ghtraffic_action.github.errors import Caller, InvalidResponseError
from ghtraffic_action.traffic.model import Day, Metadata, Metric, TopPath, TopPaths, TopReferrer, TopReferrers, Totals
from ghtraffic_action.traffic.observation import Repository, Series


@dataclass(frozen=True, slots=True)
class Response:
    """A response: its JSON, date, headers in lower case, caller."""

    body: Any
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = field(default_factory=Caller)


def read_repository(response: Response) -> Repository:
    """Read `GET /repos/{owner}/{name}`, whose issues include pull requests."""
    body = response.body
    name = fields.repository_name(body, "full_name")
    topics = fields.items(body["topics"]) if "topics" in body else None
    metadata = Metadata(
        at=response.at,
        stars=fields.count(body, "stargazers_count"),
        forks=fields.count(body, "forks_count"),
        watchers=fields.count(body, "subscribers_count"),
        open_issues=None,
        open_pull_requests=None,
        archived=bool(fields.field(body, "archived")),
        created=fields.moment(body, "created_at").date(),
        private=bool(fields.field(body, "private")),
        topics=" ".join(sorted(topic for topic in topics if isinstance(topic, str))) if topics is not None else None,
        visibility=fields.text(body, "visibility") if "visibility" in body else None,
    )
    return Repository(
        id=fields.count(body, "id"),
        name=name,
        private=bool(fields.field(body, "private")),
        pushed=fields.moment(body, "pushed_at") if fields.field(body, "pushed_at") else None,
        metadata=metadata,
    )


def read_series(response: Response, metric: Metric, repository: str) -> Series:
    """Read views or clones; days without traffic and today can be missing."""
    body = response.body
    rows = fields.items(fields.field(body, metric))
    totals = Totals(response.at, fields.count(body, "count"), fields.count(body, "uniques"))
    return Series(totals, tuple(_day(row, metric, repository, response.at.date()) for row in rows))


def read_paths(response: Response) -> TopPaths:
    """Read the ten most viewed paths."""
    return TopPaths(
        response.at,
        tuple(
            TopPath(
                fields.text(row, "path"),
                fields.text(row, "title"),
                fields.count(row, "count"),
                fields.count(row, "uniques"),
            )
            for row in fields.items(response.body)
        ),
    )


def read_referrers(response: Response) -> TopReferrers:
    """Read the ten referrers that sent most views."""
    return TopReferrers(
        response.at,
        tuple(
            TopReferrer(fields.text(row, "referrer"), fields.count(row, "count"), fields.count(row, "uniques"))
            for row in fields.items(response.body)
        ),
    )


def _day(row: Any, metric: Metric, repository: str, today: date) -> Day:  # noqa: ANN401 - JSON
    day = fields.moment(row, "timestamp").date()
    if day > today:
        raise InvalidResponseError(f"{day} is in the future")
    count, uniques = fields.count(row, "count"), fields.count(row, "uniques")
    if metric == "views":
        return Day(day, repository, views=count, view_uniques=uniques)
    return Day(day, repository, clones=count, clone_uniques=uniques)
