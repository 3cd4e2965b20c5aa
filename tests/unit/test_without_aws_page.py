"""The page about collecting without AWS: its schedules work, and its files are valid."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from tests.support.builders import NAME, ROOT, TOKEN
from tests.support.fake_github import FakeGitHub

PAGE = (ROOT / "docs" / "without-aws.md").read_text()
SETTINGS, SERVICE, TIMER = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)


def test_the_file_of_settings_is_all_that_a_schedule_needs(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With its lines, a token and a repository, `collect` writes to the places that they name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    (tmp_path / "traffic").mkdir()  # the page has it made first
    words = {"github_pat_…": TOKEN, "OWNER/NAME OWNER/OTHER": NAME}
    for line in SETTINGS.splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, words.get(value, value))
    assert main(["collect"]) == 0
    assert (tmp_path / "traffic" / "ghtraffic.db").exists()
    assert (tmp_path / "traffic" / "export" / "v1" / "latest" / "repositories.csv").exists()


def test_every_schedule_runs_the_same_command() -> None:
    """cron, systemd and the container run `ghtraffic collect` with the file of settings and no flags."""
    [cron] = re.findall(r"```cron\n(.*?)\n```", PAGE, re.DOTALL)
    assert cron.endswith("; . $HOME/.config/ghtraffic.env; $HOME/ghtraffic-venv/bin/ghtraffic collect")
    assert cron.startswith("17 11 * * * set -a;")
    assert 'ENTRYPOINT ["ghtraffic"]\nCMD ["collect"]' in PAGE


def test_units_are_well_formed() -> None:
    """The service ends by itself, and the timer catches up on missed runs."""
    service, timer = (ConfigParser(interpolation=None) for _ in range(2))
    service.read_string(SERVICE)
    timer.read_string(TIMER)
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["EnvironmentFile"] == "%h/.config/ghtraffic.env"
    assert service["Service"]["ExecStart"] == "%h/ghtraffic-venv/bin/ghtraffic collect"
    assert timer["Timer"]["Persistent"] == "true"
    hour, minute = re.findall(r"(\d\d):(\d\d):00 UTC", timer["Timer"]["OnCalendar"])[0]
    assert 10 <= int(hour) < 20
    assert int(minute) % 2
