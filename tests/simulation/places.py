"""Stores and destinations with trouble on the way: the real ones, each call of which may fail, or fail to be heard."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypeVar

from ghtraffic_action.errors import DestinationError, StoreError
from ghtraffic_action.exports import Destination, File
from ghtraffic_action.stores import Saved, Store
from ghtraffic_action.traffic import Changes, History

from .faults import PLACES, Faults
from .turns import Clock, Turns

_T = TypeVar("_T")


class Way:
    """The way to a place: one request a turn."""

    def __init__(self, turns: Turns, clock: Clock, faults: Faults) -> None:
        self._turns = turns
        self._clock = clock
        self._faults = faults

    def send(self, service: str, work: Callable[[], _T], error: Callable[[str], Exception]) -> _T:
        """Do `work` in its turn, or fail before it, or after."""
        self._turns.request()
        self._clock.advance(0.005)
        fault = self._faults.next(service, PLACES)
        if fault == "failed":
            raise error(f"{service}: simulated: it failed before anything was done")
        if fault == "slow":
            self._clock.advance(30)
        done = work()
        if fault == "answer lost":
            raise error(f"{service}: simulated: it failed after everything was done")
        return done


class DistantStore:
    """A store at the end of a way."""

    def __init__(self, store: Store, way: Way) -> None:
        self._store = store
        self._way = way

    def load(self, repository_id: int, since: date | None = None) -> History:
        """See Store."""
        return self._way.send("SQLite", lambda: self._store.load(repository_id, since), StoreError)

    def save(self, repository_id: int, changes: Changes) -> Saved:
        """See Store."""
        return self._way.send("SQLite", lambda: self._store.save(repository_id, changes), StoreError)

    def scan(self) -> Iterator[History]:
        """See Store."""
        yield from self._store.scan()

    def close(self) -> None:
        """See Store."""
        self._store.close()


class DistantDestination:
    """A destination at the end of a way."""

    def __init__(self, destination: Destination, way: Way) -> None:
        self._destination = destination
        self._way = way

    def read(self, key: str) -> File | None:
        """See Destination."""
        return self._way.send("directory", lambda: self._destination.read(key), DestinationError)

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
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
