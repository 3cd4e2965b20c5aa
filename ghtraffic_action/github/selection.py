"""Selection of repositories by name, by pattern and by `!exclusion`."""

import logging
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cache

log = logging.getLogger(__name__)


def select(patterns: Sequence[str], list_repositories: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Return the selected names once each; neither case nor the place of an exclusion matters."""
    found: dict[str, str] = {}
    list_once = cache(list_repositories)
    for pattern in _included(patterns):
        owner, _, name = pattern.partition("/")
        listed = list_once(owner) if "*" in name else (pattern,)
        matching = [full_name for full_name in listed if fnmatchcase(full_name.lower(), pattern.lower())]
        if listed and not matching:
            log.warning("repositories: %r matches no repository: check it", pattern)
        for full_name in matching:
            found.setdefault(full_name.lower(), full_name)
    excluded = [pattern[1:].lower() for pattern in patterns if pattern.startswith("!")]
    return tuple(name for key, name in found.items() if not any(fnmatchcase(key, pattern) for pattern in excluded))


def place_of(name: str, patterns: Sequence[str]) -> int:
    """Return which of the user's entries selects a name, counted from 1 without exclusions; 0 if none does."""
    included = [pattern.lower() for pattern in _included(patterns)]
    if name.lower() in included:
        return included.index(name.lower()) + 1
    return next((place for place, pattern in enumerate(included, 1) if fnmatchcase(name.lower(), pattern)), 0)


def _included(patterns: Sequence[str]) -> list[str]:
    return [pattern for pattern in patterns if not pattern.startswith("!")]
