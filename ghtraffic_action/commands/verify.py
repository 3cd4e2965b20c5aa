"""The command `ghtraffic verify`."""

import logging

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, legacy_csv, report_switch, setting

log = logging.getLogger("ghtraffic_action")


@click.command(cls=Command)
@setting("store")
@setting("export_to")
@legacy_csv("Also compare views_clones_stars.csv and top_paths.csv.")
@report_switch("Compare the report page")
@click.option("--repair", is_flag=True, help="Rewrite files that differ; nothing is removed.")
def verify(*, repair: bool, **flags: str | None) -> int:
    """Compare the exported files with the store, row by row.

    Exits with 1 if a file is missing, differs or should not exist. A DynamoDB table is scanned, which needs the
    permission dynamodb:Scan.
    """
    settings = read_and_warn("verify", flags)
    from ghtraffic_action.exports.verify import verify_all  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.report_table import truncate_list  # noqa: PLC0415 - --help is quick

    found = verify_all(settings, repair=repair)
    for note in truncate_list(found.notes):
        log.warning("%s", note)
    for problem in truncate_list(found.problems):
        log.error("%s", problem)
    click.echo(f"{found.agreeing} of {found.files} files in {settings.export_to} agree with {settings.store}")
    return 1 if found.problems else 0
