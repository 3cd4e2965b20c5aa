"""The job summary: what a run came to, in Markdown that no outsider's text can break."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage

LIMIT = 1_000_000
"""Bytes of a summary; GitHub drops one of more than 1 MiB whole."""

_IDLE_DAYS = 45
_IDLE = (
    "The workflow's repository was last pushed to {idle} days ago. GitHub switches schedules of public ones off "
    "after 60 days without activity, and this Action commits nothing: push something, or enable the workflow again "
    "when GitHub writes that it is off."
)
_LONGEST = 120


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
    lines = "\n".join(f"- {inert(line)}" for line in error.splitlines())
    return f"## Repository traffic\n\n**Nothing was collected.** The run could not begin:\n\n{lines}\n"


def inert(text: str) -> str:
    """Render outsiders' text so that it is nothing but text: no Markdown, HTML, link, mention, escape or control."""
    visible = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)
    cut = visible if len(visible) <= _LONGEST else visible[: _LONGEST - 1] + "…"
    return f"<code>{''.join(map(_entity, cut))}</code>"


# Controls, bidirectional overrides and the like, surrogates, private use, and separators of lines.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _entity(character: str) -> str:
    if character.isalnum() or character in " /-":
        return character
    joiner = "&#8288;" if character == "@" else ""  # a mention or an address of mail ends there
    return f"&#{ord(character)};{joiner}"


def _head(report: Report) -> Iterator[str]:
    yield "## Repository traffic"
    yield ""
    stopped = f" (stopped early, {len(report.remaining)} not begun)" if report.interrupted or report.remaining else ""
    done = f"**{len(report.collected)} of {report.total}** repositories collected{stopped}"
    yield f"{done}; {_written(report)}."
    if report.deadline:
        of = "" if len(report.collected) == report.total else " for what was collected"
        yield ""
        yield f"**Next run due before {report.deadline}{of}:** until then nothing is lost."
    if report.late:
        last, missing = report.late
        days = "a day" if missing == 1 else f"{missing} days"
        yield ""
        yield f"GitHub's numbers end on {last}, {days} earlier than usual: nothing is lost."
    for problem in _problems(report):
        yield ""
        yield f"> [!{problem[0]}]"
        yield f"> {problem[1]}"


def _written(report: Report) -> str:
    days = sum(found.inserted + found.raised for found in report.repositories)
    if report.dry_run:
        return f"a run would write {days} days: this was a dry run, nothing was written"
    files = f"{len(report.written)} of {len(report.exported)} files written in {inert(report.export_to)}"
    return f"{days} days written to {inert(report.store)}, {files}"


def _problems(report: Report) -> Iterator[tuple[str, str]]:
    for error in report.all_errors[:50]:
        yield "CAUTION", inert_long(error)
    for warning in report.all_warnings:
        yield "WARNING", inert_long(warning)
    observed = max((found.observed for found in report.repositories if found.observed), default=None)
    if report.public and report.pushed and observed and (idle := (observed - report.pushed).days) >= _IDLE_DAYS:
        yield "WARNING", _IDLE.format(idle=idle)


def inert_long(text: str) -> str:
    """Render a message of ours, which may hold outsiders' text, without cutting it."""
    return "".join(map(_entity, (c for c in text if unicodedata.category(c) not in _INVISIBLE)))


def _repositories(repositories: Sequence[RepositoryResult]) -> Iterator[str]:
    yield ""
    yield "| repository | stars | views | uniques | clones | uniques | new days | raised | lost | state |"
    yield "|:--|--:|--:|--:|--:|--:|--:|--:|--:|:--|"
    room = LIMIT // 2
    for shown, found in enumerate(repositories):
        numbers = (found.stars, found.views_14d, found.view_uniques_14d, found.clones_14d, found.clone_uniques_14d)
        cells = (*numbers, found.inserted, found.raised, found.lost_days)
        row = f"| {inert(found.name)} | {' | '.join(map(_number, cells))} | {_state(found)} |"
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
    yield f"### {inert(found.name)}"
    yield ""
    yield _known(found)
    yield from _chart(found.days)
    yield from _day_table(found.days)
    paths = ((inert(path.path), path.count, path.uniques) for path in found.paths)
    yield from _top("Top paths of 14 days", "path", paths)
    yield from _top(
        "Top referrers of 14 days", "referrer", ((inert(r.referrer), r.count, r.uniques) for r in found.referrers)
    )


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
    lines = [f"| {name} | {_number(count)} | {_number(uniques)} |" for name, count, uniques in rows]
    if lines:
        yield ""
        yield f"<details><summary>{title}</summary>"
        yield ""
        yield f"| {heading} | views | uniques |"
        yield "|:--|--:|--:|"
        yield from lines
        yield ""
        yield "</details>"
