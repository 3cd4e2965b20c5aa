"""What GitHub said, of what and when, and which of it reached whom: what the laws are judged by."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.support.fake_github import Repository

Group = tuple[int, str, datetime]
"""A repository's id, what was asked (a snapshot's group), and the moment of the answer."""
Number = tuple[int, str, date]
"""A repository's id, the name of a number (`views`, `view_uniques`, …) and its day."""

_TRAFFIC = re.compile(r"/(?:repos/(?P<name>[^/]+/[^/]+)|repositories/(?P<id>\d+))/traffic/(?:popular/)?(?P<what>\w+)")
_UNIQUES = {"views": "view_uniques", "clones": "clone_uniques"}


@dataclass(frozen=True)
class Heard:
    """One answer: its totals, its rows (of views and clones by day, of the others as listed), or the metadata."""

    totals: tuple[int, int] = (0, 0)
    rows: tuple[tuple[Any, ...], ...] = ()


@dataclass
class Ledger:
    """All that GitHub has said so far."""

    said: dict[Number, set[int]] = field(default_factory=dict)
    answers: dict[Group, Heard] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)

    def note(self, path: str, body: bytes, at: datetime, repositories: list[Repository]) -> list[Group]:
        """Note an answer that GitHub gave; return what it was about."""
        at = at.replace(microsecond=0)
        asked = _TRAFFIC.fullmatch(path)
        if asked is None:  # of GraphQL, the list of an owner's names says nothing else
            described = path != "/graphql" or b"databaseId" in body
            return self._note_metadata(at, repositories) if described else []
        found = next(r for r in repositories if r.name == asked["name"] or str(r.id) == asked["id"])
        group = (found.id, asked["what"], at)
        self.answers[group] = self._traffic(found.id, asked["what"], json.loads(body))
        return [group]

    def _note_metadata(self, at: datetime, repositories: list[Repository]) -> list[Group]:
        groups = []
        for found in repositories:
            self.ids.add(found.id)
            self.answers[found.id, "metadata", at] = Heard((found.stars, found.forks))
            groups.append((found.id, "metadata", at))
        return groups

    def _traffic(self, repository_id: int, what: str, body: Any) -> Heard:  # noqa: ANN401 - JSON
        if what not in _UNIQUES:
            return Heard(rows=tuple(tuple(row.values()) for row in body))
        rows = tuple((date.fromisoformat(row["timestamp"][:10]), row["count"], row["uniques"]) for row in body[what])
        for day, count, uniques in rows:
            self.said.setdefault((repository_id, what, day), set()).add(count)
            self.said.setdefault((repository_id, _UNIQUES[what], day), set()).add(uniques)
        return Heard((body["count"], body["uniques"]), rows)

    def numbers(self, group: Group) -> Mapping[Number, int]:
        """Give the numbers by day of an answer for views or clones; of others there are none."""
        repository_id, what, _ = group
        if what not in _UNIQUES:
            return {}
        numbers = {}
        for day, count, uniques in self.answers[group].rows:
            numbers[repository_id, what, day] = count
            numbers[repository_id, _UNIQUES[what], day] = uniques
        return numbers
