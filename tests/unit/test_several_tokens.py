"""Several tokens, each for one owner's repositories."""

import json
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.errors import SettingsError
from ghtraffic_action.github.app import Tokens
from ghtraffic_action.secrets import read_credentials
from ghtraffic_action.settings import read_settings, token_entries
from tests.support.builders import NOW, repository
from tests.support.fake_github import FakeGitHub
from tests.support.runtime import no_wait_runtime

GOOD, OTHER = "github_pat_of_the_lab", "github_pat_of_the_sea"
NAMES = "octo-lab/lighthouse sea/buoy"


def environ(tokens: str, url: str = "https://api.github.com") -> dict[str, str]:
    return {
        "GHTRAFFIC_GITHUB_TOKEN": tokens,
        "GITHUB_API_URL": url,
        "GHTRAFFIC_REPOSITORIES": NAMES,
        "GHTRAFFIC_STORE": "sqlite:traffic.db",
        "GHTRAFFIC_EXPORT_TO": "export",
    }


def used(github: FakeGitHub) -> set[tuple[str, str]]:
    """Return the token that each owner's traffic was requested with."""
    return {
        (request.line.split("/")[2], request.headers["Authorization"].rpartition(" ")[2])
        for request in github.requests
        if "/traffic/" in request.line
    }


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (f"Octo-Lab={GOOD}\nsea=ssm:/sea/token", {"octo-lab": GOOD, "sea": "ssm:/sea/token"}),
        (f"sea={OTHER} {GOOD}", {"sea": OTHER, "": GOOD}),
        (GOOD, {}),
        ("ssm:/traffic/tokens", {}),
        (f"GITHUB_TOKEN={GOOD}", {}),
        ("", {}),
    ],
)
def test_owners_stand_before_their_tokens(text: str, entries: dict[str, str]) -> None:
    """A single token needs no owner, and a variable's name is not taken for one."""
    assert token_entries(text) == entries


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (f"octo-lab={GOOD}\nsea={OTHER}", {("octo-lab", GOOD), ("sea", OTHER)}),
        (f"sea={OTHER}\n{GOOD}", {("octo-lab", GOOD), ("sea", OTHER)}),
    ],
)
def test_each_owner_is_asked_with_its_token(tokens: str, expected: set[tuple[str, str]]) -> None:
    """A token without an owner is for all others, and each token has one lookup query."""
    with FakeGitHub([repository(), repository("sea/buoy", id=9)], now=NOW) as github:
        assert run(read_settings("collect", environ(tokens, github.url))).exit_code == 0
        assert used(github) == expected
        assert [request.line for request in github.requests].count("POST /graphql") == 2


def test_a_bad_token_stops_its_owner_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The error has the owner's repository, never the token, and the others are collected."""
    with FakeGitHub([repository(), repository("sea/buoy", id=9)], now=NOW, token=GOOD) as github:
        settings = read_settings("collect", environ(f"octo-lab={GOOD}\nsea={OTHER}", github.url))
        report = run(settings, no_wait_runtime())
    assert [found.name for found in report.collected] == ["octo-lab/lighthouse"]
    [error] = report.all_errors
    assert error.startswith("sea/buoy: GitHub does not know this token (401")
    written = json.dumps(report.all_errors) + caplog.text + Path("export/v1/latest/run.json").read_text()
    assert OTHER not in written
    assert GOOD not in written


def test_an_owner_without_a_token_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The error names the owner, and no other owner's token is used."""
    with FakeGitHub([repository(), repository("sea/buoy", id=9)], now=NOW) as github:
        report = run(read_settings("collect", environ(f"octo-lab={GOOD}", github.url)))
        assert {owner for owner, _ in used(github)} == {"octo-lab"}
    [error] = report.all_errors
    assert error.startswith("sea/buoy: there is no token for sea: add a line sea=TOKEN to ")
    assert GOOD not in error + caplog.text


@pytest.mark.usefixtures("aws")
def test_all_tokens_may_lie_in_one_parameter() -> None:
    """One parameter may have a line per owner, and every token is masked."""
    with closing(boto3.client("ssm")) as ssm:
        for name, value in (("/tokens", f"octo-lab={GOOD}\nsea=ssm:/sea"), ("/sea", OTHER)):
            ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
    hidden: list[str] = []
    credentials = read_credentials(read_settings("collect", environ("ssm:/tokens")), hidden.append)
    assert credentials == Tokens({"octo-lab": GOOD, "sea": OTHER})
    assert {GOOD, OTHER} <= set(hidden)
    assert GOOD not in repr(credentials)


@pytest.mark.parametrize("value", ["x y", "ssm:", '"quoted"'])
def test_a_malformed_token_is_named_by_its_owner(value: str) -> None:
    """The token itself is not shown."""
    with pytest.raises(SettingsError) as caught:
        read_settings("collect", environ(f"octo-lab={GOOD}\nsea={value}"))
    [problem] = str(caught.value).splitlines()
    assert problem.startswith(("github-token: of sea: it is", "github-token: of all others: it is"))
    assert GOOD not in problem
