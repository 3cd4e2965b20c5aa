"""The command `ghtraffic demo`."""

import click

from ghtraffic_action.options import Command
from ghtraffic_action.shutdown import run_until_signal


@click.command(cls=Command)
@click.option("--days", type=click.IntRange(1, 3650), default=60, show_default=True, help="Days to collect.")
@click.option("--directory", default="ghtraffic-demo", show_default=True, help="The folder for store and export.")
@click.option("--fleet", "many", is_flag=True, help="Collect eight repositories instead of one, with a pause.")
@click.option("--open", "show", is_flag=True, help="Open the report page, if there is a desktop.")
def demo(*, days: int, directory: str, many: bool, show: bool) -> int:
    """Collect an invented repository, with no network."""
    from ghtraffic_action.demo.run import run_demo  # noqa: PLC0415 - --help is quick

    return run_until_signal(lambda stop: run_demo(directory, days, stop, many=many, show=show))
