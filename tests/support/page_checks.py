"""Checks of a report page against the export's rows, and defects to plant in it."""

import re
from base64 import b64encode
from collections import defaultdict
from datetime import date, timedelta
from hashlib import sha256

from tests.support.browser import Opened
from tests.support.page_samples import Sample, rows_of


def number(cell: str) -> int | None:
    """Return the number of a cell of the page."""
    return None if cell == "\u2013" else int(cell.replace(",", ""))


def cells_of(row: dict[str, str], count: str, unique: str) -> list[int | str | None]:
    """Return what the page shows of an exported row."""
    return [*(int(row[column]) if row[column] else None for column in (count, unique)), row["state"]]


def check_days(page: Opened, sample: Sample) -> None:
    """Check that the tables of days equal the export cell by cell."""
    page.click("All")
    page.click("Days")
    daily = rows_of(sample).daily
    for title, count, unique in (("Views", "views", "view_uniques"), ("Clones", "clones", "clone_uniques")):
        _, *rows = page.rows(title)
        found = {day: [number(views), number(uniques), state] for day, views, uniques, state in rows}
        assert found == {row["day"]: cells_of(dict(row), count, unique) for row in daily}


def check_weeks(page: Opened, sample: Sample) -> None:
    """Check that weeks are ISO weeks, sums of the days' counts, and have no uniques."""
    page.click("All")
    page.click("Weeks")
    head, *rows = page.rows("Views")
    assert head == ["week of", "views", "what is known"]
    sums: dict[str, int] = defaultdict(int)
    for row in rows_of(sample).daily:
        day = date.fromisoformat(row["day"])
        sums[str(day - timedelta(days=day.weekday()))] += int(row["views"] or 0)
    assert {week: number(views) or 0 for week, views, _ in rows} == sums
    plot = page.section("Views").get_by_role("slider")
    for _ in rows:
        plot.press("ArrowLeft")
        assert "unique" not in (plot.get_attribute("aria-valuetext") or "")


def check_lost_days(page: Opened, runs: int) -> None:
    """Check that each run of lost days has a band and a mark."""
    page.click("All")
    page.click("Days")
    chart = page.section("Views").locator(".plot svg")
    assert chart.locator(".lostband").count() == runs
    assert chart.locator(".lostcross, .losttext").count() == runs


def check_unfinished_weeks(page: Opened) -> None:
    """Check that weeks which may still grow look different from the others."""
    page.click("All")
    page.click("Weeks")
    assert page.section("Views").locator(".plot .count.P").count() == 1


def mutate(html: bytes, old: str, new: str) -> bytes:
    """Plant a defect in the page's script, and allow the changed script to run."""
    text = html.decode()
    begin = text.rindex("<script>") + len("<script>")
    end = text.rindex("</script>")
    script = text[begin:end]
    assert script.count(old) == 1, f"{old!r} is in the script {script.count(old)} times"
    changed = script.replace(old, new)
    policy = re.sub(
        r"script-src &#x27;sha256-[^&]*&#x27;", f"script-src &#x27;sha256-{_digest(changed)}&#x27;", text[:begin]
    )
    return (policy + changed + text[end:]).encode()


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
