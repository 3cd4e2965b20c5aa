"""Discovery of the selected repositories: lists, selection, lookup."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ghtraffic_action.errors import GitHubError, SettingsError
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.lists import ListingError
from ghtraffic_action.github.lookup import Lookup
from ghtraffic_action.github.selection import EntryNumbers, Filter, Listed, lists_of, select
from ghtraffic_action.report import RepositoryResult
from ghtraffic_action.repository_names import INSTALLED
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings

log = logging.getLogger(__name__)

_LISTS = 8
"""Owners listed in parallel."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """A run's repositories, a line per pattern, and failures.

    `failures` are unreadable lists, patterns without matches, and repositories that GitHub refuses.
    """

    lookup: Lookup
    patterns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    failures: tuple[RepositoryResult, ...] = ()

    @property
    def listed_patterns(self) -> tuple[str, ...]:
        """The user's patterns without owners whose list failed."""
        failed = {found.name.lower() for found in self.failures}
        return tuple(pattern for pattern in self.patterns if pattern.lower() not in failed)

    def in_order(self, results: Iterable[RepositoryResult]) -> tuple[RepositoryResult, ...]:
        """Sort results by name, each with the number of the entry that selected it."""
        numbers = EntryNumbers(self.patterns)
        numbered = (replace(found, entry=numbers.of(found.name)) for found in results)
        return tuple(sorted(numbered, key=lambda found: found.name.lower()))


def discover(settings: Settings, github: GitHub, runtime: Runtime) -> Discovery:
    """Select the settings' repositories and look them up.

    Raises UserError if nothing is left to collect.
    """
    patterns = settings.repositories
    lists = _Lists(github, patterns)
    owners = lists_of(patterns)
    with runtime.threads(max(1, min(len(owners), _LISTS)), "list") as threads:
        found = dict(zip(owners, threads.map(lists.read, owners), strict=True))
    keep = Filter(settings.include_archived, settings.include_forks, settings.visibility)
    selection = select(patterns, found, keep)
    for note in selection.notes:
        log.info("repositories: %s", note)
    failures = lists.failures
    if not settings.allow_empty:
        what = ("it matches no repository: check it, or allow that with allow-empty",)
        failures += [RepositoryResult(pattern, errors=what, is_list=True) for pattern in selection.unmatched]
    if not selection.names and not settings.allow_empty:
        if failures:
            raise GitHubError("\n".join(f"{owner.name}: {owner.errors[0]}" for owner in failures))
        raise SettingsError("repositories: nothing is left to collect: name a repository that is not excluded")
    lookup = github.look_up(selection.names, workflow_repository=settings.workflow_repository)
    for warning in lookup.warnings:
        log.warning("%s", warning)
    failures += [
        RepositoryResult(name, errors=(str(why),), remedies=(why.remedy,), transient=why.transient)
        for name, why in lookup.refused.items()
    ]
    return Discovery(lookup, patterns, selection.notes, tuple(failures))


class _Lists:
    """Lists owners' repositories; failures do not affect other owners."""

    def __init__(self, github: GitHub, patterns: Sequence[str]) -> None:
        self._github = github
        self._patterns = patterns
        self.failures: list[RepositoryResult] = []

    def read(self, owner: str) -> tuple[Listed, ...] | None:
        """Return an owner's repositories as far as readable; None after a complete failure."""
        try:
            return self._github.list_repositories(owner, self._patterns)
        except ListingError as error:
            where = owner if owner == INSTALLED else f"{owner}/*"
            what = str(error).removeprefix(f"{where}: ")
            self.failures.append(RepositoryResult(where, errors=(what,), transient=error.transient, is_list=True))
            return error.found or None
