"""The console of the standard output."""

from rich.console import Console

TABLE = 200
"""Columns of a table in a pipe or a log, where a row is one line."""

CHART = 80
"""Columns of a chart in a pipe or a log."""


def make_console(piped: int) -> Console:
    """Return a console of the terminal's width, or `piped` columns without a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=piped)
