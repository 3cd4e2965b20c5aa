"""The export of a run, which spools rows per repository and writes them last."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import Conflict, Destination
from ghtraffic_action.exports.incremental import ExportBefore, write_export
from ghtraffic_action.exports.parts import Part, render_parts
from ghtraffic_action.exports.rounds import ExportResult
from ghtraffic_action.exports.rows import SHOWN, RenderedHistory, article_rows
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.stores.base import Store
from ghtraffic_action.traffic.coverage import known_days
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.observation import Observation

_ATTEMPTS = 5
"""Attempts to write a contended file; after that the other version is as new."""

_SHOWN_EARLIER = SHOWN - timedelta(days=14)
"""How many of them can be before those that the export needs."""


@dataclass(frozen=True, slots=True)
class RunExport:
    """A run's destination, earlier files, and rows to write.

    `article` adds the article's two files. Without `writes` the export stays unchanged.
    """

    store: Store
    destination: Destination
    reading: Future[ExportBefore]
    spool: Spool
    runtime: Runtime
    article: bool = False
    writes: bool = True
    _loaded_since: dict[int, date | None] = field(default_factory=dict)
    _failures: list[DestinationError] = field(default_factory=list)

    @property
    def before(self) -> ExportBefore:
        """The export before the store was read."""
        return self.reading.result()

    def load(self, repository_id: int, today: date) -> History:
        """Load what the export and the report need of a history. Raises StoreError."""
        return self._load(repository_id, self.before.since(repository_id, today))

    def extend(self, history: History, observation: Observation | None = None) -> History:
        """Return a history long enough to continue the export, reloaded if needed.

        Raises StoreError.
        """
        if self.before.is_continued_by(history, observation):
            return history
        return self._load(history.repository_id, None)

    def render(self, history: History, *, whole_line: bool = False) -> tuple[RenderedHistory, dict[str, Part]]:
        """Return a history as exported, and its parts by file.

        The article's files need the whole history.
        """
        rendered, parts = self.before.render(history, self.store.load, whole_line=whole_line)
        if self.article:
            whole = self.store.load(history.repository_id)
            parts |= render_parts(article_rows(whole, known_days(whole)))
        return rendered, parts

    def keep(self, repository_id: int, parts: Mapping[str, Part]) -> None:
        """Spool a repository's parts of files until `write`.

        An error, such as a full disk, is reported by `write`: the repository is stored already.
        """
        try:
            if self.writes:
                self.spool.add(repository_id, parts)
        except DestinationError as error:
            self._failures.append(error)

    def render_again(self, repository_id: int) -> dict[str, Part]:
        """Reload and render a repository; a concurrent run may have stored old answers."""
        history = self.extend(self._load(repository_id, self._loaded_since[repository_id]))
        return self.render(history, whole_line=True)[1]

    def write(self) -> ExportResult:
        """Write the spooled parts."""
        if not self.writes:
            return ExportResult()
        result = write_export(self.destination, self.before, self.spool, self.render_again, self.runtime)
        return replace(result, errors=(*dict.fromkeys(map(str, self._failures)), *result.errors))

    def save(self, key: str, content: bytes) -> tuple[str, ...]:
        """Replace a file of this run in any version; return the errors.

        If two runs end at once, the later write wins.
        """
        known = None if self.before.error else self.before.files
        try:
            for _ in range(_ATTEMPTS if self.writes else 0):
                file = known[key] if known and key in known else self.destination.read(key)
                known = None
                try:
                    self.destination.write(key, content, file.version if file else None)
                except Conflict:
                    continue
                break
        except DestinationError as error:
            return (str(error),)
        return ()

    def _load(self, repository_id: int, since: date | None) -> History:
        self._loaded_since[repository_id] = since
        history = replace(self.store.load(repository_id, since and since - _SHOWN_EARLIER), since=since)
        if self.before.misses_stars(history):
            history = replace(history, stars=self.store.load_stars(repository_id))
        return history
