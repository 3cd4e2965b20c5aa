"""Comparison of an export with its store, file by file."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace

from ghtraffic_action.errors import DestinationError, StoreError
from ghtraffic_action.exports.csvfile import UnreadableError, parse
from ghtraffic_action.exports.destination import LARGEST, Destination, digest, open_destination
from ghtraffic_action.exports.layout import ARTICLE_DAYS, ARTICLE_PATHS, DATA_PREFIX, RUN, Row, table_of
from ghtraffic_action.exports.rebuild import rebuilt_files
from ghtraffic_action.exports.rounds import ExportWriter
from ghtraffic_action.page.data import PAGE_DATA
from ghtraffic_action.page.writer import PAGE
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import EMPTY, Store, open_store


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of a comparison; the texts are *where: what*.

    `files` counts the expected files that could be read. `differing` ones differ from the store, or did before they
    were `repaired`. `needless` files belong to no data. `unread` ones are the article's, if not requested.
    """

    files: int
    differing: tuple[str, ...] = ()
    repaired: bool = False
    needless: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def agreeing(self) -> int:
        """The number of files that now agree with the store."""
        return self.files if self.repaired else self.files - len(self.differing)

    @property
    def problems(self) -> tuple[str, ...]:
        """The remaining differences as *where: what: what to do*."""
        repairable = (f"{what}: write it again with `ghtraffic verify --repair`" for what in self.differing)
        needless = (f"{uri}: the store has no data for it: remove it if it is not needed" for uri in self.needless)
        return (*self.errors, *(() if self.repaired else repairable), *needless)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks that are no problems."""
        unread = (f"{uri}: it was not compared: add --legacy-csv" for uri in self.unread)
        return (*(f"{what}: it was written again" for what in self.differing if self.repaired), *unread)


def verify_all(settings: Settings, *, repair: bool) -> Verified:
    """Compare the configured export with its store. Raises UserError."""
    with (
        closing(open_store(settings.store, create=False)) as store,
        closing(open_destination(settings.export_to)) as destination,
    ):
        verified = verify(store, destination, article=settings.legacy_csv, report=settings.report, repair=repair)
        if not verified.files and not verified.errors and next(store.scan(), None) is None:
            empty = EMPTY.format(store=settings.store)
            if not verified.needless:
                raise StoreError(empty)
            return replace(verified, errors=(empty,))
    return verified


def verify(
    store: Store, destination: Destination, *, article: bool = False, report: bool = False, repair: bool = False
) -> Verified:
    """Compare every row with the store; `repair` rewrites differing files. No file is removed."""
    differences: dict[str, str] = {}
    errors: list[str] = []
    with rebuilt_files(store, destination, article=article, report=report) as rebuilt:
        keys = rebuilt.keys()
        for key in sorted(keys):
            try:
                if what := _difference_now(rebuilt, key):
                    differences[key] = what
            except DestinationError as error:
                errors.append(str(error))
        if repair and differences:
            errors += rebuilt.write(differences).errors
    differing = tuple(f"{destination.uri(key)}: {what}" for key, what in differences.items())
    found = Verified(len(keys) - len(errors), differing, repaired=repair, errors=tuple(errors))
    if errors:
        return found
    unasked = {*(() if article else (ARTICLE_DAYS, ARTICLE_PATHS)), *(() if report else (PAGE, PAGE_DATA))}
    existing = {key for key, file in rebuilt.before.files.items() if file}
    needless = {*existing, *destination.keys(DATA_PREFIX)} - {*keys, *unasked, RUN}
    unread = existing & unasked & {ARTICLE_DAYS, ARTICLE_PATHS}
    return replace(found, needless=_uris(destination, needless), unread=_uris(destination, unread))


def _uris(destination: Destination, keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(destination.uri, keys)))


def _difference_now(rebuilt: ExportWriter, key: str) -> str:
    """Compare a file with the store, again if a run changed the file."""
    before = rebuilt.before.files.get(key)
    if before and before.digest == digest(rebuilt.content(key)):
        return ""
    file = rebuilt.destination.read(key)
    if not file:
        return "it is missing"
    if file.too_large:
        return f"it has more than {LARGEST >> 20} MiB"
    rebuilt.refresh({key: file})
    return difference(key, file.content, rebuilt.content(key))


def difference(key: str, theirs: bytes, ours: bytes) -> str:
    """Return how two files' rows differ, with an example; empty if equal in any order.

    Unknown columns are ignored.
    """
    if not key.endswith(".csv"):
        return "" if theirs == ours else "its content differs"
    try:
        found, expected = _rows(key, theirs), _rows(key, ours)
    except UnreadableError as error:
        return f"it {error}"
    missing, foreign = _by_key(key, expected - found), _by_key(key, found - expected)
    counted = (
        (len(missing.keys() & foreign.keys()), "differing"),
        (len(missing.keys() - foreign.keys()), "missing"),
        (len(foreign.keys() - missing.keys()), "not in the store"),
    )
    if not missing and not foreign:
        return ""
    counts = ", ".join(f"{count} {what}" for count, what in counted if count)
    first = min(missing.keys() & foreign.keys(), default=None) or min(missing.keys() | foreign.keys())
    return f"rows: {counts}; the first is {_example(key, first, missing.get(first), foreign.get(first))}"


def _rows(key: str, content: bytes) -> Counter[Row]:
    columns = table_of(key).columns
    return Counter(tuple(record.get(column, "") for column in columns) for record in parse(key, content).records())


def _by_key(key: str, rows: Counter[Row]) -> dict[Row, Row]:
    table = table_of(key)
    places = [table.columns.index(column) for column in table.key]
    return {tuple(row[place] for place in places): row for row in rows}


def _example(key: str, named: Row, ours: Row | None, theirs: Row | None) -> str:
    where = " ".join(map(repr, named))
    if ours is None or theirs is None:
        return where
    columns = zip(table_of(key).columns, theirs, ours, strict=True)
    changed = [f"{column} is {there!r}, in the store {here!r}" for column, there, here in columns if there != here]
    return f"{where}: {changed[0]}" if changed else where
