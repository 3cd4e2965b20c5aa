"""The replay of a recording: one run per line, judged by the largest numbers ever reported."""

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

from benchmarks import judgement, recording
from benchmarks.replay import CADENCES, REPOSITORY_ID, at_cadence, main, replay
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import METRICS, Changes, Day
from tests.simulation.expected import Expected, ExpectedDay

pytestmark = pytest.mark.usefixtures("unmeasured")

RECORDINGS = Path(__file__).parent / "recordings"
START = date(2026, 10, 12)
RUNS = 40
RUNS_ON_AWS = 24
"""Into the next month, and past the window of the first days; each takes the emulator half a second."""

SHORT = 12
CLONED = frozenset({3, 17, 33})
"""Days, counted from START, that have clones and no views."""


def true_views(number: int) -> tuple[int, int]:
    return 20 + number * 7 % 13, 5 + number % 4


def true_clones(number: int) -> tuple[int, int]:
    return 3 + number % 3, 2


def listed(today: int) -> Iterable[tuple[int, float]]:
    """Return the days of an old-form answer: the oldest is cut short, the newest still grows."""
    for number in range(max(0, today - 14), today + 1):
        share = {14: 0.4, 1: 0.9, 0: 0.25}.get(today - number, 1.0)
        yield number, share


def line(today: int) -> dict[str, Any]:
    """Return a line of a recording: the answers to one run."""
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
                reported = [
                    str(START + timedelta(days=number)),
                    max(1, int(count * share)),
                    max(1, int(uniques * share)),
                ]
                written[metric].append(reported)
    return written


def write(path: Path, runs: int) -> Path:
    """Write a recording of daily runs, including two with smaller numbers than before."""
    lines = [line(today) for today in range(runs)]
    lines[7]["views"] = lines[7]["views"][:3]
    del lines[8]["paths"], lines[8]["referrers"]
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return path


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """Return a recording of twelve runs."""
    return write(tmp_path / "recording.jsonl.gz", SHORT)


def truth(runs: int) -> recording.Kept:
    """Return the largest numbers of a recording."""
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


def test_every_day_ends_at_the_largest_ever_reported(tmp_path: Path, backends: dict[str, str]) -> None:
    """After a replay the store holds the largest count and uniques of every day, and no export showed anything else."""
    runs = RUNS if backends["store"].startswith("sqlite:") else RUNS_ON_AWS
    lines = recording.read(write(tmp_path / "recording.jsonl.gz", runs))
    replayed = replay(lines, backends["store"], backends["export_to"])
    assert replayed.stored == truth(runs)
    assert all(replayed.is_exact(metric) for metric in METRICS)
    assert replayed.faults.total() == 0


@pytest.mark.parametrize("name", ["change-of-form", "late-batches", "placeholder"])
def test_recorded_answers_of_github_are_exported_as_they_bear_out(name: str, tmp_path: Path) -> None:
    """At any interval between runs, each export has exactly what the answers so far contain.

    The answers cross the change of GitHub's form in December 2025, batches that came late, and a placeholder.
    """
    lines = recording.read(RECORDINGS / f"{name}.jsonl")
    for cadence in CADENCES:
        folder = tmp_path / f"{cadence}"
        folder.mkdir()
        heard = at_cadence(lines, cadence)
        replayed = replay(heard, f"sqlite:{folder}/traffic.db", f"{folder}/export", recording.largest(lines))
        assert len(replayed.written) == len(heard)
        assert {fault: times for fault, times in replayed.faults.items() if times} == {}
        assert all(replayed.is_exact(metric) for metric in METRICS)


def test_each_line_is_one_run(short: Path) -> None:
    """Each run stores the days that its line raised."""
    replayed = replay(recording.read(short), "sqlite:traffic.db", "export")
    assert len(replayed.written) == SHORT
    assert replayed.written[0] == 1  # START itself
    assert replayed.written[9] == 3  # today is new, yesterday and the day before rise
    assert sum(replayed.written[:3]) == 1 + 2 + 3


def test_every_run_is_observed_at_the_moment_of_its_line(short: Path) -> None:
    """The fake's Date is the moment of the line, to the second."""
    replay(recording.read(short), "sqlite:traffic.db", "export")
    with closing(open_store("sqlite:traffic.db", create=False)) as store:
        snapshots = store.load(REPOSITORY_ID).snapshots
    moments = [snapshot.views.at for snapshot in snapshots if snapshot.views]
    first = datetime.combine(START, datetime.min.time(), UTC) + timedelta(hours=5)
    assert moments == [first + timedelta(days=number) for number in range(SHORT)]


def test_runs_leave_no_thread_behind(short: Path) -> None:
    """Repeated runs in one process, as in a warm Lambda, end all their threads."""
    before = set(threading.enumerate())
    replay(recording.read(short)[:9], "sqlite:traffic.db", "export")
    until = time.monotonic() + 3
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=max(0, until - time.monotonic()))
    assert set(threading.enumerate()) <= before


def test_a_number_that_nobody_reported_is_a_fault(short: Path) -> None:
    """A number above the reported ones is counted as a fault in every export and in the store."""
    day = START + timedelta(days=5)
    lines = recording.read(short)
    with closing(open_store("sqlite:traffic.db", create=True)) as store:
        store.save(REPOSITORY_ID, Changes((Day(day, "octo-lab/lighthouse", views=999, view_uniques=9),)))
    replayed = replay(lines, "sqlite:traffic.db", "export")
    assert replayed.faults[judgement.OTHER] >= len(lines)
    assert not replayed.is_exact("views")
    assert replayed.is_exact("clones")


@pytest.mark.parametrize(
    ("column", "old", "new", "fault"),
    [
        ("state", "complete", "partial", judgement.NOT_COMPLETE),
        ("state", "lost", "provisional", judgement.NOT_LOST),
        ("views", "", "0", judgement.OTHER),
        ("views", "2", "1", judgement.NOT_FINAL),
        ("lost_days", "1", "2", judgement.LOST_DAYS),
        ("first_day", f"{START}", f"{START + timedelta(days=1)}", judgement.OTHER),
    ],
)
def test_each_fault_of_an_export_is_counted(column: str, old: str, new: str, fault: str) -> None:
    """Each wrong cell is counted as a fault of its kind."""
    daily, catalogue = "v1/daily/month=2026-10/daily.csv", "v1/latest/repositories.csv"
    files = {
        daily: "day,views,view_uniques,clones,clone_uniques,state\n2026-10-12,2,1,0,0,complete\n2026-10-13,,,,,lost\n",
        catalogue: "first_day,lost_days,observed\n2026-10-12,1,2026-11-20\n",
    }
    complete = ExpectedDay("complete", 2, 1, 0, 0, listed=frozenset({"views", "clones"}))
    lost = ExpectedDay("lost", None, None, None, None)
    judged = Expected({START: complete, START + timedelta(days=1): lost}, START, date(2026, 11, 20))
    final: recording.Kept = {("views", START): (2, 1)}
    assert judgement.faults_of({key: text.encode() for key, text in files.items()}, judged, final).total() == 0
    for key, text in files.items():
        header, *lines = text.splitlines()
        at = header.split(",").index(column) if column in header.split(",") else None
        changed = [
            ",".join(new if place == at and cell == old else cell for place, cell in enumerate(line.split(",")))
            for line in lines
        ]
        files[key] = "\n".join([header, *changed]) + "\n"
    assert fault in judgement.faults_of({key: text.encode() for key, text in files.items()}, judged, final)


def test_runs_at_a_cadence_lie_that_many_days_apart(short: Path) -> None:
    """With an interval of one day each line is a run, with five days every fifth."""
    lines = recording.read(short)
    assert at_cadence(lines, 1) == lines
    assert at_cadence(lines, 5) == [lines[0], lines[5], lines[10]]


def test_the_command_prints_the_faults_and_what_other_rules_lose(
    short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m benchmarks.replay` prints a line per interval and exits with 0 without faults."""
    assert main([str(short), "--cadence", "1", "7"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "│ 1 │ 12 │ 0 │ 0 │ 0 │ 0 │ 0 │ 0 │ 0 │ exact │ exact │" in printed
    assert "│ 7 │ 2 │ 0 │ 0 │ 0 │ 0 │ 0 │ 0 │ 0 │ exact │ exact │" in printed
    assert "0 faults" in printed
    assert "the largest (ours) │ 0.0%" in printed


def test_insert_once_loses_what_a_day_gains_after_it_was_first_seen() -> None:
    """*Insert once* keeps the number first reported for a day."""
    kept = recording.first(answers([{1: (4, 2)}, {1: (10, 5), 2: (6, 6)}]))
    assert kept == {("views", day(1)): (4, 2), ("views", day(2)): (6, 6)}
    assert recording.lost(kept, {("views", day(1)): (10, 5), ("views", day(2)): (6, 6)}, "views") == (6 / 16, 3 / 11)


def test_the_last_answer_loses_what_the_edge_of_the_window_cuts_off() -> None:
    """*The last answer wins* keeps the number last reported for a day, even a smaller one."""
    lines = answers([{1: (10, 5)}, {1: (3, 6), 2: (8, 4)}])
    assert recording.last(lines) == {("views", day(1)): (3, 6), ("views", day(2)): (8, 4)}


def test_the_largest_is_taken_of_count_and_uniques_apart() -> None:
    """The truth is a day's largest count and its largest uniques, from any two answers."""
    lines = answers([{1: (10, 5)}, {1: (3, 6)}])
    assert recording.largest(lines) == {("views", day(1)): (10, 6)}


def test_the_article_drops_clones_of_days_without_views() -> None:
    """The article's rule keeps the clones of the first answer with views for the day."""
    lines = answers([{1: (10, 5)}, {1: (12, 6)}], clones=[{2: (3, 1)}, {1: (7, 2), 2: (4, 2)}])
    assert recording.article(lines) == {("views", day(1)): (10, 5), ("clones", day(1)): (0, 0)}


def test_nothing_is_lost_of_nothing() -> None:
    """A metric that was never reported has no losses."""
    assert recording.lost({}, {}, "clones") == (0.0, 0.0)


def day(number: int) -> date:
    return START + timedelta(days=number)


def answers(
    views: list[dict[int, tuple[int, int]]], clones: list[dict[int, tuple[int, int]]] | None = None
) -> list[recording.Line]:
    """Return lines of numbers by day, from START on."""
    return [
        recording.Line(
            repository="octo-lab/lighthouse",
            taken_at=datetime(2026, 11, 1 + index, tzinfo=UTC),
            numbers={
                "views": {day(number): reported for number, reported in views[index].items()},
                "clones": {day(number): reported for number, reported in (clones[index] if clones else {}).items()},
            },
            paths=(),
            referrers=(),
        )
        for index in range(len(views))
    ]
