"""The readers of columns, dates, numbers, wrappers and databases, and what they refuse."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.traffic.model import Day
from tests.support.imports import ATLAS, bring, days_of, write_csv, write_database

FIRST = date(2024, 1, 2)
ANSWER = {"timestamp": "2024-01-02T00:00:00Z", "count": 9, "uniques": 4}
CLONES = Day(FIRST, ATLAS, clones=9, clone_uniques=4)
VIEWS = Day(FIRST, ATLAS, views=9, view_uniques=4)

GHSTATS = """
PRAGMA user_version = 3;
CREATE TABLE repos (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE repo_stats (repo_id INTEGER, date TEXT, stars INTEGER NOT NULL DEFAULT 0,
    clones_count INTEGER NOT NULL DEFAULT 0, clones_uniques INTEGER NOT NULL DEFAULT 0,
    views_count INTEGER NOT NULL DEFAULT 0, views_uniques INTEGER NOT NULL DEFAULT 0);
"""
GGHSTATS = """
PRAGMA user_version = 5;
CREATE TABLE views (repo TEXT, date TEXT, count INTEGER, uniques INTEGER);
CREATE TABLE clones (repo TEXT, date TEXT, count INTEGER, uniques INTEGER);
"""


def refusal(path: str) -> str:
    """Return the error of a refused file."""
    with pytest.raises(ForeignFileError) as refused:
        bring(path)
    assert not Path("traffic.db").exists()
    return str(refused.value).removeprefix(f"import {path}: ")


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("date,views,unique_visitors,clones,unique_cloners", "2024-01-02,9,4,9,4", Day(FIRST, ATLAS, 9, 4, 9, 4)),
        ("repo,date,views,views_uniques,clones,clones_uniques", "atlas,2024-01-02,9,4,0,0", VIEWS),
        ("date,owner,repo,views_count,views_uniques", "2024-01-02,octo-lab,atlas,9,4", VIEWS),
        ("timestamp,clones,views,stars,forks", "2024-01-02 00:00:00,0,9,3,1", Day(FIRST, ATLAS, views=9)),
        ("repository_name,date,views,unique_visitors/cloners", "atlas,2024-01-02,9,4", VIEWS),
        ("repository_name,date,clones,unique_visitors/cloners", "atlas,2024-01-02,9,4", CLONES),
        ("repository_name,date,views,unique_cloners", "atlas,2024-01-02,9,4", VIEWS),
        ("Date,Views,Uniques", "2024-01-02T00:00:00Z,9.0,4.0", VIEWS),
        ("date,views,uniques,clones,cloners", "2024-01-02,9,4,9,4", Day(FIRST, ATLAS, 9, 4, 9, 4)),
        ("date,totalViews,uniqueViews,totalClones,uniqueClones", "2024-01-02,9,4,9,4", Day(FIRST, ATLAS, 9, 4, 9, 4)),
        ("Date,Clones,Unique visitors", "2024-01-02,9,4", CLONES),
        ("date,views,uniques,views_14d", "2024-01-02,9,4,900", VIEWS),
    ],
)
def test_columns_are_known_by_their_aliases(header: str, row: str, expected: Day) -> None:
    """All tools' columns give the same day; a filled gap is not a count."""
    bring(write_csv("traffic.csv", header, row))
    assert days_of() == (expected,)


@pytest.mark.parametrize(("name", "expected"), [("clones.csv", CLONES), ("views/2024.csv", VIEWS)])
def test_count_and_uniques_are_of_the_metric_in_the_name(name: str, expected: Day) -> None:
    """The file's or folder's name gives the metric of the columns `count` and `uniques`."""
    bring(write_csv(name, "date,count,uniques", "2024-01-02,9,4"))
    assert days_of() == (expected,)


@pytest.mark.parametrize("name", ["traffic.csv", "clone/traffic.csv", "overview.csv", "views-and-clones.csv"])
def test_a_count_of_nothing_is_left_out(name: str) -> None:
    """A count without a metric is left out with a remedy; the folder can also be a git clone."""
    plan = bring(write_csv(name, "date,count,uniques", "2024-01-02,9,4"))
    assert plan.left_out == [f"{name}: 1 counts of an unknown metric: put views or clones into the file's name"]


def test_our_own_export_is_read() -> None:
    """Numbers come back, lost days stay unknown, and the 14-day totals are no days."""
    header = "repository,repository_id,day,views,view_uniques,clones,clone_uniques,state,stars,views_14d"
    rows = (f"{ATLAS},7,2024-01-01,0,0,1,1,complete,3,99", f"{ATLAS},7,2024-01-02,,,,,lost,3,99")
    bring(write_csv("daily.csv", header, *rows), repository="", repository_id=None)
    assert days_of() == (Day(date(2024, 1, 1), ATLAS, 0, 0, 1, 1),)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("date,views,uniques\n2024-01-02,9\n", "line 2: 2 cells below 3 columns"),
        ("date,views,uniques\n2024-01-02,9,x\n", "line 2: uniques is 'x': expected a number from 0 on"),
        ("date,views,uniques\n2024-01-02,-9,1\n", "line 2: views is '-9'"),
        ("date,views,uniques\n2024-01-02,1.234,1\n", "line 2: views is '1.234'"),
        ("date,views,uniques\n01/02/2024,9,4\n", "line 2: '01/02/2024' is not a date"),
        ("date,views,uniques\n2024-02-30,9,4\n", "line 2: '2024-02-30' is not a date"),
        ("date,views,uniques\n2024-01-02T09:30:00Z,9,4\n", "line 2: '2024-01-02T09:30:00Z' is a moment"),
        ("date,views,uniques\n2024-01-02 00:00:00+01:00,9,4\n", "line 2: '2024-01-02 00:00:00+01:00' is of another"),
        ('date,views,uniques\n2024-01-02,"9,4\n', "it is not CSV in UTF-8"),
        ("week,views,uniques\n2024-01-02,9,4\n", "its rows are months, weeks or sums, not days"),
        ("date,weekly_views,weekly_uniques\n2024-01-02,9,4\n", "weekly_views, weekly_uniques: sums of several days"),
        ("date,views,uniques,clones,uniques\n2024-01-02,9,4,3,1\n", "uniques: two columns of one name"),
        ("date,views\n2024-01-02,9\n", "views: a count without uniques may be a total of any kind"),
    ],
)
def test_a_broken_table_is_refused(content: str, what: str) -> None:
    """An invalid cell is refused with its line and the reason."""
    Path("traffic.csv").write_text(content)
    assert refusal("traffic.csv").startswith(what)


@pytest.mark.parametrize(
    "days", [("2024-01-06", "2024-01-13", "2024-01-20"), ("2024-01-01", "2024-02-01", "2024-03-01")]
)
def test_regular_days_are_no_days(days: tuple[str, ...]) -> None:
    """Weeks may begin on any weekday, and months on their first; --force believes them."""
    write_csv("views.csv", "date,views,uniques", *(f"{day},9,4" for day in days))
    assert "add --force if they are of days" in refusal("views.csv")
    bring("views.csv", force=True)
    assert len(days_of()) == 3


def test_what_cannot_be_true_is_dropped() -> None:
    """More uniques than count, the future and the time before GitHub are dropped, each with its reason."""
    rows = ("2024-01-02,9,4", "2024-01-03,4,9", "2027-01-01,9,4", "2007-01-01,9,4")
    write_csv("views.csv", "date,views,uniques", *rows)
    (found,) = bring("views.csv", write=False).repositories
    assert found.dropped == {"more uniques than count": 1, "days in the future": 1, "days before GitHub existed": 1}
    assert found.days == 1
    (forced,) = bring("views.csv", force=True).repositories
    assert forced.dropped["more uniques than count, accepted because of --force"] == 1
    assert [day.views for day in days_of()] == [9, 4]


def test_zeros_count_since_github_lists_them() -> None:
    """Before December 2025 GitHub left days without traffic out, so a zero of then is a tool's own."""
    rows = ("2025-11-30,0,0", "2025-12-30,0,0", "2025-12-31,3,1", "2026-01-01,4,1")
    (found,) = bring(write_csv("views.csv", "_date,total_views,unique_views", *rows)).repositories
    assert [day.day for day in days_of()] == [date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1)]
    assert found.dropped == {"zeros that the tool may have filled in": 1}


@pytest.mark.parametrize(
    "header", ["date,total_views,unique_views", "repo,date,views,views_uniques,clones,clones_uniques"]
)
def test_zeros_that_fill_gaps_are_dropped(header: str) -> None:
    """Zeros of tools that write them for unknown days are dropped."""
    row = "2026-01-02,0,0" if header.startswith("date") else "atlas,2026-01-02,0,0,3,1"
    bring(write_csv("views.csv", header, row))
    assert all(day.views is None for day in days_of())


def test_a_table_may_be_appended_to() -> None:
    """A byte-order mark, empty lines and the header once more do no harm."""
    Path("views.csv").write_text("\ufeffdate,views,uniques\n2024-01-02,9,4\n\ndate,views,uniques\n2024-01-03,9,4\n")
    bring("views.csv")
    assert [day.day for day in days_of()] == [date(2024, 1, 2), date(2024, 1, 3)]


@pytest.mark.parametrize(
    "document",
    [
        {"count": 999, "uniques": 500, "clones": [ANSWER]},
        {
            "clones": {"count": 999, "uniques": 500, "clones": [ANSWER]},
            "views": {"count": 0, "uniques": 0, "views": []},
        },
        {"2024-01-02": {"clones": {"count": 9, "uniques": 4}}},
        {"clones": {"2024-01-02": {"count": 9, "uniques": 4}}},
        {"clones_history": {"history": [{"date": "2024-01-02", "count": 9, "uniques": 4}]}},
        [{"date": "2024-01-02", "clones": 9, "unique_cloners": 4}],
        [{"repo": "atlas", "count": 999, "uniques": 500, "clones": [ANSWER]}],
        {"octo-lab/atlas": {"clones": [ANSWER]}, "octo-lab/other": {"clones": [ANSWER | {"count": 77}]}},
        {"octo-lab/atlas": {"clones": [ANSWER]}, "octo-lab/views": {"clones": [ANSWER | {"count": 77}]}},
        {"date": "2024-01-16", "clones": {"count": 999, "uniques": 500, "clones": [ANSWER]}},
        {"2024-01-16": {"count": 999, "uniques": 500, "clones": [ANSWER]}},
        {"clones": [ANSWER, {"timestamp": "2023-05", "count": 300, "uniques": 200}]},
    ],
)
def test_api_shaped_json_is_read(document: object) -> None:
    """Days are found in any wrapper; sums, other repositories and months are ignored."""
    Path("traffic.json").write_text(json.dumps(document))
    bring("traffic.json")
    assert days_of() == (CLONES,)


def test_documents_may_follow_one_another() -> None:
    """All answers in a file to which they were appended are read."""
    answers = [{"clones": [ANSWER | {"timestamp": f"2024-01-0{n}T00:00:00Z"}]} for n in (2, 3)]
    Path("log.json").write_text("\n".join(map(json.dumps, answers)))
    bring("log.json")
    assert len(days_of()) == 2


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ('{"clones": [{"timestamp": "2024-01-02T00:00:00Z", "count": 9, "uniques": 4}', "it is not JSON"),
        ('{"clones": [{"timestamp": "yesterday", "count": 9, "uniques": 4}]}', "'yesterday' is not a date"),
        ('{"clones": [{"timestamp": "2024-01-02", "count": true, "uniques": 4}]}', "count is 'True'"),
        ('{"clones": [{"timestamp": "2024-01-02", "count": 9}]}', "count: a count without uniques"),
    ],
)
def test_broken_json_is_refused(document: str, what: str) -> None:
    """The error names the cut-off answer or the odd value."""
    Path("traffic.json").write_text(document)
    assert refusal("traffic.json").startswith(what)


def test_ghstats_is_read() -> None:
    """The ids are GitHub's, and zeros, which are defaults, are dropped."""
    rows = [(7, "2024-01-02T00:00:00Z", 5, 9, 4, 0, 0), (7, "2024-01-03T00:00:00Z", 5, 0, 0, 0, 0)]
    write_database("stats.db", GHSTATS, ("repos", [(7, ATLAS)]), ("repo_stats", rows))
    bring("stats.db", repository="", repository_id=None)
    assert days_of() == (CLONES,)


def test_gghstats_is_read() -> None:
    """The two metrics are separate tables, without days that GitHub did not list."""
    row = [(ATLAS, "2024-01-02", 9, 4)]
    bring(write_database("stats.db", GGHSTATS, ("views", row), ("clones", row)))
    assert days_of() == (Day(FIRST, ATLAS, 9, 4, 9, 4),)


def test_a_database_is_left_as_it_is() -> None:
    """It is opened read-only: neither its bytes nor its folder change, though another program still logs to it."""
    write_database("stats.db", GGHSTATS, ("views", [(ATLAS, "2024-01-02", 9, 4)]))
    with closing(sqlite3.connect("stats.db")) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO clones VALUES (?, ?, ?, ?)", (ATLAS, "2024-01-02", 9, 4))
        writer.commit()
        before = {path.name: path.read_bytes() for path in Path().glob("stats.db*") if not path.name.endswith("-shm")}
        bring("stats.db")
        after = {path.name: path.read_bytes() for path in Path().glob("stats.db*") if not path.name.endswith("-shm")}
    assert before == after
    assert days_of() == (Day(FIRST, ATLAS, 9, 4, 9, 4),)


def test_a_damaged_database_is_refused() -> None:
    """A truncated database is reported and not read in part."""
    write_database("stats.db", GGHSTATS, ("views", [(ATLAS, f"2024-01-{n:02}", 9, 4) for n in range(1, 31)] * 50))
    Path("stats.db").write_bytes(Path("stats.db").read_bytes()[:8192])
    assert refusal("stats.db").startswith("the database cannot be read")


def test_another_programs_database_is_none() -> None:
    """A database without the known tables has no known form."""
    assert refusal(write_database("other.db", "CREATE TABLE people (name TEXT)")).startswith("its form is unknown")
