"""The bodies of GitHub's answers about a repository's workflow runs."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs

from .bodies import write_repository
from .catalogue import Repository

MOST = 30
"""Runs of a page, if a request does not say how many."""


def write_runs(repository: Repository, query: str, url: str) -> dict[str, Any]:
    """Write the newest runs, of the day that `created` names or of all days, and how many there are."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    days = [date.fromisoformat(asked["created"])] if "created" in asked else sorted(repository.workflow_runs)
    total = sum(repository.workflow_runs.get(day, 0) for day in days)
    newest = [day for day in reversed(days) for _ in range(repository.workflow_runs.get(day, 0))]
    listed = newest[: int(asked.get("per_page", MOST))]
    runs = [_run(repository, total - place, day, url) for place, day in enumerate(listed)]
    return {"total_count": total, "workflow_runs": runs}


def _run(repository: Repository, number: int, day: date, url: str) -> dict[str, Any]:
    address, described = f"{url}/repos/{repository.name}", write_repository(repository, url)
    run, created = f"{address}/actions/runs/{number}", f"{day}T03:17:00Z"
    author = {"name": "Octo", "email": "octo@example.com"}
    return {
        "id": number,
        "name": "CI",
        "node_id": f"WFR_{number}",
        "head_branch": "main",
        "head_sha": f"{number:040x}",
        "path": ".github/workflows/ci.yml",
        "run_number": number,
        "event": "push",
        "display_title": "Invented",
        "status": "completed",
        "conclusion": "success",
        "workflow_id": 1,
        "check_suite_id": number,
        "check_suite_node_id": f"CS_{number}",
        "url": run,
        "html_url": f"https://github.com/{repository.name}/actions/runs/{number}",
        "pull_requests": [],
        "created_at": created,
        "updated_at": created,
        "run_attempt": 1,
        "run_started_at": created,
        **{f"{name}_url": f"{run}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")},
        "check_suite_url": f"{address}/check-suites/{number}",
        "previous_attempt_url": None,
        "workflow_url": f"{address}/actions/workflows/1",
        "head_commit": {
            "id": f"{number:040x}",
            "tree_id": f"{number:040x}",
            "message": "Invented",
            "timestamp": created,
            "author": author,
            "committer": author,
        },
        "repository": described,
        "head_repository": described,
    }
