"""A warm process that runs programs: `python -m benchmarks.program`, directed by lines of JSON.

Each line names a program, `ours` or `article`, and the environments of its runs, one after the other. The response
is the seconds of each, and the CPU seconds of all. Everything is imported before the first, as in a warm Lambda.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from time import perf_counter, process_time
from typing import Any

import ghtraffic_action.exports.s3
import ghtraffic_action.stores.dynamodb  # noqa: F401 - imported before the clock runs
from benchmarks import article
from ghtraffic_action.collect import run
from ghtraffic_action.settings import read_settings


def ours(environ: Mapping[str, str]) -> None:
    """Collect as `ghtraffic collect` does."""
    report = run(read_settings("collect", environ))
    if report.exit_code:
        raise RuntimeError("\n".join(report.all_errors))


def theirs(environ: Mapping[str, str]) -> None:
    """Collect as the article does."""
    article.collect(article.place_of(dict(environ)))


PROGRAMS = {"ours": ours, "article": theirs}


def execute(program: str, environs: list[dict[str, str]]) -> dict[str, Any]:
    """Run a program in each environment; return each wall time and the total CPU time."""
    seconds, worked = [], process_time()
    for environ in environs:
        os.environ.update(environ)
        began = perf_counter()
        PROGRAMS[program](environ)
        seconds.append(perf_counter() - began)
    return {"seconds": seconds, "cpu": process_time() - worked}


def main() -> None:
    """Run until the standard input ends."""
    logging.getLogger("ghtraffic_action").setLevel(logging.ERROR)  # the fake's clock is not this machine's
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(execute(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
