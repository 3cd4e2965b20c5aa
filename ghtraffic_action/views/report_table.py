"""A run's report as a table in the terminal."""

from collections.abc import Iterator, Sequence

from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.views.plain_text import one_line


def print_report(report: Report) -> None:
    """Print what a run came to, as a table and a few lines, on the standard output."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and not needed with --json
    from rich.markup import escape  # noqa: PLC0415 - likewise
    from rich.table import Table  # noqa: PLC0415 - likewise

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("repository", overflow="fold")
    for heading in ("stars", "views", "uniques", "clones", "uniques", "new days", "raised", "lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for found in report.repositories:
        table.add_row(escape(one_line(found.name)), *_cells(found), style="red" if found.errors else None)
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=200)
    console.print(table)
    console.print("views, clones and their uniques are of 14 days; new, raised and lost are days", style="dim")
    for line in _lines(report):
        console.print(one_line(line), markup=False, soft_wrap=True)


def truncate_list(problems: Sequence[str], limit: int = 20) -> Iterator[str]:
    """Give problems one by one, and of many how many more there are."""
    yield from problems[:limit]
    if len(problems) > limit:
        yield f"and {len(problems) - limit} more"


def _cells(found: RepositoryResult) -> Iterator[str]:
    seen = (found.stars, found.views_14d, found.view_uniques_14d, found.clones_14d, found.clone_uniques_14d)
    for number in (*seen, found.inserted, found.raised, found.lost_days):
        yield "-" if number is None else f"{number:,}"


def _lines(report: Report) -> Iterator[str]:
    yield from report.selected
    if report.dry_run:
        yield "dry run: nothing was written; the days are those that a run would insert and raise"
        return
    days = sum(found.inserted + found.raised for found in report.repositories)
    yield f"{len(report.collected)} of {report.total} collected, {days} days written to {report.store}"
    if report.fresh:
        yield f"{report.fresh} were observed earlier today and not asked for again"
    if report.remaining:
        yield f"{len(report.remaining)} not begun, the next run begins with them"
    yield f"{len(report.exported)} files in {report.export_to}, {len(report.written)} of them written"
