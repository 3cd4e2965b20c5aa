"""Reads exported files and stored histories."""

import csv
import io
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import boto3

from ghtraffic_action.exports.layout import RUN
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import History
from tests.support.fake_github import FakeGitHub

Numbers = tuple[int, int, int, int]


def exported(export_to: str) -> dict[str, bytes]:
    """Read every file of an export by key, except the report of the last run, which differs from run to run."""
    files = _read_all(export_to)
    return {key: content for key, content in files.items() if key != RUN}


def _read_all(export_to: str) -> dict[str, bytes]:
    if not export_to.startswith("s3://"):
        root = Path(export_to)
        found = (path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    bucket, _, prefix = export_to.removeprefix("s3://").partition("/")
    with closing(boto3.client("s3")) as s3:
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        assert all(key.startswith(f"{prefix}/") for key in keys)
        return {key.removeprefix(f"{prefix}/"): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def rows(content: bytes) -> list[dict[str, str]]:
    """Read a CSV file."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def all_daily(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    """Read the days of all months, in order."""
    return [row for key in sorted(files) if key.startswith("v1/daily/") for row in rows(files[key])]


def stored(store: str) -> dict[int, History]:
    """Read everything that a store holds."""
    with closing(open_store(store, create=False)) as opened:
        return {history.repository_id: history for history in opened.scan()}


def reported(github: FakeGitHub, at: int = 0) -> dict[date, Numbers]:
    """Return, by day, what the fake would answer to a run now."""
    traffic = github.repositories[at].traffic
    views = {day: (count, uniques) for day, count, uniques in traffic.views(github.now).rows}
    clones = {day: (count, uniques) for day, count, uniques in traffic.clones(github.now).rows}
    return {day: (*views.get(day, (0, 0)), *clones.get(day, (0, 0))) for day in sorted({*views, *clones})}


def numbers(row: Mapping[str, str]) -> Numbers:
    """Return the four numbers of a daily row."""
    views, view_uniques, clones, clone_uniques = (
        int(row[name]) for name in ("views", "view_uniques", "clones", "clone_uniques")
    )
    return views, view_uniques, clones, clone_uniques


def numbers_of(history: History) -> dict[date, tuple[int | None, ...]]:
    """Return a history's numbers by day."""
    return {d.day: (d.views, d.view_uniques, d.clones, d.clone_uniques) for d in history.days}


def whole(history: History) -> bool:
    """Return whether a repository's run was stored completely: all of its days, then its snapshot."""
    return len(history.days) == 15 and len(history.snapshots) == 1
