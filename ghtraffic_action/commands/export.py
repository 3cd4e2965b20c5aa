"""The command `ghtraffic export`: the exported files or a backup."""

import logging
from collections.abc import Mapping

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, legacy_csv, report_switch, setting

log = logging.getLogger("ghtraffic_action")


@click.command(cls=Command)
@setting("store")
@setting("export_to")
@click.option("--month", metavar="YYYY-MM", default="", help="Write only the files of this month.")
@legacy_csv("Also write views_clones_stars.csv and top_paths.csv.")
@report_switch("Write the report page")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", help="jsonl is a backup.")
@click.option("--output", metavar="FILE", default="", help="The file for the backup (default: standard output).")
def export(*, month: str, form: str, output: str, **flags: str | None) -> int:
    """Write the exported files again, or a backup.

    Everything is read from the store.

    With --format jsonl the whole store is written to one file, for `ghtraffic import`. A DynamoDB table is scanned,
    which needs the permission dynamodb:Scan.
    """
    if form == "jsonl":
        if month or any(flags[name] is not None for name in ("export_to", "legacy_csv", "article_files", "report")):
            what = "--month, --export-to, --legacy-csv and --report"
            raise click.UsageError(f"{what} are of --format csv: leave them out")
        return _backup(output or "-", flags)
    if output:
        raise click.UsageError("--output is of --format jsonl: set --export-to, or add --format jsonl")
    settings = read_and_warn("export", flags)
    from ghtraffic_action.exports.rebuild import export_all  # noqa: PLC0415 - --help is quick

    exported = export_all(settings, month)
    for error in exported.errors:
        log.error("%s", error)
    click.echo(f"{len(exported.files)} files in {settings.export_to}, {len(exported.written)} of them written")
    return 1 if exported.errors else 0


def _backup(output: str, flags: Mapping[str, str | None]) -> int:
    settings = read_and_warn("backup", flags)
    from ghtraffic_action.backup.archive import write_backup  # noqa: PLC0415 - --help is quick

    records = write_backup(settings, output)
    click.echo(f"{records} days and snapshots of {settings.store} written", err=True)
    return 0
