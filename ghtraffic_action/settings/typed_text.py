"""Cleaning of text that users type, paste and quote."""

import re
import unicodedata

QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_INVISIBLE = re.compile(r"[\ufeff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064]")
"""Invisible characters that come along with copied text."""

_EDGE = re.compile(rf"\A(?:\s|{_INVISIBLE.pattern})+|(?:\s|{_INVISIBLE.pattern})+\Z")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_REFERENCE = re.compile(
    r"\$\{\{[^}]*\}\}|\$\{[A-Za-z_]\w*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%"
    r"|\A(?:secrets|vars|inputs|env|github)\.[A-Za-z_][\w-]*\Z"
)


def clean(text: str) -> str:
    """Strip blanks, invisible characters and quotes around a text."""
    text = _EDGE.sub("", text)
    if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
        return _EDGE.sub("", text[1:-1])
    return text


def plain(text: str) -> str:
    """Replace lookalikes of ASCII characters, such as full-width colons and en dashes."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).translate(_DASHES))


def odd_characters(text: str) -> str:
    """Return the names of invisible characters and lookalikes of ASCII, empty if none."""
    odd = dict.fromkeys(character for character in text if not character.isascii() and plain(character) != character)
    return ", ".join(f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip() for character in odd)


def reference(text: str) -> str:
    """Return the first unresolved reference of a workflow or shell, empty if none."""
    found = None if "$(" in text else _REFERENCE.search(text)  # a command is no reference
    return found[0] if found else ""
