"""The report page's HTML, all in one file."""

import hashlib
import html
import re
from base64 import b64encode
from functools import cache
from importlib.resources import files

from ghtraffic_action.page.data import read_heads
from ghtraffic_action.page.line import Head

PAGE = "report.html"

_SCRIPTS = (
    "dom",
    "format",
    "numbers",
    "repository",
    "totals",
    "buckets",
    "spikes",
    "scales",
    "selection",
    "chart",
    "textures",
    "bars",
    "lines",
    "lists",
    "overview",
    "view",
    "stars",
    "cards",
    "repository_page",
    "fleet",
    "fleet_table",
    "fleet_page",
    "main",
)
"""The script's modules in order of concatenation; they share one scope."""

_STYLES = ("page", "tools", "chart", "table", "media")

# Comments that begin a line, and indentation: a third of the script. No string in it has more than one line.
_COMMENT = re.compile(r"^ *(?://.*\n|/\*\*(?:[^*]|\*(?!/))*\*/\n)?|^\n", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_SHOWN = (0, 1, 2, 3, 4, 5)  # views, unique visitors, clones, unique cloners, stars, forks of the head's newest numbers


def write_page(data: bytes) -> bytes:
    """Return the page for `report/data.jsonl`; equal data give equal bytes."""
    heads = list(read_heads(data).values())
    before, after = _frame()
    parts = {"title": html.escape(_title(heads)), "rows": "".join(map(_row, heads)), "private": _private(heads)}
    return b"".join((_fill(before, parts).encode(), data, after.encode()))


@cache
def _frame() -> tuple[str, str]:
    """Return the page before and after its data."""
    package = files(__package__)
    style = "".join(package.joinpath(f"style/{name}.css").read_text("utf-8") for name in _STYLES)
    modules = [package.joinpath(f"script/{name}.js").read_text("utf-8") for name in _SCRIPTS]
    script = f'"use strict";\n(() => {{\n{_COMMENT.sub("", "".join(modules))}}})();\n'
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    frame = package.joinpath("report.html").read_text("utf-8")
    before, after = frame.split("{{data}}")
    parts = {"policy": html.escape(policy), "style": style, "script": script}
    return _fill(before, parts), _fill(after, parts)


def _fill(text: str, parts: dict[str, str]) -> str:
    """Replace the placeholders that have parts."""
    return _PLACEHOLDER.sub(lambda match: parts.get(match[1], match[0]), text)


def _source(text: str) -> str:
    """Return the CSP source of an inline script or style."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _title(heads: list[Head]) -> str:
    return f"Traffic of {heads[0].name if len(heads) == 1 else f'{len(heads):,} repositories'}"


def _private(heads: list[Head]) -> str:
    count = sum(head.private is True for head in heads)
    return f"<p>Private repositories on this page: {count:,}.</p>" if count else ""


def _row(head: Head) -> str:
    cells = "".join(f"<td>{_number(head.newest[at])}</td>" for at in _SHOWN)
    return f'<tr><th scope="row"><bdi>{html.escape(head.name)}</bdi></th>{cells}</tr>'


def _number(value: int | None) -> str:
    return "&ndash;" if value is None else f"{value:,}"
