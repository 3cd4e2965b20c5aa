"""A fleet's credentials: for each the settings of its run, without secrets."""

import json
from collections.abc import Mapping

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.settings.names import SECRETS, input_name

CREDENTIAL = ("github_token", "github_app", "github_app_key")
"""The settings that name a credential."""

_ALLOWED = ("repositories", *CREDENTIAL, "include_archived", "include_forks", "visibility", "allow_empty")

_EXPECTED = 'expected a list such as [{"repositories": "OWNER/*", "github-token": "ssm:/NAME"}]'


def parse_credentials(text: object) -> tuple[dict[str, str], ...]:
    """Parse a JSON list of objects, with settings by the Action's input names.

    Raises SettingsError, which quotes no value.
    """
    try:
        given = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        given = None
    if not isinstance(given, list) or not given or not all(isinstance(entry, Mapping) for entry in given):
        raise SettingsError(f"Credentials: {_EXPECTED}")
    return tuple(_settings(number, entry) for number, entry in enumerate(given, 1))


def _settings(number: int, entry: Mapping[str, object]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for name, value in entry.items():
        setting = name.replace("-", "_")
        if setting not in _ALLOWED:
            known = ", ".join(map(input_name, _ALLOWED))
            raise SettingsError(f"Credentials, entry {number}: it has an unknown setting: write one of {known}")
        if not isinstance(value, str):
            raise SettingsError(f"Credentials, entry {number}: {name} is not text: write it in quotes")
        # The list becomes a part of the state machine and of the files of each run, which have many readers.
        if setting in SECRETS and not all(part.rpartition("=")[2].startswith("ssm:") for part in value.split()):
            raise SettingsError(f"Credentials, entry {number}: {name} is not a parameter's name: write ssm:/NAME")
        settings[setting] = value
    return settings
