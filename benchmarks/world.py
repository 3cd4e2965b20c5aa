"""The world of a benchmark: GitHub and AWS with latency, and the two programs, warm or as whole processes."""

import json
import os
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.request import urlopen

import boto3

from benchmarks.processes import Service, environment

GITHUB_AWAY = 80
"""Latency of GitHub in milliseconds."""

AWS_AWAY = 8
"""Latency of AWS in milliseconds."""

Program = Literal["ours", "article"]
How = Literal["warm", "whole"]
HOWS: tuple[How, ...] = ("warm", "whole")
KEYS = {"ours": ("pk", "sk"), "article": ("timestamp",)}
COMMANDS = {"ours": ["-m", "ghtraffic_action", "collect"], "article": ["-m", "benchmarks.article"]}
QUERY = "POST /graphql"
TOKEN = "github_pat_invented"  # noqa: S105 - the stand-in takes any


@dataclass(frozen=True)
class Passed:
    """The requests that passed one proxy: their names, seconds from the first start to the last response, most at once.

    `calls` are the seconds of the parallel ones: all but the GraphQL queries that they wait for.
    """

    requests: tuple[str, ...]
    seconds: float
    calls: float
    most_in_flight: int


@dataclass(frozen=True)
class Sample:
    """One measurement: seconds of each run, peak memory of whole processes, and the requests."""

    runs: tuple[float, ...]
    peak: float
    github: Passed
    aws: Passed

    @property
    def seconds(self) -> float:
        """All runs together."""
        return sum(self.runs)

    def dynamodb(self) -> Counter[str]:
        """Count the requests of DynamoDB by operation."""
        return Counter(name for name in self.aws.requests if " " not in name)

    def s3(self) -> Counter[str]:
        """Count the requests of S3 by method."""
        return Counter(name.partition(" ")[0] for name in self.aws.requests if " " in name)


@dataclass(frozen=True)
class World:
    """All processes; `dynamodb` and `s3` reach AWS without the latency."""

    github: Service
    github_proxy: Service
    aws: Service
    aws_proxy: Service
    warm: dict[str, Service]
    launcher: Service
    dynamodb: Any
    s3: Any

    def place(self, program: Program) -> str:
        """Make a fresh table and a bucket of the same name."""
        name = f"traffic-{uuid.uuid4().hex[:12]}"
        keys = KEYS[program]
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip(keys, ("HASH", "RANGE"), strict=False)],
        )
        self.s3.create_bucket(Bucket=name)
        return name

    def at(self, moment: datetime) -> None:
        """Set GitHub's clock."""
        self.github.send(now=moment.isoformat())

    def run(self, program: Program, how: How, places: Sequence[str], repositories: Sequence[str]) -> Sample:
        """Run a program: ours once for all repositories in one place, the article's for each in a place of its own."""
        environs = self._ours(places[0], repositories) if program == "ours" else self._article(places, repositories)
        for proxy in (self.github_proxy, self.aws_proxy):
            _passed(proxy)
        peak = float("nan")
        if how == "warm":
            runs = self.warm[program].send(program=program, environs=environs)["seconds"]
        else:
            spent = [self.launcher.send(command=COMMANDS[program], environ=environ) for environ in environs]
            runs, peak = [each["seconds"] for each in spent], max(each["peak"] for each in spent)
        return Sample(tuple(runs), peak, _passed(self.github_proxy), _passed(self.aws_proxy))

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
        away = {"GITHUB_API_URL": self.github_proxy.url, "AWS_ENDPOINT_URL": self.aws_proxy.url}
        return environment(**away, **variables)


@contextmanager
def world(emulator: str) -> Iterator[World]:
    """Start everything; it ends with the block. This process reaches AWS itself, from its environment."""
    with ExitStack() as running:

        def start(module: str, *arguments: str) -> Service:
            return running.enter_context(Service(module, *arguments))

        def away(service: Service, milliseconds: int) -> Service:
            address = re.sub("^http://", "", service.url)
            return start("delay", "--to", address, "--milliseconds", str(milliseconds))

        github, aws = start("github"), start("aws", emulator)
        github_proxy, aws_proxy = away(github, GITHUB_AWAY), away(aws, AWS_AWAY)
        github.send(url=github_proxy.url)
        here = environment(AWS_ENDPOINT_URL=aws.url)
        os.environ.clear()
        os.environ.update(here)
        yield World(
            github=github,
            github_proxy=github_proxy,
            aws=aws,
            aws_proxy=aws_proxy,
            warm={program: start("program") for program in COMMANDS},
            launcher=start("launcher"),
            dynamodb=boto3.client("dynamodb"),
            s3=boto3.client("s3"),
        )


def _passed(proxy: Service) -> Passed:
    """Return what has passed a proxy since the last call."""
    with urlopen(f"{proxy.url}/__delay__") as answer:  # noqa: S310 - an address of our own
        passed = json.load(answer)
    requests = [(name, begins, ends) for name, begins, ends in passed["requests"]]
    calls = [request for request in requests if request[0] != QUERY]
    names = tuple(name for name, _, _ in requests)
    return Passed(names, _span(requests), _span(calls), passed["most_in_flight"])


def _span(requests: Sequence[tuple[str, float, float]]) -> float:
    """Measure from the first request to the last answer."""
    return max((ends for _, _, ends in requests), default=0.0) - min((begins for _, begins, _ in requests), default=0.0)
