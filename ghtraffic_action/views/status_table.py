"""A status as a table in the terminal."""

from collections.abc import Iterator

from ghtraffic_action.status import CALENDARS, RepositoryStatus, Status, last_success, problems_of
from ghtraffic_action.traffic.coverage import Coverage
from ghtraffic_action.views.plain_text import one_line

_WIDTH = 130
"""Columns of a table that leave a name its room."""


def print_status(status: Status) -> None:
    """Print a status on the standard output: a table, the calendars of a few repositories, and the next deadline."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and not needed with --json
    from rich.markup import escape  # noqa: PLC0415 - likewise
    from rich.table import Table  # noqa: PLC0415 - likewise

    from ghtraffic_action.views.coverage_calendar import print_calendar  # noqa: PLC0415 - likewise

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("repository", overflow="fold")
    for heading in (
        "first day",
        "last day",
        *(state.label for state in Coverage),
        "last success (UTC)",
        "next run before",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for found in status.repositories:
        troubled = "red" if any(problems_of(found, status)) else "dim" if found.superseded else None
        table.add_row(escape(one_line(found.repository)), *_cells(found), style=troubled)
    terminal = Console(highlight=False)
    # In a narrower terminal the lines are broken, or else the names and days would be cut off.
    console = Console(highlight=False, width=max(terminal.width, _WIDTH) if terminal.is_terminal else 200)
    console.print(table)
    if len(status.days) <= CALENDARS:
        for days in status.days:
            console.print()
            print_calendar(days)
    console.print()
    for line in _lines(status):
        console.print(one_line(line), markup=False, soft_wrap=True)


def _cells(found: RepositoryStatus) -> Iterator[str]:
    yield from (str(found.first_day), str(found.last_day))
    yield from (f"{getattr(found, state.label):,}" for state in Coverage)
    yield "retired" if found.retired else "superseded" if found.superseded else last_success(found)
    yield str(found.deadline or "-")


def _lines(status: Status) -> Iterator[str]:
    deadline = min((found.deadline for found in status.repositories if found.deadline), default=None)
    lost = sum(found.lost for found in status.repositories)
    yield f"{len(status.repositories)} repositories in {status.store}, {lost:,} days lost"
    if deadline and deadline > status.today:
        yield f"next run due before {deadline} ({(deadline - status.today).days} days left)"
