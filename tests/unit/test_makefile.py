"""The Makefile's messages on an incomplete machine, and the environments that it keeps."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.builders import ROOT

pytestmark = pytest.mark.e2e  # it runs make


def make(python: str, target: str) -> "subprocess.CompletedProcess[str]":
    """Make a target in a copy of the Makefile."""
    for name in ("Makefile", *(found.name for found in ROOT.glob("requirements*.txt"))):
        shutil.copy(ROOT / name, name)
    Path("tests/github_description").mkdir(parents=True, exist_ok=True)
    Path("tests/github_description/package-lock.json").touch()
    return subprocess.run(["make", "-s", f"PYTHON={python}", target], capture_output=True, text=True, check=False)


def fake(version: str, *, venv: bool = True) -> str:
    """Write an interpreter that knows nothing but its version and whether it has venv."""
    old = "exit 1" if version < "3.11" else "exit 0"
    Path("fake").write_text(
        "#!/bin/sh\n"
        f'case "$*" in *--version*) echo "Python {version}.0";;\n'
        f'  *print*) echo "python-{version}";;\n'
        f"  *version_info*) {old};;\n"
        f"  *ensurepip*) exit {'0' if venv else '1'};;\n"
        "  *-m*venv*) mkdir -p .venv/bin && touch .venv/bin/$(basename python" + version + ");;\n"
        "esac\n"
    )
    Path("fake").chmod(0o755)
    return "./fake"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_an_old_python_is_named_in_one_line(target: str) -> None:
    """The message comes before anything is created or downloaded."""
    done = make(fake("3.10"), target)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    expected = "Python: expected 3.11 or newer, got Python 3.10.0: install one, or name it: make PYTHON=python3.13"
    assert said == [expected]
    assert done.returncode
    assert not Path(".venv").exists()


def test_a_python_without_venv_is_named_in_one_line() -> None:
    """Some systems package venv separately."""
    done = make(fake("3.12", venv=False), "demo")
    assert "has none: install its package, such as python3-venv" in done.stderr
    assert not Path(".venv").exists()


def test_an_environment_of_another_python_is_made_anew() -> None:
    """An environment of the same Python is kept."""
    Path(".venv/bin").mkdir(parents=True)
    Path(".venv/bin/python3.12").touch()
    Path(".venv/kept").touch()
    assert make(fake("3.12"), ".venv/python-3.12").returncode == 0
    assert Path(".venv/kept").exists()
    assert make(fake("3.13"), ".venv/python-3.13").returncode == 0
    assert not Path(".venv/kept").exists()
    assert Path(".venv/bin/python3.13").exists()
