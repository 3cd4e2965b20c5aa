"""A run's report as a terminal table."""

from collections.abc import Iterator, Sequence

from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.views.plain_text import one_line

_HEADINGS = ("stars", "views", "uniques", "clones", "uniques", "new days", "raised", "lost")


def print_report(report: Report) -> None:
    """Print a run's result: a table and a few lines."""
    from ghtraffic_action.views.console import TABLE, make_console  # noqa: PLC0415 - not needed with --json
    from ghtraffic_action.views.named_table import Row, print_table  # noqa: PLC0415 - imports rich, which is slow

    console = make_console(TABLE)
    ordered = sorted(report.repositories, key=lambda found: (not found.errors, -(found.views_14d or 0)))
    print_table(
        console,
        _HEADINGS,
        [Row(found.name, tuple(_cells(found)), "red" if found.errors else "") for found in ordered],
    )
    for line in _lines(report):
        console.print(one_line(line), markup=False, soft_wrap=True)


def truncate_list(problems: Sequence[str], limit: int = 20) -> Iterator[str]:
    """Yield the first problems and the number of the others."""
    yield from problems[:limit]
    if len(problems) > limit:
        yield f"and {len(problems) - limit} more"


def _cells(found: RepositoryResult) -> Iterator[str]:
    seen = (found.stars, found.views_14d, found.view_uniques_14d, found.clones_14d, found.clone_uniques_14d)
    for number in (*seen, found.inserted, found.raised, found.lost_days):
        yield "-" if number is None else f"{number:,}"


def _lines(report: Report) -> Iterator[str]:
    yield from report.selected
    if any(found.views_14d is not None for found in report.repositories):
        yield "views, clones and their uniques are of 14 days; new, raised and lost count days"
    if report.dry_run:
        yield "dry run: nothing was written; the days are those that a run would insert and raise"
        return
    days = sum(found.inserted + found.raised for found in report.repositories)
    yield f"{len(report.collected)} of {report.total} collected, {days} days written to {report.store}"
    if report.fresh:
        yield f"{report.fresh} were skipped, since they were observed earlier today"
    if report.remaining:
        yield f"{len(report.remaining)} not started: the next run starts with them"
    yield f"{len(report.exported)} files in {report.export_to}, {len(report.written)} of them written"
