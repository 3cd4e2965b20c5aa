"""The algorithm of the article that this project grew out of, rewritten as a baseline.

One repository, one table. Each run sends four requests to GitHub at PyGithub's own pace, looks up each day of the
views and puts it if it is missing, reads the whole table and uploads it as CSV. A stored day is never changed.
"""

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from github import Auth, Github

DAYS = ("timestamp", "clones", "views", "stars", "forks")
PATHS = ("path", "views")


@dataclass(frozen=True)
class Place:
    """One repository, its table and its bucket."""

    github_url: str
    token: str
    repository: str
    table: str
    bucket: str
    prefix: str


def collect(place: Place) -> None:
    """Collect one repository once."""
    github = Github(auth=Auth.Token(place.token), base_url=place.github_url)
    repository = github.get_repo(place.repository)
    traffic: Any = repository  # PyGithub's types let everything be None
    views = {day.timestamp: day.count for day in traffic.get_views_traffic().views}
    clones = {day.timestamp: day.count for day in traffic.get_clones_traffic().clones}
    paths = [(path.path, path.count) for path in traffic.get_top_paths()]
    github.close()
    dynamodb: Any = boto3.client("dynamodb")
    for moment, count in views.items():
        timestamp = f"{moment:%Y-%m-%d %H:%M:%S}"
        if "Item" not in dynamodb.get_item(TableName=place.table, Key={"timestamp": {"S": timestamp}}):
            numbers = (clones.get(moment, 0), count, repository.stargazers_count, repository.forks_count)
            written = {name: {"N": str(number)} for name, number in zip(DAYS[1:], numbers, strict=True)}
            dynamodb.put_item(TableName=place.table, Item={"timestamp": {"S": timestamp}, **written})
    bucket: Any = boto3.resource("s3").Bucket(place.bucket)
    _upload(bucket, f"{place.prefix}/views_clones_stars.csv", DAYS, sorted(_stored(dynamodb, place.table)))
    _upload(bucket, f"{place.prefix}/top_paths.csv", PATHS, paths)


def _stored(dynamodb: Any, table: str) -> Iterable[tuple[str, ...]]:  # noqa: ANN401 - made at run time
    """Read the whole table."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for found in page["Items"]:
            yield (found["timestamp"]["S"], *(found[name]["N"] for name in DAYS[1:]))


def _upload(bucket: Any, key: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:  # noqa: ANN401 - of the SDK
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traffic.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
        bucket.upload_file(str(path), key)


def place_of(environ: "os._Environ[str] | dict[str, str]") -> Place:
    """Read the settings from the environment."""
    return Place(
        github_url=environ["GITHUB_API_URL"],
        token=environ["ARTICLE_TOKEN"],
        repository=environ["ARTICLE_REPOSITORY"],
        table=environ["ARTICLE_TABLE"],
        bucket=environ["ARTICLE_BUCKET"],
        prefix=environ["ARTICLE_PREFIX"],
    )


if __name__ == "__main__":
    collect(place_of(os.environ))
