"""Reads the token, or the GitHub App and its key."""

import re

from ghtraffic_action import redaction
from ghtraffic_action.setting_names import SECRETS, setting_name
from ghtraffic_action.settings.reading import Reading

_TOKEN = re.compile(r"ssm:/?[A-Za-z0-9_./-]+|[A-Za-z0-9_.=~+/-]{4,}")
_APP = re.compile(r"[0-9]{1,18}|Iv[A-Za-z0-9.]{4,60}")
_PARAMETER = re.compile(r"ssm:/?[A-Za-z0-9_./-]+")
_PEM = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----")

NO_KEY = "no private key in PEM: copy the whole .pem file that GitHub made, from -----BEGIN to the last line"
"""What is wrong with a text that should be an App's key."""


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token."""
    return bool(_TOKEN.fullmatch(text)) and not text.startswith("ssm:")


def private_key(text: str) -> str:
    """Bring a private key in PEM, whose lines may end in a backslash and an n, into its form; empty if it is none."""
    key = text.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").strip()
    return key if _PEM.fullmatch(key) else ""


def is_misplaced(reading: Reading, setting: str) -> bool:
    """Return whether a setting that is shown holds a secret, which is a problem."""
    if setting in SECRETS or not redaction.is_secret(reading.text(setting), reading.secrets):
        return False
    what = "it holds a token or a private key, which is not shown here"
    if setting == "github_app" and _APP.fullmatch(reading.text("github_app_key")):
        reading.problem(setting, f"{what}: it is swapped with github-app-key: exchange the two")
    else:
        reading.problem(
            setting, f"{what}: a secret belongs into {setting_name('github_token', reading.ephemeral)} alone"
        )
    return True


def github_token(reading: Reading) -> str:
    """Return the token; empty if there is a GitHub App."""
    app = any(reading.text(setting) for setting in ("github_app", "github_app_key"))
    token = reading.text("github_token") or ("" if app else _others_token(reading))
    if token and app:
        reading.problem("github_token", "it is set beside a GitHub App: leave it out, or github-app and github-app-key")
    elif not token and not app:
        others = [name for name in ("GITHUB_TOKEN", "GH_TOKEN") if reading.environ.get(name)]
        hint = (
            f" ({' and '.join(others)} are not read, since the job's own token cannot read traffic)" if others else ""
        )
        secret = "${{ secrets.TRAFFIC_TOKEN }}" if reading.ephemeral == "Actions" else "TOKEN"
        reading.problem(
            "github_token",
            f"it is empty{hint}: {reading.empty_secret('github_token', secret)}; a fine-grained token "
            "with the repository permission Administration: read",
        )
    elif "-----BEGIN" in token:
        what = "it holds a private key: one of a GitHub App belongs into"
        reading.problem("github_token", f"{what} {setting_name('github_app_key', reading.ephemeral)}")
    elif token.startswith("ssm:") and redaction.is_secret(token, ()):
        reading.problem("github_token", "it holds a token behind `ssm:`: write the token alone, or a parameter's name")
    elif token and not _TOKEN.fullmatch(token):
        reading.problem(
            "github_token", "it is malformed (blanks or characters that no token has): copy it again, whole"
        )
    return token


def _others_token(reading: Reading) -> str:
    """Return the token of GitHub's own tools; inside Actions that is the job's, which cannot read traffic."""
    found = (reading.environ.get(name, "").strip() for name in ("GH_TOKEN", "GITHUB_TOKEN"))
    return "" if reading.ephemeral == "Actions" else next(filter(None, found), "")


def github_app(reading: Reading) -> str:
    """Return the GitHub App's id; empty if there is none."""
    app = reading.text("github_app")
    if not app and reading.text("github_app_key"):
        way = reading.way("github_app", "ID")
        reading.problem(
            "github_app", f"it is empty, but github-app-key is set: {way}, the App ID of the App's settings"
        )
    elif app and not _APP.fullmatch(app):
        reading.malformed(
            "github_app",
            app,
            "is no App's id: write the App ID or the client ID of the App's settings",
        )
    return app


def github_app_key(reading: Reading) -> str:
    """Return the App's private key in PEM, or the SSM parameter that holds it; empty if there is none."""
    key = reading.text("github_app_key")
    if not key and reading.text("github_app"):
        secret = "${{ secrets.TRAFFIC_APP_KEY }}" if reading.ephemeral == "Actions" else '"$(cat KEY.pem)"'
        what = "it is empty, but github-app is set"
        way = reading.empty_secret("github_app_key", secret)
        reading.problem("github_app_key", f"{what}: {way}, a private key of the App")
    if not key or _PARAMETER.fullmatch(key):
        return key
    if _APP.fullmatch(key):
        reading.problem("github_app_key", "it is an App's id: put it into github-app, and a private key here")
    elif not private_key(key):
        reading.problem("github_app_key", f"it is {NO_KEY}")
    return private_key(key)
