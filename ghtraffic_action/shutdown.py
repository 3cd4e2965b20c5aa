"""Orderly shutdown on SIGINT or SIGTERM, with a time limit."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from ghtraffic_action.errors import Interrupted

log = logging.getLogger("ghtraffic_action")

_GRACE = 4.0
"""Seconds for the write under way and the export; a runner that cancels a job waits for ten, and then kills."""


def run_until_signal(work: Callable[[Event], int]) -> int:
    """Run stoppable work. Return its exit code, or 130 (SIGINT) and 143 (SIGTERM).

    The first signal sets the stop event. A second one, or the end of the grace period, ends the process immediately.
    """
    stop, stopped_by = Event(), list[int]()
    with _watch(stop, stopped_by):
        try:
            exit_code = work(stop)
        except Interrupted:
            log.warning("stopped before anything was done")
            exit_code = 1
    return 128 + stopped_by[0] if stopped_by else exit_code


@contextmanager
def _watch(stop: Event, stopped_by: list[int]) -> Iterator[None]:
    """Set `stop` on a signal, by a pipe.

    The handler must not set the event itself: the code it interrupts can hold the event's lock.
    """
    ended, (reader, writer) = Event(), os.pipe()

    def on_signal(number: int, _: object) -> None:
        stopped_by.append(number)
        signal.signal(number, signal.SIG_DFL)
        os.write(writer, b"!")

    def wait() -> None:
        if os.read(reader, 1):
            stop.set()
            if not ended.wait(_GRACE):
                _leave(128 + stopped_by[0])

    waiter = Thread(target=wait, daemon=True)
    waiter.start()
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writer)
        waiter.join()
        os.close(reader)


def _leave(exit_code: int) -> None:
    log.error("stopped without waiting for a service that did not answer for %g s; nothing is lost: run again", _GRACE)
    os._exit(exit_code)
