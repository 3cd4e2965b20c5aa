"""Runs git as a user without settings does."""

import subprocess
from pathlib import Path

_USER = ("-c", "user.name=octo", "-c", "user.email=octo@example.invalid", "-c", "commit.gpgsign=false")


def git(folder: str | Path, *words: str, stdin: str = "") -> str:
    """Run git in a repository, and return what it prints."""
    command = ["git", *_USER, "-C", str(folder), *words]
    return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True).stdout
