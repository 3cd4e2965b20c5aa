"""The story of a run: for each repository load, fetch, merge, save; then export."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

from ghtraffic_action import heartbeat
from ghtraffic_action.errors import (
    DestinationError,
    GitHubError,
    Interrupted,
    QuotaError,
    RecordError,
    SettingsError,
    StoreError,
)
from ghtraffic_action.exports.destination import Destination, open_destination
from ghtraffic_action.exports.incremental import ExportBefore, read_export, write_export
from ghtraffic_action.exports.parts import Part, render_parts
from ghtraffic_action.exports.pictures import write_pictures
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.rows import CatalogueEntry, article_rows
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.installed import ListingError
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.github.selection import Filter, Listed, Selection, lists_of, place_of, select
from ghtraffic_action.plan import is_fresh, no_longer_listed, order, unfinished
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.repository_names import INSTALLED
from ghtraffic_action.results import SHOWN, collected_result, failed_result
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.secrets import read_credentials
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Saved, Store, open_or_empty, open_store
from ghtraffic_action.traffic.merge import apply, merge
from ghtraffic_action.traffic.model import History, Observation, Repository

log = logging.getLogger(__name__)

_AT_ONCE = 12
"""Repositories under way at once: enough to keep GitHub's 16 requests in flight while the store is written."""

_LISTS = 8
"""Owners whose repositories are listed at once."""

_SHOWN_BESIDES = SHOWN - timedelta(days=14)
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
        report = collect(settings, store, destination, machine)
    beats = settings.heartbeat == "cloudwatch" and not report.dry_run and not report.interrupted
    return heartbeat.send(report) if beats else report


def collect(settings: Settings, store: Store, destination: Destination, machine: Runtime) -> Report:
    """Do what `run` does with a store and a destination that are open already, and stay so."""
    for warning in settings.warnings:
        log.warning("%s", warning)
    with ExitStack() as resources:
        # The files are read before the store, and meanwhile GitHub describes the repositories.
        reader = resources.enter_context(machine.threads(1, "export"))
        before = reader.submit(read_export, destination, machine, article=settings.legacy_csv, report=settings.report)
        pacer = RateLimiter(machine.stop, max_wait=settings.max_wait, monotonic=machine.monotonic)
        credentials = read_credentials(settings, machine.hide)
        github = GitHub(credentials, settings.github_api_url, pacer, machine, settings.ephemeral)
        resources.enter_context(closing(github))
        spool = resources.enter_context(closing(Spool()))
        return _Collecting(settings, github, store, _Export(destination, before, spool), machine).run()


@dataclass(frozen=True, slots=True)
class _Export:
    """The export of one run: where, as it was before, and the rows to write."""

    destination: Destination
    reading: Future[ExportBefore]
    spool: Spool

    @property
    def before(self) -> ExportBefore:
        return self.reading.result()


class _Collecting:
    """One run under way."""

    def __init__(self, settings: Settings, github: GitHub, store: Store, export: _Export, machine: Runtime) -> None:
        self._settings = settings
        self._github = github
        self._store = store
        self._export = export
        self._machine = machine
        self._stop = machine.stop
        self._loaded_since: dict[int, date | None] = {}
        self._unlisted: list[RepositoryResult] = []
        self._store_failures: list[StoreError] = []
        self._had_history = False
        self._unexported: list[DestinationError] = []
        self._limits: list[QuotaError] = []

    def run(self) -> Report:
        selection = self._select()
        names = selection.names
        if not names and not self._settings.allow_empty:
            if self._unlisted:
                raise GitHubError("\n".join(f"{owner.name}: {owner.errors[0]}" for owner in self._unlisted))
            raise SettingsError("repositories: nothing is left to collect: name a repository that is not excluded")
        workflow = self._settings.workflow_repository
        described = self._github.look_up(names, workflow_repository=workflow)
        for warning in described.warnings:
            log.warning("%s", warning)
        if self._settings.legacy_csv and len(names) > 1:
            raise SettingsError("legacy-csv: the article's files are for one repository: name one, or leave it out")
        now = self._machine.now()
        before, once_a_day = self._export.before, self._settings.once_a_day
        stale = [found for found in described.found if not (once_a_day and is_fresh(found, before, now))]
        in_order = order(stale, before, self._github.account)
        with self._machine.threads(_AT_ONCE, "repository") as workers:
            done = count(1)

            def collect_one(repository: Repository) -> RepositoryResult | None:
                found = self._collect(repository)
                self._machine.progress(next(done), len(in_order))
                return found

            results = dict(zip(in_order, workers.map(collect_one, in_order), strict=True))
        collected = [found for found in results.values() if found]
        refused = [
            RepositoryResult(name, errors=(str(why),), transient=why.transient)
            for name, why in described.refused.items()
        ]
        remaining = [repository for repository, found in results.items() if not found]
        published = self._publish() if any(found.observed for found in collected) else ExportResult()
        return Report(
            repositories=self._in_order((*collected, *refused, *self._unlisted)),
            store=self._settings.store,
            export_to=self._settings.export_to,
            dry_run=self._settings.dry_run,
            selected=selection.notes,
            exported=published.files,
            written=published.written,
            warnings=(*self._settings.warnings, *self._github.warnings, *described.warnings, *self._new_export()),
            unlisted=tuple(no_longer_listed(before, self._listed_patterns(), described)),
            errors=(
                *dict.fromkeys(map(str, (*self._store_failures, *self._unexported))),
                *published.errors,
                *(self._draw() if published.files else ()),
            ),
            interrupted=self._stop.is_set(),
            remaining=tuple(repository.name for repository in remaining),
            unfinished=unfinished(remaining, before, self._why(), now, once_a_day=once_a_day),
            fresh=len(described.found) - len(stale),
            failures_allowed=self._settings.allow_failures.of(len(described.found) + len(refused)),
            public=not described.workflow_repository.private if described.workflow_repository else None,
            pushed=described.workflow_repository.pushed if described.workflow_repository else None,
            token_ends=self._github.token_ends,
        )

    def _why(self) -> str:
        """Return why repositories were not begun."""
        if self._store_failures:
            return "the store failed: run again when it works"
        if self._limits:
            return str(self._limits[0])
        return "the run was stopped: the next run begins with them"

    def _listed_patterns(self) -> tuple[str, ...]:
        """Return the user's patterns without the owners that could not be listed."""
        failed = {owner.name.lower() for owner in self._unlisted}
        return tuple(pattern for pattern in self._settings.repositories if pattern.lower() not in failed)

    def _new_export(self) -> Iterator[str]:
        """Warn if the export is new and the store is not: other repositories of the store are not in it."""
        if self._export.before.new and self._had_history and not self._settings.dry_run:
            yield (
                f"export-to {self._settings.export_to}: it is new and holds only the repositories of this run, not all "
                f"that {self._settings.store} may hold: run `ghtraffic export` once to write the rest"
            )

    def _in_order(self, results: Iterable[RepositoryResult]) -> tuple[RepositoryResult, ...]:
        """Sort results by name, each with its place in what the user wrote."""
        placed = (replace(found, place=place_of(found.name, self._settings.repositories)) for found in results)
        return tuple(sorted(placed, key=lambda found: found.name.lower()))

    def _select(self) -> Selection:
        """Select the repositories, with the lists of all owners side by side."""
        patterns, settings = self._settings.repositories, self._settings
        owners = lists_of(patterns)
        with self._machine.threads(max(1, min(len(owners), _LISTS)), "list") as threads:
            lists = dict(zip(owners, threads.map(self._list, owners), strict=True))
        keep = Filter(settings.include_archived, settings.include_forks, settings.visibility)
        selection = select(patterns, lists, keep)
        for note in selection.notes:
            log.info("repositories: %s", note)
        if not settings.allow_empty:
            what = ("it matches no repository: check it, or allow that with allow-empty",)
            self._unlisted += [RepositoryResult(pattern, errors=what) for pattern in selection.unmatched]
        return selection

    def _list(self, owner: str) -> tuple[Listed, ...] | None:
        """List an owner's repositories; None if it fails, which keeps no other's from being collected."""
        try:
            return self._github.list_repositories(owner)
        except ListingError as error:
            where = owner if owner == INSTALLED else f"{owner}/*"
            what = str(error).removeprefix(f"{where}: ")
            self._unlisted.append(RepositoryResult(where, errors=(what,), transient=error.transient))
            return error.found or None

    def _collect(self, repository: Repository) -> RepositoryResult | None:
        """Collect one repository; whatever goes wrong with it keeps no other from being collected.

        None if it was not begun: the run is to stop, a limit of GitHub's is reached, or the store has failed.
        """
        if self._stop.is_set() or self._store_failures:
            return None
        try:
            return self._collect_one(repository)
        except (Interrupted, QuotaError) as stopped:
            self._limits += [stopped] if isinstance(stopped, QuotaError) else []
            return None
        except RecordError as error:
            return failed_result(repository, errors=(str(error),))
        except StoreError as error:
            self._store_failures.append(error)
            return failed_result(repository, errors=("not stored, since the store failed: run again when it works",))
        except Exception as error:
            log.exception("repository %d: an unexpected failure", repository.id)
            what = f"an unexpected failure ({type(error).__name__})"
            return failed_result(repository, errors=(f"{what}: report it, with the log of this run",))

    def _collect_one(self, repository: Repository) -> RepositoryResult:
        wait = self._github.observe(repository)
        history = self._load(repository.id, self._export.before.since(repository.id, repository.metadata.at.date()))
        observation = wait()
        if not observation.collected:
            return replace(failed_result(repository, errors=observation.refusals), transient=observation.transient)
        self._had_history |= bool(history.snapshots)
        if not self._export.before.is_continued_by(history, observation):
            history = self._load(repository.id, None)
        saved = self._save(history, observation)
        history = apply(history, saved.stored)
        # A log in Actions may be public, and one in AWS has other readers: private names stay out of both.
        name = f"repository {repository.id}" if self._settings.ephemeral else repository.name
        log.info("%s: %d days inserted, %d raised", name, saved.inserted, saved.raised)
        exported, parts = self._render(history)
        self._keep(repository.id, parts)
        return collected_result(observation, saved, history, exported, self._export.before.catalogue.get(repository.id))

    def _load(self, repository_id: int, since: date | None) -> History:
        """Load a history from `since` on, and the earlier days that the report shows."""
        self._loaded_since[repository_id] = since
        return replace(self._store.load(repository_id, since and since - _SHOWN_BESIDES), since=since)

    def _save(self, history: History, observation: Observation) -> Saved:
        changes = merge(history, observation)
        if not self._settings.dry_run:
            return self._store.save(history.repository_id, changes)
        stored = {day.day for day in history.days}
        inserted = sum(day.day not in stored for day in changes.days)
        return Saved(changes, inserted, len(changes.days) - inserted)

    def _render(self, history: History, *, whole_line: bool = False) -> tuple[CatalogueEntry | None, dict[str, Part]]:
        """Return a history's catalogue entry, and its parts of the files; the article's files need all of its days."""
        entry, parts = self._export.before.render(history, self._store.load, whole_line=whole_line)
        if self._settings.legacy_csv:
            parts |= render_parts(article_rows(self._store.load(history.repository_id), None))
        return entry, parts

    def _keep(self, repository_id: int, parts: Mapping[str, Part]) -> None:
        """Keep parts of files for the export; what was stored stays stored if there is no room for them."""
        try:
            self._export.spool.add(repository_id, parts)
        except DestinationError as error:
            self._unexported.append(error)

    def _publish(self) -> ExportResult:
        if self._settings.dry_run:
            return ExportResult()
        export = self._export
        return write_export(export.destination, export.before, export.spool, self._render_again, self._machine)

    def _draw(self) -> tuple[str, ...]:
        """Write the pictures; return the errors."""
        if not self._settings.pictures:
            return ()
        with closing(open_destination(self._settings.pictures_to)) as pictures:
            return write_pictures(self._export.destination, pictures, self._settings.pictures)

    def _render_again(self, repository_id: int) -> dict[str, Part]:
        """Render a repository again; a run at the same time may have heard an answer of weeks ago."""
        history = self._load(repository_id, self._loaded_since[repository_id])
        if not self._export.before.is_continued_by(history):
            history = self._load(repository_id, None)
        return self._render(history, whole_line=True)[1]


def _open_store(settings: Settings, machine: Runtime) -> Store:
    """Open the store; a dry run makes no file and can read one that it cannot write."""
    if settings.dry_run:
        return open_or_empty(settings.store, machine)
    return open_store(settings.store, create=True, runtime=machine)
