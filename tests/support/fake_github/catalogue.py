"""The repositories that the fake knows, found by their names as GitHub finds them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from ghtraffic_action.demo import fake_github


@dataclass(frozen=True)
class Release:
    """A release; a draft has not been published. Its assets have names and numbers of downloads."""

    tag: str
    created: datetime
    published: datetime | None
    assets: tuple[tuple[str, int], ...] = ()


@dataclass
class Repository(fake_github.Repository):
    """One repository; a test renames, archives or stars it while it is served."""

    fork: bool = False
    open_issues: int = 0
    open_pull_requests: int = 0
    former_names: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    releases: tuple[Release, ...] = ()
    workflow_runs: dict[date, int] = field(default_factory=dict)
    """How many workflow runs were created on each day."""


def newest_releases(repository: Repository) -> tuple[Release, ...]:
    """Return a repository's releases, those that were created last first."""
    return tuple(sorted(repository.releases, key=lambda release: release.created, reverse=True))


class Catalogue:
    """Finds repositories in a list that may change, without a walk through it each time."""

    def __init__(self, repositories: Iterable[Repository]) -> None:
        self.repositories = list(repositories)
        self._places: dict[str, int] = {}

    def named(self, name: str) -> Repository | None:
        """Find the repository that has this name now, in any case."""
        return self._find(name.lower(), lambda repository: repository.name.lower())

    def numbered(self, number: str) -> Repository | None:
        """Find a repository by its id."""
        return self._find(number, lambda repository: str(repository.id))

    def followed(self, name: str) -> Repository | None:
        """Find the repository that has this name, else the one that once had it."""
        return self.named(name) or self._renamed(name.lower())

    def owned(self, login: str) -> list[Repository]:
        """List what an owner has, by id."""
        owned = (repository for repository in self.repositories if repository.owner.lower() == login.lower())
        return sorted(owned, key=lambda repository: repository.id)

    def _find(self, key: str, key_of: Callable[[Repository], str]) -> Repository | None:
        found = self._at(self._places.get(key), key, key_of)
        if found is None:
            for place, repository in enumerate(tuple(self.repositories)):
                self._places[key_of(repository)] = place
            found = self._at(self._places.get(key), key, key_of)
        return found

    def _at(self, place: int | None, key: str, key_of: Callable[[Repository], str]) -> Repository | None:
        try:
            repository = None if place is None else self.repositories[place]
        except IndexError:
            return None
        return repository if repository is not None and key_of(repository) == key else None

    def _renamed(self, name: str) -> Repository | None:
        for repository in self.repositories:
            if any(former.lower() == name for former in repository.former_names):
                return repository
        return None
