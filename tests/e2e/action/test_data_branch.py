"""The workflow that keeps the history in a branch of the repository."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.builders import NAME, repository
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.git import git
from tests.support.runner import DATA_BRANCH, RunJob

pytestmark = pytest.mark.xdist_group("runner")


def test_the_history_is_kept_in_a_branch(run_job: RunJob, remote: Path, github: FakeGitHub) -> None:
    """The first run creates the branch, a rerun commits nothing, the next day adds lines; main does not change."""
    text, env = DATA_BRANCH.read_text(), {"TEST_REMOTE": remote.as_uri()}
    job = run_job(text, env=env)
    assert job.exit_code == 0, job.log
    assert not [text for text in job.annotations if "lost" in text]
    files = git(remote, "ls-tree", "-r", "--name-only", "traffic-data").split()
    assert "ghtraffic.jsonl" in files
    assert "export/v1/latest/repositories.csv" in files
    assert not [name for name in files if "lock" in name or "report" in name or name == "README.md"]
    before = git(remote, "show", "traffic-data:ghtraffic.jsonl").splitlines()
    assert run_job(text, env=env).exit_code == 0
    assert git(remote, "rev-list", "--count", "traffic-data").strip() == "1"
    github.now += timedelta(days=1)
    assert run_job(text, env=env).outputs["days-inserted"] == "1"
    assert git(remote, "rev-list", "--count", "traffic-data", "main").split() == ["3"]
    after = git(remote, "show", "traffic-data:ghtraffic.jsonl").splitlines()
    assert len(after) == len(before) + 2
    assert git(remote, "ls-tree", "--name-only", "main").split() == ["README.md"]


def test_what_a_failed_run_has_stored_is_kept(run_job: RunJob, remote: Path, github: FakeGitHub) -> None:
    """With one repository refused the job fails, and the other's history is in the branch."""
    github.repositories.append(repository("octo-lab/two", id=8))
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_INTEGRATION, path="octo-lab/two/traffic")
    text = DATA_BRANCH.read_text().replace("${{ vars.TRAFFIC_REPOSITORIES }}", f"{NAME} octo-lab/two")
    job = run_job(text, env={"TEST_REMOTE": remote.as_uri()})
    assert job.exit_code == 1
    assert '"id":7' in git(remote, "show", "traffic-data:ghtraffic.jsonl")


def test_a_remote_out_of_reach_begins_no_branch(run_job: RunJob, remote: Path, github: FakeGitHub) -> None:
    """If the remote cannot be read, the job stops before any request to GitHub."""
    text = DATA_BRANCH.read_text().replace("code=0", "git remote set-url origin /nowhere; code=0")
    job = run_job(text, env={"TEST_REMOTE": remote.as_uri()})
    assert job.exit_code != 0
    assert "/nowhere" in job.log
    assert github.requests == []
