"""Rebuilds the export from the store, in constant memory."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial

from ghtraffic_action.errors import SettingsError, StoreError
from ghtraffic_action.exports.destination import Destination, File, open_destination
from ghtraffic_action.exports.layout import ARTICLE_DAYS, ARTICLE_PATHS, DATA_PREFIX
from ghtraffic_action.exports.page_files import page_part
from ghtraffic_action.exports.parts import Part, render_parts
from ghtraffic_action.exports.rounds import ExportResult, ExportWriter, FilesBefore
from ghtraffic_action.exports.rows import article_rows, render_history
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.page.data import PAGE_DATA
from ghtraffic_action.page.writer import PAGE
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import COLLECT_FIRST, Store, open_store
from ghtraffic_action.traffic.model import History


def export_all(settings: Settings, month: str = "") -> ExportResult:
    """Rebuild the configured export from its store. Raises UserError."""
    if month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise SettingsError(f"month: {month!r} is not a month: write YYYY-MM")
    with (
        closing(open_store(settings.store, create=False)) as store,
        closing(open_destination(settings.export_to)) as destination,
    ):
        rebuilt = rebuild(store, destination, month=month, article=settings.legacy_csv, report=settings.report)
        # Not yet counted by GitHub: no row.
        if not rebuilt.files and not rebuilt.errors and (month or next(store.scan(), None) is None):
            of = f" of {month}" if month else ""
            raise StoreError(f"store {settings.store}: it holds nothing{of}: {COLLECT_FIRST}")
    return rebuilt


def rebuild(
    store: Store, destination: Destination, *, month: str = "", article: bool = False, report: bool = False
) -> ExportResult:
    """Replace all files by the store's content, the catalogue last and only without errors.

    `month` (`2026-11`) limits this to one month's files. `article` adds the article's two files, `report` the report
    page and its data.
    """
    with rebuilt_files(store, destination, month=month, article=article, report=report) as files:
        return files.write(files.keys())


@contextmanager
def rebuilt_files(
    store: Store, destination: Destination, *, month: str = "", article: bool = False, report: bool = False
) -> Iterator[ExportWriter]:
    """Return a writer with the rows of the whole store, each repository loaded once."""
    part = f"/month={month}/" if month else ""
    before = FilesBefore(_versions(destination, part), complete=True, replaced=True)
    with closing(Spool(part)) as spool:
        for count, history in enumerate(store.scan(), 1):
            if article and count > 1:
                raise SettingsError("legacy-csv: the store holds several repositories; its files are for one")
            spool.add(history.repository_id, _render(history, article=article, report=report))
        load = partial(_load, store, article=article, report=report)
        yield ExportWriter(destination, before, spool, load, Runtime())


def _render(history: History, *, article: bool, report: bool) -> dict[str, Part]:
    rendered = render_history(history, None)
    rows = rendered.rows
    parts = render_parts(rows | (article_rows(history, rendered.days) if article else {}))
    part = page_part(rows, None) if report and rows else None
    return parts | ({PAGE_DATA: part} if part else {})


def _load(store: Store, repository_id: int, *, article: bool, report: bool) -> dict[str, Part]:
    return _render(store.load(repository_id), article=article, report=report)


def _versions(destination: Destination, part: str) -> dict[str, File | None]:
    """Read the files' versions before the store, without their contents."""
    keys = [key for key in destination.keys(DATA_PREFIX) if key.endswith(".csv") and part in key]
    keys += [] if part else [*destination.manifests(), ARTICLE_DAYS, ARTICLE_PATHS, PAGE_DATA, PAGE]
    with ThreadPoolExecutor(8) as executor:
        return dict(zip(keys, executor.map(partial(_version, destination), keys), strict=True))


def _version(destination: Destination, key: str) -> File | None:
    file = destination.read(key)
    return file and replace(file, content=b"")
