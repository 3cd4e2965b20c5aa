"""The destination without AWS: a directory."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import LARGEST, Conflict, File, digest
from ghtraffic_action.files import replace_file


class DirectoryDestination:
    """Files in a directory, replaced atomically under a lock."""

    def __init__(self, path: str, *, lock_timeout: float = 30.0) -> None:
        """Use the directory `path`, created on first write.

        Waits up to `lock_timeout` seconds for the lock.
        """
        self._root = Path(path)
        self._file_lock = FileLock(self._root / ".lock", timeout=lock_timeout)
        self._thread_lock = Lock()  # file locks are polled, which would slow down the threads of a run

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """See Destination."""
        with self._translate_errors():
            try:
                with (self._root / key).open("rb") as file:
                    if os.fstat(file.fileno()).st_size > limit:
                        found = hashlib.file_digest(file, "sha256").hexdigest()
                        return File(b"", found, version=found, too_large=True)
                    content = file.read()
            except FileNotFoundError:
                return None
            except PermissionError as error:
                what = f"cannot be read ({error.strerror}): give this user the right to read it"
                raise DestinationError(f"export-to {self.uri(key)}: {what}") from error
        return File(content, digest(content), version=digest(content))

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination. Skips dotfiles, which a crash can leave."""
        with self._translate_errors():
            for path in (self._root / prefix).rglob("[!.]*"):
                if path.is_file():
                    yield path.relative_to(self._root).as_posix()

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        path = self._root / key
        with self._translate_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._thread_lock, self._file_lock:
                current = self.read(key, 0)
                if (current and current.version) != version:
                    raise Conflict(key)
                replace_file(path, content)

    def uri(self, key: str) -> str:
        """See Destination."""
        return str(self._root / key)

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination. Always empty."""
        return {}

    def close(self) -> None:
        """See Destination."""

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except Timeout as error:
            raise DestinationError(
                f"export-to {self._root}: another program keeps writing there: run again later"
            ) from error
        except IsADirectoryError as error:
            raise DestinationError(
                f"export-to {self._root}: {error.filename} is a folder where a file belongs: move it away"
            ) from error
        except OSError as error:
            raise DestinationError(
                f"export-to {self._root}: cannot be used ({error.strerror}): name a directory that this user can write"
            ) from error
