"""Charts of block characters, with gaps for unknown numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

EIGHTHS = " ▁▂▃▄▅▆▇█"
"""Columns of rising height."""

_ASCII_EIGHTHS = "  ..::||#"
_LEFT_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = 8


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters that the terminal's encoding supports."""

    columns: str
    bars: str
    line: str

    @property
    def full(self) -> str:
        """A whole cell."""
        return self.bars[-1]


def glyphs_of(*, ascii_only: bool) -> Glyphs:
    """Return the characters for a terminal."""
    return Glyphs(_ASCII_EIGHTHS, "     ####", "-") if ascii_only else Glyphs(EIGHTHS, _LEFT_EIGHTHS, "─")


def columns(counts: Sequence[int | None], height: int, glyphs: Glyphs) -> list[str]:
    """Draw a column per count, as `height` lines; a count above 0 is visible."""
    greatest = max((count for count in counts if count), default=1)
    tall = [0 if not count else max(1, round(count * height * _STEPS / greatest)) for count in counts]
    return [
        "".join(glyphs.columns[min(max(eighths - row * _STEPS, 0), _STEPS)] for eighths in tall)
        for row in range(height - 1, -1, -1)
    ]


def sparkline(counts: Sequence[int | None], glyphs: Glyphs) -> str:
    """Draw counts as one line; unknown is a blank, 0 the lowest line."""
    zero = "_" if glyphs.line == "-" else "▁"
    return "".join(
        " " if count is None else zero if column == " " else column
        for count, column in zip(counts, columns(counts, 1, glyphs)[0], strict=True)
    )


def bar(count: int | None, greatest: int, width: int, glyphs: Glyphs) -> str:
    """Draw a count as a bar of at most `width` cells, visible above 0."""
    if not count:
        return ""
    eighths = max(1, round(count * width * _STEPS / max(greatest, 1)))
    rest = glyphs.bars[eighths % _STEPS].strip()
    return glyphs.full * (eighths // _STEPS) + rest or glyphs.full
