"""The types that readers of other tools' files return."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from ghtraffic_action.traffic.model import Day, Snapshot


class Zeros(Enum):
    """What zeros mean in a tool's files."""

    KNOWN = "each zero is an answer"
    LISTED = "the tool repeats GitHub, which lists zeros since December 2025"
    FILLED = "the tool fills in zeros where it knows nothing"


@dataclass(frozen=True, slots=True)
class Form:
    """A file's form: its name, and what zeros mean."""

    name: str
    zeros: Zeros = Zeros.LISTED


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose a row is by the file: OWNER/NAME, NAME or nothing, and GitHub's id.

    `by_path`: only the file's path says so, so the user's word takes precedence.
    """

    name: str = ""
    id: int | None = None
    by_path: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A day or snapshot in a file."""

    claim: Claim
    record: Day | Snapshot


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row or a part of one that is not imported."""

    reason: str
    claim: Claim = Claim()


Row = Found | LeftOut


@dataclass(frozen=True, slots=True)
class Reading:
    """A file of a recognised form; `rows` reads it and can be called again."""

    form: Form
    rows: Callable[[], Iterator[Row]]
