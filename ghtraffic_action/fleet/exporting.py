"""The last step of a fleet's run: the export."""

import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

from ghtraffic_action.alerting.alerts import Alert
from ghtraffic_action.exports.destination import Destination
from ghtraffic_action.exports.incremental import read_export
from ghtraffic_action.exports.layout import RUN
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.run_export import RunExport
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.fleet.batches import read_batches, read_result
from ghtraffic_action.fleet.summary import Report, merge_reports
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store

log = logging.getLogger(__name__)

_AT_ONCE = 12
"""Repositories loaded in parallel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run's result: exported files, causes of failure, and the batches' alerts."""

    batches: int
    repositories: int
    exported: ExportResult
    causes: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetExport:
    """The store and destination of a fleet."""

    settings: Settings
    store: Store
    destination: Destination
    runtime: Runtime

    def run(self, run: str, errors: Sequence[str]) -> Outcome:
        """Export the repositories of all batches, whether collected or not.

        `errors` are those of the first step. Raises UserError.
        """
        batches = read_batches(self.destination, run)
        results = {batch.name: read_result(self.destination, batch) for batch in batches}
        failed = [name for name, result in results.items() if result is None]
        named = [f"{len(failed)} of {len(batches)} batches failed: {', '.join(failed)}"] if failed else []
        causes = (*named, *errors)
        ids = tuple(dict.fromkeys(number for batch in batches for number in batch.ids))
        reports = [result for result in results.values() if result]
        exported = self._export(ids, reports, causes)
        alerts = dict.fromkeys(Alert(**alert) for report in reports for alert in report["alerts"])
        return Outcome(len(batches), len(ids), exported, causes, tuple(alerts))

    def _export(self, ids: Sequence[int], reports: Sequence[Report], causes: Sequence[str]) -> ExportResult:
        settings, runtime = self.settings, self.runtime
        with ExitStack() as resources:
            read = partial(read_export, self.destination, runtime, article=settings.legacy_csv, report=settings.report)
            before = resources.enter_context(runtime.threads(1, "export")).submit(read)
            before.result()  # the files before the store, so that a write over them holds at least what they held
            spool = resources.enter_context(closing(Spool()))
            export = RunExport(self.store, self.destination, before, spool, runtime, article=settings.legacy_csv)
            workers = resources.enter_context(runtime.threads(_AT_ONCE, "load"))
            for number in workers.map(partial(_keep, export, runtime), ids):
                log.debug("repository %d: loaded", number)
            written = export.write()
            if not reports:  # an hour without anything to collect leaves the report of the last run
                return written
            merged = json.dumps(merge_reports(reports, written, causes), indent=2)
            return replace(written, errors=(*written.errors, *export.save(RUN, merged.encode())))


def _keep(export: RunExport, runtime: Runtime, repository_id: int) -> int:
    """Keep a repository's rows, if it has any."""
    history = export.extend(export.load(repository_id, runtime.now().date()))
    export.keep(repository_id, export.render(history)[1])
    return repository_id
