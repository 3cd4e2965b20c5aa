"""Counts workflow runs per day with spare requests."""

import logging
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial

from ghtraffic_action.errors import Interrupted, QuotaError
from ghtraffic_action.github import fields
from ghtraffic_action.github.connection import Connection, Request
from ghtraffic_action.github.errors import GitHubApiError, InvalidResponseError
from ghtraffic_action.github.responses import Response
from ghtraffic_action.traffic.model import RunCount, WorkflowRuns
from ghtraffic_action.traffic.observation import Repository

log = logging.getLogger(__name__)

Send = Callable[[Request[WorkflowRuns]], WorkflowRuns]
"""Sends a request that the quota can spare, and returns the parsed response; else raises QuotaError."""


class WorkflowRunCounter:
    """Counts workflow runs during one collection, and records refused repositories."""

    def __init__(self, connection: Connection, send: Send) -> None:
        self._connection = connection
        self._send = send
        self._refused: set[int] = set()

    def count(self, repository: Repository, days: Iterable[date]) -> WorkflowRuns | None:
        """Return the number of runs created per day, None without any answer.

        One request per day, in the given order. It stops at a failure, or if the quota only suffices for traffic. The
        remaining days stay unknown, and the next run counts them.
        """
        account = self._connection.account(repository.name)
        answers: list[WorkflowRuns] = []
        for day in days:
            try:
                answers.append(self._send(count_request(account, repository.name, day)))
            except GitHubApiError as error:
                self._note(repository, error)
                break
            except (Interrupted, QuotaError):
                break
        rows = (row for answer in answers for row in answer.rows)
        return WorkflowRuns(max(answer.at for answer in answers), tuple(rows)) if answers else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about refused repositories, with the remedy."""
        if not self._refused:
            return ()
        who, number = "App" if self._connection.caller.app else "token", len(self._refused)
        of = "1 repository" if number == 1 else f"{number} repositories"
        remedy = f"give the {who} the repository permission Actions: read, or leave workflow-runs out"
        return (f"workflow-runs: GitHub refused those of {of}, whose column stays empty: {remedy}",)

    def _note(self, repository: Repository, error: GitHubApiError) -> None:
        log.info("repository %d: workflow runs: %s", repository.id, error.what)
        if not error.transient:
            self._refused.add(repository.id)


def count_request(account: str, name: str, day: date) -> Request[WorkflowRuns]:
    """Return the request for a UTC day's number of runs."""
    path = f"/repos/{name}/actions/runs?created={day}&per_page=1"
    return Request(account, "GET", path, partial(_read, day))


def _read(day: date, response: Response) -> WorkflowRuns:
    """Read the number of a day's runs.

    A redirect drops the query, so its response counts all days. Such a response is detected: it lists more runs than
    the single one requested, or one of another day.
    """
    runs = fields.items(response.body.get("workflow_runs", [])) if isinstance(response.body, dict) else []
    if len(runs) > 1 or any(fields.moment(run, "created_at").date() != day for run in runs):
        raise InvalidResponseError(f"it lists more than one workflow run, or one of another day than {day}")
    return WorkflowRuns(response.at, (RunCount(day, fields.count(response.body, "total_count")),))
