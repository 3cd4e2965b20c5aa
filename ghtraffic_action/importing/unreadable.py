"""Files in the place of data that hold none: compressed, pointers, error pages, unsettled merges."""

import codecs
import re

from ghtraffic_action.errors import ForeignFileError

_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks; those of UTF-32 first, since one begins like that of UTF-16."""

_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"PK\3\4", "ZIP, as spreadsheets are"),
)
_POINTERS = (
    (b"version https://git-lfs.github.com/spec/", "it is a pointer of Git LFS: run `git lfs pull`"),
    (b"/annex/objects/", "it is a pointer of git-annex: run `git annex get`"),
)
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html|40[0-9]: )", re.IGNORECASE)
_CONFLICT = re.compile(rb"^(?:<<<<<<< |\|{7} |=======\r?$|>>>>>>> )", re.MULTILINE)


def as_utf8(content: bytes) -> bytes:
    """Return a text in UTF-8 whose byte-order mark says that it is in UTF-16 or UTF-32, else the content.

    Raises ForeignFileError if it is not what its mark says.
    """
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), None)
    if encoding is None:
        return content
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        raise ForeignFileError(f"it is no text in {encoding.upper()} ({error}): save it again as UTF-8") from error


def compression(content: bytes) -> str | None:
    """Return what a file is compressed with; None if it is not compressed."""
    return next((name for magic, name in _COMPRESSED if content.startswith(magic)), None)


def check_merged(content: bytes) -> None:
    """Raise ForeignFileError at the first marker of a merge that nobody settled."""
    if marker := _CONFLICT.search(content):
        line = content.count(b"\n", 0, marker.start()) + 1
        raise ForeignFileError(f"line {line}: a merge-conflict marker: settle the conflict, then import the file")


def check_data(content: bytes) -> None:
    """Raise ForeignFileError if a file in the place of data is something that a reader cannot even begin with."""
    if found := next((what for begin, what in _POINTERS if content.startswith(begin)), None):
        raise ForeignFileError(f"{found}, or leave the file out")
    if _PAGE.match(content):
        raise ForeignFileError("it is an error page and no traffic: leave it out")
    if content.lstrip().startswith((b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> ")):
        check_merged(content)
    if b"\0" in content:
        raise ForeignFileError(
            "it holds NUL bytes, so it is damaged or no text in UTF-8: save it again, or leave it out"
        )
