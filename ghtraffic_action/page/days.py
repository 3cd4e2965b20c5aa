"""A repository's days, the older ones as sums."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ghtraffic_action.page.day_numbers import day_number, monday, span_starts
from ghtraffic_action.page.line_checks import check_day_numbers, check_integers

Record = Mapping[str, str]
"""One exported row by column. A missing column and an empty cell are the same: unknown."""

COUNTS = ("views", "clones")
NUMBERS = ("views", "view_uniques", "clones", "clone_uniques")
RUNS = "workflow_runs"
"""Omitted if no day has any."""

_LETTERS = {"complete": "C", "provisional": "P", "partial": "A", "imported": "I", "lost": "L"}
_UNKNOWN = "U"
_TALLIES = ("views_unknown", "clones_unknown", "A", "I", "L")
_DIGITS = "abcdefgh"  # zero to seven days of a span
_RUN = re.compile(r"(.)\1*")
_COUNTED = re.compile(r"(\d+)(\D)")


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of views and clones by span, up to the first of the days."""

    begin: int
    counts: dict[str, list[int]] = field(default_factory=lambda: {metric: [] for metric in COUNTS})
    """The sums of each count."""
    tallies: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_TALLIES, ""))
    """The number of unknown days, and of days in each state, as a letter per span."""


@dataclass(frozen=True, slots=True)
class Days:
    """Each day's numbers and state from `start` on, and the sums before."""

    start: int
    numbers: dict[str, list[int | None]]
    states: str
    sums: Sums | None = None

    @property
    def begin(self) -> int:
        """The first known day."""
        return self.sums.begin if self.sums else self.start

    @property
    def end(self) -> int:
        """The last day."""
        return self.start + len(self.states) - 1


def number(text: str | None) -> int | None:
    """Return a cell's number, None if unknown."""
    return int(text) if text else None


def continues(days: Days, since: int) -> bool:
    """Return whether days from `since` on continue the line."""
    return since <= days.begin or days.start <= since <= days.end + 1


def merge_days(old: Days | None, since: int | None, rows: Iterable[Record]) -> Days | None:
    """Replace the days from `since` on by the rows' days; without `since` all."""
    kept = _before(old, since) if old and since is not None else None
    numbers = (
        {metric: list(values) for metric, values in kept.numbers.items()} if kept else {m: [] for m in (*NUMBERS, RUNS)}
    )
    states = [kept.states] if kept else []
    start = kept.start if kept else None
    following = kept.start + len(kept.states) if kept else 0
    for row in sorted(rows, key=lambda row: row["day"]):
        day = day_number(row["day"])
        if start is None:
            start = following = day
        for metric, values in numbers.items():
            values.extend([None] * (day - following))
            values.append(number(row.get(metric)))
        states.append(_UNKNOWN * (day - following) + _LETTERS.get(row.get("state", ""), _UNKNOWN))
        following = day + 1
    if start is None:
        return None
    return Days(start, numbers, "".join(states), kept.sums if kept else None)


def limit_days(days: Days, limit: int | None) -> Days:
    """Replace days older than the newest `limit` by sums, in whole weeks."""
    start = days.begin if limit is None else max(days.begin, monday(days.end - limit + 1))
    if start <= days.start:
        return days
    cut = start - days.start
    return Days(
        start,
        {metric: values[cut:] for metric, values in days.numbers.items()},
        days.states[cut:],
        _add_spans(days.sums or Sums(days.start), days, start),
    )


def dump_days(days: Days) -> dict[str, Any]:
    """Serialize the days, with states and tallies in run-length encoding."""
    numbers = {name: days.numbers[name] for name in NUMBERS}
    if any(count is not None for count in days.numbers[RUNS]):
        numbers[RUNS] = days.numbers[RUNS]
    written: dict[str, Any] = {"start": days.start, **numbers, "states": _run_lengths(days.states)}
    if sums := days.sums:
        tallies = {key: _run_lengths(tally) for key, tally in sums.tallies.items()}
        written["sums"] = {"begin": sums.begin, **sums.counts, **tallies}
    return written


def load_days(written: Mapping[str, Any]) -> Days:
    """Read the days that `dump_days` wrote. Raises an error if they are damaged."""
    sums = _load_sums(written["sums"]) if "sums" in written else None
    states = _repeat(written["states"])
    numbers = {metric: written[metric] for metric in NUMBERS}
    numbers[RUNS] = written[RUNS] if RUNS in written else [None] * len(states)
    check_day_numbers(written["start"])
    for values in numbers.values():
        check_integers(values, len(states), unknown=True)
    return Days(written["start"], numbers, states, sums)


def _load_sums(written: Mapping[str, Any]) -> Sums:
    sums = Sums(
        written["begin"],
        {metric: written[metric] for metric in COUNTS},
        {key: _repeat(written[key]) for key in _TALLIES},
    )
    spans = len(sums.tallies[_TALLIES[0]])
    check_day_numbers(sums.begin)
    for counts in sums.counts.values():
        check_integers(counts, spans)
    if any(len(tally) != spans for tally in sums.tallies.values()):
        raise ValueError("tallies of a line: expected one letter for each span")
    return sums


def _before(days: Days, since: int) -> Days | None:
    """Return the days before `since`."""
    if since <= days.begin:
        return None
    cut = since - days.start
    numbers = {metric: values[:cut] for metric, values in days.numbers.items()}
    return Days(days.start, numbers, days.states[:cut], days.sums)


def _add_spans(sums: Sums, days: Days, end: int) -> Sums:
    """Add the spans of the days before `end`."""
    counts = {metric: list(values) for metric, values in sums.counts.items()}
    tallies = {key: [tally] for key, tally in sums.tallies.items()}
    starts = span_starts(days.start, end)
    for begin, after in zip(starts, [*starts[1:], end], strict=True):
        span = slice(begin - days.start, after - days.start)
        states = days.states[span]
        for metric in COUNTS:
            values = days.numbers[metric][span]
            known = [value for value in values if value is not None]
            counts[metric].append(sum(known))
            tallies[f"{metric}_unknown"].append(_DIGITS[len(values) - len(known)])
        for letter in "AIL":
            tallies[letter].append(_DIGITS[states.count(letter)])
    return Sums(sums.begin, counts, {key: "".join(parts) for key, parts in tallies.items()})


def _run_lengths(letters: str) -> str:
    """Encode `CCCP` as `3C1P`."""
    return _RUN.sub(lambda run: f"{len(run[0])}{run[1]}", letters)


def _repeat(runs: str) -> str:
    """Decode `3C1P` to `CCCP`."""
    return _COUNTED.sub(lambda run: run[2] * int(run[1]), runs)
