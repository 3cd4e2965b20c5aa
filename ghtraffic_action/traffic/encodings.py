"""Detection of encoding and compression from a file's first bytes."""

import codecs

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""Byte-order marks, UTF-32 first, since one of these begins like that of UTF-16."""

_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"PK\3\4", "ZIP, as spreadsheets are"),
)


def marked_encoding(content: bytes) -> str | None:
    """Return a byte-order mark's encoding, unless it is UTF-8."""
    return next((name for mark, name in _MARKS if content.startswith(mark)), None)


def compression(content: bytes) -> str | None:
    """Return the name of a file's compression, or None."""
    return next((name for magic, name in _COMPRESSED if content.startswith(magic)), None)
