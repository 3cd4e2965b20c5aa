"""Commands of the project, run as programs."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.builders import ROOT

WHEELS = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(ROOT / "build" / "wheels")}
"""pip's settings with which it has the wheels that set-up has fetched, and no registry."""


def make(module: str, *words: str | Path) -> str:
    """Run a step of `make lambda` with the wheels that set-up has fetched; return its output."""
    env = WHEELS | {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
