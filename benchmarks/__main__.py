"""Compare ghtraffic with the article's algorithm, and print the targets: `python -m benchmarks`."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.scenarios import (
    ARTICLE_FLEET,
    FLEET,
    PROGRAMS,
    SCENARIOS,
    STORED,
    Samples,
    Scenario,
    measure_all,
    warm_up,
)
from benchmarks.world import AWS_AWAY, GITHUB_AWAY, HOWS, How, Sample, world

IN_FLIGHT = 16
HOW = {"warm": "warm process", "whole": "whole process"}
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Row:
    """A row of the table: comparison, measurements, and whether the target is met."""

    what: str
    ours: str
    article: str = ""
    measured: str = ""
    target: str = ""
    met: bool | None = None


def times(samples: Sequence[Sample], factor: float = 1.0) -> str:
    """Format the median and the range of measurements, and the median of the CPU time."""
    cpu = median(sample.cpu * factor for sample in samples)
    return f"{spread([sample.seconds * factor for sample in samples])}, CPU {cpu:.2f} s"


def spread(seconds: Sequence[float]) -> str:
    """Format seconds: the median and the range."""
    return f"{median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) s"


def middle(samples: Sequence[Sample]) -> float:
    """Return the median of the seconds."""
    return median(sample.seconds for sample in samples)


def counted(samples: Sequence[Sample]) -> str:
    """Format the requests of the run that sent most."""
    most = max(samples, key=lambda sample: int(sample.github["requests"]) + sum(sample.aws.values()))

    def written(counts: Counter[str]) -> str:
        return f"{counts.total()} ({', '.join(f'{count} {name}' for name, count in sorted(counts.items()))})"

    github = f"GitHub {most.github['requests']}"
    return f"{github}, DynamoDB {written(most.dynamodb())}, S3 {written(most.s3())}"


def one_repository(samples: Samples) -> Iterator[Row]:
    """Compare the time of one repository's run."""
    for how in HOWS:
        for scenario in SCENARIOS:
            ours, theirs = (samples.one[scenario, how, program] for program in PROGRAMS)
            ratio = middle(ours) / middle(theirs)
            what = f"{scenario}, {HOW[how]}"
            yield Row(what, times(ours), times(theirs), f"{ratio:.2f} x", "<= 0.35 x", ratio <= 0.35)


def requests(samples: Samples) -> Iterator[Row]:
    """Compare the requests of one repository's run."""
    for scenario in SCENARIOS:
        ours, theirs = (samples.one[scenario, "warm", program] for program in PROGRAMS)
        github = max(sample.github["requests"] for sample in ours)
        allowed = 6 if scenario == "new" else 5  # a new repository's star history is read once
        yield Row(
            scenario, counted(ours), counted(theirs), f"GitHub {github}", f"GitHub <= {allowed}", github <= allowed
        )
    steady = [sample.dynamodb().total() for sample in samples.one["steady day", "warm", "ours"]]
    steady += [sample.dynamodb().total() for days in STORED for sample in samples.stored[days, "ours"]]
    what = f"steady day, all {len(steady)} runs"
    asked = f"DynamoDB {median(steady):g} ({min(steady)}-{max(steady)})"
    yield Row(what, asked, "", f"{median(steady):g}", "typically 5", median(steady) <= 5)
    writes = max(sample.dynamodb()["UpdateItem"] for sample in samples.one["rerun", "warm", "ours"])
    yield Row("rerun, all runs", f"{writes} writes", "", f"{writes} writes", "0 writes", writes == 0)


def stored(samples: Samples) -> Iterator[Row]:
    """Compare steady days over a short and a long history."""
    few, many = (samples.stored[days, "ours"] for days in STORED)
    for days, found in zip(STORED, (few, many), strict=True):
        yield Row(f"{days:,} days stored, {HOW['warm']}", times(found))
    same = [counted([short]) == counted([long]) for short, long in zip(few, many, strict=True)]
    asked = f"the same in {sum(same)} of {len(same)} runs"
    yield Row("requests", counted(many), "", asked, "the same", all(same))
    slower = middle(many) / middle(few) - 1
    yield Row("wall time", "", "", f"{slower:+.0%}", "within 10 %", slower <= 0.1)


def fleet(samples: Samples) -> Iterator[Row]:
    """Compare fifty repositories with the article's program, one after the other."""
    factor = FLEET / ARTICLE_FLEET
    targets: dict[Scenario, int] = {"new": 30, "rerun": 50}
    for how in HOWS:
        for scenario, wanted in targets.items():
            ours, theirs = (samples.fleet[scenario, how, program] for program in PROGRAMS)
            faster = middle(theirs) * factor / middle(ours)
            what = f"{scenario}, {HOW[how]}"
            yield Row(what, times(ours), times(theirs, factor), f"{faster:.0f} x", f">= {wanted} x", faster >= wanted)
    for scenario in targets:
        yield from _github_part(scenario, [sample for how in HOWS for sample in samples.fleet[scenario, how, "ours"]])
    ours = [sample for how in HOWS for scenario in targets for sample in samples.fleet[scenario, how, "ours"]]
    most = max(sample.github["in flight"] for sample in ours)
    yield Row("requests of GitHub in flight", str(most), "1", str(most), "<= 16", most <= 16)


def _github_part(scenario: str, found: Sequence[Sample]) -> Iterator[Row]:
    """Compare the time of all requests with the minimum for 16 in parallel."""
    requests = found[0].github["requests"]
    calls = requests - found[0].github["queries"]
    parts = {
        f"{requests} requests": (requests, [sample.github["seconds"] for sample in found]),
        f"of it {calls} calls, after the query": (calls, [sample.github["calls"] for sample in found]),
    }
    for name, (asked, seconds) in parts.items():
        least = asked * GITHUB_AWAY / 1000 / IN_FLIGHT
        over = median(seconds) / least - 1
        formula = f"{least:.3f} s = {asked} x latency / {IN_FLIGHT}"
        yield Row(
            f"{scenario}: GitHub's part, {name}", spread(seconds), formula, f"{over:+.0%}", "within 15 %", over <= 0.15
        )


def fastest(samples: Samples) -> float:
    """Return the least time of GitHub's part: one query, then full rounds of parallel requests."""
    asked = int(samples.fleet["rerun", "warm", "ours"][0].github["requests"])
    return (1 + ceil((asked - 1) / IN_FLIGHT)) * GITHUB_AWAY / 1000


def limit(samples: Samples, how: How) -> float:
    """Return how many times faster than the article's rerun a run in that least time would be."""
    return middle(samples.fleet["rerun", how, "article"]) * FLEET / ARTICLE_FLEET / fastest(samples)


def process(samples: Samples) -> Iterator[Row]:
    """Compare whole processes."""
    seconds, cpu, peaks = ([run[part] for run in samples.help] for part in ("seconds", "cpu", "peak"))
    spent = f"{spread(seconds)}, CPU {median(cpu):.2f} s"
    yield Row("ghtraffic --help", spent, "", f"{median(seconds):.3f} s", "<= 0.1 s", median(seconds) <= 0.1)
    for what, source in (("one repository", samples.one), (f"{FLEET} repositories", samples.fleet)):
        ours, theirs = (
            max(s.peak for (_, how, by), found in source.items() if how == "whole" and by == program for s in found)
            for program in PROGRAMS
        )
        yield _memory(f"peak memory, {what}", ours, f"{theirs / MEGABYTE:.0f} MB")
    yield _memory("peak memory, --help", max(peaks), "")


def _memory(what: str, peak: float, article: str) -> Row:
    megabytes = f"{peak / MEGABYTE:.0f} MB"
    return Row(what, megabytes, article, megabytes, "<= 100 MB", peak <= 100 * MEGABYTE)


def print_rows(console: Console, title: str, against: str, rows: Iterator[Row]) -> None:
    """Print a table."""
    table = Table("", "ours", against, "measured", "target", "", title=title, title_justify="left", title_style="bold")
    for row in rows:
        met = "" if row.met is None else "[green]met[/]" if row.met else "[red]not met[/]"
        table.add_row(row.what, row.ours, row.article, row.measured, row.target, met)
    console.print(table)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured (default: 5)")
    arguments = parser.parse_args()
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=200)
    console.print(
        f"GitHub is {GITHUB_AWAY} ms away, AWS {AWS_AWAY} ms: fakes that cost next to nothing. Median (least-most) of "
        f"{arguments.runs} runs, ours and the article's by turns; CPU seconds are the program's own.\n"
        "A warm process has imported everything and run once; a whole one is timed from start to end.\n"
        f"{os.cpu_count()} cores, load at the beginning: {os.getloadavg()[0]:.1f}"
    )
    with world() as here, console.status("warming up") as status:
        warm_up(here)
        samples = measure_all(here, arguments.runs, status.update)
    print_rows(console, "One repository", "the article", one_repository(samples))
    print_rows(console, "One repository: requests", "the article", requests(samples))
    print_rows(console, "One repository: a long history", "", stored(samples))
    loop = f"the article, {FLEET} times (of {ARTICLE_FLEET} repositories, x {FLEET // ARTICLE_FLEET})"
    print_rows(console, f"{FLEET} repositories", loop, fleet(samples))
    console.print(
        f"At {IN_FLIGHT} in flight GitHub's part alone takes {fastest(samples):.2f} s (one query, then rounds of "
        f"{IN_FLIGHT}): what asks as much cannot be faster than {limit(samples, 'warm'):.0f} x on a rerun "
        f"(warm; {limit(samples, 'whole'):.0f} x as whole processes, with nothing else to do)."
    )
    print_rows(console, "The whole process", "the article", process(samples))
    console.print(f"Load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
