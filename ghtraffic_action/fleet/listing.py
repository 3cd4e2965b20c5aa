"""The first step of a fleet's run: the batches."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from ghtraffic_action.collect import connect
from ghtraffic_action.discovery import Discovery, discover
from ghtraffic_action.errors import UserError
from ghtraffic_action.exports.destination import Destination
from ghtraffic_action.exports.incremental import ExportBefore, read_catalogue_alone
from ghtraffic_action.fleet.batches import Batch
from ghtraffic_action.fleet.choice import Candidates, choose
from ghtraffic_action.fleet.credentials import CREDENTIAL
from ghtraffic_action.plan import no_longer_listed
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.views.plain_text import one_line

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """A run's batches, at most one per credential, and failures."""

    batches: tuple[Batch, ...]
    errors: tuple[str, ...] = ()


def list_batches(
    run: str,
    credentials: Sequence[Mapping[str, str]],
    read: Callable[[Mapping[str, str]], Settings],
    destination: Destination,
    runtime: Runtime,
) -> Listing:
    """Return a run's batches, each with the repositories of its credential observed longest ago.

    `read` makes settings of a credential's. Errors are recorded, and do not affect other credentials. Repositories
    already observed on this UTC day are left out. Raises Interrupted.
    """
    before = read_catalogue_alone(destination)
    errors = [before.error] if before.error else []
    candidates: dict[tuple[str, ...], Candidates] = {}
    for number, given in enumerate(credentials, 1):
        try:
            settings = read(given)
            with closing(connect(settings, runtime)) as github:
                found = discover(settings, github, runtime)
                _add(candidates, number, given, found, github.account)
        except UserError as error:
            errors.append(f"Credentials, entry {number}: {error}")
            continue
        errors += [f"{failure.name}: {failure.errors[0]}" for failure in found.failures if failure.is_list]
        if settings.summary in ("auto", "full"):
            for gone in no_longer_listed(before, found.listed_patterns, found.lookup):
                log.warning("%s", one_line(gone.warning))
    now = runtime.now()
    chosen = [_choose(run, found, before, now) for found in candidates.values()]
    errors += [error for _, late in chosen for error in late]
    return Listing(tuple(batch for batch, _ in chosen if batch.repositories), tuple(errors))


def _add(
    candidates: dict[tuple[str, ...], Candidates],
    number: int,
    given: Mapping[str, str],
    found: Discovery,
    account: Callable[[str], str],
) -> None:
    """Add repositories to their credential's candidates; several entries can share a credential."""
    settings = {name: given[name] for name in CREDENTIAL if given.get(name)}

    def of(name: str) -> Candidates:
        whose = account(name)
        label = re.sub(r"[^A-Za-z0-9_.-]", "-", whose)[:60] or "token"
        return candidates.setdefault((*settings.values(), whose), Candidates(f"{number}-{label}", settings))

    for repository in found.lookup.found:
        of(repository.name).found[repository.id] = repository
    for name in found.lookup.refused:
        of(name).refused[name] = None


def _choose(run: str, candidates: Candidates, before: ExportBefore, now: datetime) -> tuple[Batch, tuple[str, ...]]:
    """Return the batch, and an error if a remaining repository would lose a day."""
    batch, left = choose(run, candidates, before, now)
    log.info(
        "batch %s: %d repositories, %d for later runs",
        batch.name,
        len(batch.repositories),
        left.number if left else 0,
    )
    return batch, (left.text,) if left and not left.safe else ()
