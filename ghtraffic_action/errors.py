"""What a user can put right: one error type, whose text reads *where: what happened: what to do*."""

from typing import ClassVar


class UserError(Exception):
    """Something that the user, not a programmer, can put right."""

    exit_code: ClassVar[int] = 1


class SettingsError(UserError):
    """The settings are wrong: nothing was asked of any service."""

    exit_code = 2


class SecretError(UserError):
    """AWS did not give the token or the key that it keeps."""


class GitHubError(UserError):
    """GitHub refused, could not be reached, or gave an answer that makes no sense.

    `transient` tells whether a later run may be answered.
    """

    def __init__(self, text: str, *, transient: bool = False) -> None:
        super().__init__(text)
        self.transient = transient


class QuotaError(GitHubError):
    """GitHub's limits leave no requests for a repository in this run: it was not begun, and a later run begins it."""


class StoreError(UserError):
    """The store cannot be used, so that nothing can be kept."""


class RecordError(StoreError):
    """One repository cannot be kept, because a record of its holds what no run has written; others can."""


class DestinationError(UserError):
    """The export cannot be read or written; what was collected is in the store."""


class BackupError(UserError):
    """A backup cannot be written, or cannot be read, or is not one."""


class StackError(UserError):
    """The stack cannot be looked at or deployed."""


class ForeignFileError(UserError):
    """A file of another tool cannot be read, or cannot be believed."""


class Interrupted(Exception):  # noqa: N818 - being asked to stop is no error
    """The process was asked to stop; what was under way is finished."""
