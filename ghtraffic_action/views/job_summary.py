"""The job summary: what a run came to, in Markdown that no outsider's text can break."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ghtraffic_action.page.writer import KEY as PAGE
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.views.plain_text import one_line

LIMIT = 1_000_000
"""Bytes of a summary; GitHub drops one of more than 1 MiB whole."""

_IDLE_DAYS = 45
_IDLE = (
    "The workflow's repository was last pushed to {idle} days ago. GitHub switches schedules of public ones off "
    "after 60 days without activity, and this Action commits nothing: push something, or enable the workflow again "
    "when GitHub writes that it is off."
)
_LONGEST = 120
"""Characters of a path or a referrer that are shown; messages of ours are never cut."""

_ERRORS = 50
"""Errors that are shown."""


def summary_of(report: Report) -> str:
    """Render a report: a table of the repositories, then as many of them in full as there is room for."""
    parts = [*_head(report), *_repositories(report.repositories)]
    text = "\n".join(parts) + "\n"
    size = len(text.encode())
    for shown, found in enumerate(report.repositories):
        section = "".join(f"{line}\n" for line in _section(found))
        size += len(section.encode())
        if size > LIMIT:
            return text + f"\nThe traffic of {len(report.repositories) - shown} more repositories is in the export.\n"
        text += section
    return text


def failure_summary(error: str) -> str:
    """Render what kept a run from beginning."""
    lines = "\n".join(f"- {escape_message(line)}" for line in error.splitlines())
    return f"## Repository traffic\n\n**Nothing was collected.** The run could not begin:\n\n{lines}\n"


def escape_markdown(text: str) -> str:
    """Return outsiders' text that is nothing but text: no Markdown, HTML, link, mention, escape or control."""
    return f"<code>{escape_message(text)}</code>"


def escape_message(text: str) -> str:
    """Return a message of ours, whole, in which outsiders' text is nothing but text."""
    return "".join(map(_entity, one_line(text)))


def _entity(character: str) -> str:
    if character.isalnum() or character in " /-":
        return character
    joiner = "&#8288;" if character == "@" else ""  # a mention or an address of mail ends there
    return f"&#{ord(character)};{joiner}"


def _head(report: Report) -> Iterator[str]:
    yield "## Repository traffic"
    yield ""
    stopped = f" (stopped early, {len(report.remaining)} not begun)" if report.interrupted or report.remaining else ""
    if report.fresh:
        stopped += f" ({report.fresh} observed earlier today, not asked for again)"
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
    """Say how to open the report page, if nobody but the readers of a private repository sees it."""
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
        yield "CAUTION", f"and {len(errors) - _ERRORS} more errors: the output `report` lists them"
    for warning in report.all_warnings:
        yield "WARNING", escape_message(warning)
    observed = max((found.observed for found in report.repositories if found.observed), default=None)
    if report.public and report.pushed and observed and (idle := (observed - report.pushed).days) >= _IDLE_DAYS:
        yield "WARNING", _IDLE.format(idle=idle)


def _repositories(repositories: Sequence[RepositoryResult]) -> Iterator[str]:
    yield ""
    yield "| repository | stars | views | uniques | clones | uniques | new days | raised | lost | state |"
    yield "|:--|--:|--:|--:|--:|--:|--:|--:|--:|:--|"
    room = LIMIT // 2
    for shown, found in enumerate(repositories):
        numbers = (found.stars, found.views_14d, found.view_uniques_14d, found.clones_14d, found.clone_uniques_14d)
        cells = (*numbers, found.inserted, found.raised, found.lost_days)
        row = f"| {escape_markdown(found.name)} | {' | '.join(map(_number, cells))} | {_state(found)} |"
        room -= len(row.encode())
        if room < 0:
            yield _summed(repositories[shown:])
            break
        yield row
    yield ""
    yield "Views, clones and their uniques are of 14 days; new, raised and lost count days."


def _summed(rest: Sequence[RepositoryResult]) -> str:
    days = [sum(getattr(found, name) or 0 for found in rest) for name in ("inserted", "raised", "lost_days")]
    return f"| and {len(rest)} more | | | | | | {' | '.join(map(_number, days))} | |"


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _state(found: RepositoryResult) -> str:
    if not found.observed:
        return "refused"
    return "collected in part" if found.errors else "collected"


def _section(found: RepositoryResult) -> Iterator[str]:
    if not found.days:
        return
    yield ""
    yield f"### {escape_markdown(found.name)}"
    yield ""
    yield _known(found)
    yield from _chart(found.days)
    yield from _day_table(found.days)
    paths = ((path.path, path.count, path.uniques) for path in found.paths)
    yield from _top("Top paths of 14 days", "path", paths)
    yield from _top("Top referrers of 14 days", "referrer", ((r.referrer, r.count, r.uniques) for r in found.referrers))


def _known(found: RepositoryResult) -> str:
    counts = Counter(day.state for day in found.days)
    states = ", ".join(f"{counts[state]} {state.label}" for state in Coverage if counts[state])
    first = f"Known from {found.first_day} to {found.days[-1].day}. " if found.first_day else ""
    return f"{first}Of the last {len(found.days)} days: {states}."


def _chart(days: Sequence[DayCoverage]) -> Iterator[str]:
    """Draw the views as bars and the clones as a line; Mermaid has no gap, so that a day not known is drawn as 0."""
    yield ""
    yield "```mermaid"
    yield '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#79b8ff, #bc4c00"}}}}%%'
    yield "xychart-beta"
    yield f'  title "Views (bars) and clones (line), {days[0].day} to {days[-1].day}"'
    yield f"  x-axis [{', '.join(_axis(days))}]"
    yield f"  bar [{', '.join(str(day.views or 0) for day in days)}]"
    yield f"  line [{', '.join(str(day.clones or 0) for day in days)}]"
    yield "```"


def _axis(days: Sequence[DayCoverage]) -> Iterator[str]:
    """Name each day by its number, and by its month too where February would let a number come again."""
    seen = set[int]()
    for day in (known.day for known in days):
        yield f'"{day:%b} {day.day}"' if day.day in seen else str(day.day)
        seen.add(day.day)


def _day_table(days: Iterable[DayCoverage]) -> Iterator[str]:
    yield ""
    yield "<details><summary>The same in numbers</summary>"
    yield ""
    yield "| day | views | uniques | clones | uniques | what is known |"
    yield "|:--|--:|--:|--:|--:|:--|"
    for day in days:
        numbers = map(_number, (day.views, day.view_uniques, day.clones, day.clone_uniques))
        yield f"| {day.day} | {' | '.join(numbers)} | {day.state.label} |"
    yield ""
    yield "</details>"


def _top(title: str, heading: str, rows: Iterable[tuple[str, int, int]]) -> Iterator[str]:
    lines = [f"| {_cell(name)} | {_number(count)} | {_number(uniques)} |" for name, count, uniques in rows]
    if lines:
        yield ""
        yield f"<details><summary>{title}</summary>"
        yield ""
        yield f"| {heading} | views | uniques |"
        yield "|:--|--:|--:|"
        yield from lines
        yield ""
        yield "</details>"


def _cell(text: str) -> str:
    """Return outsiders' text, which may be long, as a cell."""
    return escape_markdown(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
