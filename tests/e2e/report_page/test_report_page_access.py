"""The report page by keyboard, screen reader, phone and printer, and without scripts."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.page.writer import write_page
from tests.support.aws import Aws
from tests.support.browser import Opened
from tests.support.page_samples import LAST, Sample, data_of, fleet, hostile, long_history, rows_of
from tests.support.programs import require

Open = Callable[..., Opened]

ROOT = Path(__file__).parents[3]
AXE = ROOT / "tests/page/node_modules/axe-core/axe.min.js"
SAMPLE = Sample(days=120, lost=frozenset({LAST - timedelta(days=40)}), imported_days=20)
LOST = Sample(days=30, lost=frozenset(LAST - timedelta(days=n) for n in range(30)))
SAMPLES: dict[str, list[Sample]] = {
    "nothing": [],
    "one day": [Sample(days=1)],
    "one": [SAMPLE],
    "ten years": [long_history()],
    "imported": [replace(SAMPLE, unobserved=True)],
    "all lost": [LOST],
    "fleet": fleet(25, 60),
    "hostile": hostile(),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", SAMPLES)
def test_axe_finds_nothing(open_page: Open, name: str, width: int, scheme: str) -> None:
    require(AXE.exists(), "npm ci in tests/page has not been run")
    page = open_page(data_of(*SAMPLES[name]), viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    page.page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]] == []


@pytest.mark.parametrize("name", ["one", "ten years", "all lost", "fleet", "hostile"])
def test_a_page_of_320_pixels_does_not_scroll_sideways(open_page: Open, name: str) -> None:
    page = open_page(data_of(*SAMPLES[name]), viewport={"width": 320, "height": 700})
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_whole_names_and_each_column_of_the_repositories(open_page: Open, width: int) -> None:
    """Names wrap and the main columns fit; wider screens also show bars and the other numbers."""
    page = open_page(data_of(*SAMPLES["fleet"]), viewport={"width": width, "height": 700})
    assert page.evaluate(
        "[...document.querySelectorAll('.repositories, .repositories th')].every(n => n.scrollWidth <= n.clientWidth)"
    )


@pytest.mark.parametrize(("name", "most_pages"), [("one", 3), ("ten years", 3), ("fleet", 4)])
def test_a_page_is_printed_light_and_without_a_bitmap(open_page: Open, name: str, most_pages: int) -> None:
    page = open_page(data_of(*SAMPLES[name]), color_scheme="dark")
    paper = page.page.pdf(format="A4", print_background=True)
    assert b"/Subtype /Image" not in paper
    assert 1 <= len(re.findall(rb"/Type /Page\b", paper)) <= most_pages
    page.page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.page.get_by_role("button", name="Auto").count() == 0, "tools are not printed"
    page.page.set_viewport_size({"width": 720, "height": 1000})  # what A4 leaves between its margins
    assert (
        page.evaluate(
            "[...document.querySelectorAll('.top-list thead th')].filter(n => n.scrollWidth > n.clientWidth).length"
        )
        == 0
    )


def test_without_scripts_the_numbers_are_a_table(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE), java_script_enabled=False)
    row = page.page.locator("tbody tr")
    newest = rows_of(SAMPLE).catalogue
    cells = [
        f"{int(newest[column]):,}" for column in ("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d")
    ]
    assert row.inner_text().split()[:5] == ["octo-lab/lighthouse", *cells]


def test_a_sandboxed_frame_shows_the_page(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(write_page(data_of(SAMPLE)))
    outer = tmp_path / "outer.html"
    outer.write_text('<!doctype html><title>Outer</title><iframe sandbox="allow-scripts" src="report.html"></iframe>')
    page = browser.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(outer.as_uri())
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Days that stand out").wait_for()
    frame.get_by_role("button", name="Dark").click()
    assert frame.locator("html").get_attribute("data-theme") == "dark"
    page.close()
    assert problems == []


def test_a_presigned_address_opens_the_page(browser: Browser, aws: Aws) -> None:
    """The page is shown, not downloaded; links within it and a reload keep the signature."""
    with closing(open_destination(aws.export_to)) as destination:
        destination.write(
            "report.html", write_page(data_of(SAMPLE, Sample(repository_id=2, name="octo-lab/other"))), None
        )
    place = {"Bucket": aws.bucket, "Key": "traffic/report.html"}
    signed = aws.s3.generate_presigned_url("get_object", Params=place, ExpiresIn=43200)
    page = browser.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(signed)
    page.get_by_role("link", name="octo-lab/other").first.click()
    page.get_by_role("link", name="← All repositories").wait_for()
    page.reload()
    page.get_by_role("link", name="← All repositories").wait_for()
    assert page.url == f"{signed}#octo-lab/other"
    assert [address.partition("#")[0] for address in requested] == [signed, signed]
    page.close()


def test_the_arrow_keys_read_each_day_of_a_chart(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE))
    plot = page.section("Views").get_by_role("slider")
    plot.focus()
    texts = []
    for key in ("End", "ArrowLeft", "Home"):
        plot.press(key)
        texts.append(plot.get_attribute("aria-valuetext") or "")
    newest, before, _ = (rows_of(SAMPLE).daily[at] for at in (-1, -2, 0))
    assert texts[0].startswith("Wed, 25 Nov 2026, ")
    assert f"{int(newest['views']):,} views" in texts[0]
    assert f"{int(newest['view_uniques']):,} unique visitors" in texts[0]
    assert "provisional: may still grow" in texts[0]
    assert texts[1].startswith("Tue, 24 Nov 2026, ")
    assert f"{int(before['views']):,} views" in texts[1]
    assert texts[2].startswith("Fri, 28 Aug 2026, ")
    assert page.section("Views").locator(".tip").inner_text().startswith("Fri, 28 Aug 2026")
    plot.press("Escape")
    assert page.section("Views").locator(".tip").is_hidden()


def test_a_lost_day_is_read_as_unknown(open_page: Open) -> None:
    page = open_page(data_of(LOST))
    text = page.section("Views").get_by_role("slider").get_attribute("aria-valuetext") or ""
    assert "views unknown, lost: no run saw it in time: unknown, not zero" in text


def test_the_range_is_moved_by_keys(open_page: Open) -> None:
    page = open_page(data_of(long_history(800)))
    begin = page.page.get_by_role("slider", name="Begin of the range")
    begin.press("PageUp")
    assert begin.get_attribute("aria-valuetext") == "19 Nov 2026", "a range has seven days at least"
    begin.press("Home")
    assert page.page.get_by_label("From").input_value() == str(LAST - timedelta(days=799))
    page.page.get_by_role("slider", name="End of the range").press("PageDown")
    assert page.page.get_by_label("To", exact=True).input_value() == str(LAST - timedelta(days=91))
    plot = page.section("Views").get_by_role("slider")
    plot.press("+")
    assert page.page.get_by_label("From").input_value() > str(LAST - timedelta(days=799))


def test_all_is_reached_by_tab_in_the_order_of_the_page(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE))
    seen = []
    for _ in range(60):
        page.page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
            )
        )
    order = ["Skip to the numbers", "Auto", "90 d", "From", "To", "Weeks", "Log", "Begin of the range"]
    order += ["Views: arrow keys move along the time", "The same in numbers", "Clones: arrow keys move along the time"]
    places = [seen.index(name) for name in order]
    assert places == sorted(places)


def test_a_table_is_opened_sorted_and_left_by_keys(open_page: Open) -> None:
    page = open_page(data_of(*fleet(25, 60)))
    button = page.page.get_by_role("button", name="clones", exact=True)
    button.press("Enter")
    head = page.page.get_by_role("columnheader", name="clones", exact=True)
    assert head.get_attribute("aria-sort") == "descending"
    button.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    page.section("Views of all repositories").locator("summary").press("Enter")
    page.section("Views of all repositories").get_by_role("table").wait_for()


def test_a_repository_is_found_entered_and_left_by_keys(open_page: Open) -> None:
    """Typing filters, Tab reaches the remaining link, Enter opens it, and a link leads back."""
    samples = fleet(25, 60)
    page = open_page(data_of(*samples))
    keyboard = page.page.keyboard
    page.page.get_by_role("searchbox").focus()
    keyboard.type(samples[3].name)
    link = page.page.locator(".repositories tbody a")
    for _ in range(20):
        keyboard.press("Tab")
        if link.evaluate("node => node === document.activeElement"):
            break
    keyboard.press("Enter")
    back = page.page.get_by_role("link", name="\u2190 All repositories")
    back.wait_for()
    assert page.page.title() == f"Traffic of {samples[3].name}"
    back.focus()
    keyboard.press("Enter")
    page.page.get_by_role("searchbox").wait_for()


def test_a_range_is_drawn_with_the_mouse(open_page: Open) -> None:
    page = open_page(data_of(long_history(800)))
    plot = page.section("Views").locator(".plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.page.mouse.move(box["x"] + 300, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 500, box["y"] + 60, steps=4)
    page.page.mouse.up()
    begin, end = page.page.get_by_label("From").input_value(), page.page.get_by_label("To", exact=True).input_value()
    assert str(LAST - timedelta(days=89)) < begin < end < str(LAST)
    plot.dblclick(position={"x": 300, "y": 60})
    assert page.page.get_by_label("From").input_value() == str(LAST - timedelta(days=799))


def test_the_window_of_the_overview_is_dragged(open_page: Open) -> None:
    page = open_page(data_of(long_history(800)))
    box = page.page.locator(".window").bounding_box()
    assert box
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] - 200, box["y"] + 10, steps=4)
    page.page.mouse.up()
    begin, end = page.page.get_by_label("From").input_value(), page.page.get_by_label("To", exact=True).input_value()
    assert end < str(LAST - timedelta(days=30))
    assert begin < end


def test_colours_are_chosen_and_remembered(open_page: Open) -> None:
    page = open_page(data_of(SAMPLE), color_scheme="light")
    grounds = []
    for name in ("Light", "Dark"):
        page.click(name)
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert len(set(grounds)) == 2
    page.page.reload()
    assert page.page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_graphics_stand_out_from_the_panel(open_page: Open, scheme: str) -> None:
    page = open_page(data_of(SAMPLE), color_scheme=scheme)
    colours = [
        "views",
        "view-uniques",
        "clones",
        "clone-uniques",
        "stars",
        "forks",
        "lost",
        "soft",
        "ink",
        "up",
        "down",
    ]
    ratios = {name: page.page.evaluate(CONTRAST, name) for name in colours}
    text = ("soft", "ink", "up", "down")
    assert {name: ratio for name, ratio in ratios.items() if ratio < (4.5 if name in text else 3)} == {}


CONTRAST = """
(name) => {
  const probe = document.body.appendChild(document.createElement("span"));
  const luminance = (variable) => {
    probe.style.color = `var(--${variable})`;
    const channels = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2];
  };
  const [low, high] = [luminance(name), luminance("panel")].sort((a, b) => a - b);
  probe.remove();
  return (high + 0.05) / (low + 0.05);
}
"""
