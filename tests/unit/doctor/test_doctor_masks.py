"""`ghtraffic doctor` in Actions masks the secrets that it reads and creates, on standard error."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ghtraffic_action.cli import main
from tests.support.aws import Aws
from tests.support.builders import NAME, NOW, TOKEN, repository
from tests.support.fake_github import FakeGitHub
from tests.support.keys import app_key

KEY = app_key(1024)


@pytest.fixture
def installed() -> Iterator[FakeGitHub]:
    """Return a fake GitHub with an App that one owner has installed."""
    with FakeGitHub([repository("octo-lab/buoy", id=8)], now=NOW, installed=("octo-lab",)) as github:
        yield github


def look(monkeypatch: pytest.MonkeyPatch, github: FakeGitHub, *words: str, **environ: str) -> None:
    """Run the command as a step of Actions."""
    store, export = f"sqlite:{Path.cwd() / 'traffic.db'}", str(Path.cwd() / "export")
    given = {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": github.url}
    given |= {"GHTRAFFIC_STORE": store, "GHTRAFFIC_EXPORT_TO": export}
    for name, value in (given | environ).items():
        monkeypatch.setenv(name, value)
    main(["doctor", *words])


def masked(errors: str) -> list[str]:
    return [line.removeprefix("::add-mask::") for line in errors.splitlines() if line.startswith("::add-mask::")]


def unmasked(errors: str) -> str:
    return "\n".join(line for line in errors.splitlines() if not line.startswith("::add-mask::"))


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_token_of_a_parameter_is_masked(
    github: FakeGitHub, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str]
) -> None:
    """The secret appears only in a mask; standard output has only the findings, also as JSON."""
    assert aws.url
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/doctor/token", Value=TOKEN, Type="SecureString", Overwrite=True)
    ssm.close()
    settings = {"GHTRAFFIC_REPOSITORIES": NAME, "GHTRAFFIC_GITHUB_TOKEN": "ssm:/doctor/token"}
    look(monkeypatch, github, *words, **settings)
    printed, errors = capsys.readouterr()
    assert masked(errors) == [TOKEN]
    assert TOKEN not in printed + unmasked(errors)
    assert "github-token: a fine-grained token" in (json.loads(printed)["findings"][0]["what"] if words else printed)


def test_what_an_app_has_and_makes_is_masked(
    installed: FakeGitHub, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line of the App's key and each installation's token are masked."""
    assert aws.url
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/doctor/key", Value=f"{KEY}\n\n", Type="SecureString", Overwrite=True)
    ssm.close()
    settings = {"GHTRAFFIC_REPOSITORIES": "octo-lab/buoy", "GHTRAFFIC_GITHUB_APP": "12"}
    look(monkeypatch, installed, **settings, GHTRAFFIC_GITHUB_APP_KEY="ssm:/doctor/key")
    printed, errors = capsys.readouterr()
    tokens = {line for line in masked(errors) if line.startswith("ghs_")}
    used = {request.headers["Authorization"].rpartition(" ")[2] for request in installed.requests}
    assert tokens
    assert tokens == {token for token in used if token.startswith("ghs_")}
    assert set(KEY.strip().splitlines()) <= set(masked(errors))
    assert "" not in masked(errors)
    for secret in masked(errors):
        assert secret not in printed + unmasked(errors)


def test_nothing_is_masked_elsewhere(
    installed: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a terminal a mask would show the secret."""
    settings = {"GHTRAFFIC_REPOSITORIES": "octo-lab/buoy", "GHTRAFFIC_GITHUB_APP": "12"}
    look(monkeypatch, installed, **settings, GHTRAFFIC_GITHUB_APP_KEY=KEY, GITHUB_ACTIONS="")
    printed, errors = capsys.readouterr()
    assert "add-mask" not in printed + errors
    assert "ghs_" not in printed + errors
