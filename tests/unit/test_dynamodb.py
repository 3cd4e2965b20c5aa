"""The DynamoDB store: its requests, conditions, faults and items."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import boto3
import pytest

from ghtraffic_action.aws import BackgroundClient, client
from ghtraffic_action.errors import RecordError, StoreError
from ghtraffic_action.stores.base import Saved, Store
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from ghtraffic_action.traffic.coverage import observed
from ghtraffic_action.traffic.merge import merge
from ghtraffic_action.traffic.model import Changes, Day, History, TopPath, TopPaths, TopReferrer, TopReferrers, Totals
from ghtraffic_action.traffic.observation import Observation, Repository, Series
from ghtraffic_action.traffic.stars import StarYear
from tests.support.aws import Aws, create_table
from tests.support.builders import NAME
from tests.support.fault_proxy import LOST, FaultProxy, Request, dynamodb_error, one_by_one
from tests.support.histories import (
    HOUR,
    ID,
    NOON,
    TODAY,
    ago,
    day,
    full_snapshot,
    metadata,
    refusal,
    save,
    scan,
    snapshot,
)


def run(
    store: Store, days: tuple[Day, ...], at: datetime = NOON, *, since: date | None = None, stars: int = 5
) -> Saved:
    """Load, merge and save an observation of these days."""
    observation = Observation(
        Repository(ID, NAME, private=False, pushed=None, metadata=metadata(at, stars)),
        views=Series(Totals(at, sum(d.views or 0 for d in days), 3), days),
        clones=Series(Totals(at, 1, 1), ()),
    )
    return store.save(ID, merge(store.load(ID, since), observation))


def window(newest: int, today: int, yesterday: int) -> tuple[Day, ...]:
    """Return 14 days up to `newest` days ago, the last two still growing."""
    older = (day(newest + age, views=100 - newest - age) for age in range(13, 1, -1))
    return (*older, day(newest + 1, views=yesterday), day(newest, views=today))


def steady_run(store: Store, proxy: FaultProxy) -> list[str]:
    """Run on the day after a first run. Return the requests to the table."""
    since = ago(31)
    run(store, window(1, today=3, yesterday=98), NOON - timedelta(days=1), since=since)
    proxy.requests.clear()
    saved = run(store, window(0, today=4, yesterday=98), since=since)
    assert (saved.inserted, saved.raised) == (1, 1)
    return proxy.operations


def test_a_steady_run_makes_five_requests(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """A run sends two queries and three updates: two days and the snapshot."""
    assert steady_run(table, proxy) == ["Query", "Query", "UpdateItem", "UpdateItem", "UpdateItem"]
    assert [request.body["ConsistentRead"] for request in proxy.requests[:2]] == [True, True]


def test_the_history_s_length_costs_nothing(table: DynamoDBStore, proxy: FaultProxy, aws: Aws) -> None:
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
    assert steady_run(table, proxy) == ["Query", "Query", "UpdateItem", "UpdateItem", "UpdateItem"]
    assert len(table.load(ID, ago(31)).days) == 15
    assert len(table.load(ID).days) == 3_665


def test_a_rerun_writes_nothing(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """With equal answers a run sends two queries and no update."""
    steady_run(table, proxy)
    proxy.requests.clear()
    assert run(table, window(0, today=4, yesterday=98), NOON + HOUR) == Saved(Changes())
    assert proxy.operations == ["Query", "Query"]


def test_an_update_says_only_what_rises(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """If only the count has grown, only the count is written."""
    table.save(ID, Changes((Day(ago(1), NAME, 10, 5, 4, 2),)))
    proxy.requests.clear()
    run(table, (Day(ago(1), NAME, views=12, view_uniques=5),))
    (update,) = [
        request
        for request in proxy.requests
        if request.operation == "UpdateItem" and request.sort_key.startswith("day#")
    ]
    assert sorted(update.body["ExpressionAttributeNames"].values()) == ["views"]


def test_after_a_failed_condition_only_what_still_rises_is_written(
    table: DynamoDBStore, proxy: FaultProxy, aws: Aws
) -> None:
    """The failed condition returns the item, so one more update is enough, without reading."""
    seen = Changes((Day(ago(1), NAME, 20, 4, 3, 3),))
    with closing(DynamoDBStore(aws.table)) as other:
        other.save(ID, Changes((Day(ago(1), NAME, 30, 9, 2, 2),)))
    proxy.requests.clear()
    assert table.save(ID, seen).raised == 1
    assert proxy.operations == ["UpdateItem", "UpdateItem"]
    assert sorted(proxy.requests[1].body["ExpressionAttributeNames"].values()) == ["clone_uniques", "clones"]


def test_an_equal_number_of_another_run_does_not_stand_in_the_way(
    table: DynamoDBStore, proxy: FaultProxy, aws: Aws
) -> None:
    """If another run has already stored one of the numbers, the first attempt still writes the other."""
    with closing(DynamoDBStore(aws.table)) as other:
        other.save(ID, Changes((Day(ago(1), NAME, 20, 4),)))
    proxy.requests.clear()
    assert table.save(ID, Changes((Day(ago(1), NAME, 20, 6),))).raised == 1
    assert proxy.operations == ["UpdateItem"]


def test_after_a_failed_condition_stale_groups_are_dropped(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """The second attempt omits groups that another run stored later; without any left there is no second attempt."""
    table.save(ID, Changes(snapshots=(snapshot(views=Totals(NOON, 9, 3)),)))
    proxy.requests.clear()
    older = snapshot(views=Totals(NOON - HOUR, 8, 2), clones=Totals(NOON - HOUR, 1, 1))
    table.save(ID, Changes(snapshots=(older,)))
    assert [":views" in request.body["ExpressionAttributeValues"] for request in proxy.requests] == [True, False]
    proxy.requests.clear()
    table.save(ID, Changes(snapshots=(snapshot(views=Totals(NOON - HOUR, 8, 2)),)))
    assert proxy.operations == ["UpdateItem"]


@pytest.mark.parametrize("failing", range(6))
def test_a_day_is_covered_only_once_it_is_stored(table: DynamoDBStore, proxy: FaultProxy, failing: int) -> None:
    """A crash at any update leaves no snapshot, so missing days are not zeros; the next run stores all."""
    changes = Changes(tuple(day(age, views=age + 1) for age in range(5)), (full_snapshot(),))
    updates = count()
    denied = dynamodb_error("AccessDeniedException")
    proxy.fault = one_by_one(lambda _: denied if next(updates) == failing else None)
    with pytest.raises(StoreError, match="AWS denies dynamodb:UpdateItem"):
        table.save(ID, changes)
    proxy.fault = lambda _: None
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


def test_the_snapshot_is_asked_for_when_every_day_is_answered(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """The snapshot's update is sent after the responses to all days."""
    proxy.fault = one_by_one(lambda _: None)
    table.save(ID, Changes(tuple(day(age, views=1) for age in range(40)), (full_snapshot(),)))
    updates = [request for request in proxy.requests if request.operation == "UpdateItem"]
    assert [request.sort_key.partition("#")[0] for request in updates] == ["day"] * 40 + ["snapshot"]


FIRST = Changes(
    tuple(day(age, views=age + 1, clones=2) for age in reversed(range(14))),
    (full_snapshot(),),
    (StarYear(2020, NAME, NOON, ((date(2020, 2, 2), 5),)), StarYear(2021, NAME, NOON, ())),
)
"""What the first run of a repository stores."""


def test_a_new_repository_is_written_in_one_transaction(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """The transaction writes the same items as single updates would."""
    assert table.save(ID, FIRST) == Saved(FIRST, inserted=14)
    assert proxy.operations == ["TransactWriteItems"]
    proxy.fault = one_by_one(lambda _: None)
    assert table.save(ID + 1, FIRST) == Saved(FIRST, inserted=14)
    together, apart = table.load(ID), table.load(ID + 1)
    assert replace(together, repository_id=ID + 1) == apart
    assert (apart.days, apart.snapshots, apart.stars) == (FIRST.days, FIRST.snapshots, FIRST.stars)


def test_a_transaction_that_meets_a_stored_day_writes_nothing_itself(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """Days are then written one by one, and the other run's larger numbers stay."""
    table.save(ID, Changes((day(3, views=90, clones=1),)))
    proxy.requests.clear()
    saved = table.save(ID, FIRST)
    assert (saved.inserted, saved.raised) == (13, 1)
    assert proxy.operations.count("TransactWriteItems") == 1
    assert {d.day: (d.views, d.clones) for d in table.load(ID).days}[ago(3)] == (90, 2)


@pytest.mark.usefixtures("impatient")
def test_a_transaction_whose_answer_was_lost_stores_all(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """The retry has the same token; if it is refused, the stored days are read."""
    times = count()
    proxy.fault = lambda _: LOST if next(times) == 0 else None
    assert table.save(ID, FIRST).stored == FIRST
    tokens = {r.body["ClientRequestToken"] for r in proxy.requests if r.operation == "TransactWriteItems"}
    assert len(tokens) == 1
    proxy.fault = lambda _: None
    assert table.load(ID).days == FIRST.days


@pytest.mark.parametrize("days", [3, 100])
def test_few_days_and_too_many_are_written_one_by_one(table: DynamoDBStore, proxy: FaultProxy, days: int) -> None:
    """Three days may be a run's after a short gap; a transaction holds 100 items, here 100 days and a snapshot."""
    table.save(ID, Changes(tuple(day(age, views=1) for age in range(days)), (full_snapshot(),)))
    assert proxy.operations == ["UpdateItem"] * (days + 1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("prefix", ["day#", "snapshot#"])
def test_an_update_whose_answer_was_lost_is_sent_again(
    table: DynamoDBStore,
    proxy: FaultProxy,
    prefix: str,
) -> None:
    """The retry finds its own numbers and moments stored, and succeeds."""
    times = count()
    proxy.fault = lambda request: LOST if request.sort_key.startswith(prefix) and next(times) == 0 else None
    changes = Changes((day(1, views=7),), (full_snapshot(),))
    saved = table.save(ID, changes)
    assert saved.stored == changes
    assert saved.raised == 0
    proxy.fault = lambda _: None
    assert len(proxy.requests) == 3
    assert table.load(ID) == History(ID, None, changes.days, changes.snapshots)


def test_unknown_attributes_survive(table: DynamoDBStore, aws: Aws) -> None:
    """Attributes and items that a newer version added are ignored and stay."""
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
    """Keys, names and types are fixed, since other programs read the table."""
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


def test_a_load_beside_a_save_finds_no_snapshot_without_its_days(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """A save between the two queries of a load adds days without a snapshot, never zeros."""
    seen = Changes((day(3, views=7),), (snapshot(views=Totals(NOON, 7, 3), clones=Totals(NOON, 0, 0)),))
    queries = count(1)

    def interfere(request: Request) -> None:
        if request.operation == "Query" and next(queries) == 2:
            table.save(ID, seen)

    proxy.fault = interfere
    assert table.load(ID) == History(ID, None, seen.days)
    proxy.fault = lambda _: None
    assert table.load(ID) == History(ID, None, seen.days, seen.snapshots)


def test_a_scan_reads_all_pages(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """A table larger than one answer is read to its end: the ids from the scan, then each history."""
    table.save(1, Changes((day(1, views=1),)))
    table.save(2, Changes((day(1, views=2),)))
    proxy.requests.clear()
    assert sorted(history.repository_id for history in table.scan()) == [1, 2]
    assert proxy.operations == ["Scan", "Query", "Query", "Query", "Query"]


@pytest.mark.parametrize("attempt", [lambda store: store.load(ID), save, scan])
def test_a_missing_table_comes_with_the_command_that_makes_it(aws: Aws, attempt: Callable[[Store], object]) -> None:
    """The first operation of any kind reports the table and the whole command."""
    with closing(DynamoDBStore("no-such-table")) as store:
        text = refusal(store, attempt)
    assert text.startswith(
        "store dynamodb://no-such-table: there is no such table in this account and region (us-east-1): "
    )
    assert "`aws dynamodb create-table --table-name no-such-table --billing-mode PAY_PER_REQUEST " in text
    assert aws.table not in text


@pytest.mark.parametrize("keys", [{"id": "S"}, {"pk": "S"}, {"timestamp": "S", "repo": "S"}])
@pytest.mark.parametrize("attempt", [lambda store: store.load(ID), save, scan])
def test_a_table_of_other_keys_is_refused(aws: Aws, keys: dict[str, str], attempt: Callable[[Store], object]) -> None:
    """The table of another program, such as the article's, is refused, neither read nor written."""
    name = f"{aws.table}-other"
    create_table(aws.dynamodb, name, keys)
    filled = {key: {type_: "1"} for key, type_ in keys.items()}
    aws.dynamodb.put_item(TableName=name, Item={**filled, "views": {"N": "3"}})
    with closing(DynamoDBStore(name)) as store:
        text = refusal(store, attempt)
    assert text.startswith(f"store dynamodb://{name}: the table has other keys than pk and sk, both strings: ")
    assert aws.dynamodb.scan(TableName=name)["Items"] == [{**filled, "views": {"N": "3"}}]
    aws.dynamodb.delete_table(TableName=name)


def test_items_of_other_programs_in_the_table_are_passed_over(table: DynamoDBStore, aws: Aws) -> None:
    """Items with other keys in a shared table are skipped."""
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
def test_each_refusal_of_aws_has_its_cure(
    table: DynamoDBStore, proxy: FaultProxy, aws: Aws, code: str, text: str
) -> None:
    """The error has place, problem and remedy, after a single attempt."""
    proxy.fault = lambda _: dynamodb_error(code)
    assert refusal(table).startswith(f"store dynamodb://{aws.table}: {text}")
    assert proxy.operations == ["Query"]


@pytest.mark.parametrize("attempt", [save, scan])
def test_the_denied_operation_is_named(
    table: DynamoDBStore, proxy: FaultProxy, attempt: Callable[[Store], object]
) -> None:
    """The error names the missing permission, which can be added to the policy."""
    proxy.fault = lambda _: dynamodb_error("AccessDeniedException")
    assert f"AWS denies dynamodb:{'Scan' if attempt is scan else 'UpdateItem'}:" in refusal(table, attempt)


def test_a_condition_that_fails_for_no_reason_ends_the_write(table: DynamoDBStore, proxy: FaultProxy) -> None:
    """If a failed condition returns the same smaller item twice, the save fails instead of looping."""
    smaller = {"pk": {"S": "repo#7"}, "sk": {"S": f"day#{TODAY}"}, "repo": {"S": "a/b"}, "views": {"N": "1"}}
    proxy.fault = lambda _: dynamodb_error("ConditionalCheckFailedException", Item=smaller)
    with pytest.raises(RecordError, match=rf"the item repo#7 day#{TODAY} has invalid values: remove it: "):
        table.save(7, Changes((Day(TODAY, "a/b", views=5),)))
    assert proxy.operations == ["UpdateItem", "UpdateItem"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_table_that_throttles_everything_is_named(table: DynamoDBStore, proxy: FaultProxy, code: str) -> None:
    """If all requests are throttled, the run fails after many attempts, and the message says that nothing is lost."""
    proxy.fault = lambda _: dynamodb_error(code)
    assert "AWS throttles the requests, after several tries: run again later" in refusal(table)
    assert proxy.operations == ["Query"] * 30


@pytest.mark.usefixtures("impatient")
def test_an_unreachable_table_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """If AWS does not answer, the message suggests to check the region and the network."""
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
            "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        (("AWS_SECRET_ACCESS_KEY",), "the AWS credentials lack AWS_SECRET_ACCESS_KEY: set it"),
        (("AWS_DEFAULT_REGION",), "no AWS region is set: set AWS_DEFAULT_REGION"),
    ],
)
def test_what_the_environment_lacks_is_named(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], text: str
) -> None:
    """Without credentials or a region no request is sent, and the error has the remedy."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers earlier tests' credentials
    for name in missing:
        monkeypatch.delenv(name)
    with ExitStack() as stores, pytest.raises(StoreError) as refused:
        stores.enter_context(closing(DynamoDBStore("traffic"))).load(ID)
    assert str(refused.value).startswith(f"store dynamodb://traffic: {text}")
    assert proxy.requests == []


def test_clients_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's session creates one client after the other, since it is not thread-safe."""
    making, at_once = list[str](), list[int]()

    def make(service: str, **_: object) -> SimpleNamespace:
        making.append(service)
        at_once.append(len(making))
        time.sleep(0.05)
        making.remove(service)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(boto3, "client", make)
    with closing(BackgroundClient("dynamodb")), closing(BackgroundClient("s3")):
        client("ssm")
    assert at_once == [1, 1, 1]
