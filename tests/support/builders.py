"""Values and builders that many tests share."""

import platform
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.fake_github import OLD, GeneratedTraffic, Repository

ROOT = Path(__file__).parents[2]


CLAIMS = "token.actions.githubusercontent.com"


NOW = datetime(2026, 11, 23, 3, 17, tzinfo=UTC)


TOKEN = "github_pat_invented"


NAME = "octo-lab/lighthouse"


def days(first: date, count: int, number: int = 100) -> dict[date, tuple[int, int]]:
    """Invent `count` days of traffic from `first` on: (number + i, a tenth of it)."""
    return dict(_days(first, count, number))


@cache
def _days(first: date, count: int, number: int) -> dict[date, tuple[int, int]]:
    return {first + timedelta(days=i): (number + i, (number + i) // 10) for i in range(count)}


def repository(name: str = NAME, *, id: int = 7, **changes: Any) -> Repository:  # noqa: A002, ANN401 - the type's own fields
    """Make a repository of the fake that has traffic from 2026-09-01 on."""
    traffic = GeneratedTraffic(days(date(2026, 9, 1), 200), days(date(2026, 9, 1), 200, 20), name=name, form=OLD)
    fields: dict[str, Any] = {"traffic": traffic, "created": date(2026, 2, 2), "stars": 5, "forks": 2, "watchers": 3}
    fields |= changes
    fields.setdefault("starred", {date(2026, 11, 1): fields["stars"]})
    return Repository(id=id, name=name, **fields)


ARCH = "arm64" if platform.machine() == "aarch64" else "x86_64"
"""This machine, as Lambda calls it."""
