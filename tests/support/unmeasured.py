"""Turns coverage off where it takes as long as the test itself and finds no new lines."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PROGRAMS = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage measures programs that are started."""


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing in this thread, its new threads and the programs it starts, until the end of the block.

    A process of xdist has two coverages: if one is stopped, the other goes on. Neither traces in the block.
    """
    before = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    programs = os.environ.pop(PROGRAMS, None)
    try:
        yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])
        if programs is not None:
            os.environ[PROGRAMS] = programs


def leave_unmeasured() -> None:
    """Measure nothing more in a server's thread, which coverage slows down; other threads run the tested code."""
    if threading.current_thread() is not threading.main_thread():
        sys.settrace(None)
