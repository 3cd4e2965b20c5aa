"""The job summary: a run's result in safe Markdown."""

from collections.abc import Iterator, Sequence

from ghtraffic_action.alerting.alerts import alerts_of
from ghtraffic_action.page.writer import PAGE
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.views.markdown import escape_markdown, escape_message, head, number, row
from ghtraffic_action.views.summary_fleet import fleet_summary, refusal_lists
from ghtraffic_action.views.summary_section import section

LIMIT = 1_000_000
"""Bytes of a summary; GitHub drops one of more than 1 MiB whole."""

_IDLE_DAYS = 45
_IDLE = (
    "The workflow's repository was last pushed to {idle} days ago. GitHub disables schedules of public "
    "repositories after 60 days without activity, and this Action commits nothing: push something, or enable the "
    "workflow again when GitHub has disabled it."
)
_COUNTED = ("inserted", "raised", "lost_days")
_COLUMNS = {
    "stars": "stars",
    "views_14d": "views",
    "view_uniques_14d": "uniques",
    "clones_14d": "clones",
    "clone_uniques_14d": "uniques",
    "inserted": "new days",
    "raised": "raised",
    "lost_days": "lost",
}
"""Fields of a result and their headings. Columns that count days are always shown."""

_ERRORS = 50
"""Errors that are shown, and alerts."""


def summary_of(report: Report) -> str:
    """Render a report: a table of repositories, then as many sections as fit."""
    parts = [*_head(report), *refusal_lists(report.failed), *_repositories(report), *fleet_summary(report.repositories)]
    text = "\n".join(parts) + "\n"
    size = len(text.encode())
    for shown, found in enumerate(report.repositories):
        lines = "".join(f"{line}\n" for line in section(found))
        size += len(lines.encode())
        if size > LIMIT:
            return text + f"\nThe traffic of {len(report.repositories) - shown} more repositories is in the export.\n"
        text += lines
    return text


def failure_summary(error: str) -> str:
    """Render the error of a run that could not start."""
    lines = "\n".join(f"- {escape_message(line)}" for line in error.splitlines())
    return f"## Repository traffic\n\n**Nothing was collected.** The run could not begin:\n\n{lines}\n"


def _head(report: Report) -> Iterator[str]:
    yield "## Repository traffic"
    yield ""
    stopped = f" (stopped early, {len(report.remaining)} not started)" if report.interrupted or report.remaining else ""
    if report.fresh:
        stopped += f" ({report.fresh} skipped, observed earlier today)"
    done = f"**{len(report.collected)} of {report.total}** repositories collected{stopped}"
    yield f"{done}; {_written(report)}."
    for note in report.selected:
        yield ""
        yield escape_message(note)
    if report.deadline:
        of = "" if len(report.collected) == report.total else " for what was collected"
        yield ""
        yield f"**Next run due before {report.deadline}{of}:** until then nothing is lost."
    if report.late:
        last, missing = report.late
        days = "a day" if missing == 1 else f"{missing} days"
        yield ""
        yield f"GitHub's numbers end on {last}, {days} earlier than usual: nothing is lost."
    yield from _report_page(report)
    for problem in _problems(report):
        yield ""
        yield f"> [!{problem[0]}]"
        yield f"> {problem[1]}"


def _report_page(report: Report) -> Iterator[str]:
    """Yield how to open the report page, if only the private repository's readers see it."""
    page = next((uri for uri in report.exported if uri.endswith(f"/{PAGE}")), "")
    if not page or report.public is not False:
        return
    yield ""
    if not page.startswith("s3://"):
        yield f"**Report page:** {escape_markdown(page)}"
        return
    yield "**Report page:** print a link that is valid for twelve hours, or copy the file:"
    for command in (f"aws s3 presign {page} --expires-in 43200", f"aws s3 cp {page} {PAGE}"):
        yield ""
        yield escape_markdown(command)


def _written(report: Report) -> str:
    days = sum(found.inserted + found.raised for found in report.repositories)
    if report.dry_run:
        return f"a run would write {days} days: this was a dry run, nothing was written"
    files = f"{len(report.written)} of {len(report.exported)} files written in {escape_markdown(report.export_to)}"
    return f"{days} days written to {escape_markdown(report.store)}, {files}"


def _problems(report: Report) -> Iterator[tuple[str, str]]:
    errors = report.all_errors
    for error in errors[:_ERRORS]:
        yield "CAUTION", escape_message(error)
    if len(errors) > _ERRORS:
        yield "CAUTION", f"and {len(errors) - _ERRORS} more errors: v1/latest/run.json of the export lists them"
    for warning in report.all_warnings:
        yield "WARNING", escape_message(warning)
    alerts = alerts_of(report)
    for alert in alerts[:_ERRORS]:
        yield "IMPORTANT", escape_message(alert.text)
    if len(alerts) > _ERRORS:
        yield "IMPORTANT", f"and {len(alerts) - _ERRORS} more alerts: v1/latest/run.json of the export lists them"
    observed = max((found.observed for found in report.repositories if found.observed), default=None)
    if report.public and report.pushed and observed and (idle := (observed - report.pushed).days) >= _IDLE_DAYS:
        yield "WARNING", _IDLE.format(idle=idle)


def _repositories(report: Report) -> Iterator[str]:
    """Yield the table of repositories, without empty columns."""
    rows = [(found, tuple(number(getattr(found, field)) for field in _COLUMNS)) for found in report.repositories]
    kept = [n for n, field in enumerate(_COLUMNS) if field in _COUNTED or any(cells[n] for _, cells in rows)]
    yield ""
    yield from head(("repository", *(list(_COLUMNS.values())[n] for n in kept), "state"), ("state",))
    room = LIMIT // 2
    for shown, (found, cells) in enumerate(rows):
        line = row((escape_markdown(found.name), *(cells[n] for n in kept), _state(found)))
        room -= len(line.encode())
        if room < 0:
            yield _summed(report.repositories[shown:], kept)
            break
        yield line
    yield ""
    if not report.traffic_shown:
        yield _hidden(report)
        yield ""
        yield "New, raised and lost count days."
    else:
        yield "Views, clones and their uniques are of 14 days; new, raised and lost count days."


def _hidden(report: Report) -> str:
    """Return why traffic is not shown, and where it is."""
    where = f"Your numbers are in {escape_markdown(report.export_to)}"
    if report.public is False:
        return f"Traffic is not shown, as the setting `summary` says. {where}."
    whose = "are public" if report.public else "may be public"
    return f"Traffic is not shown because this repository's logs {whose}. {where}; `summary: full` shows them here."


def _summed(rest: Sequence[RepositoryResult], kept: Sequence[int]) -> str:
    sums = {field: number(sum(getattr(found, field) or 0 for found in rest)) for field in _COUNTED}
    fields = list(_COLUMNS)
    return row((f"and {len(rest)} more", *(sums.get(fields[n], "") for n in kept), ""))


def _state(found: RepositoryResult) -> str:
    if not found.observed:
        return "refused"
    return "collected in part" if found.errors else "collected"
