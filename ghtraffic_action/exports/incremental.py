"""A run's export: only files that can have changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.catalogue import (
    CatalogueEntry,
    first_open_day,
    first_unknown_day,
    is_too_short,
    read_catalogue,
)
from ghtraffic_action.exports.csvfile import UnreadableError, stream
from ghtraffic_action.exports.destination import LARGE, LARGEST, Destination, File
from ghtraffic_action.exports.layout import (
    ARTICLE_DAYS,
    ARTICLE_PATHS,
    COPIES,
    LATEST_PATHS,
    LATEST_REFERRERS,
    RECENT,
    RELEASES,
    REPOSITORIES,
    RUN,
    month_key,
    month_of,
    month_of_key,
    stars_key,
)
from ghtraffic_action.exports.page_files import page_part
from ghtraffic_action.exports.parts import Part, render_parts
from ghtraffic_action.exports.rounds import ExportResult, ExportWriter, FilesBefore, unreadable
from ghtraffic_action.exports.rows import RenderedHistory, render_history
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.page.data import PAGE_DATA, is_final, read_heads
from ghtraffic_action.page.line import Head
from ghtraffic_action.page.writer import PAGE
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.observation import Observation

Load = Callable[[int], Mapping[str, Part]]
"""Renders a repository from what the store holds now."""

_OPEN_TOPS = timedelta(days=2)
"""A run that started this long before the last observation may have stored paths and referrers after it."""

_CATALOGUE_LIMIT = 16 * 1024 * 1024
"""Maximum bytes of a catalogue: 100,000 repositories. It is read whole before anything is stored."""


@dataclass(frozen=True, slots=True)
class ExportBefore:
    """The export as it was before the store was read.

    If it cannot be continued, `error` has the reason, and the rest is empty.
    """

    catalogue: Mapping[int, CatalogueEntry] = field(default_factory=dict)
    files: Mapping[str, File | None] = field(default_factory=dict)
    lines: Mapping[int, Head] | None = None
    """The heads of the report page's lines; None if no page is written."""
    error: str = ""

    def since(self, repository_id: int, today: date) -> date | None:
        """Return the first day that the export needs of a history; None for all.

        Without an export to continue, this is the first day of the months that `today`'s answers can change.
        """
        if self.error:
            return first_open_day(today)
        previous = self.catalogue.get(repository_id)
        return previous.since if previous else None

    @property
    def new(self) -> bool:
        """Whether the destination has no catalogue yet."""
        return not self.error and self.files.get(REPOSITORIES) is None

    def observed(self, repository_id: int) -> date:
        """Return a repository's last exported observation, or `date.min`."""
        previous = self.catalogue.get(repository_id)
        return previous.observed if previous else date.min

    def is_continued_by(self, history: History, observation: Observation | None = None) -> bool:
        """Return whether a history, with the new observation, begins early enough for the export."""
        previous = self.catalogue.get(history.repository_id)
        return previous is None or not is_too_short(history, previous.observed, observation)

    def render(
        self, history: History, load: Callable[[int], History], *, whole_line: bool = False
    ) -> tuple[RenderedHistory, dict[str, Part]]:
        """Return a history as exported, and its parts of changed files.

        `load` reads the whole history if the report page's line cannot be continued, or if a `whole_line` is wanted.
        """
        previous = self.catalogue.get(history.repository_id) if history.since else None
        rendered = render_history(self._with_changed_stars(history), previous)
        rows = rendered.rows
        parts = render_parts(rows, partial(_first_change, history, previous))
        if rows and self.lines is not None:
            if history.since and (whole_line or not self._continues_line(history.repository_id, history.since)):
                part = page_part(render_history(load(history.repository_id), None).rows, None)
            else:
                part = page_part(rows, history.since)
            parts |= {PAGE_DATA: part} if part else {}
        return rendered, parts

    def misses_stars(self, history: History) -> bool:
        """Return whether the history lacks stars that the export needs."""
        previous = self.catalogue.get(history.repository_id)
        return (
            bool(previous and history.since and not history.stars)
            and not self.error
            and any(seen.star_history for seen in history.snapshots if seen.day >= _open_since(previous))
        )

    def _with_changed_stars(self, history: History) -> History:
        """Return a history without years whose stars are already exported."""
        previous = self.catalogue.get(history.repository_id)
        if history.since is None or previous is None:
            return history
        since = _open_since(previous)
        return replace(history, stars=tuple(year for year in history.stars if year.at.date() >= since))

    def _continues_line(self, repository_id: int, since: date) -> bool:
        head = (self.lines or {}).get(repository_id)
        return head is not None and is_final(head, since)


def read_export(
    destination: Destination, runtime: Runtime, *, article: bool = False, report: bool = False
) -> ExportBefore:
    """Read the catalogue and the files that a run usually writes.

    With `article` also the article's two files, with `report` the report page and its data.
    """
    try:
        catalogue = destination.read(REPOSITORIES, _CATALOGUE_LIMIT)
        entries = _read_catalogue(catalogue) if catalogue else {}
        keys = [
            LATEST_PATHS,
            LATEST_REFERRERS,
            *COPIES.values(),
            RECENT,
            RELEASES,
            RUN,
            *destination.manifests(),
            *_recent_months(entries),
        ]
        keys += [ARTICLE_DAYS, ARTICLE_PATHS] if article else []
        keys += [PAGE_DATA, PAGE] if report else []
        with runtime.threads(len(keys), "read") as executor:
            files = dict(zip(keys, executor.map(partial(_read_file, destination), keys), strict=True))
    except UnreadableError as error:
        return ExportBefore(error=unreadable(destination, REPOSITORIES, error))
    except DestinationError as error:
        return ExportBefore(error=str(error))
    data = files.get(PAGE_DATA)
    lines = read_heads(data.content if data else b"") if report else None
    return ExportBefore(entries, {REPOSITORIES: catalogue, **files}, lines)


def read_catalogue_alone(destination: Destination) -> ExportBefore:
    """Read the catalogue, for a run that writes no export."""
    try:
        catalogue = destination.read(REPOSITORIES, _CATALOGUE_LIMIT)
        return ExportBefore(_read_catalogue(catalogue) if catalogue else {}, {REPOSITORIES: catalogue})
    except UnreadableError as error:
        return ExportBefore(error=unreadable(destination, REPOSITORIES, error))
    except DestinationError as error:
        return ExportBefore(error=str(error))


def write_export(
    destination: Destination, before: ExportBefore, spool: Spool, load: Load, runtime: Runtime
) -> ExportResult:
    """Write the rows in `spool` into the files of `before`.

    If another run changed a file meanwhile, and its rows of a repository differ from ours, `load` renders that
    repository again from the store.
    """
    if before.error:
        return ExportResult(errors=(before.error,))
    files = FilesBefore(before.files, complete=before.new)  # without a catalogue there are likely no files
    writer = ExportWriter(destination, files, spool, load, runtime)
    return writer.write(writer.keys())


def _first_change(history: History, previous: CatalogueEntry | None, key: str) -> str:
    """Return the first day with changed rows, empty for all days."""
    if history.since is None or previous is None or not month_of_key(key):
        return ""
    if "/daily/" in key:
        return first_unknown_day(history, previous.observed).isoformat()
    return _open_since(previous).isoformat()


def _open_since(previous: CatalogueEntry | None) -> date:
    """Return the first day whose answers without days the export can be missing."""
    return previous.observed - _OPEN_TOPS if previous else date.min


def _read_file(destination: Destination, key: str) -> File | None:
    """Read a file; of a large one only the version.

    The page's data is read at any size, since a run decides by its lines what to load.
    """
    return destination.read(key, LARGEST if key == PAGE_DATA else LARGE)


def _read_catalogue(file: File) -> dict[int, CatalogueEntry]:
    if file.too_large:
        raise UnreadableError(f"has more than {_CATALOGUE_LIMIT >> 20} MiB")
    return read_catalogue(stream(REPOSITORIES, file.content))


def _recent_months(catalogue: Mapping[int, CatalogueEntry]) -> list[str]:
    newest = max((entry.observed for entry in catalogue.values()), default=None)
    if newest is None:
        return []
    months = {month_of(day) for day in (first_open_day(newest), newest, newest + timedelta(days=1))}
    kinds = ("daily", "paths", "referrers", "downloads")
    return [stars_key(newest.year), *(month_key(kind, month) for kind in kinds for month in sorted(months))]
