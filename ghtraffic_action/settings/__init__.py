"""The settings, read once and validated together."""

from ghtraffic_action.settings.credentials import NO_KEY, is_token, private_key, token_entries
from ghtraffic_action.settings.model import OLD_NAMES, Command, Heartbeat, Settings, Summary, Visibility
from ghtraffic_action.settings.read import read_settings

__all__ = [
    "NO_KEY",
    "OLD_NAMES",
    "Command",
    "Heartbeat",
    "Settings",
    "Summary",
    "Visibility",
    "is_token",
    "private_key",
    "read_settings",
    "token_entries",
]
