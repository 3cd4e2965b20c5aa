"""Measure a data branch after years of commits: `python -m benchmarks.data_branch --days 1825`.

Each day the real program collects a generated repository into a folder, and git stores what changed as a commit. Three
branches are measured: one with the history alone, one with the CSV files, and one with the report page too.
"""

import argparse
import subprocess
import tempfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Event

from ghtraffic_action.collect import run
from ghtraffic_action.demo.sample_data import NAME, sample
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from tests.support.fake_github import FakeGitHub, Repository

STORE = "ghtraffic.jsonl"


class Branch:
    """A bare repository with one branch, to which each day's files are committed."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._files: dict[str, bytes] = {}
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=traffic", repository], check=True)
        command = ["git", "-C", str(repository), "fast-import", "--quiet"]
        self._import = subprocess.Popen(command, stdin=subprocess.PIPE)

    def commit(self, files: dict[str, bytes], at: datetime) -> None:
        """Commit the files that changed."""
        stream = self._import.stdin
        assert stream is not None  # noqa: S101 - it is a pipe
        author = f"github-actions[bot] <bot@example.com> {int(at.timestamp())} +0000"
        stream.write(f"commit refs/heads/traffic\ncommitter {author}\ndata 7\ntraffic\n".encode())
        for name, content in files.items():
            if self._files.get(name) != content:
                stream.write(f"M 100644 inline {name}\ndata {len(content)}\n".encode() + content + b"\n")
        self._files = files

    def clone_size(self, folder: Path) -> int:
        """Return a clone's size in bytes, after `git gc` on the server."""
        assert self._import.stdin is not None  # noqa: S101 - it is a pipe
        self._import.stdin.close()
        self._import.wait()
        subprocess.run(["git", "-C", self._repository, "repack", "-adfq"], check=True)
        address = f"file://{self._repository.resolve()}"
        subprocess.run(["git", "clone", "--quiet", "--bare", address, folder], check=True)
        return sum(path.stat().st_size for path in (folder / "objects").rglob("*") if path.is_file())


def measure(days: int, folder: Path) -> None:
    """Collect and commit once a day, and print the sizes."""
    checkout = folder / "checkout"
    checkout.mkdir()
    branches = {name: Branch(folder / f"{name}.git") for name in ("history", "history and CSV", "all files")}
    last = datetime.now(UTC).date() - timedelta(days=1)
    sampled = sample(last, days)
    repository = Repository(904_221_377, NAME, sampled.traffic, sampled.created, stars=112, forks=9, watchers=7)
    first_run = datetime.combine(last - timedelta(days=days - 1), time(11, 17, tzinfo=UTC))
    with FakeGitHub([repository], now=first_run) as github:
        settings = Settings(
            repositories=(repository.name,),
            github_token="invented-token",  # noqa: S106 - nobody's
            store=f"jsonl:{checkout / STORE}",
            export_to=str(checkout),
            github_api_url=github.url,
        )
        for day in range(days):
            report = run(settings, Runtime(Event(), now=lambda: github.now))
            if report.exit_code:
                raise RuntimeError(report.all_errors)
            paths = [path for path in checkout.rglob("[!.]*") if path.is_file()]
            files = {path.relative_to(checkout).as_posix(): path.read_bytes() for path in paths}
            branches["history"].commit({STORE: files[STORE]}, github.now)
            tables = {name: content for name, content in files.items() if not name.startswith("report")}
            branches["history and CSV"].commit(tables, github.now)
            branches["all files"].commit(files, github.now)
            github.now += timedelta(days=1)
            repository.stars += day % 3
    print(f"{days} days: {STORE} has {(checkout / STORE).stat().st_size / 1e6:.1f} MB")
    for name, branch in branches.items():
        print(f"a clone with {name}: {branch.clone_size(folder / f'{name}.clone') / 1e6:.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=1825)
    with tempfile.TemporaryDirectory() as temporary:
        measure(parser.parse_args().days, Path(temporary))
