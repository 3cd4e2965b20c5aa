"""The command `ghtraffic collect`."""

import logging
import os
from dataclasses import replace
from threading import Event

import click

from ghtraffic_action.options import Command, legacy_csv, report_switch, repositories, setting, switch
from ghtraffic_action.settings import read_settings
from ghtraffic_action.shutdown import run_until_signal

log = logging.getLogger("ghtraffic_action")


@click.command(cls=Command)
@repositories
@setting("github_app")
@setting("store")
@setting("export_to")
@setting("repositories_file")
@setting("visibility")
@switch("include_archived", "Include archived repositories in lists.")
@switch("include_forks", "Include forks in lists.")
@switch("allow_empty", "Accept patterns that match no repository.")
@setting("max_wait")
@setting("allow_failures")
@switch("once_a_day", "Skip repositories already observed on this UTC day.")
@switch("workflow_runs", "Also count the workflow runs of each day, since their checkouts are clones.")
@setting("heartbeat")
@setting("alerts")
@setting("pictures")
@setting("pictures_to")
@switch("dry_run", "Fetch and show what would be written, without writing.")
@legacy_csv("Also write views_clones_stars.csv and top_paths.csv.")
@report_switch("Write the report page")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def collect(*, as_json: bool, **flags: str | None) -> int:
    """Collect the traffic of repositories, store it, export it."""
    settings = read_settings("collect", os.environ, flags)
    from ghtraffic_action.collect import run  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.run_report import write_report  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.runtime import Runtime, hide_nothing  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.schedule import schedule_warning  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views import workflow_commands  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.progress import show_progress  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.report_log import log_report  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.views.report_table import print_report  # noqa: PLC0415 - --help is quick

    in_actions = settings.platform == "Actions"
    hide = workflow_commands.mask if in_actions else hide_nothing

    def work(stop: Event) -> int:
        with show_progress(wanted=not as_json) as progress:
            report = run(settings, Runtime(stop, hide=hide, progress=progress))
        if in_actions:
            if warning := schedule_warning(os.environ):
                log.warning("%s", warning)
                report = replace(report, warnings=(*report.warnings, warning))
            report = workflow_commands.redact(report, settings.summary)
            log_report(report, settings, workflow_commands.limit_annotations)
            workflow_commands.write_results(report, settings.summary, os.environ)
        else:
            log_report(report, settings)
        if as_json:
            click.echo(write_report(report))
        else:
            print_report(report)
        return report.exit_code

    return run_until_signal(work)
