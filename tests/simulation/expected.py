"""What an export must show of one repository, derived from the answers that were received and kept.

It shares no code with the program: the rules of the design are written down here a second time, plainly, day by day.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal

Metric = Literal["views", "clones"]
METRICS: tuple[Metric, ...] = ("views", "clones")
STATES = ("complete", "provisional", "partial", "imported", "lost")
"""The most certain first: a day is in the less certain state of its two metrics."""

Numbers = Mapping[tuple[Metric, date], tuple[int | None, int | None]]
"""Count and uniques by metric and day."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """One answer for one metric: its moment, the rows that it listed (day, count, uniques), and its totals."""

    metric: Metric
    at: datetime
    rows: tuple[tuple[date, int, int], ...]
    totals: tuple[int, int] = (0, 0)

    @cached_property
    def form(self) -> str:
        """`whole`, `placeholder` or `old`."""
        days = sorted(day for day, _, _ in self.rows)
        if self.at.date() in days:
            return "old" if any(count or uniques for _, count, uniques in self.rows) else "placeholder"
        whole = len(set(days)) == len(days) == 14 and days[-1] - days[0] == 13 * _DAY
        return "whole" if whole else "old"

    @cached_property
    def span(self) -> tuple[date, date]:
        """The first day that the answer covers, and the last one that was over by then."""
        if self.form == "whole":
            days = [day for day, _, _ in self.rows]
            return min(days), max(days)
        return self.at.date() - 13 * _DAY, self.at.date() - 2 * _DAY

    def kept_rows(self, created: date) -> list[tuple[date, int, int]]:
        """Return the rows that are kept as days: those with traffic of a whole answer, none of a placeholder."""
        zeros = self.form == "old"
        rows = self.rows if self.form != "placeholder" else ()
        return [row for row in rows if row[0] >= created and (zeros or row[1] or row[2])]


@dataclass(frozen=True)
class ExpectedDay:
    """One day of an export; None is an unknown number, whose cell is empty."""

    state: str
    views: int | None
    view_uniques: int | None
    clones: int | None
    clone_uniques: int | None
    views_14d: tuple[int, int] | None = None
    clones_14d: tuple[int, int] | None = None
    listed: frozenset[str] = frozenset()
    """The metrics of whose whole answers one listed the day."""


@dataclass(frozen=True)
class Expected:
    """What an export must show of one repository; without a kept answer only its days are known."""

    days: Mapping[date, ExpectedDay]
    first_day: date | None = None
    observed: date | None = None
    deadline: date | None = None
    answers_both: bool = False
    """Whether there are answers for both metrics."""

    @property
    def lost(self) -> set[date]:
        """The days whose state is lost."""
        return {day for day, found in self.days.items() if found.state == "lost"}

    @property
    def lost_days(self) -> int:
        """The number of rows whose state is lost."""
        return len(self.lost)


class Kept:
    """The answers that the store has kept of one repository, and its numbers as they follow from these."""

    def __init__(self, created: date = date.min) -> None:
        self.created = created
        self.numbers: dict[tuple[Metric, date], tuple[int, int]] = {}
        self._whole: dict[tuple[Metric, date], set[Answer]] = {}
        self._old: dict[tuple[Metric, date], set[Answer]] = {}

    def add(self, answer: Answer) -> None:
        """Keep an answer, unless it is a placeholder."""
        if answer.form == "placeholder":
            return
        by_day = self._whole if answer.form == "whole" else self._old
        by_day.setdefault((answer.metric, answer.at.date()), set()).add(answer)
        for day, count, uniques in answer.kept_rows(self.created):
            old = self.numbers.get((answer.metric, day), (0, 0))
            self.numbers[answer.metric, day] = max(old[0], count), max(old[1], uniques)

    def expected(self, stored: Numbers | None = None) -> Expected:
        """Return what the export must show; `stored` is what the store holds, if that differs from these answers."""
        return _Judge(self.created, self._answers(), self.numbers if stored is None else stored).expected()

    def _answers(self) -> list[Answer]:
        """List the answers without old ones on a day that has a whole one: the store keeps one form a day."""
        olds = (found for place, found in self._old.items() if place not in self._whole)
        return [answer for found in (*self._whole.values(), *olds) for answer in found]


class _Judge:
    def __init__(self, created: date, answers: Sequence[Answer], numbers: Numbers) -> None:
        self._created = created
        self._answers = answers
        self._numbers = numbers
        self._listed = {(a.metric, row[0]) for a in answers if a.form == "whole" for row in a.rows}
        self._old = {m: sorted(a.at.date() for a in answers if a.metric == m and a.form == "old") for m in METRICS}
        self._totals: dict[tuple[Metric, date], Answer] = {}
        for answer in sorted(answers, key=lambda answer: (answer.span[1], answer.at)):
            self._totals[answer.metric, answer.at.date()] = answer
        self._listable = max((answer.span[0] for answer in answers), default=date.max)
        """The first day that an answer can still list."""
        self._newest = max((answer.at.date() for answer in answers), default=date.min)
        self._first = max(created, min((answer.span[0] for answer in answers), default=date.max))

    def expected(self) -> Expected:
        stored = {day for (_, day), numbers in self._numbers.items() if numbers != (None, None)}
        covered = {self._first + n * _DAY for n in range((self._newest - self._first).days + 1)}
        days = {day: self._day(day) for day in sorted(stored | covered) if day >= self._created}
        if not self._answers:
            return Expected(days)
        metrics = {answer.metric for answer in self._answers}
        last = min(max(a.span[1] for a in self._answers if a.metric == metric) for metric in metrics)
        return Expected(days, self._first, self._newest, last + 16 * _DAY, len(metrics) == len(METRICS))

    def _day(self, day: date) -> ExpectedDay:
        states, numbers = [], []
        for metric in METRICS:
            stored = self._numbers.get((metric, day), (None, None))
            if stored != (None, None) or self._first <= day <= self._newest:
                states.append(self._state(metric, day, stored=stored != (None, None)))
            numbers.append((0, 0) if stored == (None, None) and self._is_zero(metric, day) else stored)
        views_14d, clones_14d = (self._totals_of(metric, day) for metric in METRICS)
        listed = frozenset(metric for metric in METRICS if (metric, day) in self._listed)
        state = max(states, key=STATES.index)
        return ExpectedDay(state, *numbers[0], *numbers[1], views_14d, clones_14d, listed)

    def _state(self, metric: Metric, day: date, *, stored: bool) -> str:
        if (metric, day) in self._listed or self._old_answer(metric, day, 7, 13):
            return "complete"
        if self._listable <= day <= self._newest:
            return "provisional"
        cut_short = stored and self._old_answer(metric, day, 14, 14)
        if cut_short or self._old_answer(metric, day, 0, 13):
            return "partial"
        return "imported" if stored else "lost"

    def _is_zero(self, metric: Metric, day: date) -> bool:
        return (metric, day) in self._listed or self._old_answer(metric, day, 2, 13)

    def _old_answer(self, metric: Metric, day: date, youngest: int, oldest: int) -> bool:
        """Return whether an old answer was received so many days after a day."""
        answers = self._old[metric]
        place = bisect_left(answers, day + youngest * _DAY)
        return place < len(answers) and answers[place] <= day + oldest * _DAY

    def _totals_of(self, metric: Metric, day: date) -> tuple[int, int] | None:
        """Return the totals of the newest window that was answered on a day, if it ended in the four days before."""
        answer = self._totals.get((metric, day))
        outdated = answer is not None and answer.form == "whole" and answer.span[1] < day - 4 * _DAY
        return None if answer is None or outdated else answer.totals
