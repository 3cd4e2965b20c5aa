"""The interface of the places that an export is written to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

LARGE = 4 * 1024 * 1024
"""From so many bytes on a file is read only when it is written, and files are written one after the other."""

LARGEST = 512 * 1024 * 1024
"""The most bytes that a file of the export can have: no fleet's month comes near."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read: its bytes, their SHA-256, and the version that a later write can insist on.

    One that was `too_large` has no content, and its digest may be unknown.
    """

    content: bytes
    digest: str
    version: str
    too_large: bool = False


class Conflict(Exception):  # noqa: N818 - somebody else was faster: a reason to start again, no error
    """A file is not, or no longer, of the version that a write insisted on; nothing was written."""


class Destination(Protocol):
    """Holds files by key (`v1/daily/month=2026-11/daily.csv`). Every method raises DestinationError."""

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """Read a file, without its content if that has more than `limit` bytes; None if there is no such file."""

    def keys(self, prefix: str) -> Iterator[str]:
        """List the files whose keys begin with `prefix` (`v1/`), in no order."""

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """Write a whole file over exactly `version` (None: no file), or raise Conflict."""

    def uri(self, key: str) -> str:
        """Return the URI of a file."""

    def manifests(self) -> Mapping[str, bytes]:
        """Return the additional files that readers of this kind of destination need, by key."""

    def close(self) -> None:
        """Close connections."""


def digest(content: bytes) -> str:
    """Return the SHA-256 of the content in hexadecimal."""
    return sha256(content).hexdigest()


def open_destination(address: str) -> Destination:
    """Open the destination that `s3://BUCKET/PREFIX` or a directory's path names; the first read checks it."""
    if address.startswith("s3://"):
        from ghtraffic_action.exports.s3 import S3Destination  # noqa: PLC0415 - boto3 is slow to import

        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        return S3Destination(bucket, prefix)
    from ghtraffic_action.exports.directory import DirectoryDestination  # noqa: PLC0415 - only where it is used

    return DirectoryDestination(address)
