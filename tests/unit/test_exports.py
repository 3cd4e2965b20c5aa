"""The export: what the files look like, how they are written beside others, and that the store can make them again."""

import csv
import io
import json
import resource
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from types import SimpleNamespace

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from ghtraffic_action.errors import DestinationError, SettingsError, StoreError
from ghtraffic_action.exports.csvfile import UnreadableError, changed_repositories, merge, parse, render, sanitize_cell
from ghtraffic_action.exports.destination import Conflict, Destination, File, digest, open_destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.incremental import ExportResult, IncrementalExport
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    LATEST_PATHS,
    LATEST_REFERRERS,
    REPOSITORIES,
    month_key,
    month_of,
    months,
    table_of,
)
from ghtraffic_action.exports.rebuild import export_all, rebuild
from ghtraffic_action.exports.rows import CatalogueEntry, read_catalogue, rows_of
from ghtraffic_action.exports.s3 import S3Destination
from ghtraffic_action.exports.swap import compare_and_swap
from ghtraffic_action.exports.verify import verify
from ghtraffic_action.settings import read_settings
from ghtraffic_action.standin import GeneratedTraffic
from ghtraffic_action.standin import Series as Told
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.traffic.merge import apply
from ghtraffic_action.traffic.merge import merge as changes_of
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    History,
    Metadata,
    Metric,
    Observation,
    Repository,
    Series,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)
from tests.support.aws import Aws

START = date(2026, 8, 20)
NAME = "octo-lab/lighthouse"
OTHER = "octo-lab/beacon"
DAILY = month_key("daily", "2026-11")
EXAMPLES = settings(max_examples=60, derandomize=True, database=None, deadline=None)
HEADERS = {
    DAILY: "repository,repository_id,day,views,view_uniques,clones,clone_uniques,state,"
    "stars,forks,watchers,open_issues,open_pull_requests",
    month_key("paths", "2026-11"): "repository,repository_id,observed,path,title,views,view_uniques",
    month_key("referrers", "2026-11"): "repository,repository_id,observed,referrer,views,view_uniques",
    LATEST_PATHS: "repository,repository_id,observed,path,title,views,view_uniques",
    LATEST_REFERRERS: "repository,repository_id,observed,referrer,views,view_uniques",
    REPOSITORIES: "repository_id,repository,views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,"
    "stars,forks,watchers,open_issues,open_pull_requests,archived,created,first_day,lost_days,observed",
    ARTICLE_DAYS: "timestamp,clones,views,stars,forks",
    ARTICLE_PATHS: "path,views",
}


# A small world: repositories whose traffic is invented, observed by runs


@dataclass
class Observed:
    """A repository as runs see it: invented traffic, and what else a test changes from day to day."""

    id: int
    name: str
    traffic: GeneratedTraffic
    stars: int = 5
    created: date = date(2020, 2, 2)
    refused: frozenset[str] = frozenset()
    paths: tuple[TopPath, ...] | None = None

    def at(self, now: datetime) -> Observation:
        """Observe it at a moment."""
        metadata = Metadata(now, self.stars, 2, 3, None, 0, archived=False, created=self.created)
        seen = Observation(Repository(self.id, self.name, private=False, pushed=None, metadata=metadata))
        paths = tuple(TopPath(*row) for row in self.traffic.paths(now)) if self.paths is None else self.paths
        answers = {
            "views": self._series("views", self.traffic.views(now), now),
            "clones": self._series("clones", self.traffic.clones(now), now),
            "paths": TopPaths(now, paths),
            "referrers": TopReferrers(now, tuple(TopReferrer(*row) for row in self.traffic.referrers(now))),
        }
        return replace(seen, **{name: answer for name, answer in answers.items() if name not in self.refused})

    def _series(self, metric: Metric, told: Told, now: datetime) -> Series:
        numbers = ("views", "view_uniques") if metric == "views" else ("clones", "clone_uniques")
        days = tuple(Day(row[0], self.name, **dict(zip(numbers, row[1:], strict=True))) for row in told.rows)
        return Series(Totals(now, told.count, told.uniques), days)


def invented(name: str = NAME, *, length: int = 400, number: int = 40) -> GeneratedTraffic:
    """Invent traffic with days of none at all, and days with clones but no views."""

    def series(factor: int) -> dict[date, tuple[int, int]]:
        counts = {START - timedelta(days=40 - i): (number + i * factor % 23) * (i % 7 > 1) for i in range(length)}
        return {day: (count, count // 3) for day, count in counts.items()}

    return GeneratedTraffic(series(5), series(3), name=name, omit_zeros=True)


def lighthouse(**changes: object) -> Observed:
    return replace(Observed(7, NAME, invented()), **changes)


def morning(day: date) -> datetime:
    return datetime.combine(day, time(3, 17), UTC)


@dataclass
class World:
    """A store, a destination, and runs over them as the real one does."""

    store: Store
    destination: Destination
    article: bool = False
    loaded: dict[int, date | None] = field(default_factory=dict)

    def run(self, now: datetime, *repositories: Observed) -> ExportResult:
        """Observe, store and export."""
        with closing(IncrementalExport(self.destination, article=self.article)) as publication:
            for repository in repositories:
                self.collect(publication, repository, now)
            return publication.publish(self.reload)

    def collect(self, publication: IncrementalExport, repository: Observed, now: datetime) -> CatalogueEntry | None:
        """Load, merge and save one repository, and add it to a publication."""
        observation = repository.at(now)
        self.loaded[repository.id] = publication.since(repository.id, now.date())
        history = self.reload(repository.id)
        saved = self.store.save(repository.id, changes_of(history, observation))
        return publication.add(apply(history, saved.stored))

    def reload(self, repository_id: int) -> History:
        """Load a repository from where the export needs it, and a little before, as a run does for its report."""
        since = self.loaded[repository_id]
        return replace(self.store.load(repository_id, since and since - timedelta(days=16)), since=since)

    def rows(self, key: str) -> list[dict[str, str]]:
        """Read a file's rows."""
        return rows_in(self.destination, key)


def rows_in(destination: Destination, key: str) -> list[dict[str, str]]:
    file = destination.read(key)
    assert file is not None, key
    return list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    with closing(SQLiteStore("traffic.db")) as store:
        yield store


@pytest.fixture(params=["directory", "s3"])
def destination(request: pytest.FixtureRequest) -> Iterator[Destination]:
    address = "export" if request.param == "directory" else request.getfixturevalue("aws").export_to
    with closing(open_destination(address)) as destination:
        yield destination


@pytest.fixture
def directory() -> DirectoryDestination:
    return DirectoryDestination("export")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the SDK nor a compare-and-swap pauses before it tries again."""
    for module in ("botocore.endpoint.time", "tenacity.nap.time"):
        monkeypatch.setattr(module, SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def world(store: Store, directory: Destination) -> World:
    return World(store, directory)


class Troubled:
    """A destination that fails or is changed under way where a test says so, and notes what is asked of it."""

    def __init__(self, inner: Destination) -> None:
        """Hand everything on to `inner`."""
        self.inner = inner
        self.unwritable: Callable[[str], bool] = lambda _: False
        self.unreadable: Callable[[str], bool] = lambda _: False
        self.before_write: Callable[[str], None] = lambda _: None
        self.reads: list[str] = []
        self.writes: list[str] = []

    def read(self, key: str) -> File | None:
        """See Destination."""
        self.reads.append(key)
        if self.unreadable(key):
            raise DestinationError(f"export-to {key}: cannot be read")
        return self.inner.read(key)

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        self.before_write(key)
        self.writes.append(key)
        if self.unwritable(key):
            raise DestinationError(f"export-to {key}: cannot be written")
        self.inner.write(key, content, version)

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination."""
        return self.inner.keys(prefix)

    def uri(self, key: str) -> str:
        """See Destination."""
        return self.inner.uri(key)

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination."""
        return self.inner.manifests()

    def close(self) -> None:
        """See Destination."""
        self.inner.close()


def files_in(folder: str | Path) -> dict[str, bytes]:
    """Read all files of a directory but for its lock."""
    root = Path(folder)
    paths = (path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def files_of(aws: Aws) -> dict[str, bytes]:
    """Read all files of the bucket."""
    listed = aws.s3.list_objects_v2(Bucket=aws.bucket).get("Contents", [])
    return {
        found["Key"].removeprefix("traffic/"): aws.s3.get_object(Bucket=aws.bucket, Key=found["Key"])["Body"].read()
        for found in listed
    }


def rebuilt(store: Store, folder: str = "rebuilt", *, article: bool = False) -> dict[str, bytes]:
    """Make all files from the store alone, elsewhere."""
    assert rebuild(store, DirectoryDestination(folder), article=article).errors == ()
    return files_in(folder)


# What the files look like


@pytest.mark.parametrize(("key", "header"), HEADERS.items())
def test_the_columns_are_a_promise(key: str, header: str) -> None:
    """Readers rely on the columns and their order: they are appended to, never changed."""
    assert ",".join(table_of(key).columns) == header
    assert merge(key, None, (), lambda _: True) == header.encode() + b"\r\n"


def test_a_day_s_row() -> None:
    """A row has the name, id and day, the numbers, the state, and today's stars and so on on today alone."""
    at = morning(date(2026, 11, 23))
    history = History(
        7,
        None,
        (Day(date(2026, 11, 22), NAME, 12, 5, None, None), Day(date(2026, 11, 23), NAME, 1, 1, 2, 1)),
        (
            Snapshot(
                date(2026, 11, 23),
                NAME,
                metadata=Metadata(at, 5, 2, None, 1, 0, archived=False, created=date(2026, 11, 20)),
                views=Totals(at, 13, 6),
                clones=Totals(at, 2, 1),
            ),
        ),
    )
    rows = [",".join(row) for row in rows_of(history, None)[DAILY]]
    assert rows == [
        f"{NAME},7,2026-11-20,0,0,0,0,provisional,,,,,",
        f"{NAME},7,2026-11-21,0,0,0,0,provisional,,,,,",
        f"{NAME},7,2026-11-22,12,5,,,provisional,,,,,",
        f"{NAME},7,2026-11-23,1,1,2,1,provisional,5,2,,1,0",
    ]
    assert [",".join(row) for row in rows_of(history, None)[REPOSITORIES]] == [
        f"7,{NAME},13,6,2,1,5,2,,1,0,false,2026-11-20,2026-11-20,0,2026-11-23"
    ]


def test_a_file_is_utf_8_with_crlf_and_no_mark() -> None:
    """RFC 4180: CRLF after every row, quotes only where they are needed, no byte order mark."""
    content = render(("path", "title"), [("/a", "ünï"), ("/b", 'say "hi", all'), ("/c", "")])
    assert content == 'path,title\r\n/a,ünï\r\n/b,"say ""hi"", all"\r\n/c,\r\n'.encode()


@EXAMPLES
@given(st.lists(st.tuples(st.text(max_size=9).map(sanitize_cell), st.text(max_size=9).map(sanitize_cell)), max_size=5))
def test_outsiders_text_can_be_read_back(texts: list[tuple[str, str]]) -> None:
    """Whatever a path or title is, a CSV reader finds it whole, in one row, and no cell that begins a formula."""
    key = LATEST_PATHS
    rows = [(NAME, "7", "2026-11-23", path, title, "1", "1") for path, title in texts]
    content = merge(key, None, rows, lambda _: True)
    assert list(parse(key, content).rows) == rows
    assert content.count(b"\r\n") == content.count(b"\n") == len(rows) + 1
    assert not any(text.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for text in row)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\tx", "'x"),
        ("\r\n=1", "'=1"),
        ("\x00=1", "'=1"),
        ("a\tb\r\nc\x00\x1b[31m\x7f\x85d", "abc[31md"),
        ("a=b", "a=b"),
        ("/a-b+c@d", "/a-b+c@d"),
        ("'=1", "'=1"),
        ("Ünï 🗼", "Ünï 🗼"),
        ("a\ud800b", "ab"),
        ("", ""),
    ],
)
def test_outsiders_text_is_made_harmless(text: str, safe: str) -> None:
    """Control characters go, and what a spreadsheet would take for a formula gains an apostrophe."""
    assert sanitize_cell(text) == safe


def test_paths_titles_and_referrers_are_made_harmless(world: World) -> None:
    """All three texts that outsiders choose pass the guard, in the months' files as in the latest ones."""

    class Hostile(GeneratedTraffic):
        def referrers(self, now: datetime) -> tuple[tuple[str, int, int], ...]:
            return (("@evil\x1b", int(now.hour > 0), 1),)

    repository = lighthouse(traffic=Hostile({}, {}), paths=(TopPath("=path", "+title\n", 3, 2),))
    world.run(morning(date(2026, 11, 23)), repository)
    for key in (LATEST_PATHS, month_key("paths", "2026-11")):
        assert [(row["path"], row["title"]) for row in world.rows(key)] == [("'=path", "'+title")]
    for key in (LATEST_REFERRERS, month_key("referrers", "2026-11")):
        assert [row["referrer"] for row in world.rows(key)] == ["'@evil"]


def old_file(key: str, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (HEADERS[key], *lines)).encode()


def of(*ids: int) -> Callable[[dict[str, str]], bool]:
    return lambda record: int(record["repository_id"]) in ids


def daily_row(repository_id: int, day: str, views: str = "1") -> tuple[str, ...]:
    return (NAME, str(repository_id), day, views, *[""] * 9)


def test_rows_of_other_repositories_stay() -> None:
    """A run replaces the rows of its own repositories alone."""
    old = parse(DAILY, render(table_of(DAILY).columns, [daily_row(i, "2026-11-01") for i in (7, 8)]))
    content = merge(DAILY, old, [daily_row(7, "2026-11-01", "9"), daily_row(7, "2026-11-02")], of(7))
    assert parse(DAILY, content).rows == (
        daily_row(7, "2026-11-01", "9"),
        daily_row(8, "2026-11-01"),
        daily_row(7, "2026-11-02"),
    )


def test_rows_are_sorted_by_day_and_number() -> None:
    """Days in order, below one day the ids as numbers: the same history gives the same bytes in any order."""
    rows = [daily_row(i, day) for day in ("2026-11-02", "2026-11-10", "2026-11-01") for i in (10, 9, 100)]
    first, *others = (merge(DAILY, None, order, of()) for order in (rows, rows[::-1], sorted(rows)))
    assert [(row[2], row[1]) for row in parse(DAILY, first).rows[:4]] == [
        ("2026-11-01", "9"),
        ("2026-11-01", "10"),
        ("2026-11-01", "100"),
        ("2026-11-02", "9"),
    ]
    assert others == [first, first]


def test_unknown_columns_are_kept() -> None:
    """Columns that a newer version added stay where they are, with their values, on rows that are replaced too."""
    header = ("bots", *table_of(DAILY).columns, "note")
    old = parse(
        DAILY, render(header, [("3", *daily_row(7, "2026-11-01"), "n"), ("4", *daily_row(8, "2026-11-01"), "m")])
    )
    content = merge(DAILY, old, [daily_row(7, "2026-11-01", "9"), daily_row(7, "2026-11-02")], of(7))
    assert parse(DAILY, content).header == header
    assert parse(DAILY, content).rows == (
        ("3", *daily_row(7, "2026-11-01", "9"), "n"),
        ("4", *daily_row(8, "2026-11-01"), "m"),
        ("", *daily_row(7, "2026-11-02"), ""),
    )


def test_missing_columns_are_empty() -> None:
    """A file of an older version gains the columns it lacks at its end, empty where nobody knows."""
    old = parse(DAILY, b"repository,repository_id,day,views\r\nocto-lab/lighthouse,8,2026-11-01,5\r\n")
    content = merge(DAILY, old, [daily_row(7, "2026-11-01", "9")], of(7))
    assert content.decode().splitlines()[0] == HEADERS[DAILY]
    assert parse(DAILY, content).rows == (daily_row(7, "2026-11-01", "9"), daily_row(8, "2026-11-01", "5"))


def test_a_file_that_somebody_edited_is_read() -> None:
    """A byte order mark, LF, other quotes and another order of columns and rows are no harm, and are put right."""
    edited = '\ufeffday,repository_id,"repository",views\n2026-11-02,8,x/y,5\n"2026-11-01",8,x/y,4\n'.encode()
    content = merge(DAILY, parse(DAILY, edited), [], of())
    assert content.startswith(b"day,repository_id,repository,views,view_uniques,")
    assert content.splitlines()[1].startswith(b"2026-11-01,8,x/y,4,")
    assert content.count(b"\r\n") == content.count(b"\n") == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "has no column repository_id"),
        (b"<html>", "has no column repository_id"),
        (b"repository_id,views\r\n", "has no column day"),
        (b"day,repository_id\r\n2026-11-01\r\n", "has 1 fields in row 2 where the header has 2"),
        (b"day,repository_id\r\n2026-11-01,7,8\r\n", "has 3 fields in row 2 where the header has 2"),
        (b"day,repository_id\r\n2026-11-01,7\r\n01.11.2026,7\r\n", "has '01.11.2026' as day in row 3"),
        (b"day,repository_id\r\n2026-11-01,seven\r\n", "has 'seven' as repository_id in row 2"),
        (b"day,repository_id\r\n\xff,7\r\n", "is no CSV ("),
        (b'day,repository_id\r\n"2026"-11-01,7\r\n', "is no CSV ("),
        (b'day,repository_id\r\n"2026-11-01,7\r\n', "is no CSV ("),
    ],
)
def test_a_file_that_does_not_parse_is_refused(content: bytes, problem: str) -> None:
    """Cut, foreign or damaged files are told by what is wrong with them and where, and never guessed at."""
    with pytest.raises(UnreadableError) as refused:
        parse(DAILY, content)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize(("column", "value"), [("observed", "x"), ("first_day", ""), ("lost_days", "few")])
def test_the_catalogue_must_say_what_the_export_relies_on(column: str, value: str) -> None:
    """The catalogue decides which months are written again, so its dates and numbers are checked."""
    good = {"repository_id": "7", "first_day": "2026-11-01", "lost_days": "0", "observed": "2026-11-20"}
    assert read_catalogue(parse(REPOSITORIES, render(tuple(good), [tuple(good.values())]))) == {
        7: CatalogueEntry(date(2026, 11, 1), 0, date(2026, 11, 20))
    }
    bad = good | {column: value}
    with pytest.raises(UnreadableError, match=f"has '{value}' as {column} in row 2"):
        parse(REPOSITORIES, render(tuple(bad), [tuple(bad.values())]))


def test_only_differing_repositories_are_asked_for_again() -> None:
    """Rows in another order do not differ; a repository that the file does not have is not in question."""
    theirs = parse(
        DAILY, render(table_of(DAILY).columns, [daily_row(i, f"2026-11-0{d}") for i in (7, 8) for d in (2, 1)])
    )
    same = (daily_row(7, "2026-11-01"), daily_row(7, "2026-11-02"))
    other = (daily_row(8, "2026-11-01"), daily_row(8, "2026-11-02", "5"))
    assert changed_repositories(DAILY, theirs, {7: same, 8: other, 9: (daily_row(9, "2026-11-01"),)}) == [8]
    assert changed_repositories(ARTICLE_PATHS, parse(ARTICLE_PATHS, b"path,views\r\n"), {7: ()}) == [7]


def test_months_are_named_and_counted() -> None:
    """A month is YYYY-MM in the keys, and a span of days touches all months between them."""
    assert month_key("daily", month_of(date(2026, 1, 31))) == "v1/daily/month=2026-01/daily.csv"
    assert months(date(2025, 11, 30), date(2026, 2, 1)) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months(date(2026, 2, 1), date(2026, 2, 28)) == ["2026-02"]


# Destinations


def test_a_missing_file_is_none(destination: Destination) -> None:
    """There being no file is an answer."""
    assert destination.read("v1/a.csv") is None


def test_a_file_is_read_as_it_was_written(destination: Destination) -> None:
    """Bytes come back as they were, with their digest, and a version that a write can insist on."""
    destination.write("v1/month=2026-11/a.csv", b"one\r\n", None)
    file = destination.read("v1/month=2026-11/a.csv")
    assert file is not None
    assert (file.content, file.digest) == (b"one\r\n", digest(b"one\r\n"))
    destination.write("v1/month=2026-11/a.csv", b"two", file.version)
    again = destination.read("v1/month=2026-11/a.csv")
    assert again is not None
    assert again.content == b"two"
    assert again.version != file.version


def test_files_are_named_by_what_their_keys_begin_with(
    destination: Destination, request: pytest.FixtureRequest
) -> None:
    """A listing has every file below a prefix and none beside it."""
    assert list(destination.keys("v1/")) == []
    keys = {f"v1/daily/month=2026-{n:02}/daily.csv" for n in range(1, 6)} | {"v1/latest/paths.csv"}
    for key in (*keys, "v2/latest/paths.csv", "quicksight/a.json"):
        destination.write(key, b"x", None)
    assert sorted(destination.keys("v1/")) == sorted(keys)
    if "aws" in request.fixturenames:
        with closing(open_destination(f"s3://{request.getfixturevalue('aws').bucket}")) as whole_bucket:
            assert sorted(whole_bucket.keys("traffic/v1/latest/")) == ["traffic/v1/latest/paths.csv"]


def test_a_stale_version_is_a_conflict(destination: Destination) -> None:
    """Who read before somebody else wrote does not overwrite it."""
    destination.write("a.csv", b"one", None)
    file = destination.read("a.csv")
    assert file is not None
    destination.write("a.csv", b"two", file.version)
    with pytest.raises(Conflict):
        destination.write("a.csv", b"three", file.version)
    assert (destination.read("a.csv") or file).content == b"two"


def test_a_new_file_that_is_there_already_is_a_conflict(destination: Destination) -> None:
    """Who found no file does not overwrite the one that somebody else has made since."""
    destination.write("a.csv", b"one", None)
    with pytest.raises(Conflict):
        destination.write("a.csv", b"two", None)
    file = destination.read("a.csv")
    assert file is not None
    assert file.content == b"one"


def test_a_file_that_is_gone_is_a_conflict(destination: Destination) -> None:
    """A version of a file that was removed in the meantime no longer holds."""
    destination.write("b.csv", b"one", None)
    file = destination.read("b.csv")
    assert file is not None
    with pytest.raises(Conflict):
        destination.write("a.csv", b"two", file.version)
    assert destination.read("a.csv") is None


def test_of_many_writers_of_one_version_one_succeeds() -> None:
    """In a directory the check and the replacement are one step, for threads of one run and for other programs."""
    programs = [DirectoryDestination("export") for _ in range(3)]
    programs[0].write("a.csv", b"", None)
    version = (programs[0].read("a.csv") or File(b"", "", "")).version
    start = Barrier(6)

    def write(i: int) -> int:
        start.wait(10)
        try:
            programs[i % 3].write("a.csv", b"%d" % i, version)
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(6) as executor:
        assert sum(executor.map(write, range(6))) == 1
    assert sorted(files_in("export")) == ["a.csv"]


def test_a_directory_that_another_program_keeps_is_named() -> None:
    """A lock that does not go away ends the wait, with the cure."""
    destination = DirectoryDestination("export", patience=0.01)
    destination.write("a.csv", b"one", None)
    with FileLock("export/.lock"), pytest.raises(DestinationError) as refused:
        destination.write("b.csv", b"two", None)
    assert str(refused.value) == "export-to export: another program keeps writing there: run again later"
    destination.write("b.csv", b"two", None)
    assert files_in("export") == {"a.csv": b"one", "b.csv": b"two"}


def test_a_directory_that_cannot_be_made_is_named() -> None:
    """A path through a file is refused, as is one that the system denies, when reading or when writing."""
    Path("file").touch()
    destination = DirectoryDestination("file/export")
    text = r"export-to file/export: cannot be used \(Not a directory\): name a directory that this user can write"
    with pytest.raises(DestinationError, match=text):
        destination.read("a.csv")
    with pytest.raises(DestinationError, match=text):
        destination.write("a.csv", b"", None)


def test_a_failed_replacement_leaves_nothing_behind() -> None:
    """No half file and no temporary one stays where a file cannot be written to its end, and the old one is whole."""
    destination = DirectoryDestination("export")
    destination.write("a.csv", b"one", None)
    file = destination.read("a.csv")
    assert file is not None
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # stands for a full disk
    try:
        with pytest.raises(DestinationError, match=r"export-to export: cannot be used \(File too large\)"):
            destination.write("a.csv", b"x" * 200_000, file.version)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in("export") == {"a.csv": b"one"}


def test_a_folder_in_the_place_of_a_file_is_named() -> None:
    """What cannot be read as a file is trouble with the destination, not a missing file."""
    Path("export/a.csv").mkdir(parents=True)
    with pytest.raises(DestinationError, match=r"export-to export: cannot be used \(Is a directory\)"):
        DirectoryDestination("export").write("a.csv", b"one", None)


def test_exported_files_can_be_read_by_others() -> None:
    """A file is readable for who serves or imports it, though its temporary one was private."""
    DirectoryDestination("export").write("v1/a.csv", b"one", None)
    assert Path("export/v1/a.csv").stat().st_mode & 0o777 == 0o644


def test_files_are_named_so_that_their_reader_finds_them(aws: Aws) -> None:
    """A bucket's files are named by address, a directory's by path."""
    with closing(S3Destination("bucket", "/a/b/")) as below, closing(S3Destination("bucket", "")) as root:
        assert (below.uri("v1/a.csv"), root.uri("v1/a.csv")) == ("s3://bucket/a/b/v1/a.csv", "s3://bucket/v1/a.csv")
    assert DirectoryDestination("export").uri("v1/a.csv") == "export/v1/a.csv"
    with closing(open_destination(f"s3://{aws.bucket}")) as root:
        root.write("v1/a.csv", b"one", None)
    assert aws.s3.get_object(Bucket=aws.bucket, Key="v1/a.csv")["Body"].read() == b"one"


def test_objects_carry_their_checksum_and_type(aws: Aws) -> None:
    """S3 checks the SHA-256 of what arrives, and browsers learn what a file is."""
    with closing(open_destination(aws.export_to)) as destination:
        destination.write("a.csv", b"one", None)
        destination.write("b.json", b"{}", None)
    heads = [
        aws.s3.head_object(Bucket=aws.bucket, Key=f"traffic/{name}", ChecksumMode="ENABLED")
        for name in ("a.csv", "b.json")
    ]
    assert heads[0]["ChecksumSHA256"] == b64encode(sha256(b"one").digest()).decode()
    assert [head["ContentType"] for head in heads] == ["text/csv; charset=utf-8", "application/json"]


def test_the_manifests_name_the_real_bucket(aws: Aws) -> None:
    """QuickSight's manifests are ready to paste, one a data set, and end with .json; a directory has none."""
    with closing(open_destination(aws.export_to)) as destination:
        manifests = {key: json.loads(content) for key, content in destination.manifests().items()}
    prefixes = {key: manifest["fileLocations"][0]["URIPrefixes"] for key, manifest in manifests.items()}
    base = f"s3://{aws.bucket}/traffic/v1"
    assert prefixes == {
        "quicksight/daily.manifest.json": [f"{base}/daily/"],
        "quicksight/latest_paths.manifest.json": [f"{base}/latest/paths.csv"],
        "quicksight/latest_referrers.manifest.json": [f"{base}/latest/referrers.csv"],
    }
    for manifest in manifests.values():
        assert manifest["globalUploadSettings"] == {
            "format": "CSV",
            "delimiter": ",",
            "textqualifier": '"',
            "containsHeader": "true",
        }
    assert DirectoryDestination("export").manifests() == {}


@pytest.mark.parametrize("write", [False, True])
def test_a_missing_bucket_comes_with_the_command_that_makes_it(aws: Aws, write: bool) -> None:
    """Reading and writing name the bucket and what to do."""
    bucket = f"{aws.bucket}-missing"
    with closing(open_destination(f"s3://{bucket}/traffic")) as destination, pytest.raises(DestinationError) as refused:
        destination.write("a.csv", b"", None) if write else destination.read("a.csv")
    text = f"there is no such bucket: name another, or make it with `aws s3 mb s3://{bucket}`"
    assert str(refused.value) == f"export-to s3://{bucket}/traffic: {text}"


@pytest.fixture
def answering(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, str], None]]:
    """Answer all requests to S3 with one error, in AWS's form."""
    error = SimpleNamespace(status=0, content=b"")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(error.status)
            self.send_header("Content-Length", str(len(error.content)))
            self.end_headers()
            self.wfile.write(error.content)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    def answer(status: int, code: str) -> None:
        error.status = status
        error.content = f"<Error><Code>{code}</Code><Message>invented</Message></Error>".encode()

    assert aws.url
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        yield answer
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (
            403,
            "AccessDenied",
            "it needs s3:GetObject and s3:PutObject below the prefix and s3:ListBucket on the bucket",
        ),
        (403, "ExpiredToken", "the AWS credentials have expired: get new ones and run again"),
        (403, "InvalidAccessKeyId", "AWS does not know these credentials: check AWS_ACCESS_KEY_ID"),
        (400, "IllegalLocationConstraintException", "the bucket is in another region: set that region"),
        (503, "SlowDown", "AWS throttles the requests, after several tries: run again later"),
        (400, "SomethingNew", "AWS answered SomethingNew to"),
    ],
)
def test_each_refusal_of_s3_has_its_cure(
    answering: Callable[[int, str], None],
    impatient: None,  # noqa: ARG001 - it is in force
    status: int,
    code: str,
    text: str,
) -> None:
    """The text says where, what and what to do, for reads and for writes."""
    answering(status, code)
    with closing(S3Destination("bucket", "traffic")) as destination:
        with pytest.raises(DestinationError) as read:
            destination.read("a.csv")
        with pytest.raises(DestinationError) as write:
            destination.write("a.csv", b"one", None)
    assert str(read.value).startswith("export-to s3://bucket/traffic: ")
    assert text in str(read.value)
    assert text in str(write.value)
    if code == "AccessDenied":
        assert ("AWS denies s3:GetObject" in str(read.value), "AWS denies s3:PutObject" in str(write.value)) == (
            True,
            True,
        )


@pytest.mark.parametrize(("status", "code"), [(409, "ConditionalRequestConflict"), (412, "PreconditionFailed")])
def test_both_answers_to_a_lost_race_are_conflicts(
    answering: Callable[[int, str], None],
    impatient: None,  # noqa: ARG001 - it is in force
    status: int,
    code: str,
) -> None:
    """S3 answers 412 to a stale version and 409 to two writes under way: both mean to start again."""
    answering(status, code)
    with closing(S3Destination("bucket", "traffic")) as destination, pytest.raises(Conflict):
        destination.write("a.csv", b"one", '"stale"')


# Compare-and-swap


def test_equal_bytes_are_not_written(directory: Destination) -> None:
    """What is there already costs no write."""
    destination = Troubled(directory)
    assert compare_and_swap(destination, "a.csv", lambda _: b"one")
    assert not compare_and_swap(destination, "a.csv", lambda _: b"one")
    assert destination.writes == ["a.csv"]


def test_a_file_that_was_read_before_is_not_read_again(directory: Destination) -> None:
    """The version of before the store was read is the one that a first attempt insists on."""
    destination = Troubled(directory)
    directory.write("a.csv", b"one", None)
    known = directory.read("a.csv")
    assert compare_and_swap(destination, "a.csv", lambda file: (file.content if file else b"") + b"+", known=known)
    assert compare_and_swap(destination, "b.csv", lambda file: b"none" if file is None else b"some", known=None)
    assert destination.reads == []
    assert files_in("export") == {"a.csv": b"one+", "b.csv": b"none"}


def test_who_was_slower_starts_again_from_what_is_there(directory: Destination, impatient: None) -> None:  # noqa: ARG001 - it is in force
    """After a conflict the file is read anew, the store has its say, and nothing of the other's is lost."""
    destination = Troubled(directory)
    seen: list[bytes] = []
    others = iter((b"theirs", b"theirs twice"))

    def interfere(key: str) -> None:
        if content := next(others, None):
            current = directory.read(key)
            directory.write(key, content, current and current.version)

    destination.before_write = interfere
    assert compare_and_swap(
        destination,
        "a.csv",
        lambda file: (file.content if file else b"") + b"+ours",
        known=None,
        refresh=lambda file: seen.append(file.content),
    )
    assert files_in("export") == {"a.csv": b"theirs twice+ours"}
    assert seen == [b"theirs", b"theirs twice"]


def test_a_file_that_others_keep_writing_is_given_up(directory: Destination, impatient: None) -> None:  # noqa: ARG001 - it is in force
    """After twelve lost races the error names the file; what was collected is in the store."""
    destination = Troubled(directory)
    turns = iter(range(100))

    def interfere(key: str) -> None:
        current = directory.read(key)
        directory.write(key, b"%d" % next(turns), current and current.version)

    destination.before_write = interfere
    with pytest.raises(DestinationError) as refused:
        compare_and_swap(destination, "a.csv", lambda _: b"ours")
    assert str(refused.value) == "export-to export/a.csv: others kept writing it for 12 attempts: run again later"
    assert len(destination.writes) == 12


# Runs that export


RUNS = [*range(6), *range(8, 12), 15, 17, 22, 28, 29, 30, 31, 38, 45, 46, 47, 62, 63, 66, 69]
"""The days, of 70, on which there is a run: daily ones, weekly ones, and a pause of more than two weeks."""


def seventy_days(world: World) -> None:
    """Run over 70 days of three repositories that live through everything that changes a row."""
    first = lighthouse()
    second = Observed(12, OTHER, invented(OTHER, number=3), stars=50)
    third = Observed(100, "octo-lab/late", GeneratedTraffic({}, {}), created=START + timedelta(days=20))
    for n in RUNS:
        day = START + timedelta(days=n)
        first.stars += n % 4 - 1
        second.refused = frozenset({"views"} if n in (3, 46) else {"paths", "referrers"} if 20 <= n < 63 else ())
        first.refused = frozenset({"clones"} if 8 <= n < 29 else ())
        if n == 28:
            second.name = "octo-lab/renamed"
        repositories = [first, *([second] if n != 31 else []), *([third] if n >= 22 else [])]
        assert world.run(morning(day), *repositories).errors == ()
        if n % 10 == 5:
            assert world.run(morning(day) + timedelta(hours=9), first).errors == ()


def test_the_export_of_many_runs_is_that_of_the_store(
    request: pytest.FixtureRequest, store: Store, destination: Destination
) -> None:
    """After 70 days with gaps, refusals and a rename, what the runs exported is what a rebuild makes, byte for byte."""
    seventy_days(World(store, destination))
    aws: Aws | None = request.getfixturevalue("aws") if isinstance(destination, S3Destination) else None
    exported = files_of(aws) if aws else files_in("export")
    manifests = {key: exported.pop(key) for key in destination.manifests()}
    assert manifests == destination.manifests()
    assert rebuilt(store) == exported
    assert sorted({key.split("/")[1] for key in exported}) == ["daily", "latest", "paths", "referrers"]
    assert [key for key in sorted(exported) if "/daily/" in key] == [
        month_key("daily", month) for month in ("2026-08", "2026-09", "2026-10")
    ]
    again = rebuild(store, destination)
    assert (again.written, again.errors) == ((), ())
    assert len(again.files) == len(exported) + len(manifests)
    if aws:
        assert files_of(aws) == exported | manifests


def test_what_the_export_of_many_runs_says(world: World) -> None:
    """States, zeros and names of the 70 days are those of the rule, and no row of daily.csv needs a quote."""
    seventy_days(world)
    rows = [row for month in ("2026-08", "2026-09", "2026-10") for row in world.rows(month_key("daily", month))]
    assert {row["state"] for row in rows} == {"complete", "provisional", "partial", "lost"}
    days = {(row["repository_id"], row["day"]): row for row in rows}
    assert len(days) == len(rows)
    renamed = {row["repository"] for row in rows if row["repository_id"] == "12"}
    assert renamed == {OTHER, "octo-lab/renamed"}
    assert days["100", "2026-09-09"]["views"] == "0"
    assert ("100", "2026-09-08") not in days
    assert not any(b'"' in content for key, content in files_in("export").items() if "/daily/" in key)
    told = world.store.load(7).days
    assert all(days["7", str(day.day)]["views"] in ("" if day.views is None else str(day.views), "0") for day in told)


def test_a_rerun_exports_nothing(world: World, request: pytest.FixtureRequest) -> None:
    """Equal answers leave every file as it is: all are read, none is written; a bucket's manifests too."""
    aws: Aws = request.getfixturevalue("aws")
    with closing(open_destination(aws.export_to)) as bucket:
        for destination in (world.destination, bucket):
            troubled = Troubled(destination)
            world.destination = troubled
            now = morning(date(2026, 11, 10))
            first = world.run(now, lighthouse())
            troubled.writes.clear()
            again = world.run(now, lighthouse())
            assert (again.files, again.written, again.errors) == (first.files, (), ())
            assert troubled.writes == []
            assert first.written == first.files


def test_a_run_touches_only_the_months_that_can_have_changed(world: World) -> None:
    """From the last exported observation less 14 days on: two months' files around the turn of a month, else one's."""
    repository = lighthouse()
    for day in (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 20)):
        world.run(morning(day), repository)
    world.destination = troubled = Troubled(world.destination)
    world.run(morning(date(2026, 11, 21)), repository)
    assert {key for key in troubled.writes if "month=" in key} == {
        month_key(kind, "2026-11") for kind in ("daily", "paths", "referrers")
    }
    assert not any("month=2026-10" in key or "month=2026-09" in key for key in troubled.reads)
    assert troubled.writes[-1] == REPOSITORIES


def test_files_are_read_before_the_store(world: World) -> None:
    """A publication begins to read when it is made: a swap that succeeds holds what every earlier export held."""
    world.run(morning(date(2026, 11, 20)), lighthouse())
    troubled = Troubled(world.destination)
    with closing(IncrementalExport(troubled)) as publication:
        assert publication.since(7, date(2026, 11, 21)) == date(2026, 11, 1)
        read = set(troubled.reads)
        assert {DAILY, month_key("paths", "2026-11"), LATEST_PATHS, LATEST_REFERRERS, REPOSITORIES} <= read
        world.collect(publication, lighthouse(), morning(date(2026, 11, 21)))
        assert publication.publish(world.reload).errors == ()
    assert sorted(troubled.reads) == sorted(read)


def test_since_tells_what_a_history_is_needed_for(world: World) -> None:
    """All of it for a repository that was never exported, else from the first month that is written again."""
    with closing(IncrementalExport(world.destination)) as publication:
        assert publication.since(7, date(2026, 11, 10)) is None
    world.run(morning(date(2026, 11, 10)), lighthouse())
    with closing(IncrementalExport(world.destination)) as publication:
        assert publication.since(7, date(2026, 11, 11)) == date(2026, 10, 1)
        assert publication.since(8, date(2026, 11, 11)) is None
    world.run(morning(date(2026, 11, 14)), lighthouse())
    with closing(IncrementalExport(world.destination)) as publication:
        assert publication.since(7, date(2026, 11, 15)) == date(2026, 10, 1)
    world.run(morning(date(2026, 11, 15)), lighthouse())
    with closing(IncrementalExport(world.destination)) as publication:
        assert publication.since(7, date(2026, 11, 16)) == date(2026, 11, 1)
    troubled = Troubled(world.destination)
    troubled.unreadable = lambda _: True
    with closing(IncrementalExport(troubled)) as publication:
        assert publication.since(7, date(2026, 11, 10)) == date(2026, 10, 1)
        assert publication.since(7, date(2026, 11, 17)) == date(2026, 11, 1)


def test_a_repository_without_answers_is_not_in_the_export(world: World) -> None:
    """A history that nobody observed has no rows, and nothing at all is written for it."""
    with closing(IncrementalExport(world.destination)) as publication:
        assert publication.add(History(7, None, (Day(START, NAME, 1, 1),))) is None
        assert publication.publish(world.reload) == ExportResult()
    assert files_in("export") == {}


def test_imported_days_alone_are_exported(world: World) -> None:
    """Days that were imported, without a snapshot, have rows, and their repository a line without an observation."""
    days = (Day(date(2026, 3, 30), NAME, 5, 2, 1, 1), Day(date(2026, 4, 2), NAME, 7))
    world.store.save(7, Changes(days))
    rebuilt(world.store, "export")
    assert [
        ",".join(row.values()) for month in ("03", "04") for row in world.rows(month_key("daily", f"2026-{month}"))
    ] == [
        f"{NAME},7,2026-03-30,5,2,1,1,imported,,,,,",
        f"{NAME},7,2026-04-02,7,,,,imported,,,,,",
    ]
    assert [",".join(row.values()) for row in world.rows(REPOSITORIES)] == [f"7,{NAME},,,,,,,,,,,,2026-03-30,0,"]


def test_the_first_run_after_an_import_exports_all_months(world: World) -> None:
    """A run that finds imported days of a repository that was never observed writes their months, exported or not."""
    for id_, export_before in ((7, False), (8, True)):
        world.store.save(id_, Changes((Day(date(2026, 3, 30), NAME, 5, 2, 1, 1),)))
        if export_before:
            rebuilt(world.store, "export")
        assert world.run(morning(date(2026, 11, 10)), lighthouse(id=id_)).errors == ()
        assert files_in("export") == rebuilt(world.store)
        assert {row["repository_id"] for row in world.rows(month_key("daily", "2026-03"))} >= {str(id_)}


def test_an_import_into_an_exported_history_needs_one_rebuild(world: World) -> None:
    """Days before those that runs write again come by a rebuild, and later runs leave them and count on."""
    for day in (date(2026, 9, 1), date(2026, 10, 20)):
        world.run(morning(day), lighthouse())
    days = tuple(Day(date(2026, month, 3), NAME, 5, 2, 1, 1) for month in (6, 9))
    world.store.save(7, Changes(days))
    before = world.rows(REPOSITORIES)[0]["lost_days"]
    rebuilt(world.store, "export")
    assert int(world.rows(REPOSITORIES)[0]["lost_days"]) == int(before) - 1
    world.run(morning(date(2026, 10, 21)), lighthouse())
    assert files_in("export") == rebuilt(world.store)


def test_two_repositories_export_at_once(world: World, impatient: None) -> None:  # noqa: ARG001 - it is in force
    """Two runs that read the same files both find their rows in the end."""
    now = morning(date(2026, 11, 10))
    other = Observed(12, OTHER, invented(OTHER))
    with ExitStack() as publications:
        one, two = (publications.enter_context(closing(IncrementalExport(world.destination))) for _ in range(2))
        world.collect(one, lighthouse(), now)
        world.collect(two, other, now)
        assert one.publish(world.reload).errors == ()
        assert two.publish(world.reload).errors == ()
    assert {row["repository_id"] for row in world.rows(DAILY)} == {"7", "12"}
    assert [row["repository_id"] for row in world.rows(REPOSITORIES)] == ["7", "12"]
    assert files_in("export") == rebuilt(world.store)


def test_the_slower_of_two_exports_lowers_nothing(
    store: Store,
    destination: Destination,
    impatient: None,  # noqa: ARG001 - it is in force
) -> None:
    """A run that loaded before another one stored, and exports after it, asks the store again and writes the newer."""
    world = World(store, destination)
    world.run(morning(date(2026, 11, 9)), lighthouse())
    early, late = morning(date(2026, 11, 10)), morning(date(2026, 11, 10)) + timedelta(hours=15)
    with ExitStack() as publications:
        slow, fast = (publications.enter_context(closing(IncrementalExport(destination))) for _ in range(2))
        world.collect(slow, lighthouse(stars=5), early)
        world.collect(fast, lighthouse(stars=4), late)
        assert fast.publish(world.reload).errors == ()
        newest = [rows_in(destination, key) for key in (DAILY, REPOSITORIES)]
        assert slow.publish(world.reload).errors == ()
    assert [rows_in(destination, key) for key in (DAILY, REPOSITORIES)] == newest
    assert newest[1][0]["stars"] == "4"
    assert rebuild(store, destination).written == ()


def test_exports_at_once_from_threads_lose_no_row(world: World, impatient: None) -> None:  # noqa: ARG001 - it is in force
    """Four runs that export into one directory at the same time leave what a rebuild makes."""
    now = morning(date(2026, 11, 10))
    repositories = [Observed(i, f"octo-lab/r{i}", invented(f"octo-lab/r{i}", number=i)) for i in range(1, 5)]
    start = Barrier(4)

    def run(repository: Observed) -> ExportResult:
        start.wait(10)
        return world.run(now, repository)

    with ThreadPoolExecutor(4) as executor:
        assert [published.errors for published in executor.map(run, repositories)] == [()] * 4
    assert [row["repository_id"] for row in world.rows(REPOSITORIES)] == ["1", "2", "3", "4"]
    assert files_in("export") == rebuilt(world.store)


def test_a_month_that_does_not_parse_is_refused_alone(store: Store, destination: Destination) -> None:
    """It is left alone, named with its cure; all else is written but the catalogue, so that a later run catches up."""
    world = World(store, destination)
    world.run(morning(date(2026, 11, 10)), lighthouse())
    broken = b"<html>half a fi"
    destination.write(DAILY, broken, (destination.read(DAILY) or File(b"", "", "")).version)
    catalogue = world.rows(REPOSITORIES)
    result = world.run(morning(date(2026, 11, 12)), lighthouse(stars=9))
    assert result.errors == (
        (
            f"export-to {destination.uri(DAILY)}: the file has no column repository_id; it was left alone: "
            "rebuild it with `ghtraffic export --month 2026-11`"
        ),
    )
    assert (destination.read(DAILY) or File(b"", "", "")).content == broken
    assert world.rows(REPOSITORIES) == catalogue
    assert {row["observed"] for row in world.rows(LATEST_PATHS)} == {"2026-11-12"}
    assert {row["observed"] for row in world.rows(month_key("paths", "2026-11"))} == {"2026-11-10", "2026-11-12"}
    assert destination.uri(DAILY) not in result.files
    assert rebuild(store, destination, month="2026-11").written == (destination.uri(DAILY),)
    assert world.run(morning(date(2026, 11, 13)), lighthouse(stars=9)).errors == ()
    assert world.rows(REPOSITORIES)[0]["observed"] == "2026-11-13"
    assert rebuild(store, destination).written == ()


@pytest.mark.parametrize("key", [REPOSITORIES, LATEST_PATHS])
def test_another_file_that_does_not_parse_names_the_whole_rebuild(world: World, key: str) -> None:
    """For a file that is of no month the command is the one that rebuilds all."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    Path("export", key).write_bytes(b"nonsense")
    result = world.run(morning(date(2026, 11, 11)), lighthouse())
    (error,) = result.errors
    assert error.endswith("it was left alone: rebuild it with `ghtraffic export`")
    assert Path("export", key).read_bytes() == b"nonsense"
    assert rebuild(world.store, world.destination).errors == ()
    assert world.run(morning(date(2026, 11, 12)), lighthouse()).errors == ()
    assert files_in("export") == rebuilt(world.store)


@pytest.mark.parametrize("trouble", ["all", "daily", "catalogue", "unreadable"])
def test_an_export_that_failed_for_a_month_is_caught_up(world: World, trouble: str) -> None:
    """When the destination works again nothing is missing: the files are those of a rebuild."""
    fails: dict[str, Callable[[str], bool]] = {
        "all": lambda _: True,
        "daily": lambda key: "/daily/" in key,
        "catalogue": lambda key: key == REPOSITORIES,
        "unreadable": lambda _: True,
    }
    troubled = Troubled(world.destination)
    world.destination = troubled
    repository = lighthouse()
    for n in range(0, 50, 2):
        failing = 5 <= n < 40
        setattr(
            troubled,
            "unreadable" if trouble == "unreadable" else "unwritable",
            fails[trouble] if failing else lambda _: False,
        )
        repository.stars += 1
        result = world.run(morning(START + timedelta(days=n)), repository)
        assert bool(result.errors) == failing
    assert files_in("export") == rebuilt(world.store)


def test_a_failing_file_keeps_no_other_from_being_written(world: World) -> None:
    """Each file's error stands for itself; only the catalogue waits for all of them."""
    world.destination = troubled = Troubled(world.destination)
    troubled.unwritable = lambda key: key == LATEST_PATHS
    result = world.run(morning(date(2026, 11, 20)), lighthouse())
    assert result.errors == (f"export-to {LATEST_PATHS}: cannot be written",)
    kinds = {Path(name).name for name in files_in("export")}
    assert kinds == {"daily.csv", "paths.csv", "referrers.csv"}
    assert REPOSITORIES not in files_in("export")
    assert "export/v1/latest/referrers.csv" in result.written


def test_lost_days_are_counted_once(world: World) -> None:
    """The catalogue counts days that no window covered, over any number of exports, as a rebuild does."""
    repository = lighthouse(traffic=GeneratedTraffic({}, {}))
    for n in (0, 20, 21, 22, 60, 61, 90):
        world.run(morning(START + timedelta(days=n)), repository)
        (row,) = world.rows(REPOSITORIES)
        assert row == rows_in(World(world.store, _rebuilt_to(world.store, f"at-{n}")).destination, REPOSITORIES)[0]
    assert row["lost_days"] == str(6 + (60 - 22 - 14) + (90 - 61 - 14))
    assert row["first_day"] == str(START - timedelta(days=13))
    lost = [
        r
        for m in months(START, START + timedelta(days=90))
        for r in world.rows(month_key("daily", m))
        if r["state"] == "lost"
    ]
    assert len(lost) == 45
    assert {(r["views"], r["view_uniques"], r["clones"], r["clone_uniques"]) for r in lost} == {("", "", "", "")}


def _rebuilt_to(store: Store, folder: str) -> DirectoryDestination:
    destination = DirectoryDestination(folder)
    rebuild(store, destination)
    return destination


def test_the_latest_files_show_each_repository_s_last_answer(world: World) -> None:
    """A repository whose paths were refused keeps its last ones; one without paths any more has none."""
    day = date(2026, 11, 10)
    other = Observed(12, OTHER, invented(OTHER), paths=(TopPath("/x", "X", 3, 1),))
    world.run(morning(day), lighthouse(paths=(TopPath("/a", "A", 9, 3), TopPath("/b", "B", 9, 4))), other)
    world.run(morning(day + timedelta(days=1)), lighthouse(refused=frozenset({"paths"})), replace(other, paths=()))
    rows = [(row["repository_id"], row["observed"], row["path"]) for row in world.rows(LATEST_PATHS)]
    assert rows == [("7", "2026-11-10", "/a"), ("7", "2026-11-10", "/b")]
    assert files_in("export") == rebuilt(world.store)


def test_the_last_answer_of_the_day_replaces_its_rows(world: World) -> None:
    """Paths that an answer of the same day no longer has are gone from the month's file too."""
    now = morning(date(2026, 11, 10))
    world.run(now, lighthouse(paths=(TopPath("/a", "A", 9, 3), TopPath("/b", "B", 2, 1))))
    world.run(now + timedelta(hours=3), lighthouse(paths=(TopPath("/a", "A", 9, 3),)))
    assert [row["path"] for row in world.rows(month_key("paths", "2026-11"))] == ["/a"]
    world.run(now + timedelta(hours=6), lighthouse(paths=()))
    assert world.rows(month_key("paths", "2026-11")) == []
    assert files_in("export") == rebuilt(world.store)


def test_columns_of_a_newer_version_survive_a_run(world: World) -> None:
    """A run of this version writes into a newer one's files without losing what it does not know."""
    world.run(morning(date(2026, 11, 9)), lighthouse())
    path = Path("export", DAILY)
    header, *rows = path.read_bytes().decode().splitlines()
    path.write_text("\r\n".join([f"{header},bots", *(f"{row},{n}" for n, row in enumerate(rows)), ""]), newline="")
    assert world.run(morning(date(2026, 11, 10)), lighthouse(stars=8)).errors == ()
    assert [row["bots"] for row in world.rows(DAILY)] == [*map(str, range(9)), ""]
    assert world.rows(DAILY)[9]["stars"] == "8"


# The article's files


def test_the_article_s_files_have_the_article_s_form(world: World) -> None:
    """Days with a time, clones, views, stars and forks; and the top paths, most viewed first."""
    world.article = True
    paths = (TopPath("/b", "B", 9, 3), TopPath("/a", "=A", 5, 4))
    world.run(morning(date(2026, 11, 20)), lighthouse(paths=paths))
    lines = files_in("export")[ARTICLE_DAYS].decode().splitlines()
    assert lines[0] == "timestamp,clones,views,stars,forks"
    stored = world.store.load(7).days[0]
    assert lines[1] == f"{stored.day} 00:00:00,{stored.clones or 0},{stored.views or 0},,"
    assert lines[-1].startswith("2026-11-20 00:00:00,")
    assert lines[-1].endswith(",5,2")
    assert files_in("export")[ARTICLE_PATHS] == b"path,views\r\n/b,9\r\n/a,5\r\n"


def test_the_article_s_files_hold_the_whole_history(world: World) -> None:
    """Switched on late they have all days from the first one, and afterwards grow as a rebuild would make them."""
    repository = lighthouse()
    for n in range(0, 60, 3):
        world.article = n >= 45
        repository.stars += 1
        repository.paths = (TopPath(f"/{n}", "T", n, 1),)
        assert world.run(morning(START + timedelta(days=n)), repository).errors == ()
    exported = files_in("export")
    days = exported[ARTICLE_DAYS].decode().splitlines()[1:]
    assert days[0].startswith(f"{START - timedelta(days=14)} 00:00:00,")
    assert len(days) == 57 + 15
    assert exported[ARTICLE_PATHS] == b"path,views\r\n/57,57\r\n"
    assert exported == rebuilt(world.store, article=True)


def test_the_article_s_files_are_made_again_where_they_are_missing(world: World) -> None:
    """A removed file comes back whole with the next run."""
    world.article = True
    for n in range(0, 60, 6):
        world.run(morning(START + timedelta(days=n)), lighthouse())
    Path("export", ARTICLE_DAYS).unlink()
    world.run(morning(START + timedelta(days=60)), lighthouse())
    assert files_in("export") == rebuilt(world.store, article=True)


def test_the_article_s_files_are_for_one_repository(store: Store, directory: Destination) -> None:
    """A rebuild for several is refused before anything is written."""
    World(store, DirectoryDestination("elsewhere")).run(
        morning(START), lighthouse(), Observed(12, OTHER, invented(OTHER))
    )
    with pytest.raises(SettingsError, match="legacy-csv: the store holds several repositories"):
        rebuild(store, directory, article=True)
    assert files_in("export") == {}


# The rebuild


def test_one_month_can_be_rebuilt(world: World) -> None:
    """Only that month's files are written; neither the catalogue nor another month is touched."""
    seventy_days(world)
    whole = files_in("export")
    for key in whole:
        Path("export", key).write_bytes(b"damaged")
    keys = [month_key(kind, "2026-09") for kind in ("daily", "paths", "referrers")]
    result = rebuild(world.store, world.destination, month="2026-09")
    assert result.errors == ()
    assert sorted(result.written) == sorted(f"export/{key}" for key in keys)
    assert files_in("export") == {key: whole[key] if key in keys else b"damaged" for key in whole}
    assert rebuild(world.store, world.destination).errors == ()
    assert files_in("export") == whole


def test_a_lost_bucket_costs_nothing(aws: Aws, store: Store) -> None:
    """Into an empty bucket everything comes again, the manifests too; the catalogue is written last."""
    World(store, DirectoryDestination("elsewhere")).run(morning(date(2026, 11, 20)), lighthouse())
    with closing(open_destination(aws.export_to)) as bucket:
        result = rebuild(store, bucket)
        manifests = bucket.manifests()
    assert result.errors == ()
    assert result.written == result.files
    assert result.files[-1] == f"{aws.export_to}/{REPOSITORIES}"
    assert files_of(aws) == files_in("elsewhere") | manifests


def test_a_rebuild_overwrites_nothing_newer(world: World, impatient: None) -> None:  # noqa: ARG001 - it is in force
    """A run that stores and exports while a rebuild is under way keeps its rows: the rebuild asks the store again."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    Path("export", DAILY).write_bytes(old_file(DAILY))
    troubled = Troubled(world.destination)
    runs = iter([morning(date(2026, 11, 11))])

    def interfere(_: str) -> None:
        if now := next(runs, None):
            assert world.run(now, lighthouse(stars=99)).errors == ()

    troubled.before_write = interfere
    assert rebuild(world.store, troubled).errors == ()
    assert world.rows(DAILY)[-1]["stars"] == "99"
    assert world.rows(REPOSITORIES)[0]["observed"] == "2026-11-11"


def test_a_failed_rebuild_leaves_the_catalogue(world: World) -> None:
    """Only when all else is written does the catalogue say so."""
    seventy_days(world)
    Path("export", REPOSITORIES).write_bytes(b"")
    troubled = Troubled(world.destination)
    Path("export", DAILY.replace("2026-11", "2026-09")).write_bytes(b"damaged")
    troubled.unwritable = lambda key: "2026-09/daily" in key
    result = rebuild(world.store, troubled)
    assert len(result.errors) == 1
    assert files_in("export")[REPOSITORIES] == b""


def test_an_export_is_made_by_the_settings() -> None:
    """`export_all` opens what the settings name; a store that is empty, missing or without the month is named."""
    environ = {"GHTRAFFIC_STORE": "sqlite:traffic.db", "GHTRAFFIC_EXPORT_TO": "out"}
    chosen = read_settings("export", environ)
    with pytest.raises(StoreError, match=r"store sqlite:traffic.db: there is no such file"):
        export_all(chosen)
    with closing(open_store(chosen.store, create=True)) as store:
        with pytest.raises(StoreError, match=r"store sqlite:traffic.db: it holds nothing: name the store"):
            export_all(chosen)
        World(store, DirectoryDestination("elsewhere")).run(morning(date(2026, 11, 20)), lighthouse())
    with pytest.raises(StoreError, match=r"it holds nothing of 2020-01: name the store"):
        export_all(chosen, "2020-01")
    assert files_in("out") == {}
    assert len(export_all(chosen).files) == 6
    assert files_in("out") == files_in("elsewhere")


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "november", "2026-11-01", "202611"])
def test_a_malformed_month_is_quoted(month: str) -> None:
    """What is no YYYY-MM is refused before anything is opened."""
    with pytest.raises(SettingsError, match=f"month: '{month}' is no month: write YYYY-MM"):
        export_all(read_settings("export", {"GHTRAFFIC_STORE": "sqlite:missing.db"}), month)


def filled(store: Store, repositories: Iterable[int], length: int) -> None:
    """Store histories of so many days, with a snapshot each day."""
    for i in repositories:
        days = [START + timedelta(days=n) for n in range(length)]
        seen = (
            Snapshot(
                day,
                f"octo-lab/repository-{i}",
                views=Totals(morning(day), 1, 1),
                paths=TopPaths(morning(day), (TopPath("/a", "A", 1, 1),)),
            )
            for day in days
        )
        store.save(
            i,
            Changes(tuple(Day(day, f"octo-lab/repository-{i}", n, 1, n, 1) for n, day in enumerate(days)), tuple(seen)),
        )


def test_a_rebuild_and_a_comparison_stream(store: Store) -> None:
    """Peak memory is that of one repository and one month of all, not of the whole store: of ten times as many."""

    def peak(folder: str) -> int:
        tracemalloc.start()
        try:
            assert rebuild(store, DirectoryDestination(folder)).errors == ()
            Path(folder, DAILY).write_text("damaged")
            assert len(verify(store, DirectoryDestination(folder), repair=True).differing) == 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def least(repositories: range, name: str) -> int:
        """Leave out what other threads of this process happen to take meanwhile."""
        filled(store, repositories, 310)
        return min(peak(f"{name}-{n}") for n in range(3))

    few = least(range(2), "few")
    many = least(range(2, 20), "many")
    assert len(files_in("many-0")) == 2 * 11 + 2
    assert many < 3 * few
