"""The questions of docs/analyse.md, answered by DuckDB and pandas from the export of the sample fleet."""

import ast
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot.optimizer.qualify import qualify

from ghtraffic_action.exports.rebuild import export_all
from ghtraffic_action.settings import read_settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.downloads import Asset, Downloads
from ghtraffic_action.traffic.model import Changes, Snapshot
from tests.support.builders import ROOT
from tests.support.columns import PARTITIONS, TABLES, kind
from tests.support.programs import FleetDemo
from tests.support.templates import read_template, resources

pytestmark = pytest.mark.xdist_group("fleet-demo")

PAGE = (ROOT / "docs" / "analyse.md").read_text()
TYPES = {"text": "varchar", "number": "bigint", "date": "date", "boolean": "boolean"}
"""The types of Athena's columns, which test_athena.py compares with infra/athena.yaml."""

SCHEMA: dict[str, object] = {
    name: {column: TYPES[kind(column)] for column in columns}
    | ({PARTITIONS[name]: "varchar"} if name in PARTITIONS else {})
    for name, columns in TABLES.items()
}
Row = tuple[object, ...]


@dataclass(frozen=True)
class Question:
    """A question with its SQL and its pandas code."""

    title: str
    sql: str
    python: str


def blocks(language: str, text: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def questions() -> Iterator[Question]:
    """Return the questions of the page."""
    for part in re.split(r"^### ", section("Twelve questions"), flags=re.MULTILINE)[1:]:
        [sql], [python] = blocks("sql", part), blocks("python", part)
        yield Question(part.splitlines()[0], sql, python)


def section(title: str) -> str:
    """Return the text below a heading of the second level."""
    [_, text] = PAGE.split(f"\n## {title}\n")
    return text.split("\n## ")[0]


QUESTIONS = list(questions())
LOST = (date(2026, 10, 6), date(2026, 10, 12), 7)
ANSWERS: dict[str, tuple[int, list[Row]]] = {
    "1": (
        23,
        [("octo-lab/anchor", date(2026, 9, 1), 1499, 135, 0), ("octo-lab/anchor", date(2026, 10, 1), 314, 13, 7)],
    ),
    "2": (8, [("octo-lab/compass", 3137, 3368), ("octo-lab/sextant", 853, 789), ("octo-lab/lighthouse", 460, 415)]),
    "3": (11, [("Google", 1721, 6), ("news.ycombinator.com", 1266, 6), ("github.com", 1026, 6)]),
    "4": (40, [(date(2026, 9, 27), 37, 6), (date(2026, 9, 28), 26, 4)]),
    "5": (12, [("/octo-lab/lighthouse", 645, date(2026, 9, 27), date(2026, 11, 25))]),
    "6": (13, [("octo-lab/lighthouse", date(2026, 10, 30), 893), ("octo-lab/lighthouse", date(2026, 10, 31), 468)]),
    "7": (1, [(50.285714, 311.285714, 65.428571)]),
    "8": (1, [("octo-lab/anchor", 0.892857, 16.714286)]),
    "9": (7, [("octo-lab/anchor", *LOST), ("octo-lab/buoy", *LOST), ("octo-lab/compass", *LOST)]),
    "10": (23, [("octo-lab/anchor", date(2026, 9, 1), 336), ("octo-lab/anchor", date(2026, 10, 1), 242)]),
    "11": (154, [("octo-lab/anchor", date(2024, 3, 1), 23)]),
    "12": (
        5,
        [
            ("octo-lab/lighthouse", "v0", date(2026, 11, 20), 14, None),
            ("octo-lab/lighthouse", "v0", date(2026, 11, 21), 16, 2),
            ("octo-lab/lighthouse", "v0", date(2026, 11, 23), 13, 6),
            ("octo-lab/lighthouse", "v1", date(2026, 11, 21), 0, None),
            ("octo-lab/lighthouse", "v1", date(2026, 11, 23), 4, 4),
        ],
    ),
}
"""How many rows each question's answer has, and the first of them."""


@pytest.fixture(scope="module")
def folder(fleet_demo: FleetDemo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the export of the fleet until 2026-11-25, with downloads of releases."""
    assert [report.exit_code for report in fleet_demo.reports] == [0] * len(fleet_demo.reports)
    made = tmp_path_factory.mktemp("questions") / "fleet"
    shutil.copytree(fleet_demo.folder, made)
    add_downloads(made)
    (made / "ghtraffic-export").symlink_to(made / "export")
    return made


def add_downloads(made: Path) -> None:
    """Add downloads of two releases: with a missing day, a replaced asset, and a later asset."""
    store, repository_id = f"sqlite:{made / 'ghtraffic.db'}", 904_221_377
    totals = {20: ((5, 9),), 21: ((7, 9), (0,)), 23: ((11, 2), (4,))}
    snapshots = []
    for day, counts in totals.items():
        at = datetime(2026, 11, day, 10, tzinfo=UTC)
        assets = [Asset(f"v{n}", f"lamp-{m}", c) for n, found in enumerate(counts) for m, c in enumerate(found)]
        snapshots.append(Snapshot(at.date(), "octo-lab/lighthouse", downloads=Downloads(at, tuple(assets))))
    with closing(open_store(store, create=False)) as opened:
        opened.save(repository_id, Changes(snapshots=tuple(snapshots)))
    given = {"GHTRAFFIC_STORE": store, "GHTRAFFIC_EXPORT_TO": str(made / "export")}
    assert not export_all(read_settings("export", given)).errors


@pytest.fixture(scope="module")
def views(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a DuckDB connection with the page's views, which read the files in each query."""
    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as connection:
        patch.chdir(folder)
        for statements in blocks("sql", section("DuckDB")):
            connection.execute(statements)
        yield connection


@pytest.fixture
def database(
    folder: Path, views: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a DuckDB connection with the page's views in the folder of the export."""
    monkeypatch.chdir(folder)
    with views.cursor() as connection:
        yield connection


def plain(value: Any) -> object:  # noqa: ANN401 - a cell of any library
    """Return a cell in a form that both libraries share."""
    if value is None or str(value) in ("nan", "NaT", "<NA>"):
        return None
    if hasattr(value, "date"):
        return value.date()
    return round(float(value), 6) if isinstance(value, (int, float)) or hasattr(value, "dtype") else value


def by_pandas(question: Question) -> list[Row]:
    """Run the page's lines. Return the rows of the last value."""
    names: dict[str, Any] = {}
    for setting_up in blocks("python", section("pandas")):
        exec(setting_up, names)  # noqa: S102 - the lines of our page
    lines = ast.parse(question.python)
    last = lines.body.pop()
    assert isinstance(last, ast.Expr)
    exec(compile(lines, question.title, "exec"), names)  # noqa: S102 - as above
    answer = eval(compile(ast.Expression(last.value), question.title, "eval"), names)  # noqa: S307 - as above
    if answer.ndim == 1 and isinstance(answer.index[0], str) and question.title.startswith("7."):
        return [tuple(map(plain, answer))]
    frame = answer if question.title.startswith("6.") else answer.reset_index()
    return [tuple(map(plain, row)) for row in frame.astype(object).itertuples(index=False)]


def by_duckdb(database: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    """Return the rows of a query."""
    return [tuple(map(plain, row)) for row in database.execute(sql).fetchall()]


def key(row: Row) -> list[str]:
    """Return a sort key for rows with unknown cells."""
    return [str(cell) for cell in row]


def test_there_are_twelve_questions_and_none_adds_uniques() -> None:
    assert [question.title.split(".")[0] for question in QUESTIONS] == [str(n) for n in range(1, 13)]
    assert not [question.sql for question in QUESTIONS if re.search(r"(sum|avg)\([^)]*uniques", question.sql)]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_duckdb_and_pandas_give_the_same_answer(database: duckdb.DuckDBPyConnection, question: Question) -> None:
    rows = by_duckdb(database, question.sql)
    size, first = ANSWERS[question.title.split(".")[0]]
    assert (len(rows), rows[: len(first)]) == (size, first)
    assert sorted(by_pandas(question), key=key) == sorted(rows, key=key)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_athena_has_what_a_question_names_and_means_the_same(
    database: duckdb.DuckDBPyConnection, question: Question
) -> None:
    """Athena's tables have all columns of the query, and its SQL dialect gives the same rows as DuckDB's."""
    query = sqlglot.parse_one(question.sql, dialect="athena")
    qualify(query.copy(), schema=SCHEMA, dialect="athena", validate_qualify_columns=True)
    assert by_duckdb(database, query.sql("duckdb")) == by_duckdb(database, question.sql)


def test_a_column_that_athena_lacks_is_noticed() -> None:
    query = sqlglot.parse_one("SELECT repository, visits FROM daily", dialect="athena")
    with pytest.raises(sqlglot.errors.OptimizeError, match="visits"):
        qualify(query, schema=SCHEMA, dialect="athena", validate_qualify_columns=True)


def test_the_saved_queries_find_something(database: duckdb.DuckDBPyConnection) -> None:
    """Each saved query of infra/athena.yaml returns rows on the fleet's last day."""
    template = read_template("athena.yaml")
    database.execute("CREATE VIEW repositories AS FROM read_csv('ghtraffic-export/v1/latest/repositories.csv')")
    for name in resources(template, "AWS::Athena::NamedQuery"):
        text: str = template["Resources"][name]["Properties"]["QueryString"]
        query = sqlglot.parse_one(text.replace("current_date", "DATE '2026-11-26'"), dialect="athena")
        qualify(query.copy(), schema=SCHEMA, dialect="athena", validate_qualify_columns=True)
        assert by_duckdb(database, query.sql("duckdb")), name


def test_the_store_is_read_with_sqlite(folder: Path) -> None:
    """The page's statement returns the newest days."""
    [sql] = blocks("sql", section("SQLite"))
    with closing(sqlite3.connect(folder / "ghtraffic.db")) as store:
        rows = store.execute(sql).fetchall()
    assert (len(rows), str(rows[0][0])) == (14, "2026-11-24")


def test_the_page_shows_the_columns_that_there_are() -> None:
    [example] = blocks("csv", PAGE)
    heading, *rows = example.splitlines()
    assert tuple(heading.split(",")) == TABLES["daily"]
    assert all(len(row.split(",")) == len(TABLES["daily"]) for row in rows)
