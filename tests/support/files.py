"""Folders in memory, and folders that another user meets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - folders with names of their own are made in it
IN_MEMORY = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
"""A folder on a file system in memory, None if this system has none."""


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Become a user who can read the folder and its files but not write them, which root could."""
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & 0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
