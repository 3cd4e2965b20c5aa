"""Errors that a user can fix; the texts read *where: what happened: what to do*."""

from collections.abc import Iterable
from typing import ClassVar


def either_of(words: Iterable[str]) -> str:
    """Return "a, b or c" for two or more words."""
    *others, last = words
    return f"{', '.join(others)} or {last}"


class UserError(Exception):
    """An error that the user can fix.

    `remedy` is the last part of the text, if it is known separately.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, text: str = "", *, remedy: str = "") -> None:
        super().__init__(text)
        self.remedy = remedy

    @property
    def problem(self) -> str:
        """The text without the remedy."""
        return str(self).removesuffix(f": {self.remedy}")


class SettingsError(UserError):
    """The settings are wrong; no request was sent."""

    exit_code = 2


class SecretError(UserError):
    """AWS did not return the stored token or key."""


class GitHubError(UserError):
    """GitHub refused, could not be reached, or sent an invalid response.

    `transient` is whether a later run may succeed.
    """

    def __init__(self, text: str, *, transient: bool = False, remedy: str = "") -> None:
        super().__init__(text, remedy=remedy)
        self.transient = transient


class QuotaError(GitHubError):
    """GitHub's limits leave too few requests for a repository.

    The run did not start it, and a later one collects it.
    """


class StoreError(UserError):
    """The store cannot be used."""


class RecordError(StoreError):
    """A repository cannot be stored because of an invalid record."""


class DestinationError(UserError):
    """The export cannot be read or written; the store is complete."""


class BackupError(UserError):
    """A backup cannot be written or read, or is invalid."""


class StackError(UserError):
    """The stack cannot be read or deployed."""


class ForeignFileError(UserError):
    """Another tool's file cannot be read or is implausible."""


class Interrupted(Exception):  # noqa: N818 - being asked to stop is no error
    """The process was asked to stop. Requests in flight have finished."""
