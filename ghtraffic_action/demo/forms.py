"""The form of GitHub's traffic answers: which days they list at a moment.

A form is a pure function of the truth, the endpoint and the moment. Forms are composed: `Replay` wraps another form.
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
    """What really happened: the final count and uniques of each day; a day that is absent had no traffic.

    `seed` distinguishes the random habits of one repository from those of another.
    """

    views: Mapping[date, Numbers]
    clones: Mapping[date, Numbers]
    seed: int = 0

    @cached_property
    def first(self) -> date:
        """The first day with traffic; `date.max` if there is none."""
        return min((*self.views, *self.clones), default=date.max)

    def numbers(self, endpoint: Endpoint, day: date) -> Numbers:
        """Return the numbers of a day; those of paths and referrers are the views."""
        return (self.clones if endpoint == "clones" else self.views).get(day, (0, 0))

    def draw(self, *key: object) -> int:
        """Draw a number below 2**32: equal keys draw equal numbers."""
        return crc32(repr((self.seed, *(str(part) for part in key))).encode())


class Form(Protocol):
    """A form of GitHub's answers."""

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """Return the days that an answer lists at `now`; the views of paths and referrers are of these days."""
        ...


@dataclass(frozen=True)
class WholeForm:
    """The form since December 2025: exactly 14 consecutive days with final numbers, zeros and all.

    The newest day is yesterday from 09:00 UTC on and the day before until 05:00; between these hours the repository and
    the day decide.
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
    """Another form, whose answer of the moment `of` is repeated from `begin` until just before `end`."""

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
    """Return a form that lists no newer day from `begin` until just before `end`."""
    return Replay(form, begin, end, of=begin)
