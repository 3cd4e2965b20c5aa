"""Backups: a whole store written to one file, sorted, and merged into any store from one that is whole."""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile, TemporaryFile, gettempdir
from typing import Any, BinaryIO, cast

from ghtraffic_action.backup.format import Record, read_record, write_imports, write_records
from ghtraffic_action.errors import BackupError, StoreError
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import EMPTY, Store, open_store
from ghtraffic_action.traffic.merge import merge_by_day, merge_day, merge_snapshot, missing_from
from ghtraffic_action.traffic.model import Changes, Day, Snapshot
from ghtraffic_action.traffic.provenance import ImportRecord

log = logging.getLogger(__name__)

FORMAT = "ghtraffic backup"
VERSION = 2
"""The version that is written; docs/backup.md describes the form."""

READABLE = (1, 2)
"""The versions that are read: the second has listed days, the last day of totals, and retirement."""

_LONGEST = 16 * 1024 * 1024
"""Bytes of a line; one that is longer is none of ours."""

_SHORT = 1000
"""Bytes that the first line of a backup never has."""

_NOTHING = "so nothing was imported"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought to a store: the repositories of the backup, and what of it was news."""

    repositories: int = 0
    inserted: int = 0
    raised: int = 0
    snapshots: int = 0


def write_backup(settings: Settings, path: str) -> int:
    """Write the store that the settings name to the file `path` (`-`: the standard output); tell how many records.

    A file is replaced only once the new one is whole. Raises UserError.
    """
    with closing(open_store(settings.store, create=False)) as store:
        try:
            with _written(path) as file:
                records = write_lines(file, _records(store))
                if not records:
                    raise StoreError(EMPTY.format(store=settings.store))
                return records
        except OSError as error:
            where = "the standard output" if path == "-" else path
            raise BackupError(
                f"output {where}: cannot be written ({error.strerror}): make room there, or name another file"
            ) from error


def import_backup(settings: Settings, path: str, today: date) -> Imported:
    """Merge the backup `path` (`-`: the standard input) into the store that the settings name, by the rule of a run.

    It is read whole first, so that of one that is cut off or not true nothing is imported. Raises UserError.
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
        cure = "name a file that this user can read"
        raise BackupError(f"import {path}: cannot be read ({error.strerror}): {cure}") from error


def write_lines(file: BinaryIO, written: Iterable[dict[str, Any]]) -> int:
    """Write a backup of the records `written`, and return how many there are."""
    seen, records = sha256(), 0

    def put(fields: dict[str, Any]) -> None:
        line = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        seen.update(line)
        file.write(line)

    put({"format": FORMAT, "version": VERSION})
    for fields in written:
        put(fields)
        records += 1
    put({"records": records, "sha256": seen.hexdigest()})
    return records


def is_backup(content: bytes) -> bool:
    """Return whether a file's content begins as a backup does."""
    first = content.partition(b"\n")[0]
    try:
        fields = json.loads(first) if first.startswith(b"{") and len(first) < _SHORT else None
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("format") == FORMAT


def _records(store: Store) -> Iterator[dict[str, Any]]:
    for history in store.scan():
        yield from write_records(history)
        yield from write_imports(history.repository_id, store.imports.records(history.repository_id))


def _read(file: BinaryIO, today: date) -> Iterator[tuple[int, Record]]:
    """Read the records; BackupError, which names the line, at the first that is not as it should be."""
    number, records, seen = 0, 0, sha256()
    for number, line in enumerate(iter(partial(file.readline, _LONGEST), b""), 1):
        try:
            fields = _parse(line)
            if number == 1:
                _check_version(fields)
            elif isinstance(fields, dict) and "records" in fields:
                _check_end(fields, records, seen.hexdigest(), more=file.read(1) != b"")
                return
            else:
                yield read_record(fields, today)
                records += 1
        except ValueError as error:
            raise BackupError(f"line {number}: {error}, {_NOTHING}: {_cure(number)}") from error
        seen.update(line)
    what = "the last line of a backup is missing, so the file was cut off" if number else "the file is empty"
    raise BackupError(f"line {number + 1}: {what}, {_NOTHING}: copy it again, whole")


def _cure(number: int) -> str:
    made = "`ghtraffic export --format jsonl`"
    return f"mend it, or make another backup with {made}" if number > 1 else f"name a file that {made} made"


def _parse(line: bytes) -> object:
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON" if line.endswith(b"\n") else "it is cut off") from error


def _check_version(fields: object) -> None:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError("it is not the first line of a backup")
    if fields.get("version") not in READABLE:
        what = f"the backup is of version {fields.get('version')!r}, this ghtraffic reads {VERSION} and older ones"
        raise BackupError(f"line 1: {what}, {_NOTHING}: upgrade ghtraffic")


def _check_end(fields: dict[str, Any], records: int, digest: str, *, more: bool) -> None:
    if fields["records"] != records:
        raise ValueError(f"it counts {fields['records']!r} records, and there are {records}")
    if fields.get("sha256", digest) != digest:
        raise ValueError("what is above it has another SHA-256, so it was changed or damaged")
    if more:
        raise ValueError("it should be the last line, and another follows")


def _merge(store: Store, records: Iterator[tuple[int, Record]]) -> Imported:
    ids, done = set[int](), Imported()
    for repository_id, group in groupby(records, key=lambda record: record[0]):
        found = [record for _, record in group]
        seen = Changes(
            merge_by_day((), (record for record in found if isinstance(record, Day)), merge_day),
            merge_by_day((), (record for record in found if isinstance(record, Snapshot)), merge_snapshot),
        )
        _add_imports(store, repository_id, [record for record in found if isinstance(record, ImportRecord)])
        first = min([*(day.day for day in seen.days), *(shot.day for shot in seen.snapshots)], default=date.max)
        changes = missing_from(store.load(repository_id, first), seen)
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
    """Add records before their days: an interruption leaves no day whose import cannot be undone."""
    if found:
        known = {record.id for record in store.imports.records(repository_id)}
        for record in found:
            if record.id not in known:
                store.imports.add(repository_id, record)


@contextmanager
def _written(path: str) -> Iterator[BinaryIO]:
    """Open what is written to: a file under another name until it is whole, or what is no file, such as a pipe."""
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
    """Open what is read twice; what can be read only once, such as a pipe, is kept in a temporary file meanwhile."""
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
                cure = "make room there, or set TMPDIR to a folder that has some"
                raise BackupError(f"temporary files in {gettempdir()}: {error.strerror}: {cure}") from error
            yield cast("BinaryIO", kept)
