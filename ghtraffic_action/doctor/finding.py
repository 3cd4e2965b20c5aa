"""Findings and their output."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from ghtraffic_action import aws
from ghtraffic_action.views.plain_text import one_line

State = Literal["ok", "problem", "unknown"]

_SIGNS: Mapping[State, str] = {"ok": "✓", "problem": "✗", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding; a problem has a reason and a remedy, an unknown a reason."""

    what: str
    state: State = "ok"
    reason: str = ""
    remedy: str = ""


def exit_code(findings: tuple[Finding, ...]) -> int:
    """Return 1 if there is a problem; unknowns do not count."""
    return int(any(finding.state == "problem" for finding in findings))


def format_findings(findings: tuple[Finding, ...]) -> str:
    """Return a line per finding, and a problem's reason and remedy."""
    return "\n".join(one_line(line) for finding in findings for line in _lines(finding))


def write_json(findings: tuple[Finding, ...]) -> str:
    """Return the findings as a JSON object."""
    return json.dumps({"findings": [asdict(found) for found in findings], "exit_code": exit_code(findings)}, indent=2)


def _lines(finding: Finding) -> Iterator[str]:
    unknown = f" ({finding.reason})" if finding.state == "unknown" and finding.reason else ""
    yield f"{_SIGNS[finding.state]} {finding.what}{unknown}"
    if finding.state == "problem":
        yield from (
            f"    {label}: {text}" for label, text in (("why", finding.reason), ("remedy", finding.remedy)) if text
        )


def check(holds: bool, what: str, reason: str, remedy: str) -> Finding:
    """Return a success if a condition `holds`, else a problem with reason and remedy."""
    return Finding(what) if holds else Finding(f"{what}: no", "problem", reason, remedy)


def failed_check(what: str, error: Exception, service: str) -> Finding:
    """Return the finding of a check that failed; missing permissions are unknown, not a problem."""
    found = aws.explain(error, service)
    if aws.denied(error):
        return Finding(what, "unknown", found.problem)
    return Finding(f"{what}: {found.problem}", "problem", "a run would also fail", found.remedy)
