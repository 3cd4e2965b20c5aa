"""What the readers of other tools' files return."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from ghtraffic_action.traffic.model import Day, Snapshot


class Zeros(Enum):
    """What the zeros of a tool's files mean."""

    KNOWN = "each zero is an answer"
    LISTED = "the tool repeats GitHub, which lists zeros since December 2025"
    FILLED = "the tool fills in zeros where it knows nothing"


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a file: what it is called, and what its zeros mean."""

    name: str
    zeros: Zeros = Zeros.LISTED


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose a row is, as far as the file says: OWNER/NAME, NAME or nothing, and GitHub's id if it is there.

    `by_path`: only the file's path says so, which the user knows better.
    """

    name: str = ""
    id: int | None = None
    by_path: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A day or a snapshot of a file."""

    claim: Claim
    record: Day | Snapshot


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row, or a part of it, that is not imported."""

    reason: str
    claim: Claim = Claim()


Row = Found | LeftOut


@dataclass(frozen=True, slots=True)
class Reading:
    """A file whose form is recognised; `rows` reads it, as often as it is called."""

    form: Form
    rows: Callable[[], Iterator[Row]]
