"""The calendar in the terminal: what is known of each day of a history."""

from datetime import date, timedelta

from rich.console import Console
from rich.text import Text

from ghtraffic_action.coverage import Coverage, KnownDay, known_days
from ghtraffic_action.traffic import History

_SIGNS = {
    Coverage.COMPLETE: ("■", "green"),
    Coverage.PROVISIONAL: ("▪", "cyan"),
    Coverage.PARTIAL: ("◦", "yellow"),
    Coverage.LOST: ("x", "red"),
}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def print_calendar(history: History) -> None:
    """Print the days of a history as weeks from left to right, with a sign for what is known of each."""
    days = list(known_days(history))
    console = Console(highlight=False, soft_wrap=True)
    if not days:
        console.print("nothing is known yet")
        return
    console.print(f"{days[-1].repository}: {days[0].day} to {days[-1].day}", style="bold")
    for line in calendar(days):
        console.print(line)
    legend = Text("    ")
    for state, (sign, style) in _SIGNS.items():
        count = sum(day.state is state for day in days)
        legend.append(sign, style).append(f" {state.label} {count}  ")
    console.print(legend)


def calendar(days: list[KnownDay]) -> list[Text]:
    """Lay days out as seven lines, a weekday each, below the months; a column is a week."""
    states = {day.day: day.state for day in days}
    monday = days[0].day - timedelta(days=days[0].day.weekday())
    weeks = range((days[-1].day - monday).days // 7 + 1)
    months = Text("    ")
    for week in weeks:
        begins = monday + timedelta(weeks=week)
        first = next((begins + timedelta(days=n) for n in range(7) if (begins + timedelta(days=n)).day == 1), None)
        if first or week == 0:
            months = Text(months.plain.ljust(4 + 2 * week) + f"{first or begins:%b}")
    return [months, *(_weekday(states, monday + timedelta(days=n), weeks) for n in range(7))]


def _weekday(states: dict[date, Coverage], first: date, weeks: range) -> Text:
    line = Text(f"{_WEEKDAYS[first.weekday()]} ")
    for week in weeks:
        state = states.get(first + timedelta(weeks=week))
        sign, style = (" ", "") if state is None else _SIGNS[state]
        line.append(f"{sign} ", style)
    return line
