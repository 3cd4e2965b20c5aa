"""The exported files: columns, rows, bytes, and the parsing of foreign files."""

import csv
import io
import unicodedata
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.exports.catalogue import CatalogueEntry, read_catalogue
from ghtraffic_action.exports.csvfile import UnreadableError, parse, render, render_rows, sanitize_cell
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
from ghtraffic_action.exports.parts import Part, merge
from ghtraffic_action.exports.rows import render_history
from ghtraffic_action.traffic.model import (
    Day,
    History,
    Metadata,
    RunCount,
    Snapshot,
    Totals,
    WorkflowRuns,
)
from tests.support.exports import (
    DAILY,
    NAME,
    START,
    World,
    files_in,
    lighthouse,
    morning,
)
from tests.support.fake_github import GeneratedTraffic

HEADERS = {
    DAILY: "repository,repository_id,day,views,view_uniques,clones,clone_uniques,state,"
    "stars,forks,watchers,open_issues,open_pull_requests,"
    "views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,workflow_runs",
    month_key("paths", "2026-11"): "repository,repository_id,observed,path,title,views,view_uniques",
    month_key("referrers", "2026-11"): "repository,repository_id,observed,referrer,views,view_uniques",
    LATEST_PATHS: "repository,repository_id,observed,path,title,views,view_uniques",
    LATEST_REFERRERS: "repository,repository_id,observed,referrer,views,view_uniques",
    REPOSITORIES: "repository_id,repository,views_14d,view_uniques_14d,clones_14d,clone_uniques_14d,"
    "stars,forks,watchers,open_issues,open_pull_requests,archived,created,first_day,lost_days,observed,"
    "private,retired,final_lost_days,topics,visibility",
    ARTICLE_DAYS: "timestamp,clones,views,stars,forks",
    ARTICLE_PATHS: "path,views",
}


@pytest.mark.parametrize(("key", "header"), HEADERS.items())
def test_the_columns_are_a_promise(key: str, header: str) -> None:
    """Readers rely on the columns and their order: they are appended to, never changed."""
    assert ",".join(table_of(key).columns) == header
    assert merge(key, None, {}) == header.encode() + b"\r\n"


def test_a_day_s_row() -> None:
    """A row has the name, id and day, the numbers, the state, today's stars on today alone, and the day's runs."""
    at = morning(date(2026, 11, 23))
    history = History(
        7,
        None,
        (Day(date(2026, 11, 22), NAME, 12, 5, None, None), Day(date(2026, 11, 23), NAME, 1, 1, 2, 1)),
        (
            Snapshot(
                date(2026, 11, 23),
                NAME,
                metadata=Metadata(
                    at, 5, 2, None, 1, 0, archived=False, created=date(2026, 11, 20), private=True, topics="b a"
                ),
                views=Totals(at, 13, 6),
                clones=Totals(at, 2, 1),
                workflow_runs=WorkflowRuns(at, (RunCount(date(2026, 11, 22), 31),)),
            ),
        ),
    )
    rows = [",".join(row) for row in render_history(history, None).rows[DAILY]]
    assert rows == [
        f"{NAME},7,2026-11-20,0,0,0,0,provisional,,,,,,,,,,",
        f"{NAME},7,2026-11-21,0,0,0,0,provisional,,,,,,,,,,",
        f"{NAME},7,2026-11-22,12,5,,,provisional,,,,,,,,,,31",
        f"{NAME},7,2026-11-23,1,1,2,1,provisional,5,2,,1,0,13,6,2,1,",
    ]
    assert [",".join(row) for row in render_history(history, None).rows[REPOSITORIES]] == [
        f"7,{NAME},13,6,2,1,5,2,,1,0,false,2026-11-20,2026-11-20,0,2026-11-23,true,,0,b a,"
    ]


def test_a_report_shows_days_that_the_export_does_not_need() -> None:
    """The known days begin 30 before the newest, the rows only where the export continues."""
    newest = date(2026, 11, 23)
    days = tuple(Day(newest - timedelta(days=ago), NAME, 1, 1, 1, 1) for ago in range(33, -1, -1))
    since = date(2026, 11, 1)
    history = History(7, since, days, (Snapshot(newest, NAME, views=Totals(morning(newest), 13, 6)),))
    previous = CatalogueEntry(date(2026, 1, 1), 4, newest, NAME, final_lost_days=4)
    rendered = render_history(history, previous)
    assert rendered.days[0].day == newest - timedelta(days=29)
    assert next(row[2] for key, rows in rendered.rows.items() if "/daily/" in key for row in rows) == str(since)
    assert render_history(history, None).days == tuple(
        day for day in render_history(replace(history, since=None), None).days if day.day > newest - timedelta(days=30)
    )


def test_a_file_is_utf_8_with_crlf_and_no_mark() -> None:
    """RFC 4180: CRLF after every row, quotes only where they are needed, no byte order mark."""
    content = render(("path", "title"), [("/a", "ünï"), ("/b", 'say "hi", all'), ("/c", "")])
    assert content == 'path,title\r\n/a,ünï\r\n/b,"say ""hi"", all"\r\n/c,\r\n'.encode()


@pytest.mark.e2e
@given(st.lists(st.tuples(st.text(max_size=9).map(sanitize_cell), st.text(max_size=9).map(sanitize_cell)), max_size=5))
def test_outsiders_text_can_be_read_back(texts: list[tuple[str, str]]) -> None:
    """A CSV reader gets any path or title back, in one row, and no cell begins a formula."""
    key = LATEST_PATHS
    rows = [(NAME, "7", "2026-11-23", path, title, "1", "1") for path, title in texts]
    content = merge(key, None, {7: Part(render_rows(rows))})
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
        (" =1", "' =1"),
        ("\u00a0+1", "'\u00a0+1"),
        ("\u200b\ufeff-1", "'\u200b\ufeff-1"),
        ("\u2028@x", "'@x"),
        ("\u3164=1", "'\u3164=1"),
        ("\ufe0f=1", "'\ufe0f=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM", "'\uff20SUM"),
        ("a;=1;b; \uff20c;d", "a;'=1;b;' \uff20c;d"),
        ("a;b-c;d", "a;b-c;d"),
        ("\u00a0a", "\u00a0a"),
        ("", ""),
    ],
)
def test_outsiders_text_is_made_harmless(text: str, safe: str) -> None:
    """Control characters are removed, and possible formulas get an apostrophe."""
    assert sanitize_cell(text) == safe


HOSTILE = "=cmd|' /C calc'!A0;\uff1d2\x00\x07\r\n\t\x85\u2028\x1b[31m"


class HostileTraffic(GeneratedTraffic):
    """Traffic whose paths, titles and referrers are formulas with control characters."""

    def paths(self, now: datetime) -> tuple[tuple[str, str, int, int], ...]:
        """See GeneratedTraffic."""
        return ((HOSTILE, HOSTILE, int(now.hour > 0), 1),)

    def referrers(self, now: datetime) -> tuple[tuple[str, int, int], ...]:
        """See GeneratedTraffic."""
        return ((HOSTILE, int(now.hour > 0), 1),)


def test_every_text_column_is_made_harmless(world: World) -> None:
    """In every file all texts, including the repository's name, are free of control characters and formulas."""
    world.article = True
    repository = lighthouse(name=HOSTILE, traffic=HostileTraffic({START: (3, 2)}, {}))
    world.run(morning(date(2026, 11, 23)), repository)
    files = {key: content.decode() for key, content in files_in("export").items()}
    assert len(files) == 12
    safe = sanitize_cell(HOSTILE)
    assert safe == "'=cmd|' /C calc'!A0;'\uff1d2[31m"
    for key, content in files.items():
        assert not [c for c in content.replace("\r\n", "") if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")], key
        for row in csv.DictReader(io.StringIO(content, newline="")):
            for column in ("repository", "path", "title", "referrer"):
                assert row.get(column, safe) == safe, (key, column)


@given(st.text(max_size=12))
def test_no_text_leaves_a_control_character_or_a_formula(text: str) -> None:
    """The cell of any text has one line and does not begin a formula, not even after blanks or a semicolon."""
    safe = sanitize_cell(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in safe)
    assert len(safe.splitlines()) <= 1
    assert not any(
        part.strip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        for part in safe.split(";")
    )
    assert sanitize_cell(safe) == safe


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
        (b"day,repository_id\r\n2026-11-01,-7\r\n", "has '-7' as repository_id in row 2"),
        (b"day,repository_id\r\n2026-11-01,9999999999999999999\r\n", "has '9999999999999999999' as repository_id in"),
        (b"day,repository_id\r\n9999-12-31,7\r\n", "has '9999-12-31' as day in row 2"),
        (b"day,repository_id\r\n0001-01-01,7\r\n", "has '0001-01-01' as day in row 2"),
        (b"day,repository_id\r\n20261101,7\r\n", "has '20261101' as day in row 2"),
        (b"day,repository_id\r\n" + b"x" * 99 + b",7\r\n", f"has '{'x' * 40}' as day in row 2"),
        (b"day,repository_id\r\n\xff,7\r\n", "is not CSV ("),
        (b'day,repository_id\r\n"2026"-11-01,7\r\n', "is not CSV ("),
        (b'day,repository_id\r\n"2026-11-01,7\r\n', "is not CSV ("),
    ],
)
def test_a_file_that_does_not_parse_is_refused(content: bytes, problem: str) -> None:
    """Cut, foreign or damaged files are reported by what is wrong with them and where, and never guessed at."""
    with pytest.raises(UnreadableError) as refused:
        parse(DAILY, content)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("observed", "x"),
        ("observed", "9999-12-31"),
        ("first_day", ""),
        ("first_day", "0001-01-01"),
        ("lost_days", "few"),
        ("lost_days", "-1"),
    ],
)
def test_the_catalogue_must_say_what_the_export_relies_on(column: str, value: str) -> None:
    """The catalogue's dates and numbers are checked, since they decide which months are written."""
    good = {"repository_id": "7", "first_day": "2026-11-01", "lost_days": "0", "observed": "2026-11-20"}
    assert read_catalogue(parse(REPOSITORIES, render(tuple(good), [tuple(good.values())]))) == {
        7: CatalogueEntry(date(2026, 11, 1), 0, date(2026, 11, 20), "")
    }
    bad = good | {column: value}
    with pytest.raises(UnreadableError, match=f"has '{value}' as {column} in row 2"):
        parse(REPOSITORIES, render(tuple(bad), [tuple(bad.values())]))


@pytest.mark.parametrize(
    ("column", "value"),
    [("final_lost_days", "2026-01-01"), ("final_lost_days", "-1"), ("stars", "1.5"), ("views_14d", "1,234")],
)
def test_a_number_that_is_none_is_reported_without_its_value(column: str, value: str) -> None:
    """The error can be in a public log, which shows no traffic."""
    row = {"repository_id": "7", "first_day": "2026-11-01", "lost_days": "0", "observed": "", column: value}
    with pytest.raises(UnreadableError) as refused:
        parse(REPOSITORIES, render(tuple(row), [tuple(row.values())]))
    assert str(refused.value) == f"has an invalid {column} in row 2"


def test_months_are_named_and_counted() -> None:
    """A month is YYYY-MM in the keys, and a span of days touches all months between them."""
    assert month_key("daily", month_of(date(2026, 1, 31))) == "v1/daily/month=2026-01/daily.csv"
    assert months(date(2025, 11, 30), date(2026, 2, 1)) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months(date(2026, 2, 1), date(2026, 2, 28)) == ["2026-02"]
