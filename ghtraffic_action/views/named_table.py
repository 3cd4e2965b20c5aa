"""A table of repositories for the terminal, with untruncated names."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghtraffic_action.views.plain_text import one_line

ROWS = 50
"""Maximum number of rows."""

_EMPTY = frozenset(("", "0", "-"))
"""Cells without information."""

_ANY = 10_000
"""A width that fits any table."""


@dataclass(frozen=True, slots=True)
class Row:
    """A repository's name and its cells."""

    name: str
    cells: tuple[str | Text, ...]
    style: str = ""


def print_table(console: Console, headings: Sequence[str], rows: Sequence[Row]) -> None:
    """Print the first rows, without columns that are zero everywhere.

    In a narrow terminal each name has a line of its own above its numbers.
    """
    shown = rows[:ROWS]
    kept = [n for n in range(len(headings)) if any(str(row.cells[n]) not in _EMPTY for row in shown)]
    wide = (_table(headings, shown, kept, gap=gap, names=True) for gap in (2, 1))
    fitting = next((table for table in wide if _width(console, table) <= console.width), None)
    if fitting:
        console.print(fitting)
    else:
        _print_two_lines(console, shown, _table(headings, shown, kept, gap=1, names=False))
    if len(rows) > ROWS:
        console.print(f"and {len(rows) - ROWS} more")


def _width(console: Console, table: Table) -> int:
    return console.measure(table, options=console.options.update(max_width=_ANY)).maximum


def _print_two_lines(console: Console, rows: Sequence[Row], numbers: Table) -> None:
    with console.capture() as capture:
        console.print(numbers)
    heading, *lines = capture.get().splitlines()
    console.out(f"  {heading}", highlight=False)
    for row, line in zip(rows, lines, strict=True):
        console.print(Text(one_line(row.name), row.style), soft_wrap=True)
        console.out(f"  {line}", highlight=False)


def _table(headings: Sequence[str], rows: Sequence[Row], kept: Sequence[int], *, gap: int, names: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
    if names:
        table.add_column("repository", no_wrap=True)
    for n in kept:
        table.add_column(headings[n], justify="right", no_wrap=True)
    for row in rows:
        name = (Text(one_line(row.name)),) if names else ()
        table.add_row(*name, *(row.cells[n] for n in kept), style=row.style)
    return table
