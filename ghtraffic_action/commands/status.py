"""The command `ghtraffic status`."""

import logging
from datetime import UTC, datetime

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, repositories, setting

log = logging.getLogger("ghtraffic_action")

_SINCE = "Exit with 1 if a day was lost in the last DAYS days."


@click.command(cls=Command)
@repositories
@setting("store")
@click.option("--since", metavar="DAYS", type=click.IntRange(0, 36500), default=14, show_default=True, help=_SINCE)
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
def status(*, since: int, as_json: bool, **flags: str | None) -> int:
    """Show coverage and the deadline of the next run.

    Without repositories it shows all. Exits with 1 if a day was lost in the last days (--since), or will be lost unless
    a run comes within three days. A DynamoDB table is scanned, which needs the permission dynamodb:Scan.
    """
    settings = read_and_warn("status", flags)
    from ghtraffic_action.status import status_of  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.report_table import truncate_list  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.status_table import print_status  # noqa: PLC0415 - --help is quick

    found = status_of(settings, datetime.now(UTC).date(), since)
    if as_json:
        click.echo(found.as_json())
    else:
        print_status(found)
    for problem in truncate_list(found.problems):
        log.error("%s", problem)
    return found.exit_code
