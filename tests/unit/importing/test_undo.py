"""The undo of an import, in every store: it restores what was there, except what was raised since."""

import json
import uuid
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ghtraffic_action.backup.archive import import_backup
from ghtraffic_action.cli import main
from ghtraffic_action.errors import StoreError
from ghtraffic_action.importing.undo import Undone
from ghtraffic_action.settings import Settings
from ghtraffic_action.status import status_of
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import Changes, Day, DayRange, Snapshot, TopReferrer, TopReferrers, Totals
from ghtraffic_action.traffic.provenance import reverse_import
from tests.support.aws import Aws, make_table
from tests.support.imports import ATLAS, NOW, backup_of, bring, days_of, history_of, take_back, write_csv

FIRST = date(2026, 1, 1)
HEADER = "date,views,uniques,clones,cloners"
LATER = NOW + timedelta(hours=1)


@pytest.fixture(params=["sqlite", "jsonl", pytest.param("dynamodb", marks=pytest.mark.e2e)])
def store(request: pytest.FixtureRequest) -> str:
    """Return the address of an empty store of each kind."""
    if request.param != "dynamodb":
        return f"{request.param}:traffic.db"
    aws: Aws = request.getfixturevalue("aws")
    return aws.store


def kept(store: str, *days: Day, snapshots: tuple[Snapshot, ...] = (), repository_id: int = 7) -> None:
    with closing(open_store(store, create=True)) as opened:
        opened.save(repository_id, Changes(days, snapshots))


def rows(*days: Day) -> list[str]:
    return [
        ",".join(
            "" if value is None else str(value) for value in (d.day, d.views, d.view_uniques, d.clones, d.clone_uniques)
        )
        for d in days
    ]


def file(name: str, *days: Day) -> str:
    return write_csv(name, HEADER, *rows(*days))


def day(number: int, views: int | None = None, clones: int | None = None) -> Day:
    halves = [None if value is None else value // 2 for value in (views, clones)]
    return Day(FIRST + timedelta(days=number), ATLAS, views, halves[0], clones, halves[1])


def test_an_undo_restores_the_store(store: str) -> None:
    """Inserted days are removed, raised numbers and names restored: the backup has the same bytes as before."""
    kept(store, day(1, 10), Day(FIRST + timedelta(days=2), "octo-lab/former", 4, 2), day(5, 3, 3))
    before = backup_of(store)
    plan = bring(file("views.csv", day(0, 7, 7), day(1, 20), day(2, 9, 9), day(5, 2, 2)), store=store)
    assert backup_of(store) != before
    assert take_back(plan.id, store) == Undone(repositories=1, taken_back=3)
    assert backup_of(store) == before


def test_an_undo_of_the_first_import_leaves_nothing(store: str) -> None:
    """The store is empty again."""
    plan = bring(file("views.csv", day(0, 7, 7)), store=store)
    take_back(plan.id, store)
    assert backup_of(store) == b""


def test_an_undo_restores_snapshots(store: str) -> None:
    """Replaced groups are restored, added groups removed, and groups of a run on the same day kept."""
    at = datetime(2026, 1, 20, 3, tzinfo=UTC)
    seen = Snapshot(
        at.date(), "octo-lab/former", views=Totals(at, 1, 1), referrers=TopReferrers(at, (TopReferrer("t.co", 9, 3),))
    )
    kept(store, snapshots=(seen,))
    before = backup_of(store)
    columns = "views_total,views_unique"
    names = (
        write_csv("2026-01-20_230316_top_referrers_snapshot.csv", f"referrer,{columns}", "Google,5,2"),
        write_csv("2026-01-20_230316_top_paths_snapshot.csv", f"url_path,{columns}", "/,5,2"),
        write_csv("2026-01-21_230316_top_paths_snapshot.csv", f"url_path,{columns}", "/,5,2"),
    )
    plan = bring(*names, store=store)
    assert len(history_of(store=store).snapshots) == 2
    take_back(plan.id, store)
    assert backup_of(store) == before


def test_what_was_raised_since_stays(store: str) -> None:
    """If a later run raised one metric, only the other metric returns to its earlier numbers."""
    plan = bring(file("views.csv", day(0, 7, 7)), store=store)
    kept(store, day(0, 8))
    assert take_back(plan.id, store) == Undone(repositories=1, taken_back=1, kept=1)
    assert days_of(store=store) == (day(0, 8),)


@pytest.mark.parametrize("heard", [LATER, NOW, NOW - timedelta(seconds=1)], ids=["since", "at once", "just before"])
def test_what_github_listed_meanwhile_stays(store: str, heard: datetime) -> None:
    """A day that a run stored after the import is kept: removed, it would read as zero."""
    plan = bring(file("views.csv", day(9, 7, 7)), store=store)
    listed = DayRange(FIRST, FIRST + timedelta(days=13))
    seen = Snapshot(heard.date(), ATLAS, views=Totals(heard, 7, 3, listed.last), views_listed=frozenset({listed}))
    kept(store, snapshots=(seen,))
    assert take_back(plan.id, store).kept == 1
    assert days_of(store=store) == (day(9, 7),)


def test_an_import_is_undone_in_all_repositories(store: str) -> None:
    """One undo covers all repositories of an import."""
    lines = ("octo-lab/a,2026-01-01,3,1", "octo-lab/bb,2026-01-01,3,1")
    path = write_csv("views.csv", "repository,date,views,uniques", *lines)
    plan = bring(path, store=store, repository="", repository_id=None)
    assert take_back(plan.id, store) == Undone(repositories=2, taken_back=2)
    assert backup_of(store) == b""


def test_an_unknown_import_is_refused(store: str) -> None:
    """An unknown id, or that of an undone import, changes nothing."""
    plan = bring(file("views.csv", day(0, 7)), store=store)
    bring(file("more.csv", day(1, 7)), store=store, now=LATER)
    take_back(plan.id, store)
    before = backup_of(store)
    for unknown in (plan.id, "x"):
        with pytest.raises(StoreError, match="has no such import: `ghtraffic status` lists them"):
            take_back(unknown, store)
    assert backup_of(store) == before


def test_both_metrics_are_handed_over_to_a_later_import(store: str) -> None:
    """If a later import raised one number of each metric, undoing both leaves neither."""
    kept(store, day(0, None, 1))
    clean = backup_of(store)
    first = bring(file("first.csv", day(1, 1, 8)), store=store)
    second = bring(file("second.csv", day(1, 2, 9)), store=store, now=LATER)
    take_back(first.id, store)
    assert days_of(store=store)[1] == day(1, 2, 9)
    take_back(second.id, store)
    assert backup_of(store) == clean


drawn_days = st.lists(
    st.builds(day, st.integers(0, 3), st.none() | st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4
)
drawn_files = st.tuples(drawn_days, st.none() | st.tuples(st.integers(20, 22), st.integers(2, 9)))
"""Days, and sometimes the referrers of one day."""


def empty_store(kind: str) -> str:
    """Return the address of an empty store of a kind."""
    return make_table() if kind == "dynamodb" else f"{kind}:{uuid.uuid4()}"


def drawn_import(number: int, days: list[Day], seen: tuple[int, int] | None) -> list[str]:
    """Write the files of a random import, and return their names."""
    paths = [file(f"import-{number}.csv", *days)]
    if seen:
        name = f"{number}/2026-01-{seen[0]}_23031{number}_top_referrers_snapshot.csv"
        paths.append(write_csv(name, "referrer,views_total,views_unique", f"Google,{seen[1]},1"))
    return paths


@pytest.mark.e2e
@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("kind", ["sqlite", "jsonl", "dynamodb"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=drawn_days, imports=st.lists(drawn_files, min_size=1, max_size=3), order=st.randoms())
def test_undoing_every_import_restores_the_store(
    kind: str, before: list[Day], imports: list[tuple[list[Day], tuple[int, int] | None]], order: Random
) -> None:
    """Undoing imports in any order restores every byte, also if they raised the same numbers."""
    store = empty_store(kind)
    kept(store, *{found.day: found for found in before}.values())
    clean, done = backup_of(store), list[str]()
    for number, (days, seen) in enumerate(imports):
        paths, state, now = drawn_import(number, days, seen), backup_of(store), NOW + timedelta(hours=number)
        plan = bring(*paths, store=store, now=now)
        if plan.changes:
            take_back(plan.id, store)
            assert backup_of(store) == state
            done.append(bring(*paths, store=store, now=now).id)
    order.shuffle(done)
    for import_id in done:
        take_back(import_id, store)
        import_backup(Settings(store="sqlite:copy.db"), backup_file(store), NOW.date())  # each state is a valid backup
    assert backup_of(store) == clean


def backup_file(store: str) -> str:
    backup_of(store)
    return "whole.jsonl"


def test_a_record_travels_with_a_backup(store: str) -> None:
    """A store restored from a backup can undo the import too."""
    kept("sqlite:origin.db", day(1, 10))
    before = backup_of("sqlite:origin.db")
    plan = bring(file("views.csv", day(0, 7), day(1, 20)), store="sqlite:origin.db")
    Path("copy.jsonl").write_bytes(backup_of("sqlite:origin.db"))
    import_backup(Settings(store=store), "copy.jsonl", NOW.date())
    import_backup(Settings(store=store), "copy.jsonl", NOW.date())
    assert backup_of(store) == backup_of("sqlite:origin.db")
    take_back(plan.id, store)
    assert backup_of(store) == before


def test_a_record_says_where_numbers_came_from() -> None:
    """The record has the moment, form, file, SHA-256, and each raised number's old value."""
    kept("sqlite:traffic.db", day(1, 10))
    bring(file("views.csv", day(0, 7), day(1, 20)))
    record = next(line for line in map(json.loads, backup_of().splitlines()) if "import" in line)
    assert record["at"] == "2026-11-26T12:00:00Z"
    assert [(f["form"], f["name"], len(f["sha256"])) for f in record["files"]] == [("CSV", "views.csv", 64)]
    assert record["days"] == [
        {"day": "2026-01-01", "views": [None, 7], "view_uniques": [None, 3]},
        {"day": "2026-01-02", "before": ATLAS, "views": [10, 20], "view_uniques": [5, 10]},
    ]


def test_a_run_never_reads_records(aws: Aws) -> None:
    """Loading a history takes the same requests with and without imports."""
    plan = bring(file("views.csv", day(0, 7)), store=aws.store)
    keys = [item["sk"]["S"] for item in aws.dynamodb.scan(TableName=aws.table)["Items"]]
    assert sorted(keys) == ["day#2026-01-01", f"import#{plan.id}"]
    assert history_of(store=aws.store).days == (day(0, 7),)


def test_the_command_takes_an_import_back(capsys: pytest.CaptureFixture[str]) -> None:
    """The import prints its id, and the undo prints its result."""
    path = file("views.csv", day(0, 7))
    assert main(["import", path, "--repository", ATLAS, "--repository-id", "7", "--yes"]) == 0
    import_id = capsys.readouterr().out.splitlines()[-1].removeprefix("to take it back: ghtraffic import --undo ")
    assert main(["import", "--undo", import_id]) == 0
    assert capsys.readouterr().out.startswith("1 days and snapshots of 1 repositories are as before the import\n")
    assert days_of(store="sqlite:ghtraffic.db") == ()


def test_the_status_lists_imports(store: str) -> None:
    """Each import is listed with its moment, files and changes until it is undone."""
    kept(store, day(1, 10))
    first = bring(file("views.csv", day(0, 7), day(1, 20)), store=store)
    second = bring(file("more.csv", day(2, 7)), store=store, now=LATER)
    imports = status_of(Settings(store=store), FIRST, 14).imports
    assert [(i.id, i.at, i.repositories, i.inserted, i.raised) for i in imports] == [
        (first.id, NOW, (ATLAS,), 1, 1),
        (second.id, LATER, (ATLAS,), 1, 0),
    ]
    assert [file.name for i in imports for file in i.files] == ["views.csv", "more.csv"]
    take_back(first.id, store)
    assert [found.id for found in status_of(Settings(store=store), FIRST, 14).imports] == [second.id]


def test_the_status_prints_imports(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has the id that --undo takes."""
    plan = bring(file("views.csv", day(0, 7)))
    main(["status", "--store", "sqlite:traffic.db"])
    assert f"import {plan.id}: 1 days inserted, 0 raised in {ATLAS} from views.csv\n" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["views.csv", "--undo", "x"]])
def test_the_command_imports_or_undoes(words: list[str]) -> None:
    """Paths and --undo together, and neither of them, are refused."""
    assert main(["import", *words]) == 2


def test_an_undo_never_overwrites_what_another_program_wrote(store: str) -> None:
    """An outdated reversal writes nothing: the days and the record stay."""
    plan = bring(file("views.csv", day(0, 7)), store=store)
    with closing(open_store(store, create=True)) as opened:
        (record,) = opened.imports.records(7)
        reversal = reverse_import(opened.load(7), (record,), record)
        opened.save(7, Changes((day(0, 8),)))
        before = opened.load(7)
        assert not opened.imports.take_back(7, record, reversal)
        assert opened.load(7) == before
        assert [kept_record.id for kept_record in opened.imports.records(7)] == [plan.id]


def test_ten_years_fit_into_a_record(aws: Aws) -> None:
    """Ten years of both metrics fit well into an item's 400 KB."""
    days = (
        Day(date(2016, 1, 1) + timedelta(days=n), ATLAS, 7919 * n % 9973, 1, 104_729 * n % 997 + 1, 1)
        for n in range(3650)
    )
    plan = bring(file("views.csv", *(d for d in days if d.views)), store="sqlite:traffic.db")
    with (
        closing(open_store("sqlite:traffic.db", create=False)) as local,
        closing(open_store(aws.store, create=False)) as table,
    ):
        [record] = local.imports.records(7)
        table.imports.add(7, record)  # without the 3,650 days, which an emulator takes a minute to store
    key = {"pk": {"S": "repo#7"}, "sk": {"S": f"import#{plan.id}"}}
    item = aws.dynamodb.get_item(TableName=aws.table, Key=key)["Item"]
    assert len(item["record"]["B"]) < 200_000
