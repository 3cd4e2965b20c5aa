"""What the exported files look like: columns, rows, bytes, and how foreign files are merged."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ghtraffic_action.exports.csvfile import UnreadableError, changed_repositories, merge, parse, render, sanitize_cell
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    LATEST_PATHS,
    LATEST_REFERRERS,
    REPOSITORIES,
    month_key,
    month_of,
    months,
    table_of,
)
from ghtraffic_action.exports.rows import CatalogueEntry, read_catalogue, render_history
from ghtraffic_action.traffic.model import (
    Day,
    History,
    Metadata,
    Snapshot,
    TopPath,
    Totals,
)
from tests.support.exports import DAILY, NAME, World, lighthouse, morning
from tests.support.fake_github import OLD, GeneratedTraffic

EXAMPLES = settings(max_examples=60, derandomize=True, database=None, deadline=None)
HEADERS = {
    DAILY: "repository,repository_id,day,views,view_uniques,clones,clone_uniques,state,"
    "stars,forks,watchers,open_issues,open_pull_requests,"
    "views_14d,view_uniques_14d,clones_14d,clone_uniques_14d",
    month_key("paths", "2026-11"): "repository,repository_id,observed,path,title,views,view_uniques",
    month_key("referrers", "2026-11"): "repository,repository_id,observed,referrer,views,view_uniques",
    LATEST_PATHS: "repository,repository_id,observed,path,title,views,view_uniques",
    LATEST_REFERRERS: "repository,repository_id,observed,referrer,views,view_uniques",
    REPOSITORIES: "repository_id,repository,views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,"
    "stars,forks,watchers,open_issues,open_pull_requests,archived,created,first_day,lost_days,observed,"
    "private,retired,final_lost_days",
    ARTICLE_DAYS: "timestamp,clones,views,stars,forks",
    ARTICLE_PATHS: "path,views",
}


@pytest.mark.parametrize(("key", "header"), HEADERS.items())
def test_the_columns_are_a_promise(key: str, header: str) -> None:
    """Readers rely on the columns and their order: they are appended to, never changed."""
    assert ",".join(table_of(key).columns) == header
    assert merge(key, None, (), lambda _: True) == header.encode() + b"\r\n"


def test_a_day_s_row() -> None:
    """A row has the name, id and day, the numbers, the state, and today's stars and so on on today alone."""
    at = morning(date(2026, 11, 23))
    history = History(
        7,
        None,
        (Day(date(2026, 11, 22), NAME, 12, 5, None, None), Day(date(2026, 11, 23), NAME, 1, 1, 2, 1)),
        (
            Snapshot(
                date(2026, 11, 23),
                NAME,
                metadata=Metadata(at, 5, 2, None, 1, 0, archived=False, created=date(2026, 11, 20), private=True),
                views=Totals(at, 13, 6),
                clones=Totals(at, 2, 1),
            ),
        ),
    )
    rows = [",".join(row) for row in render_history(history, None)[1][DAILY]]
    assert rows == [
        f"{NAME},7,2026-11-20,0,0,0,0,provisional,,,,,,,,,",
        f"{NAME},7,2026-11-21,0,0,0,0,provisional,,,,,,,,,",
        f"{NAME},7,2026-11-22,12,5,,,provisional,,,,,,,,,",
        f"{NAME},7,2026-11-23,1,1,2,1,provisional,5,2,,1,0,13,6,2,1",
    ]
    assert [",".join(row) for row in render_history(history, None)[1][REPOSITORIES]] == [
        f"7,{NAME},13,6,2,1,5,2,,1,0,false,2026-11-20,2026-11-20,0,2026-11-23,true,,0"
    ]


def test_a_file_is_utf_8_with_crlf_and_no_mark() -> None:
    """RFC 4180: CRLF after every row, quotes only where they are needed, no byte order mark."""
    content = render(("path", "title"), [("/a", "ünï"), ("/b", 'say "hi", all'), ("/c", "")])
    assert content == 'path,title\r\n/a,ünï\r\n/b,"say ""hi"", all"\r\n/c,\r\n'.encode()


@EXAMPLES
@given(st.lists(st.tuples(st.text(max_size=9).map(sanitize_cell), st.text(max_size=9).map(sanitize_cell)), max_size=5))
def test_outsiders_text_can_be_read_back(texts: list[tuple[str, str]]) -> None:
    """Whatever a path or title is, a CSV reader finds it whole, in one row, and no cell that begins a formula."""
    key = LATEST_PATHS
    rows = [(NAME, "7", "2026-11-23", path, title, "1", "1") for path, title in texts]
    content = merge(key, None, rows, lambda _: True)
    assert list(parse(key, content).rows) == rows
    assert content.count(b"\r\n") == content.count(b"\n") == len(rows) + 1
    assert not any(text.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for text in row)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\tx", "'x"),
        ("\r\n=1", "'=1"),
        ("\x00=1", "'=1"),
        ("a\tb\r\nc\x00\x1b[31m\x7f\x85d", "abc[31md"),
        ("a=b", "a=b"),
        ("/a-b+c@d", "/a-b+c@d"),
        ("'=1", "'=1"),
        ("Ünï 🗼", "Ünï 🗼"),
        ("a\ud800b", "ab"),
        ("", ""),
    ],
)
def test_outsiders_text_is_made_harmless(text: str, safe: str) -> None:
    """Control characters go, and what a spreadsheet would take for a formula gains an apostrophe."""
    assert sanitize_cell(text) == safe


def test_paths_titles_and_referrers_are_made_harmless(world: World) -> None:
    """All three texts that outsiders choose pass the guard, in the months' files as in the latest ones."""

    class Hostile(GeneratedTraffic):
        def referrers(self, now: datetime) -> tuple[tuple[str, int, int], ...]:
            return (("@evil\x1b", int(now.hour > 0), 1),)

    repository = lighthouse(traffic=Hostile({}, {}, form=OLD), paths=(TopPath("=path", "+title\n", 3, 2),))
    world.run(morning(date(2026, 11, 23)), repository)
    for key in (LATEST_PATHS, month_key("paths", "2026-11")):
        assert [(row["path"], row["title"]) for row in world.rows(key)] == [("'=path", "'+title")]
    for key in (LATEST_REFERRERS, month_key("referrers", "2026-11")):
        assert [row["referrer"] for row in world.rows(key)] == ["'@evil"]


def of(*ids: int) -> Callable[[dict[str, str]], bool]:
    return lambda record: int(record["repository_id"]) in ids


def daily_row(repository_id: int, day: str, views: str = "1") -> tuple[str, ...]:
    return (NAME, str(repository_id), day, views, *[""] * 13)


def test_rows_of_other_repositories_stay() -> None:
    """A run replaces the rows of its own repositories alone."""
    old = parse(DAILY, render(table_of(DAILY).columns, [daily_row(i, "2026-11-01") for i in (7, 8)]))
    content = merge(DAILY, old, [daily_row(7, "2026-11-01", "9"), daily_row(7, "2026-11-02")], of(7))
    assert parse(DAILY, content).rows == (
        daily_row(7, "2026-11-01", "9"),
        daily_row(8, "2026-11-01"),
        daily_row(7, "2026-11-02"),
    )


def test_rows_are_sorted_by_day_and_number() -> None:
    """Days in order, below one day the ids as numbers: the same history gives the same bytes in any order."""
    rows = [daily_row(i, day) for day in ("2026-11-02", "2026-11-10", "2026-11-01") for i in (10, 9, 100)]
    first, *others = (merge(DAILY, None, order, of()) for order in (rows, rows[::-1], sorted(rows)))
    assert [(row[2], row[1]) for row in parse(DAILY, first).rows[:4]] == [
        ("2026-11-01", "9"),
        ("2026-11-01", "10"),
        ("2026-11-01", "100"),
        ("2026-11-02", "9"),
    ]
    assert others == [first, first]


def test_unknown_columns_are_kept() -> None:
    """Columns that a newer version added stay where they are, with their values, on rows that are replaced too."""
    header = ("bots", *table_of(DAILY).columns, "note")
    old = parse(
        DAILY, render(header, [("3", *daily_row(7, "2026-11-01"), "n"), ("4", *daily_row(8, "2026-11-01"), "m")])
    )
    content = merge(DAILY, old, [daily_row(7, "2026-11-01", "9"), daily_row(7, "2026-11-02")], of(7))
    assert parse(DAILY, content).header == header
    assert parse(DAILY, content).rows == (
        ("3", *daily_row(7, "2026-11-01", "9"), "n"),
        ("4", *daily_row(8, "2026-11-01"), "m"),
        ("", *daily_row(7, "2026-11-02"), ""),
    )


def test_missing_columns_are_empty() -> None:
    """A file of an older version gains the columns it lacks at its end, empty where nobody knows."""
    old = parse(DAILY, b"repository,repository_id,day,views\r\nocto-lab/lighthouse,8,2026-11-01,5\r\n")
    content = merge(DAILY, old, [daily_row(7, "2026-11-01", "9")], of(7))
    assert content.decode().splitlines()[0] == HEADERS[DAILY]
    assert parse(DAILY, content).rows == (daily_row(7, "2026-11-01", "9"), daily_row(8, "2026-11-01", "5"))


def test_a_file_that_somebody_edited_is_read() -> None:
    """A byte order mark, LF, other quotes and another order of columns and rows are no harm, and are put right."""
    edited = '\ufeffday,repository_id,"repository",views\n2026-11-02,8,x/y,5\n"2026-11-01",8,x/y,4\n'.encode()
    content = merge(DAILY, parse(DAILY, edited), [], of())
    assert content.startswith(b"day,repository_id,repository,views,view_uniques,")
    assert content.splitlines()[1].startswith(b"2026-11-01,8,x/y,4,")
    assert content.count(b"\r\n") == content.count(b"\n") == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "has no column repository_id"),
        (b"<html>", "has no column repository_id"),
        (b"repository_id,views\r\n", "has no column day"),
        (b"day,repository_id\r\n2026-11-01\r\n", "has 1 fields in row 2 where the header has 2"),
        (b"day,repository_id\r\n2026-11-01,7,8\r\n", "has 3 fields in row 2 where the header has 2"),
        (b"day,repository_id\r\n2026-11-01,7\r\n01.11.2026,7\r\n", "has '01.11.2026' as day in row 3"),
        (b"day,repository_id\r\n2026-11-01,seven\r\n", "has 'seven' as repository_id in row 2"),
        (b"day,repository_id\r\n\xff,7\r\n", "is no CSV ("),
        (b'day,repository_id\r\n"2026"-11-01,7\r\n', "is no CSV ("),
        (b'day,repository_id\r\n"2026-11-01,7\r\n', "is no CSV ("),
    ],
)
def test_a_file_that_does_not_parse_is_refused(content: bytes, problem: str) -> None:
    """Cut, foreign or damaged files are told by what is wrong with them and where, and never guessed at."""
    with pytest.raises(UnreadableError) as refused:
        parse(DAILY, content)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize(("column", "value"), [("observed", "x"), ("first_day", ""), ("lost_days", "few")])
def test_the_catalogue_must_say_what_the_export_relies_on(column: str, value: str) -> None:
    """The catalogue decides which months are written again, so its dates and numbers are checked."""
    good = {"repository_id": "7", "first_day": "2026-11-01", "lost_days": "0", "observed": "2026-11-20"}
    assert read_catalogue(parse(REPOSITORIES, render(tuple(good), [tuple(good.values())]))) == {
        7: CatalogueEntry(date(2026, 11, 1), 0, date(2026, 11, 20), "")
    }
    bad = good | {column: value}
    with pytest.raises(UnreadableError, match=f"has '{value}' as {column} in row 2"):
        parse(REPOSITORIES, render(tuple(bad), [tuple(bad.values())]))


def test_only_differing_repositories_are_asked_for_again() -> None:
    """Rows in another order do not differ; a repository that the file does not have is not in question."""
    theirs = parse(
        DAILY, render(table_of(DAILY).columns, [daily_row(i, f"2026-11-0{d}") for i in (7, 8) for d in (2, 1)])
    )
    same = (daily_row(7, "2026-11-01"), daily_row(7, "2026-11-02"))
    other = (daily_row(8, "2026-11-01"), daily_row(8, "2026-11-02", "5"))
    assert changed_repositories(DAILY, theirs, {7: same, 8: other, 9: (daily_row(9, "2026-11-01"),)}) == [8]
    assert changed_repositories(ARTICLE_PATHS, parse(ARTICLE_PATHS, b"path,views\r\n"), {7: ()}) == [7]


def test_months_are_named_and_counted() -> None:
    """A month is YYYY-MM in the keys, and a span of days touches all months between them."""
    assert month_key("daily", month_of(date(2026, 1, 31))) == "v1/daily/month=2026-01/daily.csv"
    assert months(date(2025, 11, 30), date(2026, 2, 1)) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months(date(2026, 2, 1), date(2026, 2, 28)) == ["2026-02"]
