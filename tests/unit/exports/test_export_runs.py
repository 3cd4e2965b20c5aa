"""What runs export: only what can have changed, equal to a rebuild byte for byte."""

import csv
import io
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.layout import (
    LATEST_PATHS,
    LATEST_REFERRERS,
    RELEASES,
    REPOSITORIES,
    month_key,
    months,
    table_of,
)
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.s3 import S3Destination
from ghtraffic_action.stores.base import Store
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    TopPath,
)
from tests.support.aws import Aws
from tests.support.exports import (
    DAILY,
    NAME,
    OTHER,
    START,
    FailingDestination,
    Observed,
    World,
    files_in,
    files_of,
    invented,
    lighthouse,
    morning,
    rebuilt,
    rows_in,
)
from tests.support.fake_github import GeneratedTraffic


@pytest.mark.e2e
@pytest.mark.xdist_group("seventy days")
def test_the_export_of_many_runs_is_that_of_the_store(request: pytest.FixtureRequest, many_runs: World) -> None:
    """After 70 days with gaps, refusals and a rename, what the runs exported is what a rebuild makes, byte for byte."""
    store, destination = many_runs.store, many_runs.destination
    aws: Aws | None = request.getfixturevalue("aws") if isinstance(destination, S3Destination) else None
    exported = files_of(aws) if aws else files_in("export")
    manifests = {key: exported.pop(key) for key in destination.manifests()}
    assert manifests == destination.manifests()
    assert rebuilt(store, report=True) == exported
    assert sorted({key.split("/")[1] for key in exported if key.startswith("v1/")}) == [
        "daily",
        "latest",
        "latest_paths",
        "latest_referrers",
        "paths",
        "referrers",
        "releases",
        "repositories",
    ]
    assert [key for key in sorted(exported) if "/daily/" in key] == [
        month_key("daily", month) for month in ("2026-08", "2026-09", "2026-10")
    ]
    again = rebuild(store, destination, report=True)
    assert (again.written, again.errors) == ((), ())
    assert len(again.files) == len(exported) + len(manifests)
    if aws:
        assert files_of(aws) == exported | manifests


@pytest.mark.xdist_group("seventy days")
def test_what_the_export_of_many_runs_says(after_seventy_days: World) -> None:
    """States, zeros and names of the 70 days follow the rules, and no row of daily.csv needs quotes."""
    world = after_seventy_days
    rows = [row for month in ("2026-08", "2026-09", "2026-10") for row in world.rows(month_key("daily", month))]
    assert {row["state"] for row in rows} == {"complete", "provisional", "partial", "lost"}
    days = {(row["repository_id"], row["day"]): row for row in rows}
    assert len(days) == len(rows)
    renamed = {row["repository"] for row in rows if row["repository_id"] == "12"}
    assert renamed == {OTHER, "octo-lab/renamed"}
    assert days["100", "2026-09-09"]["views"] == "0"
    assert ("100", "2026-09-08") not in days
    assert not any(b'"' in content for key, content in files_in("export").items() if "/daily/" in key)
    reported = world.store.load(7).days
    assert all(
        days["7", str(day.day)]["views"] in ("" if day.views is None else str(day.views), "0") for day in reported
    )


@pytest.mark.e2e
def test_a_rerun_exports_nothing(world: World, request: pytest.FixtureRequest) -> None:
    """Equal answers leave every file as it is: all are read, none is written; a bucket's manifests too."""
    aws: Aws = request.getfixturevalue("aws")
    with closing(open_destination(aws.export_to)) as bucket:
        for destination in (world.destination, bucket):
            troubled = FailingDestination(destination)
            world.destination = troubled
            now = morning(date(2026, 11, 10))
            first = world.run(now, lighthouse())
            troubled.writes.clear()
            again = world.run(now, lighthouse())
            assert (again.files, again.written, again.errors) == (first.files, (), ())
            assert troubled.writes == []
            assert first.written == first.files


def test_a_run_touches_only_the_months_that_can_have_changed(world: World) -> None:
    """One month's files are written, or two around the turn of a month."""
    repository = lighthouse()
    for day in (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 20)):
        world.run(morning(day), repository)
    world.destination = troubled = FailingDestination(world.destination)
    world.run(morning(date(2026, 11, 21)), repository)
    assert {key for key in troubled.writes if "month=" in key} == {
        month_key(kind, "2026-11") for kind in ("daily", "paths", "referrers")
    }
    assert not any("month=2026-10" in key or "month=2026-09" in key for key in troubled.reads)
    assert troubled.writes[-1] == REPOSITORIES


def test_files_are_read_before_the_store(world: World) -> None:
    """A run reads all files that it writes before the store, so that its writes lose no earlier rows."""
    world.run(morning(date(2026, 11, 20)), lighthouse())
    destination = FailingDestination(world.destination)
    world.destination = destination
    run = world.begin()
    read = set(destination.reads)
    assert {DAILY, month_key("paths", "2026-11"), LATEST_PATHS, LATEST_REFERRERS, REPOSITORIES} <= read
    run.collect(lighthouse(), morning(date(2026, 11, 21)))
    assert run.export().errors == ()
    assert sorted(destination.reads) == sorted(read)
    assert set(destination.writes) <= read


def test_a_history_is_needed_from_the_first_month_that_is_written_again(world: World) -> None:
    """A new repository is loaded whole, another from the month on that lies 18 days before."""
    assert world.begin().before.since(7, date(2026, 11, 10)) is None
    for observed, first in (
        (date(2026, 11, 10), date(2026, 10, 1)),
        (date(2026, 11, 18), date(2026, 10, 1)),
        (date(2026, 11, 19), date(2026, 11, 1)),
    ):
        world.run(morning(observed), lighthouse())
        before = world.begin().before
        assert before.since(7, observed + timedelta(days=1)) == first
        assert before.since(8, observed + timedelta(days=1)) is None
    destination = FailingDestination(world.destination)
    destination.unreadable = lambda _: True
    world.destination = destination
    assert world.begin().before.since(7, date(2026, 11, 10)) == date(2026, 10, 1)
    assert world.begin().before.since(7, date(2026, 11, 19)) == date(2026, 11, 1)


@pytest.mark.e2e
def test_a_large_file_is_read_when_it_is_written(world: World) -> None:
    """A large month is not held in memory during collection; its other rows keep their bytes."""
    world.run(morning(date(2026, 11, 10)), lighthouse())
    key = month_key("paths", "2026-11")
    path = Path("export", key)
    rows = [f'{OTHER},{1000 + n},2026-11-10,/{"x" * 80},"a, title",3,1\r\n'.encode() for n in range(45_000)]
    ours = path.read_bytes()
    path.write_bytes(ours + b"".join(rows))
    world.destination = destination = FailingDestination(world.destination)
    run = world.begin()
    before = run.before.files[key]
    assert before is not None
    assert (before.content, before.too_large) == (b"", True)
    run.collect(lighthouse(), morning(date(2026, 11, 11)))
    assert run.export().errors == ()
    assert destination.reads.count(key) == 2
    assert destination.reads.count(DAILY) == 1
    written = path.read_bytes()
    assert written.startswith(ours + b"".join(rows))
    assert {row["observed"] for row in parse_lines(written[len(ours + b"".join(rows)) :])} == {"2026-11-11"}


def parse_lines(rows: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(rows.decode(), newline=""), table_of(month_key("paths", "2026-11")).columns))


def test_only_rows_that_can_have_changed_are_written_again(world: World) -> None:
    """Days older than 18 days before the last observation stay, and paths and referrers older than two."""
    for day in (date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 20)):
        world.run(morning(day), lighthouse())
    keys = [month_key(kind, "2026-11") for kind in ("daily", "paths", "referrers")]
    for key in keys:
        content = Path("export", key).read_bytes()
        Path("export", key).write_bytes(content.replace(f"{NAME},7,".encode(), b"octo-lab/edited,7,"))
    assert world.run(morning(date(2026, 11, 21)), lighthouse()).errors == ()
    names = {key: {row.get("day") or row["observed"]: row["repository"] for row in world.rows(key)} for key in keys}
    edited = {key: sorted(day for day, name in found.items() if name != NAME) for key, found in names.items()}
    assert edited == {
        keys[0]: [f"2026-11-{day:02}" for day in range(1, 2)],
        keys[1]: ["2026-11-01", "2026-11-02"],
        keys[2]: ["2026-11-01", "2026-11-02"],
    }


def test_a_run_that_collected_nothing_writes_nothing(world: World) -> None:
    """Without a repository there are no rows, and no file is touched."""
    assert world.run(morning(START)) == ExportResult()
    assert files_in("export") == {}


def test_imported_days_alone_are_exported(world: World) -> None:
    """Days that were imported, without a snapshot, have rows, and their repository a line without an observation."""
    days = (Day(date(2026, 3, 30), NAME, 5, 2, 1, 1), Day(date(2026, 4, 2), NAME, 7))
    world.store.save(7, Changes(days))
    rebuilt(world.store, "export")
    assert [
        ",".join(row.values()) for month in ("03", "04") for row in world.rows(month_key("daily", f"2026-{month}"))
    ] == [
        f"{NAME},7,2026-03-30,5,2,1,1,imported,,,,,,,,,,",
        f"{NAME},7,2026-04-02,7,,,,imported,,,,,,,,,,",
    ]
    assert [",".join(row.values()) for row in world.rows(REPOSITORIES)] == [f"7,{NAME},,,,,,,,,,,,2026-03-30,0,,,,,,"]


def test_the_first_run_after_an_import_exports_all_months(world: World) -> None:
    """A run that finds imported days of a repository never observed writes their months, exported or not."""
    for id_, export_before in ((7, False), (8, True)):
        world.store.save(id_, Changes((Day(date(2026, 3, 30), NAME, 5, 2, 1, 1),)))
        if export_before:
            rebuilt(world.store, "export")
        assert world.run(morning(date(2026, 11, 10)), lighthouse(id=id_)).errors == ()
        assert files_in("export") == rebuilt(world.store)
        assert {row["repository_id"] for row in world.rows(month_key("daily", "2026-03"))} >= {str(id_)}


def test_a_first_run_leaves_imported_days_of_other_repositories(world: World) -> None:
    """After an import of two repositories and an export, the first run of one leaves all files as a rebuild does."""
    for id_, name in ((7, NAME), (12, OTHER)):
        world.store.save(id_, Changes((Day(date(2026, id_ - 4, 30), name, 5, 2, 1, 1),)))
    rebuilt(world.store, "export")
    assert world.run(morning(date(2026, 11, 10)), lighthouse()).errors == ()
    assert files_in("export") == rebuilt(world.store)


def test_an_import_into_an_exported_history_needs_one_rebuild(world: World) -> None:
    """A rebuild adds older imported days, and later runs keep them."""
    for day in (date(2026, 9, 1), date(2026, 10, 20)):
        world.run(morning(day), lighthouse())
    days = tuple(Day(date(2026, month, 3), NAME, 5, 2, 1, 1) for month in (6, 9))
    world.store.save(7, Changes(days))
    before = world.rows(REPOSITORIES)[0]["lost_days"]
    rebuilt(world.store, "export")
    assert int(world.rows(REPOSITORIES)[0]["lost_days"]) == int(before) - 1
    world.run(morning(date(2026, 10, 21)), lighthouse())
    assert files_in("export") == rebuilt(world.store)


@pytest.mark.e2e
def test_lost_days_are_counted_once(world: World) -> None:
    """The catalogue counts days that no window covered, over any number of exports, as a rebuild does."""
    repository = lighthouse(traffic=GeneratedTraffic({}, {}))
    for n in (0, 20, 21, 22, 60, 61, 90):
        world.run(morning(START + timedelta(days=n)), repository)
        (row,) = world.rows(REPOSITORIES)
        assert row == rows_in(_rebuilt_to(world.store, f"at-{n}"), REPOSITORIES)[0]
    assert row["lost_days"] == str(6 + (60 - 22 - 14) + (90 - 61 - 14))
    assert row["first_day"] == str(START - timedelta(days=15))
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
    """Refused paths keep the last ones; an answer without paths removes them."""
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


@pytest.mark.xdist_group("seventy days")
def test_releases_are_kept_when_runs_no_longer_see_them(after_seventy_days: World) -> None:
    """A tag has one row, with the moment and the name that were seen last."""
    rows = [tuple(row.values()) for row in after_seventy_days.rows(RELEASES)]
    assert rows == [
        (NAME, "7", "nightly", f"{START + timedelta(days=38)}T03:17:00Z"),
        ("octo-lab/renamed", "12", "v2", f"{START + timedelta(days=2)}T03:17:00Z"),
        ("octo-lab/renamed", "12", "v9", f"{START + timedelta(days=9)}T03:17:00Z"),
        ("octo-lab/renamed", "12", "v38", f"{START + timedelta(days=38)}T03:17:00Z"),
    ]
