"""GitHub for a benchmark, in a process of its own: `python -m benchmarks.github`, directed by lines of JSON.

Each line of the standard input has one or more of `url`, the address of a proxy in front of it, `now`, the time of its
clock, and `repositories`, each with its `id`, `name`, `first` day and number of `days`.
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.fake_github import OLD, FakeGitHub, GeneratedTraffic, Repository


def invented(id: int, name: str, first: str, days: int) -> Repository:  # noqa: A002 - the name that it has in JSON
    """Make a repository with `days` days of traffic from `first` on, each with views."""
    begins = date.fromisoformat(first)
    ordinals = {begins + timedelta(days=age): begins.toordinal() + age for age in range(days)}
    views = {day: (60 + (id + n * 7) % 45, 20 + (id + n * 3) % 11) for day, n in ordinals.items()}
    clones = {day: (12 + (id + n * 5) % 9, 5 + (id + n) % 4) for day, n in ordinals.items()}
    traffic = GeneratedTraffic(views, clones, name=name, seed=id, form=OLD)
    return Repository(id=id, name=name, traffic=traffic, created=begins, stars=40 + id % 7, forks=3, watchers=5)


def direct(github: FakeGitHub, line: dict[str, Any]) -> None:
    """Apply one line."""
    if "url" in line:
        github.url = line["url"]
    if "now" in line:
        github.now = datetime.fromisoformat(line["now"])
    if "repositories" in line:
        github.repositories = [invented(**repository) for repository in line["repositories"]]
    github.remaining = github.remaining_graphql = github.limit
    github.requests.clear()


def main() -> None:
    """Serve until the standard input ends."""
    with FakeGitHub(now=datetime.now(UTC), limit=1_000_000) as github:
        print(github.url, flush=True)
        for line in sys.stdin:
            direct(github, json.loads(line))
            print("{}", flush=True)


if __name__ == "__main__":
    main()
