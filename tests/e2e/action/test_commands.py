"""The commands of the Action other than `collect`."""

from pathlib import Path

import pytest

from tests.support.builders import NAME
from tests.support.fake_github import FakeGitHub
from tests.support.runner import RunJob, workflow

pytestmark = pytest.mark.xdist_group("runner")

CATALOGUE = Path("export") / "v1" / "latest" / "repositories.csv"


def test_commands_look_at_what_was_collected(run_job: RunJob, tmp_path: Path, github: FakeGitHub) -> None:
    """With a file missing, `verify` fails, `export` writes it again, and `status` lists each repository."""
    assert run_job(workflow(tmp_path)).exit_code == 0
    asked = len(github.requests)
    (tmp_path / CATALOGUE).unlink()
    job = run_job(workflow(tmp_path, command="verify"))
    assert job.exit_code == 1
    assert [text for text in job.annotations if "repositories.csv" in text]
    job = run_job(workflow(tmp_path, command="export", summary="auto"))
    assert job.exit_code == 0, job.log
    assert (tmp_path / CATALOGUE).exists()
    assert run_job(workflow(tmp_path, command="verify", summary="auto"), private=True).exit_code == 0
    job = run_job(workflow(tmp_path, command="status"))
    assert NAME in job.log
    assert not [text for text in job.annotations if "export-to" in text]
    assert len(github.requests) == asked
    job = run_job(workflow(tmp_path, command="doctor"))
    assert "the traffic of 1 can be read" in job.log


@pytest.mark.parametrize("command", ["status", "verify", "doctor"])
def test_what_is_shown_is_not_shown_to_everybody(run_job: RunJob, tmp_path: Path, command: str) -> None:
    """Unless the workflow's repository is private, only `summary: full` allows names in the log."""
    job = run_job(workflow(tmp_path, command=command, summary="auto"))
    assert job.exit_code != 0
    assert [text for text in job.annotations if "add `summary: full`" in text]


def test_another_command_is_none(run_job: RunJob, tmp_path: Path) -> None:
    """The value reaches no shell, and the annotation lists the commands."""
    job = run_job(workflow(tmp_path, command='import $(touch x) "; touch y'))
    assert job.exit_code != 0
    assert [text for text in job.annotations if "expected collect, export, status, verify or doctor" in text]
    assert not [*tmp_path.rglob("x"), *tmp_path.rglob("y")]
