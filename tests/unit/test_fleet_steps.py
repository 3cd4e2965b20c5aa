"""The steps of a fleet's run, executed in sequence as by the state machine."""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.exports.catalogue import CatalogueEntry
from ghtraffic_action.exports.incremental import ExportBefore
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.fleet.batches import parse_batch
from ghtraffic_action.fleet.choice import MOST, Candidates, choose
from ghtraffic_action.fleet.summary import merge_reports
from ghtraffic_action.invocation import RunFailedError
from ghtraffic_action.lambda_handler import handler
from ghtraffic_action.settings import read_settings
from ghtraffic_action.traffic.model import Metadata
from ghtraffic_action.traffic.observation import Repository
from tests.support.aws import Aws
from tests.support.builders import TOKEN
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.fleet import BATCHES, BY_TOKEN, CREDENTIALS, INSTALLED, event_of_list, fleet_github, put_secrets

EACH = 3


class Context:
    """The context of an invocation with all its time left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the remaining milliseconds."""
        return 900_000


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Return a fake GitHub with three repositories of each of four owners."""
    with fleet_github(EACH) as github:
        yield github


@pytest.fixture
def function(aws: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Set the environment of the state machine's function."""
    put_or_keep(boto3.client("ssm"))
    given = {"STORE": aws.store, "EXPORT_TO": aws.export_to, "ONCE_A_DAY": "true"}
    for name, value in given.items():
        monkeypatch.setenv(f"GHTRAFFIC_{name}", value)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "fleet")
    return aws


def put_or_keep(ssm: Any) -> None:  # noqa: ANN401 - a client of the SDK's
    """Store the secrets if an earlier test has not: the emulator is shared."""
    if not ssm.get_parameters_by_path(Path="/ghtraffic/fleet")["Parameters"]:
        put_secrets(ssm)


def answer(event: Mapping[str, Any]) -> dict[str, Any]:
    """Invoke the function with an event."""
    return handler(json.loads(json.dumps(event)), Context())


def lines(aws: Aws, listed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the batches that a list step wrote."""
    body = aws.s3.get_object(Bucket=listed["bucket"], Key=listed["key"])["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


def run_fleet(aws: Aws, run: str, credentials: object = CREDENTIALS) -> dict[str, Any]:
    """Execute all steps of a run; a batch that fails stays failed."""
    listed = answer(event_of_list(run, credentials))
    for line in lines(aws, listed):
        try:
            answer({"step": "collect", "batch": line})
        except RunFailedError:
            continue
    return answer({"step": "export", "run": run, "errors": listed["errors"]})


def catalogue(aws: Aws) -> list[str]:
    """Return the names of the exported repositories, sorted."""
    rows = csv.DictReader(io.StringIO(aws.file("v1/latest/repositories.csv")))
    return sorted(row["repository"] for row in rows)


def assert_equals_a_rebuild() -> None:
    """Check that the export agrees with the store."""
    verified = verify_all(read_settings("verify", os.environ), repair=False)
    assert not verified.problems
    assert verified.files


def test_four_credentials_have_a_batch_each_and_one_export(function: Aws, github: FakeGitHub) -> None:
    """Each batch has all repositories of its credential; the export equals a rebuild."""
    listed = answer(event_of_list("one"))
    assert (listed["credentials"], listed["errors"]) == (4, [])
    assert listed["key"] == "traffic/runs/one/batches.jsonl"
    batches = [parse_batch(line) for line in lines(function, listed)]
    assert [batch.name for batch in batches] == [*BATCHES]
    for batch, owner in zip(batches, (*INSTALLED, BY_TOKEN), strict=True):
        assert {name.partition("/")[0] for name in batch.repositories} == {owner}
        assert len(batch.repositories) == len(batch.ids) == EACH
    for line in lines(function, listed):
        assert answer({"step": "collect", "batch": line}) == {"batch": line["batch"], "collected": EACH, "failed": 0}
    keys = [found["Key"] for found in function.s3.list_objects_v2(Bucket=function.bucket)["Contents"]]
    assert [key for key in keys if "/v1/" in key] == []
    done = answer({"step": "export", "run": "one", "errors": []})
    assert (done["failed"], done["cause"], done["repositories"]) == (False, "", 4 * EACH)
    assert catalogue(function) == sorted(found.name for found in github.repositories)
    assert_equals_a_rebuild()


def test_what_was_observed_today_is_not_listed_again(function: Aws, github: FakeGitHub) -> None:
    """A second run of the day has no batches and writes nothing."""
    run_fleet(function, "first")
    github.requests.clear()
    listed = answer(event_of_list("second"))
    assert (listed["credentials"], listed["errors"]) == (0, [])
    assert answer({"step": "export", "run": "second", "errors": []})["written"] == 0
    assert not [request for request in github.requests if "/traffic/" in request.path]


def test_a_failed_batch_keeps_no_other_from_the_export(function: Aws, github: FakeGitHub) -> None:
    """The run fails and names the batch; what it stored is exported, and the next run collects the rest."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path=r"high-tide/boat-1002/traffic")
    done = run_fleet(function, "first")
    assert done["failed"]
    assert done["cause"] == "1 of 4 batches failed: 1-high-tide"
    assert catalogue(function) == sorted(f.name for f in github.repositories if f.name != "high-tide/boat-1002")
    assert_equals_a_rebuild()
    github.allow()
    [line] = lines(function, answer(event_of_list("second")))
    assert line["repositories"] == ["high-tide/boat-1002"]
    assert not run_fleet(function, "third")["failed"]
    assert len(catalogue(function)) == 4 * EACH


def test_a_repository_that_is_refused_for_good_is_reported_by_its_batch(function: Aws, github: FakeGitHub) -> None:
    """It is counted for the alarm, and does not fail the run."""
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="north-bay/boat-3001/traffic")
    listed = answer(event_of_list("one", [CREDENTIALS[1] | {"repositories": f"{BY_TOKEN}/* {BY_TOKEN}/gone"}]))
    [line] = lines(function, listed)
    assert (line["repositories"][-1], len(line["ids"])) == (f"{BY_TOKEN}/gone", EACH)
    assert answer({"step": "collect", "batch": line}) == {"batch": "1-token", "collected": EACH - 1, "failed": 2}
    report = json.loads(function.file("runs/one/1-token.json"))
    assert {found["name"] for found in report["repositories"] if found["errors"]} == {
        f"{BY_TOKEN}/gone",
        f"{BY_TOKEN}/boat-3001",
    }
    assert not answer({"step": "export", "run": "one", "errors": []})["failed"]


def test_a_credential_that_fails_keeps_no_other_from_its_batch(function: Aws, github: FakeGitHub) -> None:
    """With an unknown owner or a missing parameter the run fails at its end with the reason."""
    wrong = [
        {"repositories": "nobody-here/*", "github-token": CREDENTIALS[1]["github-token"]},
        {"repositories": f"{BY_TOKEN}/*", "github-token": "ssm:/ghtraffic/fleet/missing"},
    ]
    done = run_fleet(function, "one", [*wrong, *CREDENTIALS])
    assert done["failed"]
    assert "Credentials, entry 1: nobody-here/*: GitHub knows no such owner" in done["cause"]
    assert "Credentials, entry 2: ssm:/ghtraffic/fleet/missing" in done["cause"]
    assert len(catalogue(function)) == 4 * EACH
    assert github.requests


def test_a_run_of_many_batches_sends_one_mail(
    function: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step sends the alerts of all batches; a batch sends none."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    topic, queue = (
        sns.create_topic(Name=function.table)["TopicArn"],
        sqs.create_queue(QueueName=function.table)["QueueUrl"],
    )
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("GHTRAFFIC_ALERTS", topic)
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=r"(north-bay|deep-sea)/.*/traffic")
    run_fleet(function, "one")
    [message] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    mail = json.loads(message["Body"])
    assert mail["Subject"] == "ghtraffic: nothing collected (2)"
    assert "north-bay" in mail["Message"]
    assert "deep-sea" in mail["Message"]
    alerts = json.loads(function.file("v1/latest/run.json"))["alerts"]
    assert [alert["kind"] for alert in alerts] == ["nothing collected", "nothing collected"]


def test_entries_of_one_credential_share_a_batch(function: Aws) -> None:
    """Two processes with one credential would exceed its pace."""
    twice = [CREDENTIALS[1] | {"repositories": f"{BY_TOKEN}/boat-{number}"} for number in (3000, 3001, 3001)]
    [line] = lines(function, answer(event_of_list("one", twice)))
    assert line["repositories"] == [f"{BY_TOKEN}/boat-3000", f"{BY_TOKEN}/boat-3001"]


def test_the_schedule_of_one_function_beside_it_does_no_harm(
    function: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain runs between the steps lose nothing, and nothing is written twice."""
    listed = answer(event_of_list("one"))
    first, *others = lines(function, listed)
    answer({"step": "collect", "batch": first})
    with monkeypatch.context() as plain:
        plain.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
        report = handler({"repositories": " ".join(found.name for found in github.repositories)}, Context())
    assert report["exit_code"] == 0
    assert sum(found["inserted"] for found in report["repositories"]) == 3 * EACH * 14
    for line in others:
        answer({"step": "collect", "batch": line})
    done = answer({"step": "export", "run": "one", "errors": listed["errors"]})
    assert (done["failed"], done["written"]) == (False, 0)
    assert_equals_a_rebuild()


def test_an_unreadable_catalogue_keeps_nothing_from_being_collected(function: Aws) -> None:
    """The days are stored; the list reports the cause, and the export fails with it."""
    function.s3.put_object(Bucket=function.bucket, Key="traffic/v1/latest/repositories.csv", Body=b"no,catalogue\n")
    listed = answer(event_of_list("one"))
    assert listed["credentials"] == 4
    [error] = listed["errors"]
    assert "repositories.csv" in error
    for line in lines(function, listed):
        answer({"step": "collect", "batch": line})
    with pytest.raises(RunFailedError, match=r"repositories\.csv"):
        answer({"step": "export", "run": "one", "errors": []})


def test_the_report_of_all_batches_is_that_of_one_run(
    function: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Totals, movers and refusals equal those of one process; a run without batches keeps the last report."""
    for number in (1, 2002):
        owner = next(found.name for found in github.repositories if found.name.endswith(f"boat-{number}"))
        github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"{owner}/traffic")
    run_fleet(function, "one")
    ours = json.loads(function.file("v1/latest/run.json"))
    run_fleet(function, "two", CREDENTIALS[1:])
    assert json.loads(function.file("v1/latest/run.json")) == ours
    names = " ".join(found.name for found in github.repositories)
    with monkeypatch.context() as plain:
        plain.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
        plain.setenv("GHTRAFFIC_ONCE_A_DAY", "false")
        theirs = handler({"repositories": names}, Context())
    assert ours.keys() == theirs.keys()
    for part in ("totals", "movers", "refusals", "deadline", "unfinished", "exit_code", "errors"):
        assert ours[part] == theirs[part], part
    assert [found["name"] for found in ours["repositories"]] == [found["name"] for found in theirs["repositories"]]
    counted = {name: ours["counts"][name] - theirs["counts"][name] for name in ours["counts"]}
    assert counted == dict.fromkeys(counted, 0) | {"inserted": (4 * EACH - 2) * 14}
    assert len(ours["refusals"][0]["repositories"]) == 2


def test_reports_of_batches_that_were_cut_short_are_merged() -> None:
    """The merged report has the longest waiting repository, the first deadline, unknown totals and the cause."""

    def report(name: str, day: int, views: int | None) -> dict[str, Any]:
        left = {"number": day, "stalest": name, "deadline": f"2026-12-{day:02}"}
        totals = {"views_14d": views, "last_7_days": {"views": {"now": 1}}}
        lists = ("selected", "warnings", "remaining", "unlisted", "refusals", "movers", "alerts")
        empty: dict[str, Any] = {part: [] for part in lists}
        one = {"repositories": [], "errors": [name], "interrupted": day == 2, "fresh": 1, "failures_allowed": 0}
        one |= {"counts": {"collected": 1}, "totals": totals, "unfinished": left, "exit_code": 0}
        return empty | one | {"deadline": f"2026-12-{day:02}", "token_ends": None}

    parts = [report("a/late", 9, None), report("a/soon", 2, 5)]
    merged = merge_reports(parts, ExportResult(("daily.csv",)), ["1 of 3 batches failed: 3-x"])
    assert merged["unfinished"] == {"number": 11, "stalest": "a/soon", "deadline": "2026-12-02"}
    assert (merged["deadline"], merged["token_ends"], merged["interrupted"]) == ("2026-12-02", None, True)
    assert merged["totals"] == {"views_14d": 5, "last_7_days": {"views": {"now": 2}}}
    assert merged["counts"] == {"collected": 2, "exported": 1}
    assert merged["errors"] == ["1 of 3 batches failed: 3-x", "a/late", "a/soon"]
    assert merged["exit_code"] == 1


AT = datetime(2026, 11, 26, 12, 47, tzinfo=UTC)


def candidates(number: int, length: int = 1) -> Candidates:
    """Return candidates with ids from 1 on, and one refused name."""
    numbers = Metadata(AT, 0, 0, 0, 0, 0, archived=False, created=date(2020, 2, 2))
    ids = range(1, number + 1)
    found = {at: Repository(at, "a/" + "b" * length, private=False, pushed=None, metadata=numbers) for at in ids}
    return Candidates("1-token", {"github_token": "ssm:/a"}, found, {"a/refused": None})


@pytest.mark.parametrize(("number", "length", "taken"), [(5, 1, 5), (MOST + 1, 1, MOST), (MOST, 100, 1_790)])
def test_a_batch_holds_what_one_process_can_do(number: int, length: int, taken: int) -> None:
    """A batch has at most the repositories of 14 minutes, and fits into an execution's input."""
    batch, left = choose("one", candidates(number, length), ExportBefore(), AT)
    assert taken <= len(batch.ids) <= taken * 1.01
    assert len(batch.repositories) == len(batch.ids) + 1
    assert (left.number if left else 0) == number - len(batch.ids)
    assert len(json.dumps({"names": batch.repositories, "ids": batch.ids})) < 256 * 1024 - 20_000


def test_the_stalest_are_taken_and_the_others_are_judged_by_their_deadline() -> None:
    """Repositories observed today are left out; others wait, and are reported if their deadline is near."""
    today = AT.date()

    def entry(age: int) -> CatalogueEntry:
        return CatalogueEntry(date(2026, 1, 1), 0, today - timedelta(days=age), "a/b")

    known = {1: entry(0), 2: entry(1), 3: entry(9)} | {at: entry(5) for at in range(4, MOST + 4)}
    batch, left = choose("one", candidates(MOST + 3), ExportBefore(known), AT)
    assert (batch.ids[0], len(batch.ids)) == (3, MOST)
    assert {1, 2}.isdisjoint(batch.ids)
    assert left
    assert (left.number, left.safe) == (2, True)
    late = {at: entry(30) for at in range(1, MOST + 2)}
    _, left = choose("one", candidates(MOST + 1), ExportBefore(late), AT)
    assert left
    assert not left.safe
    assert "others fill the batch" in left.text


SECRET = "github_pat_" + "1a2b3c4d5e6f7g8h9i0j"


@pytest.mark.parametrize(
    ("credentials", "error"),
    [
        ("", "expected a list"),
        ([], "expected a list"),
        (["octo-lab/*"], "expected a list"),
        ({"repositories": "octo-lab/*"}, "expected a list"),
        ([{"repositories": "octo-lab/*", "github-tokens": "ssm:/a"}], "entry 1: it has an unknown setting"),
        ([CREDENTIALS[0], {"repositories": ["octo-lab/*"]}], "entry 2: repositories is not text"),
        ([{"repositories": "octo-lab/*", "github-token": SECRET}], "entry 1: github-token is not a parameter's name"),
        (
            [{"repositories": "a/*", "github-token": f"ssm:/a {SECRET}"}],
            "entry 1: github-token is not a parameter's name",
        ),
    ],
)
def test_credentials_that_make_no_sense_are_refused(function: Aws, credentials: object, error: str) -> None:
    """They are refused before any request, and no value is quoted, since it may be a secret."""
    with pytest.raises(SettingsError, match=error) as raised:
        answer(event_of_list("one", credentials))
    assert SECRET not in str(raised.value)
    assert "Contents" not in function.s3.list_objects_v2(Bucket=function.bucket)


LINE = {"run": "one", "batch": "1-token", "settings": {"github_token": "ssm:/a"}, "repositories": ["a/b"], "ids": [1]}


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"step": "begin"}, "step: expected list, collect or export"),
        ({"step": "list", "run": "../one", "credentials": "[]"}, "run is not the name"),
        ({"step": "collect"}, "batch is not a line"),
        ({"step": "collect", "batch": LINE | {"batch": "../v1/x"}}, "batch is not a line"),
        ({"step": "collect", "batch": LINE | {"ids": ["one"]}}, "batch is not a line"),
        ({"step": "collect", "batch": LINE | {"settings": {"store": "sqlite:x"}}}, "batch is not a line"),
        ({"step": "export", "run": "one", "errors": "none"}, "errors is not a list"),
        ({"step": "export", "run": "never", "errors": []}, r"run never has no runs/never/batches\.jsonl"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(function: Aws, event: dict[str, Any], error: str) -> None:
    """The error says to start the state machine, which sends valid events."""
    with pytest.raises(SettingsError, match=error):
        answer(event)
    assert function.dynamodb.scan(TableName=function.table)["Items"] == []
