"""Simulate many seeds, and print what happened: `python -m tests.simulation --seeds 500 --days 60`.

Each tenth seed stores in DynamoDB and exports to S3, the others to SQLite and a directory. Ends with 1 if an invariant
was broken, with the command that repeats it.
"""

import argparse
import sys
import time
from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .parallel import on_aws, outcomes
from .simulate import Outcome


def simulate_all(seeds: range, days: int, where: str, *, until_broken: bool) -> list[Outcome]:
    """Simulate seeds, and show the progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for outcome in progress.track(outcomes(seeds, days, where), total=len(seeds), description="seeds"):
            found.append(outcome)
            if outcome.broken and until_broken:
                break
    return found


def print_counts(console: Console, title: str, counts: Counter[str]) -> None:
    """Print how often each thing happened."""
    table = Table("", "", title=title, title_justify="left", title_style="bold", box=None, show_header=False)
    for name, count in sorted(counts.items()):
        table.add_row(name, f"{count:,}")
    console.print(table)


def main() -> int:
    """Simulate, and print; return 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--days", type=int, default=60, help="how many days each simulates")
    parser.add_argument("--where", choices=("both", "local", "aws"), default="both")
    parser.add_argument("--until-broken", action="store_true", help="end with the first invariant that is broken")
    arguments = parser.parse_args()
    console, began = Console(highlight=False, soft_wrap=True), time.perf_counter()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    found = simulate_all(seeds, arguments.days, arguments.where, until_broken=arguments.until_broken)
    print_counts(console, "How the runs ended", sum((outcome.ends for outcome in found), Counter()))
    print_counts(console, "What they met", sum((outcome.faults for outcome in found), Counter()))
    print_counts(console, "What was imported", sum((outcome.imports for outcome in found), Counter()))
    runs, faults = sum(o.runs for o in found), sum(o.faults.total() for o in found)
    seconds = time.perf_counter() - began
    console.print(f"{len(found)} seeds of {arguments.days} days: {runs:,} runs, {faults:,} faults, {seconds:.0f} s")
    broken = sorted((outcome for outcome in found if outcome.broken), key=lambda outcome: outcome.seed)
    for outcome in broken:
        where = "aws" if on_aws(outcome.seed, arguments.where) else "local"
        console.print(f"seed {outcome.seed}: {outcome.broken}", markup=False)
        console.print(f"  again: make simulate FIRST={outcome.seed} SEEDS=1 DAYS={arguments.days} WHERE={where}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
