"""Simulates many seeds in parallel, with a process for each core."""

import gc
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.files import IN_MEMORY

from .simulate import Outcome, simulate

TENTH = 10


def on_aws(seed: int, where: str) -> bool:
    """Return whether a seed stores in AWS."""
    return where == "aws" or (where == "both" and seed % TENTH == 0)


def simulated(seed: int, days: int, where: str, folder: Path | None = IN_MEMORY) -> Outcome:
    """Simulate one seed, in a process of the pool."""
    logging.getLogger("ghtraffic_action").setLevel(logging.CRITICAL)
    gc.disable()  # a seed's worth of cycles is little, and looking for them takes an eighth of the time
    gc.collect()
    gc.freeze()  # so that the next seed does not look through the modules again
    return simulate(seed, days, aws=on_aws(seed, where), folder=folder)


def outcomes(seeds: Iterable[int], days: int, where: str) -> Iterator[Outcome]:
    """Simulate seeds in parallel; if the caller stops iterating, no further seed is simulated."""
    with (
        TemporaryDirectory(dir=IN_MEMORY, prefix="simulations-") as folder,
        get_context("spawn").Pool(maxtasksperchild=50) as pool,
    ):
        one = partial(simulated, days=days, where=where, folder=Path(folder))
        yield from pool.imap_unordered(one, seeds)
