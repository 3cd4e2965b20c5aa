"""Write or `--check` the generated parts of the README and pages: `python -m docs.tables`."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
import yaml

from ghtraffic_action.cli import cli
from ghtraffic_action.github.errors import known_errors

ROOT = Path(__file__).parent.parent

ESSENTIAL = (
    *("repositories", "github-token", "github-app", "github-app-key", "store", "export-to"),
    *("summary", "dry-run", "max-wait", "heartbeat", "role-to-assume", "aws-region"),
)
"""The inputs of the README's table; docs/settings.md has all."""


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def inputs() -> str:
    """Write the Action's inputs."""
    rows: list[tuple[str, ...]] = [
        (f"`{name}`", f"`{given}`" if (given := entry.get("default")) else "", entry["description"].strip())
        for name, entry in action()["inputs"].items()
        if "deprecationMessage" not in entry
    ]
    return table(("setting", "default", "meaning"), rows)


def settings() -> str:
    """Write the inputs that most users need, each with its first sentence."""
    entries = action()["inputs"]
    rows: list[tuple[str, ...]] = [
        (f"`{name}`", re.split(r"(?<=\.)\s", entries[name]["description"].strip())[0]) for name in ESSENTIAL
    ]
    return table(("setting", "meaning"), rows)


def outputs() -> str:
    """Write the Action's outputs."""
    entries = action()["outputs"].items()
    rows: list[tuple[str, ...]] = [(f"`{name}`", entry["description"].strip()) for name, entry in entries]
    return table(("output", "meaning"), rows)


def commands() -> str:
    """Write the commands with the first lines of their help."""
    context = click.Context(cli)
    found = ((name, cli.get_command(context, name)) for name in cli.list_commands(context))
    rows: list[tuple[str, ...]] = [
        (f"`ghtraffic {name}`", (command.help or "").split("\n")[0]) for name, command in found if command
    ]
    return table(("command", "what it does"), rows)


def refused() -> str:
    """Write GitHub's errors and their remedies."""
    rows: list[tuple[str, ...]] = [(error.what, error.remedy) for error in known_errors()]
    return table(("it says", "what to do"), list(dict.fromkeys(rows)))


def workflow() -> str:
    """Write the whole workflow."""
    return f"```yaml\n{(ROOT / 'examples/traffic.yml').read_text()}```"


def action() -> dict[str, dict[str, dict[str, str]]]:
    """Read action.yml."""
    read: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((ROOT / "action.yml").read_text())
    return read


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "workflow": workflow,
    "settings": settings,
    "inputs": inputs,
    "outputs": outputs,
    "refusals": refused,
}


def generated(text: str) -> str:
    """Return the text with the generated parts between their marks."""
    for name, part in PARTS.items():
        marks = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = marks.sub(lambda found, part=part: f"{found[1]}{part()}\n{found[2]}", text)  # type: ignore[misc]  # mypy cannot type a lambda's default
    return text


def main() -> int:
    """Write the README and the pages again, or with `--check` compare them."""
    outdated = 0
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        before = page.read_text()
        after = generated(before)
        outdated += after != before
        if after != before and sys.argv[1:] != ["--check"]:
            page.write_text(after)
    return 1 if outdated and sys.argv[1:] == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main())
