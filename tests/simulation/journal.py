"""The record of what GitHub answered, about what and when, which the invariants compare with."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.fake_github import Repository, newest_releases

from .expected import METRICS, Answer, Metric

Group = tuple[int, str, datetime]
"""A repository's id, what was asked (a snapshot's group), and the moment of the answer."""
Number = tuple[int, str, date]
"""A repository's id, the name of a number (`views`, `view_uniques`, …) and its day."""

_TRAFFIC = re.compile(r"/(?:repos/(?P<name>[^/]+/[^/]+)|repositories/(?P<id>\d+))/traffic/(?:popular/)?(?P<what>\w+)")
_RELEASES = re.compile(r"/repos/(?P<name>[^/]+/[^/]+)/releases\?.*")
_STARS = re.compile(r"/repos/(?P<name>[^/]+/[^/]+)/stargazers/history\?page=(?P<page>\d+)&.*")
_DESCRIBED = 10
"""Releases that GraphQL lists: of a repository with more of them a run asks for a page."""
_RUNS = re.compile(r"/repos/(?P<name>[^/]+/[^/]+)/actions/runs\?created=(?P<day>[\d-]+)&per_page=1")
_UNIQUES = {"views": "view_uniques", "clones": "clone_uniques"}


@dataclass(frozen=True)
class Other:
    """An answer about something other than views or clones: its rows, or the stars and forks of the metadata."""

    totals: tuple[int, int] = (0, 0)
    rows: tuple[tuple[Any, ...], ...] = ()


@dataclass
class Journal:
    """All that GitHub has answered so far; `possible` are the numbers that may be kept."""

    possible: dict[Number, set[int]] = field(default_factory=dict)
    answers: dict[Group, Other] = field(default_factory=dict)
    traffic: dict[Group, Answer] = field(default_factory=dict)
    created: dict[int, date] = field(default_factory=dict)
    runs: dict[tuple[int, date], set[int]] = field(default_factory=dict)
    """How many workflow runs GitHub has answered that there were on a day."""
    stars: dict[tuple[int, date], set[int]] = field(default_factory=dict)

    def note(self, path: str, body: bytes, at: datetime, repositories: list[Repository]) -> list[Group]:
        """Record an answer that GitHub gave; return what it was about."""
        at = at.replace(microsecond=0)
        if paged := _RELEASES.fullmatch(path):
            found = next(r for r in repositories if r.name == paged["name"])
            return self._note_downloads(found, at)
        if counted := _RUNS.fullmatch(path):
            found = next(r for r in repositories if r.name == counted["name"])
            place = found.id, date.fromisoformat(counted["day"])
            self.runs.setdefault(place, set()).add(json.loads(body)["total_count"])
            return []
        if paged := _STARS.fullmatch(path):
            found = next(r for r in repositories if r.name == paged["name"])
            self._note_stars(found.id, json.loads(body))
            self.answers[found.id, "star_history", at] = Other()
            return []
        asked = _TRAFFIC.fullmatch(path)
        if asked is None:  # the GraphQL list of an owner's names has no metadata
            described = path != "/graphql" or b"databaseId" in body
            return self._note_metadata(at, repositories, graphql=path == "/graphql") if described else []
        found = next(r for r in repositories if r.name == asked["name"] or str(r.id) == asked["id"])
        group = (found.id, asked["what"], at)
        answered = json.loads(body)
        if asked["what"] not in METRICS:
            self.answers[group] = Other(rows=tuple(tuple(row.values()) for row in answered))
        for metric in METRICS:
            if metric == asked["what"]:
                self._note_traffic(group, metric, answered)
        return [group]

    def _note_metadata(self, at: datetime, repositories: list[Repository], *, graphql: bool) -> list[Group]:
        """Record the metadata, and with GraphQL the downloads of the releases that it lists."""
        groups = []
        for found in repositories:
            self.created[found.id] = found.created
            self.answers[found.id, "metadata", at] = Other((found.stars, found.forks))
            groups.append((found.id, "metadata", at))
            # The history of one without stars is not asked for, and one that is refused has no answer.
            self.answers[found.id, "star_history", at] = Other()
            if graphql and len(found.releases) <= _DESCRIBED:
                groups += self._note_downloads(found, at)
        return groups

    def _note_stars(self, number: int, weeks: list[dict[str, Any]]) -> None:
        """Record how many stars of each day are still given, by GitHub's answer."""
        for week in weeks:
            first = datetime.fromtimestamp(week["week"], UTC).date()
            for place, stars in enumerate(week["days"]):
                self.stars.setdefault((number, first + timedelta(days=place)), set()).add(stars)

    def _note_downloads(self, found: Repository, at: datetime) -> list[Group]:
        rows = tuple((r.tag, name, count) for r in newest_releases(found) for name, count in r.assets)
        if not rows:
            return []
        self.answers[found.id, "downloads", at] = Other(rows=rows)
        return [(found.id, "downloads", at)]

    def _note_traffic(self, group: Group, metric: Metric, answered: Any) -> None:  # noqa: ANN401 - JSON
        rows = tuple(
            (date.fromisoformat(row["timestamp"][:10]), row["count"], row["uniques"]) for row in answered[metric]
        )
        self.traffic[group] = Answer(metric, group[2], rows, (answered["count"], answered["uniques"]))
        for number, value in self.numbers(group).items():
            self.possible.setdefault(number, set()).add(value)

    def numbers(self, group: Group) -> Mapping[Number, int]:
        """Return the numbers by day that are kept of an answer; only views and clones have any."""
        repository_id, metric, _ = group
        if group not in self.traffic:
            return {}
        numbers = {}
        for day, count, uniques in self.traffic[group].kept_rows(self.created[repository_id]):
            numbers[repository_id, metric, day] = count
            numbers[repository_id, _UNIQUES[metric], day] = uniques
        return numbers
