"""Secrets in settings: where they are allowed, that they are never quoted, and why one is empty."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.errors import SettingsError
from ghtraffic_action.settings import read_settings

FINE_GRAINED = "github_pat_11AAAAAAA0" + "aB3" * 20
CLASSIC = "ghp_" + "aB3d" * 9
INSTALLATION = "ghs_" + "aB3d" * 9
BODY = "\n".join("MIIEowIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ+/" for _ in range(4))
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----"
ENOUGH = {"GHTRAFFIC_REPOSITORIES": "ann/tool", "GHTRAFFIC_GITHUB_TOKEN": FINE_GRAINED}
ACTIONS = ENOUGH | {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "ann/tool",
    "GHTRAFFIC_STORE": "dynamodb://traffic",
    "GHTRAFFIC_EXPORT_TO": "s3://bucket/traffic",
}
OURS = "A-secret-of-ours.1"
SECRETS = (FINE_GRAINED, CLASSIC, INSTALLATION, PEM, PEM.replace("\n", "\\n"), f"ann/{CLASSIC}", OURS)
OPEN_SETTINGS = ("repositories", "github_app", "store", "export_to", "summary", "dry_run", "legacy_csv", "max_wait")


def problems(environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines of the error that refuses these settings."""
    with pytest.raises(SettingsError) as refused:
        read_settings("collect", environ, flags)
    return str(refused.value).splitlines()


@pytest.mark.parametrize("setting", OPEN_SETTINGS)
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("by_flag", [False, True])
def test_secret_in_a_setting_that_is_shown_is_refused_and_not_quoted(
    setting: str, secret: str, *, by_flag: bool
) -> None:
    """It is recognised by its form, or as the environment's token, even if the value would be valid."""
    variable = f"GHTRAFFIC_{setting.upper()}"
    environ = {**ENOUGH, "GH_TOKEN": OURS} | ({} if by_flag else {variable: secret})
    text = "\n".join(problems(environ, {setting: secret} if by_flag else {}))
    assert f"{setting.replace('_', '-')}: it holds a token or a private key, which is not shown here" in text
    assert not any(part in text for part in (secret, *secret.split()) if len(part) > 12)


@pytest.mark.parametrize(
    "value",
    [
        *("ghp_short", "0123456789abcdef0123456789abcdef01234567", "abc/" + "aB3+" * 15),
        *("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "glpat-abcdefghij0123456789", "xoxb-123456789012-abcdefghij"),
    ],
)
@pytest.mark.parametrize("setting", ["repositories", "github_app", "max_wait", "summary"])
def test_value_that_may_be_a_secret_is_not_quoted(setting: str, value: str) -> None:
    """A malformed value that may be a secret, such as an old token or a line of a key, is not quoted."""
    text = "\n".join(problems(ENOUGH, {setting: value}))
    assert "(a value that may be a secret, so that it is not shown)" in text
    assert value not in text


def test_secret_is_kept_out_of_the_summary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither log nor summary of a run that could not start has it."""
    for name, value in (ACTIONS | {"GHTRAFFIC_REPOSITORIES": CLASSIC}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert main(["collect"]) == 2
    assert "Nothing was collected" in (tmp_path / "summary").read_text()
    assert CLASSIC not in (tmp_path / "summary").read_text() + caplog.text


def test_swapped_id_and_key_are_reported() -> None:
    """An App's id and key in each other's place are named as such, and neither is quoted."""
    environ = {"GHTRAFFIC_REPOSITORIES": "ann/tool", "GHTRAFFIC_GITHUB_APP": PEM, "GHTRAFFIC_GITHUB_APP_KEY": "123456"}
    app, key = problems(environ)
    assert app.startswith("github-app: ")
    assert "swapped with github-app-key: exchange the two" in app
    assert key == "github-app-key: it is an App's id: put it into github-app, and a private key here"
    assert BODY.splitlines()[0] not in app + key


@pytest.mark.parametrize("token", [PEM, f"ssm:{CLASSIC}", f"ssm:/{FINE_GRAINED}"])
def test_token_that_is_none_is_not_quoted(token: str) -> None:
    """A key instead of a token, and a token instead of a parameter's name, are refused without being quoted."""
    [problem] = problems(ENOUGH | {"GHTRAFFIC_GITHUB_TOKEN": token})
    assert problem.startswith("github-token: it holds a ")
    assert CLASSIC not in problem
    assert FINE_GRAINED not in problem


def test_names_that_only_resemble_secrets_are_names() -> None:
    """Ordinary names of repositories, tables and folders are not taken for secrets."""
    environ = ENOUGH | {"GHTRAFFIC_REPOSITORIES": "ann/ghp_tools ann/github_pat_x ann/" + "long-name-" * 9}
    backends = {"export_to": "s3://bucket/" + "a" * 60, "store": "sqlite:" + "b" * 50}
    settings = read_settings("collect", environ, backends)
    assert len(settings.repositories) == 3
    [problem] = problems(ENOUGH, {"repositories": "ann/npm_tools/pypi-stats"})
    assert "ann/npm_tools/pypi-stats" in problem


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com",
        "https://api.github.com/",
        "https://API.github.com:443",
        "http://127.0.0.1:8080/",
        "http://localhost:1",
        "https://[::1]:8443/api",
        "http://127.9.9.9:3000/api/v1",
    ],
)
@pytest.mark.parametrize("variable", ["GITHUB_API_URL", "GHTRAFFIC_API_URL"])
def test_token_goes_to_github_and_to_loopback(url: str, variable: str) -> None:
    """The token is sent to https://api.github.com and to this machine, with any path."""
    assert read_settings("collect", ENOUGH | {variable: url}).github_api_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://api.github.com", "is not encrypted"),
        ("https://codeberg.org/api/v1", "is Forgejo or Gitea"),
        ("https://git.example/api/v1/", "is Forgejo or Gitea"),
        ("https://api.github.com.evil.example", "is not GitHub's API"),
        ("https://api.github.com/x", "is not GitHub's API"),
        ("https://api.github.com:8443", "is not GitHub's API"),
        ("https://github.com", "is not GitHub's API"),
        ("http://169.254.169.254", "is not encrypted"),
        ("http://127.0.0.1.evil.example", "is not encrypted"),
        ("https://git.example/api/v3", "is GitHub Enterprise"),
        ("https://api.corp.ghe.com", "is GitHub Enterprise"),
        ("https://user:hunter2@api.github.com", "is not a valid URL"),
        ("https://api.github.com@evil.example", "is not a valid URL"),
        ("https://127.0.0.1:port", "is not a valid URL"),
        ("http://[::1", "is not a valid URL"),
        ("file:///etc/passwd", "is not a valid URL"),
    ],
)
@pytest.mark.parametrize("variable", ["GITHUB_API_URL", "GHTRAFFIC_API_URL"])
def test_token_goes_nowhere_else(url: str, reason: str, variable: str) -> None:
    """Any other address is refused before anything is sent, with the reason and no password."""
    [problem] = problems(ENOUGH | {variable: url})
    assert problem.startswith(f"{variable}: ")
    assert reason in problem
    assert "hunter2" not in problem


def test_own_variable_goes_before_the_runners() -> None:
    """A runner sets GITHUB_API_URL for each step, so tests inside it use GHTRAFFIC_API_URL."""
    environ = ENOUGH | {"GITHUB_API_URL": "https://git.example/api/v1", "GHTRAFFIC_API_URL": "http://127.0.0.1:1"}
    assert read_settings("collect", environ).github_api_url == "http://127.0.0.1:1"


def test_empty_secret_asks_whether_it_is_set() -> None:
    """The error of an empty secret, the most common first failure, says what to check."""
    [problem] = problems(ACTIONS | {"GHTRAFFIC_GITHUB_TOKEN": ""})
    assert "check that the secret is set for this repository (Settings, Secrets and variables, Actions)" in problem
    assert (
        "that the job names its environment if it has one, and that the run is not of a fork or Dependabot." in problem
    )
    assert "add `github-token: ${{ secrets.TRAFFIC_TOKEN }}` below `with:`" in problem
    [problem] = problems(ACTIONS | {"GHTRAFFIC_GITHUB_TOKEN": "", "GHTRAFFIC_GITHUB_APP": "12"})
    assert (
        "github-app-key: it is empty, but github-app is set: check that the secret is set for this repository"
        in problem
    )


def test_empty_secret_of_a_run_that_sees_none_is_reported() -> None:
    """Runs for Dependabot and for pull requests of forks see no secrets, which the error says."""
    without = ACTIONS | {"GHTRAFFIC_GITHUB_TOKEN": ""}
    [problem] = problems(without | {"GITHUB_ACTOR": "dependabot[bot]"})
    assert "this run is Dependabot's" in problem
    [problem] = problems(without | {"GITHUB_EVENT_NAME": "pull_request"})
    assert "sees no secrets if it comes from a fork" in problem


def test_missing_role_and_region_are_noticed_before_aws_is_asked() -> None:
    """Both inputs are required on GitHub's runners without AWS credentials, not on other runners."""
    hosted = ACTIONS | {"RUNNER_ENVIRONMENT": "github-hosted"}
    role, region = problems(hosted)
    assert role.startswith(
        "role-to-assume: it is empty, and the job has no AWS credentials: check that the variable is set"
    )
    assert region.startswith("aws-region: it is empty, and the job has no AWS region")
    given = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_DEFAULT_REGION": "eu-west-1"}
    assert read_settings("collect", hosted | given).store == "dynamodb://traffic"
    assert read_settings("collect", hosted | {"AWS_PROFILE": "traffic"}).store == "dynamodb://traffic"
    assert read_settings("collect", ACTIONS | {"RUNNER_ENVIRONMENT": "self-hosted"}).store == "dynamodb://traffic"
    local = {"GHTRAFFIC_STORE": "sqlite:a.db", "GHTRAFFIC_EXPORT_TO": "export"}
    assert read_settings("collect", hosted | local).store == "sqlite:a.db"
