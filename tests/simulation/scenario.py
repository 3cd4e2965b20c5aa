"""What a seed determines: the runs of each day, when they begin, and how many faults they meet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

_FILES = ("v1/", "/daily/", "/paths/", "/referrers/", "/latest/", "repositories.csv")
"""What the keys have in them of the files that cannot be written, sometimes for weeks."""


_REQUESTS = 60
"""About as many as a usual run has, and some that are new."""


@dataclass(frozen=True)
class Batch:
    """Some runs that begin together, each a number of seconds `after` the moment `at`.

    Args:
        at: when the first may begin.
        after: the seconds after which each begins.
        kill_at: after how many requests each is killed (None: never).
        stop_at: after how many requests each is asked to stop.
        skew: by how much the clock of each is wrong.
        distance: the seconds that a request of GitHub's takes.
        rate: the part of all requests that meet trouble.
        outage: what the keys of files contain that cannot be written.
        refused: how the path ends of an endpoint of GitHub that is refused.
        only: which repository alone is asked for (None: all).
        again: whether the same is run once more if all went well, which must change nothing.
    """

    at: datetime
    after: tuple[float, ...] = (0.0,)
    kill_at: tuple[int | None, ...] = (None,)
    stop_at: tuple[int | None, ...] = (None,)
    skew: tuple[timedelta, ...] = (timedelta(),)
    distance: float = 0.05
    rate: float = 0.0
    outage: str = ""
    refused: str = ""
    only: int | None = None
    again: bool = False


def batches(draw: Random, first: date, days: int, crossing: float = 0.15) -> Iterator[Batch]:
    """Draw the runs of so many days: mostly one a day, sometimes none for days, sometimes two or three at once.

    The part `crossing` of them runs across the end of an hour or day, mostly several at once.
    """
    idle_until, outage_until, outage = first, first, ""
    often = draw.choice((0.0, 0.0, 0.05))
    for day in (first + timedelta(days=n) for n in range(days)):
        if day < idle_until:
            continue
        if day >= outage_until:
            outage = draw.choice(_FILES) if draw.random() < often else ""
            outage_until = day + timedelta(days=draw.choice((1, 20, 30, 40)))
        if draw.random() < 0.03:
            idle_until = day + timedelta(days=draw.choice((2, 5, 9, 13, 14, 16, 25)))
            continue
        if draw.random() < 0.1:
            continue
        for _ in range(2 if draw.random() < 0.1 else 1):
            yield _batch(draw, day, outage, crossing)


def _batch(draw: Random, day: date, outage: str, crossing: float) -> Batch:
    drawn = draw.random()
    crosses = drawn < crossing
    runs = draw.choices((1, 2, 3), (35, 45, 20) if crosses else (85, 12, 3))[0]
    at = time(draw.randrange(24), 17)
    if crosses:  # the end of an hour, after which GitHub has other numbers, or of the day
        at = time(23 if drawn < crossing / 3 else at.hour, 59, draw.randint(40, 59))
    return Batch(
        at=datetime.combine(day, at, UTC),
        after=tuple(draw.choice((0.0, draw.uniform(0, 2), draw.uniform(0, 90))) for _ in range(runs)),
        kill_at=tuple(draw.randrange(_REQUESTS) if draw.random() < 0.15 else None for _ in range(runs)),
        stop_at=tuple(draw.randrange(_REQUESTS) if draw.random() < 0.05 else None for _ in range(runs)),
        skew=tuple(
            timedelta(hours=draw.choice((-26, -3, 5, 24))) if draw.random() < 0.1 else timedelta() for _ in range(runs)
        ),
        only=draw.randrange(3) if draw.random() < 0.1 else None,
        distance=draw.choice((1.5, 4.0)) if crosses else draw.choice((0.05, 0.5)),
        rate=draw.choices((0.0, 0.03, 0.15, 0.5), (55, 25, 15, 5))[0],
        outage=outage,
        refused=draw.choice(("/views", "/clones")) if draw.random() < 0.05 else "",
        again=draw.random() < 0.25,
    )
