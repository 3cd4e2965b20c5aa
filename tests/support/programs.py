"""Commands run as a user runs them, and what they print and leave."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ghtraffic_action.report import Report
from tests.support.builders import TOKEN

HERE = {"store": "sqlite:traffic.db", "export_to": "export"}
"""Where a run stores and exports without AWS."""


DAILY = "v1/daily/month=2026-11/daily.csv"
"""The key of the file with the days of the tests' own month."""


@dataclass(frozen=True)
class Attempt:
    """What a user sees of one command: its exit code and its two outputs."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of the log that are errors."""
        return [line.removeprefix("ERROR ") for line in self.err.splitlines() if line.startswith("ERROR ")]


@dataclass(frozen=True)
class FleetDemo:
    """The demonstration's fleet, collected on so many days up to the `last`: its store and export lie in a folder."""

    folder: Path
    last: date
    days: int
    reports: list[Report]


def assert_token_is_nowhere(folder: Path, *texts: str) -> None:
    """Look for the token in texts and in every file below a folder."""
    assert all(TOKEN not in text for text in texts)
    assert all(TOKEN.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def ended(process: "subprocess.Popen[str]", folder: Path) -> Attempt:
    """Wait for a process to end; the token is nowhere in what it printed and left."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # it prints where its threads are (PYTHONFAULTHANDLER)
        pytest.fail(f"it does not end: {process.communicate()[1]}")
    assert_token_is_nowhere(folder, out, err)
    return Attempt(process.returncode, out, err)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition that must come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def require(found: object, missing: str) -> None:
    """Skip a test that lacks a program; in CI that is a failure."""
    if not found:
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
