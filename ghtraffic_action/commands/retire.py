"""The command `ghtraffic retire`."""

import logging
from datetime import UTC, datetime

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, repositories, setting

log = logging.getLogger("ghtraffic_action")


@click.command(cls=Command)
@repositories
@setting("store")
@setting("export_to")
def retire(**flags: str | None) -> int:
    """Retire repositories that no run can collect any more.

    Their history stays in store and export. They have no deadline, and runs no longer report them as missing. A later
    observation of a repository ends its retirement.
    """
    settings = read_and_warn("retire", flags)
    from ghtraffic_action.retire import retire as retire_repositories  # noqa: PLC0415 - --help is quick

    exported = retire_repositories(settings, datetime.now(UTC))
    for error in exported.errors:
        log.error("%s", error)
    click.echo(f"retired in {settings.store}; {len(exported.written)} files written in {settings.export_to}")
    return 1 if exported.errors else 0
