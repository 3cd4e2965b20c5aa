"""Rows that are kept on disk until they are written."""

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.layout import (
    LATEST_PATHS,
    REPOSITORIES,
    month_key,
)
from ghtraffic_action.exports.parts import Part
from ghtraffic_action.exports.spool import Spool
from tests.support.exports import DAILY


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as spool:
        yield spool


def part(text: str, since: str = "") -> Part:
    return Part(text.encode(), since)


def test_parts_come_back_by_repository(spool: Spool) -> None:
    """The parts of a file are returned for all repositories, with any content."""
    for repository_id in (10, 9):
        spool.add(repository_id, {LATEST_PATHS: part("ünï\r\n", "2026-11-01"), REPOSITORIES: part("")})
    assert spool.keys() == {LATEST_PATHS, REPOSITORIES}
    assert spool.parts(LATEST_PATHS) == dict.fromkeys((9, 10), part("ünï\r\n", "2026-11-01"))
    assert spool.parts(REPOSITORIES) == dict.fromkeys((9, 10), part(""))
    assert spool.parts("missing") == {}


def test_later_parts_take_the_place_of_earlier_ones(spool: Spool) -> None:
    """A repository that is rendered again replaces its own rows alone."""
    spool.add(7, {LATEST_PATHS: part("one")})
    spool.add(8, {LATEST_PATHS: part("other")})
    spool.add(7, {LATEST_PATHS: part("two")})
    assert spool.parts(LATEST_PATHS) == {7: part("two"), 8: part("other")}


def test_only_the_wanted_part_is_kept() -> None:
    """A rebuild of one month keeps only that month's rows."""
    with closing(Spool("/month=2026-11/")) as spool:
        spool.add(7, {month_key("daily", month): part("1") for month in ("2026-10", "2026-11")})
        assert spool.keys() == {DAILY}


@pytest.mark.e2e
def test_threads_add_and_read_at_once(spool: Spool) -> None:
    """Many threads add repositories while others read: nothing is lost or mixed up."""

    def work(repository_id: int) -> None:
        spool.add(repository_id, {LATEST_PATHS: part(f"{repository_id}" * 50), REPOSITORIES: part(f"{repository_id}")})
        assert spool.parts(LATEST_PATHS)[repository_id] == part(f"{repository_id}" * 50)

    with ThreadPoolExecutor(16) as executor:
        list(executor.map(work, range(300)))
    assert spool.parts(REPOSITORIES) == {i: part(f"{i}") for i in range(300)}


def test_no_room_for_temporary_files_is_named(spool: Spool) -> None:
    """What does not fit in memory is written to disk; if that is full, the error has the remedy."""
    rows = {LATEST_PATHS: part("x" * 10_000_000)}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # stands for a full disk
    try:
        with pytest.raises(DestinationError, match=r"^temporary files: .*: free space in the folder for temporary fil"):
            spool.add(7, rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
