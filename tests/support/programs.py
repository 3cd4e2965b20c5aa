"""Runs commands as a user does, and returns what they print and leave behind."""

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
    """The demonstration's fleet, collected on some days up to the `last`: the folder of its store and export."""

    folder: Path
    last: date
    days: int
    reports: list[Report]


def assert_token_is_nowhere(folder: Path, *texts: str) -> None:
    """Look for the token in texts and in every file below a folder."""
    assert all(TOKEN not in text for text in texts)
    assert all(TOKEN.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def ended(process: "subprocess.Popen[str]", folder: Path) -> Attempt:
    """Wait for a process to end, and check that the token is nowhere in what it printed and left behind."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # it prints where its threads are (PYTHONFAULTHANDLER)
        pytest.fail(f"it does not end: {process.communicate()[1]}")
    assert_token_is_nowhere(folder, out, err)
    return Attempt(process.returncode, out, err)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def require(found: object, missing: str) -> None:
    """Skip the test if a program is missing; in CI the test fails instead."""
    if not found:
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
