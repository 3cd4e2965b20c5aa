"""The traffic in the terminal: gaps for unknown days, complete weeks compared, names matched."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from ghtraffic_action.cli import main
from ghtraffic_action.settings import read_settings
from ghtraffic_action.show import Traffic, read_traffic, traffic_of
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.traffic.downloads import Asset, Downloads
from ghtraffic_action.traffic.model import (
    Changes,
    Day,
    DayRange,
    History,
    Metadata,
    Snapshot,
    TopPath,
    TopPaths,
    TopReferrer,
    TopReferrers,
    Totals,
)
from ghtraffic_action.traffic.periods import Change, last_known, weekly_change, weeks
from ghtraffic_action.traffic.stars import StarYear
from ghtraffic_action.views.coverage_calendar import calendar
from ghtraffic_action.views.terminal_chart import bar, columns, glyphs_of, sparkline
from ghtraffic_action.views.traffic_view import print_traffic

NAME = "octo-lab/lighthouse"
LAST = date(2026, 11, 24)
UNICODE, ASCII = glyphs_of(ascii_only=False), glyphs_of(ascii_only=True)


def known(*views: int | None, clones: int | None = 1) -> list[DayCoverage]:
    """Return consecutive days up to LAST; those without views are lost."""
    days = [LAST - timedelta(days=ago) for ago in range(len(views) - 1, -1, -1)]
    return [
        DayCoverage(day, NAME, n, n, None if n is None else clones, 1, _state(n), None)
        for day, n in zip(days, views, strict=True)
    ]


def _state(views: int | None) -> Coverage:
    return Coverage.LOST if views is None else Coverage.COMPLETE


def traffic(*views: int | None, name: str = NAME) -> Traffic:
    days = known(*views)
    top = (TopPath("/octo-lab/[red]", "", 9, 3),), (TopReferrer("Google", 8, 2),)
    return Traffic(name, days[0].day, last_known(days) or LAST, tuple(days), 5, *top)


def keep(name: str = NAME, id: int = 7, *, views: int = 1, store: str = "sqlite:ghtraffic.db") -> None:  # noqa: A002 - the type's own field
    """Store a whole answer of LAST + 1 whose newest day had `views`."""
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    listed = frozenset({DayRange(LAST - timedelta(days=13), LAST)})
    seen = Snapshot(
        at.date(),
        name,
        metadata=Metadata(at, 5, 2, None, None, None, archived=False, created=date(2020, 2, 2)),
        views=Totals(at, views, 1, LAST),
        clones=Totals(at, 0, 0, LAST),
        paths=TopPaths(at, (TopPath("/a", "", 9, 3),)),
        referrers=TopReferrers(at, (TopReferrer("Google", 8, 2),)),
        views_listed=listed,
        clones_listed=listed,
    )
    with closing(open_store(store, create=True)) as opened:
        opened.save(id, Changes((Day(LAST, name, views, 1),), (seen,)))


def read(repositories: str = "") -> list[str]:
    settings = read_settings("status", {}, {"store": "sqlite:ghtraffic.db", "repositories": repositories or None})
    return [found.repository for found in read_traffic(settings)]


def test_a_week_with_an_unknown_day_is_not_compared() -> None:
    """The sum of its known days would look like a fall."""
    days = known(*[10] * 7, *[12] * 7)
    assert weekly_change(days, "views", LAST) == Change(84, 70)
    assert Change(84, 70).difference == 14
    lost = known(*[10] * 6, None, *[12] * 7)
    assert weekly_change(lost, "views", LAST) == Change(84, None)
    assert weekly_change(lost, "views", LAST).difference is None
    assert weekly_change(days[1:], "views", LAST).before is None


def test_weeks_begin_on_mondays_and_count_their_known_days() -> None:
    """2026-11-24 is a Tuesday: its week has two known days, the one before six of seven."""
    found = weeks(known(1, None, 1, 1, 1, 1, 1, 5, 7), "views")
    assert [(week.first, week.count, week.known, week.whole) for week in found] == [
        (date(2026, 11, 16), 6, 6, False),
        (date(2026, 11, 23), 12, 2, False),
    ]
    assert weeks(known(*[1] * 9), "views")[0].whole


def test_columns_rise_with_counts() -> None:
    """The largest count fills the height, a small one is visible, zero and unknown are blank."""
    assert columns([0, 1, 100, None, 50], 2, UNICODE) == ["  █  ", " ▁█ █"]
    assert columns([None, 0], 1, UNICODE) == ["  "]
    assert columns([1, 2], 1, ASCII) == [":#"]


def test_a_sparkline_separates_zero_from_unknown() -> None:
    """Unknown is a blank, zero the lowest line."""
    assert sparkline([0, None, 8], UNICODE) == "▁ █"
    assert sparkline([0, None, 8], ASCII) == "_ #"


def test_bars_are_never_longer_than_the_greatest() -> None:
    """Bars have fractions of a cell, and a small count is visible."""
    assert [bar(count, 100, 8, UNICODE) for count in (100, 50, 1, 0, None)] == ["████████", "████", "▏", "", ""]
    assert all(len(bar(count, 100, 8, UNICODE)) <= 8 for count in range(101))
    assert set("".join(bar(count, 100, 8, ASCII) for count in range(101))) == {"#"}


def test_the_chart_has_a_gap_where_a_day_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """A lost day is a cross and not part of the base line; the day with most views is above."""
    print_traffic([traffic(*[10] * 10, None, *[0, 99, 10])])
    out = capsys.readouterr().out
    base = next(line for line in out.splitlines() if line.lstrip().startswith("0 ─"))
    assert base.split() == ["0", "──────────x───"]
    assert "most on Monday 2026-11-23: 99" in out
    assert "x lost: no run saw the day in time" in out
    assert "not compared: a day is unknown" in out
    assert "6 of 7 days known" in out


def test_one_repository_is_shown_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """It shows changes, top paths and referrers in 80 columns, with markup escaped."""
    print_traffic([traffic(*[10] * 7, *[12] * 7)])
    out = capsys.readouterr().out
    for text in ("5 stars", "84 views   +14 from 70, +20%", "/octo-lab/[red]", "Google", "week of"):
        assert text in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_workflow_runs_stand_beside_the_clones(capsys: pytest.CaptureFixture[str]) -> None:
    """Counted workflow runs have a column and a comparison; nothing is subtracted, and the width is kept."""
    shown = traffic(*[1000] * 14)
    days = tuple(replace(day, workflow_runs=n) for n, day in enumerate(shown.days))
    print_traffic([replace(shown, days=(replace(days[0], workflow_runs=None), *days[1:]))])
    out = capsys.readouterr().out
    assert "7 clones  +0 from 7, +0%" in out
    assert "70 runs    not compared: a day is unknown" in out
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("2026-11-16")] == ["56"]
    assert all(len(line) <= 80 for line in out.splitlines())
    print_traffic([shown])
    assert "runs" not in capsys.readouterr().out


def test_downloads_and_star_history_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Totals have the difference from the observation before; new and replaced assets start at 0."""
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    keep()
    before = Downloads(at, (Asset("v1", "a.zip", 900), Asset("v1", "b.zip", 70), Asset("v1", "gone.zip", 8)))
    newest = Downloads(
        at + timedelta(days=2), (Asset("v2", "[b]", 3), Asset("v1", "a.zip", 1000), Asset("v1", "b.zip", 2))
    )
    with closing(open_store("sqlite:ghtraffic.db", create=True)) as opened:
        seen = tuple(Snapshot(found.at.date(), NAME, downloads=found) for found in (before, newest))
        years = (StarYear(2019, NAME, at, ((date(2019, 5, 5), 1500),)), StarYear(2026, NAME, at, ()))
        opened.save(7, Changes((), seen, years))
    print_traffic(read_traffic(read_settings("status", {}, {"store": "sqlite:ghtraffic.db"})))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["downloads", "of", "releases", "in", "all", "since", "2026-11-23"] in lines
    assert [line for line in lines if line[:1] in (["v1"], ["v2"], ["all"])] == [
        ["v1", "a.zip", "1,000", "+100"],
        ["v2", "[b]", "3", "+3"],
        ["v1", "b.zip", "2", "+2"],
        ["all", "3", "1,005", "+105"],
    ]
    assert lines[-1][-2:] == ["2019:", "1,500"]


def test_many_repositories_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """More than three repositories have a row each, at most fifty."""
    print_traffic([traffic(*[n] * 20, name=f"octo-lab/tool-{n:02}") for n in range(60, 0, -1)])
    out = capsys.readouterr().out
    assert out.count("octo-lab/tool-") == 50
    assert "and 10 more" in out
    assert "week of" not in out


def test_repositories_are_read_most_viewed_first() -> None:
    """Names, patterns and exclusions select repositories, whatever the case."""
    for number, name in enumerate(("octo-lab/a", "octo-lab/b", "sea/buoy"), 1):
        keep(name, number, views=number)
    assert read() == ["sea/buoy", "octo-lab/b", "octo-lab/a"]
    assert read("Octo-Lab/A sea/*") == ["sea/buoy", "octo-lab/a"]
    assert read("!octo-lab/b") == ["sea/buoy", "octo-lab/a"]


def test_the_command(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """It shows a name that the store knows, and fails for another or an empty store."""
    with closing(open_store("sqlite:empty.db", create=True)):
        pass
    assert main(["show", "--store", "sqlite:empty.db"]) == 1
    assert "it holds nothing" in caplog.messages[-1]
    keep(views=123)
    assert main(["show", NAME]) == 0
    assert "123 views" in capsys.readouterr().out
    assert main(["show", "octo-lab/other"]) == 2
    assert "repositories: the store does not know octo-lab/other" in caplog.messages[-1]


def test_a_history_without_known_days_is_not_shown() -> None:
    """A repository without answers is omitted."""
    assert traffic_of(History(7)) is None


def test_the_calendar_shades_complete_days_by_their_views() -> None:
    """Zero has a sign of its own, and so has every state that is not complete."""
    days = known(0, 1, 50, 100, 900, None)
    days[-2] = replace(days[-2], state=Coverage.PROVISIONAL)
    console = Console(width=80)
    with console.capture() as captured:
        for line in calendar(days):
            console.print(line)
    signs = [character for character in captured.get() if character in "·░▒▓█▪x"]
    assert sorted(signs) == sorted("·░▒▓▪x") or sorted(signs) == sorted("·░▒█▪x")
