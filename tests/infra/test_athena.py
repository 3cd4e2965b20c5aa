"""The tables, views and queries of athena.yaml, compared with the exported files."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.exports.csvfile import parse
from ghtraffic_action.exports.layout import PATHS_TABLE, REFERRERS_TABLE, REPOSITORIES_TABLE, month_key, stars_key
from ghtraffic_action.settings import Settings
from tests.support.aws import Account
from tests.support.builders import NOW, ROOT
from tests.support.columns import PARTITIONS, TABLES, kind
from tests.support.fake_github import FakeGitHub, Release
from tests.support.runtime import no_wait_runtime
from tests.support.template_mutations import Mutation, Rule, add, by_rule, drop, put, unnoticed
from tests.support.template_rules import no_wildcard_can_be_entered
from tests.support.templates import Template, made, read_template, resources

ATHENA = read_template("athena.yaml")
PLACE = {"BucketName": "exports", "Prefix": "traffic"}
HIVE = {"text": "string", "number": "bigint", "date": "date", "boolean": "boolean"}
PRESTO = HIVE | {"text": "varchar"}
PLAIN = ("daily", "stars")
"""Tables whose text needs no quotes."""

STRINGS = {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\x01"}


def _tables(template: Template, kind_of_table: str) -> dict[str, Any]:
    found = made(template, **PLACE)
    inputs = [found[name]["TableInput"] for name in resources(template, "AWS::Glue::Table")]
    return {table["Name"]: table for table in inputs if table["TableType"] == kind_of_table}


def _columns(table: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - YAML
    return [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]


def each_table_has_the_columns_of_its_file(template: Template) -> None:
    """Each table has its file's columns in order; OpenCSVSerde reads all of them as strings."""
    tables = _tables(template, "EXTERNAL_TABLE")
    assert tables.keys() == {name if name in PLAIN else f"{name}_text" for name in TABLES}
    for name, columns in TABLES.items():
        if name in PLAIN:
            assert _columns(tables[name]) == [(column, HIVE[kind(column)]) for column in columns]
        else:
            assert _columns(tables[f"{name}_text"]) == [(column, "string") for column in columns]


def each_table_has_a_folder_of_its_own(template: Template) -> None:
    """Each table has a separate folder, since Athena reads every file below a table's location."""
    for name, table in _tables(template, "EXTERNAL_TABLE").items():
        folder = name.removesuffix("_text")
        assert table["StorageDescriptor"]["Location"] == f"s3://exports/traffic/v1/{folder}/"
        assert table["Parameters"]["skip.header.line.count"] == "1"


def text_is_read_with_its_quotes(template: Template) -> None:
    """OpenCSVSerde reads quoted text, with an escape character that no file contains; LazySimpleSerDe reads numbers."""
    for name, table in _tables(template, "EXTERNAL_TABLE").items():
        reader = table["StorageDescriptor"]["SerdeInfo"]
        library, parameters = reader["SerializationLibrary"], reader["Parameters"]
        if name in PLAIN:
            assert library == "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
            assert parameters == {"field.delim": ",", "serialization.null.format": ""}
        else:
            assert library == "org.apache.hadoop.hive.serde2.OpenCSVSerde"
            assert parameters == STRINGS


def folders_are_found_without_a_crawler(template: Template) -> None:
    """The partitions reach from `FirstMonth` to the next month, for time zones in which it has begun.

    A year of stars begins in Los Angeles after it does in UTC, and none is older than GitHub.
    """
    for name, table in _tables(template, "EXTERNAL_TABLE").items():
        folder = name.removesuffix("_text")
        projection = {key: value for key, value in table["Parameters"].items() if "projection" in key}
        if not (unit := PARTITIONS.get(folder)):
            assert not projection
            assert "PartitionKeys" not in table
            continue
        assert table["PartitionKeys"] == [{"Name": unit, "Type": "string"}]
        written, values = {"month": ("yyyy-MM", "2008-01,NOW+1MONTHS"), "year": ("yyyy", "2008,NOW")}[unit]
        assert projection == {
            "projection.enabled": "true",
            f"projection.{unit}.type": "date",
            f"projection.{unit}.format": written,
            f"projection.{unit}.range": values,
            f"projection.{unit}.interval": "1",
            f"projection.{unit}.interval.unit": f"{unit.upper()}S",
        }
        file = month_key(folder, "${month}") if unit == "month" else stars_key(2026).replace("2026", "${year}")
        assert f"{table['Parameters']['storage.location.template']}{folder}.csv" == f"s3://exports/traffic/{file}"


def views_cast_each_column(template: Template) -> None:
    """The views cast each column to its type by TRY_CAST; Athena and Glue have the same columns."""
    views = _tables(template, "VIRTUAL_VIEW")
    assert views.keys() == TABLES.keys() - set(PLAIN)
    for name, view in views.items():
        columns = [*TABLES[name], *(["month"] if name in PARTITIONS else [])]
        kinds = {column: "text" if column == "month" else kind(column) for column in columns}
        found = re.fullmatch(r"/\* Presto View: (\S+) \*/", view["ViewOriginalText"])
        assert found
        described = json.loads(base64.b64decode(found[1]))
        selected = ", ".join(
            column if kinds[column] == "text" else f"TRY_CAST({column} AS {PRESTO[kinds[column]]}) AS {column}"
            for column in columns
        )
        assert described["originalSql"] == f"SELECT {selected} FROM ghtraffic.{name}_text"  # noqa: S608 - ours
        assert (described["catalog"], described["schema"]) == ("awsdatacatalog", "ghtraffic")
        assert described["columns"] == [{"name": column, "type": PRESTO[kinds[column]]} for column in columns]
        assert _columns(view) == [(column, HIVE[kinds[column]]) for column in columns]
        assert view["Parameters"]["presto_view"] == "true"


WORDS = set(
    re.findall(
        r"[a-z_]+",
        "select as from where group by order desc limit with join on and filter sum count_if date_trunc date_format "
        "current_date interval month day approx_percentile max_by nullif day_of_week is not null "
        "lag over partition case when then end",
    )
)
"""What saved queries use of SQL."""


def _queries(template: Template) -> Iterator[str]:
    for name in resources(template, "AWS::Athena::NamedQuery"):
        yield template["Resources"][name]["Properties"]["QueryString"].lower()


def queries_name_what_there_is(template: Template) -> None:
    """Each word of a query is a keyword, a table, a column of the query's tables, or a name it defines."""
    assert len(list(_queries(template))) >= 5
    for query in _queries(template):
        words = set(re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"'[^']*'", "", query)))
        made_here = set(re.findall(r"\bas ([a-z_0-9]+)", query)) | set(re.findall(r"with ([a-z_]+) as", query))
        tables = set(re.findall(r"\b(?:from|join) ([a-z_]+)", query)) - made_here
        assert tables <= TABLES.keys()
        columns = {column for table in tables for column in TABLES[table]}
        assert words <= WORDS | tables | columns | made_here | {
            PARTITIONS[table] for table in tables & PARTITIONS.keys()
        }


def unique_visitors_are_never_added(template: Template) -> None:
    """No query sums up unique visitors, or 14-day totals of paths and referrers.

    A row of downloads is a running total: one day's may be added over assets, and differences.
    """
    for query in _queries(template):
        assert not re.search(r"(sum|avg)\s*\([^)]*uniques", query)
        if re.search(r"from (latest_)?(paths|referrers)", query):
            assert "sum(" not in query
        if "from downloads" in query:
            assert "repository, tag, observed, sum(downloads)" in query
            assert "group by 1, 2, 3" in query


def results_are_kept_nowhere(template: Template) -> None:
    """Athena deletes query results after a day, and stops a query that reads too much."""
    settings = made(template, **PLACE)["WorkGroup"]["WorkGroupConfiguration"]
    assert settings["ManagedQueryResultsConfiguration"] == {"Enabled": True}
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 10**9


def _in(name: str, path: str) -> str:
    return f"Resources/{name}/Properties/TableInput/{path}"


SQL = _in("Paths", "ViewOriginalText/Fn::Sub/1/View/Fn::Base64/Fn::Sub")
VIEW: str = ATHENA["Resources"]["Paths"]["Properties"]["TableInput"]["ViewOriginalText"]["Fn::Sub"][1]["View"][
    "Fn::Base64"
]["Fn::Sub"]


def _view(old: str, new: str) -> Mutation:
    assert old in VIEW
    return put(SQL, VIEW.replace(old, new))


def _query(old: str, new: str) -> Mutation:
    text: str = ATHENA["Resources"]["Growth"]["Properties"]["QueryString"]
    assert old in text
    return put("Resources/Growth/Properties/QueryString", text.replace(old, new))


MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    each_table_has_the_columns_of_its_file: (
        drop(_in("Daily", "StorageDescriptor/Columns/5")),
        put(_in("Daily", "StorageDescriptor/Columns/2/Type"), "string"),
        put(_in("Daily", "StorageDescriptor/Columns/3/Name"), "view"),
        put(_in("PathsText", "StorageDescriptor/Columns/1/Type"), "bigint"),
        add(_in("RepositoriesText", "StorageDescriptor/Columns"), {"Name": "language", "Type": "string"}),
        drop(_in("Stars", "StorageDescriptor/Columns/2")),
        put(_in("DownloadsText", "StorageDescriptor/Columns/5/Type"), "bigint"),
    ),
    each_table_has_a_folder_of_its_own: (
        put(_in("LatestPathsText", "StorageDescriptor/Location/Fn::Sub"), "s3://${BucketName}/${Prefix}/v1/latest/"),
        put(_in("Daily", "StorageDescriptor/Location/Fn::Sub"), "s3://${BucketName}/${Prefix}/v1/"),
        drop(_in("Daily", "Parameters/skip.header.line.count")),
        put(_in("Stars", "StorageDescriptor/Location/Fn::Sub"), "s3://${BucketName}/${Prefix}/v1/releases/"),
    ),
    text_is_read_with_its_quotes: (
        put(_in("PathsText", "StorageDescriptor/SerdeInfo/Parameters/escapeChar"), "\\"),
        drop(_in("PathsText", "StorageDescriptor/SerdeInfo/Parameters/escapeChar")),
        drop(_in("Daily", "StorageDescriptor/SerdeInfo/Parameters/serialization.null.format")),
        put(
            _in("ReferrersText", "StorageDescriptor/SerdeInfo/SerializationLibrary"),
            "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        ),
    ),
    folders_are_found_without_a_crawler: (
        put(_in("Daily", "Parameters/projection.month.range/Fn::Sub"), "${FirstMonth},NOW"),
        put(_in("Daily", "Parameters/projection.month.format"), "yyyyMM"),
        put("Parameters/FirstMonth/Default", "2020-01"),
        drop(_in("PathsText", "PartitionKeys")),
        drop(_in("DownloadsText", "PartitionKeys")),
        put(_in("Stars", "Parameters/projection.year.range"), "2020,NOW"),
        put(_in("Stars", "Parameters/storage.location.template/Fn::Sub"), "s3://${BucketName}/${Prefix}/v1/stars/"),
        put(_in("PathsText", "Parameters/storage.location.template/Fn::Sub"), "s3://${BucketName}/v1/paths/${!month}/"),
    ),
    views_cast_each_column: (
        _view("TRY_CAST(views AS bigint)", "CAST(views AS bigint)"),
        _view("TRY_CAST(views AS bigint)", "TRY_CAST(view_uniques AS bigint)"),
        _view("path, title", "title, path"),
        _view('{"name": "views", "type": "bigint"}', '{"name": "views", "type": "varchar"}'),
        _view("paths_text", "referrers_text"),
        _view('"name": "title"', '"name": "headline"'),
        put(_in("Repositories", "StorageDescriptor/Columns/0/Type"), "string"),
        put(_in("Paths", "Parameters/presto_view"), "false"),
        put(_in("Downloads", "StorageDescriptor/Columns/5/Type"), "string"),
    ),
    queries_name_what_there_is: (
        _query("sum(views)", "sum(visits)"),
        _query("FROM daily", "FROM days"),
        _query("state", "status"),
        _query("repository", "title"),
    ),
    unique_visitors_are_never_added: (
        _query("sum(views)", "sum(view_uniques)"),
        _query("sum(views)", "avg( view_uniques)"),
        _query("FROM daily", "FROM paths"),
        _query("FROM daily", "FROM downloads"),
    ),
    results_are_kept_nowhere: (
        drop("Resources/WorkGroup/Properties/WorkGroupConfiguration/ManagedQueryResultsConfiguration"),
        drop("Resources/WorkGroup/Properties/WorkGroupConfiguration/BytesScannedCutoffPerQuery"),
    ),
    no_wildcard_can_be_entered: (drop("Parameters/DatabaseName/AllowedPattern"),),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS))
def test_the_template_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, ATHENA, mutations) == []


def test_the_stack_makes_the_tables(account: Account) -> None:
    """The stack creates all tables and views; the emulator has no saved queries, so they are cut off."""
    text = (ROOT / "infra" / "athena.yaml").read_text()
    text = text[: text.index("  Growth:\n")] + text[text.index("Outputs:\n") :]
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in PLACE.items()]
    account.client("cloudformation").create_stack(StackName="athena", TemplateBody=text, Parameters=given)
    account.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="athena", WaiterConfig={"Delay": 1}
    )
    made_tables = account.client("glue").get_tables(DatabaseName="ghtraffic")["TableList"]
    expected = _tables(ATHENA, "EXTERNAL_TABLE") | _tables(ATHENA, "VIRTUAL_VIEW")
    assert {table["Name"] for table in made_tables} == expected.keys()
    for table in made_tables:
        assert _columns(table) == _columns(expected[table["Name"]])
        assert table.get("ViewOriginalText") == expected[table["Name"]].get("ViewOriginalText")
    assert account.client("athena").get_work_group(WorkGroup="ghtraffic")["WorkGroup"]["State"] == "ENABLED"


CASTS: dict[str, Callable[[str], object]] = {
    "text": str,
    "number": int,
    "date": date.fromisoformat,
    "boolean": ("true", "false").index,
}
FILES = {
    "daily": month_key("daily", "2026-11"),
    "paths": month_key("paths", "2026-11"),
    "referrers": month_key("referrers", "2026-11"),
    "downloads": month_key("downloads", "2026-11"),
    "stars": stars_key(2026),
    "latest_paths": PATHS_TABLE,
    "latest_referrers": REFERRERS_TABLE,
    "repositories": REPOSITORIES_TABLE,
}


@pytest.mark.parametrize("table", TABLES)
def test_what_is_exported_is_of_its_column_s_kind(
    github: FakeGitHub, settings_for: Callable[..., Settings], table: str
) -> None:
    """Each exported value can be cast to its column's type, and no text has control characters."""
    github.repositories[0].releases = (Release('v1,"odd"', NOW, NOW, (("lamp.zip", 7),)),)
    assert run(settings_for(), no_wait_runtime()).exit_code == 0
    content = (Path("ghtraffic-export") / FILES[table]).read_bytes()
    rows = list(parse(FILES[table], content).records())
    assert rows
    for row in rows:
        assert tuple(row) == TABLES[table]
        for column, text in row.items():
            assert text == "" or CASTS[kind(column)](text) is not None
            assert text.isprintable()
