"""The refusals of GitHub that many tests share."""

from tests.support.fake_github import Refusal

OPTIONAL = (
    Refusal.NOT_ACCESSIBLE_BY_TOKEN,
    Refusal.NOT_FOUND,
    Refusal.BAD_CREDENTIALS,
    Refusal.RATE_LIMITED,
    Refusal.SECONDARY_RATE_LIMITED,
    Refusal.SERVER_ERROR_HTML,
)
"""How GitHub may refuse what a run can do without."""

LASTING = {
    Refusal.BAD_CREDENTIALS: ("does not know this token", "to a fine-grained token with the repository permission"),
    Refusal.MUST_HAVE_PUSH_ACCESS: ("cannot push", "made by somebody who can push"),
    Refusal.NOT_ACCESSIBLE_BY_INTEGRATION: ("the job's GITHUB_TOKEN", "an App needs the same permission"),
    Refusal.NOT_ACCESSIBLE_BY_TOKEN: ("lacks Administration: read", "resource owner is the repository's"),
    Refusal.NOT_FOUND: ("no such repository, or this token cannot see it", "check the name"),
    Refusal.ACCESS_BLOCKED: ("blocked", "support"),
    Refusal.ACCESS_BLOCKED_451: ("blocked", "support"),
    Refusal.SAML: ("single sign-on", "Configure SSO"),
    Refusal.IP_ALLOW_LIST: ("listed IP addresses", "from an address on the list"),
    Refusal.TOKEN_FORBIDDEN_BY_ORGANIZATION: ("forbids classic tokens", "fine-grained token"),
    Refusal.TOKEN_LIFETIME: ("a lifetime as long", "shorter lifetime"),
}
"""What each lasting refusal has to say, and what to do."""
