"""The given settings and the problems found in them."""

from collections.abc import Mapping
from typing import Any, Literal

from ghtraffic_action.settings import actions_job, secret_detection
from ghtraffic_action.settings.addresses import names_nothing
from ghtraffic_action.settings.model import OLD_NAMES, Command
from ghtraffic_action.settings.names import environment_name, how_to_set, input_name
from ghtraffic_action.settings.typed_text import clean, odd_characters, reference


class Reading:
    """Flags, environment, and the problems found in them.

    `platform` is the platform on which files are lost: `Actions` or `Lambda`; empty elsewhere.
    """

    def __init__(self, command: Command, environ: Mapping[str, str], flags: Mapping[str, Any]) -> None:
        self.command = command
        self.environ = environ
        self.flags = flags
        self.problems: list[str] = []
        self.secrets = secret_detection.secrets_of(environ)
        self.platform = "Lambda" if environ.get("AWS_LAMBDA_FUNCTION_NAME") else ""
        self.platform = "Actions" if environ.get("GITHUB_ACTIONS") == "true" else self.platform

    def text(self, setting: str) -> str:
        """Return a setting's text, also by an old name, or ""."""
        old = next((old for old, new in OLD_NAMES.items() if new == setting), "")
        return self.given(setting) or (old and self.given(old))

    def given(self, name: str) -> str:
        """Return a flag's text, else its environment variable's."""
        flag = self.flags.get(name)
        return clean("" if flag is None else str(flag)) or self.variable(environment_name(name))

    def variable(self, name: str) -> str:
        """Return an environment variable's text, empty if unset."""
        return clean(self.environ.get(name, ""))

    def problem(self, setting: str, what: str) -> None:
        """Add a problem of a setting, or of an environment variable in capitals."""
        where = setting if setting.isupper() else input_name(setting)
        self.problems.append(f"{where}: {what}")

    def malformed(self, setting: str, value: str, what: str) -> None:
        """Add a problem of a value, quoted unless it can be a secret."""
        odd = odd_characters(value)
        seen = f" (in it {odd})" if odd else ""
        self.problem(setting, f"{secret_detection.quote(value, self.secrets)}{seen} {what}")

    def is_usable(self, setting: str) -> bool:
        """Return whether a setting can be read, else report its empty flag or unresolved reference."""
        flag = self.flags.get(setting)
        if isinstance(flag, str) and not clean(flag):
            self.problem(setting, f"`--{input_name(setting)}` is empty: set the variable behind it, or leave it out")
            return False
        if found := reference(self.text(setting)):
            self.problem(
                setting, f"it is the text `{found}`, which was not replaced by its value: {self._replacement(found)}"
            )
            return False
        return True

    def _replacement(self, found: str) -> str:
        if self.platform != "Actions":
            return "a shell replaces it, a console or a file of variables does not: write the value"
        if not found[0].isalpha():
            return "Actions replaces `${{ ... }}` in the workflow's file alone, not in a variable: write the value"
        return f"write `${{{{ {found} }}}}`"

    def unset(self, address: str) -> str:
        """Return a hint for an address without a name, such as an unset workflow variable."""
        if self.platform != "Actions" or not names_nothing(address):
            return ""
        return f"; {self.why_empty('variable')}"

    def how_to_set(self, setting: str, value: str) -> str:
        """Return how to set a setting to a value."""
        return how_to_set(setting, value, self.platform)

    def why_empty(self, kind: Literal["secret", "variable"]) -> str:
        """Return where to check a setting's secret or variable; details only the first time."""
        why = actions_job.why_empty(kind, self.environ)
        if any(why in problem for problem in self.problems):
            return f"check its {kind}."
        return why

    def empty(self, setting: str, value: str, kind: Literal["secret", "variable"] = "variable") -> str:
        """Return the remedy for an empty setting, such as an unset secret in Actions."""
        line = self.how_to_set(setting, value)
        return f"{self.why_empty(kind)} Or else {line}" if self.platform == "Actions" else line
