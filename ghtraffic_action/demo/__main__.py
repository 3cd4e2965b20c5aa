"""Serve the sample repository by a fake GitHub: `python -m ghtraffic_action.demo --port 8765`."""

import argparse
from datetime import UTC, datetime
from threading import Event

from ghtraffic_action.demo.fake_github import FakeRestApi
from ghtraffic_action.demo.sample_data import sample


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    with FakeRestApi([sample(datetime.now(UTC).date(), 60)], port=port) as github:
        print(f"{github.repositories[0].name} at {github.url}", flush=True)  # noqa: T201 - the result
        Event().wait()


if __name__ == "__main__":
    main()
