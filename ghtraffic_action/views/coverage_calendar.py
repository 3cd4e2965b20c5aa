"""The calendar in the terminal: what is known of each day of a history."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.views.plain_text import one_line

_SIGNS = {
    Coverage.COMPLETE: ("■", "green"),
    Coverage.PROVISIONAL: ("▪", "cyan"),
    Coverage.PARTIAL: ("◦", "yellow"),
    Coverage.IMPORTED: ("+", "blue"),
    Coverage.LOST: ("x", "red"),
}
_LABEL = 2
"""Weeks that the name of a month takes up."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def print_calendar(days: Sequence[DayCoverage]) -> None:
    """Print days as weeks from left to right, a sign for what is known of each; as many as there is room for."""
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
    for state, (sign, style) in _SIGNS.items():
        if count := sum(day.state is state for day in days):
            legend.append(sign, style).append(f" {state.label} {count}  ")
    console.print(legend)


def calendar(days: Sequence[DayCoverage]) -> list[Text]:
    """Lay days out as seven lines, a weekday each, below the months; a column is a week."""
    states = {day.day: day.state for day in days}
    monday = days[0].day - timedelta(days=days[0].day.weekday())
    weeks = range((days[-1].day - monday).days // 7 + 1)
    begins = [(week, day) for week in weeks for day in _label(monday + timedelta(weeks=week), first=week == 0)]
    line = "    "
    for (week, day), (following, _) in pairwise([*begins, (len(weeks) + _LABEL, monday)]):
        if following - week >= _LABEL:  # else the next month's name would stand on this one's
            line = line.ljust(4 + 2 * week) + f"{day:%b}"
    months = Text(line)
    return [months, *(_weekday(states, monday + timedelta(days=n), weeks) for n in range(7))]


def _label(monday: date, *, first: bool) -> Iterator[date]:
    """Give the day whose month is named above a week: the first of a month, or the first week's own."""
    week = [monday + timedelta(days=n) for n in range(7)]
    begun = [day for day in week if day.day == 1]
    yield from begun or ([monday] if first else [])


def _weekday(states: dict[date, Coverage], first: date, weeks: range) -> Text:
    line = Text(f"{_WEEKDAYS[first.weekday()]} ")
    for week in weeks:
        state = states.get(first + timedelta(weeks=week))
        sign, style = (" ", "") if state is None else _SIGNS[state]
        line.append(f"{sign} ", style)
    return line
