"""The resolution of a file's repository: by content, path, user, store or GitHub."""

import json
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import Changes, Day
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.imports import ATLAS, STORE, bring, days_of, write_csv

ROWS = ("2024-01-02,9,4", "2024-01-03,9,4")
HEADER = "date,views,uniques"


def know(repository_id: int, name: str, day: date = date(2024, 1, 1)) -> None:
    """Add a repository to the store."""
    with closing(open_store(STORE, create=True)) as store:
        store.save(repository_id, Changes((Day(day, name, 1, 1),)))


def refusal(path: str, *, repository: str = ATLAS, repository_id: int | None = 7) -> str:
    with pytest.raises(ForeignFileError) as refused:
        bring(path, repository=repository, repository_id=repository_id)
    return str(refused.value)


def test_a_file_that_does_not_say_needs_a_repository() -> None:
    """Without a name in the file or its path the import is refused."""
    write_csv("views.csv", HEADER, *ROWS)
    text = refusal("views.csv", repository="", repository_id=None)
    assert text == "the files do not name a repository: add --repository OWNER/NAME, or --repository-id ID"


def test_the_store_knows_a_name() -> None:
    """A name that the store knows needs no GitHub; a former name leads to the newest one."""
    know(5, "octo-lab/former")
    know(5, ATLAS, date(2024, 2, 1))
    bring(write_csv("views.csv", HEADER, *ROWS), repository="octo-lab/former", repository_id=None)
    assert [day.repository for day in days_of(5)] == ["octo-lab/former", ATLAS, ATLAS, ATLAS]


def test_a_name_of_another_id_is_refused() -> None:
    """Days of a deleted repository and of its successor with the same name are never mixed."""
    know(5, ATLAS)
    text = refusal(write_csv("views.csv", HEADER, *ROWS))
    assert text.startswith(f"{ATLAS}: it has the id 7, but the store knows the name under 5: ")
    know(7, ATLAS)
    text = refusal("views.csv", repository_id=None)
    assert text == f"{ATLAS}: the store knows the ids 5 and 7 under this name: add --repository-id ID"
    bring("views.csv")
    assert len(days_of(7)) == 3


def test_two_names_of_one_id_merge() -> None:
    """A repository that was renamed has days under both names, and the larger numbers of days under both."""
    know(7, "octo-lab/former")
    know(7, ATLAS, date(2023, 12, 31))
    rows = ("octo-lab/former,2024-01-02,9,4", f"{ATLAS},2024-01-02,8,5", f"{ATLAS},2024-01-03,1,1")
    bring(write_csv("views.csv", "repository,date,views,uniques", *rows), repository="", repository_id=None)
    assert [(day.views, day.view_uniques) for day in days_of()[2:]] == [(9, 5), (1, 1)]


def test_other_repositories_of_a_file_are_left_out() -> None:
    """With --repository only its rows are imported, and the plan names the others."""
    rows = ("atlas,2024-01-02,9,4", "fern,2024-01-02,99,4")
    plan = bring(write_csv("views.csv", "repository_name,date,views,uniques", *rows))
    assert [day.views for day in days_of()] == [9]
    assert plan.left_out == ["fern: it is another repository"]


def test_a_name_without_owner_needs_one() -> None:
    """The owner is taken from --repository; without it the file is refused."""
    write_csv("views.csv", "repository_name,date,views,uniques", "atlas,2024-01-02,9,4")
    text = refusal("views.csv", repository="", repository_id=None)
    assert text.startswith("the files name 'atlas' without an owner: add --repository OWNER/NAME")


def test_an_id_alone_needs_a_name_from_somewhere() -> None:
    """With --repository-id the name comes from the file or the store, else from --repository."""
    write_csv("views.csv", HEADER, *ROWS)
    assert "its name is not known" in refusal("views.csv", repository="").replace("the repository's", "its")
    bring(write_csv("named.csv", "repository,date,views,uniques", f"{ATLAS},2024-01-02,9,4"), repository="")
    bring("views.csv", repository="")
    assert [day.repository for day in days_of()] == [ATLAS, ATLAS]


def test_a_folder_that_looks_like_a_name_does_not_stand_in_the_way() -> None:
    """The user's --repository counts more than the only name that the paths hold."""
    bring(write_csv("traffic-archive/views.csv", HEADER, *ROWS))
    bring(write_csv("home/me/ghrs-data/clones.csv", "date,clones,uniques", *ROWS))
    assert [(day.views, day.clones) for day in days_of()] == [(9, 9), (9, 9)]


def test_the_folders_of_several_repositories_are_distinguished() -> None:
    """With --repository only that repository's folder of a data branch is imported."""
    for number, name in enumerate(("atlas", "fern"), 1):
        write_csv(f"octo-lab/{name}/ghrs-data/views.csv", HEADER, f"2024-01-02,{number},1")
    bring("octo-lab")
    assert [day.views for day in days_of()] == [1]
    bring("octo-lab", repository="", repository_id=None, store="sqlite:all.db")
    assert [day.views for day in days_of(13, "sqlite:all.db")] == [2]


@pytest.mark.parametrize("name", ["octo-lab", "octo-lab/", "a b/c", "octo-lab/*"])
def test_a_repository_that_is_none_is_refused(name: str) -> None:
    """A pattern or half a name is no repository."""
    assert refusal(write_csv("views.csv", HEADER, *ROWS), repository=name).startswith("repository: ")


def test_github_follows_renames(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that only GitHub knows is looked up with the token of the environment."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    write_csv("views.csv", HEADER, *ROWS)
    assert main(["import", "views.csv", "--repository", NAME, "--store", STORE, "--yes"]) == 0
    assert [day.repository for day in days_of()] == [NAME, NAME]


def test_without_a_token_the_remedy_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The message first suggests an id, which needs no token."""
    write_csv("views.csv", HEADER, *ROWS)
    assert main(["import", "views.csv", "--repository", ATLAS, "--store", STORE, "--yes"]) == 1
    text = f"{ATLAS}: the store does not know its id, and GitHub is not asked without a token: add --repository-id ID"
    assert caplog.messages[0].startswith(text)
    assert not Path("traffic.db").exists()


@pytest.mark.e2e
def test_a_repository_that_github_does_not_know_is_refused(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The message suggests an id, by which a deleted repository can be imported."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    Path("clones.json").write_text(json.dumps({"clones": [{"timestamp": "2024-01-02", "count": 9, "uniques": 4}]}))
    command = ["import", "clones.json", "--repository", "octo-lab/gone", "--store", STORE, "--yes"]
    assert main(command) == 1
    assert "check the name, or add --repository-id ID" in caplog.messages[-1]
    assert main([*command, "--repository-id", "9"]) == 0
    assert [day.clones for day in days_of(9)] == [9]
