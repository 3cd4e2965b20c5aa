"""The first step of a fleet's run: which repositories each credential collects."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import takewhile

from ghtraffic_action.collect import connect
from ghtraffic_action.discovery import Discovery, discover
from ghtraffic_action.errors import UserError
from ghtraffic_action.exports.destination import Destination
from ghtraffic_action.exports.incremental import ExportBefore, read_catalogue_alone
from ghtraffic_action.fleet.batches import Batch
from ghtraffic_action.fleet.credentials import CREDENTIAL
from ghtraffic_action.plan import is_fresh, no_longer_listed, unfinished
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.model import Repository

log = logging.getLogger(__name__)

MOST = 2_900
"""Repositories of a batch: what one function can ask of GitHub in 14 minutes, at 850 requests a minute."""

_BYTES = 200_000
"""Bytes of the names and ids of a batch, since the input of an execution has 256 KiB at the most."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The batches of a run, at most one of each credential, and what failed."""

    batches: tuple[Batch, ...]
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class _Candidates:
    """What a credential may collect: repositories, and names that GitHub refuses."""

    name: str
    settings: Mapping[str, str]
    found: dict[int, Repository] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)


def list_batches(
    run: str,
    credentials: Sequence[Mapping[str, str]],
    read: Callable[[Mapping[str, str]], Settings],
    destination: Destination,
    runtime: Runtime,
) -> Listing:
    """Return the batches of a run, each with the stalest repositories that its credential has.

    `read` makes settings of a credential's. What fails of one credential keeps no other's from being collected, and
    neither does a catalogue that cannot be read. What was observed on this UTC day is left out. Raises Interrupted.
    """
    before = read_catalogue_alone(destination)
    errors = [before.error] if before.error else []
    candidates: dict[tuple[str, ...], _Candidates] = {}
    for number, given in enumerate(credentials, 1):
        try:
            settings = read(given)
            with closing(connect(settings, runtime)) as github:
                found = discover(settings, github, runtime)
                _add(candidates, number, given, found, github.account)
        except UserError as error:
            errors.append(f"Credentials, entry {number}: {error}")
            continue
        errors += [f"{failure.name}: {failure.errors[0]}" for failure in found.failures if _is_list(failure.name)]
        for gone in no_longer_listed(before, found.listed_patterns, found.lookup):
            log.warning("%s", gone.warning)
    batches = [_batch(run, chosen, before, runtime, errors) for chosen in candidates.values()]
    return Listing(tuple(batch for batch in batches if batch.repositories), tuple(errors))


def _add(
    candidates: dict[tuple[str, ...], _Candidates],
    number: int,
    given: Mapping[str, str],
    found: Discovery,
    account: Callable[[str], str],
) -> None:
    """Add what was found to the candidates of its credential, also if an earlier entry names the same."""
    settings = {name: given[name] for name in CREDENTIAL if given.get(name)}

    def of(name: str) -> _Candidates:
        whose = account(name)
        label = re.sub(r"[^A-Za-z0-9_.-]", "-", whose)[:60] or "token"
        return candidates.setdefault((*settings.values(), whose), _Candidates(f"{number}-{label}", settings))

    for repository in found.lookup.found:
        of(repository.name).found[repository.id] = repository
    for name in found.lookup.refused:
        of(name).refused[name] = None


def _batch(run: str, chosen: _Candidates, before: ExportBefore, runtime: Runtime, errors: list[str]) -> Batch:
    """Choose the stalest; add an error if what is left for later runs would lose a day before."""
    now = runtime.now()
    stale = sorted(
        (found for found in chosen.found.values() if not is_fresh(found, before, now)),
        key=lambda found: before.observed(found.id),
    )
    taken = fitting(stale, [*chosen.refused])
    left = unfinished(
        stale[len(taken) :], before, "the others fill a batch: the next run begins with it", now, once_a_day=True
    )
    if left and not left.safe:
        errors.append(left.text)
    log.info("batch %s: %d repositories, %d for later runs", chosen.name, len(taken), len(stale) - len(taken))
    names = (*(found.name for found in taken), *chosen.refused)
    return Batch(run, chosen.name, chosen.settings, names, tuple(found.id for found in taken))


def fitting(stale: Sequence[Repository], refused: Iterable[str]) -> tuple[Repository, ...]:
    """Return as many of the stalest as fit into a batch beside the refused names."""
    size = sum(len(name) + 4 for name in refused)

    def fits(repository: Repository) -> bool:
        nonlocal size
        size += len(repository.name) + len(str(repository.id)) + 6
        return size <= _BYTES

    return tuple(takewhile(fits, stale[:MOST]))


def _is_list(name: str) -> bool:
    """Return whether a failure is of a list or a pattern; a repository's is reported by its batch."""
    return "/" not in name or "*" in name
