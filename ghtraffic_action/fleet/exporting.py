"""The last step of a fleet's run: one export of what all batches have stored."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial

from ghtraffic_action.exports.destination import Destination
from ghtraffic_action.exports.incremental import read_export
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.run_export import RunExport
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.fleet.batches import has_result, read_batches
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store

log = logging.getLogger(__name__)

_AT_ONCE = 12
"""Repositories that are loaded at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: the files of the export, and the names of the batches that failed."""

    batches: int
    repositories: int
    exported: ExportResult
    failed: tuple[str, ...] = ()


def export_run(run: str, settings: Settings, store: Store, destination: Destination, runtime: Runtime) -> Outcome:
    """Export the repositories of a run's batches, whether these were collected or failed halfway. Raises UserError."""
    batches = read_batches(destination, run)
    ids = tuple(dict.fromkeys(number for batch in batches for number in batch.ids))
    exported = _export(ids, settings, store, destination, runtime)
    failed = tuple(batch.name for batch in batches if not has_result(destination, batch))
    return Outcome(len(batches), len(ids), exported, failed)


def _export(
    ids: Sequence[int], settings: Settings, store: Store, destination: Destination, runtime: Runtime
) -> ExportResult:
    with ExitStack() as resources:
        read = partial(read_export, destination, runtime, article=settings.legacy_csv, report=settings.report)
        before = resources.enter_context(runtime.threads(1, "export")).submit(read)
        before.result()  # the files before the store, so that a write over them holds at least what they held
        spool = resources.enter_context(closing(Spool()))
        export = RunExport(store, destination, before, spool, runtime, article=settings.legacy_csv)
        workers = resources.enter_context(runtime.threads(_AT_ONCE, "load"))
        for number in workers.map(partial(_keep, export, runtime), ids):
            log.debug("repository %d: loaded", number)
        return export.write()


def _keep(export: RunExport, runtime: Runtime, repository_id: int) -> int:
    """Keep a repository's rows; one that nothing was stored of has none."""
    history = export.extend(export.load(repository_id, runtime.now().date()))
    export.keep(repository_id, export.render(history)[1])
    return repository_id
