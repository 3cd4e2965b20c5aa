"""Detects compressed files, pointers, error pages and merge conflicts."""

import re

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.traffic.encodings import marked_encoding

_POINTERS = (
    (b"version https://git-lfs.github.com/spec/", "it is a pointer of Git LFS: run `git lfs pull`"),
    (b"/annex/objects/", "it is a pointer of git-annex: run `git annex get`"),
)
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html|40[0-9]: )", re.IGNORECASE)
_CONFLICT = re.compile(rb"^(?:<<<<<<< |\|{7} |=======\r?$|>>>>>>> )", re.MULTILINE)


def as_utf8(content: bytes) -> bytes:
    """Convert UTF-16 or UTF-32 with a byte-order mark to UTF-8.

    Raises ForeignFileError if the content does not match its mark.
    """
    encoding = marked_encoding(content)
    if encoding is None:
        return content
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        raise ForeignFileError(f"it is not text in {encoding} ({error}): save it again as UTF-8") from error


def check_merged(content: bytes) -> None:
    """Raise ForeignFileError at the first merge conflict marker."""
    if marker := _CONFLICT.search(content):
        line = content.count(b"\n", 0, marker.start()) + 1
        raise ForeignFileError(f"line {line}: a merge-conflict marker: settle the conflict, then import the file")


def check_data(content: bytes) -> None:
    """Raise ForeignFileError for a pointer, an error page, a merge conflict, or binary data."""
    if found := next((what for begin, what in _POINTERS if content.startswith(begin)), None):
        raise ForeignFileError(f"{found}, or leave the file out")
    if _PAGE.match(content):
        raise ForeignFileError("it is an error page and no traffic: leave it out")
    if content.lstrip().startswith((b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> ")):
        check_merged(content)
    if b"\0" in content:
        raise ForeignFileError("it holds NUL bytes, so it is damaged or not in UTF-8: save it again, or leave it out")
