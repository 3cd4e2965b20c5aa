"""Fixtures that run the Action by `act` in host mode, on loopback only."""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copy2
from typing import Any

import pip
import pytest

from tests.support.builders import NAME, ROOT, TOKEN
from tests.support.cli import WHEELS
from tests.support.fake_github import FakeGitHub
from tests.support.git import git
from tests.support.runner import BIN, PINS, Job, RunJob, read_job


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the Action as a runner fetches it: files that git knows."""
    folder = tmp_path_factory.mktemp("action")
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.yml",
            "install.py",
            "requirements.txt",
            "requirements-uv.txt",
            "ghtraffic_action",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter with pip only, without the INPUT_* variables that act, unlike GitHub, shows to steps."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    [packages] = folder.glob("venv/lib/python*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)  # to install it takes seconds
    wrapper = folder / "python"
    wrapper.write_text(f'#!/usr/bin/env bash\nunset "${{!INPUT_@}}"\nexec {folder}/venv/bin/python "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


@pytest.fixture(scope="session")
def ready_python(tmp_path_factory: pytest.TempPathFactory, action: Path, bare_python: Path) -> Path:
    """Return an interpreter in which the Action's install step has run once, since it takes seconds.

    In the place of the step it repeats its output, and the compiled modules are kept for the next job.
    """
    folder = tmp_path_factory.mktemp("installed")
    output = folder / "output"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "RUNNER_TEMP": str(folder)}
    command: list[str | Path] = [bare_python, "-I", action / "install.py"]
    subprocess.run(command, env=environ | WHEELS | {"GITHUB_OUTPUT": str(output)}, check=True)
    wrapper = folder / "python"
    wrapper.write_text(
        "#!/usr/bin/env bash\n"
        f'case "$*" in "-I "*/install.py) exec cat {output} >> "$GITHUB_OUTPUT" ;; esac\n'
        f'unset PYTHONDONTWRITEBYTECODE\nexec {bare_python} "$@"\n'
    )
    wrapper.chmod(0o755)
    return wrapper


@pytest.fixture
def run_job(request: pytest.FixtureRequest, action: Path, tmp_path: Path, github: FakeGitHub) -> RunJob:
    """Return a function that runs a workflow file in a checkout: `run_job(text, event=…, inputs=…, files=…)`.

    The Action's requirements are those of all tests, unless a test is marked to install its own.
    """
    installs = request.node.get_closest_marker("installs")
    python: Path = request.getfixturevalue("bare_python" if installs else "ready_python")

    def run(  # noqa: PLR0913 - independent settings with defaults
        text: str,
        *,
        event: str = "schedule",
        inputs: dict[str, Any] | None = None,
        env: dict[str, str] | None = None,
        files: dict[str, str] | None = None,
        private: bool = False,
    ) -> Job:
        checkout = tmp_path / "checkout"
        for name, content in {".github/workflows/traffic.yml": text, **(files or {})}.items():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_text(content)
        subprocess.run(["git", "init", "--quiet", checkout], check=True)
        payload = tmp_path / "event.json"
        found = {"full_name": NAME, "private": private}
        payload.write_text(json.dumps({"inputs": inputs or {}, "repository": found}))
        seen = {
            "GHTRAFFIC_API_URL": github.url,
            "GITHUB_REPOSITORY": NAME,
            "TEST_PYTHON": str(python),
            "TEST_SDK_PYTHON": sys.executable,
            **WHEELS,
            **(env or {}),
        }
        command: list[str | Path] = [BIN / "act", event, "-P", "ubuntu-latest=-self-hosted"]
        command += ["--no-cache-server", "--no-skip-checkout", "--json", "-e", payload]
        command += ["-s", f"TRAFFIC_TOKEN={TOKEN}"]
        for name, pin in PINS.items():
            command += ["--local-repository", f"{pin}={ROOT / 'tests' / 'runner' / name}"]
        uses = next(
            line.split("uses:")[1].split("#")[0].strip() for line in text.splitlines() if "ghtraffic/ghtraffic@" in line
        )
        command += ["--local-repository", f"{uses}={action}"]
        for name, value in seen.items():
            command += ["--env", f"{name}={value}"]
        done = subprocess.run(
            command,
            cwd=checkout,
            env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return read_job(done)

    return run


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """Return the user's repository as GitHub has it: one branch with one file."""
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", remote.name)
    message = "commit refs/heads/main\ncommitter octo <octo@example.invalid> 1 +0000\ndata 0\n"
    message += "M 100644 inline README.md\ndata 2\nhi\n"
    git(remote, "fast-import", "--quiet", stdin=message)
    return remote
