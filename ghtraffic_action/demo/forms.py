"""Forms of GitHub's traffic answers: which days they list, and when.

A form computes an answer from the true traffic, the endpoint and the moment alone. Forms can be nested:
`Replay` wraps another form.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Protocol
from zlib import crc32

from ghtraffic_action.demo.traffic import Endpoint, Numbers, Row

DAY = timedelta(days=1)
WINDOW = 14
"""Days that an answer lists."""
ENDPOINTS: frozenset[Endpoint] = frozenset(("views", "clones", "paths", "referrers"))

_FIRST_BATCH = 5
_LAST_BATCH = 9
"""The UTC hours between which yesterday becomes listed."""


@dataclass(frozen=True)
class Truth:
    """The true count and uniques of each day with traffic.

    `seed` distinguishes the random habits of one repository from those of another.
    """

    views: Mapping[date, Numbers]
    clones: Mapping[date, Numbers]
    seed: int = 0

    @cached_property
    def first(self) -> date:
        """The first day with traffic, or `date.max`."""
        return min((*self.views, *self.clones), default=date.max)

    def numbers(self, endpoint: Endpoint, day: date) -> Numbers:
        """Return a day's numbers; paths and referrers have those of views."""
        return (self.clones if endpoint == "clones" else self.views).get(day, (0, 0))

    def draw(self, *key: object) -> int:
        """Draw a number below 2**32, deterministically by keys."""
        return crc32(repr((self.seed, *(str(part) for part in key))).encode())


class Form(Protocol):
    """A form of GitHub's answers."""

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """Return the days that an answer at `now` covers."""
        ...


@dataclass(frozen=True)
class WholeForm:
    """The form since December 2025: 14 final days, zeros included.

    The newest day is yesterday from 09:00 UTC on and the day before until 05:00; between these hours it depends on the
    repository and the day.
    """

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """See Form."""
        last = self.last_day(truth, now)
        days = (last - timedelta(days=age) for age in range(WINDOW - 1, -1, -1))
        return tuple((day, *truth.numbers(endpoint, day)) for day in days)

    def last_day(self, truth: Truth, now: datetime) -> date:
        """Return the newest listed day."""
        batch = time(_FIRST_BATCH + truth.draw("batch", now.date()) % (_LAST_BATCH - _FIRST_BATCH + 1))
        return now.date() - (DAY if now.time() >= batch else 2 * DAY)


@dataclass(frozen=True)
class Replay:
    """Repeats another form's answer at `of` from `begin` to `end`."""

    form: Form
    begin: datetime
    end: datetime
    of: datetime
    endpoints: Collection[Endpoint] = field(default=ENDPOINTS)

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """See Form."""
        replayed = endpoint in self.endpoints and self.begin <= now < self.end
        return self.form.rows(truth, endpoint, self.of if replayed else now)


def late_batch(form: Form, begin: datetime, end: datetime) -> Replay:
    """Return a form without newer days from `begin` to `end`."""
    return Replay(form, begin, end, of=begin)
