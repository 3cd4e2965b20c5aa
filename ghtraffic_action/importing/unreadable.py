"""Files in the place of data that hold none: compressed, pointers, error pages, unsettled merges."""

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
    """Return a text in UTF-8 whose byte-order mark says that it is in UTF-16 or UTF-32, else the content.

    Raises ForeignFileError if it is not what its mark says.
    """
    encoding = marked_encoding(content)
    if encoding is None:
        return content
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        raise ForeignFileError(f"it is no text in {encoding} ({error}): save it again as UTF-8") from error


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
