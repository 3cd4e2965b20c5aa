"""How a run's changes reach the export: only the months that can have changed, nothing of others lost."""

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from threading import Lock

from tenacity import sleep_using_event

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.csvfile import CsvTable, UnreadableError, changed_repositories, merge, parse
from ghtraffic_action.exports.destination import Destination, File
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    LATEST_PATHS,
    LATEST_REFERRERS,
    REPOSITORIES,
    Row,
    month_key,
    month_of,
)
from ghtraffic_action.exports.rows import OPEN, CatalogueEntry, Rows, article_rows, read_catalogue, rows_of, summarize
from ghtraffic_action.exports.swap import UNREAD, Render, Unread, compare_and_swap
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.model import History

_PARALLEL = 8

Reload = Callable[[int], History]
"""Reads a repository's history from the store again, from the first day that its export needs on."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What came of an export: the files as they now are, those of them that were written, and what failed."""

    files: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What came of one file."""

    key: str
    written: bool = False
    error: str = ""


def try_write(key: str, write: Callable[[], bool]) -> WriteResult:
    """Write one file; its failure keeps no other from being written."""
    try:
        return WriteResult(key, written=write())
    except DestinationError as error:
        return WriteResult(key, error=str(error))


def published(destination: Destination, outcomes: Iterable[WriteResult]) -> ExportResult:
    """Sum up what came of each file, by the names that readers know the files by."""
    outcomes = tuple(outcomes)
    return ExportResult(
        files=tuple(destination.uri(outcome.key) for outcome in outcomes if not outcome.error),
        written=tuple(destination.uri(outcome.key) for outcome in outcomes if outcome.written),
        errors=tuple(outcome.error for outcome in outcomes if outcome.error),
    )


class IncrementalExport:
    """One run's export: `prepare` before the store is read, `add` each history, then `publish`.

    The files are read before the store. So a compare-and-swap that succeeds holds at least what every earlier export
    held, since each run stores before it exports.
    """

    def __init__(self, destination: Destination, *, article: bool = False, machine: Runtime | None = None) -> None:
        """Export to `destination`; with `article` also the two files of the article, of one repository."""
        self._destination = destination
        self._article = article
        self._machine = machine or Runtime()
        self._before: dict[int, CatalogueEntry] = {}
        self._files: dict[str, File | None] = {}
        self._rows: dict[int, Rows] = {}
        self._lock = Lock()
        self._executor = self._machine.threads(_PARALLEL, "export")
        self._prepared: Future[None] = self._executor.submit(self._prepare)

    def since(self, repository_id: int, today: date) -> date | None:
        """Tell the first day that is needed of a history; None for all of it.

        Where the export cannot be read, the months that `today`'s answers can touch.
        """
        if self._prepared.exception():
            return (today - OPEN).replace(day=1)
        if self._article and self._files.get(ARTICLE_DAYS) is None:
            return None
        before = self._before.get(repository_id)
        return before.since if before else None

    def previous(self, repository_id: int) -> CatalogueEntry | None:
        """Return the repository's entry in the catalogue as it was read; None if there is none."""
        return None if self._prepared.exception() else self._before.get(repository_id)

    @property
    def entries(self) -> Mapping[int, CatalogueEntry]:
        """The catalogue as it was read, by id; empty if it could not be read."""
        return {} if self._prepared.exception() else self._before

    @property
    def new(self) -> bool:
        """Whether the destination has no catalogue yet."""
        return not self._prepared.exception() and self._files.get(REPOSITORIES) is None

    def observed(self, repository_id: int) -> date:
        """Tell the last observation that is exported, for the stalest to come first; long ago where none is."""
        before = None if self._prepared.exception() else self._before.get(repository_id)
        return before.observed if before else date.min

    def add(self, history: History) -> CatalogueEntry | None:
        """Take in what is stored of one repository; tell what the export will say of it (None: nothing yet)."""
        before = self._before.get(history.repository_id) if history.since else None
        exported = summarize(history, before)
        if exported is None:
            return None
        rows = rows_of(history, before)
        if self._article:
            rows |= article_rows(history, before)
        with self._lock:
            self._rows[history.repository_id] = rows
        return exported

    def publish(self, reload: Reload) -> ExportResult:
        """Write what differs; the catalogue last and only if all else is written, so that a failure is caught up."""
        try:
            self._prepared.result()
        except DestinationError as error:
            return ExportResult(errors=(str(error),))
        keys = sorted({key for rows in self._rows.values() for key in rows} - {REPOSITORIES})
        manifests = self._destination.manifests() if self._rows else {}
        writing: dict[str, Callable[[], bool]] = {key: partial(self._publish, key, reload) for key in keys}
        writing |= {key: partial(self._publish_manifest, key, content) for key, content in manifests.items()}
        outcomes = list(self._executor.map(try_write, writing, writing.values()))
        if self._rows and not any(outcome.error for outcome in outcomes):
            outcomes.append(try_write(REPOSITORIES, lambda: self._publish(REPOSITORIES, reload)))
        return published(self._destination, outcomes)

    def close(self) -> None:
        """Let go of the threads."""
        self._executor.shutdown()

    def _prepare(self) -> None:
        catalogue = self._read(REPOSITORIES)
        if catalogue:
            self._before = read_catalogue(_parse(self._destination, REPOSITORIES, catalogue))
        newest = max((exported.observed for exported in self._before.values()), default=None)
        keys = [LATEST_PATHS, LATEST_REFERRERS, *self._destination.manifests()]
        keys += [ARTICLE_DAYS, ARTICLE_PATHS] if self._article else []
        if newest:
            months = {month_of(newest - OPEN), month_of(newest), month_of(newest + timedelta(days=1))}
            keys += [month_key(kind, month) for kind in ("daily", "paths", "referrers") for month in months]
        with self._machine.threads(len(keys), "read") as readers:
            list(readers.map(self._read, keys))

    def _read(self, key: str) -> File | None:
        self._files[key] = file = self._destination.read(key)
        return file

    def _publish_manifest(self, key: str, content: bytes) -> bool:
        return self._swap(key, lambda _: content, known=self._files.get(key, UNREAD))

    def _publish(self, key: str, reload: Reload) -> bool:
        def render(file: File | None) -> bytes:
            ours = self._ours(key)
            old = _parse(self._destination, key, file) if file else None
            return merge(key, old, (row for i in sorted(ours) for row in ours[i]), _replaced(key, ours))

        def refresh(file: File) -> None:
            for repository_id in changed_repositories(key, _parse(self._destination, key, file), self._ours(key)):
                self.add(reload(repository_id))

        unread = UNREAD if self._before else None  # without a catalogue there are most likely no files at all
        return self._swap(key, render, known=self._files.get(key, unread), refresh=refresh)

    def _swap(
        self,
        key: str,
        render: Render,
        *,
        known: File | Unread | None,
        refresh: Callable[[File], None] = lambda _: None,
    ) -> bool:
        sleep = sleep_using_event(self._machine.stop)
        return compare_and_swap(self._destination, key, render, known=known, refresh=refresh, sleep=sleep)

    def _ours(self, key: str) -> dict[int, tuple[Row, ...]]:
        with self._lock:
            return {repository_id: rows[key] for repository_id, rows in self._rows.items() if key in rows}


def _replaced(key: str, ours: Mapping[int, tuple[Row, ...]]) -> Callable[[dict[str, str]], bool]:
    """Tell which rows of a file ours take the place of; those of repositories that are not in this run stay."""
    if key == ARTICLE_PATHS:
        return lambda _: True
    if key == ARTICLE_DAYS:
        oldest = min(row[0] for rows in ours.values() for row in rows)
        return lambda record: record["timestamp"] >= oldest
    return lambda record: int(record["repository_id"]) in ours


def _parse(destination: Destination, key: str, file: File) -> CsvTable:
    try:
        return parse(key, file.content)
    except UnreadableError as error:
        month = re.search(r"month=(\d{4}-\d{2})", key)
        command = f"ghtraffic export --month {month[1]}" if month else "ghtraffic export"
        raise DestinationError(
            f"export-to {destination.uri(key)}: the file {error}; it was left alone: rebuild it with `{command}`"
        ) from error
