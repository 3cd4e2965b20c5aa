"""Start and measure processes, controlled by lines of JSON: `python -m benchmarks.launcher`.

Each line has the arguments of Python and the environment; the response is the wall and the CPU time in seconds and the
peak memory in bytes. It must be small: a process inherits the peak of the one that started it.
"""

import json
import os
import subprocess
import sys
import tempfile
from time import perf_counter

KILOBYTE = 1 if sys.platform == "darwin" else 1024


def measure(command: list[str], environ: dict[str, str]) -> dict[str, float]:
    """Run a program to its end. Raises RuntimeError with its output if it fails."""
    with tempfile.TemporaryFile("w+") as said:
        began = perf_counter()
        process = subprocess.Popen([sys.executable, *command], env=environ, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}:\n{said.read()}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * KILOBYTE}


def main() -> None:
    """Run until the standard input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
