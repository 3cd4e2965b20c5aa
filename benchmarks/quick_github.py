"""A fast fake of GitHub for fleets: `python -m benchmarks.quick_github JSON`."""

import asyncio
import json
import re
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

from benchmarks.quick_server import QuickServer, Reply

_INSTALLED_PAGE = re.compile(r"GET /installation/repositories\?page=(\d+)&per_page=(\d+)")
_REPOSITORY = re.compile(r"GET /repos/([^/]+)/boat-(\d+)/traffic/(?:popular/)?(\w+)")
_METADATA = re.compile(r"GET /repos/([^/]+)/(boat-(\d+))$")
_MINUTE = 60.0
CREATED = date(2015, 2, 1)
"""The day on which all boats were made."""

_STARS = 5
_FORKS = 2
_WEEK = int(datetime(2020, 2, 2, 8, tzinfo=UTC).timestamp())
"""The only week with stars: it begins on a Sunday in Los Angeles."""


def visits(number: int, day: date) -> int:
    """Return a repository's views of a day, equal to its clones, with one unique."""
    return day.day + number % 7 + 1


class QuickGitHub(QuickServer):
    """A fake of GitHub.

    `delay` is in ms, `idle` the part of repositories without views, `tops` the rows of paths and referrers, `limit` the
    requests an hour, `seconds` the response time a minute.

    An App is installed at `owners`, each of whom has so many boats.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - independent settings
        self,
        delay: float,
        idle: float,
        tops: int,
        limit: int,
        seconds: float,
        owners: Sequence[str] = (),
        each: int = 0,
    ) -> None:
        self.delay, self.idle, self.tops, self.limit, self.seconds = delay / 1000, idle, tops, limit, seconds
        self.owners, self.each = owners, each
        self.ahead = timedelta()
        self.failing = ""
        self.begin()

    def begin(self) -> None:
        """Reset the counts."""
        self.remaining: dict[str, int] = {}
        self.starts: dict[str, list[float]] = {}
        self.spent: deque[tuple[float, float]] = deque()
        self.refused: dict[str, int] = {}
        self.asked: dict[str, int] = {}
        self.most = self.flying = 0
        self.passed: list[tuple[bool, float, float]] = []

    def directed(self, text: str) -> str:
        """Apply a line of JSON (clock, failing repository); return the counts since the last."""
        starts = {owner: list(moments) for owner, moments in self.starts.items()}
        every = sorted(moment for moments in starts.values() for moment in moments)
        counted = {
            "requests": len(every),
            "span": round(every[-1] - every[0], 1) if every else 0,
            "in a minute": max((self._most(moments) for moments in starts.values()), default=0),
            "in flight": self.most,
            "refused": dict(self.refused),
            "halves": sum(number not in (2, 4) for number in self.asked.values()),
            "begun": len(self.asked),
            "queries": sum(query for query, _, _ in self.passed),
            "seconds": self._seconds(self.passed),
            "calls": self._seconds([request for request in self.passed if not request[0]]),
        }
        direction = json.loads(text)
        if "now" in direction:
            self.ahead = datetime.fromisoformat(direction["now"]) - datetime.now(UTC)
        self.ahead += timedelta(days=direction.get("days", 0))
        self.failing = direction.get("failing", self.failing)
        self.begin()
        return json.dumps(counted)

    @staticmethod
    def _seconds(passed: list[tuple[bool, float, float]]) -> float:
        """Return the seconds from the first request to the last answer."""
        return max((ends for _, _, ends in passed), default=0.0) - min((begins for _, begins, _ in passed), default=0.0)

    @staticmethod
    def _most(moments: list[float]) -> int:
        moments.sort()
        most = first = 0
        for last, moment in enumerate(moments):
            while moments[first] <= moment - _MINUTE:
                first += 1
            most = max(most, last - first + 1)
        return most

    async def reply(self, line: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer after the delay, unless a limit is reached."""
        token = headers.get("authorization", "").rpartition(" ")[2][-12:]
        now = time.monotonic()
        self.starts.setdefault(token, []).append(now)
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(self.delay)
        self.flying -= 1
        graphql = line.startswith("POST /graphql")
        self.passed.append((graphql, now, time.monotonic()))
        refused = "" if graphql or "rate_limit" in line or "/installation" in line else self._spend(token, now)
        when = datetime.now(UTC) + self.ahead
        answered = {
            "Date": format_datetime(when, usegmt=True),
            "Content-Type": "application/json",
            "X-RateLimit-Remaining": str(self.remaining.get(token, self.limit)),
            "X-RateLimit-Reset": str(int(when.timestamp()) + 3_000),
        }
        if refused:
            self.refused[refused] = self.refused.get(refused, 0) + 1
            more = {"Retry-After": "60"} if refused == "secondary" else {}
            text = "You have exceeded a secondary rate limit." if more else "API rate limit exceeded"
            return 403, answered | more, json.dumps({"message": text}).encode()
        self.spent.append((time.monotonic(), time.monotonic() - now))
        if self.failing and f"/repos/{self.failing}/" in line:
            return 500, answered, b"{}"
        return 200, answered, json.dumps(self._answer(line, body, when, token)).encode()

    def _spend(self, token: str, now: float) -> str:
        while self.spent and self.spent[0][0] <= now - _MINUTE:
            self.spent.popleft()
        if self.seconds and sum(seconds for _, seconds in self.spent) > self.seconds:
            return "secondary"
        left = self.remaining.get(token, self.limit)
        self.remaining[token] = max(0, left - 1)
        return "" if left else "primary"

    def _answer(self, line: str, body: bytes, when: datetime, token: str) -> object:
        if found := _REPOSITORY.match(line):
            self.asked[found[2]] = self.asked.get(found[2], 0) + 1
            return self._traffic(int(found[2]), found[3], when)
        if line.startswith("POST /graphql"):
            return {"data": self._lookup(json.loads(body)["variables"])}
        if found := _METADATA.match(line):
            owner, name, number = found.groups()
            named = {"id": int(number), "name": name, "full_name": f"{owner}/{name}", "owner": {"login": owner}}
            counted = {"stargazers_count": _STARS, "forks_count": _FORKS}
            return named | counted | {"url": f"{self.url}/repos/{owner}/{name}"}
        if "/stargazers/history" in line:
            return [{"week": _WEEK, "days": [_STARS, 0, 0, 0, 0, 0, 0], "total": _STARS}]
        return self._answer_app(line, token)

    def _answer_app(self, line: str, token: str) -> object:
        if "/access_tokens" in line:
            return {"token": f"ghs_{line.split('/')[3]:0>12}", "expires_at": "2099-01-01T00:00:00Z"}
        if line.endswith("/installation"):
            owner = line.split("/")[2]
            number = self.owners.index(owner) + 1 if owner in self.owners else sum(line.encode())
            return {"id": number, "account": {"login": owner}}
        if line.startswith("GET /app/installations"):
            return [{"id": at, "account": {"login": owner}} for at, owner in enumerate(self.owners, 1)]
        if page := _INSTALLED_PAGE.match(line):
            return self._installed(int(token) - 1, int(page[1]), int(page[2]))
        return {}

    def _installed(self, at: int, page: int, size: int) -> object:
        numbers = range(at * self.each + 1 + (page - 1) * size, at * self.each + 1 + min(page * size, self.each))
        flags: dict[str, object] = {"archived": False, "fork": False, "private": False, "topics": []}
        boats = [{"full_name": f"{self.owners[at]}/boat-{number}"} | flags for number in numbers]
        return {"total_count": self.each, "repositories": boats}

    @staticmethod
    def _lookup(variables: Mapping[str, str]) -> dict[str, object]:
        count = {"totalCount": 1}
        common: dict[str, object] = {
            "stargazerCount": _STARS,
            "forkCount": _FORKS,
            "isArchived": False,
            "isPrivate": False,
        }
        common |= {"createdAt": f"{CREATED}T00:00:00Z", "pushedAt": "2026-01-01T00:00:00Z"}
        common |= {"visibility": "PUBLIC", "repositoryTopics": {"nodes": [{"topic": {"name": "ospo"}}]}}
        common |= {"watchers": count, "issues": count, "pullRequests": count}
        numbers = [name[1:] for name in variables if name.startswith("n")]
        names = {at: f"{variables['o' + at]}/{variables['n' + at]}" for at in numbers}
        return {
            f"r{at}": common | {"databaseId": int(name.rpartition("-")[2]), "nameWithOwner": name}
            for at, name in names.items()
        }

    def _traffic(self, number: int, part: str, when: datetime) -> object:
        silent = number % 100 < self.idle * 100
        if part in ("paths", "referrers"):
            name = {"paths": "path", "referrers": "referrer"}[part]
            row = {"title": "A page", "count": 9, "uniques": 3}
            return [] if silent else [row | {name: f"/octo-lab/page-{at}"} for at in range(self.tops)]
        days = [when.date() - timedelta(days=age) for age in range(14, 0, -1)]
        rows = [{"timestamp": f"{day}T00:00:00Z", "count": visits(number, day), "uniques": 1} for day in days]
        rows = [] if silent and part == "views" else rows
        total = sum(visits(number, day) for day in days) if rows else 0
        return {"count": total, "uniques": 9 if rows else 0, part: rows}


if __name__ == "__main__":
    QuickGitHub(**json.loads(sys.argv[1])).run()
