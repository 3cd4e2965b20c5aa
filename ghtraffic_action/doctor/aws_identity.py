"""Checks the AWS account, the role, and its trust policy."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import requests

from ghtraffic_action import aws
from ghtraffic_action.doctor.finding import Finding, failed_check

_TIMEOUT = 20
_AUDIENCE = "sts.amazonaws.com"
_WILDCARDS = {"*": ".*", "?": "."}


def identify(*, public: bool) -> tuple[str, Finding]:
    """Return the assumed role's name (empty: none) and the finding.

    In a `public` log the account's id is left out.
    """
    try:
        with closing(aws.client("sts")) as client:
            caller = client.get_caller_identity()
    except aws.ERRORS as error:
        return "", failed_check("AWS: account and role", error, "sts")
    kind, _, name = str(caller["Arn"]).rpartition(":")[2].partition("/")
    name = name.partition("/")[0] if kind == "assumed-role" else name
    account = "an account" if public else f"account {caller['Account']}"
    found = Finding(f"AWS: {account}, {kind.replace('assumed-role', 'role')} {name}".rstrip())
    return name if kind == "assumed-role" else "", found


def examine_subject(environ: Mapping[str, str], role: str) -> Iterator[Finding]:
    """Check the job's OIDC subject, and whether `role` (empty: unknown) trusts it."""
    url, secret = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not secret:
        reason = "the job may not ask for a token: role-to-assume needs `permissions: id-token: write`"
        yield Finding("OIDC: the subject of this job", "unknown", reason)
        return
    try:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = requests.get(url, params={"audience": _AUDIENCE}, headers=headers, timeout=_TIMEOUT)
        answer.raise_for_status()
        payload = answer.json()["value"].split(".")[1]
        claims = {name: str(value) for name, value in json.loads(base64.urlsafe_b64decode(payload + "===")).items()}
        sent = f"OIDC: the job sends sub {claims['sub']}, repository_id {claims.get('repository_id', '-')}"
    except (requests.RequestException, ValueError, LookupError, TypeError, AttributeError) as error:
        yield Finding("OIDC: the subject of this job", "unknown", f"GitHub returned no token ({type(error).__name__})")
        return
    yield Finding(sent)
    yield _trust(role, claims) if role else Finding("OIDC: the role's trust", "unknown", "no role is assumed")


def _trust(role: str, claims: Mapping[str, str]) -> Finding:
    what = f"role {role}: its trust policy"
    try:
        with closing(aws.client("iam")) as client:
            policy = client.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except aws.ERRORS as error:
        return failed_check(what, error, "iam")
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    degrees = [_trusted(statement, claims) for statement in statements if _is_web_identity(statement)]
    remedy = f"aws iam update-assume-role-policy --role-name {role} --policy-document file://trust.json, with this sub"
    if "exactly" in degrees:
        return Finding(f"{what} matches what the job sends")
    if "by a wildcard" in degrees:
        reason = "others than this job may assume the role too"
        return Finding(f"{what} matches the job only by a wildcard", "problem", reason, remedy)
    return Finding(f"{what} does not match what the job sends", "problem", "the job cannot assume the role", remedy)


def _is_web_identity(statement: Mapping[str, Any]) -> bool:
    actions = statement.get("Action", ())
    named = [actions] if isinstance(actions, str) else actions
    return statement.get("Effect") == "Allow" and "sts:AssumeRoleWithWebIdentity" in named


def _trusted(statement: Mapping[str, Any], claims: Mapping[str, str]) -> str:
    """Return how a statement trusts these claims: `exactly`, `by a wildcard`, or empty."""
    exactly = False
    for operator, conditions in statement.get("Condition", {}).items():
        for key, given in conditions.items():
            claim = key.rpartition(":")[2]
            patterns = [given] if isinstance(given, str) else given
            if operator == "StringEquals" and claims.get(claim) in patterns:
                exactly = exactly or claim == "sub"
            elif operator == "StringLike" and any(_fits(claims.get(claim, ""), pattern) for pattern in patterns):
                exactly = exactly or (claim == "sub" and claims.get(claim) in patterns)
            else:
                return ""
    return "exactly" if exactly else "by a wildcard"


def _fits(value: str, pattern: str) -> bool:
    return bool(re.fullmatch("".join(_WILDCARDS.get(letter, re.escape(letter)) for letter in pattern), value))
