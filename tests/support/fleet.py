"""A fleet of four credentials: a GitHub App at three owners, and the token of a fourth."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.builders import TOKEN, days
from tests.support.fake_github import WHOLE, FakeGitHub, GeneratedTraffic, Repository
from tests.support.keys import app_key

INSTALLED = ("deep-sea", "high-tide", "octo-lab")
BY_TOKEN = "north-bay"
BATCHES = ("1-deep-sea", "1-high-tide", "1-octo-lab", "2-token")
"""The names of the batches of a run."""

FOLDER = "/ghtraffic/fleet"
CREDENTIALS: list[dict[str, str]] = [
    {"repositories": "installed", "github-app": "12", "github-app-key": f"ssm:{FOLDER}/app-key"},
    {"repositories": f"{BY_TOKEN}/*", "github-token": f"ssm:{FOLDER}/token"},
]


def put_secrets(ssm: Any) -> None:  # noqa: ANN401 - a client of the SDK's
    """Store the App's key and the token at the credentials' addresses."""
    for name, value in (("app-key", app_key()), ("token", TOKEN)):
        ssm.put_parameter(Name=f"{FOLDER}/{name}", Value=value, Type="SecureString")


def event_of_list(run: str, credentials: object = CREDENTIALS) -> dict[str, str]:
    """Make the event of a run's first step."""
    return {"step": "list", "run": run, "credentials": json.dumps(credentials)}


@contextmanager
def fleet_github(each: int) -> Iterator[FakeGitHub]:
    """Serve GitHub, at the real time, with so many repositories of each owner."""
    owners = (*INSTALLED, BY_TOKEN)
    repositories = [_repository(owner, at * 1000 + number) for at, owner in enumerate(owners) for number in range(each)]
    with FakeGitHub(repositories, token=TOKEN, installed=INSTALLED) as github:
        yield github


def _repository(owner: str, number: int) -> Repository:
    now = datetime.now(UTC)
    counts = days((now - timedelta(days=40)).date(), 60, 100 + number % 7)
    traffic = GeneratedTraffic(counts, counts, name=f"{owner}/boat-{number}", form=WHOLE)
    created = (now - timedelta(days=900)).date()
    return Repository(id=1 + number, name=f"{owner}/boat-{number}", traffic=traffic, created=created)
