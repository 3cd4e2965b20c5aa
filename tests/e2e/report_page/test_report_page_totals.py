"""The charts of running totals in a browser: star history and release downloads."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

from tests.support.browser import Opened
from tests.support.page_samples import LAST, Sample, data_of

GIVEN = ((date(2020, 2, 1), 4), (date(2023, 5, 5), 1), (LAST - timedelta(days=3), 2))


def test_star_history_begins_before_the_first_run(open_page: Callable[..., Opened]) -> None:
    """The chart sums up the current stars, independently of the other charts' range."""
    page = open_page(data_of(Sample(days=40, starred=GIVEN)))
    _, *rows = page.rows("Stars since the first one")
    assert [row[1] for row in rows] == ["7", "7", "5", "4"]
    assert rows[-1][0] == "2020-02-01"


def test_downloads_are_a_total_and_its_difference(open_page: Callable[..., Opened]) -> None:
    """Each observation has the total and the difference from the one before; the first has none."""
    page = open_page(data_of(Sample(days=40, downloads_since=LAST - timedelta(days=9))))
    _, *rows = page.rows("Downloads of releases")
    totals = [n**2 // 9 for n in range(10)]
    assert [row[1] for row in reversed(rows)] == list(map(str, totals))
    assert [row[2] for row in reversed(rows)][1:] == [str(after - before) for before, after in pairwise(totals)]
    assert not rows[-1][2].isdigit()


def test_a_repository_without_either_has_neither_chart(open_page: Callable[..., Opened]) -> None:
    page = open_page(data_of(Sample(days=40)))
    assert page.section("Stars since the first one").count() == page.section("Downloads of releases").count() == 0
