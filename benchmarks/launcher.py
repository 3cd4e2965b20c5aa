"""A small process that starts others and measures them: `python -m benchmarks.launcher`, directed by lines of JSON.

Each line names a command of Python's and its environment; what is answered is how long it took, in seconds, and the
most memory it had, in bytes. Small it must be: a process inherits the peak of the one that started it.
"""

import json
import os
import subprocess
import sys
import tempfile
from time import perf_counter

KILOBYTE = 1 if sys.platform == "darwin" else 1024


def measure(command: list[str], environ: dict[str, str]) -> dict[str, float]:
    """Run a program from start to end; RuntimeError with what it said where it fails."""
    with tempfile.TemporaryFile("w+") as said:
        began = perf_counter()
        process = subprocess.Popen([sys.executable, *command], env=environ, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}:\n{said.read()}")
    return {"seconds": seconds, "peak": usage.ru_maxrss * KILOBYTE}


def main() -> None:
    """Run until the standard input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
