"""Backups: a whole store as a sorted file, written or merged into any store."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, groupby
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile, TemporaryFile, gettempdir
from typing import BinaryIO, cast

from ghtraffic_action.errors import BackupError, StoreError
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import EMPTY, Store, open_store
from ghtraffic_action.traffic.merge import merge_records, missing_from
from ghtraffic_action.traffic.provenance import ImportRecord
from ghtraffic_action.traffic.record_file import LineError, read_lines, record_lines, write_lines
from ghtraffic_action.traffic.records import Record

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: repositories, and what was new."""

    repositories: int = 0
    inserted: int = 0
    raised: int = 0
    snapshots: int = 0


def write_backup(settings: Settings, path: str) -> int:
    """Write the whole store to `path` (`-`: standard output). Return the number of records.

    The file is replaced only when complete. Raises UserError.
    """
    with closing(open_store(settings.store, create=False)) as store:
        try:
            with _written(path) as file:
                records = _write(store, file)
                if not records:
                    raise StoreError(EMPTY.format(store=settings.store))
                return records
        except OSError as error:
            where = "the standard output" if path == "-" else path
            raise BackupError(
                f"output {where}: cannot be written ({error.strerror}): free some space there, or name another file"
            ) from error


def import_backup(settings: Settings, path: str, today: date) -> Imported:
    """Merge the backup `path` (`-`: standard input) into the store, as a run would.

    It is checked to its end before anything is imported. Raises UserError.
    """
    try:
        with _seekable(path) as file:
            for _ in _read(file, today):
                pass
            file.seek(0)
            with closing(open_store(settings.store, create=True)) as store:
                return _merge(store, _read(file, today))
    except BackupError as error:
        raise BackupError(f"import {path}: {error}") from error
    except OSError as error:
        remedy = "name a file that this user can read"
        raise BackupError(f"import {path}: cannot be read ({error.strerror}): {remedy}") from error


def _write(store: Store, file: BinaryIO) -> int:
    lines = -2  # the first and the last are no records
    histories = (record_lines(found, store.imports.records(found.repository_id)) for found in store.scan())
    for line in write_lines(chain.from_iterable(histories)):
        file.write(line)
        lines += 1
    return lines


def _read(file: BinaryIO, today: date) -> Iterator[tuple[int, Record]]:
    """Read the records. Raises BackupError with the first invalid line's number."""
    try:
        for repository_id, record, _ in read_lines(file, today):
            yield repository_id, record
    except LineError as error:
        raise BackupError(f"line {error.number}: {error}, so nothing was imported: {_remedy(error)}") from error


def _remedy(error: LineError) -> str:
    made = "`ghtraffic export --format jsonl`"
    return {
        "line": f"fix it, or make another backup with {made}",
        "head": f"name a file that {made} made",
        "version": "upgrade ghtraffic",
        "end": "copy it again, whole",
    }[error.kind]


def _merge(store: Store, records: Iterator[tuple[int, Record]]) -> Imported:
    ids, done = set[int](), Imported()
    for repository_id, group in groupby(records, key=lambda record: record[0]):
        found = [record for _, record in group]
        _add_imports(store, repository_id, [record for record in found if isinstance(record, ImportRecord)])
        seen = merge_records(found)
        first = min([*(day.day for day in seen.days), *(shot.day for shot in seen.snapshots)], default=date.max)
        stars = store.load_stars(repository_id) if seen.stars else ()
        changes = missing_from(replace(store.load(repository_id, first), stars=stars), seen)
        saved = store.save(repository_id, changes)
        ids.add(repository_id)
        done = Imported(
            len(ids),
            done.inserted + saved.inserted,
            done.raised + saved.raised,
            done.snapshots + len(changes.snapshots),
        )
        log.info("repository %d: %d days inserted, %d raised", repository_id, saved.inserted, saved.raised)
    return done


def _add_imports(store: Store, repository_id: int, found: Sequence[ImportRecord]) -> None:
    """Write import records before their days, so that an interrupted import can be undone."""
    if found:
        known = {record.id for record in store.imports.records(repository_id)}
        for record in found:
            if record.id not in known:
                store.imports.add(repository_id, record)


@contextmanager
def _written(path: str) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces the output, or a pipe directly."""
    if path == "-" or (Path(path).exists() and not Path(path).is_file()):
        with open(1 if path == "-" else path, "wb", closefd=path != "-") as stream:
            yield stream
        return
    target = Path(path).resolve()
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as temporary:
        try:
            yield cast("BinaryIO", temporary)
            temporary.flush()
            os.fsync(temporary.fileno())
            Path(temporary.name).replace(target)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise


@contextmanager
def _seekable(path: str) -> Iterator[BinaryIO]:
    """Open the input for two reads; a pipe is copied to a temporary file."""
    with open(0 if path == "-" else path, "rb", closefd=path != "-") as stream:
        if stream.seekable():
            yield stream
            return
        with ExitStack() as stack:
            try:
                kept = stack.enter_context(TemporaryFile(prefix="ghtraffic-"))
                copyfileobj(stream, kept)
                kept.seek(0)
            except OSError as error:
                remedy = "free some space there, or set TMPDIR to a folder with free space"
                raise BackupError(f"temporary files in {gettempdir()}: {error.strerror}: {remedy}") from error
            yield cast("BinaryIO", kept)
