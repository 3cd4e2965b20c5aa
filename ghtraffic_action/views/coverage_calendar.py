"""The calendar in the terminal: coverage and views by day."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.views.plain_text import one_line

_SHADES = ("·", "░", "▒", "▓", "█")
"""Signs of complete days: no views, then quartiles of views."""

_COMPLETE = "green"
_SIGNS = {
    Coverage.PROVISIONAL: ("▪", "cyan"),
    Coverage.PARTIAL: ("◦", "yellow"),
    Coverage.IMPORTED: ("+", "blue"),
    Coverage.LOST: ("x", "red"),
}
_LABEL = 2
"""Weeks that the name of a month takes up."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def print_calendar(days: Sequence[DayCoverage]) -> None:
    """Print the newest weeks that fit the terminal."""
    console = Console(highlight=False, soft_wrap=True)
    if not days:
        console.print("nothing is known yet")
        return
    weeks = max(1, (console.width - len("Mon ")) // len("x "))
    begin = days[-1].day - timedelta(days=days[-1].day.weekday(), weeks=weeks - 1)
    days = [day for day in days if day.day >= begin]
    console.print(f"{one_line(days[-1].repository)}: {days[0].day} to {days[-1].day}", style="bold", markup=False)
    for line in calendar(days):
        console.print(line)
    legend = Text("    ")
    if count := sum(day.state is Coverage.COMPLETE for day in days):
        legend.append("".join(_SHADES), _COMPLETE).append(f" complete {count}, by views  ")
    for state, (sign, style) in _SIGNS.items():
        if count := sum(day.state is state for day in days):
            legend.append(sign, style).append(f" {state.label} {count}  ")
    console.print(legend)


def calendar(days: Sequence[DayCoverage]) -> list[Text]:
    """Return seven lines, one per weekday, below the months; a column is a week."""
    signs = _signs(days)
    monday = days[0].day - timedelta(days=days[0].day.weekday())
    weeks = range((days[-1].day - monday).days // 7 + 1)
    begins = [(week, day) for week in weeks for day in _label(monday + timedelta(weeks=week), first=week == 0)]
    line = "    "
    for (week, day), (following, _) in pairwise([*begins, (len(weeks) + _LABEL, monday)]):
        if following - week >= _LABEL:  # otherwise the names would overlap
            line = line.ljust(4 + 2 * week) + f"{day:%b}"
    months = Text(line)
    return [months, *(_weekday(signs, monday + timedelta(days=n), weeks) for n in range(7))]


def _signs(days: Sequence[DayCoverage]) -> dict[date, tuple[str, str]]:
    """Return the sign of each day with its style."""
    counts = sorted(day.views for day in days if day.views and day.state is Coverage.COMPLETE)
    quarters = [counts[len(counts) * quarter // 4] for quarter in (1, 2, 3)] if counts else []
    return {
        day.day: (_SHADES[1 + bisect_left(quarters, day.views) if day.views else 0], _COMPLETE)
        if day.state is Coverage.COMPLETE
        else _SIGNS[day.state]
        for day in days
    }


def _label(monday: date, *, first: bool) -> Iterator[date]:
    """Yield the day whose month is written above a week, if any.

    That is the first of a month; in the first week, its first day.
    """
    week = [monday + timedelta(days=n) for n in range(7)]
    begun = [day for day in week if day.day == 1]
    yield from begun or ([monday] if first else [])


def _weekday(signs: dict[date, tuple[str, str]], first: date, weeks: range) -> Text:
    line = Text(f"{_WEEKDAYS[first.weekday()]} ")
    for week in weeks:
        sign, style = signs.get(first + timedelta(weeks=week), (" ", ""))
        line.append(f"{sign} ", style)
    return line
