"""One report of all batches of a run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.run_report import MOVERS

Report = Mapping[str, Any]
"""A report as it was parsed from JSON."""

_LISTS = ("selected", "warnings", "errors", "remaining", "unlisted", "alerts")


def merge_reports(reports: Sequence[Report], exported: ExportResult, causes: Sequence[str]) -> dict[str, Any]:
    """Return one report of the collected batches (at least one).

    `causes` are the reasons why the run failed.
    """
    lists = {name: _unique(reports, name) for name in _LISTS}
    repositories = sorted((entry for report in reports for entry in report["repositories"]), key=_name)
    movers = sorted((entry for report in reports for entry in report["movers"]), key=_change)
    return {
        **reports[0],
        **lists,
        "counts": _add([report["counts"] for report in reports]) | {"exported": len(exported.files)},
        "totals": _add([report["totals"] for report in reports]),
        "refusals": _refusals(entry for report in reports for entry in report["refusals"]),
        "movers": movers[:MOVERS],
        "repositories": repositories,
        "exported": list(exported.files),
        "written": list(exported.written),
        "errors": [*causes, *lists["errors"]],
        "interrupted": any(report["interrupted"] for report in reports),
        "unfinished": _unfinished([report["unfinished"] for report in reports if report["unfinished"]]),
        "fresh": sum(report["fresh"] for report in reports),
        "failures_allowed": sum(report["failures_allowed"] for report in reports),
        "token_ends": _first(reports, "token_ends"),
        "deadline": _first(reports, "deadline"),
        "exit_code": max([int(bool(causes)), *(report["exit_code"] for report in reports)]),
    }


def _name(entry: Report) -> str:
    return str(entry["name"]).lower()


def _change(mover: Report) -> tuple[int, str]:
    return -abs(mover["change"]), str(mover["name"])


def _unique(reports: Sequence[Report], name: str) -> list[Any]:
    found: list[Any] = []
    for report in reports:
        found += [entry for entry in report[name] if entry not in found]
    return found


def _add(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - numbers, or objects of them
    """Return the sums by name, None if none is known."""
    if any(isinstance(part, Mapping) for part in parts):
        return {name: _add([part[name] for part in parts]) for name in parts[0]}
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _refusals(groups: Iterable[Report]) -> list[Report]:
    merged: dict[str, dict[str, Any]] = {}
    for group in groups:
        into = merged.setdefault(group["remedy"], {"remedy": group["remedy"], "causes": [], "repositories": []})
        into["causes"] += [cause for cause in group["causes"] if cause not in into["causes"]]
        into["repositories"] += group["repositories"]
    return sorted(merged.values(), key=lambda group: (-len(group["repositories"]), group["remedy"]))


def _unfinished(parts: Sequence[Report]) -> dict[str, Any] | None:
    """Return the sum of unfinished repositories, None without any."""
    if not parts:
        return None
    stalest = min(parts, key=lambda part: str(part["deadline"]))
    return {**stalest, "number": sum(part["number"] for part in parts)}


def _first(reports: Sequence[Report], name: str) -> str | None:
    return min(_known(reports, name), default=None)


def _known(reports: Sequence[Report], name: str) -> Iterator[str]:
    return (report[name] for report in reports if report[name])
