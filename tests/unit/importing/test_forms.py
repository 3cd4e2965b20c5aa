"""Excerpts of other tools' files with their golden backups, and files that are refused."""

import shutil
from pathlib import Path

import pytest

from ghtraffic_action.errors import ForeignFileError
from tests.support.imports import EXCERPTS, backup_of, bring

FORMS = ("api-json", "ghrs", "homemade", "nchah", "repostats", "sangonzal", "traffic-to-badge")

REFUSALS = {
    "concatenated-weekly.json": "all of its 3 days are Mondays, so its numbers are of weeks",
    "conflict-markers.csv": "line 7: a merge-conflict marker",
    "empty.json": "it is empty",
    "error-body-crlf.json": "it is an error that GitHub returned, 'Requires authentication', and no traffic",
    "error-body.json": "it is an error that GitHub returned, 'Must have push access to repository', and no traffic",
    "monthly.csv": "its rows are months, weeks or sums, not days (repository_name,month,views,unique_views)",
    "timestamps-with-offset.csv": "clone_count: a count without uniques may be a total of any kind",
    "totals-of-14-days.csv": "views_14d, unique_visitors_14d, clones_14d, unique_cloners_14d: sums of several days",
}


@pytest.fixture(autouse=True)
def excerpts() -> None:
    shutil.copytree(EXCERPTS, "import")


@pytest.mark.parametrize("form", FORMS)
def test_an_excerpt_is_converted(form: str) -> None:
    """The days, numbers, zeros, snapshots and the record equal the golden backup."""
    bring(f"import/{form}")
    assert backup_of().decode() == (EXCERPTS / "golden" / f"{form}.jsonl").read_text()


@pytest.mark.parametrize("name", REFUSALS)
def test_an_odd_file_is_refused(name: str) -> None:
    """Each has its own error, and nothing is written, not even an empty store."""
    with pytest.raises(ForeignFileError) as refused:
        bring(f"import/odd/{name}")
    assert str(refused.value).startswith(f"import import/odd/{name}: {REFUSALS[name]}")
    assert not Path("traffic.db").exists()


def test_one_refused_file_keeps_all_from_being_written() -> None:
    """A folder with good and odd files is refused whole, with a line for each odd one."""
    with pytest.raises(ForeignFileError) as refused:
        bring("import")
    assert len(str(refused.value).splitlines()) == len(REFUSALS)
    assert not Path("traffic.db").exists()


def test_force_leaves_refused_files_out() -> None:
    """With force the good files are imported, and the plan names the refused ones."""
    plan = bring("import/odd", "import/sangonzal", force=True)
    assert sorted(line.split(":")[0] for line in plan.refused) == sorted(
        f"import import/odd/{name}" for name in REFUSALS if name != "concatenated-weekly.json"
    )
    assert backup_of()


def test_other_files_of_a_folder_are_skipped() -> None:
    """Programs, pictures, other JSON and other tables in a folder are skipped."""
    folder = Path("import/sangonzal")
    (folder / "package.json").write_text('{"name": "x", "version": "1.0.0"}')
    (folder / "people.csv").write_text("name,date\nMona,2024-01-01\n")
    (folder / "README.md").write_text("# Traffic\n")
    (folder / "logo.png").write_bytes(b"\x89PNG\0\0\1")
    assert bring(folder).skipped == 4


@pytest.mark.parametrize("content", ["name,date\nMona,2024-01-01\n", '{"name": "x"}', "{", "text"])
def test_a_named_file_has_to_be_of_a_known_form(content: str) -> None:
    """An unknown file is skipped in a folder, but refused if the user names it."""
    Path("file").write_text(content)
    with pytest.raises(ForeignFileError, match="its form is unknown"):
        bring("file")


def test_the_data_branch_of_ghrs_says_whose_it_is() -> None:
    """The path names the repository, so no option is needed if the store or GitHub knows the name."""
    bring("import/ghrs", repository="", repository_id=None)
    (first, *_) = backup_of().splitlines()[1:]
    assert first.startswith(b'{"id":14,"day":"2023-03-23","repository":"octo-lab/atlas"')
