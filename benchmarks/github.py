"""GitHub for a benchmark, in a process of its own: `python -m benchmarks.github`, directed by lines of JSON.

Each line of the standard input has one or more of `url`, the address that a proxy has given it, `now`, the moment that
it believes is now, and `repositories`, each with its `id`, `name`, `first` day and number of `days`.
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.fake_github import OLD, FakeGitHub, GeneratedTraffic, Repository


def invented(id: int, name: str, first: str, days: int) -> Repository:  # noqa: A002 - the name that it has in JSON
    """Invent a repository with `days` days of traffic from `first` on, none of them without views."""
    begins = date.fromisoformat(first)
    ordinals = {begins + timedelta(days=age): begins.toordinal() + age for age in range(days)}
    views = {day: (60 + (id + n * 7) % 45, 20 + (id + n * 3) % 11) for day, n in ordinals.items()}
    clones = {day: (12 + (id + n * 5) % 9, 5 + (id + n) % 4) for day, n in ordinals.items()}
    traffic = GeneratedTraffic(views, clones, name=name, seed=id, form=OLD)
    return Repository(id=id, name=name, traffic=traffic, created=begins, stars=40 + id % 7, forks=3, watchers=5)


def direct(github: FakeGitHub, told: dict[str, Any]) -> None:
    """Do as one line says."""
    if "url" in told:
        github.url = told["url"]
    if "now" in told:
        github.now = datetime.fromisoformat(told["now"])
    if "repositories" in told:
        github.repositories = [invented(**repository) for repository in told["repositories"]]
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
