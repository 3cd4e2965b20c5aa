"""A repository in the job summary: a 30-day chart, numbers, top paths and referrers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ghtraffic_action.report import RepositoryResult
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.views.markdown import cell, escape_markdown, number


def section(found: RepositoryResult) -> Iterator[str]:
    """Yield a repository's lines; none without known days."""
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
    """Yield a chart: views as bars, clones as a line.

    Mermaid cannot draw gaps, so unknown days are left out.
    """
    drawn = [day for day in days if day.views is not None and day.clones is not None]
    if not drawn:
        return
    unknown = len(days) - len(drawn)
    greatest = max(max(day.views or 0, day.clones or 0) for day in drawn)
    yield ""
    yield "```mermaid"
    yield '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#79b8ff, #bc4c00"}}}}%%'
    yield "xychart-beta"
    yield f'  title "Views (bars) and clones (line), {days[0].day} to {days[-1].day}"'
    yield f"  x-axis [{', '.join(_axis(drawn))}]"
    yield f"  y-axis 0 --> {max(greatest, 1)}"  # its own choice begins at the smallest number
    yield f"  bar [{', '.join(str(day.views) for day in drawn)}]"
    yield f"  line [{', '.join(str(day.clones) for day in drawn)}]"
    yield "```"
    if unknown:
        yield ""
        yield f"The chart leaves out {unknown} unknown {'day' if unknown == 1 else 'days'}."


def _axis(days: Sequence[DayCoverage]) -> Iterator[str]:
    """Yield each day's label: its number, with the month if the number repeats."""
    seen = set[int]()
    for day in (known.day for known in days):
        yield f'"{day:%b} {day.day}"' if day.day in seen else str(day.day)
        seen.add(day.day)


def _day_table(days: Sequence[DayCoverage]) -> Iterator[str]:
    counted = any(day.workflow_runs is not None for day in days)
    yield ""
    yield "<details><summary>The same in numbers</summary>"
    yield ""
    yield f"| day | views | uniques | clones | uniques |{' workflow runs |' if counted else ''} state |"
    yield f"|:--|--:|--:|--:|--:|{'--:|' if counted else ''}:--|"
    for day in days:
        runs = (day.workflow_runs,) if counted else ()
        numbers = map(number, (day.views, day.view_uniques, day.clones, day.clone_uniques, *runs))
        yield f"| {day.day} | {' | '.join(numbers)} | {day.state.label} |"
    yield ""
    yield "</details>"


def _top(title: str, heading: str, rows: Iterable[tuple[str, int, int]]) -> Iterator[str]:
    lines = [f"| {cell(name)} | {number(count)} | {number(uniques)} |" for name, count, uniques in rows]
    if lines:
        yield ""
        yield f"<details><summary>{title}</summary>"
        yield ""
        yield f"| {heading} | views | uniques |"
        yield "|:--|--:|--:|"
        yield from lines
        yield ""
        yield "</details>"
