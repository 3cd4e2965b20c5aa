"""Reads the token, or the GitHub App and its key."""

import re

from ghtraffic_action.repository_names import OWNER_PATTERN
from ghtraffic_action.settings import secret_detection
from ghtraffic_action.settings.names import SECRETS, setting_name
from ghtraffic_action.settings.reading import Reading

_TOKEN = re.compile(r"(?!/)[A-Za-z0-9_.=~+/-]{4,}")
_OWNED = re.compile(rf"(?!\w*token=)({OWNER_PATTERN})=(\S{{4,}})", re.IGNORECASE)
"""A token with its owner, not with the name of a variable."""

_APP = re.compile(r"[0-9]{1,18}|Iv[A-Za-z0-9.]{4,60}")
_PARAMETER = re.compile(r"ssm:/?[A-Za-z0-9_./-]+")
_MEANT_PARAMETER = re.compile(
    r"(?:ssm:\s*)*(?:arn:[a-z-]+:ssm:[a-z0-9-]*:[0-9]*:parameter)?/*(?P<name>[A-Za-z0-9_./-]+)", re.IGNORECASE
)
_PEM = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----")

NO_KEY = "no private key in PEM: copy the whole .pem file that GitHub made, from -----BEGIN to the last line"
"""The problem of an invalid App key."""


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token."""
    return bool(_TOKEN.fullmatch(text)) and not secret_detection.holds_more_than_token(text)


def token_entries(text: str) -> dict[str, str]:
    """Return the tokens by owner in lower case, from lines `OWNER=TOKEN`.

    A line without an owner has the default token, by `""`. A single token returns nothing.
    """
    entries = text.split()
    owned = [_OWNED.fullmatch(entry) for entry in entries]
    if not any(owned):
        return {}
    return {
        (found[1].lower() if found else ""): found[2] if found else entry
        for found, entry in zip(owned, entries, strict=True)
    }


def private_key(text: str) -> str:
    """Return a private key in PEM, empty if invalid.

    Line ends may be written as a backslash and an n.
    """
    key = text.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").strip()
    return key if _PEM.fullmatch(key) else ""


def is_misplaced(reading: Reading, setting: str) -> bool:
    """Report a secret in a setting that is displayed. Return whether there is one."""
    if setting in SECRETS or not secret_detection.is_secret(reading.text(setting), reading.secrets):
        return False
    what = "it holds a token or a private key, which is not shown here"
    if setting == "github_app" and _APP.fullmatch(reading.text("github_app_key")):
        reading.problem(setting, f"{what}: it is swapped with github-app-key: exchange the two")
    else:
        reading.problem(setting, f"{what}: put the secret into {setting_name('github_token', reading.platform)} alone")
    return True


def github_token(reading: Reading) -> str:
    """Return the token, empty with a GitHub App."""
    app = any(reading.text(setting) for setting in ("github_app", "github_app_key"))
    token = reading.text("github_token") or ("" if app else _others_token(reading))
    if token and app:
        reading.problem("github_token", "it is set beside a GitHub App: leave it out, or github-app and github-app-key")
    elif not token and not app:
        others = [name for name in ("GITHUB_TOKEN", "GH_TOKEN") if reading.environ.get(name)]
        hint = (
            f" ({' and '.join(others)} are not read, since the job's own token cannot read traffic)" if others else ""
        )
        secret = {"Actions": "${{ secrets.TRAFFIC_TOKEN }}", "Lambda": "ssm:/PARAMETER"}.get(reading.platform, "TOKEN")
        reading.problem(
            "github_token",
            f"it is empty{hint}: {reading.empty('github_token', secret, 'secret')}; a fine-grained token "
            "with the repository permission Administration: read",
        )
    elif "-----BEGIN" in token:
        what = "it holds a private key: set the key of a GitHub App as"
        reading.problem("github_token", f"{what} {setting_name('github_app_key', reading.platform)}")
    elif problem := _problem_of_token(token):
        reading.problem("github_token", problem)
    return token


def _problem_of_token(token: str) -> str:
    """Return a token's or reference's problem with its remedy, empty if there is none."""
    if entries := token_entries(token):
        problems = ((owner, _problem_of_token(value)) for owner, value in entries.items())
        return next((f"of {owner or 'all others'}: {problem}" for owner, problem in problems if problem), "")
    if not token or (_PARAMETER.fullmatch(token) and not secret_detection.is_secret(token, ())) or is_token(token):
        return ""
    if token.startswith("ssm:") and secret_detection.is_secret(token, ()):
        return "it holds a token behind `ssm:`: write only the token, or a parameter's name"
    if secret_detection.holds_more_than_token(token):
        return "it holds more than the token, such as its name, a word or an address: set it to the token only"
    return _problem_of_parameter(token) or (
        "it is malformed (blanks or characters that no token has): copy it again, whole"
    )


def _problem_of_parameter(value: str) -> str:
    """Return the remedy for a malformed SSM reference, or ""."""
    meant = _MEANT_PARAMETER.fullmatch(value)
    if meant and re.match(r"ssm:|arn:|/", value, re.IGNORECASE):
        return f"it is not a parameter's name: write `ssm:/{meant['name']}`"
    return "it is not an SSM parameter: write `ssm:/NAME`" if value.lower().startswith("ssm:") else ""


def _others_token(reading: Reading) -> str:
    """Return the token of GitHub's own tools, but not a job's, which cannot read traffic."""
    found = (reading.variable(name) for name in ("GH_TOKEN", "GITHUB_TOKEN"))
    return "" if reading.platform == "Actions" else next(filter(None, found), "")


def _found_key(key: str) -> str:
    """Return what a text is instead of a private key, and what to do."""
    kind = re.search(r"-----BEGIN ([A-Z ]{1,40})-----", key)
    if kind and not kind[1].endswith(("RSA PRIVATE KEY", "-PRIVATE KEY")) and kind[1] != "PRIVATE KEY":
        return f"of another kind ({kind[1]}): make a private key in the App's settings and copy its file, whole"
    if key.endswith(".pem"):
        return 'the name of a file: put what is in it there, as in GHTRAFFIC_GITHUB_APP_KEY="$(cat FILE.pem)"'
    if problem := _problem_of_parameter(key):
        return problem.removeprefix("it is ")
    if key.startswith("LS0tLS1CRUdJTi"):
        return f"in Base64: decode it, and {NO_KEY.partition(': ')[2]}"
    return NO_KEY


def github_app(reading: Reading) -> str:
    """Return the GitHub App's id, empty without one."""
    app = reading.text("github_app").removeprefix("#")
    if not app and reading.text("github_app_key"):
        remedy = reading.empty("github_app", "${{ vars.TRAFFIC_APP }}" if reading.platform == "Actions" else "ID")
        reading.problem(
            "github_app", f"it is empty, but github-app-key is set: {remedy}, the App ID of the App's settings"
        )
    elif app and not _APP.fullmatch(app):
        reading.malformed(
            "github_app",
            app,
            "is not an App's id: write the App ID or the client ID of the App's settings",
        )
    return app


def github_app_key(reading: Reading) -> str:
    """Return the App's private key in PEM or its SSM reference, empty without one."""
    key = reading.text("github_app_key")
    if not key and reading.text("github_app"):
        values = {"Actions": "${{ secrets.TRAFFIC_APP_KEY }}", "Lambda": "ssm:/PARAMETER"}
        secret = values.get(reading.platform, '"$(cat KEY.pem)"')
        what = "it is empty, but github-app is set"
        remedy = reading.empty("github_app_key", secret, "secret")
        reading.problem("github_app_key", f"{what}: {remedy}, a private key of the App")
    if not key or _PARAMETER.fullmatch(key):
        return key
    if _APP.fullmatch(key):
        reading.problem("github_app_key", "it is an App's id: put it into github-app, and a private key here")
    elif not private_key(key):
        reading.problem("github_app_key", f"it is {_found_key(key)}")
    return private_key(key)
