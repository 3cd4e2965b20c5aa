"""The file `run.json`: a run's report with aggregates."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ghtraffic_action.alerting.alerts import alerts_of
from ghtraffic_action.exports.destination import File
from ghtraffic_action.report import OMITTED, Report, RepositoryResult
from ghtraffic_action.traffic.model import Metric
from ghtraffic_action.traffic.periods import Change, last_known, weekly_change
from ghtraffic_action.traffic.serialization import write_plain

MOVERS = 20
"""Repositories that are named as the biggest movers."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A metric's sums over the last 7 listed days, and over the 7 before.

    Repositories with an unknown day among the 14 are not `counted`.
    """

    counted: int
    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Mover:
    """A repository's views of the last 7 listed days, and of the 7 before."""

    id: int | None
    name: str
    views: int
    views_before: int
    change: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """Failed repositories with the same remedy, and their distinct causes."""

    remedy: str
    causes: tuple[str, ...]
    repositories: tuple[str, ...]


def weekly_sum(repositories: Iterable[RepositoryResult], metric: Metric) -> Sum:
    """Return a metric's sums; uniques have none, since they cannot be added."""
    known = [change for _, change in _changes(repositories, metric)]
    return Sum(len(known), sum(change.now or 0 for change in known), sum(change.before or 0 for change in known))


def movers(repositories: Iterable[RepositoryResult]) -> tuple[Mover, ...]:
    """Return the repositories by change of views, largest first."""
    found = (
        Mover(result.id, result.name, change.now, change.before, change.now - change.before)
        for result, change in _changes(repositories, "views")
        if change.now is not None and change.before is not None
    )
    moved = sorted((mover for mover in found if mover.change), key=lambda mover: (-abs(mover.change), mover.name))
    return tuple(moved[:MOVERS])


def refusals(failed: Sequence[RepositoryResult]) -> tuple[Refusals, ...]:
    """Return failures by remedy, most repositories first."""
    groups: dict[str, list[RepositoryResult]] = {}
    for found in failed:
        groups.setdefault("; ".join(found.remedies or found.errors), []).append(found)
    return tuple(
        Refusals(
            remedy,
            tuple(dict.fromkeys(error for found in group for error in found.errors)),
            tuple(found.name for found in group),
        )
        for remedy, group in sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    )


def counts(report: Report) -> dict[str, int]:
    """Return a run's numbers of repositories, files and days."""
    found = report.repositories
    return {
        "collected": len(report.collected),
        "failed": len(report.failed),
        "remaining": len(report.remaining),
        "fresh": report.fresh,
        "exported": len(report.exported),
        "inserted": sum(repository.inserted for repository in found),
        "raised": sum(repository.raised for repository in found),
        "lost_days": sum(repository.lost_days or 0 for repository in found),
    }


def write_report(report: Report) -> str:
    """Return a report as JSON, with exit code and aggregates."""
    found = report.repositories
    written = _fields(report) | {"exit_code": report.exit_code, "deadline": report.deadline}
    del written["alerting"]
    summed: dict[str, object] = {
        "counts": counts(report),
        "totals": {
            "views_14d": _total(repository.views_14d for repository in found),
            "clones_14d": _total(repository.clones_14d for repository in found),
            "stars": _total(repository.stars for repository in found),
            "last_7_days": {metric: weekly_sum(found, metric) for metric in ("views", "clones")},
        },
        "refusals": refusals(report.failed),
        "movers": movers(found),
        "alerts": list(alerts_of(report)),
    }
    return json.dumps(summed | written, default=_write, indent=2)


def adds_nothing(report: Report, there: File | None) -> bool:
    """Return whether a run had no changes after a success."""
    changed = report.written or any(found.inserted or found.raised for found in report.repositories)
    if changed or report.exit_code or there is None:
        return False
    try:
        return bool(json.loads(there.content)["exit_code"] == 0)
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


def _write(value: object) -> object:
    return _fields(value) if is_dataclass(value) else write_plain(value)


def _fields(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """Return a record's fields without copying them, unlike `asdict`, since reports can be large."""
    omitted = OMITTED if isinstance(record, RepositoryResult) else ()
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name not in omitted}


def _changes(repositories: Iterable[RepositoryResult], metric: Metric) -> Iterator[tuple[RepositoryResult, Change]]:
    """Yield the known weekly changes."""
    for found in repositories:
        if (last := last_known(found.days)) and (
            change := weekly_change(found.days, metric, last)
        ).difference is not None:
            yield found, change


def _total(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of known numbers, or None."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
