"""What a run reads beside the traffic; no failure of it is one of the run's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Lock
from typing import TypeVar

from ghtraffic_action.errors import Interrupted
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.traffic.observation import Observation, Repository

_T = TypeVar("_T")


class Extras:
    """Reads what is due beside the traffic, and counts what was skipped."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._skipped: dict[str, list[GitHubApiError]] = {}
        self._lock = Lock()

    def add_to(self, observation: Observation) -> Observation:
        """Return an observation with what was read beside it."""
        repository = observation.repository
        downloads = repository.downloads
        if repository.unlisted_assets:
            downloads = self._try("release downloads", self._github.fetch_downloads, repository)
        return replace(observation, downloads=downloads)

    @property
    def warnings(self) -> Iterator[str]:
        """What was skipped, one text for each kind."""
        for what, errors in self._skipped.items():
            repositories = "1 repository" if len(errors) == 1 else f"{len(errors)} repositories"
            yield f"{what}: skipped for {repositories}, the traffic is not concerned: {errors[0]}"

    def _try(self, what: str, fetch: Callable[[Repository], _T], repository: Repository) -> _T | None:
        try:
            return fetch(repository)
        except GitHubApiError as error:
            with self._lock:
                self._skipped.setdefault(what, []).append(error)
        except Interrupted:
            pass  # what was observed already is stored
        return None
