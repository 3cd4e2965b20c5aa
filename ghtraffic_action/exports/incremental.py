"""A run's export: only the months that can have changed, read before the store and written after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.csvfile import UnreadableError, parse
from ghtraffic_action.exports.destination import Destination, File
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    LATEST_PATHS,
    LATEST_REFERRERS,
    REPOSITORIES,
    month_key,
    month_of,
)
from ghtraffic_action.exports.rounds import ExportResult, ExportWriter, FilesBefore, unreadable
from ghtraffic_action.exports.rows import (
    CatalogueEntry,
    Rows,
    article_rows,
    first_open_day,
    read_catalogue,
    render_history,
)
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.model import History

Load = Callable[[int], History]
"""Reads a repository's history from the store again, from the same day on as before."""


@dataclass(frozen=True, slots=True)
class ExportBefore:
    """The export as it was before the store was read; empty where `error` says why it cannot be continued."""

    catalogue: Mapping[int, CatalogueEntry] = field(default_factory=dict)
    files: Mapping[str, File | None] = field(default_factory=dict)
    article: bool = False
    error: str = ""

    def since(self, repository_id: int, today: date) -> date | None:
        """Return the first day that the export needs of a history; None for all of it.

        If there is no export to continue, the first day of the months that `today`'s answers can touch.
        """
        if self.error:
            return first_open_day(today)
        if self.article and self.files.get(ARTICLE_DAYS) is None:
            return None
        previous = self.catalogue.get(repository_id)
        return previous.since if previous else None

    @property
    def new(self) -> bool:
        """Whether the destination has no catalogue yet."""
        return not self.error and self.files.get(REPOSITORIES) is None

    def observed(self, repository_id: int) -> date:
        """Return the last exported observation of a repository, `date.min` if there is none."""
        previous = self.catalogue.get(repository_id)
        return previous.observed if previous else date.min

    def render(self, history: History) -> tuple[CatalogueEntry | None, Rows]:
        """Return a history's catalogue entry (None: unobserved) and its rows in each file."""
        previous = self.catalogue.get(history.repository_id) if history.since else None
        entry, rows = render_history(history, previous)
        return entry, rows | (article_rows(history, previous) if self.article and rows else {})


def read_export(destination: Destination, runtime: Runtime, *, article: bool = False) -> ExportBefore:
    """Read the catalogue and the files that a run usually writes; with `article` also the article's two files."""
    try:
        catalogue = destination.read(REPOSITORIES)
        entries = read_catalogue(parse(REPOSITORIES, catalogue.content)) if catalogue else {}
        keys = [LATEST_PATHS, LATEST_REFERRERS, *destination.manifests(), *_recent_months(entries)]
        keys += [ARTICLE_DAYS, ARTICLE_PATHS] if article else []
        with runtime.threads(len(keys), "read") as executor:
            files = dict(zip(keys, executor.map(destination.read, keys), strict=True))
    except UnreadableError as error:
        return ExportBefore(error=unreadable(destination, REPOSITORIES, error))
    except DestinationError as error:
        return ExportBefore(error=str(error))
    return ExportBefore(entries, {REPOSITORIES: catalogue, **files}, article)


def write_export(
    destination: Destination, before: ExportBefore, spool: Spool, load: Load, runtime: Runtime
) -> ExportResult:
    """Write the rows of a run's repositories, which `before` has rendered into `spool`, into the files of before.

    `load` is called for repositories in files that somebody else has changed meanwhile.
    """
    if before.error:
        return ExportResult(errors=(before.error,))
    files = FilesBefore(before.files, complete=not before.catalogue)  # without a catalogue there are likely no files
    writer = ExportWriter(destination, files, spool, partial(_rows, before, load), runtime)
    keys = spool.keys()
    return writer.write({*keys, *destination.manifests()} if keys else keys)


def _rows(before: ExportBefore, load: Load, repository_id: int) -> Rows:
    return before.render(load(repository_id))[1]


def _recent_months(catalogue: Mapping[int, CatalogueEntry]) -> list[str]:
    newest = max((entry.observed for entry in catalogue.values()), default=None)
    if newest is None:
        return []
    months = {month_of(day) for day in (first_open_day(newest), newest, newest + timedelta(days=1))}
    return [month_key(kind, month) for kind in ("daily", "paths", "referrers") for month in sorted(months)]
