"""An import's plan as text for the terminal."""

from collections.abc import Iterator
from textwrap import fill

import click

from ghtraffic_action.importing.importer import Plan
from ghtraffic_action.importing.plan import RepositoryPlan
from ghtraffic_action.views.console import make_console
from ghtraffic_action.views.plain_text import one_line
from ghtraffic_action.views.report_table import truncate_list


def print_plan(plan: Plan) -> None:
    """Print a plan, wrapped to the terminal's width."""
    console = make_console(0)
    for line in plan_lines(plan):
        click.echo(fold(one_line(line), console.width if console.is_terminal else 0))


def fold(line: str, width: int) -> str:
    """Wrap a line to `width` columns (0: no limit), indenting later rows."""
    if not width:
        return line
    begin = line[: len(line) - len(line.lstrip())]
    return fill(
        line.strip(),
        width,
        initial_indent=begin,
        subsequent_indent=f"{begin}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a paragraph per repository, then what was left out."""
    for found in plan.repositories:
        yield f"{found.who.name} ({found.who.id}): {', '.join(found.forms)}"
        for line in _lines(found):
            yield f"  {line}"
    yield from truncate_list([f"left out: {line}" for line in plan.left_out])
    yield from truncate_list([f"refused, left out because of --force: {line}" for line in plan.refused])
    if plan.skipped:
        yield f"{plan.skipped} other files have no known form"


def _lines(found: RepositoryPlan) -> Iterator[str]:
    yield f"{len(found.files)} files: {', '.join(truncate_list([file.name for file in found.files], 5))}"
    if found.first:
        sums = ", ".join(f"{value:,} {name}" for name, value in found.sums.items())
        yield f"{found.first} to {found.last}: {found.days:,} days{f' with {sums}' if sums else ''}"
    if found.snapshots:
        yield f"{found.snapshots:,} snapshots of top paths and referrers, which cover no day"
    if found.days:
        yield f"{found.new:,} new, {found.raised:,} raised, {found.equal:,} equal, {found.lower:,} lower than stored"
    for reason, number in sorted(found.dropped.items()):
        if number:
            yield f"dropped: {number:,} {reason}"
    for largest in found.raises:
        yield f"raises {largest.number} of {largest.day} from {largest.before:,} to {largest.after:,}"
    if found.gaps:
        longest = max(found.gaps, key=lambda gap: gap.last - gap.first)
        many = f"{found.missing:,} days unknown in {len(found.gaps):,} gaps"
        yield f"{many}, the longest {longest.first} to {longest.last}"
