"""The undo of an import."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from ghtraffic_action.errors import StoreError
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.traffic.provenance import ImportRecord, reverse_import

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Undone:
    """The result of an undo: what was reversed, and days raised since, which stay."""

    repositories: int = 0
    taken_back: int = 0
    kept: int = 0


def undo_import(settings: Settings, import_id: str) -> Undone:
    """Undo an import in all of its repositories. Raises UserError for an unknown import."""
    done = Undone()
    with closing(open_store(settings.store, create=False)) as store:
        for repository_id, record in list(_find(store, import_id)):
            taken_back, kept = _undo(settings, store, repository_id, record)
            done = Undone(done.repositories + 1, done.taken_back + taken_back, done.kept + kept)
    if not done.repositories:
        raise StoreError(f"undo {import_id}: {settings.store} has no such import: `ghtraffic status` lists them")
    return done


def _find(store: Store, import_id: str) -> Iterator[tuple[int, ImportRecord]]:
    for history in store.scan():
        for record in store.imports.records(history.repository_id):
            if record.id == import_id:
                yield history.repository_id, record


def _undo(settings: Settings, store: Store, repository_id: int, record: ImportRecord) -> tuple[int, int]:
    for _ in range(_TRIES):
        reversal = reverse_import(store.load(repository_id), store.imports.records(repository_id), record)
        if store.imports.take_back(repository_id, record, reversal):
            return len(reversal.replacements), reversal.kept
    raise StoreError(
        f"store {settings.store}: other programs keep changing it: run the undo again when they have ended"
    )
