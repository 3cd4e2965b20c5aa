"""Backups: they can be imported into any store, and invalid ones are refused."""

import json
import os
import subprocess
import sys
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ghtraffic_action
import ghtraffic_action.views.import_commands  # before a test takes the right to read it away
from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.cli import main
from ghtraffic_action.errors import BackupError, StoreError
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    History,
    Metadata,
    RunCount,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
    WorkflowRuns,
)
from tests.support.aws import Aws, make_table, refusing
from tests.support.files import without_rights

TODAY = date(2024, 11, 24)
NAME = "octo-lab/lighthouse"
NOON = datetime(2024, 11, 20, 12, tzinfo=UTC)
HEAD = {"format": "ghtraffic backup", "version": 2}
DAY = {
    "id": 7,
    "day": "2024-11-20",
    "repository": NAME,
    "views": 12,
    "view_uniques": 5,
    "clones": 3,
    "clone_uniques": 1,
}
SNAPSHOT: dict[str, object] = {
    "id": 7,
    "snapshot": "2024-11-20",
    "repository": NAME,
    "metadata": {"at": "2024-11-20T12:00:00Z", "stars": 5, "forks": 2, "archived": False, "created": "2020-02-02"},
    "views": {"at": "2024-11-20T12:00:00Z", "views_14d": 12, "view_uniques_14d": 5},
    "clones": {"at": "2024-11-20T12:00:00Z", "clones_14d": 3, "clone_uniques_14d": 1},
    "paths": {"at": "2024-11-20T12:00:00Z", "rows": [{"path": "/a", "title": "A", "count": 9, "uniques": 3}]},
    "referrers": {"at": "2024-11-20T12:00:00Z", "rows": [{"referrer": "t.co", "count": 9, "uniques": 3}]},
}


def lines(*records: object, end: object = None) -> bytes:
    """Return a backup of these records as its documentation describes it."""
    body = b"".join(json.dumps(record).encode() + b"\n" for record in (HEAD, *records))
    return body + json.dumps(end or {"records": len(records), "sha256": sha256(body).hexdigest()}).encode() + b"\n"


def backup(content: bytes, name: str = "backup.jsonl") -> str:
    Path(name).write_bytes(content)
    return name


def stored(address: str = "sqlite:new.db") -> list[History]:
    with closing(open_store(address, create=False)) as store:
        return list(store.scan())


def refusal(content: bytes) -> str:
    """Return the error of a refused backup, and check that it leaves not even an empty store."""
    with pytest.raises(BackupError) as refused:
        import_backup(Settings(store="sqlite:new.db"), backup(content), TODAY)
    assert not Path("new.db").exists()
    where, _, text = str(refused.value).partition("import backup.jsonl: ")
    assert where == ""
    return text


# What is written is read


_Group = TypeVar("_Group")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(0, 2**63 - 1) | st.integers(0, 9)
ages = st.integers(0, 400)


@st.composite
def drawn_days(draw: st.DrawFn) -> Day:
    views = draw(st.none() | numbers)
    clones = draw(st.none() | numbers) if views is not None else draw(numbers)
    view_uniques = None if views is None else draw(st.none() | numbers)
    clone_uniques = None if clones is None else draw(st.none() | numbers)
    return Day(TODAY - timedelta(days=draw(ages)), NAME, views, view_uniques, clones, clone_uniques)


@st.composite
def drawn_snapshots(draw: st.DrawFn) -> Snapshot:
    day = TODAY - timedelta(days=draw(ages))

    def at() -> datetime:
        return datetime.combine(day, draw(st.times()).replace(microsecond=0), UTC)

    def maybe(group: Callable[[], _Group]) -> _Group | None:
        return group() if draw(st.booleans()) else None

    def totals() -> Totals:
        return Totals(at(), draw(numbers), draw(numbers))

    def metadata() -> Metadata:
        return Metadata(
            at(),
            draw(numbers),
            draw(numbers),
            draw(st.none() | numbers),
            draw(st.none() | numbers),
            draw(st.none() | numbers),
            draw(st.booleans()),
            day - timedelta(days=draw(ages)),
            topics=draw(st.none() | texts),
            visibility=draw(st.none() | texts),
        )

    def paths() -> TopPaths:
        rows = draw(st.lists(st.tuples(texts, texts, numbers, numbers), max_size=3))
        return TopPaths(at(), tuple(TopPath(*row) for row in rows))

    def referrers() -> TopReferrers:
        rows = draw(st.lists(st.tuples(texts, numbers, numbers), max_size=3))
        return TopReferrers(at(), tuple(TopReferrer(*row) for row in rows))

    def workflow_runs() -> WorkflowRuns:
        rows = draw(st.dictionaries(st.integers(1, 30), numbers, max_size=3))
        return WorkflowRuns(at(), tuple(RunCount(day - timedelta(days=age), count) for age, count in rows.items()))

    seen = Snapshot(
        day,
        NAME,
        metadata=maybe(metadata),
        views=maybe(totals),
        clones=maybe(totals),
        paths=maybe(paths),
        referrers=maybe(referrers),
        workflow_runs=maybe(workflow_runs),
    )
    return replace(seen, views=Totals(at(), 0, 0)) if seen == Snapshot(day, NAME) else seen


changes = st.builds(
    Changes,
    st.lists(drawn_days(), max_size=5, unique_by=lambda day: day.day).map(tuple),
    st.lists(drawn_snapshots(), max_size=4, unique_by=lambda seen: seen.day).map(tuple),
).filter(bool)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has stores of its own
)
@pytest.mark.usefixtures("aws")
@given(held=st.dictionaries(st.integers(1, 40), changes, min_size=1, max_size=3))
def test_a_backup_brings_every_store_to_the_same(held: dict[int, Changes]) -> None:
    """Exported and imported into a file and a table, a history stays equal, and so do its bytes."""
    first, second, third = f"sqlite:{uuid.uuid4()}.db", f"sqlite:{uuid.uuid4()}.db", make_table()
    with closing(open_store(first, create=True)) as store:
        for repository_id, kept in held.items():
            store.save(repository_id, kept)
    count = write_backup(Settings(store=first), "backup.jsonl")
    assert count == sum(len(kept.days) + len(kept.snapshots) for kept in held.values())
    for address in (second, third):
        done = import_backup(Settings(store=address), "backup.jsonl", TODAY)
        assert (done.repositories, done.inserted) == (len(held), sum(len(kept.days) for kept in held.values()))
        assert stored(address) == stored(first)
        write_backup(Settings(store=address), "again.jsonl")
        assert Path("again.jsonl").read_bytes() == Path("backup.jsonl").read_bytes()


def test_the_form_is_a_promise() -> None:
    """The lines are those of the documentation, since other programs read and write backups."""
    with closing(open_store("sqlite:old.db", create=True)) as store:
        at = NOON
        store.save(
            7,
            Changes(
                (Day(at.date(), NAME, 12, 5, 3, 1),),
                (
                    Snapshot(
                        at.date(),
                        NAME,
                        Metadata(at, 5, 2, None, None, None, archived=False, created=date(2020, 2, 2)),
                        Totals(at, 12, 5),
                        Totals(at, 3, 1),
                        TopPaths(at, (TopPath("/a", "A", 9, 3),)),
                        TopReferrers(at, (TopReferrer("t.co", 9, 3),)),
                    ),
                ),
            ),
        )
    write_backup(Settings(store="sqlite:old.db"), "backup.jsonl")
    written = [json.loads(line) for line in Path("backup.jsonl").read_bytes().splitlines()]
    assert written[:-1] == [HEAD, DAY, SNAPSHOT]
    above = Path("backup.jsonl").read_bytes().rpartition(b'{"records"')[0]
    assert written[-1] == {"records": 2, "sha256": sha256(above).hexdigest()}
    assert list(map(list, written[1:-1])) == [list(DAY), list(SNAPSHOT)]


def test_an_empty_store_makes_no_backup() -> None:
    """An empty store is probably a wrong name, and an empty backup would replace a good one."""
    with closing(open_store("sqlite:empty.db", create=True)):
        pass
    backup(b"a good one")
    with pytest.raises(StoreError, match=r"store sqlite:empty.db: it holds nothing: run `ghtraffic collect` first"):
        write_backup(Settings(store="sqlite:empty.db"), "backup.jsonl")
    assert Path("backup.jsonl").read_bytes() == b"a good one"


def test_a_backup_by_another_name_is_replaced_where_it_lies() -> None:
    """A symbolic link stays, and its target is replaced."""
    import_backup(Settings(store="sqlite:old.db"), backup(lines(DAY)), TODAY)
    Path("link.jsonl").symlink_to("backup.jsonl")
    Path("backup.jsonl").write_bytes(b"")
    write_backup(Settings(store="sqlite:old.db"), "link.jsonl")
    assert Path("link.jsonl").is_symlink()
    assert Path("backup.jsonl").read_bytes() == Path("link.jsonl").read_bytes() != b""


def test_a_backup_made_by_hand_is_imported() -> None:
    """Days only, in any order, with counts only and without a checksum, are accepted."""
    days = [DAY | {"day": f"2023-01-0{n}", "id": i} for n, i in ((3, 8), (1, 7), (2, 8))]
    counts = {"id": 7, "day": "2023-01-02", "repository": NAME, "clones": 4}
    content = lines(*days, counts, end={"records": 4})
    done = import_backup(Settings(store="sqlite:new.db"), backup(content), TODAY)
    assert (done.repositories, done.inserted, done.raised, done.snapshots) == (2, 4, 0, 0)
    assert [[day.day.day for day in history.days] for history in stored()] == [[1, 2], [2, 3]]
    assert stored()[0].days[1] == Day(date(2023, 1, 2), NAME, clones=4)


def test_an_old_backup_does_no_harm() -> None:
    """It lowers no number and replaces no newer answer; larger numbers in it are imported."""
    address = Settings(store="sqlite:new.db")
    import_backup(address, backup(lines(DAY, SNAPSHOT)), TODAY)
    with closing(open_store("sqlite:new.db", create=False)) as store:
        later = NOON + timedelta(hours=1)
        newer = Snapshot(NOON.date(), "lab/renamed", views=Totals(later, 13, 6))
        store.save(7, Changes((Day(NOON.date(), "lab/renamed", 13, 6),), (newer,)))
    before = stored()
    done = import_backup(address, "backup.jsonl", TODAY)
    assert (done.inserted, done.raised, done.snapshots) == (0, 0, 0)
    assert stored() == before
    done = import_backup(address, backup(lines(DAY | {"views": 1, "clones": 9}, DAY | {"day": "2024-11-19"})), TODAY)
    assert (done.inserted, done.raised) == (1, 1)
    assert replace(stored()[0].days[1], repository=NAME) == Day(NOON.date(), NAME, 13, 6, 9, 1)


def test_importing_twice_writes_nothing_to_a_table(aws: Aws) -> None:
    """Days that the table already has are read and not written."""
    import_backup(Settings(store=aws.store), backup(lines(DAY, SNAPSHOT)), TODAY)
    before = aws.dynamodb.scan(TableName=aws.table)["Items"]
    aws.dynamodb.update_table(TableName=aws.table, BillingMode="PAY_PER_REQUEST")
    done = import_backup(Settings(store=aws.store), "backup.jsonl", TODAY)
    assert (done.repositories, done.inserted, done.raised, done.snapshots) == (1, 0, 0, 0)
    assert aws.dynamodb.scan(TableName=aws.table)["Items"] == before


# What is refused, whole


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 1, "the file is empty"),
        (b"\x1f\x8b\x08\x00", 1, "the file is compressed (gzip), so it has to be unpacked first"),
        (b"day,views\r\n2024-11-20,3\r\n", 1, "it is not JSON"),
        (b'{"views": 3}\n', 1, "it is not the first line of a backup"),
        (b"[1]\n", 1, "it is not the first line of a backup"),
        (b"[" * 100_000 + b"\n", 1, "it is not JSON"),
        (lines(DAY).splitlines(keepends=True)[0], 2, "the last line of a backup is missing, so the file was cut off"),
        (lines(DAY, DAY)[:300], 3, "it is cut off"),
        (
            lines(DAY, DAY).rpartition(b'{"records"')[0],
            4,
            "the last line of a backup is missing, so the file was cut off",
        ),
        (lines(DAY, DAY, end={"records": 3}), 4, "it counts 3 records, but there are 2"),
        (lines(DAY, DAY, end={"records": True}), 4, "it counts True records, but there are 2"),
        (lines(DAY).replace(b"12", b"13"), 3, "the lines above it have another SHA-256: they were changed or damaged"),
        (lines(DAY) + lines(DAY), 3, "it should be the last line, but another follows"),
        (lines(DAY, "day"), 3, "record is 'day'"),
        (lines(DAY).replace(b"octo", b"\xff\xfe"), 2, "it is not JSON"),
    ],
)
def test_what_is_not_whole_is_refused(content: bytes, line: int, what: str) -> None:
    """A truncated, foreign, damaged or doubled file is refused with its line, and nothing is imported."""
    assert refusal(content).startswith(f"line {line}: {what}, so nothing was imported: ")


@pytest.mark.e2e
def test_a_backup_cut_off_anywhere_is_refused() -> None:
    """A copy cut off at any byte is refused, unless only the last line end is missing."""
    whole = lines(DAY, SNAPSHOT, DAY | {"id": 8})
    for length in range(len(whole) - 1):
        assert "so nothing was imported" in refusal(whole[:length])
    assert import_backup(Settings(store="sqlite:new.db"), backup(whole[:-1]), TODAY).repositories == 2


@pytest.mark.parametrize("version", [3, 0, "1", None])
def test_another_version_is_refused(version: object) -> None:
    """An unknown version is refused with both versions and a remedy."""
    content = json.dumps(HEAD | {"version": version}).encode() + b"\n"
    what = f"line 1: the backup is of version {version!r}, this ghtraffic reads 2 and older ones"
    assert refusal(content) == f"{what}, so nothing was imported: upgrade ghtraffic"


def without(record: dict[str, object], name: str) -> dict[str, object]:
    return {field: value for field, value in record.items() if field != name}


def within(group: str, **changed: object) -> dict[str, object]:
    fields = SNAPSHOT[group]
    assert isinstance(fields, dict)
    return SNAPSHOT | {group: fields | changed}


def runs_of(day: str, runs: int, **more: object) -> dict[str, object]:
    rows = [{"created": day, "runs": runs, **more}]
    return SNAPSHOT | {"workflow_runs": {"at": "2024-11-20T12:00:00Z", "rows": rows}}


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (DAY | {"views": -1}, "views is -1"),
        (DAY | {"views": 1.0}, "views is 1.0"),
        (DAY | {"views": True}, "views is True"),
        (DAY | {"views": "12"}, "views is '12'"),
        (DAY | {"views": None}, "views is None"),
        (DAY | {"views": 2**63}, "views is 9223372036854775808"),
        (DAY | {"id": 10**18}, "id is 1000000000000000000"),
        (DAY | {"visits": 1}, "it has an unknown field, 'visits'"),
        (DAY | {"x" * 99: 1}, f"it has an unknown field, '{'x' * 58}…"),
        (DAY | {"id": "7"}, "id is '7'"),
        (without(DAY, "id"), "it has no id"),
        (without(DAY, "day"), "it has no day"),
        (without(DAY, "repository"), "it has no repository"),
        (without(DAY, "views"), "it has view_uniques without views"),
        ({"id": 7, "day": "2024-11-20", "repository": NAME}, "it has neither views nor clones"),
        ({"id": 7, "day": "2024-11-20", "repository": NAME, "view_uniques": 3}, "it has neither views nor clones"),
        (DAY | {"day": "2024-11-25"}, "2024-11-25 is in the future by this machine's clock"),
        (DAY | {"day": "2024-11-31"}, "day is '2024-11-31'"),
        (DAY | {"day": "20241120"}, "day is '20241120'"),
        (DAY | {"day": "2006-11-20"}, "day is '2006-11-20'"),
        (DAY | {"day": 20241120}, "day is 20241120"),
        (DAY | {"repository": "lighthouse"}, "repository is 'lighthouse'"),
        (DAY | {"repository": "octo/<b>"}, "repository is 'octo/<b>'"),
        ([DAY], f"record is {str([DAY])[:59]}…"),
        (SNAPSHOT | {"day": "2024-11-20"}, "it has an unknown field, 'day'"),
        ({"id": 7, "snapshot": "2024-11-20", "repository": NAME}, "it has no group"),
        (SNAPSHOT | {"snapshot": "2024-11-21"}, "metadata is of another day, 2024-11-20"),
        (SNAPSHOT | {"views": 12}, "views is 12"),
        (within("views", at="2024-11-20T12:00:00"), "at is '2024-11-20T12:00:00'"),
        (within("views", at="noon"), "at is 'noon'"),
        (within("views", at="0001-01-01T00:00:00+14:00"), "at is '0001-01-01T00:00:00+14:00'"),
        (within("views", bots=1), "it has an unknown field, 'bots'"),
        (within("views", views_14d=-1), "views_14d is -1"),
        (within("metadata", stars=None), "stars is None"),
        (within("metadata", watchers=-1), "watchers is -1"),
        (within("metadata", archived=0), "archived is 0"),
        (within("metadata", topics=["ospo"]), "topics is ['ospo']"),
        (within("metadata", created="2020"), "created is '2020'"),
        (within("paths", rows={}), "rows is {}"),
        (within("paths", rows=[{"path": "/a", "title": "A", "count": 9}]), "it has no uniques"),
        (within("paths", rows=[{"path": 3, "title": "A", "count": 9, "uniques": 1}]), "path is 3"),
        (within("referrers", rows=["t.co"]), "row is 't.co'"),
        (runs_of("2024-11-19", -1), "runs is -1"),
        (runs_of("2024-11-19", 3, of=1), "it has an unknown field, 'of'"),
        (runs_of("2024-11-20", 3), "workflow_runs reaches the snapshot's own day"),
        (within("referrers", rows=[{"referrer": "\ud800", "count": 9, "uniques": 1}]), r"referrer is '\ud800'"),
    ],
)
def test_what_cannot_be_true_is_refused(record: object, what: str) -> None:
    """Values have the same checks as GitHub's answers; the first invalid one is reported with its line."""
    cure = "fix it, or make another backup with `ghtraffic export --format jsonl`"
    assert refusal(lines(DAY, record)) == f"line 3: {what}, so nothing was imported: {cure}"


def test_more_uniques_than_counts_are_taken() -> None:
    """Unusual values that GitHub could return are accepted."""
    import_backup(Settings(store="sqlite:new.db"), backup(lines(DAY | {"views": 1, "view_uniques": 2})), TODAY)
    assert stored()[0].days[0].view_uniques == 2


# The commands, and trouble


PROGRAM = [sys.executable, "-m", "ghtraffic_action"]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1])}


def program(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the program with a shell's standard input and output."""
    return subprocess.run([*PROGRAM, *arguments], env=environment(), input=stdin, capture_output=True, check=False)


@pytest.mark.e2e
def test_stores_are_moved_by_two_commands() -> None:
    """The output of the export is the input of the import, by a pipe or a file."""
    import_backup(Settings(store="sqlite:ghtraffic.db"), backup(lines(DAY, SNAPSHOT)), TODAY)
    exported = program("export", "--format", "jsonl")
    assert (exported.returncode, exported.stderr) == (0, b"2 days and snapshots of sqlite:ghtraffic.db written\n")
    reported = b"1 repositories merged into sqlite:new.db: 1 days inserted, 0 raised, 1 snapshots new or renewed\n"
    hint = b"the export does not show them yet: run `ghtraffic export`\n"
    imported = program("import", "-", "--store", "sqlite:new.db", stdin=exported.stdout)
    assert (imported.returncode, imported.stdout, imported.stderr) == (0, reported + hint, b"")
    assert stored() == stored("sqlite:ghtraffic.db")
    again = program("import", "backup.jsonl", "--store", "sqlite:new.db")
    assert again.stdout == reported.replace(b"1 days", b"0 days").replace(b"1 snap", b"0 snap")


def test_a_backup_replaces_another_only_when_it_is_whole() -> None:
    """If the store fails during a backup, the older backup stays and no other file is left."""
    import_backup(Settings(store="sqlite:old.db"), backup(lines(DAY)), TODAY)
    Path("backup.jsonl").unlink()
    Path("folder").mkdir()
    kept = Path("folder/backup.jsonl")
    assert main(["export", "--format", "jsonl", "--store", "sqlite:old.db", "--output", str(kept)]) == 0
    whole = kept.read_bytes()
    assert whole.endswith(b'"}\n')
    Path("old.db").write_bytes(Path("old.db").read_bytes()[:4096] + b"\0" * 4096 * 7)
    assert main(["export", "--format", "jsonl", "--store", "sqlite:old.db", "--output", str(kept)]) == 1
    assert kept.read_bytes() == whole
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("output", ["-", "/dev/full"])
def test_a_full_disk_is_named(output: str) -> None:
    """An output that cannot be written completely ends with exit code 1 and one line."""
    import_backup(Settings(store="sqlite:ghtraffic.db"), backup(lines(DAY)), TODAY)
    command = [*PROGRAM, "export", "--format", "jsonl", "--output", output]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False)
    where = "the standard output" if output == "-" else output
    what = f"output {where}: cannot be written (No space left on device): free some space there, or name another file"
    assert (done.returncode, done.stderr.decode()) == (1, f"ERROR {what}\n")


@pytest.mark.e2e
@pytest.mark.usefixtures("unmeasured")
def test_a_store_that_cannot_grow_is_named() -> None:
    """An import onto a full disk exits with 1 and a remedy; a later import adds the rest."""
    import_backup(Settings(store="sqlite:full.db"), backup(lines(DAY)), TODAY)
    many = [DAY | {"id": i, "day": str(TODAY - timedelta(days=age))} for i in range(1, 6) for age in range(400)]
    limited = 'ulimit -f 64; exec "$0" -m ghtraffic_action import backup.jsonl --store sqlite:full.db'
    environ = os.environ | {"PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1])}
    backup(lines(*many))
    done = subprocess.run(
        ["sh", "-c", limited, sys.executable], env=environ, capture_output=True, text=True, check=False
    )
    what = "cannot be read or written, since the disk fails: check the disk and its free space, and run again"
    assert (done.returncode, done.stderr) == (1, f"ERROR store sqlite:full.db: {what}\n")
    assert stored("sqlite:full.db")[-1] == History(7, None, (Day(date(2024, 11, 20), NAME, 12, 5, 3, 1),))
    import_backup(Settings(store="sqlite:full.db"), "backup.jsonl", TODAY)
    assert [len(history.days) for history in stored("sqlite:full.db")] == [400, 400, 400, 400, 400, 1]


def test_an_import_into_a_database_that_may_only_be_read_is_named(
    others_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Commands that write report the missing permission; commands that only read work without it."""
    store = f"sqlite:{others_folder / 'ghtraffic.db'}"
    file = backup(lines(DAY), str(others_folder / "backup.jsonl"))
    import_backup(Settings(store=store), file, TODAY)
    with without_rights(others_folder):
        assert main(["import", file, "--store", store]) == 1
    cure = "cannot be written: give this user the right to write the file and its folder"
    assert caplog.messages == [f"store {store}: {cure}"]


def test_a_folder_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """A backup that cannot be written or read is reported by its name, what is wrong and what to do."""
    import_backup(Settings(store="sqlite:ghtraffic.db"), backup(lines(DAY)), TODAY)
    assert main(["export", "--format", "jsonl", "--output", "missing/backup.jsonl"]) == 1
    assert main(["import", "missing.jsonl"]) == 1
    no_such = "(No such file or directory)"
    assert caplog.messages == [
        f"output missing/backup.jsonl: cannot be written {no_such}: free some space there, or name another file",
        f"import missing.jsonl: cannot be read {no_such}: name a file that this user can read",
    ]


@pytest.mark.e2e
def test_memory_does_not_grow_with_the_store() -> None:
    """A backup and an import hold one repository at a time."""

    def peak(name: str, database: str) -> int:
        tracemalloc.start()
        try:
            import_backup(Settings(store=f"sqlite:{database}"), name, TODAY)
            write_backup(Settings(store=f"sqlite:{database}"), "again.jsonl")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def peaks(repositories: int) -> Iterator[int]:
        name = f"{repositories}.jsonl"
        days = [DAY | {"day": str(TODAY - timedelta(days=age))} for age in range(200)]
        backup(lines(*(day | {"id": i} for i in range(1, repositories + 1) for day in days)), name)
        return (peak(name, f"{repositories}-{n}.db") for n in range(3))

    few = min(peaks(2))
    # Again if other threads of this process happened to take memory meanwhile.
    assert any(many < 3 * few for many in peaks(20))


@pytest.mark.parametrize(
    ("command", "operation"),
    [(["export", "--format", "jsonl", "--output", "x"], "Scan"), (["import", "backup.jsonl"], "Query")],
)
def test_a_table_that_denies_or_goes_is_named(
    aws: Aws,
    command: list[str],
    operation: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error has the missing permission, or the command that creates the table."""
    backup(lines(DAY))
    aws.dynamodb.delete_table(TableName=aws.table)
    assert main([*command, "--store", aws.store]) == 1
    assert caplog.messages[-1].startswith(f"store {aws.store}: there is no such table in this account and region")
    assert not Path("x").exists()
    for code, what in (
        ("AccessDeniedException", f"AWS denies dynamodb:{operation}: allow it to this role"),
        ("ResourceInUseException", "the table is being changed or deleted: run again when it is active"),
    ):
        with refusing(code) as url:
            monkeypatch.setenv("AWS_ENDPOINT_URL", url)
            assert main([*command, "--store", aws.store]) == 1
        assert caplog.messages[-1].startswith(f"store {aws.store}: {what}")
        assert not Path("x").exists()


def test_no_room_for_what_came_through_a_pipe_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped input is kept in a temporary file; if the disk is full, the error has the folder and a remedy."""
    monkeypatch.setattr("tempfile.tempdir", str(Path("missing").absolute()))
    reading, writing = os.pipe()
    os.write(writing, lines(DAY))
    os.close(writing)
    with pytest.raises(BackupError) as refused:
        import_backup(Settings(store="sqlite:new.db"), f"/dev/fd/{reading}", TODAY)
    os.close(reading)
    what = "No such file or directory: free some space there, or set TMPDIR to a folder with free space"
    assert str(refused.value) == f"import /dev/fd/{reading}: temporary files in {Path('missing').absolute()}: {what}"


@pytest.mark.parametrize("flags", [["--month", "2024-11"], ["--export-to", "x"], ["--legacy-csv"]])
def test_a_backup_is_of_the_whole_store(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Options for CSV files are refused with --format jsonl, and --output is refused without it."""
    assert main(["export", "--format", "jsonl", *flags]) == 2
    assert (
        "--month, --export-to, --legacy-csv and --report are of --format csv: leave them out" in capsys.readouterr().err
    )
    assert main(["export", "--output", "x", *flags]) == 2
    assert "--output is of --format jsonl: set --export-to, or add --format jsonl" in capsys.readouterr().err


def test_a_backup_needs_a_store_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Actions, where the destination has no default, a backup and an import do not require one."""
    import_backup(Settings(store="sqlite:ghtraffic.db"), backup(lines(DAY)), TODAY)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for command in (["export", "--format", "jsonl", "--output", "x"], ["import", "backup.jsonl"]):
        assert main([*command, "--store", "sqlite:ghtraffic.db"]) == 0
        assert main(command) == 2
