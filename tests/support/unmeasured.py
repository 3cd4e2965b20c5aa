"""Runs without coverage, where it takes as long as the test itself and finds no new lines."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing in this thread, its new ones and the programs that it starts, until the end of the block.

    A process of xdist has two coverages: if one is stopped, the other goes on. Neither traces in the block.
    """
    before = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
            yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])
