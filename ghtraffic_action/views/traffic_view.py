"""Repositories' traffic in the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ghtraffic_action.show import Traffic
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.traffic.periods import Change, weeks
from ghtraffic_action.views.console import CHART, make_console
from ghtraffic_action.views.named_table import Row, print_table
from ghtraffic_action.views.plain_text import one_line
from ghtraffic_action.views.terminal_chart import Glyphs, bar, columns, glyphs_of, sparkline

IN_FULL = 3
"""Maximum number of repositories to show in full; more are a table."""

_HEIGHT = 6
_LABEL = 7
_WEEKS = 10
_SPARK = 30
_TOP = 5
_BAR = 16
_NARROW_BAR = 12


def print_traffic(found: Sequence[Traffic]) -> None:
    """Print few repositories in full, many as a table."""
    console = make_console(CHART)
    glyphs = glyphs_of(ascii_only=console.options.ascii_only)
    if len(found) > IN_FULL:
        _print_fleet(found, console, glyphs)
        return
    for position, traffic in enumerate(found):
        for part in _in_full(traffic, console, glyphs):
            console.print(part, soft_wrap=isinstance(part, str | Text))
        if position < len(found) - 1:
            console.print()


def _in_full(traffic: Traffic, console: Console, glyphs: Glyphs) -> Iterator[RenderableType]:
    stars = "" if traffic.stars is None else f", {traffic.stars:,} stars"
    yield Text(f"{one_line(traffic.repository)}: known since {traffic.first}{stars}", style="bold")
    yield ""
    yield from _day_chart(traffic, console.width, glyphs)
    yield ""
    yield _week_table(traffic, glyphs)
    yield ""
    yield f"7 days to {traffic.last}, and the 7 before:"
    for name, change in (("views", traffic.views), ("clones", traffic.clones)):
        yield f"  {_number(change.now):>9} {name:6}  {_change(change)}"
    if any(day.workflow_runs is not None for day in traffic.days):
        runs = traffic.workflow_runs
        yield f"  {_number(runs.now):>9} runs    {_change(runs)}"
        yield Text("  runs are the repository's own workflow runs, whose clones are among the clones", style="dim")
    paths = [(path.path, path.count, path.uniques) for path in traffic.paths]
    referrers = [(referrer.referrer, referrer.count, referrer.uniques) for referrer in traffic.referrers]
    for heading, rows in (("top paths of 14 days", paths), ("top referrers of 14 days", referrers)):
        if rows:
            yield ""
            yield _top(heading, rows[:_TOP], glyphs)
    if traffic.downloads:
        yield ""
        yield _downloads(traffic)
    if traffic.held:
        years = ", ".join(f"{year}: {stars:,}" for year, stars in traffic.held)
        yield ""
        yield f"stars still held, by the year in which they were given (read weekly): {years}"


def _downloads(traffic: Traffic) -> Table:
    """Show the most downloaded assets and the total."""
    since = f"since {traffic.downloads_since}" if traffic.downloads_since else ""
    table = _table("downloads of releases", "in all", since)
    for found in traffic.downloads[:_TOP]:
        name = escape(one_line(f"{found.asset.tag} {found.asset.name}"))
        table.add_row(name, f"{found.asset.count:,}", _more(found.more))
    if len(traffic.downloads) > 1:
        more = [found.more for found in traffic.downloads if found.more is not None]
        total = sum(found.asset.count for found in traffic.downloads)
        table.add_row(f"all {len(traffic.downloads)}", f"{total:,}", _more(sum(more) if more else None))
    return table


def _more(more: int | None) -> str:
    return "" if more is None else f"{more:+,}"


def _day_chart(traffic: Traffic, width: int, glyphs: Glyphs) -> Iterator[Text]:
    known = {day.day: day for day in traffic.days}
    last = traffic.days[-1].day
    room = min(max(width - _LABEL - 1, 1), (last - traffic.days[0].day).days + 1)
    shown = [last - timedelta(days=ago) for ago in range(room - 1, -1, -1)]
    counts = [known[day].views if day in known else None for day in shown]
    most, when = max((count, day) for count, day in zip([count or 0 for count in counts], shown, strict=True))
    yield Text(f"views a day, {shown[0]} to {last}; most on {when:%A} {when}: {most:,}")
    labels = [f"{most:,}".rjust(_LABEL), *[" " * _LABEL] * (_HEIGHT - 1)]
    for label, line in zip(labels, columns(counts, _HEIGHT, glyphs), strict=True):
        yield Text(f"{label} ").append(line.rstrip(), "green")
    base = "".join(_base(known.get(day), glyphs) for day in shown)
    yield Text(f"{'0':>{_LABEL}} ").append(base.rstrip(), "dim")
    yield Text(" " * (_LABEL + 1) + _months(shown), style="dim")
    if "x" in base:
        yield Text(f"{' ' * (_LABEL + 1)}x lost: no run saw the day in time", style="red")


def _base(day: DayCoverage | None, glyphs: Glyphs) -> str:
    if day is not None and day.views is not None:
        return glyphs.line
    return "x" if day is not None and day.state is Coverage.LOST else " "


def _months(days: Sequence[date]) -> str:
    """Write each month's name below its first day."""
    line = ""
    for column, day in enumerate(days):
        if column == 0:
            line = f"{day:%b} {day.day}"
        elif day.day == 1 and column > len(line):
            line = line.ljust(column) + f"{day:%b}"
    return line


def _week_table(traffic: Traffic, glyphs: Glyphs) -> Table:
    views, clones = (weeks(traffic.days, metric)[-_WEEKS:] for metric in ("views", "clones"))
    runs = weeks(traffic.days, "workflow_runs")[-_WEEKS:]
    counted = any(week.known for week in runs)
    table = _table("week of", "views", "", "clones", "", *(["runs"] if counted else []), "")
    width = _NARROW_BAR if counted else _BAR
    most = [max(week.count for week in found) for found in (views, clones)]
    for seen, cloned, started in zip(views, clones, runs, strict=True):
        partly = "" if seen.whole and cloned.whole else f"{min(seen.known, cloned.known)} of 7 days known"
        table.add_row(
            str(seen.first),
            f"{seen.count:,}" if seen.known else "-",
            Text(bar(seen.count, most[0], width, glyphs).ljust(width), "green"),
            f"{cloned.count:,}" if cloned.known else "-",
            Text(bar(cloned.count, most[1], width, glyphs).ljust(width), "blue"),
            *([f"{started.count:,}" if started.known else "-"] if counted else []),
            Text(partly, "dim"),
        )
    return table


def _top(heading: str, rows: Sequence[tuple[str, int, int]], glyphs: Glyphs) -> Table:
    table = _table(heading, "views", "", "uniques")
    for name, count, uniques in rows:
        drawn = Text(bar(count, rows[0][1], _BAR, glyphs).ljust(_BAR), "green")
        table.add_row(escape(one_line(name)), f"{count:,}", drawn, f"{uniques:,}")
    return table


def _print_fleet(found: Iterable[Traffic], console: Console, glyphs: Glyphs) -> None:
    rows = []
    for traffic in found:
        counts = {day.day: day.views for day in traffic.days}
        line = [counts.get(traffic.last - timedelta(days=ago)) for ago in range(_SPARK - 1, -1, -1)]
        cells = [cell for change in (traffic.views, traffic.clones) for cell in (_number(change.now), _rise(change))]
        rows.append(Row(traffic.repository, (*cells, Text(sparkline(line, glyphs), "green"))))
    print_table(console, ("views", "change", "clones", "change", f"views of {_SPARK} days"), rows)
    console.print("views and clones are of the last 7 known days, changes against the 7 before", soft_wrap=True)


def _table(first: str, *headings: str) -> Table:
    """Make a table with a text column and right-aligned numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for heading in headings:
        numbers = heading in ("views", "clones", "uniques", "runs", "in all") or heading.startswith("since")
        table.add_column(heading, justify="right" if numbers else "left", no_wrap=True)
    return table


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _rise(change: Change) -> str:
    return "-" if change.difference is None else f"{change.difference:+,}"


def _change(change: Change) -> str:
    if change.difference is None:
        return "not compared: a day is unknown"
    share = f", {change.difference / change.before:+.0%}" if change.before else ""
    return f"{change.difference:+,} from {change.before:,}{share}"
