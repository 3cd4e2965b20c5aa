"""Checks the store's file and the export's directory."""

import os
from pathlib import Path

from ghtraffic_action.doctor.finding import Finding
from ghtraffic_action.stores.sqlite_schema import APPLICATION, MIGRATIONS
from ghtraffic_action.traffic.record_file import FORMAT


def examine_file(address: str) -> Finding:
    """Check a store's file, without creating or locking it."""
    what, (kind, _, path) = f"store {address}", address.partition(":")
    file = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a forbidden folder
        return _creatable(what, file.parent)
    if not file.is_file() or not os.access(file, os.R_OK | os.W_OK) or not os.access(file.parent, os.W_OK):
        remedy = f"give this user the right to write it: chmod u+rw {path}"
        return Finding(f"{what}: it is not a writable file", "problem", "nothing can be stored", remedy)
    with file.open("rb") as opened:  # not by SQLite, which may write beside the file even to read it
        head = opened.read(100)
    if head and not _IS_OURS[kind](head):
        remedy = "name another file, or move this one away"
        return Finding(f"{what}: it is another program's file", "problem", "nothing can be stored", remedy)
    if kind == "sqlite":
        return _examine_database(what, path, head)
    return Finding(f"{what}: it is there and can be written")


def _examine_database(what: str, path: str, head: bytes) -> Finding:
    if int.from_bytes(head[60:64]) > len(MIGRATIONS):
        return Finding(f"{what}: a newer ghtraffic wrote it", "problem", "nothing can be stored", "upgrade ghtraffic")
    log = Path(f"{path}-wal")
    if log.is_file() and log.stat().st_size:
        return Finding(f"{what}: it can be written; {log} holds a part of it: copy both, or none")
    return Finding(f"{what}: it is there and can be written")


def _is_our_database(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and int.from_bytes(head[68:72]) in (0, APPLICATION)


def _is_our_lines(head: bytes) -> bool:
    return FORMAT.encode() in head.partition(b"\n")[0]


_IS_OURS = {"sqlite": _is_our_database, "jsonl": _is_our_lines}
"""Checks of the first 100 bytes of a store's file."""


def examine_directory(address: str) -> Finding:
    """Check the export's directory, without creating it."""
    what, folder = f"export-to {address}", Path(address)
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Finding(f"{what}: it is there and can be written")
    if os.path.exists(address):  # noqa: PTH110 - Path.exists raises for a forbidden folder
        return Finding(f"{what}: it is not a writable directory", "problem", "nothing can be exported", "name another")
    # a run makes it with all folders above it
    return _creatable(what, next(above for above in folder.absolute().parents if above.exists()))


def _creatable(what: str, folder: Path) -> Finding:
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Finding(f"{what}: the first run will make it")
    return Finding(f"{what}: its folder cannot be written", "problem", "nothing can be kept", f"mkdir -p {folder}")
