"""The interface of export destinations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

LARGE = 4 * 1024 * 1024
"""Larger files (bytes) are read only before they are written, one after the other."""

LARGEST = 512 * 1024 * 1024
"""Maximum bytes of an exported file, far above any fleet's month."""


@dataclass(frozen=True, slots=True)
class File:
    """A file: its bytes, their SHA-256, and its version.

    A file that was `too_large` has no content, and its digest can be unknown.
    """

    content: bytes
    digest: str
    version: str
    too_large: bool = False


class Conflict(Exception):  # noqa: N818 - a reason to retry, no error
    """A file has an unexpected version; nothing was written."""


class Destination(Protocol):
    """Stores files by key (`v1/daily/month=2026-11/daily.csv`). Every method raises DestinationError."""

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """Read a file, without content above `limit` bytes; None if it does not exist."""

    def keys(self, prefix: str) -> Iterator[str]:
        """List the files below `prefix` (`v1/`), in any order."""

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """Replace exactly `version` (None: no file), or raise Conflict."""

    def uri(self, key: str) -> str:
        """Return the URI of a file."""

    def manifests(self) -> Mapping[str, bytes]:
        """Return additional files that this destination's readers need, by key."""

    def close(self) -> None:
        """Close connections."""


def digest(content: bytes) -> str:
    """Return the content's SHA-256 in hexadecimal."""
    return sha256(content).hexdigest()


def open_destination(address: str) -> Destination:
    """Open `s3://BUCKET/PREFIX` or a directory; the first read checks it."""
    if address.startswith("s3://"):
        from ghtraffic_action.exports.s3 import S3Destination  # noqa: PLC0415 - boto3 is slow to import

        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        return S3Destination(bucket, prefix)
    from ghtraffic_action.exports.directory import DirectoryDestination  # noqa: PLC0415 - only where it is used

    return DirectoryDestination(address)
