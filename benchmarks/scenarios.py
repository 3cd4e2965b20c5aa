"""The measurements, which alternate between ours and the article's, so that load affects both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Literal

from benchmarks import history
from benchmarks.fleet import boats
from benchmarks.world import HOWS, How, Program, Sample, World

Scenario = Literal["new", "steady day", "rerun"]
SCENARIOS: tuple[Scenario, ...] = ("new", "steady day", "rerun")
PROGRAMS: tuple[Program, ...] = ("ours", "article")
STORED = (10, 3650)
FLEET = 50
ARTICLE_FLEET = 5
"""Repositories of the article's measurement, from which its time for 50 is derived."""

_BEGIN = datetime.combine(date(2026, 11, 16), time(3, 17), UTC)
"""Early in the UTC day, as a daily run; in the second half of a month, so that a run concerns one month alone."""

_SETTLING = 4
"""Days that are collected and not measured: until then the shorter history is shorter than GitHub's answer."""

Step = Callable[[str], None]
"""Called with the name of the next measurement."""


@dataclass
class Samples:
    """The measurements: one repository, histories of two lengths, fifty repositories, and `--help`."""

    one: dict[tuple[Scenario, How, Program], list[Sample]] = field(default_factory=dict)
    stored: dict[tuple[int, Program], list[Sample]] = field(default_factory=dict)
    fleet: dict[tuple[Scenario, How, Program], list[Sample]] = field(default_factory=dict)
    help: list[Mapping[str, float]] = field(default_factory=list)
    """Seconds, CPU seconds and peak memory."""


def measure_all(world: World, runs: int, step: Step) -> Samples:
    """Measure everything, `runs` times."""
    samples = Samples()
    for number in range(1, runs + 1):
        step(f"run {number} of {runs}: one repository")
        for how, scenario, program, sample in _one(world):
            samples.one.setdefault((scenario, how, program), []).append(sample)
    step(f"{' and '.join(f'{days:,}' for days in STORED)} days stored")
    for days, program, sample in _stored(world, runs):
        samples.stored.setdefault((days, program), []).append(sample)
    for number in range(1, runs + 1):
        step(f"run {number} of {runs}: {FLEET} repositories")
        for how, scenario, program, sample in _fleet(world):
            samples.fleet.setdefault((scenario, how, program), []).append(sample)
    for _ in range(2 * runs):
        samples.help.append(world.launcher.send(command=["-m", "ghtraffic_action", "--help"], environ={}))
    return samples


def warm_up(world: World) -> None:
    """Run the warm processes once, like a warm Lambda."""
    world.at(_BEGIN)
    for program in PROGRAMS:
        world.run(program, "warm", [world.place()], boats(1))


def _one(world: World) -> Iterator[tuple[How, Scenario, Program, Sample]]:
    for how in HOWS:
        places = {program: world.place() for program in PROGRAMS}
        for scenario, program in product(SCENARIOS, PROGRAMS):
            world.at(_BEGIN if scenario == "new" else _BEGIN + timedelta(days=1))
            yield how, scenario, program, world.run(program, how, [places[program]], boats(1))


def _stored(world: World, runs: int) -> Iterator[tuple[int, Program, Sample]]:
    """Measure ours on steady days, over two histories that differ only in length."""
    last = _BEGIN.date()
    places = {days: world.place() for days in STORED}
    for days, place in places.items():
        history.write(world.dynamodb, place, 1, days, last)
    for number in range(_SETTLING + runs):
        for days, place in places.items():
            world.at(_BEGIN + timedelta(days=number + 1))
            sample = world.run("ours", "warm", [place], boats(1))
            if number >= _SETTLING:
                yield days, "ours", sample


def _fleet(world: World) -> Iterator[tuple[How, Scenario, Program, Sample]]:
    names = boats(FLEET)
    world.at(_BEGIN)
    for how in HOWS:
        ours, theirs = [world.place()], [world.place() for _ in range(ARTICLE_FLEET)]
        for scenario in ("new", "rerun"):
            yield how, scenario, "ours", world.run("ours", how, ours, names)
            yield how, scenario, "article", world.run("article", how, theirs, names[:ARTICLE_FLEET])
