"""Run the state machine of fleet.yaml over many repositories: `python -m benchmarks.state_machine [EACH]`.

One GitHub App is installed at four owners, so there are four credentials with EACH (250) repositories each. The fake
GitHub is 80 ms away and counts the requests of each credential; the emulator deploys the templates and runs the state
machine, its Distributed Map and the Lambda's zip, at the real pace. In the second run one repository fails.
"""

import argparse
import csv
import io
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.processes import ROOT, Service, environment
from tests.support.aws import Account, put_code
from tests.support.builders import ARCH
from tests.support.cli import make
from tests.support.fleet import FOLDER, put_secrets

OWNERS = ("deep-sea", "high-tide", "north-bay", "octo-lab")
CREDENTIALS = [{"repositories": "installed", "github-app": "12", "github-app-key": f"ssm:{FOLDER}/app-key"}]


@dataclass(frozen=True)
class World:
    """The fake of GitHub, the emulator of AWS, and the stacks."""

    github: Service
    account: Account
    bucket: str
    machine: str

    def run(self) -> tuple[Any, float]:
        """Run the state machine; return the execution and its duration in seconds."""
        client = self.account.client("stepfunctions")
        begun = time.monotonic()
        execution = client.start_execution(stateMachineArn=self.machine, input="{}")["executionArn"]
        while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(1)
        return found, time.monotonic() - begun

    def processes(self, execution: str) -> str:
        """Return how many child executions of the Distributed Map succeeded, of how many."""
        client = self.account.client("stepfunctions")
        [run] = client.list_map_runs(executionArn=execution)["mapRuns"]
        counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]
        return f"{counts['succeeded']} of {counts['total']}"

    def exported(self) -> list[dict[str, str]]:
        """Read the exported catalogue."""
        catalogue = {"Bucket": self.bucket, "Key": "traffic/v1/latest/repositories.csv"}
        body = self.account.client("s3").get_object(**catalogue)["Body"].read().decode()
        return list(csv.DictReader(io.StringIO(body)))


def build(stack: ExitStack, each: int) -> World:
    """Start the servers, and deploy the templates as they are."""
    settings = {"delay": 80, "idle": 0, "tops": 2, "limit": 100_000, "seconds": 0, "owners": OWNERS, "each": each}
    github = stack.enter_context(Service("quick_github", json.dumps(settings)))
    [packages] = (ROOT / "build" / "runtime" / "lib").glob("python*/site-packages")
    environ = environment(GITHUB_API_URL=github.url, PYTHONPATH=str(packages))
    aws = stack.enter_context(Service("aws", "ministack", environ=environ))
    account = Account(aws.url)
    zipped = Path(stack.enter_context(TemporaryDirectory())) / "ghtraffic-lambda.zip"
    make("infra.package", "--arch", ARCH, "--target", zipped)
    base = account.deploy("ghtraffic", "base.yaml")
    put_code(account, zipped)
    put_secrets(account.client("ssm"))
    given = {"Credentials": json.dumps(CREDENTIALS), "SecretFolder": FOLDER, "CodeBucket": "code", "Architecture": ARCH}
    fleet = account.deploy("fleet", "fleet.yaml", **given)
    return World(github, account, base["BucketName"], fleet["StateMachineArn"])


def main() -> None:
    """Run twice and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("each", nargs="?", type=int, default=250, help="repositories of each owner (default: 250)")
    each = parser.parse_args().each
    table = Table(box=None, header_style="bold")
    table.add_column("run")
    for heading in (
        "status",
        "batches",
        "seconds",
        "requests",
        "most a minute and credential",
        "exported",
        "of that day",
    ):
        table.add_column(heading, justify="right")
    with ExitStack() as stack:
        world = build(stack, each)
        last = f"{OWNERS[-1]}/boat-{(len(OWNERS) - 1) * each + 1}"
        # The state machine's clock is the machine's, so that the first day has to be yesterday.
        for name, days, failing in (("all are collected", -1, ""), ("next day, one repository fails", 1, last)):
            world.github.send(days=days, failing=failing)
            found, seconds = world.run()
            counted, rows = world.github.send(), world.exported()
            newest = max(row["observed"] for row in rows)
            new = sum(row["observed"] == newest for row in rows)
            figures = [f"{seconds:.0f}", str(counted["requests"]), str(counted["in a minute"])]
            batches = world.processes(found["executionArn"])
            table.add_row(name, found["status"], batches, *figures, str(len(rows)), str(new))
            if found["status"] == "FAILED":
                table.caption = found["cause"]
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
