"""GitHub Actions' workflow commands: annotations, outputs, job summary file."""

import logging
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ghtraffic_action.report import Report
from ghtraffic_action.settings import Summary
from ghtraffic_action.views.job_summary import failure_summary, summary_of
from ghtraffic_action.views.output_limits import limit_outputs, short_report
from ghtraffic_action.views.plain_text import LineFormatter

_ANNOTATIONS = 10
"""GitHub's maximum per kind and step."""


class CommandFormatter(LineFormatter):
    """Formats warnings and errors as annotations, safely escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as a workflow command from WARNING up, else as a line."""
        text = super().format(record)
        if record.levelno < logging.WARNING:
            return neutralize_line(text)
        command = "error" if record.levelno >= logging.ERROR else "warning"
        return f"::{command} title=ghtraffic::{escape(text)}"


def escape(text: str) -> str:
    """Escape a workflow command's text, so that it cannot end or start a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def neutralize_line(text: str) -> str:
    """Prevent a log line from being read as a command."""
    return text.replace("::", ":\u200b:").replace("##[", "#\u200b#[")


def mask(secret: str) -> None:
    """Mask a secret in the log, by standard error as standard output can be data."""
    for line in filter(str.strip, secret.splitlines()):
        print(f"::add-mask::{escape(line)}", file=sys.stderr, flush=True)  # noqa: T201 - the runner's own way


def redact(report: Report, summary: Summary) -> Report:
    """Remove traffic unless `summary` or a private repository allows it."""
    full = summary == "full" or (summary == "auto" and report.public is False)
    return report if full else report.without_traffic()


def limit_annotations(texts: Sequence[str], kind: str) -> Sequence[str]:
    """Return as many messages as GitHub shows; the last counts the others."""
    if len(texts) <= _ANNOTATIONS:
        return texts
    more = len(texts) - _ANNOTATIONS + 1
    return (
        *texts[: _ANNOTATIONS - 1],
        f"{more} more {kind}: the job summary and v1/latest/run.json of the export list them",
    )


def write_results(report: Report, summary: Summary, environ: Mapping[str, str]) -> None:
    """Write a redacted report's outputs and, unless `summary` is `none`, its job summary."""
    written = limit_outputs(outputs(report))
    _append(environ, "GITHUB_OUTPUT", "".join(_output(name, value) for name, value in written.items()))
    if summary != "none":
        _append(environ, "GITHUB_STEP_SUMMARY", summary_of(report))


def write_failure(error: str, environ: Mapping[str, str]) -> None:
    """Write a job summary for a run without a report."""
    _append(environ, "GITHUB_STEP_SUMMARY", failure_summary(error))


def outputs(report: Report) -> dict[str, str]:
    """Return the Action's outputs by name."""
    return {
        "collected": " ".join(found.name for found in report.collected),
        "failed": " ".join(found.name for found in report.failed),
        "days-inserted": str(sum(found.inserted for found in report.repositories)),
        "days-raised": str(sum(found.raised for found in report.repositories)),
        "days-lost": _sum(found.lost_days for found in report.repositories),
        "days-lost-new": _sum(found.lost_new for found in report.repositories),
        "exported": "\n".join(report.exported),
        "report": short_report(report),
    }


def _sum(numbers: Iterable[int | None]) -> str:
    """Return the sum of known numbers, or ""."""
    known = [number for number in numbers if number is not None]
    return str(sum(known)) if known else ""


def _output(name: str, value: str) -> str:
    delimiter = secrets.token_hex(16)
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append(environ: Mapping[str, str], variable: str, text: str) -> None:
    if path := environ.get(variable):
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
