"""Concurrent writes of files: compare-and-swap, repeated in rounds after conflicts."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from random import uniform

from ghtraffic_action.errors import DestinationError, StoreError
from ghtraffic_action.exports import page_files
from ghtraffic_action.exports.csvfile import UnreadableError
from ghtraffic_action.exports.destination import LARGE, LARGEST, Conflict, Destination, File, digest
from ghtraffic_action.exports.layout import DAILY_PREFIX, RECENT, REPOSITORIES, month_of_key
from ghtraffic_action.exports.parts import Part, changed_repositories, merge, repository_ids
from ghtraffic_action.exports.recent import month_span, recent_days
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.page.data import PAGE_DATA, StaleLineError, read_heads
from ghtraffic_action.page.writer import PAGE, write_page
from ghtraffic_action.runtime import Runtime

_ROUNDS = 12
_PARALLEL = 8
_SMALL = 256 * 1024


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export's current files, those written now, and the errors."""

    files: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilesBefore:
    """The files as they were before the store was read.

    If this is `complete`, a missing key means that there is no such file, else that it was not read. If `replaced`, no
    content is read, since a rebuild replaces all of it.
    """

    files: Mapping[str, File | None] = field(default_factory=dict)
    complete: bool = False
    replaced: bool = False

    def has(self, key: str) -> bool:
        """Return whether a file can be written without another read."""
        file = self.files.get(key)
        is_replaced = self.replaced or key == PAGE
        return (self.complete or key in self.files) and (is_replaced or not (file and file.too_large))

    def is_same(self, key: str, file: File | None) -> bool:
        """Return whether a file still has its earlier version."""
        before = self.files.get(key)
        return (self.complete or key in self.files) and (before and before.version) == (file and file.version)


@dataclass(frozen=True, slots=True)
class _FileResult:
    written: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class ExportWriter:
    """Writes the rows of a spool; `load` renders a repository again from the store.

    Every run stores before it exports, and reads the files before the store. So replacing the version that was read
    never loses rows of an earlier export. If another run changed a file meanwhile, the file is read again, and then the
    store, for the repositories whose rows differ.
    """

    destination: Destination
    before: FilesBefore
    spool: Spool
    load: Callable[[int], Mapping[str, Part]]
    runtime: Runtime
    _page_data: dict[str, bytes] = field(default_factory=dict)
    """The page's data as last written or read; cleared if the page changes."""
    _months: dict[str, bytes] = field(default_factory=dict)
    """Cache of small months' files as written."""

    def keys(self) -> set[str]:
        """Return the keys of files with rows, and of those that are made of them."""
        keys = self.spool.keys()
        keys |= {PAGE} if PAGE_DATA in keys else set()
        return keys | {RECENT, *self.destination.manifests()} if REPOSITORIES in keys else keys

    def write(self, keys: Collection[str]) -> ExportResult:
        """Write the changed files, the catalogue last and without errors only.

        A failed file is so caught up by the next run. The file of recent days follows the months it is made of. The
        page's data and the page follow the catalogue: if they fail, the next run sees that their lines are older than
        the catalogue, and makes them again.
        """
        others = sorted({*keys} - {RECENT, REPOSITORIES, PAGE_DATA, PAGE})
        large = [key for key in others if self._is_large(key)]
        results = self._write([key for key in others if key not in large])
        for key in large:  # one after the other, to limit memory
            results |= self._write([key])
        for key in (RECENT, REPOSITORIES, PAGE_DATA, PAGE):
            if key in keys and not any(result.error for result in results.values()):
                results |= self._write([key])
        return ExportResult(
            files=tuple(self.destination.uri(key) for key, result in results.items() if not result.error),
            written=tuple(self.destination.uri(key) for key, result in results.items() if result.written),
            errors=tuple(dict.fromkeys(result.error for result in results.values() if result.error)),
        )

    def content(self, key: str, file: File | None = None) -> bytes:
        """Return the content to replace `file` with. Raises DestinationError if it does not parse."""
        if manifest := self.destination.manifests().get(key):
            return manifest
        if key == PAGE:
            return write_page(self._shown_data())
        try:
            if key == RECENT and (span := month_span(self.spool.keys())):
                return recent_days(self._old_content(file), *span, self._month)
            if key == PAGE_DATA:
                self._page_data[key] = self._merge_page_data(self._old_content(file) or b"")
                return self._page_data[key]
            return merge(key, self._old_content(file), self.spool.parts(key))
        except UnreadableError as error:
            raise DestinationError(unreadable(self.destination, key, error)) from error

    def refresh(self, files: Mapping[str, File | None]) -> None:
        """Reload repositories whose rows differ in files changed by others. Raises StoreError."""
        derived = {*self.destination.manifests(), PAGE, RECENT}
        if PAGE in files:
            self._page_data.clear()
        if RECENT in files:  # the other run may have changed months too
            self._months.clear()
        changed = {k: f for k, f in files.items() if f and k not in derived and not self.before.is_same(k, f)}
        stale = sorted({found for key, file in changed.items() for found in self._changed(key, file)})
        with self.runtime.threads(_PARALLEL, "load") as executor:
            for repository_id, parts in zip(stale, executor.map(self.load, stale), strict=True):
                self.spool.add(repository_id, parts)

    def _write(self, keys: list[str]) -> dict[str, _FileResult]:
        files = {key: self.before.files.get(key) for key in keys if self.before.has(key)}
        results: dict[str, _FileResult] = {}
        with self.runtime.threads(_PARALLEL, "export") as executor:
            for attempt in range(_ROUNDS):
                results |= self._read([key for key in keys if key not in files and key not in results], files, executor)
                results |= self._write_round([key for key in keys if key not in results], files, executor)
                if len(results) == len(keys):
                    return results
                self.runtime.stop.wait(uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - only spreads the writers
        return results | {key: _FileResult(error=self._contended(key)) for key in keys if key not in results}

    def _read(self, keys: list[str], files: dict[str, File | None], executor: Executor) -> dict[str, _FileResult]:
        """Read into `files`, then reload repositories. Return the failures."""
        failed: dict[str, _FileResult] = {}
        reading = {key: executor.submit(self.destination.read, key) for key in keys}
        for key, future in reading.items():
            try:
                files[key] = future.result()
            except DestinationError as error:
                failed[key] = _FileResult(error=str(error))
        try:
            self.refresh({key: files[key] for key in keys if key not in failed})
        except StoreError as error:
            failed |= {key: _FileResult(error=str(error)) for key in keys}
        return failed

    def _write_round(
        self, keys: list[str], files: dict[str, File | None], executor: Executor
    ) -> dict[str, _FileResult]:
        """Write each file over its version in `files`. Remove files changed by others."""
        done: dict[str, _FileResult] = {}
        writing = {key: executor.submit(self._write_file, key, files[key]) for key in keys}
        for key, future in writing.items():
            try:
                done[key] = _FileResult(written=future.result())
            except Conflict:
                del files[key]
            except (DestinationError, StoreError) as error:
                done[key] = _FileResult(error=str(error))
        return done

    def _write_file(self, key: str, file: File | None) -> bool:
        content = self.content(key, file)
        if key.startswith(DAILY_PREFIX) and len(content) <= _SMALL:
            self._months[key] = content
        if file and file.digest == digest(content):
            return False
        self.destination.write(key, content, file.version if file else None)
        return True

    def _month(self, key: str) -> bytes | None:
        """Return a month's file after this export, or None."""
        if key in self._months:
            return self._months[key]
        if self.before.complete and key not in self.spool.keys():  # noqa: SIM118 - it is no mapping
            return None
        if self.before.replaced:
            return self.content(key)
        file = self.destination.read(key)
        return file.content if file else None

    def _old_content(self, file: File | None) -> bytes | None:
        return _content(file) if file and not self.before.replaced else None

    def _merge_page_data(self, old: bytes) -> bytes:
        """Merge our lines into the page's data; rebuild stale lines from whole histories."""
        while True:
            try:
                return page_files.merge_parts(old, self.spool.each(PAGE_DATA))
            except StaleLineError as error:
                nothing = {PAGE_DATA: Part(b"")}
                self.spool.add(error.repository_id, nothing | dict(self.load(error.repository_id)))

    def _shown_data(self) -> bytes:
        """Return the page's data: ours, or what others wrote since."""
        if self.before.replaced:
            return self.content(PAGE_DATA)
        if PAGE_DATA not in self._page_data:
            file = self.destination.read(PAGE_DATA)
            self._page_data[PAGE_DATA] = file.content if file else b""
        return self._page_data[PAGE_DATA]

    def _changed(self, key: str, file: File) -> set[int]:
        if key == PAGE_DATA:
            changed = page_files.changed_repositories(file.content, self.spool.each(key))
            return (
                changed | (read_heads(file.content).keys() - self.spool.ids(key)) if self.before.replaced else changed
            )
        ours = self.spool.parts(key)
        try:
            changed = changed_repositories(key, _content(file), ours)
            return changed | (repository_ids(key, file.content) - ours.keys()) if self.before.replaced else changed
        except UnreadableError:
            return set()  # the write then refuses or replaces it

    def _is_large(self, key: str) -> bool:
        file = self.before.files.get(key)
        return (file is not None and file.too_large) or self.spool.size(key) > LARGE

    def _contended(self, key: str) -> str:
        what = f"other programs changed it in all {_ROUNDS} attempts"
        return f"export-to {self.destination.uri(key)}: {what}: run again later"


def unreadable(destination: Destination, key: str, error: UnreadableError) -> str:
    """Return the error of an unreadable file, with its remedy."""
    month = month_of_key(key)
    command = f"ghtraffic export --month {month}" if month else "ghtraffic export"
    return f"export-to {destination.uri(key)}: the file {error}; it was left unchanged: rebuild it with `{command}`"


def _content(file: File) -> bytes:
    if file.too_large:
        raise UnreadableError(f"has more than {LARGEST >> 20} MiB")
    return file.content
