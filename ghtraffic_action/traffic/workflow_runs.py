"""Workflow runs per day: counted and uncounted days."""

from dataclasses import replace
from datetime import date

from ghtraffic_action.traffic.model import METRICS, History, WorkflowRuns
from ghtraffic_action.traffic.observation import Observation, Series


def workflow_runs(history: History) -> dict[date, int]:
    """Return the workflow runs of counted days, by the last answer for each."""
    counted = (snapshot.workflow_runs.rows for snapshot in history.snapshots if snapshot.workflow_runs)
    return {row.day: row.runs for rows in counted for row in rows}


def uncounted_days(history: History, observation: Observation) -> tuple[date, ...]:
    """Return the listed days not yet counted, newest first.

    A listed day is over, so its number of runs no longer grows: each day is counted once.
    """
    answers: list[Series | None] = [getattr(observation, metric) for metric in METRICS]
    listed = {day.day for answer in answers if answer and answer.listed for day in answer.days}
    created = observation.repository.metadata.created
    return tuple(sorted((day for day in listed - workflow_runs(history).keys() if day >= created), reverse=True))


def add_runs(history: History, observation: Observation, counted: WorkflowRuns | None) -> Observation:
    """Return the observation with counted days added to those of the same UTC day.

    The groups of a snapshot are replaced whole, so earlier counts of that day are included.
    """
    if counted is None:
        return observation
    today = next((s.workflow_runs for s in history.snapshots if s.day == counted.at.date()), None)
    rows = {row.day: row for row in (*(today.rows if today else ()), *counted.rows)}
    return replace(observation, workflow_runs=WorkflowRuns(counted.at, tuple(rows[day] for day in sorted(rows))))
