"""Plants one defect after another, which the simulation has to catch: `python -m tests.simulation.mutants`.

Each changes some lines in a copy of the program, which is then simulated, seed by seed, until an invariant is broken.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

ROOT = Path(__file__).parents[2]
SEEDS = 50


@dataclass(frozen=True)
class Mutant:
    """A defect: the changed lines of modules, and which backend shows it (`local` or `aws`)."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    where: str = "local"


_DAYS = "before = list(self._writers.map(lambda day: self._update(pk, DAY, day), changes.days))"
_SNAPSHOTS = "found = list(self._writers.map(lambda seen: self._update(pk, SNAPSHOT, seen), changes.snapshots))"
_PARTS = "(answers[part] if part in kept else None for part in _ENDPOINTS)"
_TOO_SHORT = "return history.since is not None and first_unknown_day(history, exported, observation) < history.since"
_EMPTY = "Series(Totals(repository.metadata.at, 0, 0), ())"

MUTANTS = (
    Mutant("insert once", (("traffic/merge.py", "is None or value > old)", "is None)"),)),
    Mutant(
        "the last answer wins",
        (
            ("traffic/merge.py", "is None or value > old)", "is None or value != old)"),
            (
                "stores/sqlite_rows.py",
                "max({n}, coalesce(excluded.{n}, {n}))",
                "coalesce(excluded.{n}, {n})",
            ),
        ),
    ),
    Mutant(
        "the last answer wins in DynamoDB",
        (
            ("traffic/merge.py", "is None or value > old)", "is None or value != old)"),
            (
                "stores/dynamodb_items.py",
                "OR {stored} <= {seen})",
                "OR {stored} >= {seen} OR {stored} <= {seen})",
            ),
        ),
        "aws",
    ),
    Mutant(
        "a failed condition taken for success",
        (("stores/dynamodb.py", "fresh = form.changes(before, seen)", "fresh = None"),),
        "aws",
    ),
    Mutant(
        "no compare-and-swap in a directory",
        (("exports/directory.py", "if (current and current.version) != version:", "if False:"),),
    ),
    Mutant("no compare-and-swap in S3", (("exports/s3.py", "                    **condition,\n", ""),), "aws"),
    Mutant(
        "the snapshot before its days",
        (
            (
                "stores/dynamodb.py",
                f"{_DAYS}\n            {_SNAPSHOTS}",
                f"{_SNAPSHOTS}\n            {_DAYS}",
            ),
        ),
        "aws",
    ),
    Mutant(
        "0 for a failed endpoint",
        (
            (
                "github/client.py",
                _PARTS,
                _PARTS.replace("else None", f"else {_EMPTY} if part in _SERIES else None"),
            ),
            (
                "github/client.py",
                "import Observation, Repository, Series",
                "import Observation, Repository, Series, Totals",
            ),
        ),
    ),
    Mutant(
        "today's stars on old days",
        (
            (
                "traffic/coverage.py",
                "metadata=snapshot.metadata if snapshot else None",
                "metadata=(snapshot or history.snapshots[-1]).metadata",
            ),
        ),
    ),
    Mutant(
        "other repositories' rows dropped",
        (
            (
                "exports/parts.py",
                "if part is None or place[0] < part.since:",
                "if part is not None and place[0] < part.since:",
            ),
        ),
    ),
    Mutant(
        "the name as key",
        (
            (
                "github/queries.py",
                'id=fields.count(node, "databaseId"),',
                'id=sum(fields.text(node, "nameWithOwner").encode()),',
            ),
        ),
    ),
    Mutant(
        "uniques merged with counts",
        (
            (
                "github/responses.py",
                "views=count, view_uniques=uniques)",
                "views=count, view_uniques=max(count, uniques))",
            ),
        ),
    ),
    Mutant(
        "0 with a refused repository",
        (("report.py", "len(self.failed) <= self.failures_allowed", "True"),),
    ),
    Mutant(
        "a zero for today",
        (("traffic/coverage.py", "OLD_ZERO = timedelta(days=2)", "OLD_ZERO = timedelta(days=0)"),),
    ),
    Mutant(
        "an export that skips the old month",
        (
            ("exports/catalogue.py", "(newest - OPEN).replace(day=1)", "newest.replace(day=1)"),
            ("exports/catalogue.py", _TOO_SHORT, "return False"),
        ),
    ),
    Mutant(
        "the local clock for GitHub's",
        (("github/connection.py", "Response(data, _date(headers), ", "Response(data, self._clock(), "),),
    ),
    Mutant(
        "coverage by the day of asking",
        (("traffic/coverage.py", "= getattr(snapshot, LISTED[metric])", "= frozenset()"),),
    ),
    Mutant("a placeholder kept", (("traffic/observation.py", "return Form.PLACEHOLDER", "return Form.OLD"),)),
    Mutant(
        "a replay that lowers totals",
        (("traffic/merge.py", 'getattr(group, "last", None) or date.min, group.at', "date.min, group.at"),),
    ),
    Mutant(
        "a day left out taken for zero",
        (("traffic/coverage.py", "return day in self.days or (", "return bool(self.ranges) or ("),),
    ),
    Mutant(
        "lost days carried on from a day too early",
        (
            (
                "exports/rows.py",
                "sum(day < first_open_day(newest) for day in lost)",
                "sum(day <= first_open_day(newest) for day in lost)",
            ),
        ),
    ),
    Mutant(
        "an import over what GitHub listed",
        (
            (
                "importing/plan.py",
                "if day.day in listed[metric] and getattr(day, metric) is not None:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "an undo that forgets what there was",
        (
            (
                "traffic/provenance.py",
                "numbers |= {n: getattr(change.before, n, None) for n in raised}",
                "numbers |= dict.fromkeys(raised)",
            ),
        ),
    ),
    Mutant(
        "another day's workflow runs",
        (("github/workflow_runs.py", "?created={day}&per_page=1", "?created={day.replace(day=1)}&per_page=1"),),
    ),
    Mutant(
        "the catalogue written although another file failed",
        (
            (
                "exports/rounds.py",
                "if key in keys and not any(result.error for result in results.values()):",
                "if key in keys:",
            ),
        ),
    ),
)


def plant(mutant: Mutant, package: Path) -> None:
    """Change the copy of the program. Raise ValueError if a line does not occur exactly once."""
    for module, old, new in mutant.changes:
        path = package / module
        text = path.read_text()
        if text.count(old) != 1:
            raise ValueError(f"{mutant.name}: {module} has {text.count(old)} times {old!r}")
        path.write_text(text.replace(old, new))


def caught(mutant: Mutant, seeds: int = SEEDS) -> str:
    """Simulate a mutant until an invariant is broken; return which and when, or an empty text.

    Raises RuntimeError where nothing could be simulated, which catches no mutant.
    """
    with TemporaryDirectory(prefix="mutant-") as scratch:
        folder = Path(scratch)
        for part in ("ghtraffic_action", "tests/simulation", "tests/support"):
            shutil.copytree(ROOT / part, folder / part)
        plant(mutant, folder / "ghtraffic_action")
        command = [
            sys.executable,
            "-m",
            "tests.simulation",
            "--until-broken",
            "--seeds",
            str(seeds),
            "--where",
            mutant.where,
        ]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not re.search(r"^\d+ seeds of ", ended.stdout, re.MULTILINE):
        raise RuntimeError(f"{mutant.name}: {ended.stderr[-500:]}")
    found = re.search(r"^(seed \d+: .*)$", ended.stdout, re.MULTILINE)
    return found[1] if found else ""


def main() -> int:
    """Simulate all mutants, and print what caught each; return 1 if one was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="those that have this in their name")
    arguments = parser.parse_args()
    console, missed = Console(highlight=False, soft_wrap=True), 0
    for mutant in (mutant for mutant in MUTANTS if arguments.only in mutant.name):
        began = time.perf_counter()
        broken = caught(mutant)
        missed += not broken
        seconds = time.perf_counter() - began
        console.print(
            f"{mutant.name} ({seconds:.0f} s): {broken[:200] or f'not caught in {SEEDS} seeds'}", markup=False
        )
    console.print(f"{missed} not caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
