"""The pages about AWS, compared with the templates."""

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
    """Return a page's text."""
    return (ROOT / "docs" / name.partition("#")[0]).read_text()


@pytest.mark.parametrize(("name", "template"), PAGES.items())
def test_each_parameter_is_documented(name: str, template: Template) -> None:
    """A table lists each parameter with its default and the template's description."""
    for parameter, found in template["Parameters"].items():
        default = found.get("Default", "")
        shown = f"`{default}`" if default != "" else ""
        assert f"| `{parameter}` | {shown} | {found['Description'].strip()} |\n" in page(name)


def test_each_permission_is_explained() -> None:
    """The table lists exactly the permissions of the policies."""
    text = page("setup-aws.md")
    rows = re.findall(r"^\| (`[^|]+) \|", text[text.index("| permission |") :], re.MULTILINE)
    named = {action for row in rows for action in re.findall(r"`(\w+:\w+)`", row)}
    assert named == {*WRITER, *HEARTBEAT, "sns:Publish", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}
    assert all(f"`{action}`" in text for action in READER)


@pytest.mark.parametrize("template", [BASE, LAMBDA, FLEET])
def test_each_alarm_is_explained(template: Template) -> None:
    """The pages explain each alarm, and each metric that it watches."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert re.search(rf"^\| `{name}`( \(Lambda(?:, state machine)?\))? \|", page("operate.md"), re.MULTILINE)
            metric = resource["Properties"]["MetricName"]
            assert resource["Properties"]["Namespace"] != "ghtraffic" or f"| `{metric}` |" in page("operate.md")


def test_pictures_are_there_and_small() -> None:
    """All pictures that the pages show exist and are small, since each new version adds to every clone."""
    named = {
        name
        for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for name in PICTURE.findall(path.read_text())
    }
    assert named == {path.name for path in (ROOT / "docs").glob("*.png")}
    assert all((ROOT / "docs" / name).stat().st_size < 150_000 for name in named)


def test_the_readme_is_short() -> None:
    """The README has at most 180 lines and 1,500 words."""
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") <= 180
    assert len(text.split()) <= 1500
