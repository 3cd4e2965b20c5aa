"""What each refusal of GitHub means to the user, and what remedies it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_FINE_GRAINED = "a fine-grained token with the repository permission Administration: read"
_SUPPORT = "GitHub's support tells why; leave the repository out with `!OWNER/NAME` until then"


@dataclass(eq=False)
class GitHubApiError(Exception):
    """GitHub did not give what was asked for: what happened, and what to do.

    `transient` refusals are worth another try, after `wait` seconds where GitHub says so; a `fatal` one holds for every
    other request too.
    """

    what: str
    remedy: str
    transient: bool = False
    fatal: bool = False
    wait: float = 0.0

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


# By a part of GitHub's message, in lower case: the first that fits. Source: GitHub's documentation and its answers.
_BY_MESSAGE = (
    (
        "must have push access",
        "the token's owner cannot push to it, and only those who can may read its traffic",
        f"use {_FINE_GRAINED}, made by somebody who can push",
    ),
    (
        "not accessible by integration",
        "this token is the job's GITHUB_TOKEN, which can never read traffic, or an App without the permission",
        f"set `github-token` to {_FINE_GRAINED}; an App needs the same permission, approved where it is installed",
    ),
    (
        "not accessible by personal access token",
        "the token lacks a permission on it",
        "give the fine-grained token Administration: read and select this repository; an owner may have to approve it",
    ),
    (
        "forbids access via a personal access token (classic)",
        "its organisation forbids classic tokens",
        f"use {_FINE_GRAINED}, or a GitHub App",
    ),
    (
        "lifetime",
        "its organisation forbids tokens that live as long as this one",
        "make the token again with a shorter lifetime",
    ),
    (
        "approv",
        "the token waits for the approval of its organisation",
        "ask an owner to approve it (organisation settings, Personal access tokens, Pending requests)",
    ),
    (
        "forbids access via a fine-grained",
        "its organisation forbids fine-grained tokens",
        "ask an owner to allow them, or use a GitHub App",
    ),
    (
        "saml",
        "its organisation asks for single sign-on",
        "authorise the token for it (Settings, Developer settings, the token, Configure SSO)",
    ),
    (
        "ip allow list",
        "its organisation lets only listed IP addresses in",
        "run where the address is on the list, or ask an owner to add it",
    ),
    ("access blocked", "GitHub has blocked access to it", _SUPPORT),
)


_BY_STATUS = {
    401: (
        "GitHub does not know this token (401 Bad credentials): it has expired, was revoked or was cut off",
        f"set `github-token` to {_FINE_GRAINED}",
    ),
    404: (
        "there is no such repository, or this token cannot see it (404)",
        "check the name; of a private repository, select it in the token's settings, or where the App is installed",
    ),
    451: ("GitHub has blocked access to it (451)", _SUPPORT),
}


def error_from_response(status: int, message: str, headers: Mapping[str, str]) -> GitHubApiError:
    """Say what an answer of `status` with GitHub's `message` means; `headers` by their names in lower case."""
    text = "saml" if "x-github-sso" in headers else message.lower()
    if limited := _limited(status, text, headers):
        return limited
    if status >= 500:  # noqa: PLR2004 - HTTP's own line between the caller's faults and the server's
        return GitHubApiError(
            f"GitHub failed ({status})", "run again later; www.githubstatus.com tells more", transient=True
        )
    for part, what, remedy in _BY_MESSAGE:
        if part in text:
            return GitHubApiError(f"{what} ({status})", remedy)
    unknown = (f"GitHub answered {status} {message[:200]!r}", "look the answer up in GitHub's documentation")
    what, remedy = _BY_STATUS.get(status, unknown)
    return GitHubApiError(what, remedy, fatal=status == 401)  # noqa: PLR2004 - a token that is not known to GitHub nowhere is


def error_from_app_response(status: int, message: str, headers: Mapping[str, str], owner: str) -> GitHubApiError:
    """Say what an answer means that was given to a GitHub App itself, which asks for a token for `owner`."""
    text = message.lower()
    if status == 401:  # noqa: PLR2004 - Unauthorized
        return GitHubApiError(
            "GitHub does not accept what this App's key has signed (401): it is no key of the App, the App has another "
            "id, or this machine's clock is wrong",
            "make a private key in the App's settings and set `github-app-key` to it, and `github-app` to the App ID",
            fatal=True,
        )
    if status == 404 and "integration" in text:  # noqa: PLR2004 - Not Found
        return GitHubApiError(
            "GitHub knows no App of this id (404)",
            "set `github-app` to the App ID or the client ID of the App's settings",
            fatal=True,
        )
    if "suspended" in text:
        return GitHubApiError(
            f"the App's installation at {owner} is suspended ({status})",
            f"let an owner of {owner} lift that (Settings, GitHub Apps, Configure, Unsuspend)",
        )
    return replace(error_from_response(status, message, headers), fatal=False)


def not_installed(owner: str) -> GitHubApiError:
    """Say that a GitHub App has no access to anything of `owner`'s, for lack of an installation there."""
    return GitHubApiError(
        f"the GitHub App is not installed at {owner}",
        f"install it there: the App's settings, Install App, {owner}, and select the repositories",
    )


def known_errors() -> tuple[GitHubApiError, ...]:
    """List what GitHub may refuse, but for what passes by itself, for the README."""
    return tuple(
        GitHubApiError(what, remedy) for what, remedy in (*_BY_STATUS.values(), *(found[1:] for found in _BY_MESSAGE))
    )


def _limited(status: int, text: str, headers: Mapping[str, str]) -> GitHubApiError | None:
    if status not in (403, 429):
        return None
    if "secondary rate limit" in text or "abuse" in text or "retry-after" in headers:
        wait = _number(headers.get("retry-after", "")) or 60.0
        what, remedy = "GitHub asks for a pause (secondary rate limit)", f"run again in {wait:.0f} s"
        return GitHubApiError(what, remedy, transient=True, wait=wait)
    if "rate limit exceeded" in text or status == 429:  # noqa: PLR2004 - Too Many Requests
        reset = _number(headers.get("x-ratelimit-reset", ""))
        wait = max(1.0, reset - _now(headers).timestamp() + 1) if reset else 60.0
        when = f"{datetime.fromtimestamp(reset, UTC):%H:%M} UTC" if reset else "a minute from now"
        return GitHubApiError(
            "the token's requests of this hour are used up (rate limit)",
            f"run again after {when}; what was collected is stored",
            transient=True,
            wait=wait,
        )
    return None


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


def _now(headers: Mapping[str, str]) -> datetime:
    try:
        return datetime.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
