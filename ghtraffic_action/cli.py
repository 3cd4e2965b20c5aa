"""The command line: `ghtraffic` and `python -m ghtraffic_action`."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from io import TextIOWrapper
from threading import Event
from typing import Any

import click

from ghtraffic_action import __version__
from ghtraffic_action.errors import UserError
from ghtraffic_action.settings import read_settings
from ghtraffic_action.shutdown import run_until_signal

log = logging.getLogger("ghtraffic_action")

_SETTINGS_HELP = {
    "repositories": "OWNER/NAME, OWNER/*, OWNER/prefix-*, topic:NAME@OWNER, installed (all of an App) and !OWNER/NAME, "
    "separated by blanks or commas.",
    "repositories_file": "A file with more of them, in which # begins a comment.",
    "visibility": "Which repositories of a list: all, public or private (default: all).",
    "github_app": "A GitHub App's id, in the place of a token; its key is GHTRAFFIC_GITHUB_APP_KEY.",
    "store": "dynamodb://TABLE or sqlite:PATH (default: sqlite:ghtraffic.db).",
    "export_to": "s3://BUCKET/PREFIX or a directory (default: ghtraffic-export).",
    "heartbeat": "cloudwatch sends each run's metrics there, for the alarms (default: none).",
    "allow_failures": "How many repositories may fail, such as 5 or 2% (default: 0).",
    "max_wait": "How long to wait for GitHub at the most, such as 90s or 1h (default: 15m).",
}


_SINCE = "Exit with 1 where a day was lost in the last so many days."


def _option(setting: str) -> Callable[[Any], Any]:
    flag = f"--{setting.replace('_', '-')}"
    return click.option(flag, setting, metavar="TEXT", help=_SETTINGS_HELP[setting])


def _switch(setting: str, help_text: str) -> Callable[[Any], Any]:
    """Make a flag that leaves the environment its say where it is not given."""
    flag = f"--{setting.replace('_', '-')}"
    return click.option(flag, setting, is_flag=True, flag_value="true", default=None, help=help_text)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ghtraffic")
@click.option("-v", "--verbose", count=True, help="Tell more on the standard error, -vv everything.")
def cli(verbose: int) -> None:
    """Keep a GitHub repository's traffic for ever.

    Every setting is also an environment variable: --export-to is GHTRAFFIC_EXPORT_TO. The token is only that:
    GHTRAFFIC_GITHUB_TOKEN, a fine-grained token with the permission Administration: read. So is the private key of a
    GitHub App, GHTRAFFIC_GITHUB_APP_KEY.
    """
    log.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])


@cli.command()
@_option("repositories")
@_option("repositories_file")
@_option("visibility")
@_switch("include_archived", "Also archived repositories of a list.")
@_switch("include_forks", "Also forks of a list.")
@_switch("allow_empty", "A pattern may match no repository.")
@_option("github_app")
@_option("store")
@_option("export_to")
@_option("max_wait")
@_option("allow_failures")
@_option("heartbeat")
@_switch("once_a_day", "Skip what was observed on this UTC day.")
@_switch("dry_run", "Fetch, and say what would be written; write nothing.")
@_switch("article_files", "Also write the two CSV files of the article that this grew out of.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def collect(*, as_json: bool, **flags: str | None) -> int:
    """Collect the traffic of repositories, store it, export it."""
    settings = read_settings("collect", os.environ, flags)
    from ghtraffic_action.collect import run  # noqa: PLC0415 - likewise
    from ghtraffic_action.runtime import Runtime, hide_nothing  # noqa: PLC0415 - likewise
    from ghtraffic_action.views import workflow_commands  # noqa: PLC0415 - --help must not import boto3 and PyGithub
    from ghtraffic_action.views.report_table import print_report  # noqa: PLC0415 - likewise

    in_actions = settings.ephemeral == "Actions"
    hide = workflow_commands.mask if in_actions else hide_nothing

    def work(stop: Event) -> int:
        report = run(settings, Runtime(stop, hide=hide))
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
@_option("store")
@_option("export_to")
@click.option("--month", metavar="YYYY-MM", default="", help="Only the files of this month.")
@_switch("article_files", "Also the two CSV files of the article.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", help="jsonl is a backup.")
@click.option("--output", metavar="FILE", default="", help="Where the backup goes (default: the standard output).")
def export(*, month: str, form: str, output: str, **flags: str | None) -> int:
    """Write the exported files again, or a backup.

    All of it is written from the store alone.

    With --format jsonl the whole store is written to one file, for `ghtraffic import`. A table is read whole, which
    needs the right to dynamodb:Scan.
    """
    if form == "jsonl":
        if month or flags["export_to"] or flags["article_files"]:
            raise click.UsageError("--month, --export-to and --article-files are of --format csv: leave them out")
        return _backup(output or "-", flags)
    if output:
        raise click.UsageError("--output is of --format jsonl: set --export-to, or add --format jsonl")
    settings = read_settings("export", os.environ, flags)
    from ghtraffic_action.exports.rebuild import export_all  # noqa: PLC0415 - as above

    published = export_all(settings, month)
    for error in published.errors:
        log.error("%s", error)
    click.echo(f"{len(published.files)} files in {settings.export_to}, {len(published.written)} of them written")
    return 1 if published.errors else 0


def _backup(output: str, flags: Mapping[str, str | None]) -> int:
    settings = read_settings("backup", os.environ, flags)
    from ghtraffic_action.backup.archive import write_backup  # noqa: PLC0415 - as above

    records = write_backup(settings, output)
    click.echo(f"{records} days and snapshots of {settings.store} written", err=True)
    return 0


@cli.command()
@_option("store")
@_option("export_to")
@_switch("article_files", "Also look at the two CSV files of the article.")
@click.option("--repair", is_flag=True, help="Write again what differs; nothing is ever removed.")
def verify(*, repair: bool, **flags: str | None) -> int:
    """Compare the exported files with the store, row by row.

    Exits with 1 where a file is missing, differs or should not be there. A table is read whole, which needs the right
    to dynamodb:Scan.
    """
    settings = read_settings("verify", os.environ, flags)
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
@click.argument("file")
@_option("store")
def import_(*, file: str, **flags: str | None) -> int:
    """Merge a backup into a store.

    FILE is what `ghtraffic export --format jsonl` wrote, or -, the standard input.

    Numbers rise and never fall, as in a run: an old backup, or the same one twice, does no harm.
    """
    settings = read_settings("backup", os.environ, flags)
    from ghtraffic_action.backup.archive import import_backup  # noqa: PLC0415 - as above

    done = import_backup(settings, file, _today())
    click.echo(
        f"{done.repositories} repositories merged into {settings.store}: {done.inserted} days inserted, "
        f"{done.raised} raised, {done.snapshots} snapshots new or renewed"
    )
    if done.inserted or done.raised or done.snapshots:
        click.echo("the export does not show them yet: run `ghtraffic export`")
    return 0


@cli.command()
@_option("repositories")
@_option("store")
@click.option("--since", metavar="DAYS", type=click.IntRange(0, 36500), default=14, show_default=True, help=_SINCE)
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
def status(*, since: int, as_json: bool, **flags: str | None) -> int:
    """Tell what is known, and when the next run has to come.

    Without --repositories it tells all. Exits with 1 where a day was lost since so many days, or where one is in
    danger: where no run comes within three days. A table is read whole, which needs the right to dynamodb:Scan.
    """
    settings = read_settings("status", os.environ, flags)
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
@_option("repositories")
@_option("github_app")
@_option("store")
@_option("export_to")
@_option("heartbeat")
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the terminal's encoding lacks ends no command
    try:
        exit_code = main()
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # then it is not the standard output
            raise
        click.echo(f"ERROR the standard output cannot be written ({error.strerror}): send it elsewhere", err=True)
        os._exit(1)  # the interpreter would write once more, and fail with a traceback
    sys.stderr.flush()
    if exit_code > 128:  # noqa: PLR2004 - stopped by a signal: wait for no answer that is still under way
        os._exit(exit_code)
    sys.exit(exit_code)


def _today() -> date:
    """Tell the UTC day of this machine's clock."""
    return datetime.now(UTC).date()


def _formatter(*, in_actions: bool) -> logging.Formatter:
    if in_actions:
        from ghtraffic_action.views.workflow_commands import CommandFormatter  # noqa: PLC0415 - only where it is used

        return CommandFormatter()
    from ghtraffic_action.views.plain_text import LineFormatter  # noqa: PLC0415 - likewise

    return LineFormatter("%(levelname)s %(message)s")


if __name__ == "__main__":
    run_and_exit()
