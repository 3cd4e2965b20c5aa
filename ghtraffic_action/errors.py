"""Errors that a user can fix; each text reads *where: what happened: what to do*."""

from typing import ClassVar


class UserError(Exception):
    """An error that the user can fix, without a programmer.

    `remedy` is the end of the text where it is known by itself, for those who show it apart.
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
    """AWS did not return the token or the key that it keeps."""


class GitHubError(UserError):
    """GitHub refused, could not be reached, or sent an invalid response.

    `transient` is whether a later run may succeed.
    """

    def __init__(self, text: str, *, transient: bool = False, remedy: str = "") -> None:
        super().__init__(text, remedy=remedy)
        self.transient = transient


class QuotaError(GitHubError):
    """GitHub's limits leave no requests for a repository: this run did not begin it, a later one does."""


class StoreError(UserError):
    """The store cannot be used: nothing can be stored."""


class RecordError(StoreError):
    """One repository cannot be stored: a record of it holds values that no run writes."""


class DestinationError(UserError):
    """The export cannot be read or written; what was collected is in the store."""


class BackupError(UserError):
    """A backup cannot be written, or cannot be read, or is not one."""


class StackError(UserError):
    """The stack cannot be looked at or deployed."""


class ForeignFileError(UserError):
    """A file of another tool cannot be read, or its numbers are implausible."""


class Interrupted(Exception):  # noqa: N818 - being asked to stop is no error
    """The process was asked to stop; the requests in flight have finished."""
