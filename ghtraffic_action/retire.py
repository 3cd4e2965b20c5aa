"""Retirement of unreachable repositories, which keep their history without deadlines."""

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.exports.destination import open_destination
from ghtraffic_action.exports.incremental import read_export, write_export
from ghtraffic_action.exports.parts import Part
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.traffic.model import Changes, History, Retired, Snapshot


def retire(settings: Settings, now: datetime) -> ExportResult:
    """Mark repositories as retired in store and export.

    A later observation ends a repository's retirement. Raises UserError, also if the store does not know a name: then
    nothing is written.
    """
    runtime = Runtime()
    with (
        closing(open_store(settings.store, create=False)) as store,
        closing(open_destination(settings.export_to)) as destination,
        closing(Spool()) as spool,
    ):
        before = read_export(destination, runtime, report=settings.report)

        def render(repository_id: int) -> dict[str, Part]:
            return before.render(store.load(repository_id), store.load)[1]

        for history in _named(store, settings.repositories):
            name = history.snapshots[-1].repository if history.snapshots else history.days[-1].repository
            seen = Snapshot(now.date(), name, retired=Retired(now))
            store.save(history.repository_id, Changes((), (seen,)))
            spool.add(history.repository_id, render(history.repository_id))
        return write_export(destination, before, spool, render, runtime)


def _named(store: Store, names: Iterable[str]) -> list[History]:
    """Return the histories of repositories by current name."""
    wanted = {name.lower(): name for name in names}
    found: dict[str, History] = {}
    for history in store.scan():
        names = {seen.repository.lower() for seen in (history.snapshots[-1:] or history.days[-1:])}
        found |= dict.fromkeys(names & wanted.keys(), history)
    if missing := [wanted[name] for name in wanted if name not in found]:
        raise SettingsError(f"repositories: the store does not know {', '.join(missing)}: run `ghtraffic status`")
    return list(found.values())
