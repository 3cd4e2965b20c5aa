"""The errors for GitHub's refusals, each with what happened and a remedy."""

from dataclasses import replace

import pytest

from ghtraffic_action.github.errors import Caller, GitHubApiError, error_from_graphql, error_from_response, known_errors
from tests.support.fake_github import Answer, Refusal
from tests.support.github_errors import LASTING

DATE = {"Date": "Mon, 23 Nov 2026 03:17:00 GMT"}
RESET_AT_FOUR = "1795406400"  # 2026-11-23 04:00:00 UTC


def error_of(answer: Answer) -> GitHubApiError:
    """Return the error that a response of GitHub's means."""
    message = answer.body.get("message", "") if isinstance(answer.body, dict) else ""
    return error_from_response(
        answer.status, message, {name.lower(): value for name, value in (DATE | {**answer.headers}).items()}, Caller()
    )


@pytest.mark.parametrize("refusal", LASTING, ids=lambda refusal: refusal.name)
def test_lasting_refusal_has_its_remedy(refusal: Refusal) -> None:
    """A permanent refusal has the status and a remedy, and is not retried."""
    what, remedy = LASTING[refusal]
    found = error_of(refusal.value)
    assert what in found.what
    assert remedy in found.remedy
    assert str(refusal.value.status) in found.what
    assert not found.transient
    assert found.wait == 0


@pytest.mark.parametrize("refusal", LASTING, ids=lambda refusal: refusal.name)
def test_only_a_token_that_is_not_known_stops_everything(refusal: Refusal) -> None:
    """A 401 stops all requests; a repository's own refusal does not."""
    assert error_of(refusal.value).fatal is (refusal is Refusal.BAD_CREDENTIALS)


def test_no_two_lasting_refusals_are_cured_alike() -> None:
    """Each refusal has a different remedy, except for the two statuses of a blocked repository."""
    remedies = [error_of(refusal.value).remedy for refusal in LASTING if refusal is not Refusal.ACCESS_BLOCKED_451]
    assert len(set(remedies)) == len(remedies)


def test_text_reads_what_and_then_cure() -> None:
    """The text of an error is *what happened: what to do*."""
    assert str(GitHubApiError("it is closed", "open it")) == "it is closed: open it"


def test_header_alone_shows_single_sign_on() -> None:
    """X-GitHub-SSO reports that single sign-on is missing, whatever the message says."""
    assert (
        "single sign-on"
        in error_from_response(403, "Something new", {"x-github-sso": "required; url=https://x"}, Caller()).what
    )


@pytest.mark.parametrize("status", [403, 429])
def test_used_up_hour_waits_for_its_reset_by_githubs_clock(status: int) -> None:
    """If the quota of the hour is used up, the wait lasts until the reset, counted from the response's Date."""
    found = error_of(Refusal.RATE_LIMITED.value.variant(status=status, headers={"X-RateLimit-Reset": RESET_AT_FOUR}))
    assert found.transient
    assert not found.fatal
    assert found.wait == 43 * 60 + 1
    assert "04:00 UTC" in found.remedy


def test_reset_that_has_passed_is_waited_for_a_second() -> None:
    """A reset that lies in the past costs one second, never a negative wait."""
    found = error_of(Refusal.RATE_LIMITED.value.variant(headers={"X-RateLimit-Reset": "1795000000"}))
    assert found.wait == 1


@pytest.mark.parametrize(
    ("status", "message"), [(429, ""), (403, "API rate limit exceeded for user ID 1."), (429, "Slow down")]
)
def test_limit_without_a_time_is_waited_for_a_minute(status: int, message: str) -> None:
    """A limit that does not say when it ends is tried again after a minute."""
    found = error_from_response(status, message, {}, Caller())
    assert found.transient
    assert found.wait == 60


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("headers", [{"Retry-After": "17"}, {}])
def test_secondary_limit_waits_as_long_as_github_says(status: int, headers: dict[str, str]) -> None:
    """A secondary limit is a pause: of Retry-After's seconds, or of a minute where it says nothing."""
    answer = replace(Refusal.SECONDARY_RATE_LIMITED.value, headers=headers).variant(status=status)
    found = error_of(answer)
    assert "pause" in found.what
    assert found.transient
    assert found.wait == (17 if headers else 60)


@pytest.mark.parametrize("remaining", ["4990", None])
def test_429_is_a_secondary_limit_while_requests_are_left(remaining: str | None) -> None:
    """Its reset is that of the hour, which the run need not wait for."""
    headers = {"x-ratelimit-reset": "1795410000", **({"x-ratelimit-remaining": remaining} if remaining else {})}
    found = error_from_response(429, "", headers, Caller())
    assert (found.wait, found.too_fast) == (60, True)
    spent = error_from_response(429, "", {**headers, "x-ratelimit-remaining": "0"}, Caller())
    assert not spent.too_fast


def test_retry_after_alone_is_a_pause() -> None:
    """A 403 with Retry-After is a pause, whatever its message says: it is no lasting refusal."""
    found = error_from_response(403, "Must have push access to repository", {"retry-after": "5"}, Caller())
    assert found.transient
    assert found.wait == 5


@pytest.mark.parametrize("refusal", [Refusal.SERVER_ERROR_JSON, Refusal.SERVER_ERROR_HTML])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_githubs_own_failure_passes(refusal: Refusal, status: int) -> None:
    """A 5xx, in JSON or in HTML, is retried without pausing other requests."""
    found = error_of(refusal.value.variant(status=status))
    assert f"GitHub failed ({status})" in found.what
    assert found.transient
    assert not found.fatal
    assert found.wait == 0


def test_unknown_refusal_is_quoted_and_cut() -> None:
    """An unknown response is quoted with at most 200 characters and not retried."""
    found = error_from_response(418, "teapot " * 100, {}, Caller())
    assert "418 'teapot teapot" in found.what
    assert len(found.what) < 250
    assert not found.transient
    assert not found.fatal


def test_list_of_refusals_has_every_lasting_one() -> None:
    """The documentation's table lists every permanent refusal."""
    listed = {(found.what, found.remedy) for found in known_errors()}
    for refusal in LASTING:
        found = error_of(refusal.value)
        by_message = (found.what.removesuffix(f" ({refusal.value.status})"), found.remedy)
        assert {by_message, (found.what, found.remedy)} & listed


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("Actions", "`github-token`"),
        ("Lambda", "the SSM parameter that `TokenParameter` names"),
        ("", "`GHTRAFFIC_GITHUB_TOKEN`"),
    ],
)
@pytest.mark.parametrize("refusal", [Refusal.BAD_CREDENTIALS, Refusal.NOT_ACCESSIBLE_BY_INTEGRATION])
def test_remedy_names_the_setting_of_the_platform(platform: str, name: str, refusal: Refusal) -> None:
    """The remedy is an input in Actions, a parameter in the Lambda, a variable elsewhere."""
    answer = refusal.value
    found = error_from_response(answer.status, answer.body["message"], {}, Caller(platform=platform))
    assert found.remedy.startswith(f"set {name} to a fine-grained token")


def test_fine_grained_token_of_another_owner_is_explained() -> None:
    """Such a token has one owner and is not for outside collaborators: selecting the repository is impossible then."""
    for status, message in ((403, "Resource not accessible by personal access token"), (404, "Not Found")):
        found = error_from_response(status, message, {}, Caller())
        assert "resource owner is the repository's" in found.remedy
        assert "select this repository" not in found.remedy
    assert (
        "outside collaborators"
        in error_from_response(403, "Resource not accessible by personal access token", {}, Caller()).what
    )


@pytest.mark.parametrize(
    ("message", "what", "remedy"),
    [
        ("Your token is pending approval by an owner.", "waits for the approval", "Pending requests"),
        (
            "`octo-lab` forbids access via a fine-grained personal access tokens.",
            "forbids fine-grained tokens",
            "ask an owner to allow them",
        ),
        ("Sorry. Your account was suspended.", "suspended the account", "another account"),
        (
            "The `ann` organization has enabled OAuth App access restrictions, meaning that access is limited.",
            "has not approved the OAuth App",
            "approve the App",
        ),
        (
            "Your token has not been granted the required scopes to execute this query.",
            "lacks the scope `repo`",
            "add the scope",
        ),
        ("Must have admin rights to Repository.", "cannot push", "made by somebody who can push"),
        ("At least one email address must be verified to do that.", "no verified address", "verify one"),
        ("Maximum number of login attempts exceeded. Please try again later.", "for a while", "in an hour"),
        (
            "The enterprise forbids access via a personal access token (classic) if its lifetime is greater.",
            "a lifetime as long",
            "shorter lifetime",
        ),
    ],
)
def test_more_refusals_are_known(message: str, what: str, remedy: str) -> None:
    """Each of these refusals has its own message."""
    found = error_from_response(403, message, {}, Caller())
    assert what in found.what
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("status", "message", "scopes", "what"),
    [
        (403, "Must have push access to repository", "gist, read:org", "lacks the scope"),
        (403, "Must have push access to repository", "", "lacks the scope"),
        (403, "Must have push access to repository", "public_repo", "cannot push"),
        (403, "Must have push access to repository", None, "cannot push"),
        (404, "Not Found", "public_repo", "it is private and the classic token lacks the scope `repo`"),
        (404, "Not Found", "repo, workflow", "this token cannot see it"),
        (404, "Not Found", None, "this token cannot see it"),
    ],
)
def test_classic_token_without_its_scope_is_not_its_owners_fault(
    status: int, message: str, scopes: str | None, what: str
) -> None:
    """The error names the missing scope, which only a header shows."""
    headers = {} if scopes is None else {"x-oauth-scopes": scopes}
    found = error_from_response(status, message, headers, Caller())
    assert what in found.what
    assert found.attempts == (3 if status == 404 else 1)


@pytest.mark.parametrize("status", [400, 403, 407, 410])
def test_refusal_without_githubs_words_is_somebody_elses(status: int) -> None:
    """A response without GitHub's message is attributed to a proxy."""
    found = error_from_response(status, "", {}, Caller())
    assert f"the response was {status} without a message from GitHub" in found.what
    assert "HTTPS_PROXY" in found.remedy


def test_secondary_limit_of_a_query_is_a_pause() -> None:
    """A limit in a GraphQL response with status 200 slows the run down too."""
    entry = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    found = error_from_graphql(entry, {"retry-after": "17"}, Caller())
    assert found.transient
    assert found.too_fast
    assert found.wait == 17


def test_query_that_is_not_understood_asks_for_a_newer_version() -> None:
    """A field that GitHub has removed is not retried: the remedy is to upgrade."""
    entry = {"message": "Field 'forks' doesn't exist on type 'Repository'", "extensions": {"code": "undefinedField"}}
    found = error_from_graphql(entry, {}, Caller())
    assert "does not understand a query" in found.what
    assert "upgrade" in found.remedy
    assert found.attempts == 1
