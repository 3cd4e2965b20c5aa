"""What every store does, by one contract; then what is special to the table and to the file."""

import http.client
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Barrier, Lock, Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ghtraffic_action.aws import Opening, client
from ghtraffic_action.errors import RecordError, StoreError
from ghtraffic_action.stores.base import Saved, Store, open_store
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from ghtraffic_action.stores.sqlite import MIGRATIONS, SQLiteStore
from ghtraffic_action.traffic.coverage import observed
from ghtraffic_action.traffic.merge import apply, merge, merge_day
from ghtraffic_action.traffic.model import (
    NUMBERS,
    Changes,
    Day,
    History,
    Metadata,
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
from tests.support.files import without_rights

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "octo-lab/lighthouse"
ID = 904_221_377
JSON = "application/x-amz-json-1.0"

Opener = Callable[[], Store]


@dataclass(frozen=True)
class Sent:
    """One request to the table: its operation and what it says."""

    operation: str
    body: dict[str, Any]

    @property
    def sk(self) -> str:
        """The sort key of the one item that it is about."""
        return str(self.body["Key"]["sk"]["S"])


@dataclass(frozen=True)
class Answer:
    """What is answered instead of what the emulator would; `lost`: the emulator is asked, its answer never arrives."""

    code: str = ""
    status: int = 400
    lost: bool = False
    item: dict[str, dict[str, str]] | None = None

    def content(self) -> bytes:
        """Write the error as AWS does."""
        error = {"__type": f"com.amazonaws.dynamodb.v20120810#{self.code}", "message": "invented"}
        return json.dumps(error | ({"Item": self.item} if self.item else {})).encode()


class Wire:
    """Stands between the SDK and the emulator: notes each request, and makes trouble where a test wants some.

    It lets one update through at a time, since the emulator does not promise, as AWS does, that each is atomic.
    """

    def __init__(self, emulator: str) -> None:
        """Forward to the emulator's address."""
        self.sent: list[Sent] = []
        self.trouble: Callable[[Sent], Answer | None] = lambda _: None
        self._emulator = urlsplit(emulator).netloc
        self._updating = Lock()
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sent = Sent(self.headers["X-Amz-Target"].partition(".")[2], json.loads(body))
                wire.sent.append(sent)
                trouble = wire.trouble(sent)
                status, content = 0, b""
                if trouble is None or trouble.lost:
                    status, content = wire.forward(body, dict(self.headers))
                if trouble:
                    status, content = trouble.status, trouble.content()
                if trouble and trouble.lost:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", JSON)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def operations(self) -> list[str]:
        """Name the requests in their order."""
        return [sent.operation for sent in self.sent]

    def forward(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Ask the emulator."""
        with self._updating, closing(http.client.HTTPConnection(self._emulator, timeout=10)) as connection:
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def wire(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    with closing(Wire(aws.url)) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", wire.url)
        yield wire


@pytest.fixture
def table(aws: Aws, wire: Wire) -> Iterator[DynamoDBStore]:
    assert wire.sent == []
    with closing(DynamoDBStore(aws.table)) as store:
        yield store


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK tries again at once."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(params=["sqlite", "dynamodb"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Open the same store as often as wanted, as several programs do."""
    address = "sqlite:traffic.db"
    if request.param == "dynamodb":
        aws: Aws = request.getfixturevalue("aws")
        request.getfixturevalue("wire")
        address = aws.store
    with ExitStack() as stores:
        yield lambda: stores.enter_context(closing(open_store(address, create=True)))


@pytest.fixture
def store(opened: Opener) -> Store:
    return opened()


def ago(age: int) -> date:
    return TODAY - timedelta(days=age)


def day(age: int, views: int | None = None, clones: int | None = None, name: str = NAME) -> Day:
    """Make a day whose uniques are half of its counts."""
    halves = [None if number is None else number // 2 for number in (views, clones)]
    return Day(ago(age), name, views, halves[0], clones, halves[1])


def metadata(at: datetime = NOON, stars: int = 5) -> Metadata:
    return Metadata(at, stars, 2, 3, 1, 0, archived=False, created=date(2020, 2, 2))


def snapshot(age: int = 0, name: str = NAME, **groups: Any) -> Snapshot:  # noqa: ANN401 - the type's own fields
    return Snapshot(ago(age), name, **groups)


def full_snapshot(at: datetime = NOON) -> Snapshot:
    return Snapshot(
        at.date(),
        NAME,
        metadata=replace(metadata(at), watchers=None, open_issues=None, open_pull_requests=None, archived=True),
        views=Totals(at, 9_876_543_210, 3),
        clones=Totals(at, 0, 0),
        paths=TopPaths(at, (TopPath("/b", 'Ünïcode, "quoted" 🗼', 9, 3), TopPath("/a", "", 9, 2))),
        referrers=TopReferrers(at, (TopReferrer("t.co", 3, 2), TopReferrer("Google", 3, 1))),
    )


def test_a_repository_that_was_never_saved_has_an_empty_history(store: Store) -> None:
    """Nothing is an answer, no error."""
    assert store.load(ID) == History(ID)
    assert store.load(ID, TODAY) == History(ID, since=TODAY)
    assert list(store.scan()) == []


def test_what_is_saved_is_loaded(store: Store) -> None:
    """Every value of every type comes back as it was, what is unknown as unknown and rows in their order."""
    days = (day(3, views=0, clones=5_000_000_000), day(2, clones=0), day(1, views=7))
    changes = Changes(days, (full_snapshot(NOON - timedelta(days=1)), full_snapshot()))
    assert store.save(ID, changes) == Saved(changes, inserted=3)
    assert store.load(ID) == History(ID, None, *(changes.days, changes.snapshots))


def test_another_program_sees_what_was_saved(opened: Opener) -> None:
    """What is saved is in the table or file, not in the object, as soon as the save returns."""
    one, two = opened(), opened()
    one.save(ID, Changes((day(1, views=7),), (full_snapshot(),)))
    assert two.load(ID) == History(ID, None, (day(1, views=7),), (full_snapshot(),))


def test_a_history_is_loaded_from_a_day_on(store: Store) -> None:
    """Days and snapshots before `since` stay where they are; that day itself comes along."""
    seen = tuple(snapshot(age, views=Totals(NOON - timedelta(days=age), 1, 1)) for age in (3, 2, 1))
    store.save(ID, Changes((day(3, views=1), day(2, views=2), day(1, views=3)), seen))
    assert store.load(ID, ago(2)) == History(ID, ago(2), (day(2, views=2), day(1, views=3)), seen[1:])
    assert store.load(ID, TODAY) == History(ID, TODAY)


def test_inserted_and_raised_days_are_counted(store: Store) -> None:
    """A day that was not there is inserted, one that rises is raised, one that does neither is not counted."""
    store.save(ID, Changes((day(3, views=10), day(2, views=10), day(1, views=10))))
    saved = store.save(ID, Changes((day(3, views=9), day(2, views=11), day(1, clones=1), day(0, views=1))))
    assert (saved.inserted, saved.raised) == (1, 2)


def test_nothing_is_lowered(store: Store) -> None:
    """Each number keeps its largest value, and the save tells what the store holds."""
    store.save(ID, Changes((Day(ago(1), NAME, 10, 5, 4, 2),)))
    saved = store.save(ID, Changes((Day(ago(1), NAME, 9, 6, 5, 1),)))
    assert store.load(ID).days == (Day(ago(1), NAME, 10, 6, 5, 2),)
    assert saved == Saved(Changes((Day(ago(1), NAME, 10, 6, 5, 2),)), raised=1)
    saved = store.save(ID, Changes((Day(ago(1), NAME, 1, 1, 1, 1),)))
    assert saved == Saved(Changes((Day(ago(1), NAME, 10, 6, 5, 2),)))
    assert store.load(ID).days == (Day(ago(1), NAME, 10, 6, 5, 2),)


def test_a_number_that_was_not_told_stays_as_it_is(store: Store) -> None:
    """Views without clones leave the clones alone, and the reverse a minute later keeps both."""
    store.save(ID, Changes((day(1, views=10),), (snapshot(views=Totals(NOON, 10, 5)),)))
    store.save(ID, Changes((day(1, clones=4),), (snapshot(clones=Totals(NOON, 4, 2)),)))
    assert store.load(ID).days == (day(1, views=10, clones=4),)
    assert store.load(ID).snapshots == (snapshot(views=Totals(NOON, 10, 5), clones=Totals(NOON, 4, 2)),)


def test_the_same_once_more_changes_nothing(store: Store) -> None:
    """A save whose answer was lost is sent again: nothing fails, nothing is counted and nothing differs."""
    changes = Changes((day(1, views=7, clones=3),), (full_snapshot(),))
    store.save(ID, changes)
    assert store.save(ID, changes) == Saved(changes)
    assert store.load(ID) == History(ID, None, changes.days, changes.snapshots)


def test_nothing_to_save_is_nothing(store: Store) -> None:
    """A rerun's empty changes leave no trace."""
    assert store.save(ID, Changes()) == Saved(Changes())
    assert list(store.scan()) == []


def test_a_later_answer_replaces_its_group(store: Store) -> None:
    """The last answer of the day wins group by group: stars fall, rows go, other groups stay."""
    store.save(ID, Changes(snapshots=(full_snapshot(),)))
    seen = snapshot(
        metadata=metadata(NOON + HOUR, stars=1),
        paths=TopPaths(NOON + HOUR, (TopPath("/c", "C", 1, 1),)),
        referrers=TopReferrers(NOON + HOUR, ()),
    )
    expected = replace(full_snapshot(), metadata=seen.metadata, paths=seen.paths, referrers=seen.referrers)
    assert store.save(ID, Changes(snapshots=(seen,))).stored == Changes(snapshots=(expected,))
    assert store.load(ID).snapshots == (expected,)


def test_an_earlier_answer_does_not_replace_its_group(store: Store) -> None:
    """A run that is late with what it saw before another one leaves the other's groups, and adds what it alone has."""
    later = snapshot(metadata=metadata(NOON, stars=1), views=Totals(NOON, 10, 5), paths=TopPaths(NOON, ()))
    store.save(ID, Changes(snapshots=(later,)))
    before = NOON - HOUR
    seen = snapshot(
        metadata=metadata(before, stars=9),
        views=Totals(NOON + HOUR, 11, 6),
        clones=Totals(before, 4, 2),
        paths=TopPaths(before, (TopPath("/c", "C", 1, 1),)),
    )
    expected = replace(later, views=seen.views, clones=seen.clones)
    assert store.save(ID, Changes(snapshots=(seen,))).stored.snapshots == (expected,)
    assert store.load(ID).snapshots == (expected,)


def test_an_answer_that_is_wholly_outdated_changes_nothing(store: Store) -> None:
    """Where every group is older than the stored one, the stored snapshot is what the save tells."""
    store.save(ID, Changes(snapshots=(full_snapshot(),)))
    older = replace(full_snapshot(NOON - HOUR), metadata=metadata(NOON - HOUR, stars=99))
    assert store.save(ID, Changes(snapshots=(older,))) == Saved(Changes(snapshots=(full_snapshot(),)))
    assert store.load(ID).snapshots == (full_snapshot(),)


def test_another_answer_of_the_same_moment_is_taken(store: Store) -> None:
    """Moments are kept to the second, so an equal one does not stand in the way."""
    store.save(ID, Changes(snapshots=(snapshot(metadata=metadata(stars=1)),)))
    store.save(ID, Changes(snapshots=(snapshot(metadata=metadata(stars=2)),)))
    assert store.load(ID).snapshots == (snapshot(metadata=metadata(stars=2)),)


def test_both_names_of_a_renamed_repository_are_kept(store: Store) -> None:
    """One history below one id: settled days keep the old name, what is written later has the new one."""
    store.save(ID, Changes((day(2, views=1), day(1, views=1)), (snapshot(1, views=Totals(NOON, 1, 1)),)))
    new = "octo-lab/beacon"
    changes = Changes((day(1, views=2, name=new),), (snapshot(name=new, views=Totals(NOON, 3, 1)),))
    store.save(ID, changes)
    (history,) = store.scan()
    assert [found.repository for found in history.days] == [NAME, new]
    assert [found.repository for found in history.snapshots] == [NAME, new]


def test_repositories_do_not_touch_each_other(store: Store) -> None:
    """The id tells histories apart, also where one begins with the digits of another."""
    store.save(1, Changes((day(1, views=1),), (snapshot(views=Totals(NOON, 1, 1)),)))
    store.save(12, Changes((day(1, views=12),), (snapshot(views=Totals(NOON, 12, 6)),)))
    assert store.load(1) == History(1, None, (day(1, views=1),), (snapshot(views=Totals(NOON, 1, 1)),))
    assert store.load(12) == History(12, None, (day(1, views=12),), (snapshot(views=Totals(NOON, 12, 6)),))


def test_a_scan_reads_every_history_whole(store: Store) -> None:
    """Each repository comes once, with all of its days and snapshots."""
    for i in (30, 4, 5_000_000_000):
        store.save(i, Changes((day(400, views=i), day(1, clones=i)), (full_snapshot(),)))
    histories = sorted(store.scan(), key=lambda history: history.repository_id)
    assert histories == [store.load(i) for i in (4, 30, 5_000_000_000)]
    assert [len(history.days) for history in histories] == [2, 2, 2]


def test_what_another_run_stored_in_the_meantime_comes_back(opened: Opener) -> None:
    """A run that loaded before another one saved lowers nothing, and learns from its own save what is stored."""
    one, two = opened(), opened()
    one.save(ID, Changes((Day(ago(1), NAME, 10, 5, 1, 1),)))
    seen = Changes((Day(ago(1), NAME, 20, 4, 3, 3),), (snapshot(views=Totals(NOON, 20, 4)),))
    two.save(ID, Changes((Day(ago(1), NAME, 30, 9, 2, 2),), (snapshot(clones=Totals(NOON, 2, 2)),)))
    assert one.save(ID, seen) == Saved(
        Changes(
            (Day(ago(1), NAME, 30, 9, 3, 3),),
            (snapshot(views=Totals(NOON, 20, 4), clones=Totals(NOON, 2, 2)),),
        ),
        raised=1,
    )
    assert two.load(ID).days == (Day(ago(1), NAME, 30, 9, 3, 3),)


def test_runs_at_once_lose_nothing(opened: Opener) -> None:
    """Four threads of two programs save the same days: the largest of each number and the last answer remain."""
    programs = (opened(), opened())
    start = Barrier(4)

    def save(run: int) -> list[Saved]:
        start.wait(10)
        saved = []
        for turn in range(4):
            mixed = (run * 7 + turn * 5) % 16
            days = tuple(Day(ago(age), NAME, mixed + age, 16 - mixed, (mixed * age) % 11, run) for age in range(3))
            seen = snapshot(metadata=metadata(NOON + timedelta(minutes=mixed), stars=100 - mixed))
            saved.append(programs[run % 2].save(ID, Changes(days, (seen,))))
        return saved

    with ThreadPoolExecutor(4) as executor:
        saved = [found for runs in executor.map(save, range(4)) for found in runs]
    told = [(run * 7 + turn * 5) % 16 for run in range(4) for turn in range(4)]
    history = programs[0].load(ID)
    assert history.days == tuple(
        Day(ago(age), NAME, max(told) + age, 16 - min(told), max(m * age % 11 for m in told), 3) for age in (2, 1, 0)
    )
    last = max(told)
    assert history.snapshots == (snapshot(metadata=metadata(NOON + timedelta(minutes=last), stars=100 - last)),)
    assert sum(found.inserted for found in saved) == 3


def test_repositories_are_saved_side_by_side(store: Store) -> None:
    """One store serves all threads of a run."""
    changes = Changes((day(1, views=3), day(0, views=1)), (full_snapshot(),))
    with ThreadPoolExecutor(8) as executor:
        saved = list(executor.map(lambda i: store.save(i, changes), range(1, 17)))
        loaded = list(executor.map(store.load, range(1, 17)))
    assert [found.inserted for found in saved] == [2] * 16
    assert loaded == [
        History(i, None, (day(0, views=1), day(1, views=3))[::-1], changes.snapshots) for i in range(1, 17)
    ]


numbers = st.none() | st.integers(0, 9)
told_days = st.lists(
    st.tuples(st.integers(0, 3), numbers, numbers).filter(lambda told: told[1:] != (None, None)), max_size=4
)
fresh_ids = count(1_000)


@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has a repository of its own
)
@given(runs=st.lists(st.tuples(told_days, st.integers(0, 20), st.booleans()), max_size=5))
def test_a_store_does_what_the_rule_says(
    store: Store, runs: list[tuple[list[tuple[int, int | None, int | None]], int, bool]]
) -> None:
    """After any saves, of runs that had loaded just before or long before, the store holds what the pure rule gives."""
    repository_id = next(fresh_ids)
    long_ago = expected = store.load(repository_id)
    for told, minutes, stale in runs:
        at = NOON + timedelta(minutes=minutes)
        days: dict[date, Day] = {}
        for age, views, clones in told:
            found = day(age, views, clones)
            days[found.day] = merge_day(days[found.day], found) if found.day in days else found
        observation = Observation(
            Repository(repository_id, NAME, private=False, pushed=None, metadata=metadata(at, stars=minutes)),
            views=Series(Totals(at, minutes, minutes), tuple(days.values())),
        )
        history = long_ago if stale else store.load(repository_id)
        store.save(repository_id, merge(history, observation))
        expected = apply(expected, merge(expected, observation))
    assert store.load(repository_id) == expected


# The table


def run(
    store: Store, days: tuple[Day, ...], at: datetime = NOON, *, since: date | None = None, stars: int = 5
) -> Saved:
    """Load, merge and save, as a run does, an observation of these days."""
    observation = Observation(
        Repository(ID, NAME, private=False, pushed=None, metadata=metadata(at, stars)),
        views=Series(Totals(at, sum(d.views or 0 for d in days), 3), days),
        clones=Series(Totals(at, 1, 1), ()),
    )
    return store.save(ID, merge(store.load(ID, since), observation))


def window(newest: int, today: int, yesterday: int) -> tuple[Day, ...]:
    """List 14 days up to that `newest` days ago, of which only the last two are not final yet."""
    older = (day(newest + age, views=100 - newest - age) for age in range(13, 1, -1))
    return (*older, day(newest + 1, views=yesterday), day(newest, views=today))


def steady_run(store: Store, wire: Wire) -> list[str]:
    """Run the day after a first run: yesterday has grown and today is new. Say what was asked of the table."""
    since = ago(31)
    run(store, window(1, today=3, yesterday=98), NOON - timedelta(days=1), since=since)
    wire.sent.clear()
    saved = run(store, window(0, today=4, yesterday=98), since=since)
    assert (saved.inserted, saved.raised) == (1, 1)
    return wire.operations


def test_a_steady_run_makes_five_requests(table: DynamoDBStore, wire: Wire) -> None:
    """Two queries, an update for each of the two days that changed, one for the snapshot: no Scan, Get or Describe."""
    assert steady_run(table, wire) == ["Query", "Query", "UpdateItem", "UpdateItem", "UpdateItem"]
    assert [sent.body["ConsistentRead"] for sent in wire.sent[:2]] == [True, True]


def test_the_history_s_length_costs_nothing(table: DynamoDBStore, wire: Wire, aws: Aws) -> None:
    """With 3,650 days stored a run makes the same requests, and reads no day of before the months that it exports."""
    old = [
        {
            "pk": {"S": f"repo#{ID}"},
            "sk": {"S": f"day#{ago(age)}"},
            "repo": {"S": NAME},
            "views": {"N": "1"},
            "view_uniques": {"N": "1"},
        }
        for age in range(40, 3_690)
    ]

    def put(start: int) -> None:
        requests = [{"PutRequest": {"Item": found}} for found in old[start : start + 25]]
        aws.dynamodb.batch_write_item(RequestItems={aws.table: requests})

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(put, range(0, len(old), 25)))
    assert steady_run(table, wire) == ["Query", "Query", "UpdateItem", "UpdateItem", "UpdateItem"]
    assert len(table.load(ID, ago(31)).days) == 15
    assert len(table.load(ID).days) == 3_665


def test_a_rerun_writes_nothing(table: DynamoDBStore, wire: Wire) -> None:
    """Equal answers, an hour later, cost two reads and no write."""
    steady_run(table, wire)
    wire.sent.clear()
    assert run(table, window(0, today=4, yesterday=98), NOON + HOUR) == Saved(Changes())
    assert wire.operations == ["Query", "Query"]


def test_an_update_says_only_what_rises(table: DynamoDBStore, wire: Wire) -> None:
    """Where only the count has grown the count alone is written."""
    table.save(ID, Changes((Day(ago(1), NAME, 10, 5, 4, 2),)))
    wire.sent.clear()
    run(table, (Day(ago(1), NAME, views=12, view_uniques=5),))
    (update,) = [sent for sent in wire.sent if sent.operation == "UpdateItem" and sent.sk.startswith("day#")]
    assert sorted(update.body["ExpressionAttributeNames"].values()) == ["views"]


def test_after_a_failed_condition_only_what_still_rises_is_written(table: DynamoDBStore, wire: Wire, aws: Aws) -> None:
    """The failed condition returns the item, so one more update is enough, without reading."""
    seen = Changes((Day(ago(1), NAME, 20, 4, 3, 3),))
    with closing(DynamoDBStore(aws.table)) as other:
        other.save(ID, Changes((Day(ago(1), NAME, 30, 9, 2, 2),)))
    wire.sent.clear()
    assert table.save(ID, seen).raised == 1
    assert wire.operations == ["UpdateItem", "UpdateItem"]
    assert sorted(wire.sent[1].body["ExpressionAttributeNames"].values()) == ["clone_uniques", "clones"]


def test_an_equal_number_of_another_run_does_not_stand_in_the_way(table: DynamoDBStore, wire: Wire, aws: Aws) -> None:
    """Where another run has stored one of the numbers meanwhile, the first attempt still writes the other."""
    with closing(DynamoDBStore(aws.table)) as other:
        other.save(ID, Changes((Day(ago(1), NAME, 20, 4),)))
    wire.sent.clear()
    assert table.save(ID, Changes((Day(ago(1), NAME, 20, 6),))).raised == 1
    assert wire.operations == ["UpdateItem"]


def test_after_a_failed_condition_stale_groups_are_dropped(table: DynamoDBStore, wire: Wire) -> None:
    """Groups that somebody else saw later are left out of the second attempt; none left means no second one."""
    table.save(ID, Changes(snapshots=(snapshot(views=Totals(NOON, 9, 3)),)))
    wire.sent.clear()
    older = snapshot(views=Totals(NOON - HOUR, 8, 2), clones=Totals(NOON - HOUR, 1, 1))
    table.save(ID, Changes(snapshots=(older,)))
    assert [":views" in sent.body["ExpressionAttributeValues"] for sent in wire.sent] == [True, False]
    wire.sent.clear()
    table.save(ID, Changes(snapshots=(snapshot(views=Totals(NOON - HOUR, 8, 2)),)))
    assert wire.operations == ["UpdateItem"]


@pytest.mark.parametrize("failing", range(6))
def test_a_day_is_covered_only_once_it_is_stored(table: DynamoDBStore, wire: Wire, failing: int) -> None:
    """A run that crashes at any update leaves no snapshot, so that missing days are no zeros; the next stores all."""
    changes = Changes(tuple(day(age, views=age + 1) for age in range(5)), (full_snapshot(),))
    updates = count()
    denied = Answer("AccessDeniedException")
    wire.trouble = lambda _: denied if next(updates) == failing else None
    with pytest.raises(StoreError, match="AWS denies dynamodb:UpdateItem"):
        table.save(ID, changes)
    wire.trouble = lambda _: None
    left = table.load(ID)
    assert (left.snapshots, observed(left)) == ((), None)
    table.save(
        ID,
        merge(
            left,
            Observation(
                Repository(ID, NAME, private=False, pushed=None, metadata=metadata()),
                views=Series(Totals(NOON, 15, 7), changes.days),
            ),
        ),
    )
    assert len(table.load(ID).days) == 5
    assert observed(table.load(ID)) == TODAY


def test_the_snapshot_is_asked_for_when_every_day_is_answered(table: DynamoDBStore, wire: Wire) -> None:
    """The snapshot's update is the last, however many days are written side by side."""
    table.save(ID, Changes(tuple(day(age, views=1) for age in range(40)), (full_snapshot(),)))
    assert [sent.sk.partition("#")[0] for sent in wire.sent] == ["day"] * 40 + ["snapshot"]


@pytest.mark.parametrize("prefix", ["day#", "snapshot#"])
def test_an_update_whose_answer_was_lost_is_sent_again(
    table: DynamoDBStore,
    wire: Wire,
    impatient: None,  # noqa: ARG001 - it is in force
    prefix: str,
) -> None:
    """The connection breaks after the write: the second attempt meets its own numbers and moments, and succeeds."""
    times = count()
    lost = Answer(lost=True)
    wire.trouble = lambda sent: lost if sent.sk.startswith(prefix) and next(times) == 0 else None
    changes = Changes((day(1, views=7),), (full_snapshot(),))
    saved = table.save(ID, changes)
    assert saved.stored == changes
    assert saved.raised == 0
    wire.trouble = lambda _: None
    assert len(wire.sent) == 3
    assert table.load(ID) == History(ID, None, changes.days, changes.snapshots)


def test_unknown_attributes_survive(table: DynamoDBStore, aws: Aws) -> None:
    """What a newer version has added to an item, and items of a new prefix, stay and do not disturb."""
    keys = {"pk": {"S": f"repo#{ID}"}}
    extra = {"bots": {"N": "3"}, "note": {"M": {"a": {"S": "b"}}}}
    group = {"M": {"at": {"S": "2026-11-23T11:00:00Z"}, "views_14d": {"N": "1"}, "view_uniques_14d": {"N": "1"}}}
    for sk, more in (
        (f"day#{ago(1)}", {"views": {"N": "5"}}),
        (f"snapshot#{TODAY}", {"views": group, "languages": {"M": {"at": {"S": "2026-11-23T11:00:00Z"}}}}),
        ("stargazer#1", {}),
    ):
        aws.dynamodb.put_item(TableName=aws.table, Item={**keys, "sk": {"S": sk}, "repo": {"S": NAME}, **extra, **more})
    table.save(ID, Changes((day(1, views=7, clones=2),), (full_snapshot(),)))
    assert table.load(ID) == History(ID, None, (day(1, views=7, clones=2),), (full_snapshot(),))
    for sk in (f"day#{ago(1)}", f"snapshot#{TODAY}", "stargazer#1"):
        found = aws.dynamodb.get_item(TableName=aws.table, Key={**keys, "sk": {"S": sk}})["Item"]
        assert {name: found[name] for name in extra} == extra
    found = aws.dynamodb.get_item(TableName=aws.table, Key={**keys, "sk": {"S": f"snapshot#{TODAY}"}})["Item"]
    assert found["languages"] == {"M": {"at": {"S": "2026-11-23T11:00:00Z"}}}


def test_the_items_have_the_designed_form(table: DynamoDBStore, aws: Aws) -> None:
    """Other programs read the table: keys, names and types are a promise."""
    seen = snapshot(
        metadata=metadata(),
        views=Totals(NOON, 9, 3),
        clones=Totals(NOON, 4, 2),
        paths=TopPaths(NOON, (TopPath("/a", "A", 9, 3),)),
        referrers=TopReferrers(NOON, (TopReferrer("Google", 3, 2),)),
    )
    table.save(ID, Changes((Day(ago(1), NAME, 10, 5, 4, 2),), (seen,)))
    found = {item["sk"]["S"]: item for item in aws.dynamodb.scan(TableName=aws.table)["Items"]}
    at = {"S": "2026-11-23T12:00:00Z"}
    assert found["day#2026-11-22"] == {
        "pk": {"S": f"repo#{ID}"},
        "sk": {"S": "day#2026-11-22"},
        "repo": {"S": NAME},
        "views": {"N": "10"},
        "view_uniques": {"N": "5"},
        "clones": {"N": "4"},
        "clone_uniques": {"N": "2"},
    }
    held = found["snapshot#2026-11-23"]
    assert sorted(held) == ["clones", "metadata", "paths", "pk", "referrers", "repo", "sk", "views"]
    assert held["views"] == {"M": {"at": at, "views_14d": {"N": "9"}, "view_uniques_14d": {"N": "3"}}}
    assert held["clones"] == {"M": {"at": at, "clones_14d": {"N": "4"}, "clone_uniques_14d": {"N": "2"}}}
    assert held["metadata"]["M"] == {
        "at": at,
        "stars": {"N": "5"},
        "forks": {"N": "2"},
        "watchers": {"N": "3"},
        "open_issues": {"N": "1"},
        "open_pull_requests": {"N": "0"},
        "archived": {"BOOL": False},
        "created": {"S": "2020-02-02"},
    }
    (path,) = held["paths"]["M"]["rows"]["L"]
    assert path == {"M": {"path": {"S": "/a"}, "title": {"S": "A"}, "count": {"N": "9"}, "uniques": {"N": "3"}}}
    (referrer,) = held["referrers"]["M"]["rows"]["L"]
    assert referrer == {"M": {"referrer": {"S": "Google"}, "count": {"N": "3"}, "uniques": {"N": "2"}}}


def test_a_load_beside_a_save_finds_no_snapshot_without_its_days(table: DynamoDBStore, wire: Wire) -> None:
    """What another run stores between the two queries of a load leaves days without a snapshot, and no zeros."""
    seen = Changes((day(3, views=7),), (snapshot(views=Totals(NOON, 7, 3), clones=Totals(NOON, 0, 0)),))
    before = iter([lambda: None, lambda: table.save(ID, seen)])

    def interfere(sent: Sent) -> None:
        if sent.operation == "Query":
            next(before)()

    wire.trouble = interfere
    assert table.load(ID) == History(ID, None, seen.days)
    wire.trouble = lambda _: None
    assert table.load(ID) == History(ID, None, seen.days, seen.snapshots)


def test_a_scan_reads_all_pages(table: DynamoDBStore, wire: Wire) -> None:
    """A table larger than one answer is read to its end: the ids from the scan, then each history."""
    table.save(1, Changes((day(1, views=1),)))
    table.save(2, Changes((day(1, views=2),)))
    wire.sent.clear()
    assert sorted(history.repository_id for history in table.scan()) == [1, 2]
    assert wire.operations == ["Scan", "Query", "Query", "Query", "Query"]


def refusal(store: Store, attempt: Callable[[Store], object] = lambda store: store.load(ID)) -> str:
    """Give the text with which a store refuses."""
    with pytest.raises(StoreError) as refused:
        attempt(store)
    return str(refused.value)


def scan(store: Store) -> list[History]:
    return list(store.scan())


def save(store: Store) -> Saved:
    return store.save(ID, Changes((day(1, views=1),)))


@pytest.mark.parametrize("attempt", [lambda store: store.load(ID), save, scan])
def test_a_missing_table_comes_with_the_command_that_makes_it(aws: Aws, attempt: Callable[[Store], object]) -> None:
    """Whatever is tried first, the message names the table and the whole command."""
    with closing(DynamoDBStore("no-such-table")) as store:
        text = refusal(store, attempt)
    assert text.startswith(
        "store dynamodb://no-such-table: there is no such table in this account and region (us-east-1): "
    )
    assert "`aws dynamodb create-table --table-name no-such-table --billing-mode PAY_PER_REQUEST " in text
    assert aws.table not in text


def make_table(aws: Aws, name: str, keys: dict[str, str]) -> None:
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": type_} for key, type_ in keys.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )


@pytest.mark.parametrize("keys", [{"id": "S"}, {"pk": "S"}, {"timestamp": "S", "repo": "S"}])
@pytest.mark.parametrize("attempt", [lambda store: store.load(ID), save, scan])
def test_a_table_of_other_keys_is_refused(aws: Aws, keys: dict[str, str], attempt: Callable[[Store], object]) -> None:
    """A table that another program made, the article's too, is named as such, not written to and not read."""
    name = f"{aws.table}-other"
    make_table(aws, name, keys)
    filled = {key: {type_: "1"} for key, type_ in keys.items()}
    aws.dynamodb.put_item(TableName=name, Item={**filled, "views": {"N": "3"}})
    with closing(DynamoDBStore(name)) as store:
        text = refusal(store, attempt)
    assert text.startswith(f"store dynamodb://{name}: the table has other keys than pk and sk, both strings: ")
    assert aws.dynamodb.scan(TableName=name)["Items"] == [{**filled, "views": {"N": "3"}}]
    aws.dynamodb.delete_table(TableName=name)


def test_items_of_other_programs_in_the_table_are_passed_over(table: DynamoDBStore, aws: Aws) -> None:
    """A table shared with others' items, below keys of their own, is read without them."""
    aws.dynamodb.put_item(TableName=aws.table, Item={"pk": {"S": "user#1"}, "sk": {"S": "profile"}})
    save(table)
    assert [history.repository_id for history in table.scan()] == [ID]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AccessDeniedException", "AWS denies dynamodb:Query: allow it to this role"),
        ("ExpiredTokenException", "the AWS credentials have expired: get new ones and run again"),
        ("UnrecognizedClientException", "AWS does not know these credentials: check AWS_ACCESS_KEY_ID"),
        ("InvalidSignatureException", "AWS does not accept the signature: check AWS_SECRET_ACCESS_KEY"),
        ("ResourceInUseException", "the table is being changed or deleted: run again when it is active"),
        ("SomethingNew", "AWS answered SomethingNew to Query: invented"),
    ],
)
def test_each_refusal_of_aws_has_its_cure(table: DynamoDBStore, wire: Wire, aws: Aws, code: str, text: str) -> None:
    """The text says where, what and what to do, after a single attempt."""
    wire.trouble = lambda _: Answer(code)
    assert refusal(table).startswith(f"store dynamodb://{aws.table}: {text}")
    assert wire.operations == ["Query"]


@pytest.mark.parametrize("attempt", [save, scan])
def test_the_denied_operation_is_named(table: DynamoDBStore, wire: Wire, attempt: Callable[[Store], object]) -> None:
    """The right that is missing is told by its name, so that it can be added to the policy."""
    wire.trouble = lambda _: Answer("AccessDeniedException")
    assert f"AWS denies dynamodb:{'Scan' if attempt is scan else 'UpdateItem'}:" in refusal(table, attempt)


def test_a_condition_that_fails_for_no_reason_ends_the_write(table: DynamoDBStore, wire: Wire) -> None:
    """Where the same smaller item comes back a second time, nobody was faster: an error, and no loop without end."""
    smaller = {"pk": {"S": "repo#7"}, "sk": {"S": f"day#{TODAY}"}, "repo": {"S": "a/b"}, "views": {"N": "1"}}
    wire.trouble = lambda _: Answer("ConditionalCheckFailedException", item=smaller)
    with pytest.raises(RecordError, match=rf"the item repo#7 day#{TODAY} holds what no run has written: remove it: "):
        table.save(7, Changes((Day(TODAY, "a/b", views=5),)))
    assert wire.operations == ["UpdateItem", "UpdateItem"]


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_table_that_throttles_everything_is_named(
    table: DynamoDBStore,
    wire: Wire,
    impatient: None,  # noqa: ARG001 - it is in force
    code: str,
) -> None:
    """Where nothing at all gets through, the message says after many tries that nothing is lost."""
    wire.trouble = lambda _: Answer(code)
    assert "AWS throttles the requests, after several tries: run again later" in refusal(table)
    assert wire.operations == ["Query"] * 30


def test_an_unreachable_table_is_named(aws: Aws, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - it is in force
    """Where nobody answers, the region and the network are what to check."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    with closing(DynamoDBStore(aws.table)) as store:
        assert refusal(store).startswith(
            f"store dynamodb://{aws.table}: AWS cannot be reached (EndpointConnectionError"
        )


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            "there are no AWS credentials: in Actions set `role-to-assume`",
        ),
        (("AWS_SECRET_ACCESS_KEY",), "there are no AWS credentials: in Actions set `role-to-assume`"),
        (("AWS_DEFAULT_REGION",), "no AWS region is set: set `aws-region` in Actions, elsewhere AWS_DEFAULT_REGION"),
    ],
)
def test_what_the_environment_lacks_is_named(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], text: str
) -> None:
    """Without credentials or a region nothing is sent, and the text says how to set them."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers earlier tests' credentials
    for name in missing:
        monkeypatch.delenv(name)
    with ExitStack() as stores, pytest.raises(StoreError) as refused:
        stores.enter_context(closing(DynamoDBStore("traffic"))).load(ID)
    assert str(refused.value).startswith(f"store dynamodb://traffic: {text}")
    assert wire.sent == []


def test_clients_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's session is asked for one client after the other, also for a secret's beside those being opened."""
    making, at_once = list[str](), list[int]()

    def make(service: str, **_: object) -> SimpleNamespace:
        making.append(service)
        at_once.append(len(making))
        time.sleep(0.05)
        making.remove(service)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(boto3, "client", make)
    with closing(Opening("dynamodb")), closing(Opening("s3")):
        client("ssm")
    assert at_once == [1, 1, 1]


# The file


def test_the_file_is_in_wal_mode_and_marked_as_ours() -> None:
    """Readers do not stand in the writer's way, and `file` and later versions know what it is."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    with closing(sqlite3.connect("traffic.db")) as database:
        pragmas = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "user_version")]
        assert pragmas == ["wal", len(MIGRATIONS)]
        assert database.execute("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"ghtr"
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"repository", "day", "snapshot", "top_path", "top_referrer"}


def test_a_file_keeps_its_history() -> None:
    """What was saved is there when the file is opened again."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    with closing(SQLiteStore("traffic.db", create=False)) as store:
        assert store.load(ID).days == (day(1, views=1),)


def test_a_save_is_all_or_nothing() -> None:
    """Where one value cannot be written, nothing of the save is: half of an observation would be wrong coverage."""
    unwritable = TopPaths(NOON, (TopPath("/a", "A", 1, 1), TopPath("/b", "\ud800", 1, 1)))
    with closing(SQLiteStore("traffic.db")) as store:
        with pytest.raises(UnicodeEncodeError):
            store.save(ID, Changes((day(1, views=1),), (snapshot(views=Totals(NOON, 1, 1), paths=unwritable),)))
        assert list(store.scan()) == []
        save(store)
        assert store.load(ID).days == (day(1, views=1),)


def test_a_new_file_can_be_opened_by_many_at_once() -> None:
    """Whoever comes first makes the tables; the others find them."""
    start = Barrier(6)

    def begin(i: int) -> None:
        start.wait(10)
        with closing(SQLiteStore("traffic.db")) as store:
            store.save(i, Changes((day(1, views=i),)))

    with ThreadPoolExecutor(6) as executor:
        list(executor.map(begin, range(6)))
    with closing(SQLiteStore("traffic.db")) as store:
        assert sorted(history.repository_id for history in store.scan()) == list(range(6))


def refusal_of(path: str | Path, *, create: bool = True, patience: float = 0.01) -> str:
    """Give the text with which a file is refused, without its beginning, which names the file."""
    with pytest.raises(StoreError) as refused:
        SQLiteStore(str(path), create=create, patience=patience)
    where, _, text = str(refused.value).partition(f"store sqlite:{path}: ")
    assert where == ""
    return text


def test_a_file_that_is_no_database_is_left_alone() -> None:
    """A text file, say a wrong path, is refused and keeps its bytes."""
    Path("notes.txt").write_text("not a database, but long enough to look at\n" * 40)
    before = Path("notes.txt").read_bytes()
    assert refusal_of("notes.txt") == "is no SQLite database: name another file, or move this one away"
    assert Path("notes.txt").read_bytes() == before


def test_the_database_of_another_program_is_left_alone() -> None:
    """Tables that are not ours are refused, and not a byte of the file is changed."""
    with closing(sqlite3.connect("other.db")) as database:
        database.execute("CREATE TABLE day (theirs TEXT)")
    before = Path("other.db").read_bytes()
    assert refusal_of("other.db") == "is the database of another program: name another file"
    assert Path("other.db").read_bytes() == before


def test_a_file_of_a_newer_version_is_left_alone() -> None:
    """A form that this version does not know is refused, with both versions' numbers."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    with closing(sqlite3.connect("traffic.db")) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    known = len(MIGRATIONS)
    text = f"was written by a newer ghtraffic (form {known + 1}, this one knows {known}): upgrade ghtraffic"
    assert refusal_of("traffic.db") == text


def test_a_file_of_an_older_form_is_brought_up_to_date() -> None:
    """What is stored stays, each step that the file lacks is taken once, and the older version then refuses it."""
    later = (
        MIGRATIONS[0],
        "CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('2');",
        "INSERT INTO note VALUES ('3');",
    )
    with closing(SQLiteStore("traffic.db", forms=later[:1])) as store:
        save(store)
    for _ in range(2):
        with closing(SQLiteStore("traffic.db", forms=later)) as store:
            assert store.load(ID).days == (day(1, views=1),)
    with closing(sqlite3.connect("traffic.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (3,)
        assert database.execute("SELECT text FROM note").fetchall() == [("2",), ("3",)]
    assert refusal_of("traffic.db") == "was written by a newer ghtraffic (form 3, this one knows 1): upgrade ghtraffic"


def test_a_step_that_fails_leaves_the_older_form() -> None:
    """A file is brought up to date in one transaction: where that fails, the version that wrote it can still use it."""
    with closing(SQLiteStore("traffic.db")) as store:
        save(store)
    broken = (*MIGRATIONS, "CREATE TABLE note (text TEXT); INSERT INTO notes VALUES ('2');")
    with pytest.raises(StoreError, match=r"store sqlite:traffic\.db: failed: no such table: notes"):
        SQLiteStore("traffic.db", forms=broken)
    with closing(SQLiteStore("traffic.db")) as store:
        assert store.load(ID).days == (day(1, views=1),)


def test_a_repository_is_listed_by_its_newest_name() -> None:
    """Who looks into the file finds the name last seen, also after older days came with a backup."""
    with closing(SQLiteStore("traffic.db")) as store:
        store.save(ID, Changes((day(1, views=1),), (snapshot(name="lab/new", views=Totals(NOON, 1, 1)),)))
        store.save(ID, Changes((day(40, views=1, name="lab/old"), day(1, views=2, name="lab/old"))))
    with closing(sqlite3.connect("traffic.db")) as database:
        assert database.execute("SELECT id, name FROM repository").fetchall() == [(ID, "lab/new")]


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Write a database and do not end, as another program may."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


def test_a_locked_file_is_waited_for_and_then_named() -> None:
    """Another program that does not end its write stops a save and an opening, each with the same cure."""
    text = "is locked by another program: run again when that has ended"
    with closing(SQLiteStore("traffic.db", patience=0.01)) as store:
        with locked("traffic.db"):
            assert refusal(store, save) == f"store sqlite:traffic.db: {text}"
            assert refusal_of("traffic.db") == text
            assert store.load(ID) == History(ID)
        save(store)
        assert len(store.load(ID).days) == 1


def test_a_missing_file_is_not_made_by_a_rebuild() -> None:
    """An export from a store that is not there names what to do, and leaves no empty file."""
    text = "there is no such file: name the store that `ghtraffic collect` keeps"
    assert refusal_of("missing.db", create=False) == text
    with pytest.raises(StoreError, match=r"store sqlite:missing.db: there is no such file"):
        open_store("sqlite:missing.db", create=False)
    assert not Path("missing.db").exists()


def test_a_file_whose_folder_cannot_be_used_is_named() -> None:
    """A folder that is missing, or is a file, is said to be the trouble."""
    Path("file").touch()
    text = "cannot be opened: make its folder, and give this user the right to write there"
    assert refusal_of("missing/traffic.db") == text
    assert refusal_of("file/traffic.db") == text
    assert refusal_of(".") == text


def test_a_file_that_may_only_be_read_is_named(others_folder: Path) -> None:
    """Without the right to write the file the cure is that right."""
    path = others_folder / "traffic.db"
    with closing(SQLiteStore(str(path))) as store:
        save(store)
    text = "cannot be written: give this user the right to write the file and its folder"
    with without_rights(others_folder):
        assert refusal_of(path) == text


def test_a_folder_that_may_not_be_written_is_named(others_folder: Path) -> None:
    """Without the right to make the file the cure is the folder's."""
    text = "cannot be opened: make its folder, and give this user the right to write there"
    with without_rights(others_folder):
        assert refusal_of(others_folder / "traffic.db") == text


def test_the_numbers_of_a_day_are_the_columns_of_the_store() -> None:
    """The vocabulary is one: what a day counts has the same names in the table, the file and the export."""
    assert NUMBERS == ("views", "view_uniques", "clones", "clone_uniques")
    with closing(SQLiteStore("traffic.db")):
        pass
    with closing(sqlite3.connect("traffic.db")) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(day)")]
    assert columns == ["repository_id", "day", "repository", *NUMBERS]
