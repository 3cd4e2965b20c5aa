"""Pictures and badges of one repository, drawn from its line."""

import json
import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from ghtraffic_action.page.badge import Badge, badges_of, draw_badge, short_number, write_endpoint
from ghtraffic_action.page.line import Line, limit_line, merge_rows
from ghtraffic_action.page.picture import DAYS, draw_chart
from tests.support.page_samples import HOSTILE, Sample, long_history, rows_of

SVG = "{http://www.w3.org/2000/svg}"
LOST = frozenset({date(2026, 10, 5), date(2026, 10, 6)})


def line_of(sample: Sample) -> Line:
    line = merge_rows(None, rows_of(sample))
    assert line
    return line


def parsed(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own file


@pytest.mark.parametrize("metric", ["views", "clones"])
def test_a_chart_has_a_title_the_numbers_and_a_bar_for_each_day_with_traffic(metric: str) -> None:
    line = line_of(replace(Sample(days=200), lost=LOST))
    svg = draw_chart(line, metric)
    root = parsed(svg)
    counts, states = line.days.numbers[metric][-DAYS:], line.days.states[-DAYS:]
    known = [count for count in counts if count is not None]
    title, description = (root.findtext(f"{SVG}{name}") or "" for name in ("title", "desc"))
    assert title == f"{metric.capitalize()} of octo-lab/lighthouse by day"
    days = f"{DAYS - 2} days from 2026-08-28 to 2026-11-25, 2 days lost"
    assert description.startswith(f"{sum(known):,} {metric} on {days}")
    drawn = {path.get("class"): (path.get("d") or "").count("V") // 2 for path in root.findall(f"{SVG}path")}
    assert drawn["open"] == sum(bool(n) for n, state in zip(counts, states, strict=True) if state == "P")
    assert drawn["count"] + drawn["open"] == sum(bool(count) for count in counts)
    assert svg.count(b"l") > 0
    assert b"prefers-color-scheme:dark" in svg


def test_a_chart_of_one_day_without_traffic_is_drawn() -> None:
    line = line_of(Sample(days=1))
    quiet = replace(line, days=replace(line.days, numbers={name: [0] for name in line.days.numbers}))
    assert "0 views on 1 days" in (parsed(draw_chart(quiet, "views")).findtext(f"{SVG}desc") or "")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup(name: str) -> None:
    """GitHub's names cannot have these characters, but a changed file can."""
    line = line_of(Sample(days=3))
    named = replace(line, head=replace(line.head, name=name))
    for svg in (draw_chart(named, "views"), draw_badge(Badge(name, name))):
        elements = {element.tag.removeprefix(SVG) for element in parsed(svg).iter()}
        assert elements <= {"svg", "title", "desc", "style", "defs", "pattern", "path", "rect", "text", "clipPath", "g"}


def test_badges_count_days_and_never_uniques() -> None:
    line = line_of(Sample(days=200))
    views = [count for count in line.days.numbers["views"] if count is not None]
    newest = line.head.newest
    assert badges_of(line) == {
        "stars": Badge("stars", f"{newest[4]:,}"),
        "views-14d": Badge("views", f"{newest[0]:,} in 14 days"),
        "views": Badge("views", f"{sum(views):,} since 2026-05"),
        "clones-14d": Badge("clones", f"{newest[2]:,} in 14 days"),
        "clones": Badge("clones", f"{sum(count or 0 for count in line.days.numbers['clones']):,} since 2026-05"),
    }


@pytest.mark.e2e
def test_badges_of_all_time_are_the_same_with_less_detail() -> None:
    line = line_of(long_history(2000))
    assert badges_of(limit_line(line, 4)) == badges_of(line)


def test_an_unknown_number_is_not_zero() -> None:
    line = line_of(Sample(days=3))
    unknown = replace(line, head=replace(line.head, newest=(None,) * 9))
    badges = badges_of(unknown)
    assert {badges[name].message for name in ("stars", "views-14d", "clones-14d")} == {"unknown"}


def test_an_endpoint_is_what_shields_reads() -> None:
    """The JSON has `schemaVersion` 1, a label, a message, and a cache time of at least 300 seconds."""
    written = json.loads(write_endpoint(Badge("views", "5 in 14 days")))
    assert written.pop("cacheSeconds") >= 300
    assert re.fullmatch(r"[0-9a-f]{6}", written.pop("color"))
    assert written == {"schemaVersion": 1, "label": "views", "message": "5 in 14 days"}


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (950, "950"), (1000, "1k"), (1250, "1.2k"), (34_900, "34k"), (5_000_000, "5M")]
)
def test_numbers_of_the_axis_are_short(number: int, text: str) -> None:
    assert short_number(number) == text
