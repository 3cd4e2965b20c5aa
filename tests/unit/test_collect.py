"""A run from the settings to the exit code: its requests, records, files and report."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import chdir, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import boto3
import pytest

import ghtraffic_action
from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.exports.layout import COPIES
from ghtraffic_action.github.selection import EntryNumbers, Filter, Listed, lists_of, select
from ghtraffic_action.settings import Settings, read_settings
from tests.support.aws import Aws
from tests.support.builders import NAME, NOW, TOKEN, days, repository
from tests.support.csvfiles import all_daily, exported, numbers, reported, rows, stored
from tests.support.fake_github import OLD, FakeGitHub, GeneratedTraffic, RecordedTraffic

LOCAL = {"store": "sqlite:traffic.db", "export_to": "export"}
BOTH = f"{NAME} octo-lab/buoy"
MONTH = "v1/{kind}/month=2026-11/{kind}.csv"
FILES = {
    *(MONTH.format(kind=kind) for kind in ("daily", "paths", "referrers")),
    *(f"v1/latest/{name}.csv" for name in ("daily", "paths", "referrers", "repositories")),
    "v1/stars/year=2026/stars.csv",
    *COPIES.values(),
    "report.html",
    "report/data.jsonl",
}
MANIFESTS = {
    f"quicksight/{name}.manifest.json" for name in ("daily", "latest_paths", "latest_referrers", "repositories")
}


@pytest.fixture
def online(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    """Return the environment of a user with a token; the fake is github.com."""
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    return github


def collect(backends: Mapping[str, str], *argv: str, repositories: str = NAME) -> int:
    """Run `ghtraffic collect` as a user does and return its exit code."""
    flags = ["--store", backends["store"], "--export-to", backends["export_to"], "--repositories", repositories]
    return main(["collect", *flags, *argv])


def remove_export(export_to: str) -> None:
    """Delete the files of an export."""
    if not export_to.startswith("s3://"):
        for path in Path(export_to).rglob("[!.]*.*"):
            path.unlink()
        return
    bucket = export_to.removeprefix("s3://").partition("/")[0]
    with closing(boto3.client("s3")) as s3:
        for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            s3.delete_object(Bucket=bucket, Key=entry["Key"])


@pytest.mark.parametrize("destination", ["directory", pytest.param("S3", marks=pytest.mark.e2e)])
@pytest.mark.parametrize("store", ["SQLite", pytest.param("DynamoDB", marks=pytest.mark.e2e)])
def test_run_stores_and_exports_in_any_combination(
    online: FakeGitHub, request: pytest.FixtureRequest, store: str, destination: str
) -> None:
    """Each store works with each destination: what GitHub reported is stored and exported, to the number."""
    backends = {"store": "sqlite:traffic.db", "export_to": "export"}
    if "DynamoDB" in store or "S3" in destination:
        aws: Aws = request.getfixturevalue("aws")
        backends = {
            "store": aws.store if store == "DynamoDB" else "sqlite:traffic.db",
            "export_to": aws.export_to if destination == "S3" else "export",
        }
    assert collect(backends) == 0
    history = stored(backends["store"])[7]
    expected = reported(online)
    assert {d.day: (d.views, d.view_uniques, d.clones, d.clone_uniques) for d in history.days} == expected
    files = exported(backends["export_to"])
    assert set(files) == (FILES | MANIFESTS if destination == "S3" else FILES)
    found = all_daily(files)
    assert {date.fromisoformat(row["day"]): numbers(row) for row in found} == expected
    assert len(found) == 15
    assert [row["state"] for row in found] == ["partial"] + ["complete"] * 7 + ["provisional"] * 7


def test_snapshot_is_stored_and_exported_whole(online: FakeGitHub, backends: dict[str, str]) -> None:
    """Stars, forks, watchers, issues, totals, paths and referrers are stored and exported, of today alone."""
    online.repositories[0].open_issues = 6
    online.repositories[0].open_pull_requests = 4
    assert collect(backends) == 0
    (snapshot,) = stored(backends["store"])[7].snapshots
    traffic = online.repositories[0].traffic
    assert snapshot.day == NOW.date()
    assert snapshot.metadata
    assert snapshot.metadata.stars == 5
    assert snapshot.views
    assert snapshot.views.count == traffic.views(NOW).count
    assert snapshot.paths
    paths = [(row.path, row.title, row.count, row.uniques) for row in snapshot.paths.rows]
    assert paths == list(traffic.paths(NOW))
    assert snapshot.referrers
    referrers = [(row.referrer, row.count, row.uniques) for row in snapshot.referrers.rows]
    assert referrers == list(traffic.referrers(NOW))
    files = exported(backends["export_to"])
    today = rows(files[MONTH.format(kind="daily")])[-1]
    assert [today[name] for name in ("stars", "forks", "watchers", "open_issues", "open_pull_requests")] == [
        *("5", "2", "3", "6", "4")
    ]
    assert all(row["stars"] == "" for row in all_daily(files)[:-1])
    assert [row["path"] for row in rows(files["v1/latest/paths.csv"])] == [row[0] for row in traffic.paths(NOW)]
    assert [row["referrer"] for row in rows(files[MONTH.format(kind="referrers")])] == [
        row[0] for row in traffic.referrers(NOW)
    ]


def test_manifests_name_the_real_bucket(online: FakeGitHub, aws: Aws) -> None:
    """QuickSight's manifests have the bucket and the prefix of the export."""
    assert collect({"store": "sqlite:traffic.db", "export_to": aws.export_to}) == 0
    daily = json.loads(aws.file("quicksight/daily.manifest.json"))
    assert daily["fileLocations"] == [{"URIPrefixes": [f"s3://{aws.bucket}/traffic/v1/daily/"]}]
    assert online.requests


def test_second_run_with_equal_answers_writes_nothing(
    online: FakeGitHub, backends: dict[str, str], settings_for: Callable[..., Settings]
) -> None:
    """A rerun inserts nothing, raises nothing, writes no file, and leaves every byte as it was."""
    first = run(settings_for(**backends))
    before, history = exported(backends["export_to"]), stored(backends["store"])
    online.now += timedelta(seconds=90)
    second = run(settings_for(**backends))
    assert first.repositories[0].inserted == 15
    assert (second.repositories[0].inserted, second.repositories[0].raised) == (0, 0)
    assert len(second.exported) == len(first.exported) == len(before)
    assert second.written == ()
    assert exported(backends["export_to"]) == before
    assert stored(backends["store"]) == history


def test_next_day_raises_what_grew(
    online: FakeGitHub, backends: dict[str, str], settings_for: Callable[..., Settings]
) -> None:
    """A new day is inserted, days that grew are raised, and none is lowered at the window's edge."""
    run(settings_for(**backends))
    first = reported(online)
    online.now += timedelta(days=1)
    second = reported(online)
    report = run(settings_for(**backends))
    largest = {day: tuple(map(max, first.get(day, (0,) * 4), second.get(day, (0,) * 4))) for day in {*first, *second}}
    found = {d.day: (d.views, d.view_uniques, d.clones, d.clone_uniques) for d in stored(backends["store"])[7].days}
    assert found == largest
    assert report.repositories[0].inserted == 1
    assert report.repositories[0].raised == sum(largest[day] != first[day] for day in first)
    assert report.repositories[0].raised >= 2


def test_report_as_json_is_one_object_on_stdout(
    online: FakeGitHub, backends: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json stdout is one JSON object and nothing else; the log is on stderr."""
    assert main(["-v", "collect", "--json", *flags_of(backends), "--repositories", NAME]) == 0
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert report["exit_code"] == 0
    assert report["store"] == backends["store"]
    assert report["export_to"] == backends["export_to"]
    (found,) = report["repositories"]
    views = online.repositories[0].traffic.views(NOW)
    assert (found["name"], found["id"], found["stars"]) == (NAME, 7, 5)
    assert (found["views_14d"], found["view_uniques_14d"]) == (views.count, views.uniques)
    assert (found["inserted"], found["raised"], found["lost_days"]) == (15, 0, 0)
    assert found["observed"] == "2026-11-23T03:17:00Z"
    assert found["first_day"] == "2026-11-10"
    assert len(report["exported"]) == len(report["written"]) >= 6
    assert "INFO octo-lab/lighthouse: 15 days inserted, 0 raised" in output.err


def flags_of(backends: Mapping[str, str]) -> list[str]:
    """Return backends as flags."""
    return ["--store", backends["store"], "--export-to", backends["export_to"]]


@pytest.mark.e2e
def test_report_of_a_failure_is_json_too(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a run that fails in part prints its report as well, with its exit code and its errors."""
    backends = {"store": "sqlite:traffic.db", "export_to": "export"}
    code = collect(backends, "--json", repositories=f"{NAME} octo-lab/mirage")
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert code == report["exit_code"] == 1
    errors = {found["name"]: found["errors"] for found in report["repositories"]}
    assert errors[NAME] == []
    assert "no such repository" in errors["octo-lab/mirage"][0]
    assert "ERROR octo-lab/mirage: " in output.err
    assert online.requests


def test_summary_is_a_table(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the run prints a row for each repository and says where everything is."""
    online.repositories[0].stars = 12_345
    assert collect({"store": "sqlite:traffic.db", "export_to": "export"}) == 0
    output = capsys.readouterr().out.splitlines()
    (row,) = (line.split() for line in output if NAME in line)
    views, clones = online.repositories[0].traffic.views(NOW), online.repositories[0].traffic.clones(NOW)
    shown = (12_345, views.count, views.uniques, clones.count, clones.uniques, 15)  # none was raised or lost
    assert row == [NAME, *(f"{number:,}" for number in shown)]
    assert "1 of 1 collected, 15 days written to sqlite:traffic.db" in output
    assert "13 files in export, 13 of them written" in output


@pytest.mark.parametrize(
    ("argv", "code", "left"),
    [
        (["--repositories", NAME], 0, {"ghtraffic.db", "ghtraffic-export"}),
        pytest.param(
            ["--repositories", f"{NAME},octo-lab/mirage"],
            1,
            {"ghtraffic.db", "ghtraffic-export"},
            marks=pytest.mark.e2e,
        ),
        pytest.param(
            ["--repositories", "octo-lab/mirage"], 1, {"ghtraffic.db", "ghtraffic-export"}, marks=pytest.mark.e2e
        ),
        (["--repositories", f"octo-lab/* !{NAME}"], 2, {"ghtraffic.db"}),
        (["--repositories", "no-slash"], 2, set()),
        (["--repositories", NAME, "--store", "gs://x"], 2, set()),
        (["--repositories", NAME, "--frobnicate"], 2, set()),
        ([], 2, set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exit_code_shows_the_result(
    online: FakeGitHub, tmp_path: Path, argv: list[str], code: int, left: set[str]
) -> None:
    """0: all was collected, 1: something failed, 2: the settings are wrong, and nothing is created."""
    assert main(["collect", *argv]) == code
    assert {path.name for path in tmp_path.iterdir()} == left
    assert bool(online.requests) is bool(left)


def test_enterprise_server_is_refused_as_a_setting(
    online: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no traffic API: the error says so, the exit code is 2, and no request is sent."""
    monkeypatch.setenv("GITHUB_API_URL", f"{online.url}/api/v3")
    assert main(["collect", "--repositories", NAME]) == 2
    assert "has no traffic API" in capsys.readouterr().err
    assert online.requests == []


@pytest.mark.e2e
def test_owner_stands_for_all_that_is_alive(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """OWNER/* selects all pages of the owner's repositories, without archived ones, forks and exclusions."""
    alive = [f"octo-lab/boat-{number:03}" for number in range(103)]
    online.repositories = [
        *(repository(name, id=100 + at, traffic=RecordedTraffic()) for at, name in enumerate(alive)),
        repository("octo-lab/wreck", id=1, archived=True),
        repository("octo-lab/copy", id=2, fork=True),
        repository("harbour/crane", id=3),
    ]
    backends = {"store": "sqlite:traffic.db", "export_to": "export"}
    assert collect(backends, "--json", repositories="!octo-lab/boat-05*, octo-lab/* !Octo-Lab/Boat-007") == 0
    collected = [found["name"] for found in json.loads(capsys.readouterr().out)["repositories"]]
    assert collected == [name for name in alive if "boat-05" not in name and "boat-007" not in name]
    assert len([line for line in online.requests if line.path == "/graphql"]) == 3


def test_owner_that_cannot_be_listed_keeps_no_other_from_being_collected(
    online: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """If one of two owners does not exist, the other's repositories are collected, and the run fails with the name."""
    backends = {"store": "sqlite:traffic.db", "export_to": "export"}
    assert online.repositories[0].name == NAME
    assert collect(backends, "--json", repositories="gone-lab/* octo-lab/*") == 1
    report = json.loads(capsys.readouterr().out)
    assert [found["name"] for found in report["repositories"]] == ["gone-lab/*", NAME]
    assert report["repositories"][0]["errors"] == ["GitHub knows no such owner: check the name"]
    assert len(all_daily(exported("export"))) == 15


def test_repository_named_twice_is_collected_once(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """Repeats, other spellings, a former name and OWNER/* together are one repository."""
    online.repositories = [repository(former_names=("octo-lab/beacon",))]
    names = f"{NAME} {NAME.upper()} octo-lab/beacon octo-lab/* {NAME}"
    assert collect({"store": "sqlite:traffic.db", "export_to": "export"}, "--json", repositories=names) == 0
    assert [found["name"] for found in json.loads(capsys.readouterr().out)["repositories"]] == [NAME]
    assert len([request for request in online.requests if "/traffic/" in request.path]) == 4
    assert len(all_daily(exported("export"))) == 15


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["a/x", "a/y"], ["a/x", "a/y"]),
        (["a/x", "A/X"], ["a/x"]),
        (["a/*"], ["a/one", "a/two", "a/two-b"]),
        (["b/x", "a/*", "a/one"], ["b/x", "a/one", "a/two", "a/two-b"]),
        (["!a/two", "a/*"], ["a/one", "a/two-b"]),
        (["a/*", "!A/TWO*"], ["a/one"]),
        (["a/*", "!*"], []),
        (["a/*", "!b/*"], ["a/one", "a/two", "a/two-b"]),
        (["a/x", "!a/x"], []),
    ],
    ids=" ".join,
)
def test_patterns_select_names(patterns: list[str], names: list[str]) -> None:
    """Names come once and in order, whatever their case; exclusions count wherever they stand."""
    lists = {owner: [Listed(f"{owner}/{name}") for name in ("two", "one", "two-b")] for owner in lists_of(patterns)}
    assert list(select(patterns, lists, Filter()).names) == names


def test_place_counts_the_entries_of_the_user() -> None:
    """An entry with the full name takes precedence over a pattern; exclusions and case do not count."""
    patterns = ("Octo-Lab/b", "!octo-lab/x", "octo-lab/*", "deep-sea/wreck")
    names = ("octo-lab/b", "octo-lab/a", "Deep-Sea/Wreck", "octo-lab/*", "nobody/x")
    assert [EntryNumbers(patterns).of(name) for name in names] == [1, 2, 3, 2, 0]


@pytest.mark.e2e
def test_fleet_costs_what_it_must_and_mixes_nothing_up(
    online: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """205 repositories take 4 + 5 x 205 requests, 16 in parallel, and each gets its own numbers."""
    names = [f"octo-lab/boat-{number:03}" for number in range(205)]
    online.repositories = [
        repository(
            name,
            id=1000 + at,
            traffic=GeneratedTraffic(
                days(date(2026, 11, 1), 23, 1000 * at), days(date(2026, 11, 1), 23, 7 * at), name=name, form=OLD
            ),
        )
        for at, name in enumerate(names)
    ]
    online.delay = 0.01
    report = run(settings_for(store="sqlite:traffic.db", export_to="export", repositories=" ".join(names)))
    assert report.exit_code == 0
    assert len(online.requests) == 4 + 5 * 205
    assert len({(request.method, request.path) for request in online.requests}) == 2 + 5 * 205
    assert 8 <= online.most_in_flight <= 16
    histories = stored("sqlite:traffic.db")
    by_id = defaultdict[int, list[dict[str, str]]](list)
    for row in all_daily(exported("export")):
        by_id[int(row["repository_id"])].append(row)
    for at, name in enumerate(names):
        expected = reported(online, at)
        history = histories[1000 + at]
        assert {d.day: (d.views, d.view_uniques, d.clones, d.clone_uniques) for d in history.days} == expected
        assert {row["repository"] for row in by_id[1000 + at]} == {name}
        assert [numbers(row) for row in by_id[1000 + at]] == list(expected.values())
        assert history.snapshots[0].paths
        assert history.snapshots[0].paths.rows == () or history.snapshots[0].paths.rows[0].path.startswith(f"/{name}")


def test_dry_run_writes_nothing(
    online: FakeGitHub,
    backends: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dry run reads GitHub and shows the changes, without creating a file, item or object."""
    assert collect(backends, "--dry-run") == 0
    output = capsys.readouterr().out
    assert "dry run: nothing was written" in output
    assert "15" in next(line for line in output.splitlines() if NAME in line).split()
    assert len(online.requests) == 6
    assert list(tmp_path.iterdir()) == []
    if backends["store"].startswith("dynamodb"):
        aws: Aws = request.getfixturevalue("aws")
        assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 0
        assert exported(backends["export_to"]) == {}


@pytest.mark.e2e
def test_dry_run_beside_a_history_changes_nothing(
    online: FakeGitHub, backends: dict[str, str], settings_for: Callable[..., Settings]
) -> None:
    """A later dry run shows what a run would insert and raise, and changes nothing."""
    run(settings_for(**backends))
    history, files = stored(backends["store"]), exported(backends["export_to"])
    online.now += timedelta(days=1)
    tried = run(settings_for(**backends, dry_run="true"))
    assert stored(backends["store"]) == history
    assert exported(backends["export_to"]) == files
    done = run(settings_for(**backends))
    assert (tried.exported, tried.written) == ((), ())
    assert [(found.inserted, found.raised) for found in tried.repositories] == [
        (found.inserted, found.raised) for found in done.repositories
    ]
    assert done.repositories[0].inserted == 1


@pytest.mark.e2e
def test_legacy_csv_are_written_when_asked_for(online: FakeGitHub, backends: dict[str, str]) -> None:
    """With legacy-csv both files of the article have the whole history."""
    assert collect(backends) == 0
    assert not any("views_clones_stars" in key for key in exported(backends["export_to"]))
    online.now += timedelta(days=20)
    assert collect(backends, "--legacy-csv") == 0
    files = exported(backends["export_to"])
    content = files["views_clones_stars/views_clones_stars.csv"].decode()
    assert content.splitlines()[0] == "timestamp,clones,views,stars,forks"
    found = rows(files["views_clones_stars/views_clones_stars.csv"])
    daily = all_daily(files)
    assert [row["timestamp"] for row in found] == [f"{row['day']} 00:00:00" for row in daily]
    assert [(row["views"], row["clones"], row["stars"], row["forks"]) for row in found] == [
        (row["views"], row["clones"], row["stars"], row["forks"]) for row in daily
    ]
    assert [(row["path"], int(row["views"])) for row in rows(files["top_paths/top_paths.csv"])] == [
        (path, count) for path, _, count, _ in online.repositories[0].traffic.paths(online.now)
    ]


def test_legacy_csv_are_of_one_repository(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """With several repositories legacy-csv is refused with exit code 2 before any traffic is requested."""
    online.repositories.append(repository("octo-lab/buoy", id=8))
    backends = {"store": "sqlite:traffic.db", "export_to": "export"}
    assert collect(backends, "--legacy-csv", repositories="octo-lab/*") == 2
    assert "legacy-csv: its two files are for one repository" in capsys.readouterr().err
    assert not [request for request in online.requests if "/traffic/" in request.path]


def test_embedded_default_keeps_everything_here(online: FakeGitHub, tmp_path: Path) -> None:
    """With only a repository and a token, the store is ghtraffic.db and the export ghtraffic-export."""
    assert main(["collect", "--repositories", NAME]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ghtraffic-export", "ghtraffic.db"]
    assert set(exported("ghtraffic-export")) == FILES
    assert {day.day for day in stored("sqlite:ghtraffic.db")[7].days} == set(reported(online))


@pytest.mark.parametrize("place", ["Actions", "Lambda"])
def test_embedded_default_is_none_where_files_are_lost(
    online: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """Inside Actions and Lambda these defaults are refused with exit code 2 and what to set."""
    name, value = ("GITHUB_ACTIONS", "true") if place == "Actions" else ("AWS_LAMBDA_FUNCTION_NAME", "traffic")
    monkeypatch.setenv(name, value)
    assert main(["collect", "--repositories", NAME]) == 2
    told_to = capsys.readouterr().err
    assert "dynamodb://TABLE" in told_to
    assert "s3://BUCKET/PREFIX" in told_to
    assert online.requests == []
    assert list(tmp_path.iterdir()) == []


def live_through(github: FakeGitHub, run_again: Callable[[], int]) -> None:
    """Collect two repositories over three months, with a gap of lost days and a rename."""
    github.repositories.append(repository("octo-lab/buoy", id=8))
    for day in (date(2026, 10, 2), date(2026, 10, 9), date(2026, 11, 1), date(2026, 11, 20), date(2026, 12, 1)):
        github.now = datetime(day.year, day.month, day.day, 3, 17, tzinfo=UTC)
        github.repositories[0].stars += 1
        if day.month == 11:
            github.repositories[0].former_names = (NAME,)
            github.repositories[0].name = "octo-lab/beacon"
        assert run_again() == 0


@pytest.fixture(scope="module")
def local_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the store and the export of that history, made once."""
    folder = tmp_path_factory.mktemp("history")
    with chdir(folder), FakeGitHub([repository()], token=TOKEN) as github:
        environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}
        settings = read_settings("collect", environ, LOCAL | {"repositories": BOTH})
        live_through(github, lambda: run(settings).exit_code)
    return folder


@pytest.fixture
def with_history(request: pytest.FixtureRequest, online: FakeGitHub, backends: dict[str, str]) -> dict[str, str]:
    """Return the settings of a store and an export with a history; GitHub is as in the last run."""
    if backends == LOCAL:
        shutil.copytree(request.getfixturevalue("local_history"), ".", dirs_exist_ok=True)
        live_through(online, lambda: 0)
    else:
        live_through(online, lambda: collect(backends, repositories=BOTH))
    return backends


def export(backends: Mapping[str, str], *argv: str) -> int:
    """Run `ghtraffic export`."""
    return main(["export", *flags_of(backends), *argv])


@pytest.mark.e2e
def test_lost_export_is_rebuilt_to_the_byte(with_history: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """`ghtraffic export` writes the same bytes from the store, without a request to GitHub."""
    before = exported(with_history["export_to"])
    assert any(row["state"] == "lost" for row in all_daily(before))
    assert {row["repository"] for row in all_daily(before)} == {NAME, "octo-lab/beacon", "octo-lab/buoy"}
    remove_export(with_history["export_to"])
    assert exported(with_history["export_to"]) == {}
    assert export(with_history) == 0
    assert exported(with_history["export_to"]) == before
    assert (
        f"{len(before)} files in {with_history['export_to']}, {len(before)} of them written" in capsys.readouterr().out
    )


@pytest.mark.e2e
def test_rebuilding_what_is_there_writes_nothing(
    with_history: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A rebuild of an intact export writes no file: runs have written the same bytes."""
    before = exported(with_history["export_to"])
    assert export(with_history) == 0
    assert exported(with_history["export_to"]) == before
    assert f"{len(before)} files in {with_history['export_to']}, 0 of them written" in capsys.readouterr().out


@pytest.mark.e2e
def test_one_month_is_rebuilt_alone(with_history: dict[str, str]) -> None:
    """`export --month` writes that month's files, byte for byte, and no other."""
    before = exported(with_history["export_to"])
    remove_export(with_history["export_to"])
    assert export(with_history, "--month", "2026-10") == 0
    assert exported(with_history["export_to"]) == {key: before[key] for key in before if "month=2026-10" in key}


def test_next_run_catches_up_with_a_lost_export(
    with_history: dict[str, str], settings_for: Callable[..., Settings]
) -> None:
    """If the export was deleted, the next run writes all of it again."""
    before = exported(with_history["export_to"])
    remove_export(with_history["export_to"])
    report = run(settings_for(**with_history, repositories=BOTH))
    assert report.exit_code == 0
    assert exported(with_history["export_to"]) == before


@pytest.mark.parametrize("month", ["2026-13", "2026", "11-2026", "2026-11-23"])
def test_month_that_is_none_is_refused(month: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A malformed month is a wrong setting, quoted."""
    assert main(["export", "--month", month]) == 2
    assert f"month: {month!r} is not a month: write YYYY-MM" in capsys.readouterr().err


def test_export_of_a_store_that_is_not_there_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt store is an error, and neither a database nor an export is created."""
    assert main(["export", "--store", "sqlite:traffik.db"]) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_month_without_a_history_is_reported(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """A month without stored days is an error, not an empty success."""
    backends = {"store": "sqlite:traffic.db", "export_to": "export"}
    assert collect(backends) == 0
    assert online.requests
    assert export(backends, "--month", "2019-01") == 1
    assert "it holds nothing of 2019-01" in capsys.readouterr().err


def test_export_needs_neither_token_nor_repositories(
    online: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`export` needs only the store, and sends no request to GitHub."""
    assert collect({"store": "sqlite:traffic.db", "export_to": "export"}) == 0
    online.requests.clear()
    monkeypatch.delenv("GHTRAFFIC_GITHUB_TOKEN")
    assert export({"store": "sqlite:traffic.db", "export_to": "other"}) == 0
    assert exported("other") == exported("export")
    assert online.requests == []
    assert {path.name for path in tmp_path.iterdir()} == {"traffic.db", "export", "other"}


@pytest.mark.e2e
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("command", [[], ["collect"], ["export"], ["demo"]], ids=" ".join)
def test_help_is_quick(command: list[str]) -> None:
    """--help imports neither boto3 nor PyGithub, nor what they need."""
    environ = os.environ | {"PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1])}
    argv = [sys.executable, "-X", "importtime", "-m", "ghtraffic_action", *command, "--help"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "Usage: ghtraffic" in done.stdout
    assert "click" in imported
    assert imported.isdisjoint({"boto3", "botocore", "github", "requests", "rich", "sqlite3"})
