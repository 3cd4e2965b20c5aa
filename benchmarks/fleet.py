"""Measure runs over a fleet: `python -m benchmarks.fleet [CASE ...]`.

GitHub and AWS are cheap fakes on loopback, 80 and 8 ms away. The CPU seconds are those of the run's own process; the
wall time means little on a busy machine.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.processes import ROOT, Service, environment
from tests.support.keys import app_key


@dataclass(frozen=True)
class Run:
    """The cost of one run: seconds, megabytes, and the requests that the fakes counted."""

    code: int
    wall: float
    cpu: float
    memory: float
    github: dict[str, Any]
    aws: dict[str, int]

    @property
    def writes(self) -> int:
        """Return the number of requests that write to the table."""
        return self.aws.get("UpdateItem", 0) + self.aws.get("TransactWriteItems", 0)


class World:
    """The two fakes and the settings."""

    def __init__(self, stack: ExitStack, **github: float) -> None:
        settings = {"delay": 80, "idle": 0, "tops": 2, "limit": 100_000, "seconds": 0} | github
        text = str(settings).replace("'", '"')
        self.github = stack.enter_context(Service("quick_github", text))
        self.aws = stack.enter_context(Service("quick_aws", "8"))
        self.folder = Path(stack.enter_context(TemporaryDirectory()))

    def run(self, names: list[str], *, aws: bool = True, days: int = 0, **settings: str) -> Run:
        """Collect once in a new process, then move GitHub's clock by `days`."""
        places = ("dynamodb://fleet", "s3://fleet/traffic") if aws else ("sqlite:traffic.db", "export")
        ours = {"store": places[0], "export_to": places[1], "repositories": " ".join(names)} | settings
        ours = {"github_token": "github_pat_invented"} | ours if "github_app" not in ours else ours
        environ = environment(
            GITHUB_API_URL=self.github.url,
            AWS_ENDPOINT_URL=self.aws.url,
            AWS_REQUEST_CHECKSUM_CALCULATION="when_required",
            PYTHONPATH=str(ROOT),
            **{f"GHTRAFFIC_{name.upper()}": value for name, value in ours.items()},
        )
        begun = time.monotonic()
        command = [sys.executable, "-m", "ghtraffic_action", "collect", "--json"]
        with subprocess.Popen(command, cwd=self.folder, env=environ, stdout=subprocess.DEVNULL) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begun
        counted = self.github.send(days=days), self.aws.send()
        return Run(process.returncode, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, *counted)


def boats(number: int, owner: str = "octo-lab", first: int = 1) -> list[str]:
    """Return names of repositories."""
    return [f"{owner}/boat-{at}" for at in range(first, first + number)]


def small(number: int) -> Iterator[tuple[str, Run]]:
    """Run once, again, and on the next day: in AWS, then in files."""
    with ExitStack() as stack:
        world = World(stack)
        yield f"{number}, AWS, first", world.run(boats(number))
        yield f"{number}, AWS, rerun", world.run(boats(number), days=1)
        yield f"{number}, AWS, next day", world.run(boats(number))
        yield f"{number}, files, first", world.run(boats(number), aws=False)


def paced(number: int) -> Iterator[tuple[str, Run]]:
    """Run over more repositories than a minute allows, at GitHub's pace."""
    with ExitStack() as stack:
        world = World(stack)
        yield f"{number} paced, AWS, first", world.run(boats(number))
        yield f"{number} paced, AWS, rerun", world.run(boats(number))


def idle(number: int) -> Iterator[tuple[str, Run]]:
    """Run over repositories, four of five without views."""
    with ExitStack() as stack:
        yield f"{number}, 80 % idle, AWS", World(stack, idle=0.8).run(boats(number))


def quota(number: int) -> Iterator[tuple[str, Run]]:
    """Run at the start of three hours, each with two requests per repository."""
    with ExitStack() as stack:
        world = World(stack, limit=2 * number, delay=10)
        for run in range(3):
            yield f"{number}, {2 * number} an hour, run {run + 1}", world.run(boats(number), days=1, max_wait="1s")


def slow(number: int) -> Iterator[tuple[str, Run]]:
    """Run with slow responses (250 ms) and a limit on their time per minute."""
    with ExitStack() as stack:
        yield f"{number}, 250 ms, 90 s a minute", World(stack, delay=250, seconds=90).run(boats(number))


def installations(number: int) -> Iterator[tuple[str, Run]]:
    """Run as an App with two installations."""
    names = [*boats(number), *boats(number, "deep-sea", number + 1)]
    with ExitStack() as stack:
        yield f"2 installations of {number}", World(stack).run(names, github_app="12", github_app_key=app_key())


CASES: dict[str, Callable[[], Iterator[tuple[str, Run]]]] = {
    "1": lambda: small(1),
    "50": lambda: small(50),
    "100": lambda: small(100),
    "1000": lambda: paced(1_000),
    "idle": lambda: idle(1_000),
    "quota": lambda: quota(300),
    "slow": lambda: slow(300),
    "installations": lambda: installations(500),
}
"""Those from `1000` on take minutes each, except `quota`."""


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)} (default: 1 50 100 quota)")
    table = Table(box=None, header_style="bold")
    table.add_column("case")
    headings = ("exit", "wall s", "CPU s", "MB", "GitHub", "span s", "in a minute", "refused", "halves", "begun")
    for heading in (*headings, "AWS", "writes"):
        table.add_column(heading, justify="right")
    for case in parser.parse_args().cases or ["1", "50", "100", "quota"]:
        for name, run in CASES[case]():
            counted = [str(run.github[part]) for part in ("requests", "span", "in a minute")]
            refused = " ".join(f"{number} {kind}" for kind, number in run.github["refused"].items()) or "0"
            ends = [refused, str(run.github["halves"]), str(run.github["begun"])]
            figures = [str(run.code), f"{run.wall:.1f}", f"{run.cpu:.2f}", f"{run.memory:.0f}"]
            table.add_row(name, *figures, *counted, *ends, str(sum(run.aws.values())), str(run.writes))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
