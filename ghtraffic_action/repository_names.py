"""The syntax of owners' and repositories' names on GitHub."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

OWNER_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
NAME_PATTERN = r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}"
REPOSITORY_NAME = re.compile(rf"{OWNER_PATTERN}/{NAME_PATTERN}")
"""A repository's full name."""

_GLOB = r"[A-Za-z0-9._-]*\*[A-Za-z0-9._*-]*"
SELECTION = re.compile(
    rf"!?{OWNER_PATTERN}/(?:{NAME_PATTERN}|{_GLOB})"
    rf"|topic:[a-z0-9][a-z0-9-]{{0,49}}@{OWNER_PATTERN}|installed"
)
"""A name, a pattern of names, or another list."""

_SEPARATORS = re.compile(r"[\s,;|\uff0c\u3001\uff1b]+")

INSTALLED = "installed"
"""The pattern of all that a GitHub App may read."""

EXPECTED_SELECTION = "OWNER/NAME, OWNER/*, OWNER/prefix-*, topic:NAME@OWNER, installed or !OWNER/NAME"


def read_list(path: str) -> str:
    """Read a file of names. Raises ValueError if it cannot be read."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8-sig") if path else ""
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        why = str(error) if isinstance(error, RuntimeError) else why  # of a home folder that nobody has
        raise ValueError(f"cannot be read ({why})") from error


def is_excluded(name: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns is an exclusion (`!OWNER/*`) that matches a name in any case."""
    return any(fnmatchcase(name.lower(), pattern[1:].lower()) for pattern in patterns if pattern.startswith("!"))


def split_names(text: str) -> list[str]:
    """Split a text into names, without comments and list syntax."""
    lines = (re.sub(r"(?:(?<=\s)|^)[-*\u2022](?=\s)", " ", line.partition("#")[0]) for line in text.splitlines())
    excluded = re.sub(r"!\s+", "!", "\n".join(lines))
    return [entry for part in _SEPARATORS.split(excluded) if (entry := part.strip("[]"))]
