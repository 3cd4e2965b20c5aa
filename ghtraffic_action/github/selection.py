"""Selection of repositories by name, pattern, topic and `!exclusion`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ghtraffic_action.repository_names import INSTALLED
from ghtraffic_action.settings import Visibility

_TOPIC = "topic:"


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed repository."""

    name: str
    archived: bool = False
    fork: bool = False
    private: bool = False
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """Filters listed repositories; repositories named directly are always selected."""

    archived: bool = False
    forks: bool = False
    visibility: Visibility = "all"

    def reason(self, listed: Listed) -> str:
        """Return why a repository is filtered out, or ""."""
        if listed.archived and not self.archived:
            return "archived"
        if listed.fork and not self.forks:
            return "forks"
        other = "public" if listed.private else "private"
        return f"not {self.visibility}" if self.visibility == other else ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected names, a line per pattern, and patterns without matches."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


def lists_of(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct lists that patterns need: owners, and `installed`."""
    return tuple(dict.fromkeys(_list_of(pattern) for pattern in included(patterns) if _is_list(pattern)))


def select(patterns: Sequence[str], lists: Mapping[str, Sequence[Listed] | None], keep: Filter) -> Selection:
    """Select names without duplicates, in the order of the patterns.

    Case does not matter, nor where an exclusion stands. None in place of a list means that it could not be read: its
    patterns do not count as unmatched.
    """
    found: dict[str, str] = {}
    excluded = [pattern[1:].lower() for pattern in patterns if pattern.startswith("!")]
    notes, unmatched = [], []
    for pattern in included(patterns):
        if not _is_list(pattern):
            found.setdefault(pattern.lower(), pattern)
            continue
        listed = lists[_list_of(pattern)]
        matching = [entry for entry in listed or () if _matches(entry, pattern)]
        left_out = Counter(filter(None, (_reason(entry, keep, excluded) for entry in matching)))
        kept = sorted((e.name for e in matching if not _reason(e, keep, excluded)), key=str.lower)
        found |= {name.lower(): name for name in kept if name.lower() not in found}
        notes.append(_note(pattern, len(matching), len(kept), left_out))
        if listed is not None and not matching:
            unmatched.append(pattern)
    names = (name for key, name in found.items() if not any(fnmatchcase(key, pattern) for pattern in excluded))
    return Selection(tuple(names), tuple(notes), tuple(unmatched))


class EntryNumbers:
    """The numbers of the user's entries, which count from 1 without exclusions."""

    def __init__(self, patterns: Sequence[str]) -> None:
        globs = [(number, glob_of(pattern)) for number, pattern in enumerate(included(patterns), 1)]
        self._names = {glob: number for number, glob in reversed(globs)}
        self._globs = [(number, glob) for number, glob in globs if "*" in glob]

    def of(self, name: str) -> int:
        """Return the number of the entry that selects a name; 0 if none does."""
        name = name.lower()
        return self._names.get(name) or next((number for number, glob in self._globs if fnmatchcase(name, glob)), 0)


def glob_of(pattern: str) -> str:
    """Return the glob, in lower case, of the names that an entry can select."""
    if pattern == INSTALLED:
        return "*/*"
    return f"{_list_of(pattern)}/*" if pattern.startswith(_TOPIC) else pattern.lower()


def included(patterns: Sequence[str]) -> Iterator[str]:
    """Yield the patterns without the exclusions."""
    return (pattern for pattern in patterns if not pattern.startswith("!"))


def _is_list(pattern: str) -> bool:
    return pattern == INSTALLED or pattern.startswith(_TOPIC) or "*" in pattern


def _list_of(pattern: str) -> str:
    if pattern.startswith(_TOPIC):
        return pattern.rpartition("@")[2].lower()
    return pattern.partition("/")[0].lower()


def _matches(listed: Listed, pattern: str) -> bool:
    if pattern.startswith(_TOPIC):
        return pattern.removeprefix(_TOPIC).rpartition("@")[0].lower() in listed.topics
    return fnmatchcase(listed.name.lower(), glob_of(pattern))


def _reason(listed: Listed, keep: Filter, excluded: Sequence[str]) -> str:
    if any(fnmatchcase(listed.name.lower(), pattern) for pattern in excluded):
        return "excluded"
    return keep.reason(listed)


def _note(pattern: str, matching: int, kept: int, left_out: Mapping[str, int]) -> str:
    without = ", ".join(f"{number} {reason}" for reason, number in sorted(left_out.items()))
    return f"{pattern}: {kept} of {matching} repositories" + (f", left out: {without}" if without else "")
