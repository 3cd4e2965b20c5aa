"""The settings as they were given, and the problems found in them."""

from collections.abc import Mapping
from typing import Any

from ghtraffic_action import job, redaction
from ghtraffic_action.addresses import names_nothing
from ghtraffic_action.setting_names import environment_name, how_to_set, input_name
from ghtraffic_action.settings.model import OLD_NAMES, Command


class Reading:
    """What was given on the command line and in the environment, and what is wrong with it.

    `ephemeral` is the platform on which files are lost: `Actions`, `Lambda`, or nowhere of the kind.
    """

    def __init__(self, command: Command, environ: Mapping[str, str], flags: Mapping[str, Any]) -> None:
        self.command = command
        self.environ = environ
        self.flags = flags
        self.problems: list[str] = []
        self.secrets = redaction.secrets_of(environ)
        self.ephemeral = "Lambda" if environ.get("AWS_LAMBDA_FUNCTION_NAME") else ""
        self.ephemeral = "Actions" if environ.get("GITHUB_ACTIONS") == "true" else self.ephemeral

    def text(self, setting: str) -> str:
        """Return a setting's text, also if it was given by its old name; empty if it is unset."""
        old = next((old for old, new in OLD_NAMES.items() if new == setting), "")
        return self.given(setting) or (old and self.given(old))

    def given(self, name: str) -> str:
        """Return what was given by one name: by its flag, else in the environment."""
        flag = self.flags.get(name)
        return ("" if flag is None else str(flag).strip()) or self.environ.get(environment_name(name), "").strip()

    def problem(self, setting: str, what: str) -> None:
        """Add a problem of a setting, or of an environment variable in capitals."""
        where = setting if setting.isupper() else input_name(setting)
        self.problems.append(f"{where}: {what}")

    def malformed(self, setting: str, value: str, what: str) -> None:
        """Add a problem of a value, which is quoted unless it may be a secret."""
        self.problem(setting, f"{redaction.quote(value, self.secrets)} {what}")

    def unset(self, address: str) -> str:
        """Return what to check if an address lacks its name, which in a workflow is a variable that is not set."""
        if self.ephemeral != "Actions" or not names_nothing(address):
            return ""
        return "; is its variable set for this repository, or only in an environment, or hidden from a fork?"

    def way(self, setting: str, value: str) -> str:
        """Return how to set a setting to a value."""
        return how_to_set(setting, value, self.ephemeral)

    def empty_secret(self, setting: str, value: str) -> str:
        """Return the remedy for an empty secret; in Actions it may not be set."""
        line = self.way(setting, value)
        return f"{job.why_empty('secret', self.environ)} Or else {line}" if self.ephemeral == "Actions" else line
