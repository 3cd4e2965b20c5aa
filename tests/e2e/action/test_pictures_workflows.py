"""The two workflows that publish pictures."""

from pathlib import Path

import pytest
import yaml

from tests.support.builders import NAME
from tests.support.fake_github import FakeGitHub
from tests.support.git import git
from tests.support.runner import EXAMPLE, PICTURES_BRANCH, PICTURES_PAGES, RunJob

pytestmark = pytest.mark.xdist_group("runner")


def without_aws(text: str, folder: Path) -> str:
    """Return a workflow that keeps its history and export in a folder."""
    read = yaml.safe_load(text)
    for step in read["jobs"]["collect"]["steps"]:
        if "ghtraffic/" in step["uses" if "uses" in step else "run"] and "with" in step:
            step["with"] |= {"store": f"sqlite:{folder / 'traffic.db'}", "export-to": str(folder / "export")}
            del step["with"]["role-to-assume"], step["with"]["aws-region"], step["with"]["heartbeat"]
    read["on"] = read.pop(True)
    return yaml.safe_dump(read, sort_keys=False)


@pytest.mark.parametrize("path", [PICTURES_BRANCH, PICTURES_PAGES], ids=lambda path: path.stem)
def test_a_workflow_in_the_place_of_the_readmes_goes_on_with_all(path: Path) -> None:
    """With pictures, the workflow still collects all repositories and sends the heartbeat."""
    (example,) = (step["with"] for step in yaml.safe_load(EXAMPLE.read_text())["jobs"]["collect"]["steps"])
    steps = yaml.safe_load(path.read_text())["jobs"]["collect"]["steps"]
    (given,) = (step["with"] for step in steps if "ghtraffic/" in step.get("uses", ""))
    assert "vars.TRAFFIC_REPOSITORIES" in example["repositories"]
    assert given["repositories"] == "${{ vars.TRAFFIC_REPOSITORIES }}"
    assert given["heartbeat"] == example["heartbeat"]


def test_the_pictures_are_the_only_commit_of_their_branch(
    run_job: RunJob, remote: Path, tmp_path: Path, github: FakeGitHub
) -> None:
    """After two days the branch has one commit with only the pictures; main does not change."""
    text = without_aws(PICTURES_BRANCH.read_text(), tmp_path)
    for _ in range(2):
        job = run_job(text, env={"TEST_REMOTE": remote.as_uri()})
        assert job.exit_code == 0, job.log
    files = git(remote, "ls-tree", "-r", "--name-only", "traffic").split()
    folder = f"ghtraffic-pictures/{NAME}"
    assert {f"{folder}/views.svg", f"{folder}/clones.svg", f"{folder}/badge-views.json"} <= {*files}
    assert {Path(name).parent.as_posix() for name in files} == {folder}
    assert "<svg" in git(remote, "show", f"traffic:{folder}/views.svg")
    assert git(remote, "rev-list", "--count", "traffic").strip() == "1"
    assert git(remote, "ls-tree", "--name-only", "main").split() == ["README.md"]
    assert github.requests


def test_pages_get_the_folder_of_the_pictures() -> None:
    """The pictures are uploaded; the job that collects cannot deploy, and the job that deploys sees no token."""
    jobs = yaml.safe_load(PICTURES_PAGES.read_text())["jobs"]
    collect, upload = jobs["collect"]["steps"]
    assert upload["with"]["path"] == collect["with"]["pictures-to"]
    assert collect["with"]["pictures"] == "${{ github.repository }}"
    assert "pages" not in jobs["collect"]["permissions"]
    assert "secrets" not in str(jobs["publish"])
