"""The command line: arguments, -v, repeated options, and output that ends early."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.schedule import schedule_warning
from tests.support.builders import NAME, ROOT, TOKEN, repository
from tests.support.fake_github import FakeGitHub

PROGRAM = [sys.executable, "-m", "ghtraffic_action"]
TWO = "octo-lab/two"


@pytest.fixture
def online(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    """Return the environment of a user who can collect two repositories."""
    github.repositories.append(repository(TWO, id=8))
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    return github


@pytest.mark.parametrize(
    "words",
    [
        [NAME, TWO],
        [f"{NAME} {TWO}"],
        ["--repositories", NAME, "--repositories", TWO],
        [NAME, "--repositories", TWO],
        ["--repositories", f"{NAME},{TWO}"],
        [f"https://github.com/{NAME}.git", f"'{TWO}/'"],
        ["octo-lab/l*", "octo-lab/t*"],
        ["octo-lab/*"],
        ["octo-lab/*", "!octo-lab/x*"],
    ],
)
def test_every_repository_that_is_named_is_collected(
    online: FakeGitHub, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Arguments, a repeated option and patterns add up."""
    assert online
    assert main(["collect", *words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [found["name"] for found in report["repositories"]] == [NAME, TWO]


def test_a_pattern_names_what_fits_and_nothing_else(online: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """The same pattern works as an exclusion."""
    assert online
    assert main(["collect", "octo-lab/T*", "--json"]) == 0
    assert [found["name"] for found in json.loads(capsys.readouterr().out)["repositories"]] == [TWO]
    assert main(["collect", "octo-lab/*", "!octo-lab/T*", "--json"]) == 0
    assert [found["name"] for found in json.loads(capsys.readouterr().out)["repositories"]] == [NAME]


def test_a_pattern_that_fits_nothing_is_said(online: FakeGitHub, caplog: pytest.LogCaptureFixture) -> None:
    """The run fails although another repository was collected, since a typing error would lose days."""
    assert online
    assert main(["collect", NAME, "octo-lab/tow*"]) == 1
    assert "octo-lab/tow*: it matches no repository: check it, or allow that with allow-empty" in caplog.text
    assert main(["collect", NAME, "octo-lab/tow*", "--allow-empty"]) == 0


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_other_commands_take_arguments_too(
    online: FakeGitHub, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """All commands with --repositories also take them as arguments."""
    online.now = None
    assert main(["collect", NAME, TWO]) == 0
    assert main([command, TWO]) == 0
    out = capsys.readouterr().out
    assert "1 can be read" in out if command == "doctor" else "1 repository in" in out


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["collect", NAME, "--store", "sqlite:a.db", "--store", "sqlite:b.db"], "--store"),
        (["collect", NAME, "--export-to", "a", "--export-to=b"], "--export-to"),
        (["export", "--month", "2026-01", "--month", "2026-02"], "--month"),
        (["status", "--since", "3", "--since", "5"], "--since"),
        (["demo", "--days", "3", "--days", "4"], "--days"),
    ],
)
def test_an_option_that_would_swallow_another_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], option: str
) -> None:
    """An option of one value cannot be repeated."""
    assert main(words) == 2
    assert f"{option} is given twice: leave one out" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ([], [], logging.WARNING),
        (["-v"], [], logging.INFO),
        ([], ["-v"], logging.INFO),
        ([], ["--verbose"], logging.INFO),
        ([], ["-vv"], logging.DEBUG),
        (["-v"], ["-v"], logging.DEBUG),
    ],
)
def test_v_works_before_and_after_the_command(before: list[str], after: list[str], level: int) -> None:
    """-v can be given before, after, and several times."""
    main([*before, "status", *after, "--store", "sqlite:missing.db"])
    assert logging.getLogger("ghtraffic_action").level == level


@pytest.mark.parametrize("flag", ["--legacy-csv", "--article-files"])
def test_both_names_of_the_legacy_files_work(online: FakeGitHub, caplog: pytest.LogCaptureFixture, flag: str) -> None:
    """The old name warns, in a run and in an export."""
    assert online
    assert main(["collect", NAME, flag]) == 0
    assert Path("ghtraffic-export/top_paths/top_paths.csv").exists()
    assert main(["export", flag]) == 0
    warned = [line for line in caplog.messages if "it was renamed to legacy-csv" in line]
    assert len(warned) == (2 if flag == "--article-files" else 0)


@pytest.mark.e2e
def test_output_that_nobody_reads_to_its_end_is_no_failure(online: FakeGitHub) -> None:
    """`ghtraffic status | head -1` exits with the status's own code and no message."""
    assert online
    online.now = None
    assert main(["collect", NAME]) == 0
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    reader, writer = os.pipe()
    os.close(reader)
    command = [*PROGRAM, "status"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=environ)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_ends_with_its_command() -> None:
    """It writes all of its output, and does not wait for threads."""
    code = """
import sys
from threading import Event, Thread
from ghtraffic_action.cli import run_and_exit
Thread(target=Event().wait).start()
sys.argv[1:] = ["--version"]
run_and_exit()
"""
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=environ
    )
    assert done.stdout.startswith("ghtraffic, version ")


@pytest.mark.e2e
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE"])
def test_a_file_of_somebody_else_s_is_not_the_standard_output(variable: str) -> None:
    """A missing file that an environment variable names is reported by its name."""
    environ = {
        "PYTHONPATH": str(ROOT),
        "AWS_DEFAULT_REGION": "us-east-1",
        variable: "/no/file",
        "HOME": str(Path.cwd()),
    }
    environ |= {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_ENDPOINT_URL": "https://127.0.0.1:9"}
    if variable == "REQUESTS_CA_BUNDLE":
        environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    command = [*PROGRAM, "status", "--store", "dynamodb://traffic"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 1
    assert f"{variable} cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert "standard output" not in done.stderr


@pytest.mark.parametrize(
    ("event", "payload", "warned"),
    [
        ("schedule", {"schedule": "17 3 * * *"}, True),
        ("schedule", {"schedule": "17 12 * * *"}, False),
        ("schedule", {"schedule": 5}, False),
        ("schedule", [], False),
        ("workflow_dispatch", {"schedule": "17 3 * * *"}, False),
    ],
)
def test_a_schedule_that_misses_yesterday_is_said(event: str, payload: object, *, warned: bool) -> None:
    """The warning is based on the job's event."""
    Path("event.json").write_text(json.dumps(payload))
    found = schedule_warning({"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": "event.json"})
    assert ("`17 3 * * *` runs outside 10:00-20:00 UTC" in found) is warned
    assert schedule_warning({"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": "missing.json"}) == ""
    assert schedule_warning({"GITHUB_EVENT_NAME": event}) == ""


def test_the_summary_says_that_the_schedule_misses_yesterday(
    online: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The job summary has the warning, since nobody runs `doctor` in a job."""
    assert online
    Path("event.json").write_text('{"schedule": "17 3 * * *"}')
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": "event.json"}
    job |= {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output"}
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    assert main(["collect", NAME, "--store", "sqlite:x.db", "--export-to", str(tmp_path / "export")]) == 0
    assert "GitHub lists yesterday only from about" in Path("summary.md").read_text()
