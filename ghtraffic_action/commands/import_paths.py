"""The command `ghtraffic import`."""

from datetime import UTC, datetime
from typing import Any

import click

from ghtraffic_action.commands.reading import read_and_warn
from ghtraffic_action.options import Command, setting


@click.command("import", cls=Command)
@click.argument("paths", nargs=-1)
@setting("store")
@click.option("--repository", metavar="OWNER/NAME", default="", help="Whose the files are, if they do not say so.")
@click.option("--repository-id", type=click.IntRange(min=1), metavar="ID", help="The same, as GitHub's number of it.")
@click.option("--history", is_flag=True, help="Also read every version of the paths in their local git repository.")
@click.option("--yes", is_flag=True, help="Write what the plan shows; only backups of ours need no --yes.")
@click.option("--force", is_flag=True, help="Believe implausible numbers, and leave out files that are refused.")
@click.option(
    "--undo", metavar="ID", default="", help="Take back the import of this id, which `ghtraffic status` shows."
)
def import_(*, undo: str, **flags: Any) -> int:  # noqa: ANN401 - click's values
    """Merge backups, or what other tools have kept, into a store.

    PATHS are files and folders: backups that `ghtraffic export --format jsonl` wrote (- is the standard input), our
    exported files, CSV, JSON and SQLite files of other tools. docs/import.md lists the forms.

    Numbers rise and never fall, as in a run, and a day that GitHub listed stays as it is: an old file, or the same one
    twice, does no harm. Of other tools' files a plan is shown first.
    """
    settings = read_and_warn("backup", {"store": flags.pop("store")})
    from ghtraffic_action.views.import_commands import import_paths, undo_one  # noqa: PLC0415 - --help is quick

    if bool(undo) == bool(flags["paths"]):
        raise click.UsageError("name files or folders to import, or an import to take back with --undo ID")
    return undo_one(settings, undo) if undo else import_paths(settings, flags, datetime.now(UTC))
