"""The command `ghtraffic doctor`."""

import os
from threading import Event

import click

from ghtraffic_action.options import Command, repositories, setting
from ghtraffic_action.settings import read_settings
from ghtraffic_action.shutdown import run_until_signal


@click.command(cls=Command)
@repositories
@setting("github_app")
@setting("store")
@setting("export_to")
@setting("heartbeat")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(*, as_json: bool, **flags: str | None) -> int:
    """Find problems that would make a run fail.

    Each problem comes with its remedy; nothing is changed.

    A check that your permissions do not allow is reported as unknown, not as a problem: a run needs fewer permissions
    than these checks.
    """
    settings = read_settings("doctor", os.environ, flags)
    from ghtraffic_action.doctor import examine, exit_code, format_findings, write_json  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.runtime import hide_nothing  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views import workflow_commands  # noqa: PLC0415 - --help is quick

    hide = workflow_commands.mask if settings.platform == "Actions" else hide_nothing

    def work(stop: Event) -> int:
        findings = examine(settings, os.environ, stop=stop, hide=hide)
        click.echo(write_json(findings) if as_json else format_findings(findings))
        return exit_code(findings)

    return run_until_signal(work)
