"""The README's generated parts: `python -m docs.tables` writes them, `--check` says whether they are up to date."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from ghtraffic_action.github.errors import known_errors

ROOT = Path(__file__).parent.parent


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def inputs() -> str:
    """Write the Action's inputs."""
    rows: list[tuple[str, ...]] = [
        (f"`{name}`", f"`{given}`" if (given := entry.get("default")) else "", entry["description"].strip())
        for name, entry in action()["inputs"].items()
    ]
    return table(("setting", "default", "meaning"), rows)


def outputs() -> str:
    """Write the Action's outputs."""
    entries = action()["outputs"].items()
    rows: list[tuple[str, ...]] = [(f"`{name}`", entry["description"].strip()) for name, entry in entries]
    return table(("output", "meaning"), rows)


def refused() -> str:
    """Write what GitHub's refusals say."""
    return table(("it says", "what to do"), [(error.what, error.remedy) for error in known_errors()])


def workflow() -> str:
    """Write the whole workflow."""
    return f"```yaml\n{(ROOT / 'examples/traffic.yml').read_text()}```"


def action() -> dict[str, dict[str, dict[str, str]]]:
    """Read action.yml."""
    read: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((ROOT / "action.yml").read_text())
    return read


PARTS: dict[str, Callable[[], str]] = {
    "workflow": workflow,
    "inputs": inputs,
    "outputs": outputs,
    "refusals": refused,
}


def generated(text: str) -> str:
    """Put the generated parts between their marks."""
    for name, part in PARTS.items():
        marks = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = marks.sub(lambda found, part=part: f"{found[1]}{part()}\n{found[2]}", text)  # type: ignore[misc]  # mypy cannot type a lambda's default
    return text


def main() -> int:
    """Write the README again, or with `--check` compare it."""
    readme = ROOT / "README.md"
    before = readme.read_text()
    after = generated(before)
    if sys.argv[1:] == ["--check"]:
        return 0 if after == before else 1
    readme.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
