"""Problems with credentials, region, files, proxies and certificates of AWS."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import exceptions
from botocore.session import Session

from ghtraffic_action.settings.typed_text import clean

_PRIVATE = re.compile(r"(?<!\d)\d{12}(?!\d)|\b(?:AKIA|ASIA)[A-Z0-9]{12,}")
"""Account ids and access key ids."""

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
_REGIONS = ("AWS_DEFAULT_REGION", "AWS_REGION")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
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
    """An error and its remedy, without account ids or secrets."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}: {self.remedy}"


class ConfigurationError(exceptions.BotoCoreError):
    """An invalid value in the environment or profile."""

    fmt = "{error}"


def without_ids(text: str) -> str:
    """Replace account and access key ids, for public logs."""
    return _PRIVATE.sub("…", text)


def explain_keys() -> Explanation | None:
    """Return which variable has invalid credentials, None if none has."""
    for variable, value in _set(_KEYS):
        if clean(value) != value or not value.isascii() or re.search(r"\s", value):
            what = "blanks, the end of a line, quotes or characters that no key has"
            return Explanation(f"{variable} holds {what}", "set it again, to the key only")
    return None


def explain_environment(error: Exception) -> Explanation:
    """Explain an SDK error that occurred before any request."""
    match error:
        case exceptions.NoCredentialsError():
            return _explain_no_credentials()
        case exceptions.PartialCredentialsError():
            what = f"the AWS credentials lack {error.kwargs.get('cred_var')}"
            return Explanation(what, "set it beside the others, or unset them all")
        case exceptions.NoRegionError():
            return Explanation("no AWS region is set", f"set {_region_setting()}")
        case exceptions.InvalidRegionError() | ConfigurationError():
            return _explain_value(error)
    return _explain_profile(error)


def explain_connection(error: Exception) -> Explanation:
    """Return why AWS cannot be reached."""
    for variable, path in _set(_CERTIFICATES):
        if not os.access(path, os.R_OK):
            return Explanation(
                f"the certificates of {variable} cannot be read ({path})",
                f"set {variable} to a file of certificates in PEM, or unset it",
            )
    if isinstance(error, exceptions.SSLError):
        named = " and ".join(variable for variable, _ in _set(_CERTIFICATES))
        return Explanation(
            "this machine does not trust the certificate of AWS, or of a proxy in between",
            f"check {named}" if named else "set AWS_CA_BUNDLE to the file with your network's certificate, in PEM",
        )
    if found := explain_keys() or _explain_region():
        return found
    proxies = " and ".join(variable for variable, _ in _set(_PROXIES))
    if proxies:
        what = "the proxy" if isinstance(error, exceptions.ProxyConnectionError) else "AWS"
        return Explanation(
            f"{what} cannot be reached ({type(error).__name__})", f"check {proxies}, the region and the network"
        )
    return Explanation(
        f"AWS cannot be reached ({type(error).__name__})", f"check {_region_setting()} and the network, run again"
    )


def explain_file(error: OSError) -> Explanation:
    """Return which variable or profile refers to a missing file."""
    for variable in _FILES:
        if os.environ.get(variable) == error.filename:
            return Explanation(
                f"the file of {variable} cannot be read ({error.filename}: {error.strerror})",
                f"correct {variable}, or unset it",
            )
    if _profile().get("web_identity_token_file") == error.filename:
        return Explanation(
            f"the web_identity_token_file of the profile cannot be read ({error.filename}: {error.strerror})",
            "correct the profile in AWS's configuration",
        )
    return Explanation(
        f"the credential_process of the profile cannot be started ({error.filename}: {error.strerror})",
        "install that program, or correct the profile in AWS's configuration",
    )


def _explain_no_credentials() -> Explanation:
    for variable, path in _set(("AWS_SHARED_CREDENTIALS_FILE",)):  # one that is not there is as good as unset
        if os.path.isdir(path) or (os.path.exists(path) and not os.access(path, os.R_OK)):  # noqa: PTH110, PTH112 - Path raises for some paths
            return Explanation(
                f"there are no AWS credentials, and the file of {variable} cannot be read ({path})",
                f"correct {variable}, or unset it",
            )
    elsewhere = "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return Explanation("there are no AWS credentials", f"set {'`role-to-assume`' if _in_actions() else elsewhere}")


def _explain_region() -> Explanation | None:
    """Return which variable has an invalid region, or None.

    With a custom endpoint any region is valid.
    """
    if _set(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")):
        return None
    for variable, value in _set(_REGIONS)[:1]:
        if not _REGION.fullmatch(value):
            return Explanation(
                f"{variable} holds {value!r}, which is not a region",
                f"set {_region_setting()} to a region's name, such as eu-west-1",
            )
    return None


def _explain_value(error: Exception) -> Explanation:
    """Return which region, endpoint or credential_process output is invalid."""
    words = without_ids(" ".join(str(error).split()))
    cause = error.__cause__
    if isinstance(error, exceptions.InvalidRegionError):
        return _explain_region() or Explanation(
            f"the profile's region is invalid ({words})", "correct it in AWS's configuration"
        )
    for variable, value in _set(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")):
        if words == f"Invalid endpoint: {value}":
            what = f"{variable} holds {without_ids(value)!r}, which is not a URL"
            return Explanation(what, f"write it with http:// or https://, or unset {variable}")
    if words.startswith("Invalid endpoint") and (found := _explain_region()):
        return found
    if _profile().get("credential_process") and not words.startswith("Invalid endpoint"):
        what = f"the credential_process of the profile prints no credentials ({type(cause or error).__name__})"
        return Explanation(what, "run that program in a shell: it has to print one JSON object")
    return Explanation(f"the AWS SDK cannot use a setting ({words})", "check the AWS settings of the environment")


def _explain_profile(error: Exception) -> Explanation:
    flag = next((f" --profile {profile}" for _, profile in _set(_PROFILES)), "")
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
    return _explain_configuration(error, getattr(error, "kwargs", {}))


def _explain_configuration(error: Exception, details: Mapping[str, Any]) -> Explanation:
    match error:
        case exceptions.ProfileNotFound():
            profile = str(details.get("profile", ""))
            variable = next((name for name, value in _set(_PROFILES) if value == profile), "AWS_PROFILE")
            return Explanation(
                f"AWS's configuration has no profile {profile!r}",
                f"set {variable} to one that `aws configure list-profiles` prints",
            )
        case exceptions.CredentialRetrievalError():
            return _explain_provider(str(details.get("provider", "")))
        case exceptions.ConfigParseError():
            return Explanation(f"AWS's configuration cannot be parsed ({details.get('path')})", "correct that file")
    return Explanation(
        f"the AWS SDK failed ({type(error).__name__}, {without_ids(' '.join(str(error).split()))})",
        "check the AWS settings of the environment and the profile",
    )


def _explain_provider(provider: str) -> Explanation:
    if provider == "custom-process":
        return Explanation(
            "the credential_process of the profile failed", "run that program in a shell and see what it prints"
        )
    if provider == "container-role":
        variables = " and ".join(name for name in os.environ if name.startswith("AWS_CONTAINER_CREDENTIALS"))
        return Explanation(f"the container has no credentials at the address of {variables}", f"check {variables}")
    return Explanation(f"AWS returned no credentials ({provider})", "check the profile or the role, and run again")


def _profile() -> Mapping[str, Any]:
    """Return the profile's values, none if it cannot be read."""
    try:
        return dict(Session().get_scoped_config())
    except exceptions.BotoCoreError:
        return {}


def _region_setting() -> str:
    return "`aws-region`" if _in_actions() else "AWS_DEFAULT_REGION"


def _in_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _set(variables: Iterable[str]) -> list[tuple[str, str]]:
    return [(variable, value) for variable in variables if (value := os.environ.get(variable))]
