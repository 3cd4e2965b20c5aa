"""Recorded answers of GitHub, their largest numbers, and results of other merge rules."""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ghtraffic_action.traffic.model import METRICS, Metric
from tests.simulation.expected import Answer
from tests.support.fake_github import RecordedTraffic

Numbers = tuple[int, int]
"""A count and its uniques."""

Kept = dict[tuple[Metric, date], Numbers]
"""The numbers of each metric and day in a recording or a store."""


@dataclass(frozen=True)
class Line:
    """What GitHub answered at one moment."""

    repository: str
    taken_at: datetime
    numbers: Mapping[Metric, Mapping[date, Numbers]]
    paths: tuple[tuple[str, int, int], ...]
    referrers: tuple[tuple[str, int, int], ...]

    @property
    def traffic(self) -> RecordedTraffic:
        """Return the answers in the fake's form, without titles of paths."""
        rows = {metric: [(day, *numbers) for day, numbers in self.numbers[metric].items()] for metric in METRICS}
        paths = [(path, path, count, uniques) for path, count, uniques in self.paths]
        return RecordedTraffic(rows["views"], rows["clones"], paths, self.referrers)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers for views and clones; their totals are the sums of their rows."""
        return tuple(self._answer(metric) for metric in METRICS)

    def _answer(self, metric: Metric) -> Answer:
        rows = tuple((day, *numbers) for day, numbers in self.numbers[metric].items())
        return Answer(metric, self.taken_at, rows, (sum(row[1] for row in rows), sum(row[2] for row in rows)))


def read(path: Path) -> list[Line]:
    """Read a recording, compressed or not, in its own order."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return [_line(json.loads(line)) for line in text.split("\n") if line.strip()]


def _line(written: Mapping[str, Any]) -> Line:
    """Read a line; an answer that was not recorded is an empty one."""
    return Line(
        repository=written["repo"],
        taken_at=datetime.fromisoformat(written["taken_at"]),
        numbers={
            metric: {date.fromisoformat(day): (count, uniques) for day, count, uniques in written.get(metric, ())}
            for metric in METRICS
        },
        paths=tuple((path, count, uniques) for path, count, uniques in written.get("paths", ())),
        referrers=tuple((referrer, count, uniques) for referrer, count, uniques in written.get("referrers", ())),
    )


def largest(lines: Iterable[Line]) -> Kept:
    """Return each day's largest reported count and uniques."""
    return _kept(lines, lambda old, new: (max(old[0], new[0]), max(old[1], new[1])))


def first(lines: Iterable[Line]) -> Kept:
    """Keep each day as it was first reported."""
    return _kept(lines, lambda old, _: old)


def last(lines: Iterable[Line]) -> Kept:
    """Keep each day as it was last reported."""
    return _kept(lines, lambda _, new: new)


def article(lines: Iterable[Line]) -> Kept:
    """Insert each day's views once, with the clones of that answer, as the article does."""
    kept: Kept = {}
    for line in lines:
        for day, numbers in line.numbers["views"].items():
            if ("views", day) not in kept:
                kept["views", day] = numbers
                kept["clones", day] = line.numbers["clones"].get(day, (0, 0))
    return kept


def _kept(lines: Iterable[Line], join: Callable[[Numbers, Numbers], Numbers]) -> Kept:
    kept: Kept = {}
    for line in lines:
        for metric in METRICS:
            for day, numbers in line.numbers[metric].items():
                kept[metric, day] = join(kept[metric, day], numbers) if (metric, day) in kept else numbers
    return kept


def total(kept: Kept, metric: Metric) -> Numbers:
    """Sum a metric over all days, uniques too, as a checksum."""
    found = [numbers for (of, _), numbers in kept.items() if of == metric]
    return sum(count for count, _ in found), sum(uniques for _, uniques in found)


def lost(kept: Kept, truth: Kept, metric: Metric) -> tuple[float, float]:
    """Return the share of the counts and of the uniques that was not kept."""
    return tuple(  # type: ignore[return-value] # as many as there are numbers
        1 - have / were if were else 0.0 for have, were in zip(total(kept, metric), total(truth, metric), strict=True)
    )
