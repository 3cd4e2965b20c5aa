"""An AWS emulator over HTTP as a process, which ends with its input.

`python -m benchmarks.aws moto` is the tests' emulator. An update costs it 6 ms, and a query sorts the whole
table; `ministack`, which has its own environment, takes 1 ms and 2 ms.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path

from tests.support.aws import wait_for
from tests.support.ports import reserve_port

HERE = Path(__file__).parent
MINISTACK = (HERE.parent / "build" / "emulator" / "bin" / "python", "-P", HERE / "emulator.py")


def serve_moto() -> None:
    """Serve on a free port of loopback, and print the address."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import, and not always needed

    from tests.support.quick_moto import speed_up_moto  # noqa: PLC0415 - only moto needs it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs every request
    speed_up_moto()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


def serve_ministack() -> None:
    """Start ministack, and print its address once it is healthy."""
    port = reserve_port()
    addresses = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1"}
    nowhere = subprocess.DEVNULL  # it logs every table
    process = subprocess.Popen(MINISTACK, env=os.environ | addresses, stdout=nowhere, stderr=nowhere)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/_ministack/health", process)
        print(url, flush=True)
        sys.stdin.read()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    {"moto": serve_moto, "ministack": serve_ministack}[sys.argv[1]]()
