"""A fake of GitHub's REST API on loopback.

It has no GraphQL: a run then falls back to REST.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self

from ghtraffic_action.demo.http_server import Request, Response, Server
from ghtraffic_action.demo.star_history import star_weeks
from ghtraffic_action.demo.traffic import Series, Traffic

JSON_TYPE = "application/json; charset=utf-8"
_PATH_FIELDS = ("path", "title", "count", "uniques")
_REFERRER_FIELDS = ("referrer", "count", "uniques")
_LINE = re.compile(
    r"GET /repos/(?P<name>[^/]+/[^/]+)(/traffic/(?P<endpoint>views|clones|popular/paths|popular/referrers)"
    r"|/stargazers/history\?page=(?P<page>\d+)&per_page=(?P<size>\d+))?"
)


@dataclass
class Repository:
    """A repository, which can change while it is served."""

    id: int
    name: str
    traffic: Traffic
    created: date
    pushed: datetime | None = None
    private: bool = False
    archived: bool = False
    stars: int = 0
    forks: int = 0
    watchers: int = 0
    starred: Mapping[date, int] = field(default_factory=dict)
    """Current stars by the day they were given; others were given on the first day."""

    @property
    def owner(self) -> str:
        """The owner's name."""
        return self.name.partition("/")[0]


class LoopbackApi(ABC):
    """An API on loopback with its own clock.

    Args:
        now: the moment of all answers; None is the real time.
        port: where to listen; 0 is any free port.
    """

    def __init__(self, now: datetime | None, port: int) -> None:
        self._now = now
        self._port = port

    def __enter__(self) -> Self:
        self._server = Server(self.serve, self._port)
        self.url = self._server.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    @property
    def now(self) -> datetime:
        """The date of responses, in UTC."""
        return self._now.astimezone(UTC) if self._now else datetime.now(UTC)

    @now.setter
    def now(self, moment: datetime | None) -> None:
        self._now = moment

    @abstractmethod
    def serve(self, request: Request) -> Response | None:
        """Respond to a request; None closes the connection."""


class FakeRestApi(LoopbackApi):
    """GitHub's REST API for some repositories, which can change."""

    def __init__(self, repositories: Iterable[Repository], *, now: datetime | None = None, port: int = 0) -> None:
        super().__init__(now, port)
        self.repositories = list(repositories)

    def serve(self, request: Request) -> Response:
        """Respond to a request."""
        line = _LINE.fullmatch(f"{request.method} {request.path}")
        found = line and next((r for r in self.repositories if r.name.lower() == line["name"].lower()), None)
        body: Any
        if request.path == "/graphql":
            status, body = 403, {"message": "Not served"}  # a 404 would be asked for again, after a pause
        elif not line or not found:
            status, body = 404, {"message": "Not Found"}
        elif endpoint := line["endpoint"]:
            status, body = 200, traffic_body(found.traffic, endpoint, self.now)
        elif line["page"]:
            status, body = 200, star_page(found, self.now, int(line["size"]), int(line["page"]))
        else:
            status, body = 200, description(found)
        headers = {"Date": format_datetime(self.now, usegmt=True), "Content-Type": JSON_TYPE}
        return Response(status, json.dumps(body).encode(), headers)


def traffic_body(traffic: Traffic, endpoint: str, now: datetime) -> Any:  # noqa: ANN401 - JSON
    """Return a traffic response; `endpoint` is `views`, `popular/paths` etc."""
    match endpoint:
        case "views":
            return _series_body(endpoint, traffic.views(now))
        case "clones":
            return _series_body(endpoint, traffic.clones(now))
        case "popular/paths":
            return [dict(zip(_PATH_FIELDS, row, strict=True)) for row in traffic.paths(now)]
        case _:
            return [dict(zip(_REFERRER_FIELDS, row, strict=True)) for row in traffic.referrers(now)]


def star_page(repository: Repository, now: datetime, size: int, page: int) -> list[dict[str, Any]]:
    """Return a page of the star history."""
    chosen = slice((page - 1) * size, page * size)
    return star_weeks(repository.stars, repository.starred, repository.created, now, chosen)


def _series_body(metric: str, series: Series) -> dict[str, Any]:
    rows = [
        {"timestamp": write_midnight(day), "count": count, "uniques": uniques} for day, count, uniques in series.rows
    ]
    return {"count": series.count, "uniques": series.uniques, metric: rows}


def description(repository: Repository) -> dict[str, Any]:
    """Return a repository's description: the fields that a run reads."""
    created = write_midnight(repository.created)
    return {
        "id": repository.id,
        "name": repository.name.partition("/")[2],
        "full_name": repository.name,
        "private": repository.private,
        "visibility": "private" if repository.private else "public",
        "topics": [],
        "archived": repository.archived,
        "created_at": created,
        "pushed_at": write_moment(repository.pushed) if repository.pushed else created,
        "stargazers_count": repository.stars,
        "forks_count": repository.forks,
        "subscribers_count": repository.watchers,
    }


def write_moment(moment: datetime) -> str:
    """Format a datetime as GitHub does: `2026-11-23T03:17:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_midnight(day: date) -> str:
    """Format the start of a day."""
    return f"{day.isoformat()}T00:00:00Z"
