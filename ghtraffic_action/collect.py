"""The story of a run: for each repository load, fetch, merge, save; then export."""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date, timedelta
from fnmatch import fnmatchcase
from functools import cache

from ghtraffic_action.errors import GitHubError, Interrupted, RecordError, SettingsError, StoreError
from ghtraffic_action.exports.destination import Destination, open_destination
from ghtraffic_action.exports.incremental import ExportResult, IncrementalExport
from ghtraffic_action.exports.rows import CatalogueEntry
from ghtraffic_action.github.app import App
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import NO_KEY, Settings, is_token, private_key
from ghtraffic_action.stores.base import Saved, Store, open_store
from ghtraffic_action.traffic.coverage import DayCoverage, known_days
from ghtraffic_action.traffic.merge import apply, merge, observed_days
from ghtraffic_action.traffic.model import History, Observation, Repository
from ghtraffic_action.views.workflow_commands import mask

log = logging.getLogger(__name__)

_AT_ONCE = 32
"""Repositories under way at once: enough to keep GitHub's 16 requests in flight while the store is written."""


_SHOWN = timedelta(days=30)
"""How many days of a repository the report shows."""

_SHOWN_BESIDES = _SHOWN - timedelta(days=14)
"""How many of them may lie before those that the export needs."""


def run(settings: Settings, machine: Runtime | None = None) -> Report:
    """Collect as the settings say and report what came of it.

    Raises UserError where nothing could be begun, and Interrupted where the machine's `stop` was set before anything
    was collected.
    """
    machine = machine or Runtime()
    with (
        closing(_open_store(settings, machine)) as store,
        closing(open_destination(settings.export_to)) as destination,
    ):
        return collect(settings, store, destination, machine)


def collect(settings: Settings, store: Store, destination: Destination, machine: Runtime) -> Report:
    """Do what `run` does with a store and a destination that are open already, and stay so."""
    for warning in settings.warnings:
        log.warning("%s", warning)
    with ExitStack() as resources:
        article = settings.legacy_csv
        publication = resources.enter_context(closing(IncrementalExport(destination, article=article, machine=machine)))
        pacer = RateLimiter(machine.stop, max_wait=settings.max_wait, monotonic=machine.monotonic)
        github = GitHub(credentials(settings), settings.github_api_url, pacer, machine)
        resources.enter_context(closing(github))
        return _Collecting(settings, github, store, publication, machine).run()


def select(patterns: Sequence[str], names_of: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Resolve names, `OWNER/*`, `OWNER/a*` and `!exclusions` to names without repeats; case does not matter."""
    found: dict[str, str] = {}
    names_of = cache(names_of)
    for pattern in (pattern for pattern in patterns if not pattern.startswith("!")):
        owner, _, name = pattern.partition("/")
        listed = names_of(owner) if "*" in name else (pattern,)
        named = [full_name for full_name in listed if fnmatchcase(full_name.lower(), pattern.lower())]
        if listed and not named:
            log.warning("repositories: %r names no repository: check it", pattern)
        for full_name in named:
            found.setdefault(full_name.lower(), full_name)
    excluded = [pattern[1:].lower() for pattern in patterns if pattern.startswith("!")]
    return tuple(name for key, name in found.items() if not any(fnmatchcase(key, pattern) for pattern in excluded))


def credentials(settings: Settings) -> str | App:
    """Give the token or the App to ask GitHub with. Raises SettingsError, and SecretError where AWS fails."""
    if settings.github_app:
        return App(settings.github_app, _secret(settings, settings.github_app_key, private_key, NO_KEY))
    otherwise = "no token: put the token alone there, without JSON, quotes or a name"
    return _secret(settings, settings.github_token, lambda text: text if is_token(text) else "", otherwise)


class _Collecting:
    """One run under way."""

    def __init__(
        self, settings: Settings, github: GitHub, store: Store, publication: IncrementalExport, machine: Runtime
    ) -> None:
        self._settings = settings
        self._github = github
        self._store = store
        self._publication = publication
        self._stop = machine.stop
        self._threads = machine.threads
        self._loaded_since: dict[int, date | None] = {}
        self._unlisted: list[RepositoryResult] = []
        self._store_failures: list[StoreError] = []

    def run(self) -> Report:
        names = select(self._settings.repositories, self._names)
        if not names:
            if self._unlisted:
                raise GitHubError("\n".join(f"{owner.name}: {owner.errors[0]}" for owner in self._unlisted))
            raise SettingsError("repositories: nothing is left to collect: name a repository that is not excluded")
        workflow = self._settings.workflow_repository
        described = self._github.describe(names, besides=workflow)
        if self._settings.legacy_csv and len(names) > 1:
            raise SettingsError("legacy-csv: the article's files are for one repository: name one, or leave it out")
        stalest_first = sorted(described.found, key=lambda found: self._publication.observed(found.id))
        with self._threads(_AT_ONCE, "repository") as workers:
            results = dict(zip(stalest_first, workers.map(self._collect, stalest_first), strict=True))
        collected = [found for found in results.values() if found]
        refused = [
            RepositoryResult(name, errors=(str(why),), passing=why.passing) for name, why in described.refused.items()
        ]
        published = self._publish() if any(found.observed for found in collected) else ExportResult()
        return Report(
            repositories=tuple(sorted((*collected, *refused, *self._unlisted), key=lambda found: found.name.lower())),
            store=self._settings.store,
            export_to=self._settings.export_to,
            dry_run=self._settings.dry_run,
            exported=published.files,
            written=published.written,
            warnings=(*self._settings.warnings, *self._github.warnings),
            errors=(*dict.fromkeys(map(str, self._store_failures)), *published.errors),
            interrupted=self._stop.is_set(),
            remaining=tuple(repository.name for repository, found in results.items() if not found),
            public=not described.besides.private if described.besides else None,
            pushed=described.besides.pushed if described.besides else None,
        )

    def _names(self, owner: str) -> tuple[str, ...]:
        """Name an owner's repositories; one that cannot be listed keeps no other's from being collected."""
        try:
            return self._github.names(owner)
        except GitHubError as error:
            what = str(error).removeprefix(f"{owner}/*: ")
            self._unlisted.append(RepositoryResult(f"{owner}/*", errors=(what,), passing=error.passing))
            return error.found

    def _collect(self, repository: Repository) -> RepositoryResult | None:
        """Collect one repository; whatever goes wrong with it keeps no other from being collected.

        None where it was not begun: the run is to stop, or the store has failed.
        """
        if self._stop.is_set() or self._store_failures:
            return None
        try:
            return self._collect_one(repository)
        except Interrupted:
            return None
        except RecordError as error:
            return _reported(repository, errors=(str(error),))
        except StoreError as error:
            self._store_failures.append(error)
            return _reported(repository, errors=("not stored, since the store failed: run again when it works",))
        except Exception as error:
            log.exception("repository %d: an unexpected failure", repository.id)
            what = f"an unexpected failure ({type(error).__name__})"
            return _reported(repository, errors=(f"{what}: report it, with the log of this run",))

    def _collect_one(self, repository: Repository) -> RepositoryResult:
        wait = self._github.observe(repository)
        history = self._load(repository.id, self._publication.since(repository.id, repository.metadata.at.date()))
        observation = wait()
        if not observation.collected:
            return replace(_reported(repository, errors=observation.refusals), passing=observation.passing)
        oldest = min((day.day for day in observed_days(observation)), default=None)
        if history.since and oldest and oldest < history.since:
            history = self._load(repository.id, oldest.replace(day=1))
        saved = self._save(history, observation)
        history = apply(history, saved.stored)
        log.info("repository %d: %d days inserted, %d raised", repository.id, saved.inserted, saved.raised)
        exported = self._publication.add(history)
        return _collected(observation, saved, exported, _shown(history, exported))

    def _load(self, repository_id: int, since: date | None) -> History:
        """Read a history from `since` on, and what the report shows besides of the days before."""
        self._loaded_since[repository_id] = since
        return replace(self._store.load(repository_id, since and since - _SHOWN_BESIDES), since=since)

    def _save(self, history: History, observation: Observation) -> Saved:
        changes = merge(history, observation)
        if not self._settings.dry_run:
            return self._store.save(history.repository_id, changes)
        stored = {day.day for day in history.days}
        inserted = sum(day.day not in stored for day in changes.days)
        return Saved(changes, inserted, len(changes.days) - inserted)

    def _publish(self) -> ExportResult:
        if self._settings.dry_run:
            return ExportResult()
        return self._publication.publish(lambda i: self._load(i, self._loaded_since[i]))


def _open_store(settings: Settings, machine: Runtime) -> Store:
    """Open the store; a dry run makes no file and can read one that it cannot write."""
    path = settings.store.removeprefix("sqlite:")
    missing = path != settings.store and not os.path.exists(path)  # noqa: PTH110 - it says no where Path's own raises an error
    if settings.dry_run and missing:
        return open_store("sqlite::memory:", create=True)
    return open_store(settings.store, create=not settings.dry_run, runtime=machine)


def _secret(settings: Settings, given: str, usable: Callable[[str], str], otherwise: str) -> str:
    """Give a secret itself, where its setting names a parameter that holds it."""
    kind, _, name = given.partition(":")
    if kind != "ssm":
        return given
    from ghtraffic_action import aws  # noqa: PLC0415 - boto3 is slow to import

    secret = usable(aws.parameter(name))
    if not secret:
        raise SettingsError(f"ssm:{name}: it holds {otherwise}")
    if settings.ephemeral == "Actions":
        for line in secret.splitlines():
            print(mask(line), flush=True)  # noqa: T201 - the runner's own way to hide it in the log
    return secret


def _reported(repository: Repository, *, errors: tuple[str, ...]) -> RepositoryResult:
    return RepositoryResult(
        repository.name, repository.id, repository.private, stars=repository.metadata.stars, errors=errors
    )


def _shown(history: History, exported: CatalogueEntry | None) -> tuple[DayCoverage, ...]:
    if exported is None:
        return ()
    since = exported.observed - _SHOWN + timedelta(days=1)
    return tuple(known_days(replace(history, since=since), exported.first_day))


def _collected(
    observation: Observation, saved: Saved, exported: CatalogueEntry | None, days: tuple[DayCoverage, ...]
) -> RepositoryResult:
    repository, views, clones = observation.repository, observation.views, observation.clones
    return RepositoryResult(
        name=repository.name,
        id=repository.id,
        private=repository.private,
        observed=repository.metadata.at,
        stars=repository.metadata.stars,
        views_14d=views.totals.count if views else None,
        view_uniques_14d=views.totals.uniques if views else None,
        clones_14d=clones.totals.count if clones else None,
        clone_uniques_14d=clones.totals.uniques if clones else None,
        inserted=saved.inserted,
        raised=saved.raised,
        first_day=exported.first_day if exported else None,
        lost_days=exported.lost_days if exported else 0,
        errors=observation.refusals,
        passing=observation.passing,
        days=days,
        paths=observation.paths.rows if observation.paths else (),
        referrers=observation.referrers.rows if observation.referrers else (),
    )
