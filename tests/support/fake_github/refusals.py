"""The refusals and faults of GitHub that a collector of traffic meets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

DOCS = "https://docs.github.com"
TRAFFIC_DOCS = f"{DOCS}/rest/metrics/traffic#get-page-views"
LIMITS_DOCS = f"{DOCS}/rest/using-the-rest-api/rate-limits-for-the-rest-api"
TOKEN_PAGE = "https://github.com/settings/personal-access-tokens/1"
HTML_TYPE = "text/html; charset=utf-8"
ERROR_PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


@dataclass(frozen=True)
class Answer:
    """Any answer; `{owner}` in it stands for the owner of the requested repository.

    Args:
        status: the HTTP status; 0 closes the connection without an answer.
        body: text as it is, or anything that becomes JSON.
        headers: headers beside the usual ones, or in their place.
        seconds: how long to wait before answering.
        cut: whether it is the true answer, cut off in the middle.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False

    def content(self) -> bytes:
        """Write the body as it is sent."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, separators=(",", ":"))
        content = text.encode()
        return content[: len(content) // 2] if self.cut else content

    def to(self, owner: str) -> "Answer":
        """Return the answer with the owner in its place."""
        body = self.content().decode().replace("{owner}", owner)
        return replace(self, body=body, headers={k: v.replace("{owner}", owner) for k, v in self.headers.items()})

    def variant(
        self, *, status: int | None = None, headers: Mapping[str, str] | None = None, seconds: float = 0.0
    ) -> "Answer":
        """Return a variant: another status (in the body too), more headers, or later."""
        body = self.body
        if status is not None and isinstance(body, dict) and "status" in body:
            body = body | {"status": str(status)}
        headers = {**self.headers, **(headers or {})}
        return replace(self, status=status or self.status, body=body, headers=headers, seconds=seconds)


def refusal(status: int, message: str, docs: str = TRAFFIC_DOCS, **headers: str) -> Answer:
    """Return a refusal in the form that all of GitHub's have; `_` in a header's name stands for `-`."""
    body = {"message": message, "documentation_url": docs, "status": str(status)}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class Refusal(Enum):
    """Every refusal and fault that the program must know; `Refusal.X.value.variant(…)` makes a variant."""

    BAD_CREDENTIALS = refusal(401, "Bad credentials", f"{DOCS}/rest")
    MUST_HAVE_PUSH_ACCESS = refusal(403, "Must have push access to repository")
    NOT_ACCESSIBLE_BY_INTEGRATION = refusal(
        403, "Resource not accessible by integration", X_Accepted_GitHub_Permissions="administration=read"
    )
    NOT_ACCESSIBLE_BY_TOKEN = refusal(
        403, "Resource not accessible by personal access token", X_Accepted_GitHub_Permissions="administration=read"
    )
    NOT_FOUND = refusal(404, "Not Found")
    ACCESS_BLOCKED = Answer(
        403,
        {
            "message": "Repository access blocked",
            "block": {"reason": "tos", "created_at": "2026-01-01T00:00:00Z", "html_url": "https://github.com/tos"},
        },
    )
    ACCESS_BLOCKED_451 = Answer(
        451,
        {
            "message": "Repository access blocked",
            "block": {"reason": "dmca", "created_at": "2026-01-01T00:00:00Z", "html_url": "https://github.com/dmca"},
        },
    )
    RATE_LIMITED = refusal(
        403,
        "API rate limit exceeded for user ID 1. If you reach out to GitHub Support for help, please include the "
        "request ID 0000:0000:0000000:0000000:00000000.",
        LIMITS_DOCS,
        X_RateLimit_Remaining="0",
    )
    # GraphQL reports an exhausted limit with the status 200.
    RATE_LIMITED_GRAPHQL = Answer(
        200,
        {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]},
        {"X-RateLimit-Remaining": "0"},
    )
    SECONDARY_RATE_LIMITED = refusal(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        f"{LIMITS_DOCS}#about-secondary-rate-limits",
        Retry_After="60",
    )
    SERVER_ERROR_JSON = Answer(502, {"message": "Server Error"})
    SERVER_ERROR_HTML = Answer(502, ERROR_PAGE.replace("{title}", "Unicorn!"), {"Content-Type": HTML_TYPE})
    SAML = refusal(
        403,
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to "
        "this organization.",
        f"{DOCS}/articles/authenticating-to-a-github-organization-with-saml-single-sign-on/",
        X_GitHub_SSO="required; url=https://github.com/orgs/{owner}/sso?authorization_request=A0",
    )
    IP_ALLOW_LIST = refusal(
        403,
        "Although you appear to have the correct authorization credentials, the `{owner}` organization has an IP "
        "allow list enabled, and your IP address is not permitted to access this resource.",
    )
    TOKEN_FORBIDDEN_BY_ORGANIZATION = refusal(
        403,
        "`{owner}` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a "
        "personal access token with fine-grained permissions.",
    )
    TOKEN_LIFETIME = refusal(
        403,
        "The '{owner}' organization forbids access via a fine-grained personal access tokens if the token's lifetime "
        f"is greater than 366 days. Please adjust your token's lifetime at the following URL: {TOKEN_PAGE}",
    )
    # Nothing in the answer says that an administrator has not approved the token yet: it may read nothing.
    TOKEN_AWAITS_APPROVAL = NOT_ACCESSIBLE_BY_TOKEN
    HTML = Answer(200, ERROR_PAGE.replace("{title}", "Welcome"), {"Content-Type": HTML_TYPE})
    RESET = Answer(0)
    TRUNCATED = Answer(200, cut=True)
