"""The rules of structure in CONTRIBUTING.md: where code is, how long files are, what tests share."""

import re
from pathlib import Path

import pytest

from tests.support.builders import ROOT

PACKAGE = ROOT / "ghtraffic_action"
MODULES = [path for path in PACKAGE.rglob("*.py") if path.stem not in ("__init__", "__main__")]
TESTS = [path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts]


def responsibilities() -> str:
    """Return the table of modules in the design page."""
    page = (ROOT / "docs" / "design.md").read_text()
    return page.partition("\n## Where code belongs\n")[2].partition("\n## ")[0]


def is_described(path: Path, table: str) -> bool:
    """Return whether a folder's row names a module, or a family of it; each command is a module of `commands/`."""
    folder = path.parent.relative_to(PACKAGE).as_posix()
    rows = [row for row in table.splitlines() if folder == "." or f"`{folder}/`" in row]
    family = re.sub(r".*_", "…_", path.stem)
    names = {".": (path.name,), "commands": ("commands/",)}.get(folder, (path.stem, family))
    return any(f"`{name}`" in row for row in rows for name in names)


def test_each_module_is_in_the_design_page() -> None:
    table = responsibilities()
    assert [path for path in MODULES if not is_described(path, table)] == []


@pytest.mark.parametrize(("paths", "most"), [(MODULES, 300), (TESTS, 600)], ids=["modules", "tests"])
def test_files_are_short(paths: list[Path], most: int) -> None:
    """A longer file has more than one responsibility."""
    assert [path for path in paths if len(path.read_text().splitlines()) > most] == []


def test_no_test_imports_from_another() -> None:
    """Helpers of several tests are in tests/support."""
    found = re.compile(r"^\s*(?:from|import) [\w.]*\b(?:test_\w+|conftest)\b", re.MULTILINE)
    imported = {path: found.findall(path.read_text()) for path in TESTS}
    assert {path: names for path, names in imported.items() if names} == {}
