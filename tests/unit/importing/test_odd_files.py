"""Files as editors, spreadsheets, git and broken programs leave them: read exactly, or refused with an error."""

import codecs
import gzip
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.traffic.model import Day
from tests.support.imports import ATLAS, bring, days_of, write_csv

DAYS = tuple(Day(date(2026, 3, 1) + timedelta(days=n), ATLAS, 10 + n, 3, 5, 2) for n in range(20))
HEADER = "date,views,unique_visitors,clones,unique_cloners"
TABLE = "\n".join((HEADER, *(f"{d.day},{d.views},{d.view_uniques},{d.clones},{d.clone_uniques}" for d in DAYS), ""))
ANSWER = {
    "count": 99,
    "uniques": 9,
    "views": [{"timestamp": f"{d.day}T00:00:00Z", "count": d.views, "uniques": d.view_uniques} for d in DAYS],
}
VIEWS = tuple(Day(d.day, ATLAS, d.views, d.view_uniques) for d in DAYS)


def refusal(*paths: str | Path) -> str:
    """Return the error of a refused file without its name, and check that nothing was written."""
    with pytest.raises(ForeignFileError) as refused:
        bring(*paths)
    assert not Path("traffic.db").exists()
    return str(refused.value).partition(": ")[2]


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + TABLE.encode(),
        TABLE.encode("utf-16"),
        codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode("utf-16"),
        b"sep=;\r\n" + TABLE.replace(",", ";").encode(),
        b"# made by a script\n\n" + TABLE.encode(),
        (TABLE + HEADER.upper() + "\n").encode(),
        "\n".join(f"{n or ''},{line}" for n, line in enumerate(TABLE.splitlines())).encode(),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in TABLE.splitlines()).encode(),
        "\n".join(",".join(reversed(line.split(","))) for line in TABLE.splitlines()).encode(),
    ],
)
def test_a_table_is_read_whatever_saved_it(content: bytes) -> None:
    """Byte-order marks, UTF-16, line ends, delimiters, comments and the columns' order make no difference."""
    Path("t.csv").write_bytes(content)
    bring("t.csv")
    assert days_of() == DAYS


@pytest.mark.parametrize("cell", ["", " ", "NaN", "NA", "null", "None", "\\N"])
def test_a_number_may_be_unknown(cell: str) -> None:
    """The various marks of a missing number are not read as zero."""
    bring(write_csv("t.csv", HEADER, f"2026-03-01,{cell},{cell},5,2"))
    assert days_of() == (Day(date(2026, 3, 1), ATLAS, None, None, 5, 2),)


@pytest.mark.parametrize("cell", ['"1,010"', "1.000", "1 010", "1e3", "-", "+5", "0x10", "True", "inf", "10.5"])
def test_a_number_that_can_be_read_in_two_ways_is_refused(cell: str) -> None:
    """1.000 may be one or a thousand."""
    assert "expected a number from 0 on, in digits only" in refusal(
        write_csv("t.csv", HEADER, f"2026-03-01,{cell},0,5,2")
    )


def test_a_number_of_no_repository_is_refused() -> None:
    """An impossible number could never be lowered again."""
    assert "expected at most 1,000,000,000" in refusal(write_csv("t.csv", HEADER, "2026-03-01,1000000001,1,5,2"))


def test_a_week_is_no_day() -> None:
    """2026-W10 would be read as its Monday; 2026-W10-1 is a day."""
    assert "'2026-W10' is a week" in refusal(write_csv("t.csv", HEADER, "2026-W10,9,1,5,2"))
    bring(write_csv("t.csv", HEADER, "2026-W10-1,9,1,5,2"))
    assert days_of()[0].day == date(2026, 3, 2)


@pytest.mark.parametrize("column", ["hour", "page", "type"])
def test_rows_of_parts_of_a_day_are_refused(column: str) -> None:
    """The uniques of a day cannot be computed from its parts; the same part again is a later reading."""
    header = f"date,{column},views,unique_visitors"
    assert f"with another {column}, so the rows are parts of days" in refusal(
        write_csv("t.csv", header, "2026-03-01,1,5,2", "2026-03-01,2,9,2")
    )
    bring(write_csv("t.csv", header, "2026-03-01,1,5,2", "2026-03-01,1,9,2"))
    assert days_of()[0].views == 9


@pytest.mark.parametrize(
    ("days", "what"),
    [
        ([date(2024, 1, 31), date(2024, 2, 29), date(2024, 4, 30)], "end a month"),
        ([date(2024, 1, 15), date(2024, 2, 15), date(2024, 4, 15)], "are day 15 of a month"),
    ],
)
def test_months_are_no_days(days: list[date], what: str) -> None:
    """Months are refused whatever day they are dated by."""
    assert what in refusal(write_csv("t.csv", HEADER, *(f"{day},900,30,5,2" for day in days)))


def test_weeks_of_one_repository_are_found_among_days_of_another() -> None:
    """A file of several repositories is checked by repository and metric; three Mondays may be an accident there."""
    rows = [f"octo-lab/zeus,{d.day},{d.views},3,5,2" for d in DAYS]
    weeks = [f"{ATLAS},{date(2026, 3, 2) + timedelta(days=7 * n)},900,30,," for n in range(6)]
    header = f"repository,{HEADER}"
    assert f"6 days with views of {ATLAS} are Mondays" in refusal(write_csv("t.csv", header, *rows, *weeks))
    bring(write_csv("t.csv", header, *rows, *weeks[:3]), repository="", repository_id=None)
    assert len(days_of(len(ATLAS))) == 3


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("t.csv", f"<<<<<<< HEAD\n{TABLE}=======\n{TABLE}>>>>>>> b\n", "line 1: a merge-conflict marker"),
        ("t.csv", f"{TABLE}||||||| base\n2026-05-01,1,1,1,1\n", "line 22: a merge-conflict marker"),
        ("t.json", '{"views": [\n<<<<<<< HEAD\n{"timestamp": 1}]}', "line 2: a merge-conflict marker"),
        ("t.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 5\n", "it is a pointer of Git LFS"),
        ("t.json", "/annex/objects/SHA256E-s5--4d.json\n", "it is a pointer of git-annex"),
        ("t.csv", "<!DOCTYPE html><title>404</title>", "it is an error page"),
        ("t.json", "404: Not Found", "it is an error page"),
        ("t.csv", "\ufeff\n", "it is empty"),
        ("t.csv", TABLE.replace("2026-03-05", "2026-\0003-05"), "it holds NUL bytes"),
        ("t.csv", TABLE.encode("utf-16-le").decode("latin-1"), "it holds NUL bytes"),
    ],
)
def test_what_stands_in_the_place_of_data_is_named(name: str, content: str, what: str) -> None:
    """It is also reported in a folder, where it could be overlooked."""
    Path("folder").mkdir()
    Path("folder", "good.csv").write_text(TABLE)
    Path("folder", name).write_text(content)
    assert refusal(f"folder/{name}").startswith(what)
    assert refusal("folder").startswith(what)


def test_a_compressed_file_is_named() -> None:
    """It is refused if the user named it, and skipped with a note in a folder."""
    Path("folder").mkdir()
    Path("folder", "good.csv").write_text(TABLE)
    Path("folder", "t.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    with zipfile.ZipFile("t.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    assert refusal("folder/t.csv.gz").startswith("it is compressed (gzip): unpack it")
    assert refusal("t.xlsx").startswith("it is compressed (ZIP, as spreadsheets are)")
    assert bring("folder").left_out == [
        "folder/t.csv.gz: it is compressed (gzip): unpack it, then import what it holds"
    ]
    assert days_of() == DAYS


@pytest.mark.parametrize(
    ("name", "content"), [("t.csv", f"{HEADER}\n"), ("t.json", '{"count":0,"uniques":0,"views":[]}')]
)
def test_a_file_without_rows_is_said(name: str, content: str) -> None:
    """It has a known form, like the answer about an idle repository, and is reported."""
    Path(name).write_text(content)
    assert bring(name).left_out == [f"{name}: it has no rows"]


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/octo-lab/atlas",
        "https://api.github.com/repos/octo-lab/atlas",
        "git@github.com:octo-lab/atlas.git",
    ],
)
def test_a_repository_may_be_written_as_its_address(address: str) -> None:
    """Repositories may be names or URLs."""
    bring(write_csv("t.csv", f"repo,{HEADER}", f"{address},2026-03-01,9,1,5,2"), repository="", repository_id=None)
    assert days_of(len(ATLAS))[0].views == 9


def test_a_title_is_no_repository() -> None:
    """A column `name` may have titles; an id is never 0, and a name is valid text."""
    Path("t.json").write_text(json.dumps({"name": "Traffic of ours", **ANSWER}))
    bring("t.json")
    assert days_of() == VIEWS
    Path("t.json").write_text(
        '{"repository": "octo-lab/\\ud800", "views": [{"timestamp": "2026-03-01", "count": 5, "uniques": 2}]}'
    )
    with pytest.raises(ForeignFileError, match=r"'octo-lab/\?' of id \d+ is not a repository's name"):
        bring("t.json", repository="", repository_id=None)
    header = f"repository,repository_id,{HEADER}"
    with pytest.raises(ForeignFileError, match="the repository's id is 0"):
        bring(write_csv("t.csv", header, f"{ATLAS},0,2026-03-01,9,1,5,2"))


@pytest.mark.parametrize(
    "document",
    [
        [{"name": "atlas", "traffic": ANSWER}, {"message": "Bad credentials", "documentation_url": "x"}],
        {"atlas": {"views": ANSWER}, "zeus": {"views": ANSWER}},
        {"response": {"views_daily": ANSWER, "views_weekly": ANSWER}},
        {d.day.isoformat(): {ATLAS: {"views": {"count": d.views, "uniques": d.view_uniques}}} for d in DAYS},
    ],
)
def test_json_is_read_whatever_wraps_it(document: object) -> None:
    """Names of repositories, of the response and of days; weeks and errors are left out and counted."""
    Path("t.json").write_text(json.dumps(document))
    bring("t.json")
    assert days_of() == VIEWS


@pytest.mark.parametrize(
    "message", ['{"message": "Server Error"}', '{"data": null, "errors": [{"message": "Server Error"}]}']
)
def test_an_error_has_many_forms(message: str) -> None:
    """GitHub's 5xx and GraphQL errors, which lack `documentation_url`, are recognised too."""
    Path("views.json").write_text(message)
    assert refusal("views.json").startswith("it is an error that GitHub returned, 'Server Error'")


def test_an_error_between_answers_is_counted() -> None:
    """One error in a log of answers does not lose the other answers."""
    Path("log.jsonl").write_text(f'{json.dumps(ANSWER)}\n{{"message": "Bad credentials", "documentation_url": "x"}}\n')
    (plan,) = bring("log.jsonl").repositories
    assert plan.dropped == {"errors of GitHub in the place of days": 1}
    assert days_of() == VIEWS


def test_a_file_name_may_be_any_bytes() -> None:
    """The record of the import holds it as text."""
    Path("t\udcff.csv").write_text(TABLE)
    (plan,) = bring("t\udcff.csv").repositories
    assert [file.name for file in plan.files] == ["t\ufffd.csv"]
    assert days_of() == DAYS


GGHSTATS = """
    CREATE TABLE views (repo TEXT, date TEXT, count INTEGER, uniques INTEGER, PRIMARY KEY (repo, date));
    CREATE TABLE clones (repo TEXT, date TEXT, count INTEGER, uniques INTEGER, PRIMARY KEY (repo, date));
"""


def database(name: str, mode: str = "DELETE", days: int = 3000) -> sqlite3.Connection:
    """Return a connection to a new database of so many days."""
    opened = sqlite3.connect(name)
    opened.execute(f"PRAGMA journal_mode = {mode}")
    opened.executescript(GGHSTATS)
    rows = [(ATLAS, (date(2016, 1, 1) + timedelta(days=n)).isoformat(), 9, 4) for n in range(days)]
    opened.executemany("INSERT INTO views VALUES (?, ?, ?, ?)", rows)
    opened.commit()
    return opened


def test_a_log_that_was_left_behind_is_missed() -> None:
    """A database copied without its log is refused; with the log all its rows are read."""
    with closing(database("live.db", "WAL", 300)):
        shutil.copy("live.db", "copy.db")
        assert refusal("copy.db").startswith("the database has no tables, likely since its log (…-wal)")
        shutil.copy("live.db-wal", "copy.db-wal")
        bring("copy.db")
    assert len(days_of()) == 300


def test_damaged_pages_are_found() -> None:
    """Damage in index pages, where no row is missing, is found too."""
    database("stats.db").close()
    content = bytearray(Path("stats.db").read_bytes())
    content[-4096:] = b"\xff" * 4096
    Path("stats.db").write_bytes(content)
    assert refusal("stats.db").startswith("the database is damaged")


def test_an_interrupted_write_is_no_data() -> None:
    """A database with a journal beside it is refused, since it has the rows of an interrupted write."""
    with closing(database("live.db")) as opened:
        opened.execute("PRAGMA cache_size = 1")
        opened.execute("UPDATE views SET count = count + 1000000")
        for suffix in ("", "-journal"):
            shutil.copy(f"live.db{suffix}", f"copy.db{suffix}")
    assert refusal("copy.db").startswith("the database cannot be read")


def test_other_databases_are_skipped() -> None:
    """Databases of other programs and stores of ghtraffic in a folder are skipped."""
    Path("folder").mkdir()
    Path("folder", "good.csv").write_text(TABLE)
    Path("folder", "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0\0\0")
    with closing(sqlite3.connect("folder/other.db")) as other:
        other.executescript("CREATE TABLE views (id); CREATE TABLE clones (id)")
    bring("folder/good.csv")
    shutil.copy("traffic.db", "folder/ours.db")
    plan = bring("folder")
    assert (plan.skipped, len(plan.left_out)) == (2, 1)
    assert plan.left_out[0].startswith("folder/ours.db: it is a store of ghtraffic: import what `ghtraffic export")


@pytest.mark.parametrize(
    ("begin", "end", "problem"),
    [('{"data":' * 900, "}" * 900, "nested too deeply"), ("[" * 9000, "]" * 9000, "recursion")],
)
def test_json_that_is_nested_too_deeply_is_refused(begin: str, end: str, problem: str) -> None:
    """Neither the parser nor the search for days ends in a traceback."""
    Path("views.json").write_text(begin + json.dumps(ANSWER) + end)
    assert problem in refusal("views.json")


def test_of_several_rows_of_a_day_the_largest_numbers_count() -> None:
    """Tools append a day again while it grows."""
    bring(write_csv("t.csv", HEADER, "2026-03-02,5,2,3,1", "2026-03-02,9,4,1,1", "2026-03-02,7,3,2,2"))
    assert days_of() == (Day(date(2026, 3, 2), ATLAS, 9, 4, 3, 2),)
