"""The store with backups merged in, for imports that mix backups and other files."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store, open_or_empty
from ghtraffic_action.traffic.merge import apply, missing_from
from ghtraffic_action.traffic.model import Changes, History


class StoreWithBackups:
    """A store with backups that are not yet merged."""

    def __init__(self, store: Store, backups: Store | None) -> None:
        """Read `store`, and `backups` if there are any."""
        self._store = store
        self._backups = backups

    def load(self, repository_id: int) -> History:
        """Return a repository's history as it will be."""
        history = self._store.load(repository_id)
        if self._backups is None:
            return history
        backup = self._backups.load(repository_id)
        return apply(history, missing_from(history, Changes(backup.days, backup.snapshots)))

    def scan(self) -> Iterator[History]:
        """Yield the histories of the store, then of the backups."""
        yield from self._store.scan()
        if self._backups is not None:
            yield from self._backups.scan()


def join_backups(settings: Settings, paths: Sequence[str], folder: Path, today: date) -> str:
    """Merge backups into one in `folder`, reading each once. Return its path."""
    staged = replace(settings, store=f"sqlite:{folder / 'backups.db'}")
    for path in paths:
        import_backup(staged, path, today)
    joined = str(folder / "backups.jsonl")
    write_backup(staged, joined)
    return joined


@contextmanager
def open_with_backups(settings: Settings, folder: Path, *, joined: bool) -> Iterator[StoreWithBackups]:
    """Open the store with the joined backups in `folder`."""
    with closing(open_or_empty(settings.store)) as store:
        if not joined:
            yield StoreWithBackups(store, None)
            return
        with closing(open_or_empty(f"sqlite:{folder / 'backups.db'}")) as backups:
            yield StoreWithBackups(store, backups)
