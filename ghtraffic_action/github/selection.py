"""Selection of repositories by name, by `OWNER/*` and by `!exclusion`."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase


def select(patterns: Sequence[str], list_repositories: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Return the selected names once each; neither case nor the place of an exclusion matters."""
    found: dict[str, str] = {}
    for pattern in (pattern for pattern in patterns if not pattern.startswith("!")):
        owner, _, name = pattern.partition("/")
        for full_name in list_repositories(owner) if name == "*" else (pattern,):
            found.setdefault(full_name.lower(), full_name)
    excluded = [pattern[1:].lower() for pattern in patterns if pattern.startswith("!")]
    return tuple(name for key, name in found.items() if not any(fnmatchcase(key, pattern) for pattern in excluded))


def place_of(name: str, patterns: Sequence[str]) -> int:
    """Return which of the user's entries selects a name, counted from 1 without exclusions; 0 if none does."""
    included = [pattern.lower() for pattern in patterns if not pattern.startswith("!")]
    wildcard = f"{name.partition('/')[0].lower()}/*"
    for wanted in (name.lower(), wildcard):
        if wanted in included:
            return included.index(wanted) + 1
    return 0
