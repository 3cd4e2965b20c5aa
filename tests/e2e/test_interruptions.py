"""Signals and crashes during a run, and the run after it."""

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.aws import Aws
from tests.support.builders import repository
from tests.support.csvfiles import all_daily, exported, numbers_of, stored, whole
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.fault_proxy import FaultProxy, HeldRequests, one_by_one
from tests.support.programs import HERE, ended, until

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


@pytest.mark.usefixtures("unmeasured")
@SIGNALS
def test_run_stopped_between_two_repositories_keeps_whole_ones(
    github: FakeGitHub, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    """Each repository is stored and exported completely or not at all; the next run collects the others."""
    names = [f"octo-lab/boat-{at:02}" for at in range(1, 61)]
    github.repositories = [repository(name, id=at) for at, name in enumerate(names, 1)]
    github.delay = 0.1
    process = program("--json", repositories=" ".join(names))
    until(lambda: len(github.requests) > 100)
    process.send_signal(number)
    done = ended(process, tmp_path)
    assert done.code == 128 + number
    histories = stored(HERE["store"])
    assert 0 < len(histories) < 60
    assert all(whole(history) for history in histories.values())
    report = json.loads(done.out)
    assert report["interrupted"]
    assert {found["id"] for found in report["repositories"]} == set(histories)
    assert {int(row["repository_id"]) for row in all_daily(exported("export"))} == set(histories)
    github.delay = 0
    assert ended(program(repositories=" ".join(names)), tmp_path).code == 0
    assert {i for i, history in stored(HERE["store"]).items() if whole(history)} == set(range(1, 61))
    assert len(all_daily(exported("export"))) == 60 * 15


@SIGNALS
def test_run_stopped_before_any_answer_leaves_nothing(
    github: FakeGitHub, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    """A run stopped while it waits for GitHub ends at once; nothing is stored or exported."""
    github.delay = 90  # longer than `ended` waits
    process = program()
    until(lambda: github.requests)
    process.send_signal(number)
    done = ended(process, tmp_path)
    assert done.code == 128 + number
    assert stored(HERE["store"]) == {}
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize(
    ("number", "at"),
    [(signal.SIGINT, 4), (signal.SIGTERM, 4), (signal.SIGINT, 16), (signal.SIGTERM, 16)],
    ids=["SIGINT at a day", "SIGTERM at a day", "SIGINT at the snapshot", "SIGTERM at the snapshot"],
)
def test_run_stopped_in_the_middle_of_a_write_finishes_it(
    request: pytest.FixtureRequest, proxy: FaultProxy, tmp_path: Path, number: signal.Signals, at: int
) -> None:
    """A write to the table that has begun is completed and exported before the run ends."""
    aws: Aws = request.getfixturevalue("aws")
    program: Callable[..., subprocess.Popen[str]] = request.getfixturevalue("program")
    held = HeldRequests("UpdateItem", at)
    proxy.fault = one_by_one(held)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.send_signal(number)
    time.sleep(0.2)
    assert process.poll() is None
    held.released.set()
    assert ended(process, tmp_path).code == 128 + number
    assert whole(stored(aws.store)[7])
    assert len(all_daily(exported(aws.export_to))) == 15
    assert "v1/latest/repositories.csv" in exported(aws.export_to)


@SIGNALS
def test_run_stopped_while_the_file_is_locked_finishes_its_write(
    github: FakeGitHub, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    """A write that waits for another program is completed and exported after the lock is released."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path="/graphql", times=1)
    process = program()
    until(lambda: github.requests)
    with closing(sqlite3.connect(tmp_path / "traffic.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        until(lambda: len(github.requests) == 7)
        time.sleep(0.3)
        process.send_signal(number)
        time.sleep(0.2)
        assert process.poll() is None
        other.execute("ROLLBACK")
    assert ended(process, tmp_path).code == 128 + number
    assert whole(stored(HERE["store"])[7])
    assert len(all_daily(exported("export"))) == 15


@pytest.mark.parametrize("operation", ["TransactWriteItems", "PUT"])
def test_stopped_while_nothing_answers_it_ends_soon(
    request: pytest.FixtureRequest, proxy: FaultProxy, tmp_path: Path, operation: str
) -> None:
    """If a table or a bucket hangs, the process ends without its response, and the next run loses nothing."""
    aws: Aws = request.getfixturevalue("aws")
    program: Callable[..., subprocess.Popen[str]] = request.getfixturevalue("program")
    proxy.fault = held = HeldRequests(operation, 1)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.send_signal(signal.SIGTERM)
    done = ended(process, tmp_path)
    assert done.code == 128 + signal.SIGTERM
    assert "a service that did not answer for 4 s" in done.err
    held.released.set()
    proxy.fault = lambda _: None
    assert ended(program(store=aws.store, export_to=aws.export_to), tmp_path).code == 0
    assert whole(stored(aws.store)[7])
    assert len(all_daily(exported(aws.export_to))) == 15


@pytest.mark.usefixtures("unmeasured")
def test_second_signal_ends_it_at_once(
    aws: Aws, proxy: FaultProxy, program: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A second signal of the same kind ends the process at once, even during a write."""
    proxy.fault = held = HeldRequests("TransactWriteItems", 1)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert process.poll() is None

    def ends_after_another_signal() -> bool:
        process.send_signal(signal.SIGTERM)
        return process.poll() is not None

    until(ends_after_another_signal)
    assert ended(process, tmp_path).code == -signal.SIGTERM
    held.released.set()


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "crash", [("UpdateItem", 5), ("UpdateItem", 16), ("PUT", 1)], ids=["days", "snapshot", "export"]
)
def test_crash_in_the_middle_loses_nothing(
    aws: Aws, proxy: FaultProxy, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, crash: tuple[str, int]
) -> None:
    """After a kill at any request no day has coverage without numbers; the next run restores the rest."""
    operation, at = crash
    held = HeldRequests(operation, at)
    proxy.fault = one_by_one(held)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.kill()
    assert ended(process, tmp_path).code == -signal.SIGKILL
    proxy.fault = lambda _: None
    if operation == "UpdateItem":
        assert all(history.snapshots == () for history in stored(aws.store).values())
        assert exported(aws.export_to) == {}
    else:
        assert whole(stored(aws.store)[7])
    held.released.set()
    assert ended(program(store=aws.store, export_to=aws.export_to), tmp_path).code == 0
    assert whole(stored(aws.store)[7])
    unbroken = {"store": "sqlite:unbroken.db", "export_to": f"{aws.export_to}-unbroken"}
    assert ended(program(**unbroken), tmp_path).code == 0
    written = {key: content for key, content in exported_below(aws, "traffic/").items() if key.endswith(".csv")}
    assert written == {
        key: content for key, content in exported_below(aws, "traffic-unbroken/").items() if key.endswith(".csv")
    }
    assert numbers_of(stored(aws.store)[7]) == numbers_of(stored("sqlite:unbroken.db")[7])


def exported_below(aws: Aws, prefix: str) -> dict[str, bytes]:
    """Read the objects below a prefix."""
    keys = [entry["Key"] for entry in aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=prefix)["Contents"]]
    return {key.removeprefix(prefix): aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read() for key in keys}
