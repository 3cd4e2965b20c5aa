"""A repository's badges: SVG files, and JSON for shields.io endpoints."""

import json
from dataclasses import dataclass
from html import escape

from ghtraffic_action.page.day_numbers import date_of
from ghtraffic_action.page.line import NEWEST, Line

_COLOUR = "0969da"
_CACHE_SECONDS = 6 * 60 * 60
_UNKNOWN = "unknown"

_WIDE = {**dict.fromkeys("fijlt.,:;'|! ()I[]", 4.2), **dict.fromkeys("rs-/*", 5.4), **dict.fromkeys("mwMW@%", 10.2)}
"""Widths of Verdana's narrow and wide characters at 11 pixels; the others have about 7.2."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge's two texts."""

    label: str
    message: str


def badges_of(line: Line) -> dict[str, Badge]:
    """Return a repository's badges by name."""
    newest = dict(zip(NEWEST, line.head.newest, strict=True))
    badges = {"stars": Badge("stars", _number(newest["stars"]))}
    for metric in ("views", "clones"):
        count = newest[f"{metric}_14d"]
        badges[f"{metric}-14d"] = Badge(metric, _UNKNOWN if count is None else f"{count:,} in 14 days")
        badges[metric] = Badge(metric, _all_time(line, metric))
    return badges


def write_endpoint(badge: Badge) -> bytes:
    """Return a badge as JSON for shields.io's endpoint."""
    written = {"schemaVersion": 1, "label": badge.label, "message": badge.message, "color": _COLOUR}
    return json.dumps(written | {"cacheSeconds": _CACHE_SECONDS}).encode() + b"\n"


def draw_badge(badge: Badge) -> bytes:
    """Return a badge as SVG, with text widths that do not depend on the font."""
    label, message = _width(badge.label) + 12, _width(badge.message) + 12
    width, text = label + message, escape(f"{badge.label}: {badge.message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{text}">'
        f'<title>{text}</title><clipPath id="edge"><rect width="{width}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#edge)"><path fill="#444d56" d="M0 0h{label}v20H0z"/>'
        f'<path fill="#{_COLOUR}" d="M{label} 0h{message}v20H{label}z"/></g>'
        '<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f"{_text(badge.label, label / 2, label - 12)}{_text(badge.message, label + message / 2, message - 12)}"
        "</g></svg>\n"
    ).encode()


def short_number(number: int) -> str:
    """Format a number with two or three digits: 950, 1.2k."""
    for size, mark in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            tenths = number * 10 // size
            return f"{tenths // 10}{mark}" if tenths >= 100 or tenths % 10 == 0 else f"{tenths / 10}{mark}"  # noqa: PLR2004 - ten times the size
    return str(number)


def _all_time(line: Line, metric: str) -> str:
    """Return a metric's total count and its first month; uniques cannot be added up."""
    sums = line.days.sums
    known = [count for count in line.days.numbers[metric] if count is not None]
    total = sum(known) + (sum(sums.counts[metric]) if sums else 0)
    return f"{total:,} since {date_of(line.days.begin):%Y-%m}"


def _number(number: int | None) -> str:
    return _UNKNOWN if number is None else f"{number:,}"


def _width(text: str) -> int:
    return round(sum(_WIDE.get(character, 7.2) for character in text))


def _text(text: str, x: float, width: int) -> str:
    return f'<text x="{x:g}" y="14" textLength="{width}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
