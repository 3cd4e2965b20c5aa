"""How the export is made again from the store alone: all months or one, in memory that stays flat."""

import csv
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from ghtraffic_action.errors import DestinationError, SettingsError, StoreError
from ghtraffic_action.exports.csvfile import UnreadableError, changed_repositories, merge, parse
from ghtraffic_action.exports.destination import Destination, File, open_destination
from ghtraffic_action.exports.incremental import ExportResult, WriteResult, published, try_write
from ghtraffic_action.exports.layout import REPOSITORIES, Row, month_key, months
from ghtraffic_action.exports.rows import Rows, article_rows, read_catalogue, rows_of
from ghtraffic_action.exports.swap import UNREAD, compare_and_swap
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.traffic.model import History


def export_all(settings: Settings, month: str = "") -> ExportResult:
    """Open the store and the destination that the settings name, and rebuild. Raises UserError."""
    if month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise SettingsError(f"month: {month!r} is no month: write YYYY-MM")
    with (
        closing(open_store(settings.store, create=False)) as store,
        closing(open_destination(settings.export_to)) as destination,
    ):
        rebuilt = rebuild(store, destination, month=month, article=settings.legacy_csv)
    if not rebuilt.files and not rebuilt.errors:
        of = f" of {month}" if month else ""
        raise StoreError(f"store {settings.store}: it holds nothing{of}: name the store that `ghtraffic collect` keeps")
    return rebuilt


def rebuild(store: Store, destination: Destination, *, month: str = "", article: bool = False) -> ExportResult:
    """Replace the files by what the store holds, whatever they held; the catalogue last, and only if all went well.

    With `month` (`2026-11`) the files of that month alone; with `article` also the article's two files.
    """
    try:
        with TemporaryDirectory(prefix="ghtraffic-") as folder:
            rebuilding = _Rebuilding(store, destination, _Spool(Path(folder)), month=month, article=article)
            outcomes = rebuilding.run()
    except OSError as error:
        cure = "make room there, or set TMPDIR to a folder that has some"
        raise DestinationError(f"temporary files in {gettempdir()}: {error.strerror}: {cure}") from error
    return published(destination, outcomes)


class _Rebuilding:
    def __init__(self, store: Store, destination: Destination, spool: "_Spool", *, month: str, article: bool) -> None:
        self._store = store
        self._destination = destination
        self._spool = spool
        self._month = month
        self._article = article
        self._known = self._versions()
        self._fresher: dict[int, tuple[Row, ...]] = {}

    def run(self) -> list[WriteResult]:
        for count, history in enumerate(self._store.scan(), 1):
            if self._article and count > 1:
                raise SettingsError("legacy-csv: the store holds several repositories; its files are for one")
            for key, rows in self._rows(history).items():
                self._spool.append(key, history.repository_id, rows)
        keys = self._spool.keys
        outcomes = [self._rewrite(key) for key in sorted(keys - {REPOSITORIES})]
        if REPOSITORIES in keys:
            outcomes += [self._manifest(key, content) for key, content in self._destination.manifests().items()]
            if not any(outcome.error for outcome in outcomes):
                outcomes.append(self._rewrite(REPOSITORIES))
        return outcomes

    def _rows(self, history: History) -> Rows:
        rows = rows_of(history, None)
        if self._month:
            return {key: found for key, found in rows.items() if f"/month={self._month}/" in key}
        return rows | (article_rows(history, None) if self._article else {})

    def _versions(self) -> dict[str, File | None]:
        """Note what is exported before the store is read, so that nothing newer than the store is overwritten."""
        catalogue = self._destination.read(REPOSITORIES)
        try:
            exported = list(read_catalogue(parse(REPOSITORIES, catalogue.content)).values()) if catalogue else []
        except UnreadableError:
            return {}
        if not exported:
            return {}
        span = months(min(e.first_day for e in exported), max(e.observed for e in exported))
        keys = [month_key(kind, month) for kind in ("daily", "paths", "referrers") for month in span]
        with ThreadPoolExecutor(8) as readers:
            return dict(zip(keys, readers.map(self._version, keys), strict=True))

    def _version(self, key: str) -> File | None:
        file = self._destination.read(key)
        return file and replace(file, content=b"")

    def _rewrite(self, key: str) -> WriteResult:
        def render(_: File | None) -> bytes:
            ours = self._ours(key)
            return merge(key, None, (row for i in sorted(ours) for row in ours[i]), lambda _: True)

        def refresh(file: File) -> None:
            try:
                theirs = parse(key, file.content)
            except UnreadableError:
                return
            ours = self._ours(key)
            for repository_id in {*changed_repositories(key, theirs, ours), *(theirs.repository_ids() - ours.keys())}:
                self._fresher[repository_id] = self._rows(self._store.load(repository_id)).get(key, ())

        known = self._known.get(key, UNREAD)
        self._fresher.clear()
        return try_write(key, lambda: compare_and_swap(self._destination, key, render, known=known, refresh=refresh))

    def _manifest(self, key: str, content: bytes) -> WriteResult:
        return try_write(key, lambda: compare_and_swap(self._destination, key, lambda _: content))

    def _ours(self, key: str) -> dict[int, tuple[Row, ...]]:
        """Give a file's rows by repository: those of the spool, or what the store was asked for since."""
        return self._spool.read(key) | self._fresher


class _Spool:
    """Rows on disk, by file and repository: what keeps the memory of an export flat."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.keys: set[str] = set()

    def append(self, key: str, repository_id: int, rows: Iterable[Row]) -> None:
        self.keys.add(key)
        with self._path(key).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((repository_id, *row) for row in rows)

    def read(self, key: str) -> dict[int, tuple[Row, ...]]:
        rows: dict[int, list[Row]] = {}
        with self._path(key).open(newline="", encoding="utf-8") as file:
            for repository_id, *row in csv.reader(file):
                rows.setdefault(int(repository_id), []).append(tuple(row))
        return {repository_id: tuple(found) for repository_id, found in rows.items()}

    def _path(self, key: str) -> Path:
        return self._folder / key.replace("/", "%")
