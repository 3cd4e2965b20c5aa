"""The store for a Git branch: a sorted file of JSON lines, like a backup."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from itertools import chain
from pathlib import Path
from threading import RLock

from filelock import FileLock, Timeout

from ghtraffic_action.errors import StoreError
from ghtraffic_action.files import replace_file
from ghtraffic_action.stores.base import COLLECT_FIRST, Saved
from ghtraffic_action.stores.jsonl_imports import Change, Contents, JsonLinesImports
from ghtraffic_action.traffic.merge import apply, merge_records, missing_from
from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.provenance import ImportRecord
from ghtraffic_action.traffic.record_file import LineError, read_lines, read_record_line, record_lines, write_lines
from ghtraffic_action.traffic.stars import StarYear

"""Days in the future are accepted: the clock of the run that stored them may have been ahead."""

_REMEDIES = {
    "line": "correct it, or restore the file from an earlier commit or a backup",
    "head": "name the file that `ghtraffic collect` writes",
    "version": "upgrade ghtraffic",
    "end": "restore the file from an earlier commit or a backup",
}


@dataclass(frozen=True, slots=True)
class _Content:
    """A file's bytes (None: no file), and lines by repository."""

    data: bytes | None = None
    lines: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)


class JsonLinesStore:
    """Histories in one file, replaced atomically under a lock."""

    def __init__(self, path: str, *, create: bool = True, lock_timeout: float = 30.0) -> None:
        """Read `path`; wait up to `lock_timeout` seconds for the lock."""
        self._name = f"store jsonl:{path}"
        self._path = Path(path).resolve()  # keeps a symbolic link
        self._file_lock = FileLock(self._path.with_name(f".{self._path.name}.lock"), timeout=lock_timeout)
        self._thread_lock = RLock()
        self._content = _Content()
        self.imports = JsonLinesImports(self._load_contents, self._change)
        with self._translate_errors():
            if self._read().data is None and not create:
                raise StoreError(f"{self._name}: there is no such file: {COLLECT_FIRST}")
            self._path.parent.stat()

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store."""
        with self._thread_lock, self._translate_errors():
            history = _history(self._read(), repository_id)
        return replace(
            history,
            since=since,
            days=tuple(day for day in history.days if day.day >= (since or date.min)),
            snapshots=tuple(found for found in history.snapshots if found.day >= (since or date.min)),
            stars=() if since else history.stars,
        )

    def load_stars(self, repository_id: int) -> tuple[StarYear, ...]:
        """See Store."""
        with self._thread_lock, self._translate_errors():
            return _history(self._read(), repository_id).stars

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store."""
        with self._thread_lock, self._translate_errors():
            if not changes:
                return Saved(changes)
            with self._file_lock:
                while (saved := self._try_save(repository_id, changes)) is None:
                    pass
                return saved

    def scan(self) -> Iterator[History]:
        """See Store."""
        with self._thread_lock, self._translate_errors():
            content = self._read()
        for repository_id in sorted(content.lines):
            yield _history(content, repository_id)

    def close(self) -> None:
        """See Store."""

    def _try_save(self, repository_id: int, changes: Changes) -> Saved | None:
        """Merge changes into the file, None if a program without the lock replaced it."""
        before = self._read()
        history = _history(before, repository_id)
        missing = missing_from(history, changes)
        after = apply(history, missing)
        if missing and not self._replace(before, (after, _imports(before, repository_id))):
            return None
        stored, days = {day.day for day in history.days}, {seen.day for seen in changes.days}
        snapshots = {seen.day for seen in changes.snapshots}
        return Saved(
            Changes(
                tuple(day for day in after.days if day.day in days),
                tuple(found for found in after.snapshots if found.day in snapshots),
                after.stars if changes.stars else (),
            ),
            inserted=len(days - stored),
            raised=len({day.day for day in missing.days} & stored),
        )

    def _replace(self, before: _Content, contents: Contents) -> bool:
        """Write a repository's lines, False if a program without the lock replaced the file."""
        history, imports = contents
        lines = {**before.lines, history.repository_id: tuple(record_lines(history, imports))}
        data = b"".join(write_lines(chain.from_iterable(lines[key] for key in sorted(lines))))
        if self._bytes() != before.data:
            return False
        replace_file(self._path, data)
        self._content = _Content(data, {key: found for key, found in lines.items() if found})
        return True

    def _load_contents(self, repository_id: int) -> Contents:
        with self._thread_lock, self._translate_errors():
            content = self._read()
            return _history(content, repository_id), _imports(content, repository_id)

    def _change(self, repository_id: int, change: Change) -> bool:
        """Write the result of `change`. Return whether there was something to write."""
        with self._thread_lock, self._translate_errors(), self._file_lock:
            while True:
                before = self._read()
                contents = change((_history(before, repository_id), _imports(before, repository_id)))
                if contents is None or self._replace(before, contents):
                    return contents is not None

    def _read(self) -> _Content:
        """Return the current content, parsed again only if it changed."""
        data = self._bytes()
        if data != self._content.data:
            lines: dict[int, list[bytes]] = {}
            for repository_id, _, line in read_lines(BytesIO(data or b""), date.max) if data is not None else ():
                lines.setdefault(repository_id, []).append(line)
            self._content = _Content(data, {key: tuple(found) for key, found in lines.items()})
        return self._content

    def _bytes(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except LineError as error:
            raise StoreError(f"{self._name}: line {error.number}: {error}: {_REMEDIES[error.kind]}") from error
        except Timeout as error:
            raise StoreError(
                f"{self._name}: another program keeps writing it: run again when that has ended"
            ) from error
        except OSError as error:
            remedy = "make its folder, and give this user the right to write there"
            raise StoreError(f"{self._name}: cannot be used ({error.strerror}): {remedy}") from error


def _history(content: _Content, repository_id: int) -> History:
    lines = content.lines.get(repository_id, ())
    return apply(History(repository_id), merge_records(map(read_record_line, lines)))


def _imports(content: _Content, repository_id: int) -> tuple[ImportRecord, ...]:
    lines = (line for line in content.lines.get(repository_id, ()) if b'"import":' in line)
    return tuple(record for record in map(read_record_line, lines) if isinstance(record, ImportRecord))
