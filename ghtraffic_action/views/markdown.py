"""Markdown for the job summary, with outsiders' text escaped."""

from collections.abc import Iterator, Sequence

from ghtraffic_action.views.plain_text import one_line

_LONGEST = 120
"""Characters of a path or a referrer that are shown; messages of ours are never cut."""


def escape_markdown(text: str) -> str:
    """Escape outsiders' Markdown, HTML, links, mentions and control characters."""
    return f"<code>{escape_message(text)}</code>"


def escape_message(text: str) -> str:
    """Escape outsiders' text in one of our messages, without truncation."""
    return "".join(map(_entity, one_line(text)))


def _entity(character: str) -> str:
    if character.isalnum() or character in " /-":
        return character
    joiner = "&#8288;" if character == "@" else ""  # a mention or an address of mail ends there
    return f"&#{ord(character)};{joiner}"


def cell(text: str) -> str:
    """Return outsiders' text, escaped and truncated, as a cell."""
    return escape_markdown(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def number(count: int | None) -> str:
    """Return a count as a cell, blank if unknown."""
    return "" if count is None else f"{count:,}"


def row(cells: Sequence[str]) -> str:
    """Return a table row."""
    return f"| {' | '.join(cells)} |"


def head(headings: Sequence[str], texts: Sequence[str] = ()) -> Iterator[str]:
    """Yield a table's header rows; the first column and `texts` align left."""
    yield row(headings)
    yield "|" + "|".join(":--" if n == 0 or name in texts else "--:" for n, name in enumerate(headings)) + "|"
