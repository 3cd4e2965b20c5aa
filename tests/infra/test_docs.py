"""What the pages about AWS say of the templates."""

import re

import pytest

from tests.support.builders import ROOT
from tests.support.job import HEARTBEAT, READER, WRITER
from tests.support.templates import BASE, FLEET, LAMBDA, Template, read_template

PAGES = {
    "setup-aws.md": BASE,
    "setup-lambda.md": LAMBDA,
    "setup-fleet.md": FLEET,
    "analyse.md": read_template("athena.yaml"),
    "analyse.md#quicksight": read_template("quicksight.yaml"),
}


PICTURE = re.compile(r"docs/([\w-]+\.png)")


def page(name: str) -> str:
    """Read a page."""
    return (ROOT / "docs" / name.partition("#")[0]).read_text()


@pytest.mark.parametrize(("name", "template"), PAGES.items())
def test_each_parameter_is_documented(name: str, template: Template) -> None:
    """By a table whose lines are the template's own words."""
    for parameter, found in template["Parameters"].items():
        default = found.get("Default", "")
        shown = f"`{default}`" if default != "" else ""
        assert f"| `{parameter}` | {shown} | {found['Description'].strip()} |\n" in page(name)


def test_each_permission_is_explained() -> None:
    """The table says what fails without it, and names nothing that is in no policy."""
    text = page("setup-aws.md")
    rows = re.findall(r"^\| (`[^|]+`) \|", text[text.index("| permission |") :], re.MULTILINE)
    named = {action for row in rows for action in re.findall(r"`([^`]+)`", row)}
    assert named == {*WRITER, *HEARTBEAT, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}
    assert all(f"`{action}`" in text for action in READER)


@pytest.mark.parametrize("template", [BASE, LAMBDA, FLEET])
def test_each_alarm_is_explained(template: Template) -> None:
    """With what to do, and so is each metric."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert re.search(rf"^\| `{name}`( \(Lambda(?:, state machine)?\))? \|", page("operate.md"), re.MULTILINE)
            metric = resource["Properties"]["MetricName"]
            assert resource["Properties"]["Namespace"] != "ghtraffic" or f"| `{metric}` |" in page("operate.md")


def test_pictures_are_there_and_small() -> None:
    """A page names no picture that is missing, and a clone does not grow by those that are remade."""
    named = {
        name
        for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for name in PICTURE.findall(path.read_text())
    }
    assert named == {path.name for path in (ROOT / "docs").glob("*.png")}
    assert all((ROOT / "docs" / name).stat().st_size < 150_000 for name in named)


def test_the_readme_is_short() -> None:
    """One screen to begin with, the rest in docs/."""
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") <= 180
    assert len(text.split()) <= 1500
