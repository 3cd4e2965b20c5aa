"""The Lambda: its handler, and its zip in AWS's own emulator of the runtime."""

import json
import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from conftest import NAME, TOKEN, Aws, repository

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.lambda_handler import RunFailedError, handler
from ghtraffic_action.standin import Refusal, StandIn

ROOT = Path(__file__).parent.parent
SCHEDULED = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}}


class Context:
    """An invocation with some time left."""

    def __init__(self, seconds: float = 900) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """Tell how much time is left."""
        return int(self.seconds * 1000)


@pytest.fixture
def function(aws: Aws, github: StandIn, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The environment of a function that stores in a table and exports to a bucket."""
    for name, value in _environment(aws, github).items():
        monkeypatch.setenv(name, value)
    return aws


def _environment(aws: Aws, github: StandIn) -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "traffic",
        "GHTRAFFIC_REPOSITORIES": NAME,
        "GHTRAFFIC_GITHUB_TOKEN": TOKEN,
        "GHTRAFFIC_STORE": aws.store,
        "GHTRAFFIC_EXPORT_TO": aws.export_to,
        "GITHUB_API_URL": github.url,
    }


def test_a_scheduled_event_collects(function: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """The schedule's event names nothing: the settings say what to collect; the answer is the report."""
    report = handler(SCHEDULED, Context())
    assert report["exit_code"] == 0
    assert report["repositories"][0]["inserted"] == 15
    assert NAME in function.file("v1/latest/repositories.csv")
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["Collected"] == 1
    assert metrics["DaysInserted"] == 15
    described = metrics["_aws"]["CloudWatchMetrics"][0]
    assert described["Dimensions"] == [[]]
    assert {metric["Name"] for metric in described["Metrics"]} == set(metrics) - {"_aws"}
    assert NAME not in json.dumps(metrics)


@pytest.mark.parametrize("names", ["octo-lab/two", ["octo-lab/two"]])
def test_an_event_may_name_repositories(function: Aws, github: StandIn, names: Any) -> None:  # noqa: ANN401 - JSON
    """They take the place of the settings' own."""
    github.repositories.append(repository("octo-lab/two", id=8))
    report = handler({"repositories": names}, Context())
    assert [found["name"] for found in report["repositories"]] == ["octo-lab/two"]
    assert {item["pk"]["S"] for item in function.dynamodb.scan(TableName=function.table)["Items"]} == {"repo#8"}


@pytest.mark.parametrize("event", [None, [], "octo-lab/two", {"repositories": 7}, {"repositories": [7]}])
def test_an_event_that_makes_no_sense_is_refused(function: Aws, event: Any) -> None:  # noqa: ANN401 - JSON
    """Nothing is collected, and the error says what to send."""
    with pytest.raises(SettingsError, match="send"):
        handler(event, Context())
    assert function.dynamodb.scan(TableName=function.table)["Items"] == []


def test_an_event_with_a_malformed_repository_is_refused(function: Aws) -> None:
    """The name is quoted."""
    with pytest.raises(SettingsError, match="'two'"):
        handler({"repositories": "two"}, Context())
    assert function.dynamodb.scan(TableName=function.table)["Items"] == []


def test_what_a_retry_can_cure_is_raised(function: Aws, github: StandIn) -> None:
    """The others are stored and exported all the same."""
    github.repositories.append(repository("octo-lab/two", id=8))
    github.refuse(Refusal.SERVER_ERROR_JSON, path="octo-lab/two/traffic/views")
    with pytest.raises(RunFailedError, match="octo-lab/two: GitHub failed"):
        handler({"repositories": f"{NAME} octo-lab/two"}, Context())
    assert f"7,{NAME}" in function.file("v1/latest/repositories.csv")


def test_what_no_retry_cures_is_counted(
    function: Aws, github: StandIn, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A permanent refusal is logged with its cure and counted, for an alarm; the invocation succeeds."""
    github.repositories.append(repository("octo-lab/two", id=8))
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="octo-lab/two/traffic")
    report = handler({"repositories": f"{NAME} octo-lab/two"}, Context())
    assert report["exit_code"] == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["Refused"] == 1
    assert "Administration: read" in caplog.text
    assert function.file("v1/latest/repositories.csv")


def test_the_deadline_ends_the_run(function: Aws, github: StandIn) -> None:
    """A minute before it no repository is begun; what remains is named, and the next run begins with it."""
    names = [f"octo-lab/r{n}" for n in range(60)]
    github.repositories += [repository(name, id=100 + n) for n, name in enumerate(names)]
    github.delay = 0.1
    with pytest.raises(RunFailedError, match="not begun before the deadline: octo-lab/r") as failed:
        handler({"repositories": " ".join(names)}, Context(60.9))
    remaining = str(failed.value).rsplit(": ", 1)[1].split()
    assert 0 < len(remaining) < 60
    stored = {item["pk"]["S"] for item in function.dynamodb.scan(TableName=function.table)["Items"]}
    assert stored.isdisjoint(f"repo#{100 + names.index(name)}" for name in remaining)
    github.delay = 0
    github.requests.clear()
    assert handler({"repositories": " ".join(names)}, Context())["exit_code"] == 0
    first = [request.path.split("/")[3] for request in github.requests if "/traffic/" in request.path][: len(remaining)]
    assert {f"octo-lab/{name}" for name in first} <= set(remaining)


def test_clients_are_opened_once(function: Aws, github: StandIn) -> None:
    """A second invocation of the same container uses the connections of the first, and writes nothing new."""
    first = handler(SCHEDULED, Context())
    second = handler(SCHEDULED, Context())
    assert (first["repositories"][0]["inserted"], second["repositories"][0]["inserted"]) == (15, 0)
    assert second["written"] == []
    assert function.table
    assert github.requests


Invoke = Callable[..., Any]


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip as Lambda unpacks it, built for this machine from the wheels that set-up has fetched."""
    folder = tmp_path_factory.mktemp("lambda")
    target = folder / "ghtraffic-lambda.zip"
    arch = "arm64" if platform.machine() == "aarch64" else "x86_64"
    wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(ROOT / "build" / "wheels"), "PATH": os.environ["PATH"]}
    digests = []
    for _ in range(2):
        command = [sys.executable, "-m", "infra.package", "--arch", arch, "--target", target]
        subprocess.run(command, cwd=ROOT, env=wheels, check=True)
        digests.append(target.read_bytes())
    assert digests[0] == digests[1], "the same input has to give the same bytes"
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder / "task")
    return folder / "task"


@pytest.fixture
def invoke(unpacked: Path, aws: Aws, github: StandIn, tmp_path: Path) -> Iterator[Invoke]:
    """Start the function under AWS's emulator of the runtime: `invoke(event)` answers what Lambda answers."""
    ports = [_free_port(), _free_port()]
    arch = "arm64" if platform.machine() == "aarch64" else "x86_64"
    emulator = ROOT / "build" / "rie" / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{arch}"
    command = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}"]
    command += ["--runtime-api-address", f"127.0.0.1:{ports[1]}", ROOT / "build" / "runtime" / "bin" / "python"]
    command += ["-m", "awslambdaric", "ghtraffic_action.lambda_handler.handler"]
    seen = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    seen |= _environment(aws, github) | {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked), "HOME": str(tmp_path)}
    seen |= {"LAMBDA_TASK_ROOT": str(unpacked), "AWS_LAMBDA_FUNCTION_TIMEOUT": "900"}
    with (tmp_path / "runtime.log").open("w") as log:
        running = subprocess.Popen(command, env=seen, cwd=unpacked, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{ports[0]}/2015-03-31/functions/function/invocations"

    def post(event: Any) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(url, data=json.dumps(event).encode(), method="POST")
        for _ in range(100):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                    return json.loads(answer.read() or b"null")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        pytest.fail((tmp_path / "runtime.log").read_text())

    yield post
    running.terminate()
    running.wait()


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_zip_lacks_nothing(invoke: Invoke, aws: Aws, tmp_path: Path) -> None:
    """With boto3 beside it and nothing else, an event goes in, a report comes out and the table is filled."""
    report = invoke(SCHEDULED)
    assert report["exit_code"] == 0, (tmp_path / "runtime.log").read_text()
    assert report["repositories"][0]["inserted"] == 15
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 16
    assert invoke(SCHEDULED)["repositories"][0]["inserted"] == 0
    failed = invoke([])
    assert failed["errorType"] == "SettingsError"
    assert "it is no object" in failed["errorMessage"]


def test_the_zip_is_small(unpacked: Path) -> None:
    """What the runtime has, and what only a terminal needs, is not in it; every module is compiled."""
    names = {path.name for path in unpacked.iterdir()}
    assert names.isdisjoint({"boto3", "botocore", "rich", "click", "pygments"})
    assert (unpacked / "github" / "__pycache__").is_dir()
    modules = [path for path in unpacked.rglob("*.py") if "__pycache__" not in path.parts]
    compiled = {path.name.split(".")[0] for path in unpacked.rglob("*.pyc")}
    assert {path.stem for path in modules} <= compiled
