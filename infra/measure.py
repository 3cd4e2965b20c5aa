"""Measure the import of the Lambda's handler in a new interpreter.

`python -m infra.measure dist/ghtraffic-lambda.zip` imports it beside what Lambda brings along and nothing else.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.package import IN_RUNTIME, install, locked

_TIMES = 5
"""How often to import: the first time also compiles what Lambda has compiled, the median is of the others' kind."""

_IMPORT = """
import resource, sys, time
sys.path[:0] = sys.argv[1:]
begun = time.perf_counter()
import ghtraffic_action.lambda_handler
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def measure(target: Path) -> str:
    """Return the median time and peak memory of importing the handler, or the error."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    with zipfile.ZipFile(target) as archive, TemporaryDirectory() as scratch:
        names = archive.namelist()
        if not any(name.endswith(suffix) for name in names):
            others = {name.partition(".")[2] for name in names if name.endswith(".so") and ".cpython-" in name}
            return (
                f"import: not measured, since its modules are {', '.join(others)} and this machine takes {suffix[1:]}"
            )
        task, runtime = Path(scratch) / "task", Path(scratch) / "runtime"
        archive.extractall(task)
        install(runtime, platform.machine(), [locked()[name] for name in sorted(IN_RUNTIME)])
        # Neither this interpreter's packages (-S) nor its environment (-I).
        command: list[str | Path] = [sys.executable, "-I", "-S", "-c", _IMPORT, task, runtime]
        ran = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(_TIMES)]  # noqa: S603 - our own words
    seconds, memory = zip(*(map(float, line.split()) for line in ran), strict=True)
    return (
        f"import: {statistics.median(seconds):.2f} s, {max(memory) / 1e6:.0f} MB of memory (this machine, {suffix[1:]})"
    )


def main() -> None:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zip", type=Path)
    print(measure(parser.parse_args().zip))  # noqa: T201 - the result


if __name__ == "__main__":
    main()
