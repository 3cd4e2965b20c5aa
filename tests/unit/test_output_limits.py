"""The Action's outputs, which must fit into a later step's environment."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.views.output_limits import LIMIT, limit_outputs
from ghtraffic_action.views.workflow_commands import outputs

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def fleet(count: int, *, failed: int = 0) -> Report:
    """Return the report of a run with many repositories, including failed ones."""
    made = [RepositoryResult(f"octo-lab/repository-{i:05}", i, observed=NOON, inserted=14) for i in range(count)]
    errors = ("GitHub failed (500): run again later " + "\u00e9" * 20,)
    made = [*made[: count - failed], *(replace(one, errors=errors, inserted=0) for one in made[count - failed :])]
    return Report(tuple(made), "dynamodb://traffic", "s3://bucket/traffic")


def limited(report: Report) -> dict[str, str]:
    return limit_outputs(outputs(report))


def test_outputs_that_fit_stay_whole() -> None:
    """Outputs of a few repositories do not change."""
    assert limited(fleet(20)) == outputs(fleet(20))


@pytest.mark.parametrize(("count", "failed"), [(200, 0), (3000, 0), (3000, 2000)])
def test_a_large_run_hands_over_counts_and_failures(count: int, failed: int) -> None:
    """The report is valid JSON with the exit code; lists of names are cut between names."""
    found = limited(fleet(count, failed=failed))
    report = json.loads(found["report"])
    assert report["exit_code"] == (1 if failed else 0)
    assert report["counts"]["collected"] == count - failed
    assert report["counts"]["failed"] == failed
    assert report["counts"]["inserted"] == 14 * (count - failed)
    assert bool(report["failed"]) is bool(failed)
    assert all(one["name"].startswith("octo-lab/") and one["errors"] for one in report["failed"])
    names = {one.name for one in fleet(count).repositories}
    assert set(found["collected"].split()) <= names
    assert set(found["failed"].split()) <= names
    assert max(len(value.encode()) for value in found.values()) <= LIMIT


def test_a_long_list_of_files_is_cut_between_lines() -> None:
    """Each remaining line is complete."""
    files = tuple(f"s3://bucket/a folder/v1/daily/month=2026-{i:05}/daily.csv" for i in range(2000))
    found = limited(replace(fleet(1), exported=files))
    assert found["exported"].splitlines() == list(files[: len(found["exported"].splitlines())])


@pytest.mark.e2e
def test_a_later_step_can_take_every_output() -> None:
    """All outputs together fit into a program's environment."""
    found = limited(fleet(3000, failed=1500))
    program = [sys.executable, "-c", "import json, os; json.loads(os.environ['report'])"]
    subprocess.run(program, env=found, check=True)
