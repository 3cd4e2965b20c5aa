"""The console of the standard output, as wide as the terminal or, without one, as wide as its view asks."""

from rich.console import Console

TABLE = 200
"""Columns of a table in a pipe or a log, where a row is one line."""

CHART = 80
"""Columns of a chart in a pipe or a log."""


def make_console(piped: int) -> Console:
    """Return a console for the standard output; without a terminal it has `piped` columns."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=piped)
