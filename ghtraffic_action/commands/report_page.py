"""The command `ghtraffic report`."""

import os
from contextlib import closing

import click

from ghtraffic_action.options import Command, setting
from ghtraffic_action.settings import read_settings


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[OWNER/NAME]...")
@setting("export_to")
@click.option("--output", metavar="FILE", default="", help="Write the page to this file instead.")
@click.option("--public", is_flag=True, help="Only repositories known to be public.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def report(*, names: tuple[str, ...], output: str, public: bool, show: bool, **flags: str | None) -> int:
    """Build the report page from the export, without the store.

    The page of all repositories is written beside the CSV files, as by a run. With names, with --public, or with --open
    and a bucket, it is written to report.html in this folder.
    """
    settings = read_settings("report", os.environ, flags)
    from ghtraffic_action.exports.destination import open_destination  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.exports.page_report import save_report, write_report  # noqa: PLC0415 - --help is quick

    is_remote = settings.export_to.startswith("s3://")
    if names or public or (show and is_remote):
        output = output or "report.html"
    with closing(open_destination(settings.export_to)) as destination:
        if output:
            save_report(destination, output, names, public=public)
        else:
            output = write_report(destination)
    click.echo(output)
    if show:
        click.launch(output)
    return 0
