"""The rows that wait on disk until they are written."""

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.layout import LATEST_PATHS, REPOSITORIES
from ghtraffic_action.exports.spool import Spool


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as spool:
        yield spool


def test_rows_come_back_by_repository(spool: Spool) -> None:
    """A file's rows are those of all repositories in the order of their ids, whatever is in a cell."""
    rows = (("ünï", 'say "hi", all'), ("", "'=1"))
    for repository_id in (10, 9):
        spool.add(repository_id, {LATEST_PATHS: rows, REPOSITORIES: ()})
    assert spool.keys() == {LATEST_PATHS, REPOSITORIES}
    assert list(spool.rows(LATEST_PATHS).items()) == [(9, rows), (10, rows)]
    assert spool.rows(REPOSITORIES) == {9: (), 10: ()}
    assert spool.rows("missing") == {}


def test_later_rows_take_the_place_of_earlier_ones(spool: Spool) -> None:
    """A repository that is rendered again replaces its own rows alone."""
    spool.add(7, {LATEST_PATHS: (("/a", "1"), ("/b", "1"))})
    spool.add(8, {LATEST_PATHS: (("/c", "1"),)})
    spool.add(7, {LATEST_PATHS: (("/a", "2"),)})
    assert spool.rows(LATEST_PATHS) == {7: (("/a", "2"),), 8: (("/c", "1"),)}


def test_only_the_wanted_part_is_kept() -> None:
    """A rebuild of one month keeps no other's rows."""
    with closing(Spool("/month=2026-11/")) as spool:
        spool.add(7, {"v1/daily/month=2026-11/daily.csv": (("1",),), "v1/daily/month=2026-10/daily.csv": (("1",),)})
        assert spool.keys() == {"v1/daily/month=2026-11/daily.csv"}


def test_threads_add_and_read_at_once(spool: Spool) -> None:
    """Many threads add repositories while others read: nothing is lost or mixed up."""

    def work(repository_id: int) -> None:
        spool.add(repository_id, {LATEST_PATHS: ((str(repository_id),),) * 50, REPOSITORIES: ((str(repository_id),),)})
        assert spool.rows(LATEST_PATHS)[repository_id] == ((str(repository_id),),) * 50

    with ThreadPoolExecutor(16) as executor:
        list(executor.map(work, range(300)))
    assert {i: rows[0] for i, rows in spool.rows(REPOSITORIES).items()} == {i: (str(i),) for i in range(300)}


def test_no_room_for_temporary_files_is_named(spool: Spool) -> None:
    """What does not fit in memory is written to disk; if that is full, the error has the remedy."""
    rows = {LATEST_PATHS: (("x" * 1000,),) * 10_000}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # stands for a full disk
    try:
        with pytest.raises(DestinationError, match=r"^temporary files: .*: make room in the folder for temporary fil"):
            spool.add(7, rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
