"""Serve the sample repository as a stand-in of GitHub on loopback: `python -m ghtraffic_action.standin --port 8765`."""

import argparse
from datetime import UTC, datetime
from threading import Event

from ghtraffic_action.demo.sample_data import sample
from ghtraffic_action.standin import FakeGitHub


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    with FakeGitHub([sample(datetime.now(UTC).date(), 60)], port=port) as github:
        print(f"{github.repositories[0].name} at {github.url}", flush=True)  # noqa: T201 - what a user needs to know
        Event().wait()


if __name__ == "__main__":
    main()
