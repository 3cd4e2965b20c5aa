"""A scheduler: several runs take turns in virtual time, request by request, in a drawn order."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from threading import Event, Semaphore, Thread
from typing import Any, Generic, TypeVar

from ghtraffic_action.runtime import Runtime

_T = TypeVar("_T")
_LONG = 120.0
"""Seconds of real time after which a run that asks for nothing has hung."""


class Killed(BaseException):
    """The process was killed: its later requests fail."""


class Clock:
    """The simulated moment, in UTC."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._begin = now

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        """Count the seconds since the simulation began."""
        return (self.now - self._begin).total_seconds()


@dataclass(eq=False)
class Process(Generic[_T]):
    """A run in progress: when it is killed or asked to stop, as a number of requests, and its result."""

    work: Callable[["Process[_T]"], _T]
    kill_at: int | None = None
    stop_at: int | None = None
    stop: Event = field(default_factory=Event)
    requests: int = 0
    wakes: datetime | None = None
    ended: bool = False
    killed: bool = False
    result: _T | None = None
    error: BaseException | None = None
    turn: Semaphore = field(default_factory=lambda: Semaphore(0))

    def count(self) -> None:
        """Count a request that is about to be sent."""
        self.requests += 1
        if self.stop_at is not None and self.requests > self.stop_at:
            self.stop.set()
        if self.kill_at is not None and self.requests > self.kill_at:
            raise Killed

    def execute(self) -> None:
        """Execute the run to its end."""
        try:
            self.result = self.work(self)
        except Killed:
            self.killed = True
        except Exception as error:  # noqa: BLE001 - whoever started it judges
            self.error = error
        self.ended = True


class Scheduler:
    """Lets one process at a time continue, until its next request."""

    def __init__(self, draw: Random, clock: Clock) -> None:
        self._draw = draw
        self._clock = clock
        self._running: Sequence[Process[Any]] = ()
        self._back = Semaphore(0)
        self._local = threading.local()

    @property
    def process(self) -> Process[Any]:
        """The process whose turn it is."""
        current: Process[Any] = self._local.process
        return current

    def run(self, processes: Sequence[Process[Any]]) -> None:
        """Run all processes to their ends."""
        self._running = processes
        threads = [Thread(target=self._serve, args=(process,), daemon=True) for process in processes]
        for thread in threads:
            thread.start()
        while awake := self._awake():
            process = awake[0] if len(awake) == 1 else self._draw.choice(awake)
            process.wakes = None
            process.turn.release()
            if not self._back.acquire(timeout=_LONG):
                raise TimeoutError("a run has hung")
        for thread in threads:
            thread.join()

    def request(self) -> None:
        """Wait until the process may send a request."""
        process = self.process
        if sum(not other.ended for other in self._running) > 1:
            self._yield(process)
        process.count()

    def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        process = self.process
        process.wakes = self._clock.now + timedelta(seconds=seconds)
        self._yield(process)

    def _serve(self, process: Process[Any]) -> None:
        self._local.process = process
        process.turn.acquire()
        process.execute()
        self._back.release()

    def _yield(self, process: Process[Any]) -> None:
        self._back.release()
        process.turn.acquire()

    def _awake(self) -> list[Process[Any]]:
        """List the processes that can continue; if all sleep, advance the clock until one wakes."""
        alive = [process for process in self._running if not process.ended]
        if not alive:
            return []
        awake = [process for process in alive if process.wakes is None or process.wakes <= self._clock.now]
        if not awake:
            self._clock.now = min(process.wakes for process in alive if process.wakes is not None)
            return self._awake()
        return awake


class Stop(Event):
    """A process's stop event, whose waits take virtual time."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler

    def wait(self, timeout: float | None = None) -> bool:
        """See Event."""
        if not self.is_set() and timeout:
            self._scheduler.sleep(timeout)
        return self.is_set()


class Inline(Executor):
    """Runs the tasks of a thread pool one at a time, in a drawn order."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:  # noqa: ANN401 - see Executor
        """See Executor."""
        future = Future[_T]()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is the future's
            future.set_exception(error)
        return future

    def map(self, fn: Callable[..., _T], *iterables: Any, **_: Any) -> Any:  # noqa: ANN401 - see Executor
        """See Executor."""
        calls = list(zip(*iterables, strict=True))
        done: dict[int, Future[_T]] = {}
        for place in self._draw.sample(range(len(calls)), len(calls)):
            done[place] = self.submit(fn, *calls[place])
        return (done[place].result() for place in range(len(calls)))


def machine(clock: Clock, draw: Random, stop: Event, skew: timedelta) -> Runtime:
    """Return the runtime of one process, whose clock is wrong by `skew`."""
    return Runtime(stop, lambda: clock.now + skew, clock.monotonic, lambda *_: Inline(draw))
