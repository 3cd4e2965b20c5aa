"""Fixtures that start the program in this process or in another one."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from threading import Event

import pytest

import ghtraffic_action
from ghtraffic_action.cli import main
from ghtraffic_action.demo.run import collect_sample
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.programs import HERE, Attempt, FleetDemo, assert_token_is_nowhere
from tests.support.unmeasured import unmeasured


@pytest.fixture
def attempt(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Attempt]:
    """Run a command with a token at -vv, and check that the token appears in no output and no file."""
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", github.url)

    def run_main(*argv: str, command: str = "collect", repositories: str = NAME, **backends: str) -> Attempt:
        where = HERE | backends
        flags = ["--store", where["store"], "--export-to", where["export_to"], *argv]
        named = ["--repositories", repositories] if command == "collect" else []
        code = main(["-vv", command, *named, *flags])
        output = capsys.readouterr()
        assert_token_is_nowhere(tmp_path, output.out, output.err)
        return Attempt(code, output.out, output.err)

    return run_main


@pytest.fixture
def program(github: FakeGitHub, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as another process; its output is returned at the end."""

    def start(*argv: str, url: str = "", repositories: str = NAME, **backends: str) -> "subprocess.Popen[str]":
        where = HERE | backends
        environ = os.environ | {
            "PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1]),
            "GHTRAFFIC_GITHUB_TOKEN": TOKEN,
            "PYTHONFAULTHANDLER": "1",
            "GITHUB_API_URL": url or github.url,
            "GHTRAFFIC_REPOSITORIES": repositories,
            "GHTRAFFIC_STORE": where["store"],
            "GHTRAFFIC_EXPORT_TO": where["export_to"],
        }
        command = [sys.executable, "-m", "ghtraffic_action", "-vv", "collect", *argv]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        return processes.enter_context(_killed_at_last(process))

    with ExitStack() as processes:
        yield start


@pytest.fixture(scope="session")
def fleet_demo(tmp_path_factory: pytest.TempPathFactory) -> FleetDemo:
    """Return the demonstration's fleet, built once for the tests of the xdist group `fleet-demo`."""
    folder, last = tmp_path_factory.mktemp("fleet"), date(2026, 11, 25)
    with unmeasured():
        return FleetDemo(folder, last, 60, collect_sample(folder, last, 60, Event(), many=True))


@contextmanager
def _killed_at_last(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """Kill the processes that a failed test left, and close their pipes."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
