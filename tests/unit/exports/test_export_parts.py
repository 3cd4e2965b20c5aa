"""Merging of some repositories' rows into a shared file."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.exports.csvfile import UnreadableError, parse, render, render_rows
from ghtraffic_action.exports.layout import (
    ARTICLE_PATHS,
    REPOSITORIES,
    month_key,
    table_of,
)
from ghtraffic_action.exports.parts import Part, changed_repositories, merge, render_parts, repository_ids
from tests.support.exports import DAILY, NAME

HEADER = table_of(DAILY).columns
PATHS = month_key("paths", "2026-11")


def daily_row(repository_id: int, day: str, views: str = "1") -> tuple[str, ...]:
    return (NAME, str(repository_id), day, views, *[""] * (len(HEADER) - 4))


def part(*rows: tuple[str, ...], since: str = "") -> Part:
    return Part(render_rows(rows), since)


def rows_in(content: bytes) -> tuple[tuple[str, ...], ...]:
    return tuple(parse(DAILY, content).rows)


def test_rows_of_other_repositories_stay() -> None:
    """A run replaces only the rows of its own repositories."""
    old = render(HEADER, [daily_row(i, "2026-11-01") for i in (7, 8)])
    content = merge(DAILY, old, {7: part(daily_row(7, "2026-11-01", "9"), daily_row(7, "2026-11-02"))})
    assert rows_in(content) == (
        daily_row(7, "2026-11-01", "9"),
        daily_row(8, "2026-11-01"),
        daily_row(7, "2026-11-02"),
    )


def test_rows_of_before_a_part_begins_stay() -> None:
    """A part replaces and removes its repository's rows from its first day on."""
    old = render(HEADER, [daily_row(7, f"2026-11-0{day}", "5") for day in range(1, 6)])
    content = merge(DAILY, old, {7: part(daily_row(7, "2026-11-04"), since="2026-11-03")})
    assert [row[2:4] for row in rows_in(content)] == [("2026-11-01", "5"), ("2026-11-02", "5"), ("2026-11-04", "1")]


def test_a_part_has_the_rows_from_its_first_day_on() -> None:
    """Only rows from the first possibly new day on are rendered."""
    november = (daily_row(7, "2026-11-01"), daily_row(7, "2026-11-02"))
    december = (daily_row(7, "2026-12-01"),)
    later = month_key("daily", "2026-12")
    rows = {DAILY: november, later: december, REPOSITORIES: (("7", NAME),)}
    for since, expected in {
        "": {DAILY: part(*november), later: part(*december)},
        "2026-11-02": {DAILY: part(november[1], since="2026-11-02"), later: part(*december, since="2026-11-02")},
        "2026-11-03": {DAILY: part(since="2026-11-03"), later: part(*december, since="2026-11-03")},
        "2026-12-01": {later: part(*december, since="2026-12-01")},
    }.items():
        found = render_parts(rows, {DAILY: since, later: since, REPOSITORIES: ""}.__getitem__)
        assert found == expected | {REPOSITORIES: part(("7", NAME))}


def test_rows_are_sorted_by_day_and_number() -> None:
    """Days in order, below one day the ids as numbers: the same history gives the same bytes in any order."""
    parts = {i: part(*(daily_row(i, day) for day in ("2026-11-01", "2026-11-02", "2026-11-10"))) for i in (10, 9, 100)}
    content = merge(DAILY, None, parts)
    assert [(row[2], row[1]) for row in rows_in(content)[:4]] == [
        ("2026-11-01", "9"),
        ("2026-11-01", "10"),
        ("2026-11-01", "100"),
        ("2026-11-02", "9"),
    ]
    assert merge(DAILY, None, dict(sorted(parts.items()))) == content
    assert merge(DAILY, render(HEADER, ()), parts) == content


CELLS = st.sampled_from(["", "a", "a,b", 'say "hi"', "ünï", "🗼,", "x" * 50])
RECORDS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9), CELLS, CELLS), max_size=20)


@given(RECORDS, RECORDS, st.integers(1, 9))
def test_lines_are_merged_as_rows_are(
    old: list[tuple[int, int, str, str]], new: list[tuple[int, int, str, str]], since: int
) -> None:
    """Merging by line gives the same bytes as parsing and merging by row."""

    def rows(records: Iterable[tuple[int, int, str, str]]) -> list[tuple[str, ...]]:
        return [(NAME, str(i), f"2026-11-{day:02}", path, title, "3", "1") for day, i, path, title in records]

    own = sorted((day, i, path, title) for i, day, path, title in old)
    ours: dict[int, Part] = {}
    for i in {record[0] for record in new}:
        mine = sorted((day, number, path, title) for number, day, path, title in new if number == i and day >= since)
        ours[i] = part(*rows(mine), since=f"2026-11-{since:02}")
    columns = table_of(PATHS).columns
    lines = render(columns, rows(own))
    other_form = render(columns, rows(own)).replace(b"\r\n", b"\n")
    assert merge(PATHS, lines, ours) == merge(PATHS, other_form, ours)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:-1],
        lambda lines: lines.replace(b",1,", b",1,,", 1),
        lambda lines: lines.replace(b"2026-11-02", b"2026-11-31", 1),
        lambda lines: lines.replace(b",8,", b",eight,", 1),
        lambda lines: lines.replace(b",8,", b',"8,', 1),
        lambda lines: lines.replace(b"octo", b"\xff", 1),
        lambda lines: lines + b"octo-lab/buoy\r\n",
    ],
)
def test_a_damaged_line_is_never_passed_through(damage: Callable[[bytes], bytes]) -> None:
    """A file in our own form has the same checks on every line as any other file."""
    lines = render(HEADER, [daily_row(i, f"2026-11-0{day}") for day in (1, 2) for i in (7, 8)])
    damaged = damage(lines)
    assert damaged != lines
    if damaged == lines[:-1]:
        assert merge(DAILY, damaged, {}) == lines  # as a file that somebody edited
        return
    with pytest.raises(UnreadableError):
        merge(DAILY, damaged, {7: part(daily_row(7, "2026-11-01"))})


def test_unknown_columns_are_kept() -> None:
    """Columns that a newer version added stay where they are, with their values, on rows that are replaced too."""
    header = ("bots", *HEADER, "note")
    old = render(header, [("3", *daily_row(7, "2026-11-01"), "n"), ("4", *daily_row(8, "2026-11-01"), "m")])
    content = merge(DAILY, old, {7: part(daily_row(7, "2026-11-01", "9"), daily_row(7, "2026-11-02"))})
    assert parse(DAILY, content).header == header
    assert rows_in(content) == (
        ("3", *daily_row(7, "2026-11-01", "9"), "n"),
        ("4", *daily_row(8, "2026-11-01"), "m"),
        ("", *daily_row(7, "2026-11-02"), ""),
    )


def test_missing_columns_are_empty() -> None:
    """A file of an older version gets the missing columns at its end, empty in other rows."""
    old = b"repository,repository_id,day,views\r\nocto-lab/lighthouse,8,2026-11-01,5\r\n"
    content = merge(DAILY, old, {7: part(daily_row(7, "2026-11-01", "9"))})
    assert content.decode().splitlines()[0] == ",".join(HEADER)
    assert rows_in(content) == (daily_row(7, "2026-11-01", "9"), daily_row(8, "2026-11-01", "5"))


def test_a_file_that_somebody_edited_is_read() -> None:
    """A byte-order mark, LF, other quotes and another order of columns and rows are accepted and normalised."""
    edited = '\ufeffday,repository_id,"repository",views\n2026-11-02,8,x/y,5\n"2026-11-01",8,x/y,4\n'.encode()
    content = merge(DAILY, edited, {})
    assert content.startswith(b"day,repository_id,repository,views,view_uniques,")
    assert content.splitlines()[1].startswith(b"2026-11-01,8,x/y,4,")
    assert content.count(b"\r\n") == content.count(b"\n") == 3


def test_only_differing_repositories_are_asked_for_again() -> None:
    """Rows in another order do not differ; repositories that the file lacks are ignored."""
    theirs = render(HEADER, [daily_row(i, f"2026-11-0{d}") for i in (7, 8, 10) for d in (2, 1)])
    same = part(daily_row(7, "2026-11-01"), daily_row(7, "2026-11-02"))
    other = part(daily_row(8, "2026-11-01"), daily_row(8, "2026-11-02", "5"))
    late = part(daily_row(10, "2026-11-02"), since="2026-11-02")
    ours = {7: same, 8: other, 9: part(daily_row(9, "2026-11-01")), 10: late}
    assert changed_repositories(DAILY, theirs, ours) == {8}
    assert changed_repositories(ARTICLE_PATHS, b"path,views\r\n", {7: part()}) == {7}
    assert repository_ids(DAILY, theirs) == {7, 8, 10}
