"""Releases: version, notes and pins follow from one tag."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docs.release import notes, problems
from tests.support.builders import ROOT
from tests.support.git import git

pytestmark = pytest.mark.e2e  # it runs git

CHANGELOG = "# Changelog\n\n## Unreleased\n\n- Two.\n\n## 0.1.0 (2026-11-01)\n\n- One,\n  in two lines.\n"
PACKAGE = '"""A package."""\n\n__version__ = "0.1.0"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a repository with one released version."""
    folder = tmp_path / "checkout"
    for name in ("action.yml", "README.md"):
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in ("docs", "examples", "ghtraffic_action"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    (folder / "ghtraffic_action" / "__init__.py").write_text(PACKAGE)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def release(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the script in a checkout."""
    command = [sys.executable, "-m", "docs.release", *words]
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # the checkout has no .gitignore
    return subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True)


def _with_a_pin(folder: Path) -> list[str]:
    """Return the pages and examples that pin the Action."""
    files = sorted([*folder.glob("docs/*.md"), *folder.glob("examples/*.yml")])
    return [str(path.relative_to(folder)) for path in files if "ghtraffic/ghtraffic@" in path.read_text()]


def test_a_release_from_the_changelog_to_the_pages(checkout: Path) -> None:
    """A prepared, committed and tagged version has notes, and all pins become the tag's commit."""
    assert release(checkout, "prepare", "0.2.0").returncode == 0
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message=Release 0.2.0")
    git(checkout, "tag", "v0.2.0")
    assert release(checkout, "check", "v0.2.0").stdout == "- Two.\n"
    done = release(checkout, "pin", "0.2.0")
    assert done.returncode == 0, done.stderr
    commit = git(checkout, "rev-parse", "HEAD").strip()
    for name in (changed := _with_a_pin(checkout)):
        assert f"uses: ghtraffic/ghtraffic@{commit} # v0.2.0\n" in (checkout / name).read_text()
    assert git(checkout, "status", "--short").split() == [word for name in changed for word in ("M", name)]
    assert release(checkout, "pin", "0.2.0").returncode == 1


def test_a_pin_needs_its_tag(checkout: Path) -> None:
    """A version without a tag changes nothing."""
    before = (checkout / "examples" / "traffic.yml").read_text()
    done = release(checkout, "pin", "0.9.0")
    assert (done.returncode, done.stderr) == (1, "Error: there is no tag v0.9.0: fetch the tags, or make it\n")
    assert (checkout / "examples" / "traffic.yml").read_text() == before


@pytest.mark.parametrize("version", ["0.1.0", "v0.2.0", "0.2"])
def test_a_version_is_prepared_once_and_well_formed(checkout: Path, version: str) -> None:
    """A released version or another form is refused, and nothing is written."""
    assert release(checkout, "prepare", version).returncode == 1
    assert (checkout / "CHANGELOG.md").read_text() == CHANGELOG
    assert (checkout / "ghtraffic_action" / "__init__.py").read_text() == PACKAGE


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ("v0.1.0", []),
        ("0.1.0", ["tag '0.1.0': expected v1.2.3"]),
        (
            "v0.2.0",
            [
                "the package's version: expected 0.2.0, got 0.1.0",
                "CHANGELOG.md: expected changes below `## 0.2.0 (DATE)`, got none",
            ],
        ),
    ],
)
def test_a_tag_is_checked(tag: str, wrong: list[str]) -> None:
    """Tag, package and changelog must have the same version."""
    assert problems(tag, PACKAGE, CHANGELOG) == wrong


def test_notes_are_the_section_of_a_version() -> None:
    """The notes are the text between two headings."""
    assert notes(CHANGELOG, "0.1.0") == "- One,\n  in two lines."
    assert notes(CHANGELOG, "0.1") == ""
    assert notes((ROOT / "CHANGELOG.md").read_text(), "Unreleased").startswith("### ")


def test_rights_are_separate_from_the_code_that_is_built() -> None:
    """Jobs that check out and run code may only read the repository."""
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"]
    for name, job in jobs.items():
        rights = {right for right, level in job["permissions"].items() if level == "write"}
        runs_our_code = any("actions/checkout@" in step.get("uses", "") for step in job["steps"])
        assert not (rights and runs_our_code), name
    assert {name for name, job in jobs.items() if "id-token" in job["permissions"]} == {"attest", "pypi"}


def test_every_lock_file_is_renewed() -> None:
    """`make lock` writes all of the requirements' lock files, with hashes and without an index."""
    makefile = (ROOT / "Makefile").read_text()
    recipe = makefile.partition("\nlock:")[2].partition("\n\n")[0]
    for path in ROOT.glob("requirements*.txt"):
        assert f"-o {path.name}\n" in f"{recipe}\n"
        text = path.read_text()
        entries = [line for line in text.splitlines() if line[:1].isalnum()]
        assert entries
        assert all("==" in line and line.endswith("\\") for line in entries), path.name
        assert "://" not in text
        assert "--index" not in text
