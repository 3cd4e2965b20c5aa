"""The fakes with latency, and the two programs, warm or as whole processes."""

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import boto3

from benchmarks.processes import Service, environment

GITHUB_AWAY = 80
"""Latency of GitHub in milliseconds."""

AWS_AWAY = 8
"""Latency of AWS in milliseconds."""

Program = Literal["ours", "article"]
How = Literal["warm", "whole"]
HOWS: tuple[How, ...] = ("warm", "whole")
COMMANDS = {"ours": ["-m", "ghtraffic_action", "collect"], "article": ["-m", "benchmarks.article"]}
TOKEN = "github_pat_invented"  # noqa: S105 - the fake accepts any
_METHODS = ("GET", "PUT", "HEAD")


@dataclass(frozen=True)
class Sample:
    """Wall seconds per run, total CPU seconds, peak memory, and requests.

    `github` and `aws` are what the fakes counted.
    """

    runs: tuple[float, ...]
    cpu: float
    peak: float
    github: Mapping[str, Any]
    aws: Mapping[str, int]

    @property
    def seconds(self) -> float:
        """The seconds of all runs together."""
        return sum(self.runs)

    def dynamodb(self) -> Counter[str]:
        """Count the requests of DynamoDB by operation."""
        return Counter({name: count for name, count in self.aws.items() if name not in _METHODS})

    def s3(self) -> Counter[str]:
        """Count the requests of S3 by method."""
        return Counter({name: count for name, count in self.aws.items() if name in _METHODS})


@dataclass(frozen=True)
class World:
    """All processes, and a client of the fake DynamoDB."""

    github: Service
    aws: Service
    warm: dict[str, Service]
    launcher: Service
    dynamodb: Any

    @staticmethod
    def place() -> str:
        """Return a new name for a table and a bucket."""
        return f"traffic-{uuid.uuid4().hex[:12]}"

    def at(self, moment: datetime) -> None:
        """Set GitHub's clock."""
        self.github.send(now=moment.isoformat())

    def run(self, program: Program, how: How, places: Sequence[str], repositories: Sequence[str]) -> Sample:
        """Run our program once for all repositories, or the article's for each."""
        environs = self._ours(places[0], repositories) if program == "ours" else self._article(places, repositories)
        for fake in (self.github, self.aws):
            fake.send()
        peak = float("nan")
        if how == "warm":
            spent = self.warm[program].send(program=program, environs=environs)
            runs, cpu = spent["seconds"], spent["cpu"]
        else:
            each = [self.launcher.send(command=COMMANDS[program], environ=environ) for environ in environs]
            runs, cpu = [one["seconds"] for one in each], sum(one["cpu"] for one in each)
            peak = max(one["peak"] for one in each)
        return Sample(tuple(runs), cpu, peak, self.github.send(), self.aws.send())

    def _ours(self, place: str, repositories: Sequence[str]) -> list[dict[str, str]]:
        return [
            self._environment(
                GHTRAFFIC_GITHUB_TOKEN=TOKEN,
                GHTRAFFIC_REPOSITORIES=" ".join(repositories),
                GHTRAFFIC_STORE=f"dynamodb://{place}",
                GHTRAFFIC_EXPORT_TO=f"s3://{place}/traffic",
            )
        ]

    def _article(self, places: Sequence[str], repositories: Sequence[str]) -> list[dict[str, str]]:
        return [
            self._environment(
                ARTICLE_TOKEN=TOKEN,
                ARTICLE_REPOSITORY=repository,
                ARTICLE_TABLE=place,
                ARTICLE_BUCKET=place,
                ARTICLE_PREFIX="traffic",
            )
            for place, repository in zip(places, repositories, strict=True)
        ]

    def _environment(self, **variables: str) -> dict[str, str]:
        return environment(GITHUB_API_URL=self.github.url, AWS_ENDPOINT_URL=self.aws.url, **variables)


@contextmanager
def world() -> Iterator[World]:
    """Start everything until the end of the block. This process reaches AWS too, by its environment."""
    settings = {"delay": GITHUB_AWAY, "idle": 0, "tops": 2, "limit": 1_000_000, "seconds": 0}
    with ExitStack() as running:

        def start(module: str, *arguments: str) -> Service:
            return running.enter_context(Service(module, *arguments))

        github, aws = start("quick_github", json.dumps(settings)), start("quick_aws", str(AWS_AWAY))
        here = environment(AWS_ENDPOINT_URL=aws.url)
        os.environ.clear()
        os.environ.update(here)
        yield World(
            github=github,
            aws=aws,
            warm={program: start("program") for program in COMMANDS},
            launcher=start("launcher"),
            dynamodb=boto3.client("dynamodb"),
        )
