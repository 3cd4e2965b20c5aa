"""Optional data, whose failures do not fail the run."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from threading import Lock
from typing import TypeVar

from ghtraffic_action.errors import Interrupted, QuotaError
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.github.star_history import WEEKS
from ghtraffic_action.stores.base import Store
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.observation import Observation
from ghtraffic_action.traffic.stars import StarHistory

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_REFRESHED = 7
"""Days after which the star history is read again."""

_PAGES = 300
"""Pages of star histories that a run reads at most: those of many new repositories are read by several runs."""


class Extras:
    """A run's optional requests, and those that were skipped."""

    def __init__(self, github: GitHub, store: Store) -> None:
        self._github = github
        self._store = store
        self._pages = _PAGES
        self._skipped: dict[str, list[GitHubApiError]] = {}
        self._lock = Lock()

    def add_to(self, history: History, observation: Observation) -> tuple[History, Observation]:
        """Return the observation with optional data, and the history to compare it with.

        Raises StoreError.
        """
        repository = observation.repository
        downloads = repository.downloads
        if repository.unlisted_assets:
            downloads = self._try("release downloads", lambda: self._github.fetch_downloads(repository))
        observation = replace(observation, downloads=downloads)
        if is_due(history, repository.metadata.at.date()):
            stars = self._store.load_stars(repository.id) if history.since else history.stars
            history = replace(history, stars=stars)
            observation = replace(observation, star_history=self._read_stars(history, observation))
        return history, observation

    @property
    def warnings(self) -> Iterator[str]:
        """What was skipped, one text per kind."""
        for what, errors in self._skipped.items():
            repositories = "1 repository" if len(errors) == 1 else f"{len(errors)} repositories"
            yield f"{what}: skipped for {repositories}, the traffic is not concerned: {errors[0]}"

    def _read_stars(self, history: History, observation: Observation) -> StarHistory | None:
        repository = observation.repository
        metadata = repository.metadata
        if not metadata.stars and not history.stars:
            return StarHistory(metadata.at, ())
        age = metadata.at.date() - metadata.created
        pages = 1 if history.stars else age // timedelta(weeks=WEEKS) + 1
        with self._lock:
            if self._pages < pages:
                log.info("star history: a repository is left to a later run")
                return None
            self._pages -= pages
        return self._try("star history", lambda: self._github.fetch_star_history(repository, history.stars))

    def _try(self, what: str, fetch: Callable[[], _T]) -> _T | None:
        try:
            return fetch()
        except GitHubApiError as error:
            with self._lock:
                self._skipped.setdefault(what, []).append(error)
        except (QuotaError, Interrupted) as error:  # what was observed already is stored
            log.info("%s: left to a later run (%s)", what, error)
        return None


def is_due(history: History, today: date) -> bool:
    """Return whether to read the star history: first, then weekly.

    After a failure it is due again on one day of each week, which depends on the repository.
    """
    read = [seen.star_history.at.date() for seen in history.snapshots if seen.star_history]
    if read:
        return today - max(read) >= timedelta(days=_REFRESHED)
    return not history.snapshots or (today.toordinal() + history.repository_id) % _REFRESHED == 0
