"""Workflows that the tests run with act, and the results of their jobs."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.builders import ROOT

BIN = Path(sys.executable).parent
PINS = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
    "setup-python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97",
    "configure-aws-credentials": "aws-actions/configure-aws-credentials@e1253824e5c10ff9df46874f81ed3ec929e19cfd",
}
EXAMPLE = ROOT / "examples" / "traffic.yml"
DATA_BRANCH = ROOT / "examples" / "data-branch.yml"
PICTURES_BRANCH = ROOT / "examples" / "pictures-branch.yml"
PICTURES_PAGES = ROOT / "examples" / "pictures-pages.yml"
WORKFLOWS = (
    EXAMPLE,
    DATA_BRANCH,
    PICTURES_BRANCH,
    PICTURES_PAGES,
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
)


@dataclass(frozen=True)
class Job:
    """The result of one job: its exit code, all that it printed, the Action's outputs, annotations and summary."""

    exit_code: int
    log: str
    outputs: dict[str, str]
    annotations: tuple[str, ...]
    summary: str


RunJob = Callable[..., Job]


def read_job(done: "subprocess.CompletedProcess[str]") -> Job:
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    log = "\n".join(str(line.get("msg", "")).rstrip("\n") for line in lines)
    return Job(
        done.returncode,
        f"{log}\n{done.stderr}",
        outputs={line["name"]: line["arg"] for line in lines if line.get("command") == "set-output"},
        annotations=tuple(line["arg"] for line in lines if line.get("command") in ("error", "warning")),
        summary="\n".join(str(line.get("content", "")) for line in lines if line.get("command") == "summary"),
    )


def workflow(folder: Path, **changes: str) -> str:
    """Return the README's workflow, by default without a role and with a file and a directory in `folder`."""
    text = EXAMPLE.read_text()
    read = yaml.safe_load(text)
    given = read["jobs"]["collect"]["steps"][0]["with"]
    lines = {name.replace("_", "-"): value for name, value in changes.items()}
    given |= {
        "store": f"sqlite:{folder / 'traffic.db'}",
        "export-to": str(folder / "export"),
        "summary": "full",
        "heartbeat": "none",
    } | lines
    if "role-to-assume" not in lines:
        del given["role-to-assume"], given["aws-region"]
    read["on"] = read.pop(True)
    return yaml.safe_dump(read, sort_keys=False)
