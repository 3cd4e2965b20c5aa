"""Processes that are asked to stop."""

import signal
import subprocess
import sys

import pytest

from tests.support.builders import ROOT

BUSY = """
from ghtraffic_action.shutdown import run_until_signal

def work(stop):
    print("working", flush=True)
    while not stop.is_set():
        stop.wait(0)
    return 0

raise SystemExit(run_until_signal(work))
"""


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_interrupts_a_wait_stops_the_run(number: signal.Signals) -> None:
    """The process ends even if the signal interrupts the main thread while it holds the stop event's lock."""
    processes = [
        subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(12)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(number)
    try:
        assert {process.wait(timeout=60) for process in processes} == {128 + number}
    finally:
        for process in processes:
            process.kill()
            process.communicate()
