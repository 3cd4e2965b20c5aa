"""The command `ghtraffic setup`."""

import os
from contextlib import closing
from pathlib import Path

import click

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.options import Command
from ghtraffic_action.settings.addresses import repository_name
from ghtraffic_action.settings.api_url import GITHUB_API, problem_of


@click.command(cls=Command)
@click.argument("repository", metavar="OWNER/REPO")
@click.option("--plan", "plan_only", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--yes", is_flag=True, help="Make the changes without asking.")
@click.option("--stack", default="ghtraffic", show_default=True, metavar="NAME", help="The CloudFormation stack.")
@click.option("--email", default="", metavar="ADDRESS", help="The address for alarms.")
def setup(*, repository: str, plan_only: bool, yes: bool, stack: str, email: str) -> int:
    """Set up a repository's workflow with a table and a bucket in AWS.

    Inspects GitHub, the AWS account and this folder, shows a plan with the command for each step, asks, and carries it
    out: the stack, the Actions variables, the secret, .github/workflows/traffic.yml. What exists stays.

    GH_TOKEN is a token that can write the repository's Variables and Secrets (such as that of `gh auth token`).
    GHTRAFFIC_TRAFFIC_TOKEN, if set, becomes the secret TRAFFIC_TOKEN: it needs Administration: read.
    """
    token, url = _token(), os.environ.get("GITHUB_API_URL", "").strip() or GITHUB_API
    if problem := problem_of(url):
        raise SettingsError(f"GITHUB_API_URL: it {problem}")
    secret = os.environ.get("GHTRAFFIC_TRAFFIC_TOKEN", "").strip()
    from ghtraffic_action.github.repository_settings import (  # noqa: PLC0415 - --help imports neither PyGithub nor boto3
        RepositorySettings,
    )
    from ghtraffic_action.setup.packaged import read_packaged  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.setup.plan import Wanted  # noqa: PLC0415 - --help is quick
    from ghtraffic_action.setup.run import Setup, Terminal  # noqa: PLC0415 - --help is quick

    name = repository_name(repository)
    wanted = Wanted(stack, read_packaged("base.yaml"), read_packaged("traffic.yml"), email, token=bool(secret))
    terminal = Terminal(click.echo, lambda: not plan_only and (yes or click.confirm("Make these changes?")))
    with closing(RepositorySettings(name, token, url)) as github:
        Setup(name, github, Path.cwd(), wanted).run(terminal, secret)
    return 0


def _token() -> str:
    token = (os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or "").strip()
    if not token:
        raise SettingsError('GH_TOKEN: it is empty: set it to a token of yours, such as GH_TOKEN="$(gh auth token)"')
    return token
