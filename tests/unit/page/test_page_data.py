"""The page's data: a line per repository, merged run by run."""

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from ghtraffic_action.page.data import StaleLineError, build_data, merge_data, read_heads, select_lines
from ghtraffic_action.page.line import LEVELS, Line, RepositoryRows, limit_line, merge_rows, render_line
from tests.support.page_samples import LAST, Sample, data_of, fleet, hostile, long_history, rows_of

CHANGING = replace(
    Sample(days=150),
    lost=frozenset({date(2026, 9, 5), date(2026, 9, 6)}),
    releases=(("v1", date(2026, 8, 2)), ("v2", date(2026, 10, 29))),
    starred=((date(2019, 12, 31), 3), (date(2026, 8, 2), 1), (date(2026, 11, 1), 2)),
    downloads_since=date(2026, 9, 9),
    renamed=("octo-lab/old-lighthouse", date(2026, 9, 20)),
    runs_since=date(2026, 10, 8),
)

HISTORY = long_history(2100)
EVENTFUL = replace(long_history(1000), lost=frozenset({date(2024, 5, 5)}), renamed=None, runs_since=date(2025, 1, 5))


def run_since(day: date) -> date:
    """Return the first day that a run writes after an export of `day`."""
    return (day - timedelta(days=18)).replace(day=1)


def body_of(data: bytes) -> dict[str, Any]:
    """Return the body of the first line."""
    body: dict[str, Any] = json.loads(data.splitlines()[0])[1]
    return body


@cache
def line_of(sample: Sample) -> Line:
    """Return a sample's line with all detail."""
    line = merge_rows(None, rows_of(sample))
    assert line
    return line


@cache
def rows_by_run() -> list[RepositoryRows]:
    """Return the rows of EVENTFUL as written by runs 69 days apart."""
    days = [LAST - timedelta(days=ago) for ago in range(690, -1, -69)]
    since = [None, *map(run_since, days)]
    return [rows_of(EVENTFUL.until(day), first) for day, first in zip(days, since, strict=False)]


@pytest.mark.e2e
@pytest.mark.parametrize("interval", [1, 13])
def test_data_built_run_by_run_equals_data_built_at_once(interval: int) -> None:
    data, before = b"", None
    other = data_of(Sample(repository_id=2, name="octo-lab/other"))
    for ago in range(130 // interval * interval, -1, -interval):
        sample = CHANGING.until(LAST - timedelta(days=ago))
        data = merge_data(data or other, [rows_of(sample, run_since(before) if before else None)])
        before = sample.last
    assert data == build_data([rows_of(Sample(repository_id=2, name="octo-lab/other")), rows_of(CHANGING)])


@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_a_level_applied_at_each_run_equals_the_level_applied_at_once(level: int) -> None:
    line = None
    for rows in rows_by_run():
        line = merge_rows(line, rows)
        assert line
        line = limit_line(line, level)
    assert line
    assert render_line(line) == render_line(limit_line(line_of(EVENTFUL), level))


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (2, 4), (3, 4), (0, 4)])
def test_a_level_can_be_computed_from_a_finer_one(first: int, second: int) -> None:
    line = line_of(HISTORY)
    assert render_line(limit_line(limit_line(line, first), second)) == render_line(limit_line(line, second))


def test_a_second_run_with_equal_rows_changes_no_byte() -> None:
    data = data_of(CHANGING)
    assert merge_data(data, [rows_of(CHANGING, run_since(LAST))]) == data


def test_other_repositories_pass_through_and_lines_are_sorted_by_id() -> None:
    data = data_of(*(Sample(repository_id=number, name=f"octo-lab/r{number}", days=20) for number in (30, 4)))
    merged = merge_data(data, [rows_of(Sample(repository_id=11, name="octo-lab/r11", days=20))])
    assert list(read_heads(merged)) == [4, 11, 30]
    assert set(data.splitlines()) < set(merged.splitlines())


def test_an_empty_cell_is_unknown_and_zero_is_zero() -> None:
    row = {
        "repository": "o/r",
        "repository_id": "1",
        "state": "complete",
        "views": "0",
        "clones": "",
        "view_uniques": "0",
    }
    catalogue = {"repository": "o/r", "repository_id": "1"}
    rows = RepositoryRows(catalogue, [row | {"day": "2026-01-01"}, row | {"day": "2026-01-04", "views": "7"}])
    days = body_of(build_data([rows]))["days"]
    assert days["views"] == [0, None, None, 7]
    assert days["clones"] == [None] * 4
    assert days["states"] == "1C2U1C", "days without a row are unknown"


def test_columns_that_an_older_export_does_not_have_are_unknown() -> None:
    missing = ("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d", "private", "archived", "created")
    data = data_of(Sample(days=20, missing=missing))
    head = read_heads(data)[1]
    assert (head.private, head.created, head.newest[:4]) == (None, "", (None,) * 4)
    assert body_of(data)["series"]["stars"], "stars are known"


def test_columns_that_this_version_does_not_know_change_nothing() -> None:
    rows = rows_of(Sample(days=20))
    wider = replace(rows, daily=[{**row, "moons": "3"} for row in rows.daily])
    assert build_data([wider]) == build_data([rows])


def test_sums_before_the_days_add_up_to_weeks_and_months() -> None:
    days = limit_line(line_of(HISTORY), len(LEVELS) - 1).days
    assert days.sums
    rows = {row["day"]: row for row in rows_of(HISTORY).daily}
    begin = date(1970, 1, 1) + timedelta(days=days.sums.begin)
    expected = [
        int(rows[str(day)]["views"] or 0)
        for day in (begin + timedelta(days=n) for n in range(days.start - days.sums.begin))
    ]
    assert sum(days.sums.counts["views"]) == sum(expected)
    assert (days.start + 3) % 7 == 0, "the days begin on a Monday"
    assert sum(map("abcdefgh".index, days.sums.tallies["L"])) == 14


def test_no_sum_of_uniques_is_stored() -> None:
    body = json.loads(render_line(limit_line(line_of(HISTORY), len(LEVELS) - 1)))[1]
    assert not [key for key in body["days"]["sums"] if "unique" in key]


@pytest.mark.e2e
def test_a_fleet_keeps_less_detail_than_one_repository() -> None:
    cell = {"views": "1", "clones": "1", "state": "complete"}

    def rows(repository_id: int, days: int) -> RepositoryRows:
        place = {"repository": f"o/{repository_id}", "repository_id": str(repository_id)}
        first = LAST - timedelta(days=days - 1)
        return RepositoryRows(place, [place | cell | {"day": str(first + timedelta(days=n))} for n in range(days)])

    few = build_data(rows(number, 3650) for number in range(10))
    many = build_data(rows(number, 3650) for number in range(11))
    assert {head.level for head in read_heads(few).values()} == {0}
    assert {head.level for head in read_heads(many).values()} == {1}
    assert merge_data(few, [rows(10, 3650)]) == many, "a level that rises writes all lines again"


def test_a_path_stays_the_same_page_after_a_rename() -> None:
    names = body_of(data_of(CHANGING))["paths"]["names"]
    paths = {path for path, _ in names}
    assert "/issues" in paths
    assert not [path for path in paths if "lighthouse" in path]


def test_a_path_of_a_repository_with_a_longer_name_is_kept_whole() -> None:
    rows = rows_of(Sample(days=1))
    longer = replace(rows, paths=[{**rows.paths[0], "path": "/octo-lab/lighthouse-2/issues"}])
    assert body_of(build_data([longer]))["paths"]["names"][0][0] == "/octo-lab/lighthouse-2/issues"


def test_the_former_names_of_a_repository_are_kept() -> None:
    assert [name for _, name in body_of(data_of(CHANGING))["names"]] == [
        "octo-lab/old-lighthouse",
        "octo-lab/lighthouse",
    ]


def test_rows_that_do_not_continue_the_line_are_refused() -> None:
    old = data_of(CHANGING.until(date(2026, 8, 1)))
    unfinished = data_of(CHANGING.until(date(2026, 11, 14)))
    imported = data_of(replace(CHANGING, unobserved=True))
    for data in (old, unfinished, imported, b"", b"damaged\n"):
        with pytest.raises(StaleLineError) as raised:
            merge_data(data, [rows_of(CHANGING, date(2026, 11, 1))])
        assert raised.value.repository_id == 1


@pytest.mark.parametrize(
    "damage",
    [b'[{"format":2', b"[]", b"{}", b"[{}]", b"null", b"[[1],2]", b'["x",{}]', b"\xff\xfe", b"[" * 5_000 + b"]"],
)
def test_a_damaged_line_is_left_out_and_healed_by_all_rows(damage: bytes) -> None:
    data = data_of(Sample(days=20))
    damaged = damage + data[len(damage) :] if damage.startswith(b'[{"format"') else damage + b"\n"
    assert read_heads(damaged) == {}
    assert merge_data(damaged, [rows_of(Sample(days=20))]) == data


def test_a_line_that_is_cut_off_is_refused_as_a_base() -> None:
    cut = data_of(CHANGING)[:-300] + b"]\n"
    with pytest.raises(StaleLineError):
        merge_data(cut, [rows_of(CHANGING, run_since(LAST))])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository_id", "1"),
        ("name", 1),
        ("observed", "2026-13-01"),
        ("lost_days", "0"),
        ("begin", None),
        ("begin", 10**6),
        ("end", 0),
        ("level", len(LEVELS)),
        ("level", 0.0),
        ("newest", []),
        ("newest", ["0"] * 9),
    ],
)
def test_a_head_with_other_types_is_damaged(name: str, value: object) -> None:
    """A head decides what a run loads, so it is refused before anything is computed with it."""
    head, body = json.loads(data_of(Sample(days=20)))
    assert read_heads(json.dumps([head, body]).encode()) != {}
    assert read_heads(json.dumps([head | {name: value}, body]).encode()) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("days start", "1"),
        ("days views", [1]),
        ("days views 0", "1"),
        ("days states", "9C"),
        ("days states", 9),
        ("days sums begin", None),
        ("days sums views 0", None),
        ("days sums A", "2a"),
        ("names 0", [1, 2]),
        ("names 0", [-1, "octo-lab/lighthouse"]),
        ("series days 0", None),
        ("series stars", {}),
        ("series stars 0", "5"),
        ("referrers names 0", 5),
        ("referrers rows 0", [0, 1]),
        ("referrers rows 0 0", 99),
        ("paths names 0 1", [1]),
        ("paths rows", []),
        ("releases 0", [1]),
        ("held stars", [1]),
        ("held days 0", 10**30),
    ],
)
def test_a_body_with_other_types_is_refused_as_a_base(path: str, value: object) -> None:
    """A damaged line is made again from the whole history, however it is damaged."""
    rows, data = rows_of(CHANGING, run_since(LAST)), render_line(limit_line(line_of(CHANGING), 0))
    head, body = json.loads(data)
    tallies = dict.fromkeys(("views_unknown", "clones_unknown", "A", "I", "L"), "1b")
    body["days"]["sums"] = {"begin": head["begin"], "views": [1], "clones": [1], **tallies}
    merge_data(json.dumps([head, body]).encode(), [rows])
    *keys, last = (int(key) if key.isdigit() else key for key in path.split())
    place: Any = body
    for key in keys:
        place = place[key]
    place[last] = value
    with pytest.raises(StaleLineError):
        merge_data(json.dumps([head, body]).encode(), [rows])


def test_a_body_that_is_nested_too_deeply_is_refused_as_a_base() -> None:
    """It is damaged too."""
    data = render_line(line_of(CHANGING))
    nested = data[: data.index(b"}") + 1] + b"," + b"[" * 200_000 + b"]"
    assert read_heads(nested)
    with pytest.raises(StaleLineError):
        merge_data(nested, [rows_of(CHANGING, run_since(LAST))])


def test_public_lines_are_those_known_as_public() -> None:
    states = ("true", "false", "")
    samples = [
        Sample(repository_id=at, name=f"octo-lab/r{at}", days=9, private=state) for at, state in enumerate(states)
    ]
    data = data_of(*samples)
    assert list(read_heads(select_lines(data, public=True))) == [1]
    assert list(read_heads(select_lines(data, ["Octo-Lab/R2"]))) == [2]
    assert select_lines(data) == data


def test_data_may_stand_inside_a_script_element() -> None:
    data = data_of(*hostile())
    assert data.isascii()
    assert b"<" not in data
    assert data.count(b"\n") == 2


def test_a_repository_without_a_day_has_no_line() -> None:
    assert build_data([RepositoryRows({"repository": "o/r", "repository_id": "1"}, [])]) == b""


def test_the_day_of_a_release_is_that_of_its_newest_row() -> None:
    rows = rows_of(CHANGING, run_since(LAST))
    moved = replace(rows, releases=[{"tag": "v2", "published": "2026-11-02T08:00:00Z"}])
    releases = body_of(merge_data(data_of(CHANGING), [moved]))["releases"]
    assert [tag for _, tag in releases] == ["v1", "v2"]
    assert releases[1][0] == (date(2026, 11, 2) - date(1970, 1, 1)).days


def test_a_fleet_of_samples_has_a_line_each() -> None:
    assert len(read_heads(data_of(*fleet(12, 60)))) == 12


def test_workflow_runs_are_written_only_if_some_were_counted() -> None:
    """Lines without workflow runs have no column of nulls, like lines of an older version."""
    days = body_of(data_of(Sample()))["days"]
    assert "workflow_runs" not in days
    counted = body_of(data_of(Sample(runs_since=LAST - timedelta(days=3))))["days"]
    assert [count is None for count in counted["workflow_runs"]] == [*[True] * 56, *[False] * 3, True]
    assert {name: counted[name] for name in days} == days
    once = merge_data(
        data_of(Sample()), [rows_of(Sample(runs_since=LAST - timedelta(days=3)), LAST - timedelta(days=30))]
    )
    assert once == data_of(Sample(runs_since=LAST - timedelta(days=3)))
