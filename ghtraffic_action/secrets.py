"""GitHub credentials, with `ssm:` references resolved."""

from collections.abc import Callable

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.github.app import App, Tokens
from ghtraffic_action.settings import NO_KEY, Settings, is_token, private_key, token_entries
from ghtraffic_action.settings.typed_text import clean

_NO_TOKEN = "no token: set it to the token only, without JSON, quotes or a name"  # noqa: S105 - a message


def read_credentials(settings: Settings, hide: Callable[[str], None]) -> str | Tokens | App:
    """Return the token, tokens or App; call `hide` with each secret read.

    Raises:
        SettingsError: the reference or its parameter's value is wrong.
        SecretError: AWS fails.
    """
    if settings.github_app:
        return App(settings.github_app, _resolve(settings.github_app_key, private_key, NO_KEY, hide))
    text = settings.github_token
    if not token_entries(text):
        text = _resolve(text, lambda found: found if is_token(found) or token_entries(found) else "", _NO_TOKEN, hide)
    entries = token_entries(text)
    return Tokens({owner: _one_token(value, hide) for owner, value in entries.items()}) if entries else text


def _one_token(value: str, hide: Callable[[str], None]) -> str:
    token = _resolve(value, lambda found: found if is_token(found) else "", _NO_TOKEN, hide)
    hide(token)
    return token


def _resolve(value: str, parse: Callable[[str], str], otherwise: str, hide: Callable[[str], None]) -> str:
    kind, _, name = value.partition(":")
    if kind != "ssm":
        return value
    from ghtraffic_action import aws  # noqa: PLC0415 - boto3 is slow to import

    secret = parse(clean(aws.parameter(name)))
    if not secret:
        raise SettingsError(f"ssm:{name}: it holds {otherwise}", remedy=otherwise.partition(": ")[2])
    hide(secret)
    return secret
