"""The report page in a browser: it shows what the export has, and sends no request."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ghtraffic_action.page.data import build_data, merge_data
from ghtraffic_action.page.writer import write_page
from tests.support.browser import Opened
from tests.support.page_checks import (
    cells_of,
    check_days,
    check_lost_days,
    check_unfinished_weeks,
    check_weeks,
    mutate,
    number,
)
from tests.support.page_samples import (
    HOSTILE,
    LAST,
    Sample,
    data_of,
    fleet,
    hostile,
    large_fleet,
    limited,
    long_history,
    rows_of,
)

Open = Callable[..., Opened]

LOST = frozenset({LAST - timedelta(days=40), LAST - timedelta(days=41)})
SAMPLE = Sample(
    days=74, lost=LOST, partial=frozenset({LAST - timedelta(days=73)}), releases=(("v1.4.0", date(2026, 10, 29)),)
)
MIXED = replace(SAMPLE, days=150, imported_days=40, partial=frozenset({LAST - timedelta(days=60)}))


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [Sample(days=1)],
        [SAMPLE],
        [Sample(days=400, unobserved=True)],
        [Sample(days=30, lost=frozenset(LAST - timedelta(days=n) for n in range(30)))],
        [Sample(days=60, archived="true", private="true", renamed=("octo-lab/before", LAST - timedelta(days=9)))],
        [Sample(days=60, missing=("views_14d", "view_uniques_14d", "private", "stars", "forks"))],
        fleet(25, 60),
        hostile(),
    ],
    ids=["nothing", "one day", "74 days", "imported", "all lost", "renamed", "old columns", "fleet", "hostile"],
)
def test_a_page_is_drawn_and_does_nothing_else(open_page: Open, samples: list[Sample]) -> None:
    page = open_page(data_of(*samples))
    assert page.page.locator("h1").inner_text()
    assert page.evaluate("performance.getEntriesByName('drawn').length") == 1


def test_the_days_of_ten_years_equal_the_export_cell_by_cell(open_page: Open) -> None:
    sample = long_history()
    check_days(open_page(data_of(sample)), sample)


def test_weeks_and_months_are_sums_of_the_days_without_uniques(open_page: Open) -> None:
    page = open_page(data_of(MIXED))
    check_weeks(page, MIXED)
    page.click("Months")
    head, *months = page.rows("Clones")
    days = rows_of(MIXED).daily
    assert head == ["month", "clones", "what is known"]
    for month, clones, _ in months:
        assert number(clones) == sum(int(row["clones"] or 0) for row in days if row["day"].startswith(month))


def test_sums_of_older_days_give_the_same_weeks_and_months(open_page: Open) -> None:
    data = data_of(long_history(1500))
    whole, summed = open_page(data), open_page(limited(data))
    for grain in ("Weeks", "Months"):
        tables = []
        for page in (whole, summed):
            page.click("All")
            page.click(grain)
            tables.append(page.rows("Views"))
        assert tables[0] == tables[1]
    summed.click("Days")
    assert summed.page.get_by_text("Days are on this page from").is_visible()


def test_a_fleet_of_sums_shows_the_same_months_and_overview_as_one_of_days(open_page: Open) -> None:
    samples = [
        replace(long_history(900 + 50 * n), repository_id=n, name=f"octo-lab/r{n}", renamed=None) for n in range(3)
    ]
    data = data_of(*samples)
    seen = []
    for page in (open_page(data), open_page(limited(data))):
        page.click("All")
        page.click("Months")
        overview = page.page.locator(".weeks .f-soft").get_attribute("d")
        seen.append((page.rows("Views of all repositories"), overview, page.page.locator(".big").all_inner_texts()))
    assert seen[0] == seen[1]
    expected = sum(int(row["views"] or 0) for sample in samples for row in rows_of(sample).daily)
    assert sum(number(views) or 0 for _, views, _ in seen[0][0][1:]) == expected


@pytest.mark.parametrize("size", [200, 1000])
def test_many_repositories_are_on_one_page(open_page: Open, size: int) -> None:
    page = open_page(large_fleet(size, 500))
    rows = page.page.locator(".repositories tbody tr")
    rows.nth(size - 1).wait_for(state="attached")
    assert rows.count() == size
    page.page.get_by_role("searchbox").fill(f"r{size - 1}")
    assert rows.count() == 1
    rows.get_by_role("link").click()
    page.page.get_by_role("link", name="\u2190 All repositories").wait_for()


def test_the_cards_compare_only_what_is_known(open_page: Open) -> None:
    newest = rows_of(SAMPLE).catalogue
    page = open_page(data_of(SAMPLE))
    card = page.page.locator(".card").first.inner_text()
    assert f"{int(newest['views_14d']):,}" in card
    assert re.search(r"14 days before: \d", card)
    unknown = replace(SAMPLE, lost=frozenset(LAST - timedelta(days=n) for n in range(16, 19)))
    assert "14 days before: \u2013" in open_page(data_of(unknown)).page.locator(".card").first.inner_text()


def test_a_day_that_stands_out_names_what_rose_with_it(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE))
    text = page.section("Days that stand out").inner_text()
    assert "30 Oct 2026" in text
    assert re.search(r"Referrers Google \+\d+", text)
    assert "Paths / +" in text
    assert "Release v1.4.0" in text


def test_referrers_and_paths_are_those_of_the_newest_observation(open_page: Open) -> None:
    rows = rows_of(SAMPLE)
    page = open_page(data_of(SAMPLE))
    for title, column, found in (("Referrers", "referrer", rows.referrers), ("Paths", "path", rows.paths)):
        cells = (
            page.section(title)
            .locator("tbody tr")
            .evaluate_all("rows => rows.map((row) => [...row.children].slice(0, 3).map((cell) => cell.textContent))")
        )
        newest = [row for row in found if row["observed"] == str(LAST)]
        expected = [
            [
                row[column].removeprefix("/octo-lab/lighthouse") or "/",
                f"{int(row['views']):,}",
                f"{int(row['view_uniques']):,}",
            ]
            for row in newest
        ]
        assert cells == expected


def test_unique_visitors_of_14_days_are_those_that_github_counted(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE))
    page.click("All")
    _, *rows = page.rows("Unique visitors and cloners of 14 days")
    expected = {
        row["day"]: [row["view_uniques_14d"], row["clone_uniques_14d"]] for row in rows_of(SAMPLE).daily if row["stars"]
    }
    assert {day: [str(number(cell)) for cell in cells] for day, *cells in rows} == expected


def test_workflow_runs_stand_beside_the_clones_where_they_were_counted(open_page: Open) -> None:
    """The clones' chart has marks, a column and a sum of the runs; the clones do not change."""
    counted = replace(SAMPLE, runs_since=LAST - timedelta(days=20))
    page, plain = open_page(data_of(counted)), open_page(data_of(SAMPLE))
    for opened in (page, plain):
        opened.click("All")
    head, *rows = page.rows("Clones")
    assert head == ["day", "clones", "unique cloners", "workflow runs", "what is known"]
    expected = {row["day"]: row["workflow_runs"] for row in rows_of(counted).daily}
    assert {day: str(number(runs)) if runs.strip("\u2013") else "" for day, _, _, runs, _ in rows} == expected
    head, *without = plain.rows("Clones")
    assert head == ["day", "clones", "unique cloners", "what is known"]
    assert [row[:3] for row in rows] == [row[:3] for row in without]
    total = sum(int(runs or 0) for runs in expected.values())
    assert page.section("Clones").locator(".sum").inner_text().endswith(f"{total:,} workflow runs on 20 counted days")
    assert page.section("Clones").locator("path.runs").count() > 0
    assert plain.section("Clones").locator("path.runs").count() == 0
    page.click("Weeks")
    _, *weeks = page.rows("Clones")
    assert sum(number(runs) or 0 for _, _, runs, _ in weeks) == total


def test_stars_and_forks_are_those_of_each_day(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE))
    page.click("All")
    for title, column in (("Stars", "stars"), ("Forks", "forks")):
        _, *rows = page.rows(title)
        assert {day: str(number(cell)) for day, cell in rows} == {
            row["day"]: row[column] for row in rows_of(SAMPLE).daily if row[column]
        }


def test_each_state_of_a_day_has_a_shape_of_its_own(open_page: Open) -> None:
    page = open_page(data_of(MIXED))
    page.click("All")
    page.click("Days")
    chart = page.section("Views").locator(".plot svg")
    for look in ("count.C", "count.P", "count.A", "count.I", "zero", "unique"):
        assert chart.locator(f"path.{look}").count() == 1, look
    check_lost_days(page, 1)
    assert chart.locator("path.texture.P").count() == chart.locator("path.texture.I").count() == 1
    assert chart.locator("path.count.A").evaluate("node => getComputedStyle(node).strokeDasharray") != "none"


def test_hostile_text_stays_text(open_page: Open) -> None:
    page = open_page(data_of(*hostile()), fragment="#octo-lab/constructor")
    page.click("All")
    assert page.page.title() == "Traffic of octo-lab/constructor"
    shown = page.page.locator(".top-list bdi").all_inner_texts()
    visible = [re.sub("[\u202e\u2028]", "\ufffd", text) for text in HOSTILE]
    assert set(visible) <= set(shown)
    assert (
        page.page.locator(
            "#app :is(img, script, iframe, object, form, b b, [onload], [onerror], [style*=url], a[href^=javascript])"
        ).count()
        == 0
    )
    page.page.go_back()


def test_a_fleet_shows_sums_of_counts_and_no_sum_of_uniques(open_page: Open) -> None:
    samples = fleet(25, 60)
    page = open_page(data_of(*samples))
    page.click("All")
    page.click("Days")
    head, *days = page.rows("Views of all repositories")
    assert head == ["day", "views", "what is known"]
    daily = [row for sample in samples for row in rows_of(sample).daily]
    expected = {
        str(day): sum(int(row["views"] or 0) for row in daily if row["day"] == str(day))
        for day in (LAST - timedelta(days=n) for n in range(60))
    }
    assert {day: number(views) for day, views, _ in days} == expected
    assert "5 private repositories are named on this page" in page.page.locator("header").inner_text()


def test_a_fleet_is_sorted_filtered_and_entered_by_name(open_page: Open) -> None:
    samples = fleet(25, 60)
    page = open_page(data_of(*samples))
    table = page.page.get_by_role("region", name="Table of the repositories")
    table.get_by_role("button", name="repository").click()
    names = table.locator("tbody a").all_inner_texts()
    assert names == sorted((sample.name for sample in samples), key=str.lower)
    page.page.get_by_role("searchbox").fill("NORTHWIND/")
    assert all(name.startswith("northwind/") for name in table.locator("tbody a").all_inner_texts())
    first = table.locator("tbody a").first
    name = first.inner_text()
    first.click()
    page.page.get_by_role("link", name="← All repositories").wait_for()
    assert page.page.title() == f"Traffic of {name}"
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.page.go_back()
    page.page.get_by_role("searchbox").wait_for()


@pytest.mark.parametrize("is_old", [False, True])
def test_days_that_all_repositories_lost_are_marked_in_their_sum(open_page: Open, is_old: bool) -> None:
    """A day that only one repository lost is not marked: it has the sum of the others."""
    monday = LAST - timedelta(days=LAST.weekday() + (427 if is_old else 28))
    week = frozenset(monday + timedelta(days=n) for n in range(7))
    samples = [
        Sample(days=500, repository_id=n, name=f"octo-lab/r{n}", lost=week | {LAST - timedelta(days=9 + n)})
        for n in (1, 2)
    ]
    page = open_page(limited(data_of(*samples)) if is_old else data_of(*samples))
    page.click("All")
    page.click("Weeks" if is_old else "Days")
    chart = page.section("Views of all repositories")
    assert chart.locator(".plot svg .lostband").count() == 1
    assert "lost: unknown" in chart.inner_text()
    _, *rows = page.rows("Views of all repositories")
    unknown = [day for day, views, _ in rows if number(views) is None]
    assert unknown == ([str(min(week))] if is_old else sorted(map(str, week), reverse=True))


def test_stars_of_all_are_gained_from_0_by_new_ones_and_unknown_if_most_were_not_seen(open_page: Open) -> None:
    """The gain over 14 of 60 observed days is known; over longer times only if the repositories are younger."""
    for created, expected in ((None, "unknown"), (60, "+238")):
        found = [rows_of(Sample(days=60, repository_id=n, name=f"octo-lab/r{n}")) for n in (1, 2)]
        day = str(LAST - timedelta(days=created or 1000))
        rows = [replace(row, catalogue={**row.catalogue, "created": day}) for row in found]
        card = open_page(build_data(rows)).page.locator(".card").last.inner_text()
        facts = [line.strip() for line in card.splitlines() if line.strip()]
        shown = {facts[at]: facts[at + 1] for at in range(len(facts) - 1)}
        assert shown["14 days"] == "+8"
        assert shown["90 days"] == shown["12 months"] == expected


def test_a_former_name_leads_to_the_repository(open_page: Open) -> None:
    renamed = Sample(days=60, renamed=("octo-lab/before", LAST - timedelta(days=9)))
    page = open_page(data_of(renamed, Sample(repository_id=2, name="octo-lab/other")), fragment="#octo-lab/before")
    assert page.page.title() == "Traffic of octo-lab/lighthouse"
    assert "Formerly octo-lab/before (to 15 Nov 2026)" in page.page.locator("header").inner_text()


def test_two_repositories_of_one_name_have_a_page_each(open_page: Open) -> None:
    old = Sample(days=20, last=LAST - timedelta(days=30), views=1000)
    page = open_page(data_of(old, Sample(repository_id=2, days=20)))
    links = page.page.locator(".repositories tbody a").evaluate_all(
        "links => links.map((link) => link.getAttribute('href'))"
    )
    assert sorted(links) == ["#octo-lab/lighthouse", "#octo-lab/lighthouse;1"]


def test_a_damaged_line_is_reported_and_the_others_are_shown(open_page: Open) -> None:
    html = write_page(data_of(SAMPLE, Sample(repository_id=2, name="octo-lab/other"))).replace(
        b'"states"', b'"stat"', 1
    )
    assert "1 repository could not be read" in open_page(html=html).page.locator(".notice").first.inner_text()


def test_the_csv_of_a_chart_equals_its_table(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE))
    page.click("All")
    with page.page.expect_download() as download:
        page.rows("Views")
        page.section("Views").get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "octo-lab-lighthouse-views.csv"
    lines = download.value.path().read_text().splitlines()
    cells = [[("" if cell == "\u2013" else cell.replace(",", "")) for cell in row] for row in page.rows("Views")]
    assert [line.split(",") for line in lines] == cells


def test_no_cell_of_a_csv_is_a_formula(open_page: Open) -> None:
    page = open_page(data_of(*hostile()), fragment="#octo-lab/constructor")
    with page.page.expect_download() as download:
        page.section("Referrers").get_by_role("button", name="Save as CSV").click()
    text = download.value.path().read_text()
    assert "'=HYPERLINK" in text
    assert not re.search(r'(^|,)"?[=+@-]', text, re.MULTILINE)


MUTANTS: dict[str, tuple[str, str, Callable[[Opened], None]]] = {
    "uniques summed": (
        "if (count === null || !known) return;",
        "bucket.view_uniques = (bucket.view_uniques ?? 0) + 1; if (count === null || !known) return;",
        lambda page: check_weeks(page, MIXED),
    ),
    "uniques in the table of weeks": (
        "const withUniques = isDay && ",
        "const withUniques = ",
        lambda page: check_weeks(page, MIXED),
    ),
    "lost is 0": (
        "views: days.views,",
        "views: days.views.map((views) => views ?? 0),",
        lambda page: check_days(page, MIXED),
    ),
    "lost is not marked": ('!== "L") continue;', '!== "X") continue;', lambda page: check_lost_days(page, 1)),
    "weeks begin on Sunday": ("(((day + 3) % 7)", "(((day + 4) % 7)", lambda page: check_weeks(page, MIXED)),
    "the newest week is complete": (
        "if (end > traffic.end || states.P) ",
        "if (end > Infinity) ",
        check_unfinished_weeks,
    ),
    "a day off by one": (
        "const at = day - traffic.start;",
        "const at = day - traffic.start - 1;",
        lambda page: check_days(page, MIXED),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_page_with_a_defect_fails_the_checks(open_page: Open, name: str) -> None:
    old, new, check = MUTANTS[name]
    html = write_page(data_of(MIXED))
    check(open_page(html=html))
    with pytest.raises(AssertionError):
        check(open_page(html=mutate(html, old, new)))


def test_the_page_of_a_run_equals_the_page_of_all_rows() -> None:
    data = build_data([rows_of(SAMPLE.until(LAST - timedelta(days=9)))])
    since = (LAST - timedelta(days=27)).replace(day=1)
    assert write_page(merge_data(data, [rows_of(SAMPLE, since)])) == write_page(data_of(SAMPLE))


def test_numbers_of_the_export_are_cells_of_the_page() -> None:
    assert cells_of(
        {"day": "2026-01-01", "views": "", "view_uniques": "0", "state": "lost"}, "views", "view_uniques"
    ) == [None, 0, "lost"]
