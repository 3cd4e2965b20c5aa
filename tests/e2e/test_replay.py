"""The replay of a recording: the real run, once for each line, judged by the largest numbers ever reported."""

import gzip
import json
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks import recording
from benchmarks.replay import REPOSITORY_ID, main, replay
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import Changes, Day

START = date(2026, 10, 12)
RUNS = 40
SHORT = 12
CLONED = frozenset({3, 17, 33})
"""Days, counted from START, that have clones and no views."""


def true_views(number: int) -> tuple[int, int]:
    return 20 + number * 7 % 13, 5 + number % 4


def true_clones(number: int) -> tuple[int, int]:
    return 3 + number % 3, 2


def listed(today: int) -> Iterable[tuple[int, float]]:
    """List the days of a window and how much of each GitHub tells: the oldest is cut short, the newest still grows."""
    for number in range(max(0, today - 14), today + 1):
        share = {14: 0.4, 1: 0.9, 0: 0.25}.get(today - number, 1.0)
        yield number, share


def line(today: int) -> dict[str, Any]:
    """Write one line: the answers of one run."""
    written: dict[str, Any] = {
        "repo": "octo-lab/lighthouse",
        "taken_at": f"{START + timedelta(days=today)}T05:00:00Z",
        "views": [],
        "clones": [],
        "paths": [["/octo-lab/lighthouse", 20 + today, 5]],
        "referrers": [["Google", 3, 1 + today % 2]],
    }
    for number, share in listed(today):
        for metric, true in (("views", true_views), ("clones", true_clones)):
            count, uniques = true(number)
            if metric == "clones" if number in CLONED else metric == "views" or number % 2:
                told = [str(START + timedelta(days=number)), max(1, int(count * share)), max(1, int(uniques * share))]
                written[metric].append(told)
    return written


def write(path: Path, runs: int) -> Path:
    """Write a recording of so many runs, a day apart; in two of them GitHub says less than it did."""
    lines = [line(today) for today in range(runs)]
    lines[7]["views"] = lines[7]["views"][:3]
    del lines[8]["paths"], lines[8]["referrers"]
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return path


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A recording of twelve runs."""
    return write(tmp_path / "recording.jsonl.gz", SHORT)


def truth(runs: int) -> recording.Kept:
    """Tell what a recording says at most; of its last two days the newest answers say all that is known."""
    kept: recording.Kept = {}
    for number in range(runs):
        share = {runs - 1: 0.25, runs - 2: 0.9}.get(number, 1.0)
        day = START + timedelta(days=number)
        (views, visitors), (clones, cloners) = true_views(number), true_clones(number)
        if number not in CLONED:
            kept["views", day] = (max(1, int(views * share)), max(1, int(visitors * share)))
        if number in CLONED or number % 2:
            kept["clones", day] = (max(1, int(clones * share)), max(1, int(cloners * share)))
    return kept


def test_every_day_ends_at_the_largest_ever_reported(tmp_path: Path, places: dict[str, str]) -> None:
    """After a replay the store and the exported files hold the largest count and uniques of every metric and day."""
    lines = recording.read(write(tmp_path / "recording.jsonl.gz", RUNS))
    replayed = replay(lines, places["store"], places["export_to"])
    assert replayed.stored == truth(RUNS)
    assert replayed.exported == truth(RUNS)
    assert replayed.differences(recording.largest(lines)) == []


def test_each_line_is_one_run(short: Path) -> None:
    """A replay runs once for each line, so that the days which each run wrote are those that its line raised."""
    replayed = replay(recording.read(short), "sqlite:traffic.db", "export")
    assert len(replayed.written) == SHORT
    assert replayed.written[0] == 1  # START itself
    assert replayed.written[9] == 3  # today is new, yesterday and the day before rise
    assert sum(replayed.written[:3]) == 1 + 2 + 3


def test_every_run_is_observed_at_the_moment_of_its_line(short: Path) -> None:
    """The stand-in's Date is the moment at which the line was taken, to the second."""
    replay(recording.read(short), "sqlite:traffic.db", "export")
    with closing(open_store("sqlite:traffic.db", create=False)) as store:
        snapshots = store.load(REPOSITORY_ID).snapshots
    moments = [snapshot.views.at for snapshot in snapshots if snapshot.views]
    first = datetime.combine(START, datetime.min.time(), UTC) + timedelta(hours=5)
    assert moments == [first + timedelta(days=number) for number in range(SHORT)]


def test_runs_leave_no_thread_behind(short: Path) -> None:
    """Runs in one process, as a warm Lambda has them, end all threads that they began, none of which lingers."""
    before = set(threading.enumerate())
    replay(recording.read(short)[:9], "sqlite:traffic.db", "export")
    until = time.monotonic() + 3
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=max(0, until - time.monotonic()))
    assert set(threading.enumerate()) <= before


def test_a_number_that_nobody_reported_is_a_difference(short: Path) -> None:
    """A day that holds more than was ever reported is told, in the store and in the files, and nothing else is."""
    day = START + timedelta(days=5)
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        store.save(REPOSITORY_ID, Changes((Day(day, "octo-lab/lighthouse", views=999, view_uniques=9),)))
    lines = recording.read(short)
    truth = recording.largest(lines)["views", day]
    replayed = replay(lines, "sqlite:traffic.db", "export")
    found = [f"views of {day}: (999, 9) {where}, {truth} reported" for where in ("stored", "exported")]
    assert replayed.differences(recording.largest(lines)) == found


def test_the_command_prints_the_totals_and_what_other_rules_lose(
    short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m benchmarks.replay` ends with 0 where nothing differs, and prints totals, differences and losses."""
    assert main([str(short), "--store", "local"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    views = [numbers for (metric, _), numbers in truth(SHORT).items() if metric == "views"]
    total, uniques = (sum(numbers) for numbers in zip(*views, strict=True))
    assert f"views stored │ {total} │ {len(views)} │ {uniques}" in printed
    assert f"views exported │ {total} │ {len(views)} │ {uniques}" in printed
    assert "0 differences; 12 runs" in printed
    assert "the largest (ours) │ 0.0%" in printed


def test_insert_once_loses_what_a_day_gains_after_it_was_first_seen() -> None:
    """By *insert once* a day keeps the number first reported of it."""
    kept = recording.first(answers([{1: (4, 2)}, {1: (10, 5), 2: (6, 6)}]))
    assert kept == {("views", day(1)): (4, 2), ("views", day(2)): (6, 6)}
    assert recording.lost(kept, {("views", day(1)): (10, 5), ("views", day(2)): (6, 6)}, "views") == (6 / 16, 3 / 11)


def test_the_last_answer_loses_what_the_edge_of_the_window_cuts_off() -> None:
    """By *the last answer wins* a day keeps the number last reported of it, also a smaller one."""
    lines = answers([{1: (10, 5)}, {1: (3, 6), 2: (8, 4)}])
    assert recording.last(lines) == {("views", day(1)): (3, 6), ("views", day(2)): (8, 4)}


def test_the_largest_is_taken_of_count_and_uniques_apart() -> None:
    """The truth of a day is the largest count and the largest uniques, wherever each was reported."""
    lines = answers([{1: (10, 5)}, {1: (3, 6)}])
    assert recording.largest(lines) == {("views", day(1)): (10, 6)}


def test_the_article_drops_clones_of_days_without_views() -> None:
    """The article keeps the clones that the first answer with views for a day had, and none of other days."""
    lines = answers([{1: (10, 5)}, {1: (12, 6)}], clones=[{2: (3, 1)}, {1: (7, 2), 2: (4, 2)}])
    assert recording.article(lines) == {("views", day(1)): (10, 5), ("clones", day(1)): (0, 0)}


def test_nothing_is_lost_of_nothing() -> None:
    """Where a metric was never reported, no part of it was lost."""
    assert recording.lost({}, {}, "clones") == (0.0, 0.0)


def day(number: int) -> date:
    return START + timedelta(days=number)


def answers(
    views: list[dict[int, tuple[int, int]]], clones: list[dict[int, tuple[int, int]]] | None = None
) -> list[recording.Line]:
    """Make lines of numbers by day, counted from START."""
    return [
        recording.Line(
            repository="octo-lab/lighthouse",
            taken_at=datetime(2026, 11, 1 + index, tzinfo=UTC),
            numbers={
                "views": {day(number): told for number, told in views[index].items()},
                "clones": {day(number): told for number, told in (clones[index] if clones else {}).items()},
            },
            paths=(),
            referrers=(),
        )
        for index in range(len(views))
    ]
