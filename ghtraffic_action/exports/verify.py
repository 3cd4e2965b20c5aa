"""Whether an export says what its store does: the rebuild, into a destination that compares instead of writing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from ghtraffic_action.errors import StoreError
from ghtraffic_action.exports.csvfile import UnreadableError, parse
from ghtraffic_action.exports.destination import Conflict, Destination, File, open_destination
from ghtraffic_action.exports.layout import ARTICLE_DAYS, ARTICLE_PATHS, Row, table_of
from ghtraffic_action.exports.rebuild import rebuild
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import EMPTY, Store, open_store

_DATA = "v1/"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a comparison found, file by file, as *where: what*.

    `files` counts those that should be there and could be looked at; of these `differing` do not agree with the store,
    or did not, if they were `repaired`. `needless` ones follow from nothing. `unread` are the article's, unasked for.
    """

    files: int
    differing: tuple[str, ...] = ()
    repaired: bool = False
    needless: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def agreeing(self) -> int:
        """How many files say what the store does, now."""
        return self.files if self.repaired else self.files - len(self.differing)

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not agree with the store even now, as *where: what: what to do*."""
        repairable = (f"{what}: write it again with `ghtraffic verify --repair`" for what in self.differing)
        needless = (f"{uri}: nothing in the store makes it: remove it, if nobody needs it" for uri in self.needless)
        return (*(() if self.repaired else repairable), *needless, *self.errors)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth a word besides."""
        unread = (f"{uri}: it was not looked at: add --legacy-csv" for uri in self.unread)
        return (*(f"{what}: it was written again" for what in self.differing if self.repaired), *unread)


def verify_all(settings: Settings, *, repair: bool) -> Verified:
    """Open the store and the destination that the settings name, and verify. Raises UserError."""
    with (
        closing(open_store(settings.store, create=False)) as store,
        closing(open_destination(settings.export_to)) as destination,
    ):
        verified = verify(store, destination, article=settings.legacy_csv, repair=repair)
    if not verified.files and not verified.errors:
        raise StoreError(EMPTY.format(store=settings.store))
    return verified


def verify(store: Store, destination: Destination, *, article: bool = False, repair: bool = False) -> Verified:
    """Compare every row with the store; `repair` writes what differs again. No file is ever removed."""
    comparing = _Comparing(destination, repair=repair)
    rebuilt = rebuild(store, comparing, article=article)
    found = Verified(len(rebuilt.files), comparing.differing, repaired=repair, errors=rebuilt.errors)
    if rebuilt.errors or not rebuilt.files:
        return found
    there = sorted(map(destination.uri, destination.keys(_DATA)))
    needless = tuple(uri for uri in there if uri not in rebuilt.files)
    articles = tuple(destination.uri(key) for key in (ARTICLE_DAYS, ARTICLE_PATHS) if destination.read(key))
    return replace(found, needless=needless, unread=() if article else articles)


def difference(key: str, theirs: bytes, ours: bytes) -> str:
    """Say how a file's rows differ from ours, with the first that does; empty where they agree, in whatever order.

    Columns that this version does not know are passed over.
    """
    if not key.endswith(".csv"):
        return "" if theirs == ours else "it has another content"
    try:
        found, expected = _rows(key, theirs), _rows(key, ours)
    except UnreadableError as error:
        return f"it {error}"
    missing, foreign = _by_key(key, expected - found), _by_key(key, found - expected)
    counted = (
        (len(missing.keys() & foreign.keys()), "differing"),
        (len(missing.keys() - foreign.keys()), "missing"),
        (len(foreign.keys() - missing.keys()), "of nothing in the store"),
    )
    if not missing and not foreign:
        return ""
    counts = ", ".join(f"{count} {what}" for count, what in counted if count)
    first = min(missing.keys() & foreign.keys(), default=None) or min(missing.keys() | foreign.keys())
    return f"rows: {counts}; the first is {_example(key, first, missing.get(first), foreign.get(first))}"


class _Comparing:
    """A destination that compares what it is given to write with what is there, and writes only to `repair` it."""

    def __init__(self, inner: Destination, *, repair: bool) -> None:
        self._inner = inner
        self._repair = repair
        self._differences: dict[str, str] = {}

    @property
    def differing(self) -> tuple[str, ...]:
        return tuple(f"{self.uri(key)}: {what}" for key, what in sorted(self._differences.items()))

    def read(self, key: str) -> File | None:
        return self._inner.read(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._inner.keys(prefix)

    def write(self, key: str, content: bytes, version: str | None) -> None:
        current = self._inner.read(key)
        if (current and current.version) != version:
            raise Conflict(key)  # a run is under way: the store is asked again before anything is said
        if what := difference(key, current.content, content) if current else "it is missing":
            if self._repair:
                self._inner.write(key, content, version)
            self._differences[key] = what

    def uri(self, key: str) -> str:
        return self._inner.uri(key)

    def manifests(self) -> Mapping[str, bytes]:
        return self._inner.manifests()

    def close(self) -> None:
        """See Destination: the inner one is closed by who opened it."""


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
    changed = [f"{column} is {there!r}, by the store {here!r}" for column, there, here in columns if there != here]
    return f"{where}: {changed[0]}" if changed else where
