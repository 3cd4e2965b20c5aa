"""A GitHub App instead of a token: each owner has one token, used for that owner's repositories only."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat

from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.errors import GitHubError, QuotaError, SettingsError
from ghtraffic_action.github.app import App
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.lists import ListingError
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.runtime import Runtime, hide_nothing
from ghtraffic_action.secrets import read_credentials
from ghtraffic_action.settings import Settings, read_settings
from tests.support.aws import Aws
from tests.support.builders import NOW, repository
from tests.support.fake_github import Answer, FakeGitHub, Refusal, Request, Response
from tests.support.keys import PKCS1, PKCS8, app_key, rsa_key, write_pem
from tests.support.runtime import no_wait_limiter, no_wait_runtime

OURS = ("octo-lab/lighthouse", "octo-lab/buoy")
THEIRS = "deep-sea/wreck"
TOKENS = r"POST /app/installations/\d+/access_tokens"
SUSPENDED = Answer(403, {"message": "This installation has been suspended", "status": "403"})
UNDECODABLE = Answer(401, {"message": "A JSON web token could not be decoded", "status": "401"})
UNKNOWN_APP = Answer(404, {"message": "Integration not found", "status": "404"})
RSA = rsa_key(1024)
KEY = app_key(1024)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Return a fake GitHub with two owners who installed the App; no other token is valid."""
    repositories = [repository(name, id=7 + at) for at, name in enumerate((*OURS, THEIRS))]
    with FakeGitHub(repositories, now=NOW, installed=("octo-lab", "Deep-Sea")) as fake:
        yield fake


@pytest.fixture
def asking(github: FakeGitHub) -> Iterator[GitHub]:
    with closing(GitHub(App("12", KEY), github.url, no_wait_limiter(), Runtime(now=lambda: github.now))) as made:
        yield made


@pytest.fixture
def settings(github: FakeGitHub) -> Settings:
    return read(github, f"{' '.join(OURS)} {THEIRS}")


def read(github: FakeGitHub, repositories: str, key: str = KEY) -> Settings:
    environ = {
        "GITHUB_API_URL": github.url,
        "GHTRAFFIC_REPOSITORIES": repositories,
        "GHTRAFFIC_GITHUB_APP": "12",
        "GHTRAFFIC_GITHUB_APP_KEY": key,
    }
    return read_settings("collect", environ)


def problems(**values: str) -> list[str]:
    """Return the lines of the error that refuses these credentials."""
    given = {f"GHTRAFFIC_{name.upper()}": value for name, value in values.items()}
    with pytest.raises(SettingsError) as refused:
        read_settings("collect", {"GHTRAFFIC_REPOSITORIES": "ann/tool", **given})
    return str(refused.value).splitlines()


def opened_with(github: FakeGitHub, line: str) -> set[str]:
    """Return the tokens of the requests whose line begins with a text."""
    found = (request for request in github.requests if request.line.startswith(line))
    return {request.headers["Authorization"].split("_")[1] for request in found}


@pytest.mark.e2e
def test_an_app_collects_from_each_owner_with_a_token_of_its_own(github: FakeGitHub, settings: Settings) -> None:
    """Requests for one owner's repositories never have the other owner's token."""
    report = run(settings, no_wait_runtime(lambda: github.now))
    assert (report.exit_code, len(report.collected)) == (0, 3)
    assert report.warnings == ()
    for owner in ("octo-lab", "deep-sea"):
        assert opened_with(github, f"GET /repos/{owner}/") == {owner}
    assert len([request for request in github.requests if request.line == "POST /graphql"]) == 2


@pytest.mark.e2e
def test_tokens_are_made_once(github: FakeGitHub, settings: Settings) -> None:
    """All threads of a run share one installation lookup and one token per owner."""
    github.delay = 0.02
    run(settings, no_wait_runtime(lambda: github.now))
    asked = [request.line for request in github.requests if "installation" in request.line]
    assert sorted(asked) == [
        "GET /users/deep-sea/installation",
        "GET /users/octo-lab/installation",
        "POST /app/installations/1001/access_tokens",
        "POST /app/installations/1002/access_tokens",
    ]


@pytest.mark.e2e
def test_batches_side_by_side_share_a_token(github: FakeGitHub, asking: GitHub) -> None:
    """Three queries for one owner start together before there is a token, and only one is created."""
    names = [f"octo-lab/boat-{number}" for number in range(201)]
    github.repositories = [repository(name, id=1000 + at) for at, name in enumerate(names)]
    github.delay = 0.02
    assert len(asking.look_up(names).found) == 201
    assert [request.line.partition(" ")[0] for request in github.requests] == [
        *("GET", "POST", "POST", "POST", "POST"),
        "GET",
    ]
    assert github.requests[-1].line == "GET /rate_limit"


def test_token_is_made_anew_before_it_ends(github: FakeGitHub, asking: GitHub) -> None:
    """A run longer than a token's hour creates another token."""
    asking.look_up(OURS)
    github.now += timedelta(minutes=45)
    asking.look_up(OURS)
    assert len([1 for request in github.requests if "access_tokens" in request.line]) == 1
    github.now += timedelta(minutes=10)
    asking.look_up(OURS)
    assert len([1 for request in github.requests if "access_tokens" in request.line]) == 2
    assert github.requests[-1].headers["Authorization"].endswith("_1")


def test_owner_in_any_case_is_one_owner(github: FakeGitHub, asking: GitHub) -> None:
    """`Octo-Lab/…` and `octo-lab/…` share a token and a query."""
    described = asking.look_up([OURS[0].upper(), OURS[1]])
    assert len(described.found) == 2
    assert len([1 for request in github.requests if "access_tokens" in request.line]) == 1
    assert len([1 for request in github.requests if request.line == "POST /graphql"]) == 1


@pytest.mark.e2e
def test_many_owners_leave_few_connections() -> None:
    """A thread keeps the connections of its last four tokens: with many owners it would run out of files."""
    owners = [f"owner-{number}" for number in range(12)]
    repositories = [repository(f"{owner}/x", id=number) for number, owner in enumerate(owners, 1)]
    with (
        FakeGitHub(repositories, now=NOW, installed=owners) as github,
        closing(GitHub(App("12", KEY), github.url, RateLimiter(Event()), Runtime(now=lambda: NOW))) as made,
    ):
        for owner in owners:
            assert len(made.look_up([f"{owner}/x"]).found) == 1
        assert eventually(lambda: served() <= 4)


def served() -> int:
    """Return the number of connections that the fakes of this process serve."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait up to two seconds for a condition: connections close with a delay."""
    deadline = time.monotonic() + 2
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def test_names_of_an_owner_are_asked_with_its_token(github: FakeGitHub, asking: GitHub) -> None:
    """`OWNER/*` finds what the installation shows."""
    assert [found.name for found in asking.list_repositories("octo-lab")] == [*OURS]
    assert opened_with(github, "POST /graphql") == {"octo-lab"}


@pytest.mark.parametrize("kind", ["users", "orgs"])
def test_installation_is_found_at_users_and_organisations(github: FakeGitHub, asking: GitHub, kind: str) -> None:
    """If the owner is unknown at one of the two addresses, the other one is requested."""
    github.refuse(Refusal.NOT_FOUND, path=f"/{kind}/")
    assert len(asking.look_up(OURS).found) == 2


def test_owner_without_the_app_is_refused_alone(github: FakeGitHub) -> None:
    """Its repositories come with the remedy, after three requests in all for it; the other owner is collected."""
    with FakeGitHub(github.repositories, now=NOW, installed=["octo-lab"]) as other:
        report = run(read(other, f"{OURS[0]} {THEIRS} deep-sea/reef"), Runtime(now=lambda: NOW))
        assert [found.name for found in report.collected] == [OURS[0]]
        assert [found.name for found in report.failed] == ["deep-sea/reef", THEIRS]
        for found in report.failed:
            (error,) = found.errors
            assert error == (
                "the GitHub App is not installed at deep-sea: install it there: the App's settings, Install App, "
                "deep-sea, and select the repositories"
            )
        asked = [request.line for request in other.requests if "deep-sea" in request.line]
        assert asked == ["GET /users/deep-sea/installation", "GET /orgs/deep-sea/installation"]


def test_suspended_installation_is_reported(github: FakeGitHub, asking: GitHub) -> None:
    """The owner who can lift it is named; the other owner's repositories are found."""
    github.refuse(SUSPENDED, path="/app/installations/1002/")
    described = asking.look_up([*OURS, THEIRS])
    assert {found.name for found in described.found} == set(OURS)
    assert "the App's installation at deep-sea is suspended (403): let an owner" in str(described.refused[THEIRS])


def test_installation_suspended_during_the_run_is_reported(github: FakeGitHub) -> None:
    """Its token opens nothing from then on: the remedy is the owner's, and the others are collected."""
    github.refuse(SUSPENDED, path="/deep-sea/.*traffic")
    report = run(read(github, "installed"), no_wait_runtime(lambda: github.now))
    assert {found.name for found in report.collected} == set(OURS)
    [failed] = report.failed
    assert "the App's installation is suspended (403): let an owner lift that" in failed.errors[0]


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [(UNDECODABLE, "set `GHTRAFFIC_GITHUB_APP_KEY` to it"), (UNKNOWN_APP, "set `--github-app` to the App ID")],
)
def test_app_that_github_does_not_know_ends_it_all(
    github: FakeGitHub, settings: Settings, answer: Answer, remedy: str
) -> None:
    """A wrong key or id is one error for all owners, and no token is created."""
    github.refuse(answer, path="/installation$")
    with pytest.raises(GitHubError, match=r"^github-app: .*\(40[14]\)") as refused:
        run(settings, no_wait_runtime(lambda: github.now))
    assert remedy in str(refused.value)
    assert not [request for request in github.requests if not request.line.endswith("/installation")]


@pytest.mark.parametrize("body", [None, [], {}, {"id": "x"}, {"token": 7}])
@pytest.mark.parametrize("path", ["/installation$", TOKENS])
def test_odd_answers_are_refusals(github: FakeGitHub, asking: GitHub, path: str, body: object) -> None:
    """An invalid response for an installation or a token is an error of that owner, not a crash."""
    github.refuse(Answer(200, body), path=path)
    described = asking.look_up([OURS[0]])
    assert described.found == ()
    assert "GitHub" in str(described.refused[OURS[0]])


def test_limit_of_one_owner_leaves_the_other(github: FakeGitHub, asking: GitHub) -> None:
    """If one installation has used up its hour, the other continues."""
    spent = Refusal.RATE_LIMITED.value.variant(headers={"X-RateLimit-Reset": str(int(NOW.timestamp()) + 3000)})
    found = {found.name: found for found in asking.look_up([*OURS, THEIRS]).found}
    github.refuse(spent, path="/repos/octo-lab/")
    with pytest.raises(QuotaError, match="used up"):
        asking.observe(found[OURS[0]])()
    assert asking.observe(found[THEIRS])().refusals == ()


def test_both_kinds_of_credentials_at_once_are_refused() -> None:
    """A token and an App together are refused, since either could be meant."""
    assert problems(github_token="github_pat_x", github_app="12", github_app_key=KEY) == [
        "github-token: it is set beside a GitHub App: leave it out, or github-app and github-app-key"
    ]


def test_one_of_the_two_without_the_other_is_refused() -> None:
    """The message names the one that is missing and how to set it."""
    assert problems(github_app="12") == [
        (
            "github-app-key: it is empty, but github-app is set: "
            'set GHTRAFFIC_GITHUB_APP_KEY="$(cat KEY.pem)", a private key of the App'
        )
    ]
    assert problems(github_app_key=KEY) == [
        (
            "github-app: it is empty, but github-app-key is set: add `--github-app ID` or set GHTRAFFIC_GITHUB_APP, "
            "the App ID of the App's settings"
        )
    ]


@pytest.mark.parametrize("app", ["my-app", "12 34", "-1", "Iv", "https://github.com/apps/x"])
def test_malformed_app_is_quoted(app: str) -> None:
    """An App is given by its number or its client id."""
    assert problems(github_app=app, github_app_key=KEY) == [
        f"github-app: {app!r} is not an App's id: write the App ID or the client ID of the App's settings"
    ]


@pytest.mark.parametrize("app", ["1", "123456", "Iv1.8a61f9b3a7aba766", "Iv23liAbCdEfGhIjKlMn"])
def test_app_is_a_number_or_a_client_id(github: FakeGitHub, app: str) -> None:
    """Both forms pass as they are, on the command line too."""
    environ = {"GHTRAFFIC_REPOSITORIES": THEIRS, "GHTRAFFIC_GITHUB_APP_KEY": KEY, "GITHUB_API_URL": github.url}
    assert read_settings("collect", environ, {"github_app": app}).github_app == app


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "MIIEpAIBAAKCAQEAsecret",
        KEY[:300],
        "-----BEGIN RSA PRIVATE KEY-----\n-----END PRIVATE KEY-----",
        write_pem(RSA, password=b"x"),
        json.dumps({"key": KEY}),
    ],
    ids=["text", "no frame", "cut", "odd frame", "locked", "JSON"],
)
def test_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    """An invalid key is not quoted, whatever it is."""
    assert problems(github_app="12", github_app_key=key) == [
        (
            "github-app-key: it is no private key in PEM: copy the whole .pem file that GitHub made, "
            "from -----BEGIN to the last line"
        )
    ]


@pytest.mark.parametrize(
    "written",
    [lambda key: key, lambda key: key.replace("\n", "\\n"), lambda key: key.replace("\n", "\r\n") + "\n\n"],
    ids=["as it is", "literal", "Windows"],
)
@pytest.mark.parametrize("form", [PKCS1, PKCS8], ids=["PKCS1", "PKCS8"])
def test_key_may_come_as_variables_hold_it(
    github: FakeGitHub, written: Callable[[str], str], form: PrivateFormat
) -> None:
    """A key works with Windows line ends, and with backslash and n in the place of line ends."""
    settings = read(github, THEIRS, written(write_pem(RSA, form)))
    assert settings.github_app_key == write_pem(RSA, form).strip()
    assert run(settings, no_wait_runtime(lambda: github.now)).exit_code == 0


@pytest.mark.parametrize("key", [write_pem(ec.generate_private_key(ec.SECP256R1()), PKCS8), KEY.replace("MII", "AAA")])
def test_key_that_cannot_sign_is_a_wrong_setting(github: FakeGitHub, key: str) -> None:
    """A key of another kind or a damaged one is found before anything is asked."""
    with pytest.raises(SettingsError, match="github-app-key: it is not an RSA private key"):
        run(read(github, THEIRS, key), no_wait_runtime(lambda: github.now))
    assert github.requests == []


def test_key_is_never_shown(settings: Settings) -> None:
    """Neither `repr` of the settings nor of the App has the key."""
    line = KEY.splitlines()[3]
    assert line not in repr(settings)
    assert line not in repr(read_credentials(settings, hide_nothing))


def test_key_may_lie_in_a_parameter(
    github: FakeGitHub, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is read decrypted and masked in Actions; an invalid one is a wrong setting."""
    assert aws.url
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/app/key", Value=KEY, Type="SecureString", Overwrite=True)
    ssm.put_parameter(Name="/app/odd", Value="no key", Type="SecureString", Overwrite=True)
    ssm.close()
    assert read_credentials(read(github, THEIRS, "ssm:/app/key"), hide_nothing) == App("12", KEY.strip())
    with pytest.raises(SettingsError, match="ssm:/app/odd: it holds no private key in PEM"):
        read_credentials(read(github, THEIRS, "ssm:/app/odd"), hide_nothing)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name, value in {
        "GITHUB_API_URL": github.url,
        "GHTRAFFIC_REPOSITORIES": THEIRS,
        "GHTRAFFIC_GITHUB_APP_KEY": "ssm:/app/key",
        "GHTRAFFIC_STORE": aws.store,
        "GHTRAFFIC_EXPORT_TO": aws.export_to,
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["collect", "--github-app", "12"]) == 0
    printed, errors = capsys.readouterr()
    for line in KEY.strip().splitlines():
        assert f"::add-mask::{line}\n" in errors
        assert line not in printed + errors.replace(f"::add-mask::{line}\n", "")


@pytest.mark.e2e
def test_tokens_that_an_app_makes_are_hidden(github: FakeGitHub, settings: Settings) -> None:
    """Each token is passed to `hide` before it is used."""
    hidden: list[str] = []
    assert run(settings, Runtime(now=lambda: github.now, hide=hidden.append)).exit_code == 0
    used = {request.headers["Authorization"].rpartition(" ")[2] for request in github.requests}
    assert {token for token in used if token.startswith("ghs_")} == set(hidden)
    assert len(hidden) == 2


def test_tokens_of_an_app_are_masked_in_actions(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command masks them on standard error; standard output stays the report, as JSON."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GHTRAFFIC_REPOSITORIES": THEIRS,
        "GHTRAFFIC_GITHUB_APP_KEY": KEY,
        "GHTRAFFIC_STORE": f"sqlite:{tmp_path / 'traffic.db'}",
        "GHTRAFFIC_EXPORT_TO": str(tmp_path / "export"),
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["collect", "--github-app", "12", "--json"]) == 0
    printed, errors = capsys.readouterr()
    assert json.loads(printed)["exit_code"] == 0
    assert "::add-mask::ghs_deep-sea_0\n" in errors
    assert "ghs_" not in errors.replace("::add-mask::ghs_deep-sea_0\n", "")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("refusal", "what"),
    [
        (Refusal.BAD_CREDENTIALS, "GitHub does not accept the token that it made for the App (401)"),
        (
            Refusal.NOT_ACCESSIBLE_BY_INTEGRATION,
            "the App lacks the repository permission Administration: read on it (403)",
        ),
        (Refusal.NOT_FOUND, "there is no such repository, or the App cannot see it (404)"),
    ],
)
def test_refusal_of_an_app_speaks_of_no_token_of_the_user(
    github: FakeGitHub, settings: Settings, refusal: Refusal, what: str
) -> None:
    """Problem and remedy name the App, since the user has no token."""
    github.refuse(refusal, path=f"/repos/{THEIRS}/traffic/")
    report = run(settings, no_wait_runtime(lambda: github.now))
    [failed] = report.failed
    assert failed.name == THEIRS
    assert failed.errors[0].startswith(f"{what}: ")
    assert "github-token" not in failed.errors[0].replace("_", "-").lower()


@pytest.mark.parametrize(
    ("platform", "key", "app"),
    [
        ("Actions", "`github-app-key`", "`github-app`"),
        ("Lambda", "the SSM parameter that `AppKeyParameter` names", "`AppId`"),
        ("", "`GHTRAFFIC_GITHUB_APP_KEY`", "`--github-app`"),
    ],
)
def test_remedy_names_the_setting_of_the_platform(github: FakeGitHub, platform: str, key: str, app: str) -> None:
    """The remedy is an input in Actions, a parameter in the Lambda, and a variable or flag elsewhere."""
    github.refuse(UNDECODABLE, path="/installation")
    made = GitHub(App("12", KEY), github.url, no_wait_limiter(), Runtime(now=lambda: github.now), platform)
    with closing(made), pytest.raises(GitHubError) as refused:
        made.look_up(OURS)
    assert f"set {key} to it and {app} to the App ID" in str(refused.value)


def test_number_of_repositories_that_cannot_be_true_is_an_error(github: FakeGitHub, asking: GitHub) -> None:
    """An impossible count does not cause millions of requests."""
    github.refuse(Answer(200, {"total_count": 2**50, "repositories": []}), path="/installation/repositories")
    with pytest.raises(ListingError, match="total_count is 1125899906842624"):
        asking.list_repositories("installed")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("answer", "why"), [(SUSPENDED, "deep-sea is suspended (403): let"), (Refusal.SERVER_ERROR_JSON.value, "(502)")]
)
def test_list_of_one_owner_that_fails_leaves_the_others(github: FakeGitHub, answer: Answer, why: str) -> None:
    """An owner can suspend the App at any time: the repositories of the others are collected, and the run fails."""
    github.refuse(answer, path="/app/installations/1002/")
    report = run(read(github, "installed"), no_wait_runtime(lambda: github.now))
    assert {found.name for found in report.collected} == set(OURS)
    [failed] = report.failed
    assert failed.name == "installed"
    assert failed.errors[0].startswith("the lists of 1 of 2 owners cannot be read, that of deep-sea: ")
    assert why in failed.errors[0]
    assert report.exit_code == 1
    without = run(read(github, "installed !Deep-Sea/*"), no_wait_runtime(lambda: github.now))
    assert {found.name for found in without.collected} == set(OURS)
    assert without.exit_code == 0


def test_lists_of_all_owners_that_fail_are_one_error(github: FakeGitHub) -> None:
    """Nothing is left to collect."""
    github.refuse(SUSPENDED, path=TOKENS)
    with pytest.raises(GitHubError, match=r"^installed: the lists of 2 of 2 owners cannot be read, that of octo-lab: "):
        run(read(github, "installed"), no_wait_runtime(lambda: github.now))


def test_installation_at_an_enterprise_has_no_repositories(github: FakeGitHub, asking: GitHub) -> None:
    """Its account has no login; nor has the account of an owner who is gone."""
    ours = {"id": 1001, "account": {"login": "Octo-Lab"}}
    enterprise = {"id": 1003, "account": {"slug": "big", "name": "Big"}}
    github.refuse(Answer(200, [enterprise, {"id": 1004, "account": None}, ours]), path="/app/installations$")
    assert {found.name for found in asking.list_repositories("installed")} == set(OURS)


class ShrinkingGitHub(FakeGitHub):
    """GitHub with 130 repositories; one is removed when the first page of their list was read."""

    def serve(self, request: Request) -> Response | None:
        """Remove the repository after the page."""
        response = super().serve(request)
        if "page=1&" in request.path and len(self.repositories) == 130:
            del self.repositories[5]
        return response


def test_list_that_changes_while_it_is_read_is_read_again() -> None:
    """The repository that moved to the page before is found too."""
    many = [repository(f"octo-lab/boat-{at:03}", id=at + 1) for at in range(130)]
    with (
        ShrinkingGitHub(many, now=NOW, installed=("octo-lab",)) as github,
        closing(GitHub(App("12", KEY), github.url, no_wait_limiter(), Runtime(now=lambda: NOW))) as asking,
    ):
        found = {entry.name for entry in asking.list_repositories("installed")}
        assert found >= {entry.name for entry in github.repositories}
