"""The command line: `ghtraffic` and `python -m ghtraffic_action`."""

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Event
from typing import Any

import click

from ghtraffic_action import __version__, page_command
from ghtraffic_action.errors import UserError
from ghtraffic_action.options import Group, legacy_csv, report_switch, repositories, setting, switch, verbose_option
from ghtraffic_action.settings import Command, Settings, read_settings
from ghtraffic_action.setup.command import setup
from ghtraffic_action.shutdown import run_until_signal
from ghtraffic_action.standard_output import OutputError, prepare_standard_streams

log = logging.getLogger("ghtraffic_action")

_SINCE = "Exit with 1 where a day was lost in the last so many days."


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ghtraffic")
def cli() -> None:
    """Keep a GitHub repository's traffic forever.

    Every setting is also an environment variable: --export-to is GHTRAFFIC_EXPORT_TO. The token is only that:
    GHTRAFFIC_GITHUB_TOKEN, a fine-grained token with the permission Administration: read. Without it GH_TOKEN and
    GITHUB_TOKEN are read. So is the private key of a GitHub App, GHTRAFFIC_GITHUB_APP_KEY.
    """


cli.params.append(verbose_option())
cli.add_command(setup)


@cli.command()
@repositories
@setting("github_app")
@setting("store")
@setting("export_to")
@setting("repositories_file")
@setting("visibility")
@switch("include_archived", "Also archived repositories of a list.")
@switch("include_forks", "Also forks of a list.")
@switch("allow_empty", "A pattern may match no repository.")
@setting("max_wait")
@setting("allow_failures")
@switch("once_a_day", "Skip what was observed on this UTC day.")
@setting("heartbeat")
@setting("pictures")
@setting("pictures_to")
@switch("dry_run", "Fetch, and say what would be written; write nothing.")
@legacy_csv("Also write the two CSV files of the article that this grew out of.")
@report_switch
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def collect(*, as_json: bool, **flags: str | None) -> int:
    """Collect the traffic of repositories, store it, export it."""
    settings = read_settings("collect", os.environ, flags)
    from ghtraffic_action.collect import run  # noqa: PLC0415 - likewise
    from ghtraffic_action.runtime import Runtime, hide_nothing  # noqa: PLC0415 - likewise
    from ghtraffic_action.schedule import schedule_warning  # noqa: PLC0415 - likewise
    from ghtraffic_action.views import workflow_commands  # noqa: PLC0415 - --help must not import boto3 and PyGithub
    from ghtraffic_action.views.progress import show_progress  # noqa: PLC0415 - likewise
    from ghtraffic_action.views.report_table import print_report  # noqa: PLC0415 - likewise

    in_actions = settings.ephemeral == "Actions"
    hide = workflow_commands.mask if in_actions else hide_nothing

    def work(stop: Event) -> int:
        with show_progress(wanted=not as_json) as progress:
            report = run(settings, Runtime(stop, hide=hide, progress=progress))
        late = schedule_warning(os.environ) if in_actions else ""
        if late:
            log.warning("%s", late)
            report = replace(report, warnings=(*report.warnings, late))
        shown = workflow_commands.redact(report, settings.summary) if in_actions else report
        for error in workflow_commands.limit_annotations(shown.all_errors) if in_actions else shown.all_errors:
            log.error("%s", error)
        if shown.unfinished and shown.unfinished.safe:
            log.warning("%s", shown.unfinished.text)
        if in_actions:
            workflow_commands.write_results(shown, settings.summary, os.environ)
        if as_json:
            click.echo(shown.as_json())
        else:
            print_report(shown)
        return report.exit_code

    return run_until_signal(work)


@cli.command()
@setting("store")
@setting("export_to")
@click.option("--month", metavar="YYYY-MM", default="", help="Only the files of this month.")
@legacy_csv("Also the two CSV files of the article.")
@report_switch
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", help="jsonl is a backup.")
@click.option("--output", metavar="FILE", default="", help="Where the backup goes (default: the standard output).")
def export(*, month: str, form: str, output: str, **flags: str | None) -> int:
    """Write the exported files again, or a backup.

    All of it is written from the store alone.

    With --format jsonl the whole store is written to one file, for `ghtraffic import`. A table is read whole, which
    needs the right to dynamodb:Scan.
    """
    if form == "jsonl":
        if month or any(flags[name] is not None for name in ("export_to", "legacy_csv", "article_files", "report")):
            what = "--month, --export-to, --legacy-csv and --report"
            raise click.UsageError(f"{what} are of --format csv: leave them out")
        return _backup(output or "-", flags)
    if output:
        raise click.UsageError("--output is of --format jsonl: set --export-to, or add --format jsonl")
    settings = _read("export", flags)
    from ghtraffic_action.exports.rebuild import export_all  # noqa: PLC0415 - as above

    published = export_all(settings, month)
    for error in published.errors:
        log.error("%s", error)
    click.echo(f"{len(published.files)} files in {settings.export_to}, {len(published.written)} of them written")
    return 1 if published.errors else 0


def _backup(output: str, flags: Mapping[str, str | None]) -> int:
    settings = _read("backup", flags)
    from ghtraffic_action.backup.archive import write_backup  # noqa: PLC0415 - as above

    records = write_backup(settings, output)
    click.echo(f"{records} days and snapshots of {settings.store} written", err=True)
    return 0


@cli.command()
@setting("store")
@setting("export_to")
@legacy_csv("Also look at the two CSV files of the article.")
@report_switch
@click.option("--repair", is_flag=True, help="Write again what differs; nothing is ever removed.")
def verify(*, repair: bool, **flags: str | None) -> int:
    """Compare the exported files with the store, row by row.

    Exits with 1 where a file is missing, differs or should not be there. A table is read whole, which needs the right
    to dynamodb:Scan.
    """
    settings = _read("verify", flags)
    from ghtraffic_action.exports.verify import verify_all  # noqa: PLC0415 - as above
    from ghtraffic_action.views.report_table import truncate_list  # noqa: PLC0415 - likewise

    found = verify_all(settings, repair=repair)
    for note in truncate_list(found.notes):
        log.warning("%s", note)
    for problem in truncate_list(found.problems):
        log.error("%s", problem)
    click.echo(f"{found.agreeing} of {found.files} files in {settings.export_to} say what {settings.store} does")
    return 1 if found.problems else 0


@cli.command("import")
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
    settings = _read("backup", {"store": flags.pop("store")})
    from ghtraffic_action.views.import_commands import import_paths, undo_one  # noqa: PLC0415 - as above

    if bool(undo) == bool(flags["paths"]):
        raise click.UsageError("name files or folders to import, or an import to take back with --undo ID")
    return undo_one(settings, undo) if undo else import_paths(settings, flags, datetime.now(UTC))


@cli.command()
@repositories
@setting("store")
@click.option("--since", metavar="DAYS", type=click.IntRange(0, 36500), default=14, show_default=True, help=_SINCE)
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
def status(*, since: int, as_json: bool, **flags: str | None) -> int:
    """Show coverage and the deadline of the next run.

    Without repositories it shows all. Exits with 1 where a day was lost since so many days, or where one is in
    danger: where no run comes within three days. A table is read whole, which needs the right to dynamodb:Scan.
    """
    settings = _read("status", flags)
    from ghtraffic_action.status import status_of  # noqa: PLC0415 - likewise
    from ghtraffic_action.views.report_table import truncate_list  # noqa: PLC0415 - as above
    from ghtraffic_action.views.status_table import print_status  # noqa: PLC0415 - likewise

    found = status_of(settings, _today(), since)
    if as_json:
        click.echo(found.as_json())
    else:
        print_status(found)
    for problem in truncate_list(found.problems):
        log.error("%s", problem)
    return found.exit_code


@cli.command()
@repositories
@setting("store")
@setting("export_to")
def retire(**flags: str | None) -> int:
    """Retire repositories that no run can collect any more.

    Their history stays in store and export; they have no deadline, and no run names them as missing. A later
    observation of a repository ends its retirement.
    """
    settings = _read("retire", flags)
    from ghtraffic_action.retire import retire as retire_repositories  # noqa: PLC0415 - as above

    exported = retire_repositories(settings, datetime.now(UTC))
    for error in exported.errors:
        log.error("%s", error)
    click.echo(f"retired in {settings.store}; {len(exported.written)} files written in {settings.export_to}")
    return 1 if exported.errors else 0


@cli.command()
@repositories
@setting("store")
def show(**flags: str | None) -> int:
    """Show the traffic of days and weeks as bars, and what changed.

    Without repositories it shows all, most viewed first: up to three in full, more as a table. An unknown day is a gap,
    never 0. A table is read whole, which needs the right to dynamodb:Scan.
    """
    settings = _read("status", flags)
    from ghtraffic_action.show import read_traffic  # noqa: PLC0415 - likewise
    from ghtraffic_action.views.traffic_view import print_traffic  # noqa: PLC0415 - likewise

    print_traffic(read_traffic(settings))
    return 0


@cli.command()
@repositories
@setting("github_app")
@setting("store")
@setting("export_to")
@setting("heartbeat")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(*, as_json: bool, **flags: str | None) -> int:
    """Find what would keep a run from working.

    Each problem comes with its cure; nothing is changed.

    What may not be looked at is unknown, which is no problem: a run needs fewer rights than all these looks.
    """
    settings = read_settings("doctor", os.environ, flags)
    from ghtraffic_action.doctor import examine, exit_code, shown, written  # noqa: PLC0415 - as above
    from ghtraffic_action.runtime import hide_nothing  # noqa: PLC0415 - likewise
    from ghtraffic_action.views import workflow_commands  # noqa: PLC0415 - likewise

    hide = workflow_commands.mask if settings.ephemeral == "Actions" else hide_nothing

    def work(stop: Event) -> int:
        findings = examine(settings, os.environ, stop=stop, hide=hide)
        click.echo(written(findings) if as_json else shown(findings))
        return exit_code(findings)

    return run_until_signal(work)


@cli.command()
@click.option("--days", type=click.IntRange(1, 3650), default=60, show_default=True, help="Days to collect.")
@click.option("--directory", default="ghtraffic-demo", show_default=True, help="Where to keep what is collected.")
def demo(*, days: int, directory: str) -> int:
    """Collect an invented repository, with no network."""
    from ghtraffic_action.demo.run import run_demo  # noqa: PLC0415 - as above

    return run_until_signal(lambda stop: run_demo(directory, days, stop))


cli.add_command(page_command.report)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 all done, 1 something failed, 2 wrong settings, 130 and 143 stopped."""
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(in_actions=in_actions))
    log.addHandler(handler)
    try:
        return int(cli.main(args=None if argv is None else list(argv), prog_name="ghtraffic", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        return 128 + signal.SIGINT
    except UserError as error:
        for line in str(error).splitlines():
            log.error("%s", line)  # noqa: TRY400 - the text is for the user, who needs no traceback
        if in_actions:
            from ghtraffic_action.views.workflow_commands import write_failure  # noqa: PLC0415 - only where it is used

            write_failure(str(error), os.environ)
        return error.exit_code
    finally:
        log.removeHandler(handler)


def run_and_exit() -> None:
    """Run as a program of its own."""
    prepare_standard_streams()
    exit_code = main()
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OutputError as error:
        click.echo(f"ERROR {error}", err=True)
        exit_code = exit_code or error.exit_code
    if sys.stderr:
        sys.stderr.flush()
    if exit_code > 128:  # noqa: PLR2004 - stopped by a signal: wait for no answer that is still under way
        os._exit(exit_code)
    sys.exit(exit_code)


def _read(command: Command, flags: Mapping[str, str | None]) -> Settings:
    """Read a command's settings and log their warnings."""
    settings = read_settings(command, os.environ, flags)
    for warning in settings.warnings:
        log.warning("%s", warning)
    return settings


def _today() -> date:
    """Return today's UTC date by this machine's clock."""
    return datetime.now(UTC).date()


def _formatter(*, in_actions: bool) -> logging.Formatter:
    if in_actions:
        from ghtraffic_action.views.workflow_commands import CommandFormatter  # noqa: PLC0415 - only where it is used

        return CommandFormatter()
    from ghtraffic_action.views.plain_text import LineFormatter  # noqa: PLC0415 - likewise

    return LineFormatter("%(levelname)s %(message)s")


if __name__ == "__main__":
    run_and_exit()
