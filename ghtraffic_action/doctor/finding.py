"""What a finding is, and how findings are shown."""

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
    """What was found; of a problem also the reason why it matters and its remedy, of an unknown why it is unknown."""

    what: str
    state: State = "ok"
    reason: str = ""
    remedy: str = ""


def exit_code(findings: tuple[Finding, ...]) -> int:
    """Return 1 if there is a problem; an unknown is none."""
    return int(any(finding.state == "problem" for finding in findings))


def shown(findings: tuple[Finding, ...]) -> str:
    """Render a line for each finding, and below a problem its reason and remedy."""
    return "\n".join(one_line(line) for finding in findings for line in _lines(finding))


def written(findings: tuple[Finding, ...]) -> str:
    """Write the findings as one JSON object."""
    return json.dumps({"findings": [asdict(found) for found in findings], "exit_code": exit_code(findings)}, indent=2)


def _lines(finding: Finding) -> Iterator[str]:
    unknown = f" ({finding.reason})" if finding.state == "unknown" and finding.reason else ""
    yield f"{_SIGNS[finding.state]} {finding.what}{unknown}"
    if finding.state == "problem":
        yield from (
            f"    {label}: {text}" for label, text in (("why", finding.reason), ("remedy", finding.remedy)) if text
        )


def either(holds: bool, what: str, reason: str, remedy: str) -> Finding:
    """Return a finding: that something holds, or a problem with its reason and remedy."""
    return Finding(what) if holds else Finding(f"{what}: no", "problem", reason, remedy)


def unseen(what: str, error: Exception, service: str) -> Finding:
    """Return why a check failed; if only the rights to check are missing, it is no problem."""
    found = aws.explain(error, service)
    if aws.denied(error):
        return Finding(what, "unknown", found.problem)
    return Finding(f"{what}: {found.problem}", "problem", "a run would also fail", found.remedy)
