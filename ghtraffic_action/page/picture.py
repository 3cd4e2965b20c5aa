"""A chart of a repository's recent days as SVG, for light and dark READMEs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape

from ghtraffic_action.page.badge import short_number
from ghtraffic_action.page.day_numbers import date_of
from ghtraffic_action.page.line import Line

DAYS = 90
_WIDTH, _HEIGHT = 830, 240
_LEFT, _RIGHT, _TOP, _FLOOR = 44, 14, 46, 214
_TALL, _INNER = _FLOOR - _TOP, _WIDTH - _LEFT - _RIGHT

_COLOURS = {
    "views": ("#4a8fe0", "#0b3f8a", "#3577c4", "#b6d9ff"),
    "clones": ("#cf7a2b", "#7a3900", "#b06a27", "#ffd6ad"),
}
"""Count and uniques of each metric, on light and on dark."""
_UNIQUES = {"views": ("view_uniques", "unique visitors"), "clones": ("clone_uniques", "unique cloners")}

_STYLE = """
:root{{--ground:#fff;--edge:#d1d9e0;--grid:#e9edf1;--ink:#1f2328;--soft:#59636e;--count:{0};--unique:{1}}}
@media(prefers-color-scheme:dark){{:root{{--ground:#151b23;--edge:#3d444d;--grid:#252c35;--ink:#f0f6fc;--soft:#9da7b1;\
--count:{2};--unique:{3}}}}}
text{{font:11px system-ui,-apple-system,"Segoe UI","Noto Sans",sans-serif;fill:var(--soft)}}
.title{{font-size:13px;font-weight:600;fill:var(--ink)}}.ground{{fill:var(--ground);stroke:var(--edge)}}
.grid{{stroke:var(--grid)}}.axis,.lost{{stroke:var(--soft)}}.count{{fill:var(--count)}}.unique{{fill:var(--unique)}}
.open{{fill:url(#open);stroke:var(--count)}}.stripe{{stroke:var(--count);stroke-width:3}}.lost{{fill:none}}
"""
_PATTERN = (
    '<defs><pattern id="open" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="stripe" d="M0 0V4"/></pattern></defs>'
)


@dataclass(frozen=True, slots=True)
class _Bar:
    day: date
    count: int | None
    uniques: int | None
    state: str


def draw_chart(line: Line, metric: str) -> bytes:
    """Return a chart of the last 90 days of `views` or `clones`, with uniques.

    Unfinished days are hatched, lost ones crossed.
    """
    bars = _bars(line, metric)
    highest = max([bar.count or 0 for bar in bars] + [1])
    name, (_, of_which) = line.head.name, _UNIQUES[metric]
    summary = _summary(bars, metric)
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(f"{metric.capitalize()} of {name} by day")}</title>',
        f'<desc id="description">{escape(summary)}, dark: {of_which}</desc>',
        f"<style>{_STYLE.format(*_COLOURS[metric])}</style>{_PATTERN}",
        f'<rect class="ground" x=".5" y=".5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="8"/>',
        f'<text class="title" x="16" y="25">{escape(name)}: {metric} and {of_which} a day</text>',
        f'<text x="{_WIDTH - 16}" y="25" text-anchor="end">{escape(summary)}</text>',
        *_grid(highest),
        *_marks(bars, highest),
    ]
    return ("\n".join(parts) + "\n</svg>\n").encode()


def _bars(line: Line, metric: str) -> list[_Bar]:
    numbers, days = line.days.numbers, line.days
    uniques, _ = _UNIQUES[metric]
    first = max(0, len(days.states) - DAYS)
    return [
        _Bar(date_of(days.start + at), numbers[metric][at], numbers[uniques][at], days.states[at])
        for at in range(first, len(days.states))
    ]


def _summary(bars: list[_Bar], metric: str) -> str:
    known = [bar.count for bar in bars if bar.count is not None]
    lost = sum(bar.state == "L" for bar in bars)
    missing = f", {lost} days lost" if lost else ""
    return f"{sum(known):,} {metric} on {len(known)} days from {bars[0].day} to {bars[-1].day}{missing}"


def _grid(highest: int) -> Iterator[str]:
    step = _step(highest)
    for value in range(0, highest + 1, step):
        y = _y(value, highest)
        kind = "grid" if value else "axis"
        yield f'<path class="{kind}" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>'
        yield f'<text x="{_LEFT - 7}" y="{y + 4:g}" text-anchor="end">{short_number(value)}</text>'


def _step(highest: int) -> int:
    """Return the distance of at most five grid lines, a round number."""
    step = 1
    while highest > 5 * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _marks(bars: list[_Bar], highest: int) -> Iterator[str]:
    wide = _INNER / len(bars)
    gap = min(3.0, wide * 0.18)
    paths = dict.fromkeys(("count", "open", "unique", "lost"), "")
    for at, bar in enumerate(bars):
        x = _LEFT + at * wide
        if bar.state == "L":
            paths["lost"] += f"M{x:.1f} {_FLOOR - 12}l{wide:.1f} 10m0-10l{-wide:.1f} 10"
        if bar.count:
            kind = "open" if bar.state == "P" else "count"
            paths[kind] += _bar_path(x + gap / 2, wide - gap, _y(bar.count, highest))
        if bar.uniques:
            paths["unique"] += _bar_path(x + wide / 4, wide / 2, _y(bar.uniques, highest))
        if bar.day.day == 1:
            yield f'<text x="{x + wide / 2:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{bar.day:%b}</text>'
    yield from (f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items() if path)


def _bar_path(x: float, width: float, top: float) -> str:
    return f"M{x:.1f} {_FLOOR}V{top}h{width:.1f}V{_FLOOR}z"


def _y(value: int, highest: int) -> float:
    return round(_FLOOR - value / highest * _TALL, 1)
