"""Updates CHANGELOG, package version and pins for a release."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_IN_PACKAGE = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)
_PIN = re.compile(r"(ghtraffic/ghtraffic@)[0-9a-f]{40} # v\S+")


def notes(changelog: str, version: str) -> str:
    """Return the section of a version, without its heading; empty if there is none."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    found = (section for section in sections if section.split("\n", 1)[0].split(" ")[0] == version)
    return next(found, "\n").split("\n", 1)[1].strip()


def released(changelog: str, version: str, day: date) -> str:
    """Return the changelog with the unreleased changes under the version's heading."""
    return changelog.replace("## Unreleased\n", f"## Unreleased\n\n## {version} ({day})\n", 1)


def pinned(text: str, version: str, commit: str) -> str:
    """Pin the Action in a text's workflows to a release's commit."""
    return _PIN.sub(rf"\g<1>{commit} # v{version}", text)


def problems(tag: str, package: str, changelog: str) -> list[str]:
    """Return the problems that block a tag's release."""
    version = tag.removeprefix("v")
    found = _IN_PACKAGE.search(package)
    return [
        text
        for wrong, text in (
            (not _VERSION.fullmatch(version) or tag == version, f"tag {tag!r}: expected v1.2.3"),
            (not found or found[1] != version, f"the package's version: expected {version}, got {found and found[1]}"),
            (not notes(changelog, version), f"CHANGELOG.md: expected changes below `## {version} (DATE)`, got none"),
        )
        if wrong
    ]


def _edit(name: str, old: str, new: str) -> None:
    if new == old:
        raise click.ClickException(f"{name}: nothing to change")
    (ROOT / name).write_text(new)


@click.group()
def main() -> None:
    """Prepare a release, check its tag, and pin the examples to it."""


@main.command()
@click.argument("version")
def prepare(version: str) -> None:
    """Write VERSION into the package and the CHANGELOG, to be committed and tagged."""
    package, changelog = "ghtraffic_action/__init__.py", (ROOT / "CHANGELOG.md").read_text()
    if not _VERSION.fullmatch(version) or not notes(changelog, "Unreleased") or notes(changelog, version):
        raise click.ClickException(f"{version!r}: expected a new version such as 1.2.3, with changes below Unreleased")
    (ROOT / package).write_text(_IN_PACKAGE.sub(f'__version__ = "{version}"', (ROOT / package).read_text()))
    _edit("CHANGELOG.md", changelog, released(changelog, version, datetime.now(UTC).date()))


@main.command()
@click.argument("tag")
def check(tag: str) -> None:
    """Print the changes of TAG, or fail with what keeps it from being released."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    wrong = problems(tag, (ROOT / "ghtraffic_action" / "__init__.py").read_text(), changelog)
    if wrong:
        sys.exit("\n".join(wrong))
    click.echo(notes(changelog, tag.removeprefix("v")))


@main.command()
@click.argument("version")
def pin(version: str) -> None:
    """Pin the examples and pages to the commit of the tag of VERSION."""
    command = ["git", "rev-parse", "--verify", "--quiet", f"v{version}^{{commit}}"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if found.returncode:
        raise click.ClickException(f"there is no tag v{version}: fetch the tags, or make it")
    for path in (*sorted((ROOT / "examples").glob("*.yml")), *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text()
        if _PIN.search(text):
            _edit(str(path.relative_to(ROOT)), text, pinned(text, version, found.stdout.strip()))
    subprocess.run([sys.executable, "-m", "docs.tables"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
