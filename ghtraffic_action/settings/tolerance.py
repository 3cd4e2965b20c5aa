"""How many repositories can fail in a successful run."""

import re
from dataclasses import dataclass

_TEXT = re.compile(r"([0-9]{1,6})(%?)")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A number of repositories, or a percentage of all."""

    number: int = 0
    percent: bool = False

    def of(self, total: int) -> int:
        """Return how many of `total` may fail."""
        return self.number * total // 100 if self.percent else self.number


def parse_tolerance(text: str) -> Tolerance | None:
    """Parse `5` or `2%`, None if invalid."""
    found = _TEXT.fullmatch(text)
    if not found or (found[2] and int(found[1]) > 100):  # noqa: PLR2004 - percent
        return None
    return Tolerance(int(found[1]), bool(found[2]))
