"""The Lambda: its handler, and its zip in AWS's emulator of the runtime."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.invocation import RunFailedError
from ghtraffic_action.lambda_handler import handler
from tests.support.aws import Aws
from tests.support.builders import ARCH, NAME, NOW, ROOT, TOKEN, repository
from tests.support.cli import make
from tests.support.fake_github import FakeGitHub, RecordedTraffic, Refusal
from tests.support.ports import reserve_port

SCHEDULED = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}}

LITTLE = RecordedTraffic(views=[(NOW.date(), 4, 2)])
"""Traffic that is soon stored."""


class Context:
    """The context of an invocation, with the remaining time."""

    def __init__(self, seconds: float = 900) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time."""
        return int(self.seconds * 1000)


@pytest.fixture
def function(aws: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Set the environment of a function with a table and a bucket."""
    for name, value in _environment(aws, github).items():
        monkeypatch.setenv(name, value)
    return aws


def _environment(aws: Aws, github: FakeGitHub) -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "traffic",
        "GHTRAFFIC_REPOSITORIES": NAME,
        "GHTRAFFIC_GITHUB_TOKEN": TOKEN,
        "GHTRAFFIC_STORE": aws.store,
        "GHTRAFFIC_EXPORT_TO": aws.export_to,
        "GITHUB_API_URL": github.url,
    }


def test_a_scheduled_event_collects(function: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """The schedule's event names no repositories, so those of the settings are collected; the report is returned."""
    report = handler(SCHEDULED, Context())
    assert report["exit_code"] == 0
    assert report["repositories"][0]["inserted"] == 15
    assert NAME in function.file("v1/latest/repositories.csv")
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["Collected"] == 1
    assert metrics["FunctionName"] == "traffic"


def test_the_report_may_leave_out_traffic(
    function: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With `totals` neither the response nor the log has traffic or names of private repositories."""
    github.repositories[:] = [repository(private=True)]
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="traffic/clones")
    for summary in ("auto", "no-traffic"):
        monkeypatch.setenv("GHTRAFFIC_SUMMARY", summary)
        caplog.clear()
        [found] = handler(SCHEDULED, Context())["repositories"]
        assert (NAME in caplog.text) == (found["name"] == NAME) == (summary == "auto")
        assert (found["views_14d"] is not None) == (summary == "auto")
    assert function.file("v1/latest/repositories.csv")


def test_a_run_waits_no_longer_than_it_may(function: Aws, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause that would end after the deadline is not waited for, even if `max-wait` allows it."""
    monkeypatch.setenv("GHTRAFFIC_MAX_WAIT", "1s")
    github.refuse(Refusal.SECONDARY_RATE_LIMITED, path="traffic/views")
    with pytest.raises(RunFailedError, match="run again in 60 s"):
        handler(SCHEDULED, Context())
    assert function.table


@pytest.mark.parametrize("names", ["octo-lab/two", ["octo-lab/two"]])
def test_an_event_may_name_repositories(function: Aws, github: FakeGitHub, names: Any) -> None:  # noqa: ANN401 - JSON
    """They replace those of the settings."""
    github.repositories.append(repository("octo-lab/two", id=8))
    report = handler({"repositories": names}, Context())
    assert [found["name"] for found in report["repositories"]] == ["octo-lab/two"]
    assert {item["pk"]["S"] for item in function.dynamodb.scan(TableName=function.table)["Items"]} == {"repo#8"}


@pytest.mark.parametrize("event", [None, [], "octo-lab/two", {"repositories": 7}, {"repositories": [7]}])
def test_an_event_that_makes_no_sense_is_refused(function: Aws, event: Any) -> None:  # noqa: ANN401 - JSON
    """Nothing is collected, and the error has a valid event."""
    with pytest.raises(SettingsError, match="send"):
        handler(event, Context())
    assert function.dynamodb.scan(TableName=function.table)["Items"] == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"repository": "octo-lab/two"}, "'repository' is not read: send"),
        ({"Repositories": "octo-lab/two"}, "'Repositories' is not read: send"),
        ({"repos": ["octo-lab/two"]}, "'repos' is not read: send"),
        ({"dry_run": True}, "set GHTRAFFIC_DRY_RUN of the function"),
        ({"dry-run": "true", "repositories": "octo-lab/two"}, "set GHTRAFFIC_DRY_RUN of the function"),
        ({"GHTRAFFIC_MAX_WAIT": "1m"}, "set GHTRAFFIC_MAX_WAIT of the function"),
        ({"repositories": []}, "repositories is empty"),
        ({"repositories": ""}, "repositories is empty"),
        ({"repositories": None}, "repositories is empty"),
    ],
)
def test_an_event_is_not_read_in_part(function: Aws, event: Any, said: str) -> None:  # noqa: ANN401 - JSON
    """An unknown key is an error: if it were ignored, the run would collect and write everything."""
    with pytest.raises(SettingsError) as raised:
        handler(event, Context())
    assert said in str(raised.value)
    assert function.dynamodb.scan(TableName=function.table)["Items"] == []


def test_an_event_with_a_malformed_repository_is_refused(function: Aws) -> None:
    """The error quotes the name."""
    with pytest.raises(SettingsError, match="'two'"):
        handler({"repositories": "two"}, Context())
    assert function.dynamodb.scan(TableName=function.table)["Items"] == []


def test_what_a_retry_can_cure_is_raised(function: Aws, github: FakeGitHub) -> None:
    """A transient failure is raised; the other repositories are stored and exported."""
    github.repositories.append(repository("octo-lab/two", id=8))
    github.refuse(Refusal.SERVER_ERROR_JSON, path="octo-lab/two/traffic/views")
    with pytest.raises(RunFailedError, match="octo-lab/two: views: GitHub failed"):
        handler({"repositories": f"{NAME} octo-lab/two"}, Context())
    assert f"7,{NAME}" in function.file("v1/latest/repositories.csv")


def test_what_no_retry_cures_is_counted(
    function: Aws, github: FakeGitHub, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A permanent refusal is logged with its remedy and counted in a metric; the invocation succeeds."""
    github.repositories.append(repository("octo-lab/two", id=8))
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="octo-lab/two/traffic")
    report = handler({"repositories": f"{NAME} octo-lab/two"}, Context())
    assert report["exit_code"] == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["Refused"] == 1
    assert "Administration: read" in caplog.text
    assert function.file("v1/latest/repositories.csv")


def test_the_deadline_ends_the_run(function: Aws, github: FakeGitHub) -> None:
    """A minute before it no repository is started; the report names the remaining ones."""
    names = [f"octo-lab/r{n}" for n in range(60)]
    github.repositories += [repository(name, id=100 + n, traffic=LITTLE) for n, name in enumerate(names)]
    github.delay = 0.4  # six seconds for all of them; the run has three
    with pytest.raises(RunFailedError, match=r"\d+ repositories were not started; octo-lab/r\d+"):
        handler({"repositories": " ".join(names)}, Context(63))
    stored = {item["pk"]["S"] for item in function.dynamodb.scan(TableName=function.table)["Items"]}
    remaining = [name for at, name in enumerate(names) if f"repo#{100 + at}" not in stored]
    assert 0 < len(remaining) < 60
    github.delay = 0
    github.requests.clear()
    assert handler({"repositories": " ".join(names)}, Context())["exit_code"] == 0
    first = [request.path.split("/")[3] for request in github.requests if "/traffic/" in request.path][: len(remaining)]
    assert {f"octo-lab/{name}" for name in first} <= set(remaining)


def test_clients_are_opened_once(function: Aws, github: FakeGitHub) -> None:
    """A second invocation in the same container reuses the connections, and writes nothing new."""
    first = handler(SCHEDULED, Context())
    second = handler(SCHEDULED, Context())
    assert (first["repositories"][0]["inserted"], second["repositories"][0]["inserted"]) == (15, 0)
    assert second["written"] == []
    assert function.table
    assert github.requests


@pytest.fixture(scope="session")
def unpacked(zipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the unpacked zip."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


@dataclass(frozen=True)
class Function:
    """The function in AWS's emulator of the runtime."""

    url: str
    process: subprocess.Popen[bytes]
    written: Path

    @property
    def log(self) -> str:
        """Return the output of the runtime and the function."""
        return self.written.read_text()

    @property
    def memory(self) -> int:
        """Return the function's peak memory in bytes."""
        begun = [path.read_text().split() for path in Path(f"/proc/{self.process.pid}/task").glob("*/children")]
        [runtime] = [child for children in begun for child in children]
        [most] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{runtime}/status").read_text())
        return int(most) * 1024

    def invoke(self, event: Any) -> Any:  # noqa: ANN401 - JSON
        """Return Lambda's response: JSON, or the text of its own error."""
        request = urllib.request.Request(self.url, data=json.dumps(event).encode())  # noqa: S310 - loopback
        for _ in range(600):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                    text: str = answer.read().decode()
                    return json.loads(text) if text.startswith("{") else text
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        pytest.fail(self.log)


@pytest.fixture
def start(unpacked: Path, aws: Aws, github: FakeGitHub, tmp_path: Path) -> Iterator[Callable[..., Function]]:
    """Start the function in the emulator, with additional variables."""
    running = []

    def started(**changes: str) -> Function:
        ports = [reserve_port(), reserve_port()]
        emulator = ROOT / "build" / "rie" / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{ARCH}"
        command: list[str | Path] = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}"]
        command += ["--runtime-api-address", f"127.0.0.1:{ports[1]}", ROOT / "build" / "runtime" / "bin" / "python"]
        command += ["-m", "awslambdaric", "ghtraffic_action.lambda_handler.handler"]
        seen = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        seen |= _environment(aws, github) | {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        seen |= {"PYTHONPATH": str(unpacked), "LAMBDA_TASK_ROOT": str(unpacked), "AWS_LAMBDA_FUNCTION_TIMEOUT": "900"}
        written = tmp_path / "runtime.log"
        with written.open("w") as log:
            process = subprocess.Popen(command, env=seen | changes, cwd=unpacked, stdout=log, stderr=log)
        running.append(process)
        return Function(f"http://127.0.0.1:{ports[0]}/2015-03-31/functions/function/invocations", process, written)

    yield started
    for process in running:
        process.terminate()
        process.wait()


def test_the_zip_lacks_nothing(start: Callable[..., Function], aws: Aws) -> None:
    """With only boto3 beside it, the zip handles an event, returns a report, and fills the table."""
    function = start()
    report = function.invoke(SCHEDULED)
    assert report["exit_code"] == 0, function.log
    assert report["repositories"][0]["inserted"] == 15
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 17
    assert function.invoke(SCHEDULED)["repositories"][0]["inserted"] == 0


def test_a_container_starts_once_and_a_run_is_small(start: Callable[..., Function]) -> None:
    """Only the first invocation imports the modules; a whole run takes 150 MB at most."""
    function = start()
    for _ in range(2):
        assert function.invoke(SCHEDULED)["exit_code"] == 0
    assert function.log.count("INIT REPORT(durationMs: ") == 1
    assert function.memory <= 150e6


def test_an_error_is_reported_in_its_own_words(start: Callable[..., Function], aws: Aws) -> None:
    """The response and the log have the error's type and text, and the container survives."""
    function = start()
    failed = function.invoke([])
    assert failed["errorType"] == "SettingsError"
    assert failed["errorMessage"] == 'event: it is not an object: send {} or {"repositories": "OWNER/NAME"}'
    assert f"[ERROR] SettingsError: {failed['errorMessage']}" in function.log
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 0
    assert function.invoke(SCHEDULED)["exit_code"] == 0


def test_a_minute_before_the_time_out_a_run_ends(start: Callable[..., Function], github: FakeGitHub) -> None:
    """Repositories that were not started are reported and fail the invocation, so that the retry continues there."""
    github.delay = 0.5
    names = [f"octo-lab/r{n}" for n in range(60)]
    github.repositories += [repository(name, id=100 + n, traffic=LITTLE) for n, name in enumerate(names)]
    failed = start(AWS_LAMBDA_FUNCTION_TIMEOUT="64").invoke({"repositories": names})
    assert failed["errorType"] == "RunFailedError"
    assert "repositories were not started; octo-lab/r" in failed["errorMessage"]


def test_a_time_out_that_is_too_short_is_reported(start: Callable[..., Function], aws: Aws) -> None:
    """With less than a minute nothing can be started; the error names the setting."""
    function = start(AWS_LAMBDA_FUNCTION_TIMEOUT="30")
    failed = function.invoke(SCHEDULED)
    assert failed["errorType"] == "RunFailedError"
    assert "set the function's Timeout to 900" in failed["errorMessage"]
    assert "pacing.py" not in function.log
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 0


def test_a_function_that_gets_no_answers_is_ended(start: Callable[..., Function], aws: Aws) -> None:
    """Without a connection to AWS the runtime ends the function at its time-out."""
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        nowhere = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        function = start(AWS_LAMBDA_FUNCTION_TIMEOUT="3", GHTRAFFIC_GITHUB_TOKEN="ssm:/ghtraffic/token", **nowhere)
        assert "Task timed out after 3.00 seconds" in function.invoke(SCHEDULED)
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 0


def test_what_a_cold_start_takes_is_printed(zipped: Path, tmp_path: Path) -> None:
    """`make lambda` prints the import's time and memory, except for another processor's zip."""
    printed = make("infra.measure", zipped)
    found = re.fullmatch(r"import: \d\.\d\d s, (\d+) MB of memory \(this machine, cpython-\S+\)\n", printed)
    assert found
    assert 10 < int(found[1]) <= 150
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("_cffi_backend.cpython-399-riscv64-linux-gnu.so", b"")
    printed = make("infra.measure", other)
    assert printed.startswith("import: not measured, since its modules are cpython-399-riscv64-linux-gnu.so and this")


def test_the_zip_is_the_same_each_time(zipped: Path, tmp_path: Path) -> None:
    """Two builds give the same bytes; the build prints the sizes, the Python version and the processor."""
    again = tmp_path / "again.zip"
    printed = make("infra.package", "--arch", ARCH, "--target", again)
    assert again.read_bytes() == zipped.read_bytes()
    python = f"Python {sys.version_info.major}.{sys.version_info.minor} on {ARCH}"
    assert re.fullmatch(rf"{again}: [\d.]+ MB, [\d.]+ MB unpacked, for {python}\n", printed)


def test_the_zip_is_small(unpacked: Path) -> None:
    """It has no modules of the runtime or for terminals, and every module is compiled."""
    names = {path.name for path in unpacked.iterdir()}
    assert names.isdisjoint({"boto3", "botocore", "rich", "click", "pygments"})
    assert (unpacked / "github" / "__pycache__").is_dir()
    modules = [path for path in unpacked.rglob("*.py") if "__pycache__" not in path.parts]
    compiled = {path.name.split(".")[0] for path in unpacked.rglob("*.pyc")}
    assert {path.stem for path in modules} <= compiled
