"""Runs without coverage, where it takes as long as the test itself and finds no new lines."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from coverage import Coverage


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing in this process and in the programs that it starts, until the end of the block."""
    coverage = Coverage.current()
    if coverage:
        coverage.stop()
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
            yield
    finally:
        if coverage:
            coverage.start()
