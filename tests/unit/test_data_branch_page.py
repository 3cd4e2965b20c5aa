"""The page about a history without AWS: its commands work, and its files are well-formed."""

import json
import re
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from tests.support.builders import NAME, ROOT, TOKEN
from tests.support.fake_github import FakeGitHub

PAGE = (ROOT / "docs" / "data-branch.md").read_text()


def test_each_schedule_collects(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands of cron, systemd and the container keep the history in one file, and the export beside it."""
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    commands = re.findall(r"ghtraffic (collect OWNER/REPO --store [^'\n]+)", PAGE)
    assert len(commands) == 3
    for number, command in enumerate(commands):
        folder = tmp_path / str(number)
        folder.mkdir()
        words = re.sub(r"/var/lib/ghtraffic|/data", str(folder), command).replace("OWNER/REPO", NAME)
        assert main(shlex.split(words)) == 0
        assert json.loads((folder / "ghtraffic.jsonl").read_text().splitlines()[-1])["records"] == 16
        assert (folder / "export" / "v1" / "latest" / "repositories.csv").exists()


def test_units_are_well_formed() -> None:
    """A service that ends by itself, and a timer between 10:00 and 20:00 UTC that catches up."""
    service, timer = (ConfigParser(interpolation=None) for _ in range(2))
    for unit, text in zip((service, timer), re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL), strict=True):
        unit.read_string(text)
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["EnvironmentFile"] == "/var/lib/ghtraffic/token.env"
    assert timer["Timer"]["Persistent"] == "true"
    hour, minute = re.findall(r"(\d\d):(\d\d):00 UTC", timer["Timer"]["OnCalendar"])[0]
    assert 10 <= int(hour) < 20
    assert int(minute) % 2
