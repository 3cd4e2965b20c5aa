"""The data sets and the dashboard of quicksight.yaml, compared with the exported files."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.columns import TABLES, kind
from tests.support.template_mutations import Mutation, Rule, add, by_rule, drop, put, unnoticed
from tests.support.template_rules import (
    every_role_has_the_boundary_and_the_path,
    no_wildcard_can_be_entered,
    nothing_is_allowed_by_a_wildcard,
)
from tests.support.templates import ACCOUNT, Template, made, read_template, resources

QUICKSIGHT = read_template("quicksight.yaml")
GIVEN = {"BucketName": "exports", "Prefix": "traffic", "Principal": "arn:analyst"}
SHOWN = ("daily", "latest_paths", "latest_referrers", "repositories")
PARSED = {"number": "parseInt(nullIf({%s_text}, ''))", "date": "parseDate(nullIf({%s_text}, ''), 'yyyy-MM-dd')"}
SET, SOURCE, REFRESH = (f"AWS::QuickSight::{name}" for name in ("DataSet", "DataSource", "RefreshSchedule"))


def _made(template: Template, kind_of_resource: str) -> dict[str, Any]:
    found = made(template, **GIVEN)
    return {name: found[name] for name in resources(template, kind_of_resource)}


def _table(data_set: Any) -> str:  # noqa: ANN401 - YAML
    return str(data_set["DataSetId"]).removeprefix("ghtraffic-")


def each_source_has_its_manifest(template: Template) -> None:
    """Each source reads its manifest by the stack's role, and each data set reads the source of its name."""
    sources, sets = _made(template, SOURCE), _made(template, SET)
    for name, data_set in sets.items():
        source = sources[f"{name}Source"]
        [physical] = data_set["PhysicalTableMap"].values()
        assert physical["S3Source"]["DataSourceArn"] == f"arn:{name}Source"
        parameters = source["DataSourceParameters"]["S3Parameters"]
        assert parameters["RoleArn"] == "arn:ReadRole"
        manifest = f"traffic/quicksight/{_table(data_set)}.manifest.json"
        assert parameters["ManifestFileLocation"] == {"Bucket": "exports", "Key": manifest}
    assert {_table(data_set) for data_set in sets.values()} == set(SHOWN)
    assert len(sources) == len(sets)


def each_set_reads_all_columns_in_order(template: Template) -> None:
    """Each column is read as text and in order: QuickSight drops rows with a value that does not convert."""
    for data_set in _made(template, SET).values():
        [physical] = data_set["PhysicalTableMap"].values()
        columns = physical["S3Source"]["InputColumns"]
        assert columns == [{"Name": column, "Type": "STRING"} for column in TABLES[_table(data_set)]]
        settings = physical["S3Source"]["UploadSettings"]
        assert (settings["Format"], settings["ContainsHeader"], settings["StartFromRow"]) == ("CSV", True, 1)
        assert (settings["Delimiter"], settings["TextQualifier"]) == (",", "DOUBLE_QUOTE")


def no_cast_drops_a_row(template: Template) -> None:
    """Numbers and dates are parsed from text or null, never cast, and the file's columns keep their order."""
    for data_set in _made(template, SET).values():
        columns = TABLES[_table(data_set)]
        parsed = [column for column in columns if kind(column) in PARSED]
        [logical] = data_set["LogicalTableMap"].values()
        [physical] = data_set["PhysicalTableMap"]
        assert logical["Source"] == {"PhysicalTableId": physical}
        renamed = [{"RenameColumnOperation": {"ColumnName": c, "NewColumnName": f"{c}_text"}} for c in parsed]
        created = [{"ColumnId": c, "ColumnName": c, "Expression": PARSED[kind(c)] % c} for c in parsed]
        expected = [
            *renamed,
            {"CreateColumnsOperation": {"Columns": created}},
            {"ProjectOperation": {"ProjectedColumns": list(columns)}},
        ]
        assert logical["DataTransforms"] == expected


def each_set_is_renewed_after_the_run(template: Template) -> None:
    """Each data set is refreshed daily at `RefreshTime`, whose default is after the runs and their retries."""
    sets = {data_set["DataSetId"]: name for name, data_set in _made(template, SET).items()}
    refreshed = _made(template, REFRESH)
    assert {refresh["DataSetId"] for refresh in refreshed.values()} == sets.keys()
    for name, refresh in refreshed.items():
        frequency = refresh["Schedule"]["ScheduleFrequency"]
        assert frequency == {"Interval": "DAILY", "TimeOfTheDay": "15:17", "TimeZone": "UTC"}
        assert refresh["Schedule"]["RefreshType"] == "FULL_REFRESH"
        assert template["Resources"][name]["DependsOn"] == sets[refresh["DataSetId"]]


def all_is_shown_to_the_principal(template: Template) -> None:
    """Each resource grants permissions to the principal; without any, nobody could see it."""
    shown = [*_made(template, SOURCE).values(), *_made(template, SET).values(), made(template, **GIVEN)["Dashboard"]]
    for found in shown:
        [permission] = found["Permissions"]
        assert permission["Principal"] == "arn:analyst"
        assert {action.partition(":")[0] for action in permission["Actions"]} == {"quicksight"}
        assert any(action.startswith("quicksight:Describe") for action in permission["Actions"])


def the_role_reads_the_export(template: Template) -> None:
    """Only this account's QuickSight can assume the role, and a key is allowed only if there is one."""
    role = made(template, **GIVEN)["ReadRole"]
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "quicksight.amazonaws.com"}
    assert trusted["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    [policy] = role["Policies"]
    read, listing = policy["PolicyDocument"]["Statement"]
    assert (read["Action"], read["Resource"]) == ("s3:GetObject", "arn:aws:s3:::exports/traffic/*")
    assert (listing["Action"], listing["Resource"]) == ("s3:ListBucket", "arn:aws:s3:::exports")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "traffic/*"}}
    [policy] = made(template, **GIVEN, DataKeyArn="arn:key")["ReadRole"]["Policies"]
    key = policy["PolicyDocument"]["Statement"][2]
    assert (key["Action"], key["Resource"]) == ("kms:Decrypt", "arn:key")


def _fields(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - YAML
    """Yield each column reference of a definition, with the keys that lead to it."""
    if isinstance(tree, dict):
        if tree.keys() >= {"DataSetIdentifier", "ColumnName"}:
            yield path, tree
        for key, value in tree.items():
            yield from _fields(value, (*path, key))
    elif isinstance(tree, list):
        for value in tree:
            yield from _fields(value, path)


def _definition(template: Template) -> Any:  # noqa: ANN401 - YAML
    return made(template, **GIVEN)["Dashboard"]["Definition"]


def the_dashboard_names_columns_that_there_are(template: Template) -> None:
    """Each referenced column exists in its data set, with the type that its place in the chart needs."""
    definition, sets = _definition(template), _made(template, SET)
    declared = {found["Identifier"]: found["DataSetArn"] for found in definition["DataSetIdentifierDeclarations"]}
    assert declared == {_table(data_set): f"arn:{name}" for name, data_set in sets.items()}
    fields = list(_fields(definition))
    assert {field["DataSetIdentifier"] for _, field in fields} == set(SHOWN)
    for path, field in fields:
        assert field["ColumnName"] in TABLES[field["DataSetIdentifier"]]
        found, role = kind(field["ColumnName"]), path[-2]
        assert found == {"NumericalMeasureField": "number", "DateDimensionField": "date"}.get(role, found)
        if role == "CategoricalDimensionField":
            assert found == "text"


def _visuals(template: Template) -> Iterator[tuple[str, Any]]:
    for sheet in _definition(template)["Sheets"]:
        for visual in sheet["Visuals"]:
            yield from visual.items()


def unique_visitors_are_never_added(template: Template) -> None:
    """Only views and clones are summed; other measures are maxima by repository."""
    for _, visual in _visuals(template):
        for wells in visual["ChartConfiguration"]["FieldWells"].values():
            for value in wells["Values"]:
                if not (measure := value.get("NumericalMeasureField")):
                    continue
                added = measure["AggregationFunction"] == {"SimpleNumericalAggregation": "SUM"}
                if measure["Column"]["ColumnName"] in ("views", "clones"):
                    assert added
                    continue
                assert measure["AggregationFunction"] == {"SimpleNumericalAggregation": "MAX"}
                [color] = wells["Colors"]
                assert color["CategoricalDimensionField"]["Column"]["ColumnName"] == "repository"


def there_are_lines_lists_and_the_fleet(template: Template) -> None:
    """Ids are unique, tables sort by a shown field, and filters refer to existing sheets."""
    kinds = [name for name, _ in _visuals(template)]
    assert kinds.count("LineChartVisual") >= 3
    assert kinds.count("TableVisual") == 3
    ids = [visual["VisualId"] for _, visual in _visuals(template)]
    definition = _definition(template)
    assert len(set(ids)) == len(ids)
    for name, visual in _visuals(template):
        fields = list(_ids(visual["ChartConfiguration"]["FieldWells"]))
        assert len(set(fields)) == len(fields)
        if name == "TableVisual":
            [sort] = visual["ChartConfiguration"]["SortConfiguration"]["RowSort"]
            assert sort["FieldSort"]["FieldId"] in fields
    sheets = {sheet["SheetId"] for sheet in definition["Sheets"]}
    filters = set()
    for group in definition["FilterGroups"]:
        scopes = group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
        assert {scope["SheetId"] for scope in scopes} <= sheets
        filters |= {found["FilterId"] for kinds in group["Filters"] for found in kinds.values()}
    controls = [control for sheet in definition["Sheets"] for control in sheet.get("FilterControls", ())]
    assert {found["SourceFilterId"] for control in controls for found in control.values()} == filters


def _ids(tree: Any) -> Iterator[str]:  # noqa: ANN401 - YAML
    if isinstance(tree, dict):
        if "FieldId" in tree:
            yield tree["FieldId"]
        tree = list(tree.values())
    if isinstance(tree, list):
        for value in tree:
            yield from _ids(value)


DAILY = "Resources/Daily/Properties"
INPUT = f"{DAILY}/PhysicalTableMap/daily/S3Source/InputColumns"
TRANSFORMS = f"{DAILY}/LogicalTableMap/daily/DataTransforms"
CREATED = len(QUICKSIGHT["Resources"]["Daily"]["Properties"]["LogicalTableMap"]["daily"]["DataTransforms"]) - 2
DASHBOARD = "Resources/Dashboard/Properties"
FIRST = f"{DASHBOARD}/Definition/Sheets/0/Visuals/0/LineChartVisual/ChartConfiguration/FieldWells"
WELLS = f"{FIRST}/LineChartAggregatedFieldWells"
UNIQUES = WELLS.replace("Visuals/0", "Visuals/2")
FLEET = f"{DASHBOARD}/Definition/Sheets/1/Visuals/0/TableVisual/ChartConfiguration"
ROLE = "Resources/ReadRole/Properties"
READ = f"{ROLE}/Policies/0/PolicyDocument/Statement"

MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    each_source_has_its_manifest: (
        put(
            "Resources/DailySource/Properties/DataSourceParameters/S3Parameters/ManifestFileLocation/Key",
            {"Fn::Sub": "${Prefix}/quicksight/days.manifest.json"},
        ),
        drop("Resources/DailySource/Properties/DataSourceParameters/S3Parameters/RoleArn"),
        put(
            f"{DAILY}/PhysicalTableMap/daily/S3Source/DataSourceArn",
            {"Fn::GetAtt": ["RepositoriesSource", "Arn"]},
        ),
    ),
    each_set_reads_all_columns_in_order: (
        drop(f"{INPUT}/4"),
        put(f"{INPUT}/3/Type", "INTEGER"),
        put(f"{INPUT}/3/Name", "view_uniques"),
        add(INPUT, {"Name": "language", "Type": "STRING"}),
        put(f"{DAILY}/PhysicalTableMap/daily/S3Source/UploadSettings/ContainsHeader", False),
    ),
    no_cast_drops_a_row: (
        add(TRANSFORMS, {"CastColumnTypeOperation": {"ColumnName": "views", "NewColumnType": "INTEGER"}}),
        put(f"{TRANSFORMS}/{CREATED}/CreateColumnsOperation/Columns/2/Expression", "parseInt({views_text})"),
        put(f"{TRANSFORMS}/{CREATED}/CreateColumnsOperation/Columns/2/ColumnName", "visits"),
        drop(f"{TRANSFORMS}/{CREATED}/CreateColumnsOperation/Columns/2"),
        drop(f"{TRANSFORMS}/2"),
        drop(f"{TRANSFORMS}/{CREATED + 1}"),
    ),
    each_set_is_renewed_after_the_run: (
        drop("Resources/DailyRefresh"),
        put("Parameters/RefreshTime/Default", "04:30"),
        put("Resources/DailyRefresh/DependsOn", "Repositories"),
        put("Resources/DailyRefresh/Properties/Schedule/ScheduleFrequency/Interval", "WEEKLY"),
    ),
    all_is_shown_to_the_principal: (
        drop(f"{DAILY}/Permissions"),
        put("Resources/DailySource/Properties/Permissions/0/Principal", "arn:other"),
        put(f"{DASHBOARD}/Permissions/0/Actions", ["s3:GetObject"]),
    ),
    the_role_reads_the_export: (
        drop(f"{ROLE}/AssumeRolePolicyDocument/Statement/0/Condition"),
        put(f"{READ}/0/Action", ["s3:GetObject", "s3:PutObject"]),
        drop(f"{READ}/1/Condition"),
        put(f"{READ}/2/Fn::If/2", {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}),
    ),
    the_dashboard_names_columns_that_there_are: (
        put(f"{WELLS}/Values/0/NumericalMeasureField/Column/ColumnName", "visits"),
        put(f"{WELLS}/Values/0/NumericalMeasureField/Column/ColumnName", "state"),
        put(f"{WELLS}/Category/0/DateDimensionField/Column/ColumnName", "repository"),
        put(f"{UNIQUES}/Colors/0/CategoricalDimensionField/Column/ColumnName", "views"),
        put(f"{FLEET}/FieldWells/TableUnaggregatedFieldWells/Values/0/Column/DataSetIdentifier", "fleet"),
        put(f"{FLEET}/FieldWells/TableUnaggregatedFieldWells/Values/0/Column/ColumnName", "day"),
        drop(f"{DASHBOARD}/Definition/DataSetIdentifierDeclarations/0"),
    ),
    unique_visitors_are_never_added: (
        put(
            f"{UNIQUES}/Values/0/NumericalMeasureField/AggregationFunction/SimpleNumericalAggregation",
            "SUM",
        ),
        put(f"{WELLS}/Values/0/NumericalMeasureField/Column/ColumnName", "view_uniques"),
        drop(f"{UNIQUES}/Colors"),
    ),
    there_are_lines_lists_and_the_fleet: (
        drop(f"{DASHBOARD}/Definition/Sheets/1/Visuals/0"),
        put(f"{FLEET}/SortConfiguration/RowSort/0/FieldSort/FieldId", "fleet-views"),
        put(f"{DASHBOARD}/Definition/Sheets/0/Visuals/0/LineChartVisual/VisualId", "stars"),
        put(f"{DASHBOARD}/Definition/Sheets/0/FilterControls/0/Dropdown/SourceFilterId", "owner"),
    ),
    nothing_is_allowed_by_a_wildcard: (put(f"{READ}/0/Resource", "*"), put(f"{READ}/0/Action", "s3:*")),
    no_wildcard_can_be_entered: (
        drop("Parameters/BucketName/AllowedPattern"),
        put("Parameters/Principal/AllowedPattern", "arn:aws:quicksight:.*"),
    ),
    every_role_has_the_boundary_and_the_path: (drop(f"{ROLE}/Path"), drop(f"{ROLE}/PermissionsBoundary")),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS))
def test_the_template_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, QUICKSIGHT, mutations) == []
