"""Versions of files in a local git repository, and imports in any order."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ghtraffic_action.errors import ForeignFileError
from tests.support.git import git
from tests.support.imports import ATLAS, EXCERPTS, bring, days_of, history_of, write_csv, write_database

pytestmark = pytest.mark.e2e  # it runs git

HEADER = "date,views,uniques"


def commit(message: str = "traffic") -> None:
    git("clone", "add", "-A")
    git("clone", "commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture
def clone() -> Path:
    """Return an empty git repository in the folder `clone`."""
    Path("clone").mkdir()
    git("clone", "init", "-q", "-b", "main")
    return Path("clone")


def views() -> list[tuple[date, int | None]]:
    return [(day.day, day.views) for day in days_of()]


def answer(*numbers: int, first: int = 1) -> str:
    listed = [{"timestamp": f"2024-01-{day:02}", "count": n, "uniques": 1} for day, n in enumerate(numbers, first)]
    return json.dumps({"count": 1, "uniques": 1, "views": listed})


def test_every_version_counts(clone: Path) -> None:
    """Earlier versions of an overwritten answer have days that the file has lost; the largest number counts."""
    file = clone / "views.json"
    for text in (answer(5, 6), answer(7, 4, first=2), "{", answer(1, first=4)):
        file.write_text(text)
        commit()
    plan = bring(file, history=True)
    assert views() == [(date(2024, 1, day), number) for day, number in ((1, 5), (2, 7), (3, 4), (4, 1))]
    assert [file.name for file in plan.repositories[0].files] == ["clone/views.json (3 versions)"]
    (left_out,) = plan.left_out
    assert re.match(r"clone/views.json@[0-9a-f]{12}: its form is unknown", left_out)


def test_without_history_the_file_alone_counts(clone: Path) -> None:
    """Earlier versions are read with `--history` only."""
    for number in (5, 3):
        write_csv("clone/views.csv", HEADER, f"2024-01-02,{number},1")
        commit()
    bring(clone / "views.csv")
    assert views() == [(date(2024, 1, 2), 3)]


def test_other_branches_are_other_data(clone: Path) -> None:
    """Only ancestors of HEAD are read: another branch may have another repository's data."""
    write_csv("clone/views.csv", HEADER, "2024-01-02,3,1")
    commit()
    git("clone", "switch", "-q", "-c", "other")
    write_csv("clone/views.csv", HEADER, "2024-01-02,99,1")
    commit()
    git("clone", "switch", "-q", "main")
    bring(clone, history=True)
    assert views() == [(date(2024, 1, 2), 3)]


def test_merges_deleted_files_and_odd_names_are_read(clone: Path) -> None:
    """A folder's history has files that are gone, both sides of merges, and names with blanks and umlauts."""
    write_csv("clone/traffic data/views ü.csv", HEADER, "2024-01-02,3,1")
    commit()
    git("clone", "switch", "-q", "-c", "side")
    write_csv("clone/side views.csv", HEADER, "2024-01-03,4,1")
    commit()
    git("clone", "switch", "-q", "main")
    (clone / "traffic data/views ü.csv").unlink()
    commit()
    git("clone", "merge", "-q", "--no-ff", "-m", "merge", "side")
    (clone / "side views.csv").unlink()
    (clone / "README.md").write_text("# Traffic\n")
    commit()
    bring(clone, history=True)
    assert views() == [(date(2024, 1, 2), 3), (date(2024, 1, 3), 4)]


def test_the_versions_of_a_database_are_read(clone: Path) -> None:
    """A version of a SQLite database is read from memory, also one that had a log."""
    schema = "CREATE TABLE {}(repo TEXT, date TEXT, count INTEGER, uniques INTEGER);"
    tables = "PRAGMA journal_mode = WAL;" + "".join(map(schema.format, ("views", "clones")))
    write_database("clone/stats.db", tables, ("views", [(ATLAS, "2024-01-02", 9, 4)]))
    commit()
    (clone / "stats.db").unlink()
    commit()
    bring(clone, history=True)
    assert views() == [(date(2024, 1, 2), 9)]


def test_a_deleted_file_is_read_by_its_name(clone: Path) -> None:
    """The user may name a file that is gone; one that git never had is refused."""
    (clone / "views.json").write_text(answer(5, 6))
    commit()
    git("clone", "rm", "-q", "views.json")
    commit()
    bring("clone/views.json", history=True)
    assert views() == [(date(2024, 1, 1), 5), (date(2024, 1, 2), 6)]
    with pytest.raises(ForeignFileError, match="there is no such file, and git knows no version of it"):
        bring("clone/clones.json", history=True)


def test_a_file_is_followed_through_renames(clone: Path) -> None:
    """A rename and a move are followed; another file with the old name is not."""
    old, new, moved = (clone / name for name in ("views.json", "besuche ü 1.json", "old data/views ü.json"))
    old.write_text(answer(5, 6, 7))
    commit()
    git("clone", "mv", old.name, new.name)
    for text in (answer(5, 6, 7, 3), answer(5, 6, 7, 8)):
        new.write_text(text)
        commit()
    old.write_text(answer(99, first=20))
    moved.parent.mkdir()
    commit()
    git("clone", "mv", new.name, "old data/views ü.json")
    commit()
    moved.write_text(answer(1, first=9))
    commit()
    (plan,) = bring(moved, history=True).repositories
    numbers = ((1, 5), (2, 6), (3, 7), (4, 8), (9, 1))
    assert views() == [(date(2024, 1, day), number) for day, number in numbers]
    names = ("clone/besuche ü 1.json", "clone/old data/views ü.json (2 versions)", "clone/views.json")
    assert sorted(file.name for file in plan.files) == sorted(names)


def test_a_rename_is_followed_on_both_sides_of_a_merge(clone: Path) -> None:
    """One side renamed the file, and the other one went on with its old name."""
    (clone / "views.json").write_text(answer(5, 6, 7))
    commit()
    git("clone", "switch", "-q", "-c", "side")
    (clone / "views.json").write_text(answer(5, 6, 9))
    commit()
    (clone / "views.json").write_text(answer(5, 6, 7, 8))
    commit()
    git("clone", "switch", "-q", "main")
    git("clone", "mv", "views.json", "visits.json")
    commit()
    git("clone", "merge", "-q", "--no-ff", "-m", "merge", "side")
    bring("clone/visits.json", history=True)
    assert views() == [(date(2024, 1, day), number) for day, number in ((1, 5), (2, 6), (3, 9), (4, 8))]


def test_a_renamed_file_is_read_after_it_was_deleted_with_its_folder(clone: Path) -> None:
    """The user names its last path."""
    (clone / "views.json").write_text(answer(5, 6))
    commit()
    (clone / "data").mkdir()
    git("clone", "mv", "views.json", "data/visits.json")
    commit()
    git("clone", "rm", "-rq", "data")
    commit()
    assert not (clone / "data").exists()
    bring("clone/data/visits.json", history=True)
    assert views() == [(date(2024, 1, 1), 5), (date(2024, 1, 2), 6)]


def test_a_name_is_no_pattern(clone: Path) -> None:
    """`views[1].json` is not `views1.json`, which may be another repository's."""
    (clone / "views[1].json").write_text(answer(5))
    (clone / "views1.json").write_text(answer(6, first=20))
    commit()
    bring("clone/views[1].json", history=True)
    assert views() == [(date(2024, 1, 1), 5)]


def test_a_shallow_clone_is_said(clone: Path) -> None:
    """A shallow clone is refused, since its history is incomplete."""
    for day in (1, 20):
        (clone / "views.json").write_text(answer(5, first=day))
        commit()
    subprocess.run(["git", "clone", "-q", "--depth", "1", clone.resolve().as_uri(), "shallow"], check=True)
    with pytest.raises(ForeignFileError, match=r"the clone is shallow.*: run `git fetch --unshallow`"):
        bring("shallow/views.json", history=True)
    assert not Path("traffic.db").exists()
    git("shallow", "fetch", "-q", "--unshallow")
    bring("shallow/views.json", history=True)
    assert len(views()) == 2


def test_variables_of_a_hook_lead_nowhere_else(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_DIR and other variables of a hook are ignored."""
    (clone / "views.json").write_text(answer(5))
    commit()
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_WORK_TREE", "/nonexistent")
    bring("clone/views.json", history=True)
    assert views() == [(date(2024, 1, 1), 5)]


def test_versions_have_the_name_of_their_file(clone: Path) -> None:
    """The plan and the record name a file once, as the user did."""
    for day in (1, 20):
        (clone / "views.json").write_text(answer(5, first=day))
        commit()
    (plan,) = bring("clone", history=True).repositories
    assert [file.name for file in plan.files] == ["clone/views.json (2 versions)"]


def test_a_path_outside_of_git_has_no_history() -> None:
    """The error says what --history needs."""
    write_csv("plain/views.csv", HEADER, "2024-01-02,3,1")
    with pytest.raises(ForeignFileError, match="--history reads versions from a local git repository"):
        bring("plain/views.csv", history=True)


def test_nothing_is_fetched(clone: Path) -> None:
    """A partial clone is not completed by a fetch: that is the user's decision."""
    for number in (5, 3):
        write_csv("clone/views.csv", HEADER, f"2024-01-02,{number},1")
        commit()
    git("clone", "config", "uploadpack.allowFilter", "true")
    partial = ["git", "clone", "-q", "--filter=blob:none", f"file://{clone.resolve()}", "partial"]
    subprocess.run(partial, check=True, capture_output=True)
    with pytest.raises(ForeignFileError, match="a version is not in this clone: run `git fetch --refetch`"):
        bring("partial/views.csv", history=True)


FILES = sorted(
    str(path.relative_to(EXCERPTS))
    for path in EXCERPTS.rglob("*")
    if path.is_file() and path.relative_to(EXCERPTS).parts[0] not in ("odd", "golden")
)


@pytest.fixture
def all_at_once() -> None:
    """Return a store into which all excerpts were imported at once."""
    shutil.copytree(EXCERPTS, "import")
    bring(*(f"import/{name}" for name in FILES), store="sqlite:once.db")


@pytest.mark.usefixtures("all_at_once")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.sets(st.sampled_from(FILES)), order=st.permutations(FILES))
def test_the_order_of_imports_does_not_matter(first: set[str], order: Sequence[str]) -> None:
    """Imports in any order, in parts or repeatedly give the same store as one import of all files."""
    for old in Path().glob("parts.db*"):
        old.unlink()
    middle = len(order) // 2
    for names in (sorted(first), order[:middle], order[middle:], order):
        if names:
            bring(*(f"import/{name}" for name in names), store="sqlite:parts.db")
    assert history_of(store="sqlite:parts.db") == history_of(store="sqlite:once.db")
