"""Explanations of AWS and SDK errors."""

import logging
import re
from http import HTTPStatus

from botocore import exceptions
from urllib3.exceptions import HTTPError

from ghtraffic_action.aws.environment import (
    Explanation,
    explain_connection,
    explain_environment,
    explain_file,
    explain_keys,
    without_ids,
)

log = logging.getLogger(__name__)

ERRORS = (exceptions.BotoCoreError, exceptions.ClientError, HTTPError, OSError)
"""What the SDK raises.

HTTPError: the connection of a streamed response breaks. OSError: a file or a program that the credentials name is
missing, also when they are renewed in the middle of a run.
"""

THROTTLED = ("ProvisionedThroughputExceededException", "ThrottlingException", "SlowDown", "RequestLimitExceeded")

_REMEDIES = {
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"): (
        "the AWS credentials have expired",
        "get new ones and run again; what was stored stays stored",
    ),
    ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken"): (
        "AWS does not know these credentials",
        "check AWS_ACCESS_KEY_ID, the profile or the role",
    ),
    ("InvalidSignatureException", "SignatureDoesNotMatch"): (
        "AWS does not accept the signature",
        "check AWS_SECRET_ACCESS_KEY and this machine's clock",
    ),
    ("RequestTimeTooSkewed",): ("this machine's clock is wrong", "set it, and run again"),
    ("OptInRequired", "SubscriptionRequiredException", "NotSignedUp", "AccountProblem", "AllAccessDisabled"): (
        "AWS does not serve this account, or this service to it",
        "check its billing and its status in AWS's console",
    ),
    THROTTLED: (
        "AWS throttles the requests, after several tries",
        "run again later, or raise the limit; nothing is lost",
    ),
}

_OF_KEYS = tuple(codes for codes in _REMEDIES if {"InvalidClientTokenId", "SignatureDoesNotMatch"} & {*codes})
"""Error codes of malformed keys."""

_RIGHTS = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "TransactWriteItems": "UpdateItem"}
"""Permissions with other names than their operations."""

_DENIED = ("AccessDenied", "AccessDeniedException", "403", "Forbidden", "AuthorizationError")
_ACTION = re.compile(r"(?i:not) authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9*]+)")
_EXPLICIT = re.compile(r"(explicit deny in an? ((?:[A-Za-z-]+ )*?policy|permissions boundary))")
_LIMIT = re.compile(r"because no ((?:permissions boundary|session policy|service control policy|VPC endpoint policy))")
_OF_KEY = re.compile(r"customer master key|KMS key")
_OUTAGES = ("InternalError", "InternalServerError", "InternalFailure", "ServiceUnavailable")
_OWN = ("identity-based policy", "identity policy", "permissions boundary", "session policy")


def code(error: Exception) -> str:
    """Return an error response's code, empty without a response."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, exceptions.ClientError) else ""


def denied(error: Exception) -> bool:
    """Return whether AWS denied access."""
    return code(error) in _DENIED


def denied_by_role(error: Exception) -> bool:
    """Return whether AWS says that the role's policies are the reason."""
    words = _message(error)
    action = _ACTION.search(words)
    foreign = action is not None and action[1].startswith(("kms:", "sts:"))
    others = "explicit deny" in words or "no resource-based policy" in words or _OF_KEY.search(words)
    return denied(error) and not foreign and not others and not _LIMIT.search(words)


def explain(error: Exception, service: str) -> Explanation:
    """Explain an error of `service`; the original is logged at -v."""
    log.info("AWS's message: %s", without_ids(" ".join(f"{type(error).__name__}: {error}".split())))
    match error:
        case exceptions.ClientError():
            return _explain_response(error, service)
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | HTTPError() | OSError(filename=None):
            return explain_connection(error)
        case OSError():
            return explain_file(error)
    return explain_environment(error)


def _explain_response(error: exceptions.ClientError, service: str) -> Explanation:
    answered = code(error)
    if denied(error):
        return _explain_denial(error, service)
    if answered.startswith("KMS") or "Encryption" in answered or (answered == "InvalidKeyId" and service == "ssm"):
        return Explanation(f"the key that encrypts it cannot be used ({answered})", "enable it, or set another key")
    for codes, (problem, remedy) in _REMEDIES.items():
        if answered in codes:
            return (explain_keys() if codes in _OF_KEYS else None) or Explanation(problem, remedy)
    if _status(error) >= HTTPStatus.INTERNAL_SERVER_ERROR or answered in _OUTAGES:
        return Explanation(f"AWS failed ({answered})", "run again later; health.aws.amazon.com shows outages")
    return Explanation(f"AWS answered {answered} to {error.operation_name}", without_ids(_message(error)))


def _status(error: exceptions.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _explain_denial(error: exceptions.ClientError, service: str) -> Explanation:
    """Return who denied what, by AWS's message or else by the operation."""
    words = _message(error)
    found = _ACTION.search(words)
    asked = "sts" if error.operation_name.startswith("AssumeRole") else service
    of_key = _OF_KEY.search(words) and not found
    action = (
        "kms:Decrypt"
        if of_key
        else found[1]
        if found
        else f"{asked}:{_RIGHTS.get(error.operation_name, error.operation_name)}"
    )
    problem = f"AWS denies {action}"
    if "explicit deny" in words:
        return _explain_explicit_denial(problem, words)
    if limit := _LIMIT.search(words):
        return Explanation(f"{problem}, which the {limit[1]} does not allow", f"allow {action} in the {limit[1]} too")
    if action.startswith("kms:"):
        remedy = "allow it to this role, in the role's policy and in the policy of the key"
    elif action == "sts:AssumeRole":
        remedy = "let the role's trust policy name these credentials, and let their own policy allow it; some need MFA"
    elif action.startswith("sts:Assume"):
        remedy = "compare the role's trust policy with what the job sends: owner, name, ids and branch"
    elif "no resource-based policy" in words:
        remedy = "allow it to this role in the policy of the bucket or the table too"
    else:
        remedy = "allow it to this role"
    return Explanation(problem, remedy)


def _explain_explicit_denial(problem: str, words: str) -> Explanation:
    if explicit := _EXPLICIT.search(words):
        return Explanation(f"{problem} by an {explicit[1]}", _undo(explicit[2]))
    remedy = "look for that Deny in the policies of the role, of what it uses, and of the AWS organisation"
    return Explanation(f"{problem} by an explicit deny", remedy)


def _undo(policy: str) -> str:
    if policy in _OWN:
        return "remove that Deny from the role"
    if policy.endswith("control policy"):
        return "ask those who administer the AWS organisation: no policy of the role can allow it"
    if policy == "resource-based policy":
        return "change the policy of the bucket, the table or the key: no policy of the role can allow it"
    return f"change the {policy}: no policy of the role can allow it"


def _message(error: Exception) -> str:
    return str(error.response["Error"].get("Message", "")) if isinstance(error, exceptions.ClientError) else ""
