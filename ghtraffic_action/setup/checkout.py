"""The folder for the workflow, if it is a checkout of the repository."""

import re
import subprocess
from pathlib import Path
from shutil import which

from ghtraffic_action.setup.plan import WORKFLOW


def is_checkout(folder: Path, repository: str) -> bool:
    """Return whether a folder is the root of a checkout of a GitHub repository."""
    git = which("git")
    if git is None or not (folder / ".git").exists():
        return False
    command = [git, "-C", str(folder), "remote", "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - git alone
    return bool(re.search(rf"[/:]{re.escape(repository)}(?:\.git)?\s", done.stdout, re.IGNORECASE))


def read_workflow(folder: Path) -> str | None:
    """Return the workflow's text, None without one."""
    path = folder / WORKFLOW
    return path.read_text(encoding="utf-8") if path.exists() else None


def write_workflow(folder: Path, text: str) -> None:
    """Write the workflow, without committing it."""
    path = folder / WORKFLOW
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
