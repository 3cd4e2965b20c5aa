"""The command `ghtraffic import`."""

from datetime import UTC, datetime
from typing import Any

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, setting


@click.command("import", cls=Command)
@click.argument("paths", nargs=-1)
@setting("store")
@click.option("--repository", metavar="OWNER/NAME", default="", help="The repository, if files do not name it.")
@click.option("--repository-id", type=click.IntRange(min=1), metavar="ID", help="The same, by GitHub's id.")
@click.option("--history", is_flag=True, help="Also read every version of the paths in their local git repository.")
@click.option("--yes", is_flag=True, help="Write the import (not needed for backups of ghtraffic).")
@click.option("--force", is_flag=True, help="Accept implausible numbers, and skip refused files.")
@click.option("--undo", metavar="ID", default="", help="Undo the import of this id; `ghtraffic status` lists the ids.")
def import_(*, undo: str, **flags: Any) -> int:  # noqa: ANN401 - click's values
    """Import backups, or files of other tools, into a store.

    PATHS are files and folders: backups of `ghtraffic export --format jsonl` (- is the standard input), our exported
    files, CSV, JSON and SQLite files of other tools. docs/import.md lists the forms.

    Numbers only rise, as in a run, and days that GitHub listed do not change: importing an old file, or the same one
    twice, does no harm. For files of other tools a plan is shown first.
    """
    settings = read_and_warn("backup", {"store": flags.pop("store")})
    from ghtraffic_action.views.import_commands import import_paths, undo_one  # noqa: PLC0415 - --help is quick

    if bool(undo) == bool(flags["paths"]):
        raise click.UsageError("name files or folders to import, or an import to take back with --undo ID")
    return undo_one(settings, undo) if undo else import_paths(settings, flags, datetime.now(UTC))
