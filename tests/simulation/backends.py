"""Where runs store and export: the real stores and destinations, with faults on the way to them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any, Protocol, TypeVar

import boto3

from ghtraffic_action.backup.archive import write_backup
from ghtraffic_action.errors import DestinationError, StoreError
from ghtraffic_action.exports.destination import LARGEST, Destination, File
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.s3 import S3Destination
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Imports, Saved, Store
from ghtraffic_action.stores.dynamodb import DynamoDBStore
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.traffic.model import LISTED, NUMBERS, Changes, Day, History, Snapshot
from ghtraffic_action.traffic.serialization import read_moment, read_snapshot
from ghtraffic_action.traffic.stars import StarYear

from .aws import Amazon
from .faults import PLACES, Faults
from .scheduler import Clock, Scheduler

_T = TypeVar("_T")


class Backend(Protocol):
    """Where the runs of one seed store and export."""

    store: str
    export_to: str

    def open(self, runtime: Runtime) -> tuple[Store, Destination]:
        """Open both for one run, with faults on the way."""

    def stored(self) -> dict[int, History]:
        """Read all histories, without faults."""

    def contents(self) -> object:
        """Read all that is stored, also records of imports, to compare it with what is stored later."""

    def exported(self) -> dict[str, bytes]:
        """Read all exported CSV files by their keys, without faults."""

    def remove(self, uri: str) -> None:
        """Remove an exported file."""


class LocalBackend:
    """A SQLite file and a directory."""

    def __init__(self, folder: Path, way: "FaultyWay") -> None:
        self._path = folder / "traffic.db"
        self._root = folder / "export"
        self._way = way
        self._read: tuple[bytes, dict[int, History]] | None = None
        self.store = f"sqlite:{self._path}"
        self.export_to = str(self._root)

    def open(self, runtime: Runtime) -> tuple[Store, Destination]:  # noqa: ARG002 - these have none
        """See Backend."""
        store, destination = SQLiteStore(str(self._path)), DirectoryDestination(str(self._root))
        return FaultyStore(store, self._way), FaultyDestination(destination, self._way)

    def stored(self) -> dict[int, History]:
        """See Backend."""
        content = self._path.read_bytes() if self._path.exists() else b""
        if not self._read or self._read[0] != content:
            with closing(SQLiteStore(str(self._path))) as store:
                self._read = content, {history.repository_id: history for history in store.scan()}
        return dict(self._read[1])

    def contents(self) -> object:
        """See Backend."""
        if not self.stored():
            return b""
        backup = self._path.with_name("contents.jsonl")
        write_backup(Settings(store=self.store), str(backup))
        return backup.read_bytes()

    def exported(self) -> dict[str, bytes]:
        """See Backend."""
        found = (path for path in self._root.rglob("*.csv") if not path.name.startswith("."))
        return {path.relative_to(self._root).as_posix(): path.read_bytes() for path in found}

    def remove(self, uri: str) -> None:
        """See Backend."""
        Path(uri).unlink()


class AwsBackend:
    """A table and a bucket."""

    def __init__(self, name: str, amazon: Amazon) -> None:
        self._name = name
        self._amazon = amazon
        amazon.place(name)
        self._s3: Any = boto3.client("s3")
        self._records: dict[tuple[str, str], tuple[Any, Day | Snapshot | StarYear]] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        self.store = f"dynamodb://{name}"
        self.export_to = f"s3://{name}/traffic"

    def open(self, runtime: Runtime) -> tuple[Store, Destination]:
        """See Backend."""
        self._amazon.disturbed = True
        return DynamoDBStore(self._name, runtime), S3Destination(self._name, "traffic")

    def stored(self) -> dict[int, History]:
        """See Backend."""
        self._amazon.disturbed = False
        found: dict[int, list[Day | Snapshot | StarYear]] = {}
        records = self._amazon.records(self._name).items()
        for key, attributes in sorted((key, found) for key, found in records if not key[1].startswith("import#")):
            if self._records.get(key, ({},))[0] != attributes:
                # A copy: the emulator adds to its sets in place.
                self._records[key] = deepcopy(attributes), _read(key[1], attributes)
            found.setdefault(int(key[0].removeprefix("repo#")), []).append(self._records[key][1])
        return {number: _history(number, records) for number, records in found.items()}

    def contents(self) -> object:
        """See Backend."""
        return deepcopy(self._amazon.records(self._name))

    def exported(self) -> dict[str, bytes]:
        """See Backend."""
        self._amazon.disturbed = False
        found = self._s3.list_objects_v2(Bucket=self._name, Prefix="traffic/").get("Contents", ())
        for entry in found:
            if entry["Key"].endswith(".csv") and self._files.get(entry["Key"], ("",))[0] != entry["ETag"]:
                content = self._s3.get_object(Bucket=self._name, Key=entry["Key"])["Body"].read()
                self._files[entry["Key"]] = entry["ETag"], content
        return {key.removeprefix("traffic/"): content for key, (_, content) in self._files.items()}

    def remove(self, uri: str) -> None:
        """See Backend."""
        key = uri.removeprefix(f"s3://{self._name}/")
        self._s3.delete_object(Bucket=self._name, Key=key)
        self._files.pop(key, None)


def _history(number: int, records: list[Day | Snapshot | StarYear]) -> History:
    return History(
        number,
        None,
        tuple(record for record in records if isinstance(record, Day)),
        tuple(record for record in records if isinstance(record, Snapshot)),
        tuple(record for record in records if isinstance(record, StarYear)),
    )


def _read(key: str, values: dict[str, Any]) -> Day | Snapshot | StarYear:
    """Read a record of the table as the design describes it."""
    kind, _, day = key.partition("#")
    if kind == "stars":
        stars = sorted((date.fromisoformat(text), int(count)) for text, count in values["days"].items())
        return StarYear(int(day), values["repo"], read_moment(values["at"]), tuple(stars))
    if kind == "snapshot":
        listed = {name: values[name] for name in LISTED.values() if name in values}
        return read_snapshot(date.fromisoformat(day), values["repo"], values, listed)
    return Day(date.fromisoformat(day), values["repo"], **{name: values.get(name) for name in NUMBERS})


class FaultyWay:
    """The connection to a store or destination, on which each request waits for its turn."""

    def __init__(self, scheduler: Scheduler, clock: Clock, faults: Faults) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self.faults = faults

    def send(self, service: str, work: Callable[[], _T], error: Callable[[str], Exception]) -> _T:
        """Do `work` when it is the process's turn, or fail before or after it."""
        self._scheduler.request()
        self._clock.advance(0.005)
        fault = self.faults.next(service, PLACES)
        if fault == "failed":
            raise error(f"{service}: simulated: it failed before anything was done")
        if fault == "slow":
            self._clock.advance(30)
        done = work()
        if fault == "answer lost":
            raise error(f"{service}: simulated: it failed after everything was done")
        return done


class FaultyStore:
    """A store behind such a connection."""

    def __init__(self, store: Store, way: FaultyWay) -> None:
        self._store = store
        self._way = way

    @property
    def imports(self) -> Imports:
        """See Store."""
        return self._store.imports

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store."""
        return self._way.send("SQLite", lambda: self._store.load(repository_id, since), StoreError)

    def load_stars(self, repository_id: int) -> tuple[StarYear, ...]:
        """See Store."""
        return self._way.send("SQLite", lambda: self._store.load_stars(repository_id), StoreError)

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store."""
        return self._way.send("SQLite", lambda: self._store.save(repository_id, changes), StoreError)

    def scan(self) -> Iterator[History]:
        """See Store."""
        yield from self._store.scan()

    def close(self) -> None:
        """See Store."""
        self._store.close()


class FaultyDestination:
    """A destination behind such a connection."""

    def __init__(self, destination: Destination, way: FaultyWay) -> None:
        self._destination = destination
        self._way = way

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """See Destination."""
        return self._way.send("directory", lambda: self._destination.read(key, limit), DestinationError)

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination."""
        yield from self._destination.keys(prefix)

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        if self._way.faults.out(key):
            raise DestinationError(f"directory: simulated: {key} cannot be written")
        self._way.send("directory", lambda: self._destination.write(key, content, version), DestinationError)

    def uri(self, key: str) -> str:
        """See Destination."""
        return self._destination.uri(key)

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination."""
        return self._destination.manifests()

    def close(self) -> None:
        """See Destination."""
        self._destination.close()
