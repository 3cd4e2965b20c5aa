"""How a process ends that is asked to: in good order, or, where something does not answer, soon all the same."""

import logging
import os
import signal
from collections.abc import Callable
from threading import Event, Timer

from ghtraffic_action.errors import Interrupted

log = logging.getLogger("ghtraffic_action")

_GRACE = 4.0
"""Seconds for the write under way and the export; a runner that cancels a job waits for ten, and then kills."""


def run_until_signal(work: Callable[[Event], int]) -> int:
    """Do work that may be stopped, and return its exit code, or 130 and 143 for SIGINT and SIGTERM.

    The first signal becomes a wish to stop. A second one of the kind ends the process at once, and so does the end of
    the grace.
    """
    stop, stopped_by = Event(), list[int]()
    graces: list[Timer] = []

    def on_signal(number: int, _: object) -> None:
        stopped_by.append(number)
        stop.set()
        signal.signal(number, signal.SIG_DFL)
        grace = Timer(_GRACE, _leave, (128 + number,))
        grace.daemon = True
        grace.start()
        graces.append(grace)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        exit_code = work(stop)
    except Interrupted:
        log.warning("stopped before the end, with nothing done")
        exit_code = 1
    finally:
        for grace in graces:
            grace.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + stopped_by[0] if stopped_by else exit_code


def _leave(exit_code: int) -> None:
    log.error("stopped: something did not answer for %g s and was left, which loses nothing: run again", _GRACE)
    os._exit(exit_code)
