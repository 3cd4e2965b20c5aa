"""The table of GitHub's known error responses.

Source: GitHub's documentation and its responses. In a remedy the name of a setting in braces stands for what the user
has in front of them.
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


BY_MESSAGE: Mapping[str, KnownError] = {
    "must have push access": KnownError(
        "the token's owner cannot push to it, and only those who can may read its traffic",
        f"use {_FINE_GRAINED}, made by somebody who can push",
    ),
    "not accessible by integration": KnownError(
        "this token is the job's GITHUB_TOKEN, which can never read traffic, or an App without the permission",
        f"set {{github_token}} to {_FINE_GRAINED}; an App needs the same permission, approved where it is installed",
    ),
    "not accessible by personal access token": KnownError(
        "the token lacks Administration: read on it, or has another owner: a fine-grained token has one owner alone, "
        "and is not for outside collaborators",
        "check in the token's settings that its resource owner is the repository's, and that it includes this "
        "repository with Administration: read (an owner may have to approve it); for other owners use a GitHub App",
    ),
    "forbids access via a personal access token (classic)": KnownError(
        "its organisation forbids classic tokens", f"use {_FINE_GRAINED}, or a GitHub App"
    ),
    "lifetime": KnownError(
        "its organisation forbids tokens that live as long as this one", "make the token again with a shorter lifetime"
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
        "its organisation lets only listed IP addresses in",
        "run where the address is on the list, or ask an owner to add it",
    ),
    "access blocked": KnownError("GitHub has blocked access to it", _SUPPORT),
}
"""By a part of GitHub's message, in lower case: the first that fits."""

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
}
"""The same for an App, whose user has no token."""

APP_BY_STATUS = {
    **BY_STATUS,
    401: KnownError(
        "GitHub does not accept the token that it made for the App (401)",
        "run again; if it stays, check in the App's settings that it is still installed and not suspended",
    ),
    404: KnownError(
        "there is no such repository, or the App cannot see it (404)",
        "check the name; select a private repository where the App is installed",
    ),
}
