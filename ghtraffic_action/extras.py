"""Optional data, whose failures do not fail the run."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from math import ceil
from threading import Condition
from typing import TypeVar

from ghtraffic_action.errors import Interrupted, QuotaError
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.github.star_history import most_pages
from ghtraffic_action.stores.base import Store
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.observation import Observation, Repository
from ghtraffic_action.traffic.stars import StarHistory

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_REFRESH_INTERVAL = timedelta(days=7)
"""The shortest time after which GitHub is asked for a star history again, whether it answered or refused."""

_PAGES = 300
"""Pages of star histories that a run reads at most: those of many new repositories are read by several runs."""

_REFRESHES_A_DAY = 200
"""Star histories a day that are refreshed; the other pages are left to new repositories."""


class Extras:
    """A run's optional requests, and those that were skipped."""

    def __init__(self, github: GitHub, store: Store, repositories: int) -> None:
        """Serve a run over a number of repositories."""
        self._github = github
        self._store = store
        self._refresh_interval = refresh_interval(repositories)
        self._unread, self._reserved = _PAGES, 0
        self._skipped: dict[str, list[GitHubApiError]] = {}
        self._lock = Condition()

    def add_to(self, history: History, observation: Observation) -> tuple[History, Observation]:
        """Return the observation with optional data, and the history to compare it with.

        Raises StoreError.
        """
        repository = observation.repository
        downloads = repository.downloads
        if repository.unlisted_assets:
            downloads = self._try("release downloads", lambda: self._github.fetch_downloads(repository))
        observation = replace(observation, downloads=downloads)
        if not is_due(history, repository.metadata.at.date(), self._refresh_interval):
            return history, observation
        with self._pages(most_pages(repository)) as pages:
            if pages is None:  # due by the next run, as nothing says that GitHub was asked
                return history, observation
            if history.since:
                history = replace(history, stars=self._store.load_stars(repository.id))
            return history, replace(observation, star_history=self._read_stars(history, repository, pages))

    @property
    def warnings(self) -> Iterator[str]:
        """What was skipped, one text per kind."""
        for what, errors in self._skipped.items():
            repositories = "1 repository" if len(errors) == 1 else f"{len(errors)} repositories"
            yield f"{what}: skipped for {repositories}, traffic is not affected: {errors[0]}"

    def _read_stars(self, history: History, repository: Repository, pages: Iterator[int]) -> StarHistory | None:
        """Return the star history, one without years if there is nothing to change.

        That is so without stars, or if GitHub refuses.
        """
        unchanged = StarHistory(repository.metadata.at, ())
        if not repository.metadata.stars and not history.stars:
            return unchanged
        fetch = partial(self._github.fetch_star_history, repository, history.stars, pages)
        return self._try("star history", fetch, unchanged)

    @contextmanager
    def _pages(self, most: int) -> Iterator[Iterator[int] | None]:
        """Reserve pages until they are read.

        None means that too few are left, even with those that others give back.
        """
        with self._lock:
            self._lock.wait_for(lambda: most <= self._unread or self._unread + self._reserved < most)
            enough = most <= self._unread
            if enough:
                self._unread, self._reserved = self._unread - most, self._reserved + most
        if not enough:
            log.info("star history: left to the next run, since this one reads %d pages at most", _PAGES)
            yield None
            return
        pages = iter(range(1, most + 1))
        try:
            yield pages
        finally:
            with self._lock:
                self._unread, self._reserved = self._unread + sum(1 for _ in pages), self._reserved - most
                self._lock.notify_all()

    def _try(self, what: str, fetch: Callable[[], _T], refused: _T | None = None) -> _T | None:
        """Return the result of `fetch`, or `refused` after a GitHub error.

        None means that it is left to a later run.
        """
        try:
            return fetch()
        except GitHubApiError as error:
            with self._lock:
                self._skipped.setdefault(what, []).append(error)
            return refused
        except (QuotaError, Interrupted) as error:  # what was observed already is stored
            log.info("%s: left to a later run (%s)", what, error)
        return None


def refresh_interval(repositories: int) -> timedelta:
    """Return the time between two reads of a star history, longer in large fleets."""
    return max(_REFRESH_INTERVAL, timedelta(days=ceil(repositories / _REFRESHES_A_DAY)))


def is_due(history: History, today: date, interval: timedelta) -> bool:
    """Return whether to read the star history: until GitHub was asked, then after an interval."""
    asked = [seen.star_history.at.date() for seen in history.snapshots if seen.star_history]
    return not asked or today - max(asked) >= interval
