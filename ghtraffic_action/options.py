"""Options of the commands."""

import logging
from collections.abc import Callable
from typing import Any

import click

log = logging.getLogger("ghtraffic_action")

_SETTINGS_HELP = {
    "github_app": "A GitHub App's id instead of a token; its key is GHTRAFFIC_GITHUB_APP_KEY.",
    "store": "dynamodb://TABLE, sqlite:PATH or jsonl:PATH (default: sqlite:ghtraffic.db).",
    "export_to": "s3://BUCKET/PREFIX or a directory (default: ghtraffic-export).",
    "heartbeat": "`cloudwatch` sends metrics of each run to CloudWatch, for the alarms (default: none).",
    "alerts": "Where lost days, unusual views etc. are reported: `annotations`, or an SNS topic's ARN (default: none).",
    "pictures": "Public repositories, as OWNER/NAME, to draw pictures and badges of.",
    "pictures_to": "The directory or s3://BUCKET/PREFIX of the pictures (default: none).",
    "repositories_file": "A file that lists more repositories; comments begin with #.",
    "visibility": "Which repositories of a list: all, public or private (default: all).",
    "allow_failures": "How many repositories may fail, such as 5 or 2% (default: 0).",
    "max_wait": "How long a run may wait for GitHub in total, such as 90s or 1h (default: 15m).",
}


def _count_verbose(context: click.Context, _: click.Parameter, count: int) -> None:
    """Add up -v before and after the command's name."""
    verbose = context.meta["verbose"] = context.meta.get("verbose", 0) + count
    log.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])


class Command(click.Command):
    """A command with -v that refuses repeated options of a single value."""

    def __init__(self, *words: Any, **settings: Any) -> None:  # noqa: ANN401 - click's own
        """Create the command with the option -v."""
        super().__init__(*words, **settings)
        self.params.append(verbose_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for option in given:
            single = isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.count)
            if single and given.count(option) > 1:
                raise click.UsageError(f"{option.opts[0]} is given twice: leave one out", ctx)
        return super().parse_args(ctx, args)


def verbose_option() -> click.Option:
    """Return the option -v."""
    what = "Log more to standard error; -vv logs everything."
    return click.Option(["-v", "--verbose"], count=True, expose_value=False, callback=_count_verbose, help=what)


def setting(name: str) -> Callable[[Any], Any]:
    """Return a setting's flag."""
    return click.option(f"--{name.replace('_', '-')}", name, metavar="TEXT", help=_SETTINGS_HELP[name])


def switch(name: str, help_text: str, *, hidden: bool = False) -> Callable[[Any], Any]:
    """Return a boolean setting's flag; without it the environment decides."""
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, name, is_flag=True, flag_value="true", default=None, help=help_text, hidden=hidden)


def legacy_csv(help_text: str) -> Callable[[Any], Any]:
    """Return the flag --legacy-csv, also by its old name."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - click's own
        return switch("legacy_csv", help_text)(switch("article_files", "", hidden=True)(command))

    return decorate


def report_switch(help_text: str) -> Callable[[Any], Any]:
    """Return the flag --report or --no-report."""
    return click.option("--report/--no-report", "report", default=None, help=f"{help_text} (default: yes).")


def repositories(command: Any) -> Any:  # noqa: ANN401 - click's own
    """Add arguments and a repeatable --repositories, combined as `repositories`."""
    what = "OWNER/NAME, OWNER/a*, topic:NAME@OWNER, installed, !OWNER/NAME, separated by blanks or commas."
    option = click.option("--repositories", metavar="TEXT", multiple=True, callback=_join, help=what)
    return click.argument(
        "names", nargs=-1, metavar="[REPOSITORY]...", expose_value=False, is_eager=True, callback=_keep
    )(option(command))


def _keep(context: click.Context, _: click.Parameter, names: tuple[str, ...]) -> None:
    context.meta["names"] = names


def _join(context: click.Context, _: click.Parameter, given: tuple[str, ...]) -> str | None:
    names = (*context.meta["names"], *given)
    return "\n".join(names) if names else None
