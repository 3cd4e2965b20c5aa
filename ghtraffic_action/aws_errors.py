"""What the errors of AWS and its SDK mean to the user."""

import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from botocore import exceptions
from urllib3.exceptions import HTTPError

log = logging.getLogger(__name__)

ERRORS = (exceptions.BotoCoreError, exceptions.ClientError, HTTPError, OSError)
"""What the SDK raises.

HTTPError: the connection of a streamed response breaks. OSError: a file or a program that the credentials name is
missing, also when they are renewed in the middle of a run.
"""

THROTTLED = ("ProvisionedThroughputExceededException", "ThrottlingException", "SlowDown", "RequestLimitExceeded")

_REMEDIES = {
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired"): (
        "the AWS credentials have expired",
        "get new ones and run again; what was stored stays stored",
    ),
    ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"): (
        "AWS does not know these credentials",
        "check AWS_ACCESS_KEY_ID, the profile or the role",
    ),
    ("InvalidSignatureException", "SignatureDoesNotMatch"): (
        "AWS does not accept the signature",
        "check AWS_SECRET_ACCESS_KEY and this machine's clock",
    ),
    THROTTLED: (
        "AWS throttles the requests, after several tries",
        "run again later, or raise the limit; nothing is lost",
    ),
}

_RIGHTS = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "TransactWriteItems": "UpdateItem"}
"""The rights that do not have the name of their operation."""

_DENIED = ("AccessDenied", "AccessDeniedException", "403", "Forbidden")
_ACTION = re.compile(r"(?i:not) authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9*]+)")
_EXPLICIT = re.compile(r"(explicit deny in an? ((?:[A-Za-z-]+ )*?policy|permissions boundary))")
_LIMIT = re.compile(r"because no ((?:permissions boundary|session policy|service control policy|VPC endpoint policy))")
_OWN = ("identity-based policy", "identity policy", "permissions boundary", "session policy")
_PRIVATE = re.compile(r"(?<!\d)\d{12}(?!\d)|\b(?:AKIA|ASIA)[A-Z0-9]{12,}")
"""An account's id, an access key's id."""

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_FILES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What went wrong and what to do about it, without account ids or anything secret."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}: {self.remedy}"


class ConfigurationError(exceptions.BotoCoreError):
    """The environment or the profile holds what the SDK cannot use, such as an endpoint that is no address."""

    fmt = "{error}"


def code(error: Exception) -> str:
    """Return the code of an error response; empty for an error that never reached AWS."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, exceptions.ClientError) else ""


def denied(error: Exception) -> bool:
    """Return whether AWS refused because the credentials may not do this."""
    return code(error) in _DENIED


def denied_by_role(error: Exception) -> bool:
    """Return whether a right that the role lacks is the reason, as far as AWS gives one."""
    words = _message(error)
    action = _ACTION.search(words)
    foreign = action is not None and action[1].startswith(("kms:", "sts:"))
    return denied(error) and not foreign and not _EXPLICIT.search(words) and not _LIMIT.search(words)


def without_ids(text: str) -> str:
    """Replace account ids and access key ids, which a public log must not show."""
    return _PRIVATE.sub("…", text)


def explain(error: Exception, service: str) -> Explanation:
    """Return what an error of `service`'s client means; AWS's or the SDK's own words are logged at -v."""
    log.info("AWS's own words: %s", without_ids(" ".join(f"{type(error).__name__}: {error}".split())))
    match error:
        case exceptions.ClientError():
            return _explain_response(error, service)
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return Explanation(
                "there are no AWS credentials",
                "in Actions set `role-to-assume`, elsewhere AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        case exceptions.NoRegionError():
            return Explanation("no AWS region is set", "set `aws-region` in Actions, elsewhere AWS_DEFAULT_REGION")
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | HTTPError() | OSError(filename=None):
            return _explain_connection(error)
        case OSError():
            return _explain_file(error)
    return _explain_credentials(error)


def _explain_credentials(error: Exception) -> Explanation:
    profile = os.environ.get("AWS_PROFILE", "")
    flag = f" --profile {profile}" if profile else ""
    match error:
        case exceptions.MissingDependencyException():
            export = f'eval "$(aws configure export-credentials{flag} --format env)"'
            return Explanation(
                "the credentials of `aws login` need a library that is not installed",
                f'run `{export}` and try again in the same shell, or `pip install "botocore[crt]"`',
            )
        case exceptions.LoginError():
            return Explanation("the session of `aws login` is missing or has expired", f"run `aws login{flag}`")
        case exceptions.SSOError() | exceptions.TokenRetrievalError() | exceptions.NoAuthTokenError():
            return Explanation("the SSO session is missing or has expired", f"run `aws sso login{flag}`")
        case exceptions.ProfileNotFound():
            return Explanation(
                f"AWS's configuration has no profile {profile!r}",
                "set AWS_PROFILE to one that `aws configure list-profiles` prints",
            )
        case exceptions.CredentialRetrievalError():
            return Explanation(
                "the credential_process of the profile failed", "run that program in a shell and see what it prints"
            )
    return Explanation(
        f"the AWS SDK failed ({type(error).__name__}, {without_ids(str(error))})",
        "check the AWS settings of the environment",
    )


def _explain_file(error: OSError) -> Explanation:
    for variable in _FILES:
        if os.environ.get(variable) == error.filename:
            return Explanation(
                f"the file of {variable} cannot be read ({error.filename}: {error.strerror})",
                f"correct {variable}, or unset it",
            )
    return Explanation(
        f"the credential_process of the profile cannot be started ({error.filename}: {error.strerror})",
        "install that program, or correct the profile in AWS's configuration",
    )


def _explain_connection(error: Exception) -> Explanation:
    for variable, path in _set(_CERTIFICATES):
        if not os.access(path, os.R_OK):
            return Explanation(
                f"the certificates of {variable} cannot be read ({path})",
                f"set {variable} to a file of certificates in PEM, or unset it",
            )
    if isinstance(error, exceptions.SSLError):
        named = " and ".join(variable for variable, _ in _set(_CERTIFICATES))
        return Explanation(
            "the certificate of AWS, or of a proxy on the way, is not trusted here",
            f"check {named}" if named else "set AWS_CA_BUNDLE to the file with your network's certificate, in PEM",
        )
    proxies = " and ".join(variable for variable, _ in _set(_PROXIES))
    if proxies:
        what = "the proxy" if isinstance(error, exceptions.ProxyConnectionError) else "AWS"
        return Explanation(
            f"{what} cannot be reached ({type(error).__name__})", f"check {proxies}, the region and the network"
        )
    return Explanation(
        f"AWS cannot be reached ({type(error).__name__})", "check AWS_DEFAULT_REGION and the network, run again"
    )


def _set(variables: Iterable[str]) -> list[tuple[str, str]]:
    return [(variable, value) for variable in variables if (value := os.environ.get(variable))]


def _explain_response(error: exceptions.ClientError, service: str) -> Explanation:
    answered = code(error)
    if denied(error):
        return _explain_denial(error, service)
    if answered.startswith("KMS"):
        return Explanation(f"the key that encrypts it cannot be used ({answered})", "enable it, or set another key")
    for codes, (problem, remedy) in _REMEDIES.items():
        if answered in codes:
            return Explanation(problem, remedy)
    return Explanation(f"AWS answered {answered} to {error.operation_name}", without_ids(_message(error)))


def _explain_denial(error: exceptions.ClientError, service: str) -> Explanation:
    """Return who denied what by AWS's own sentence; where it says nothing, by the operation."""
    words = _message(error)
    found = _ACTION.search(words)
    asked = "sts" if error.operation_name.startswith("AssumeRole") else service
    action = found[1] if found else f"{asked}:{_RIGHTS.get(error.operation_name, error.operation_name)}"
    problem = f"AWS denies {action}"
    if explicit := _EXPLICIT.search(words):
        return Explanation(f"{problem} by an {explicit[1]}", _undo(explicit[2]))
    if limit := _LIMIT.search(words):
        return Explanation(f"{problem}, which the {limit[1]} does not allow", f"allow {action} in the {limit[1]} too")
    if action.startswith("kms:"):
        return Explanation(problem, "allow it to this role, in the role's policy and in the policy of the key")
    if action.startswith("sts:Assume"):
        remedy = "compare the role's trust policy with what the job sends: owner, name, ids and branch"
        return Explanation(problem, remedy)
    return Explanation(problem, "allow it to this role")


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
