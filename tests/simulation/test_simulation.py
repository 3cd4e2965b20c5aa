"""The simulation: a few dozen seeds hold all invariants, a seed can be repeated, and a planted defect is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, caught, plant

pytestmark = pytest.mark.usefixtures("unmeasured")

ROOT = Path(__file__).parents[2]


def simulated(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the simulation in a process of its own: it replaces the SDK's waits and PyGithub's connections."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("where", "seeds", "days"), [("local", 30, 20), ("aws", 3, 12)])
def test_no_invariant_is_broken(where: str, seeds: int, days: int) -> None:
    """Thirty seeds on SQLite and a directory, and three on DynamoDB and S3, keep every invariant after every run."""
    ended = simulated("--seeds", str(seeds), "--days", str(days), "--where", where)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{seeds} seeds of {days} days" in ended.stdout


@pytest.mark.parametrize(("where", "seed", "days"), [("local", 10, 15), ("aws", 11, 8)])
def test_seed_can_be_repeated(where: str, seed: int, days: int) -> None:
    """The same seed ends with the same store, the same files and the same ends of its runs.

    In both some runs are killed, and there are imports that are taken back.
    """
    again = (
        "from tests.simulation.parallel import simulated;"
        f"print(*(simulated({seed}, {days}, {where!r}).digest for _ in range(2)), sep='\\n')"
    )
    ended = subprocess.run([sys.executable, "-c", again], cwd=ROOT, capture_output=True, text=True, check=True)
    one, other = ended.stdout.split()
    assert one == other


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_defect_can_be_planted(mutant: Mutant, tmp_path: Path) -> None:
    """The lines that a mutant changes are there, once each."""
    shutil.copytree(ROOT / "ghtraffic_action", tmp_path / "ghtraffic_action")
    plant(mutant, tmp_path / "ghtraffic_action")


def test_simulation_that_cannot_begin_catches_nothing() -> None:
    """A mutant that cannot be imported is a failure of the tool, not a caught one."""
    broken = Mutant("garbage", (("runtime.py", "from threading import Event", "from threading import Nothing"),))
    with pytest.raises(RuntimeError, match="garbage: "):
        caught(broken, seeds=1)


@pytest.mark.parametrize("name", ["insert once", "uniques merged with counts", "a zero for today"])
def test_planted_defect_is_caught(name: str) -> None:
    """The simulation can fail: these three are caught by the first seeds; `make mutants` plants all."""
    (mutant,) = (mutant for mutant in MUTANTS if mutant.name == name)
    assert caught(mutant, seeds=10)
