"""A status as a terminal table."""

from collections.abc import Iterator

from ghtraffic_action.status import CALENDARS, RepositoryStatus, Status, problems_of
from ghtraffic_action.traffic.coverage import Coverage
from ghtraffic_action.views.plain_text import one_line

_HEADINGS = ("first day", *(state.label for state in Coverage), "observed", "due before")


def print_status(status: Status) -> None:
    """Print a status: table, calendars of a few repositories, and next deadline."""
    from ghtraffic_action.views.console import TABLE, make_console  # noqa: PLC0415 - not needed with --json
    from ghtraffic_action.views.coverage_calendar import print_calendar  # noqa: PLC0415 - imports rich, which is slow
    from ghtraffic_action.views.named_table import Row, print_table  # noqa: PLC0415 - also imports rich

    console = make_console(TABLE)
    rows = []
    for found in status.repositories:
        has_problem = any(problems_of(found, status))
        style = "red" if has_problem else "dim" if found.superseded else ""
        rows.append((not has_problem, Row(found.repository, tuple(_cells(found)), style)))
    print_table(console, _HEADINGS, [row for _, row in sorted(rows, key=lambda ranked: ranked[0])])
    if len(status.days) <= CALENDARS:
        for days in status.days:
            console.print()
            print_calendar(days)
    console.print()
    for line in _lines(status):
        console.print(one_line(line), markup=False, soft_wrap=True)


def _cells(found: RepositoryStatus) -> Iterator[str]:
    yield str(found.first_day)
    yield from (f"{getattr(found, state.label):,}" for state in Coverage)
    yield "retired" if found.retired else "superseded" if found.superseded else _last_success(found)
    yield str(found.deadline or "-")


def _last_success(found: RepositoryStatus) -> str:
    """Return the UTC day of the last success, of the older metric."""
    moments = [at for at in (found.views_observed, found.clones_observed) if at]
    return f"{min(moments):%Y-%m-%d}" if moments else "never"


def _lines(status: Status) -> Iterator[str]:
    deadline = min((found.deadline for found in status.repositories if found.deadline), default=None)
    lost = sum(found.lost for found in status.repositories)
    count = len(status.repositories)
    yield f"{count} {'repository' if count == 1 else 'repositories'} in {status.store}, {lost:,} days lost"
    if deadline and deadline > status.today:
        yield f"next run due before {deadline} ({(deadline - status.today).days} days left)"
    counted = [found.workflow_runs_counted for found in status.repositories if found.workflow_runs_counted]
    if counted:
        rest = len(status.repositories) - len(counted)
        remedy = f", not for {rest}: set workflow-runs, and allow Actions: read for private ones" if rest else ""
        yield f"workflow runs: counted for {len(counted)} repositories on {sum(counted):,} days{remedy}"
    for found in status.imports:
        what = f"{found.inserted:,} days inserted, {found.raised:,} raised in {', '.join(found.repositories[:3])}"
        more = f" and {len(found.repositories) - 3} more" if len(found.repositories) > 3 else ""  # noqa: PLR2004 - as above
        others = f" and {len(found.files) - 1} other files" if len(found.files) > 1 else ""
        yield f"import {found.id}: {what}{more} from {found.files[0].name}{others}"
