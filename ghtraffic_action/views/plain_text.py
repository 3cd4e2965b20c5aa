"""Outsiders' text as one line without control characters."""

import logging
import unicodedata

# Controls, bidirectional overrides and the like, surrogates, private use, and separators of lines.
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def one_line(text: str) -> str:
    """Replace each invisible character of a text by a blank."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if unicodedata.category(character) in _INVISIBLE else character for character in text)


class LineFormatter(logging.Formatter):
    """Formats records as one line, except for tracebacks."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """Return the record's line."""
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the base class's name
        """Return a traceback without control characters."""
        return "\n".join(one_line(line) for line in super().formatException(ei).splitlines())  # type: ignore[arg-type] # the base class's own type is private
