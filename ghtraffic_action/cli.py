"""The command line: `ghtraffic` and `python -m ghtraffic_action`."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence

import click

from ghtraffic_action import __version__
from ghtraffic_action.commands.collect import collect
from ghtraffic_action.commands.demo import demo
from ghtraffic_action.commands.doctor import doctor
from ghtraffic_action.commands.export import export
from ghtraffic_action.commands.import_paths import import_
from ghtraffic_action.commands.report_page import report
from ghtraffic_action.commands.retire import retire
from ghtraffic_action.commands.show import show
from ghtraffic_action.commands.status import status
from ghtraffic_action.commands.verify import verify
from ghtraffic_action.errors import UserError
from ghtraffic_action.options import verbose_option
from ghtraffic_action.setup.command import setup
from ghtraffic_action.standard_output import OutputError, StandardErrorHandler, prepare_standard_streams

log = logging.getLogger("ghtraffic_action")

_NEW_OBJECTS = 100_000
"""Objects that are made before garbage is looked for: those of imports live until the end."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ghtraffic")
def cli() -> None:
    """Keep a GitHub repository's traffic forever.

    Every setting is also an environment variable: --export-to is GHTRAFFIC_EXPORT_TO. Secrets are read from the
    environment only: GHTRAFFIC_GITHUB_TOKEN, a fine-grained token with the permission Administration: read (if it is
    not set, GH_TOKEN or GITHUB_TOKEN), or GHTRAFFIC_GITHUB_APP_KEY, the private key of a GitHub App.
    """


cli.params.append(verbose_option())
for command in (setup, collect, export, verify, import_, status, retire, show, doctor, demo, report):
    cli.add_command(command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: success, 1: something failed, 2: wrong settings, 130 and 143: stopped.
    """
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
    handler = StandardErrorHandler()
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
    """Run the command line as a process.

    It ends without the interpreter's clean-up, which takes a quarter of a short run's CPU time, and waits for no answer
    that is still under way.
    """
    gc.set_threshold(_NEW_OBJECTS)
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
    os._exit(exit_code)


def _formatter(*, in_actions: bool) -> logging.Formatter:
    if in_actions:
        from ghtraffic_action.views.workflow_commands import CommandFormatter  # noqa: PLC0415 - only where it is used

        return CommandFormatter()
    from ghtraffic_action.views.plain_text import LineFormatter  # noqa: PLC0415 - only where it is used

    return LineFormatter("%(levelname)s %(message)s")


if __name__ == "__main__":
    run_and_exit()
