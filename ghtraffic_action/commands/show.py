"""The command `ghtraffic show`."""

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, repositories, setting


@click.command(cls=Command)
@repositories
@setting("store")
def show(**flags: str | None) -> int:
    """Show traffic by day and week as bars, and what changed.

    Without repositories it shows all, most viewed first: up to three in full, more as a table. An unknown day is a gap,
    never 0. A DynamoDB table is scanned, which needs the permission dynamodb:Scan.
    """
    settings = read_and_warn("status", flags)
    from ghtraffic_action.show import read_traffic  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.traffic_view import print_traffic  # noqa: PLC0415 - --help is quick

    print_traffic(read_traffic(settings))
    return 0
