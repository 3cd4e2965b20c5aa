"""The table of GitHub's known error responses.

Source: GitHub's documentation and its responses. A setting's name in braces in a remedy is replaced by its name on the
user's platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_FINE_GRAINED = "a fine-grained token with the repository permission Administration: read"
_SUPPORT = "GitHub's support knows why; leave the repository out with `!OWNER/NAME` until then"


@dataclass(frozen=True, slots=True)
class KnownError:
    """What is wrong, and what to do."""

    what: str
    remedy: str


_NO_PUSH = KnownError(
    "the token's owner cannot push to it, and only those who can may read its traffic",
    f"use {_FINE_GRAINED}, made by somebody who can push",
)
SCOPES = KnownError(
    "the classic token lacks the scope `repo`, or `public_repo` for public repositories",
    f"set {{github_token}} to {_FINE_GRAINED}, or add the scope (Settings, Developer settings, Tokens (classic))",
)
"""A classic token without the scope; GitHub then answers as if its owner had no access."""

HIDDEN = KnownError(
    "there is no such repository, or it is private and the classic token lacks the scope `repo` (404)",
    "check the name; for a private repository add the scope (Settings, Developer settings, Tokens (classic)), or set "
    f"{{github_token}} to {_FINE_GRAINED}",
)
"""The same for a repository that the token cannot see."""

BY_MESSAGE: Mapping[str, KnownError] = {
    "must have push access": _NO_PUSH,
    "must have admin rights": _NO_PUSH,
    "required scopes": SCOPES,
    "not accessible by integration": KnownError(
        "this token is the job's GITHUB_TOKEN, which can never read traffic, or an App without the permission",
        f"set {{github_token}} to {_FINE_GRAINED}; an App needs the same permission, approved where it is installed",
    ),
    "not accessible by personal access token": KnownError(
        "the token lacks Administration: read on it, or has another owner: a fine-grained token is for one owner only, "
        "and not for outside collaborators",
        "check in the token's settings that its resource owner is the repository's, and that it includes this "
        "repository with Administration: read (an owner may have to approve it); for other owners use a GitHub App",
    ),
    "lifetime": KnownError(
        "its organisation forbids tokens with a lifetime as long as this one's",
        "make the token again with a shorter lifetime",
    ),
    "forbids access via a personal access token (classic)": KnownError(
        "its organisation forbids classic tokens", f"use {_FINE_GRAINED}, or a GitHub App"
    ),
    "approv": KnownError(
        "the token waits for the approval of its organisation",
        "ask an owner to approve it (organisation settings, Personal access tokens, Pending requests)",
    ),
    "forbids access via a fine-grained": KnownError(
        "its organisation forbids fine-grained tokens", "ask an owner to allow them, or use a GitHub App"
    ),
    "saml": KnownError(
        "its organisation asks for single sign-on",
        "authorise the token for it (Settings, Developer settings, the token, Configure SSO)",
    ),
    "ip allow list": KnownError(
        "its organisation allows only listed IP addresses",
        "run from an address on the list, or ask an owner to add this one",
    ),
    "access restrictions": KnownError(
        "its organisation has not approved the OAuth App that made this token, as `gh auth` does",
        f"use {_FINE_GRAINED}, or ask an owner to approve the App (organisation settings, OAuth app policy)",
    ),
    "account was suspended": KnownError(
        "GitHub has suspended the account that made the token",
        "GitHub's support knows why; until then use a token of another account that can push",
    ),
    "email address must be verified": KnownError(
        "the account that made the token has no verified address", "verify one in its settings (Emails)"
    ),
    "maximum number of login attempts": KnownError(
        "GitHub blocks this IP address for a while, after many requests with invalid credentials",
        "run again in an hour, with a token that is valid",
    ),
    "access blocked": KnownError("GitHub has blocked access to it", _SUPPORT),
}
"""By a part of GitHub's message in lower case; the first match counts."""

BY_STATUS: Mapping[int, KnownError] = {
    401: KnownError(
        "GitHub does not know this token (401 Bad credentials): it has expired, was revoked or was cut off",
        f"set {{github_token}} to {_FINE_GRAINED}",
    ),
    404: KnownError(
        "there is no such repository, or this token cannot see it (404)",
        "check the name; of a private repository, check in the token's settings that its resource owner is the "
        "repository's and that it includes this repository, or select it where the App is installed",
    ),
    451: KnownError("GitHub has blocked access to it (451)", _SUPPORT),
}

APP_BY_MESSAGE = {
    **BY_MESSAGE,
    "not accessible by integration": KnownError(
        "the App lacks the repository permission Administration: read on it",
        "add the permission in the App's settings, and have an owner approve it where the App is installed",
    ),
    "installation has been suspended": KnownError(
        "the App's installation is suspended",
        "let an owner lift that where the App is installed (Settings, GitHub Apps, Configure, Unsuspend)",
    ),
}
"""The same for an App, whose user has no token."""

APP_BY_STATUS = {
    **BY_STATUS,
    401: KnownError(
        "GitHub does not accept the token that it made for the App (401)",
        "run again; if the problem persists, check in the App's settings that it is installed and not suspended",
    ),
    404: KnownError(
        "there is no such repository, or the App cannot see it (404)",
        "check the name; select a private repository where the App is installed",
    ),
}
