"""A run: load, fetch, merge and save each repository; then export."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import count

from ghtraffic_action.alerting import heartbeat
from ghtraffic_action.alerting.notification import notify, notify_of_failure
from ghtraffic_action.discovery import Discovery, discover
from ghtraffic_action.errors import Interrupted, QuotaError, RecordError, SettingsError, StoreError
from ghtraffic_action.exports.destination import Destination, open_destination
from ghtraffic_action.exports.incremental import read_catalogue_alone, read_export
from ghtraffic_action.exports.layout import RUN
from ghtraffic_action.exports.pictures import write_pictures
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.run_export import RunExport
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.extras import Extras
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.lookup import Lookup
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.plan import is_fresh, no_longer_listed, order, unfinished
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.results import collected_result, failed_result, with_news
from ghtraffic_action.run_report import adds_nothing, write_report
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.secrets import read_credentials
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Saved, Store, open_or_empty, open_store
from ghtraffic_action.traffic.merge import apply, merge
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.observation import Observation, Repository
from ghtraffic_action.traffic.workflow_runs import add_runs, uncounted_days

log = logging.getLogger(__name__)

_AT_ONCE = 12
"""Repositories in parallel: enough for GitHub's 16 requests in flight during writes to the store."""


def run(settings: Settings, runtime: Runtime | None = None) -> Report:
    """Collect by the settings, and return the report.

    Raises:
        UserError: Nothing could be collected.
        Interrupted: `runtime.stop` was set before anything was collected.
    """
    runtime = runtime or Runtime()
    with (
        notify_of_failure(settings),
        closing(_open_store(settings, runtime)) as store,
        closing(open_destination(settings.export_to)) as destination,
    ):
        report = collect(settings, store, destination, runtime)
    report = notify(report, settings)
    beats = settings.heartbeat == "cloudwatch" and not report.dry_run and not report.interrupted
    return heartbeat.send(report) if beats else report


def collect(
    settings: Settings, store: Store, destination: Destination, runtime: Runtime, *, exports: bool = True
) -> Report:
    """Like `run`, with a store and destination that stay open.

    Without `exports` nothing is exported: the caller exports once for several runs.
    """
    for warning in settings.warnings:
        log.warning("%s", warning)
    with ExitStack() as resources:
        # The files are read before the store, in parallel with the lookups at GitHub.
        reader = resources.enter_context(runtime.threads(1, "export"))
        read = partial(read_export, destination, runtime, article=settings.legacy_csv, report=settings.report)
        before = reader.submit(read if exports else partial(read_catalogue_alone, destination))
        github = resources.enter_context(closing(connect(settings, runtime)))
        spool = resources.enter_context(closing(Spool()))
        writes = exports and not settings.dry_run
        export = RunExport(store, destination, before, spool, runtime, article=settings.legacy_csv, writes=writes)
        report = _Collecting(settings, github, store, export, runtime).run()
        if adds_nothing(report, export.before.files.get(RUN)):
            return report
        # If other files could not be written, this one probably cannot either.
        errors = (*report.errors, *export.save(RUN, write_report(report).encode()))
        return replace(report, errors=tuple(dict.fromkeys(errors)))


def connect(settings: Settings, runtime: Runtime) -> GitHub:
    """Connect to GitHub with the settings' credentials. Raises UserError."""
    limiter = RateLimiter(
        runtime.stop, max_wait=settings.max_wait, monotonic=runtime.monotonic, threads=runtime.threads
    )
    credentials = read_credentials(settings, runtime.hide)
    return GitHub(credentials, settings.github_api_url, limiter, runtime, settings.platform)


class _Collecting:
    """A run in progress."""

    def __init__(self, settings: Settings, github: GitHub, store: Store, export: RunExport, runtime: Runtime) -> None:
        self._settings = settings
        self._github = github
        self._store = store
        self._export = export
        self._runtime = runtime
        self._stop = runtime.stop
        self._store_failures: list[StoreError] = []
        self._had_history = False
        self._limits: list[QuotaError] = []

    def run(self) -> Report:
        """Discover the repositories, collect those that are due, export, report."""
        found = discover(self._settings, self._github, self._runtime)
        self._extras = Extras(self._github, self._store, len(found.lookup.found))
        self._refuse_article_of_several(found.lookup)
        now, before = self._runtime.now(), self._export.before
        stale = [repository for repository in found.lookup.found if not self._is_done(repository, now)]
        results = self._collect_all(order(stale, before, self._github.account))
        collected = [result for result in results.values() if result]
        remaining = [repository for repository, result in results.items() if not result]
        for warning in self._github.uncounted:
            log.warning("%s", warning)
        exported = self._write_export() if any(result.observed for result in collected) else ExportResult()
        return replace(
            self._report(found, collected, exported),
            remaining=tuple(repository.name for repository in remaining),
            unfinished=unfinished(remaining, before, self._why(), now, once_a_day=self._settings.once_a_day),
            fresh=len(found.lookup.found) - len(stale),
        )

    def _refuse_article_of_several(self, lookup: Lookup) -> None:
        if self._settings.legacy_csv and len(lookup.found) + len(lookup.refused) > 1:
            raise SettingsError("legacy-csv: its two files are for one repository: name one, or leave it out")

    def _is_done(self, repository: Repository, now: datetime) -> bool:
        """Return whether an earlier run of the day has observed a repository."""
        return self._settings.once_a_day and is_fresh(repository, self._export.before, now)

    def _collect_all(self, repositories: Sequence[Repository]) -> dict[Repository, RepositoryResult | None]:
        """Collect repositories in parallel. Return the results in order, None if not started."""
        done = count(1)

        def collect_one(repository: Repository) -> RepositoryResult | None:
            result = self._collect(repository)
            self._runtime.progress(next(done), len(repositories))
            return result

        with self._runtime.threads(_AT_ONCE, "repository") as workers:
            return dict(zip(repositories, workers.map(collect_one, repositories), strict=True))

    def _write_export(self) -> ExportResult:
        """Write the export, then its pictures."""
        exported = self._export.write()
        if not exported.files or not self._settings.pictures:
            return exported
        with closing(open_destination(self._settings.pictures_to)) as pictures:
            errors = write_pictures(self._export.destination, pictures, self._settings.pictures)
        return replace(exported, errors=(*exported.errors, *errors))

    def _report(self, found: Discovery, collected: Sequence[RepositoryResult], exported: ExportResult) -> Report:
        """Return the report, without the repositories that were not started."""
        settings, lookup = self._settings, found.lookup
        workflow = lookup.workflow_repository
        return Report(
            repositories=found.in_order((*collected, *found.failures)),
            store=settings.store,
            export_to=settings.export_to,
            dry_run=settings.dry_run,
            selected=found.notes,
            exported=exported.files,
            written=exported.written,
            warnings=tuple(self._warnings(lookup)),
            unlisted=tuple(no_longer_listed(self._export.before, found.listed_patterns, lookup)),
            errors=(*dict.fromkeys(map(str, self._store_failures)), *exported.errors),
            interrupted=self._stop.is_set(),
            failures_allowed=settings.allow_failures.of(len(lookup.found) + len(lookup.refused)),
            public=not workflow.private if workflow else None,
            pushed=workflow.pushed if workflow else None,
            token_ends=self._github.token_ends,
            alerting=settings.alerts != "none",
        )

    def _warnings(self, lookup: Lookup) -> Iterator[str]:
        yield from self._settings.warnings
        yield from self._github.warnings
        yield from self._github.uncounted
        yield from self._extras.warnings
        yield from lookup.warnings
        if self._export.before.new and self._had_history and self._export.writes:
            # Other repositories of the store are not in a new export.
            yield (
                f"export-to {self._settings.export_to}: it is new and holds only the repositories of this run, not all "
                f"that {self._settings.store} may hold: run `ghtraffic export` once to write the rest"
            )

    def _why(self) -> str:
        """Return why repositories were not started."""
        if self._store_failures:
            return "the store failed: run again when it works"
        if self._limits:
            return str(self._limits[0])
        return "the run was stopped: the next run starts with them"

    def _collect(self, repository: Repository) -> RepositoryResult | None:
        """Collect a repository; its failures do not affect others.

        Return None if it was not started: the run stops, a limit of GitHub is reached, or the store failed.
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
        history = self._export.load(repository.id, repository.metadata.at.date())
        observation = wait()
        if not observation.collected:
            refused = failed_result(repository, errors=observation.refusals)
            return replace(refused, remedies=observation.remedies, transient=observation.transient)
        self._had_history |= bool(history.snapshots)
        history, observation = self._extras.add_to(self._export.extend(history, observation), observation)
        if self._settings.workflow_runs:
            counted = self._github.count_workflow_runs(repository, uncounted_days(history, observation))
            observation = add_runs(history, observation, counted)
        saved = self._save(history, observation)
        before, history = history, apply(history, saved.stored)
        # Logs in Actions can be public, and logs in AWS have other readers: no private names.
        name = f"repository {repository.id}" if self._settings.platform else repository.name
        log.info("%s: %d days inserted, %d raised", name, saved.inserted, saved.raised)
        rendered, parts = self._export.render(history)
        self._export.keep(repository.id, parts)
        previous = self._export.before.catalogue.get(repository.id)
        result = collected_result(observation, saved, history, rendered, previous)
        return with_news(result, before, observation) if self._settings.alerts != "none" else result

    def _save(self, history: History, observation: Observation) -> Saved:
        changes = merge(history, observation)
        if not self._settings.dry_run:
            return self._store.save(history.repository_id, changes)
        stored = {day.day for day in history.days}
        inserted = sum(day.day not in stored for day in changes.days)
        return Saved(changes, inserted, len(changes.days) - inserted)


def _open_store(settings: Settings, runtime: Runtime) -> Store:
    """Open the store; a dry run creates no file and can read a read-only one."""
    if settings.dry_run:
        return open_or_empty(settings.store, runtime)
    return open_store(settings.store, create=True, runtime=runtime)
