"""Selection of the repositories of a credential's batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile

from ghtraffic_action.exports.incremental import ExportBefore
from ghtraffic_action.fleet.batches import Batch
from ghtraffic_action.plan import is_fresh, unfinished
from ghtraffic_action.report import Unfinished
from ghtraffic_action.traffic.observation import Repository

MOST = 2_900
"""Maximum repositories of a batch: 14 minutes at 850 requests a minute."""

_BYTES = 200_000
"""Maximum bytes of a batch's names and ids, since an execution's input has at most 256 KiB."""


@dataclass(slots=True)
class Candidates:
    """A credential's repositories by id, and names that GitHub refuses."""

    name: str
    settings: Mapping[str, str]
    found: dict[int, Repository] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)


def choose(run: str, candidates: Candidates, before: ExportBefore, now: datetime) -> tuple[Batch, Unfinished | None]:
    """Return a batch of the repositories observed longest ago, and those left for later (or None).

    Neither has repositories already observed on this UTC day. The refused names are in the batch, whose run reports
    them.
    """
    stale = sorted(
        (found for found in candidates.found.values() if not is_fresh(found, before, now)),
        key=lambda found: before.observed(found.id),
    )
    taken = _fitting(stale, candidates.refused)
    names = (*(found.name for found in taken), *candidates.refused)
    batch = Batch(run, candidates.name, candidates.settings, names, tuple(found.id for found in taken))
    why = "others fill the batch: the next run starts with it"
    return batch, unfinished(stale[len(taken) :], before, why, now, once_a_day=True)


def _fitting(stale: Sequence[Repository], refused: Iterable[str]) -> tuple[Repository, ...]:
    """Return the repositories observed longest ago that fit into a batch with the refused names."""
    size = sum(len(name) + 4 for name in refused)

    def fits(repository: Repository) -> bool:
        nonlocal size
        size += len(repository.name) + len(str(repository.id)) + 6
        return size <= _BYTES

    return tuple(takewhile(fits, stale[:MOST]))
