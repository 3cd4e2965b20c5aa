"""The comparison of an export with its store: what it finds, ignores and repairs."""

import csv
import io
import shutil
from collections.abc import Callable
from contextlib import chdir, closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.errors import DestinationError, SettingsError, StoreError
from ghtraffic_action.exports.destination import LARGEST, File, open_destination
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    LATEST_PATHS,
    RECENT,
    REPOSITORIES,
    REPOSITORIES_TABLE,
    month_key,
)
from ghtraffic_action.exports.verify import Verified, verify, verify_all
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.stores.base import COLLECT_FIRST, open_store
from ghtraffic_action.traffic.model import Changes, Day, Metadata, Snapshot
from tests.support.aws import Aws, refusing
from tests.support.builders import NAME, NOW, TOKEN, repository
from tests.support.fake_github import FakeGitHub, GeneratedTraffic, PlaceholderForm
from tests.support.files import without_rights

DAILY = month_key("daily", "2026-11")
LOCAL = {"store": "sqlite:traffic.db", "export_to": "export"}
OTHER = "octo-lab/beacon"


def verified(backends: dict[str, str] = LOCAL, *, repair: bool = False, article: str = "") -> Verified:
    flags = backends | ({"legacy_csv": article} if article else {})
    return verify_all(read_settings("verify", {}, flags), repair=repair)


def files() -> dict[str, bytes]:
    """Return all files of the directory except for its lock."""
    found = (path for path in Path("export").rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to("export")): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store and an export of two repositories after two runs 24 days apart."""
    folder = tmp_path_factory.mktemp("exported")
    with (
        chdir(folder),
        FakeGitHub([repository(), repository(OTHER, id=9)], now=NOW - timedelta(days=24), token=TOKEN) as github,
    ):
        environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}
        settings = read_settings("collect", environ, LOCAL | {"repositories": f"{NAME} {OTHER}"})
        assert run(settings).exit_code == 0
        github.now = NOW
        assert run(settings).exit_code == 0
    return folder


@pytest.fixture
def exported(two_runs: Path, tmp_path: Path) -> None:
    shutil.copytree(two_runs, tmp_path, dirs_exist_ok=True)


def rewritten(key: str, change: Callable[[list[list[str]]], object]) -> None:
    """Change a file's rows, including the header."""
    path = Path("export", key)
    rows = list(csv.reader(io.StringIO(path.read_text(), newline="")))
    change(rows)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue(), newline="")


def set_cell(line: int, column: str, value: str) -> Callable[[list[list[str]]], object]:
    return lambda rows: rows[line].__setitem__(rows[0].index(column), value)


@pytest.mark.e2e
def test_what_runs_have_exported_follows_from_the_store(
    backends: dict[str, str], github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """After every run, over gaps, months and a rename, all files agree."""
    for back, name in ((40, NAME), (21, NAME), (1, "octo-lab/renamed"), (0, "octo-lab/renamed")):
        github.now = NOW - timedelta(days=back)
        github.repositories[0].name = name
        assert run(settings_for(**backends, repositories=name)).exit_code == 0
        found = verified(backends)
        assert (found.problems, found.notes) == ((), ())
        assert found.agreeing == found.files > 6


@pytest.mark.e2e
@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize(
    ("key", "damage", "what"),
    [
        (DAILY, lambda path: path.unlink(), "it is missing"),
        (DAILY, lambda path: path.write_bytes(b""), "it has no column repository_id"),
        (
            DAILY,
            lambda path: path.write_bytes(path.read_bytes()[:-10]),
            "it has 16 fields in row 47 where the header has 18",
        ),
        (
            DAILY,
            lambda _: rewritten(DAILY, set_cell(3, "views", "3")),
            "rows: 1 differing; the first is '2026-11-02' '7': views is '3', in the store ''",
        ),
        (
            DAILY,
            lambda _: rewritten(DAILY, set_cell(3, "repository_id", "8")),
            "rows: 1 missing, 1 not in the store; the first is '2026-11-02' '7'",
        ),
        (
            DAILY,
            lambda _: rewritten(DAILY, lambda rows: rows.append(["a/b", "8", "2026-11-01", *[""] * 15])),
            "rows: 1 not in the store; the first is '2026-11-01' '8'",
        ),
        (DAILY, lambda _: rewritten(DAILY, lambda rows: rows.pop(4)), "rows: 1 missing; the first is '2026-11-02' '9'"),
        (
            DAILY,
            lambda _: rewritten(DAILY, lambda rows: rows.append(rows[2])),
            "rows: 1 not in the store; the first is '2026-11-01' '9'",
        ),
        (
            LATEST_PATHS,
            lambda _: rewritten(LATEST_PATHS, set_cell(1, "path", "\x1b[31m")),
            "rows: 1 missing, 1 not in the store; the first is '2026-11-23' '7' '\\x1b[31m'",
        ),
        (
            REPOSITORIES,
            lambda _: rewritten(REPOSITORIES, set_cell(1, "lost_days", "0")),
            "rows: 1 differing; the first is '7': lost_days is '0', in the store '9'",
        ),
        (month_key("referrers", "2026-10"), lambda path: path.unlink(), "it is missing"),
    ],
)
def test_each_damage_is_found_and_repaired(key: str, damage: Callable[[Path], object], what: str) -> None:
    """Missing and differing rows are reported with an example; only their files are rewritten."""
    before = files()
    damage(Path("export", key))
    damaged = files()
    found = verified()
    assert found.problems == (f"export/{key}: {what}: write it again with `ghtraffic verify --repair`",)
    assert found.agreeing == found.files - 1
    assert files() == damaged
    repaired = verified(repair=True)
    assert (repaired.problems, repaired.agreeing) == ((), found.files)
    assert repaired.notes == (f"export/{key}: {what}: it was written again",)
    assert files() == before
    assert verified() == Verified(found.files)


@pytest.mark.usefixtures("exported")
def test_what_should_not_be_there_is_reported_and_never_removed() -> None:
    """Months that the store does not have, and other files below the prefix, are reported."""
    foreign = [month_key("daily", "2019-01"), "v1/daily/notes.txt", "v1/latest/stars.csv"]
    for key in foreign:
        Path("export", key).parent.mkdir(parents=True, exist_ok=True)
        Path("export", key).write_text("x")
    Path("export", "v1/daily/.daily.csv.left").write_text("x")
    Path("export", "mine.txt").write_text("x")
    before = files()
    for repair in (False, True):
        problems = [f"export/{key}: the store has no data for it: remove it if it is not needed" for key in foreign]
        assert list(verified(repair=repair).problems) == problems
        assert files() == before


@pytest.mark.usefixtures("exported")
def test_another_order_and_columns_of_a_newer_version_agree() -> None:
    """Rows are compared, not bytes: unknown columns, another order and line ends are ignored."""

    def widened(rows: list[list[str]]) -> None:
        for row in rows:
            row.insert(1, "bots")
        rows[1:] = reversed(rows[1:])

    rewritten(DAILY, widened)
    path = Path("export", REPOSITORIES)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    before = files()
    assert verified(repair=True) == Verified(verified().files, repaired=True)
    assert files() == before


@pytest.mark.usefixtures("exported")
def test_an_import_is_found_until_it_is_exported() -> None:
    """Imported days are missing from the export, and a repair adds them."""
    with closing(open_store(LOCAL["store"], create=False)) as store:
        store.save(7, Changes((Day(date(2026, 3, 1), NAME, 3, 1),)))
        store.save(8, Changes((Day(date(2026, 11, 1), "sea/buoy", 3, 1),)))
    month = month_key("daily", "2026-03")
    assert [problem.partition(": write")[0] for problem in verified().problems] == [
        "export/report.html: its content differs",
        "export/report/data.jsonl: its content differs",
        f"export/{month}: it is missing",
        f"export/{DAILY}: rows: 1 missing; the first is '2026-11-01' '8'",
        f"export/{RECENT}: rows: 2 missing; the first is '2026-03-01' '7'",
        f"export/{REPOSITORIES}: rows: 1 missing; the first is '8'",
        f"export/{REPOSITORIES_TABLE}: rows: 1 missing; the first is '8'",
    ]
    assert verified(repair=True).problems == ()
    assert verified().problems == ()


@pytest.mark.parametrize("article", ["", "true"])
def test_files_of_a_store_without_a_day_are_found(backends: dict[str, str], article: str) -> None:
    """After the undo of its only import the old files of a store are reported."""
    day = Day(date(2026, 11, 1), NAME, views=5)
    seen = Snapshot(date(2026, 11, 2), NAME, Metadata(NOW, 5, 2, 3, 1, 0, archived=False, created=date(2026, 1, 1)))
    contents = {"with.db": Changes((day,)), "without.db": Changes((), (seen,)), "empty.db": Changes(())}
    for store, changes in contents.items():
        with closing(open_store(f"sqlite:{store}", create=True)) as opened:
            opened.save(7, changes)
    export = backends["export_to"]
    flags = ["--legacy-csv"] if article else []
    assert main(["export", "--store", "sqlite:with.db", "--export-to", export, *flags]) == 0
    with closing(open_destination(export)) as destination:
        keys = {*destination.keys("v1/"), *destination.manifests(), "report.html", "report/data.jsonl"}
        keys |= {ARTICLE_DAYS, ARTICLE_PATHS} if article else set()
        expected = set(map(destination.uri, keys))
    without, empty = (
        verified({"store": f"sqlite:{name}", "export_to": export}, article=article) for name in [*contents][1:]
    )
    assert {*without.needless} == expected - ({f"{export}/{key}" for key in (ARTICLE_DAYS, ARTICLE_PATHS)})
    assert {*empty.needless} == expected
    assert empty.errors == (f"store sqlite:empty.db: it holds nothing: {COLLECT_FIRST}",)
    assert empty.problems[0] == empty.errors[0]


def test_the_manifests_of_a_bucket_are_compared(
    aws: Aws, github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """A bucket also has manifests; a change of one is found, and so is an object that should not be there."""
    backends = {"store": "sqlite:traffic.db", "export_to": aws.export_to}
    assert run(settings_for(**backends)).exit_code == 0
    manifest = "quicksight/daily.manifest.json"
    before = aws.file(manifest)
    for key in (manifest, "v1/daily/old.csv"):
        aws.s3.put_object(Bucket=aws.bucket, Key=f"traffic/{key}", Body=b"{}")
    aws.s3.put_object(Bucket=aws.bucket, Key="elsewhere/v1/daily/old.csv", Body=b"{}")
    aws.s3.put_object(Bucket=aws.bucket, Key="traffic/v1/daily/")  # a folder, as the console makes it
    found = verified(backends)
    assert found.differing == (f"{aws.export_to}/{manifest}: its content differs",)
    assert found.needless == (f"{aws.export_to}/v1/daily/old.csv",)
    assert verified(backends, repair=True).problems == verified(backends).problems
    assert aws.file(manifest) == before
    assert github.now == NOW


@pytest.mark.e2e
def test_the_article_s_files_are_looked_at_on_demand(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """They are compared with --legacy-csv; without it a note says that they were not."""
    assert run(settings_for(**LOCAL, legacy_csv="true")).exit_code == 0
    rewritten(ARTICLE_DAYS, set_cell(1, "views", "3"))
    found = verified()
    assert (found.problems, len(found.notes)) == ((), 2)
    assert found.notes[1] == f"export/{ARTICLE_DAYS}: it was not compared: add --legacy-csv"
    found = verified(article="true")
    assert [problem.partition(": row")[0] for problem in found.problems] == [f"export/{ARTICLE_DAYS}"]
    assert verified(article="true", repair=True).problems == ()
    github.repositories.append(repository(OTHER, id=9))
    assert run(settings_for(**LOCAL, repositories=OTHER)).exit_code == 0
    with pytest.raises(SettingsError, match="legacy-csv: the store holds several repositories"):
        verified(article="true")


def test_files_of_a_repository_that_github_has_not_counted_agree(
    backends: dict[str, str], github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """Its first run stores no day: with and without the article's files, it writes what a rebuild would."""
    github.repositories[0].traffic = GeneratedTraffic({}, {}, form=PlaceholderForm())
    for article in ("false", "true"):
        assert run(settings_for(**backends, legacy_csv=article)).exit_code == 0
        assert verified(backends, article=article).problems == ()
    assert verified(backends, article="true").files == 2


@pytest.mark.e2e
def test_a_run_under_way_is_no_difference(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """A file that a run writes during the comparison is compared again with the store."""
    github.now = NOW - timedelta(days=1)
    settings = settings_for(**LOCAL)
    run(settings)
    Path("export", DAILY).write_bytes(Path("export", DAILY).read_bytes().replace(b"complete", b"lost"))
    runs = iter([NOW])

    class RunsBeside(DirectoryDestination):
        reads = 0

        def read(self, key: str, limit: int = LARGEST) -> File | None:
            self.reads += key == DAILY
            if self.reads == 2 and (now := next(runs, None)):
                github.now = now
                run(settings)
            return super().read(key, limit)

    destination = RunsBeside("export")
    with closing(open_store(settings.store, create=False)) as store:
        assert verify(store, destination).differing == ()
    assert (destination.reads, next(runs, None)) == (2, None)
    assert verified().problems == ()


@pytest.mark.usefixtures("exported")
def test_an_export_that_cannot_be_read_is_an_error(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """If reading is denied, the missing permission is reported; the file does not count as equal."""
    with pytest.raises(DestinationError, match="there is no such bucket: name another, or make it with"):
        verified({**LOCAL, "export_to": "s3://no-such-bucket"})
    with refusing("AccessDeniedException") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        with pytest.raises(StoreError, match=r"AWS denies dynamodb:Scan: allow it to this role"):
            verified({"store": aws.store, "export_to": "export"})


@pytest.mark.usefixtures("exported")
def test_an_export_in_a_folder_that_is_only_readable_is_compared(others_folder: Path) -> None:
    """The comparison writes neither a lock nor a file."""
    shutil.copytree("export", others_folder / "export")
    with closing(open_store(LOCAL["store"], create=False)) as store, without_rights(others_folder / "export"):
        found = verify(store, DirectoryDestination(str(others_folder / "export")))
    assert (found.problems, found.agreeing) == ((), found.files)
    shutil.rmtree(others_folder / "export")


@pytest.mark.usefixtures("exported")
def test_a_file_that_may_not_be_read_is_named(others_folder: Path) -> None:
    """A file of another user in the export does not look like a missing directory."""
    shutil.copytree("export", others_folder / "export")
    path = others_folder / "export" / DAILY
    path.chmod(0)
    destination = DirectoryDestination(str(others_folder / "export"))
    with (
        closing(open_store(LOCAL["store"], create=False)) as store,
        without_rights(others_folder / "export"),
        pytest.raises(DestinationError) as refused,
    ):
        verify(store, destination)
    assert str(refused.value).startswith(f"export-to {path}: cannot be read (Permission denied): give this user")
    shutil.rmtree(others_folder / "export")


def test_a_store_that_holds_nothing_is_named() -> None:
    """An empty store is reported, since it is probably a wrong name."""
    with pytest.raises(StoreError, match=r"sqlite:traffic.db: there is no such file"):
        verified()
    with closing(open_store(LOCAL["store"], create=True)), closing(open_destination("export")):
        pass
    with pytest.raises(StoreError, match=r"sqlite:traffic.db: it holds nothing: run"):
        verified()


@pytest.mark.e2e
@pytest.mark.usefixtures("exported")
def test_the_command_ends_with_1_where_something_differs(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It exits with 0 if all files agree or were repaired, else with 1 and up to twenty errors."""
    flags = ["--store", LOCAL["store"], "--export-to", LOCAL["export_to"]]
    count = len(files()) - 1  # the report of the run is of no store
    assert main(["verify", *flags]) == 0
    assert capsys.readouterr().out == f"{count} of {count} files in export agree with sqlite:traffic.db\n"
    assert caplog.messages == []
    for key in files():
        Path("export", key).unlink()
    for i in range(30):
        Path("export", f"v1/daily/{i}.csv").write_text("x")
    assert main(["verify", *flags]) == 1
    assert capsys.readouterr().out == f"0 of {count} files in export agree with sqlite:traffic.db\n"
    assert len(caplog.messages) == 21
    assert caplog.messages[-1] == f"and {count + 10} more"
    for i in range(30):
        Path("export", f"v1/daily/{i}.csv").unlink()
    assert main(["verify", "--repair", *flags]) == 0
    assert main(["verify", *flags]) == 0
