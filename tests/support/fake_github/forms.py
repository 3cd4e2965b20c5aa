"""Forms of GitHub's traffic answers that the demonstration does not show; see `ghtraffic_action.demo.forms`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ghtraffic_action.demo.forms import DAY, WINDOW, Form, Truth
from ghtraffic_action.demo.traffic import Endpoint, Row

OLDEST = 13
"""The age in days of the oldest day that an answer of the old form lists in full."""
HOURS = 24


@dataclass(frozen=True)
class PlaceholderForm:
    """The form for a repository that GitHub's batch has not seen yet: 14 zeros that end today."""

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:  # noqa: ARG002 - see Form
        """See Form."""
        return tuple((now.date() - age * DAY, 0, 0) for age in range(WINDOW - 1, -1, -1))


@dataclass(frozen=True)
class FormChange:
    """One form before a moment, another from then on."""

    before: Form
    at: datetime
    after: Form

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """See Form."""
        return (self.before if now < self.at else self.after).rows(truth, endpoint, now)


@dataclass(frozen=True)
class OldForm:
    """The form until December 2025: today is listed and grows, a few days rise late, the oldest day is cut short.

    Each habit was seen in 3,685 answers that GitHub gave for two repositories over four years.

    Args:
        omit_zeros: whether a day of zero is left out of an answer.
        lag_days: how many of the newest days are not listed yet.
        include_today: whether today is listed at all.
        cut_until_hour: the UTC hour from which on the fifteenth row, the one that is cut short, is no longer listed.
        latest_rise: the age in days, 2 to 13, by which every day is final.
    """

    omit_zeros: bool = False
    lag_days: int = 0
    include_today: bool = True
    cut_until_hour: int = 12
    latest_rise: int = OLDEST

    def rows(self, truth: Truth, endpoint: Endpoint, now: datetime) -> tuple[Row, ...]:
        """See Form."""
        oldest = OLDEST + (now.hour < self.cut_until_hour)
        youngest = max(self.lag_days, 0 if self.include_today else 1)
        days = (now.date() - timedelta(days=age) for age in range(oldest, youngest - 1, -1))
        rows = (self._row(truth, endpoint, day, now) for day in days if day >= truth.first)
        return tuple(row for row in rows if row[1] or not self.omit_zeros)

    def _row(self, truth: Truth, endpoint: Endpoint, day: date, now: datetime) -> Row:
        count, uniques = truth.numbers(endpoint, day)
        age = (now.date() - day).days
        settled = age >= self._settled_age(truth, endpoint, day)
        shown = _shown(count, age, now.hour, settled=settled)
        return day, shown, max(_shown(uniques, age, now.hour, settled=settled), min(1, shown, uniques))

    def _settled_age(self, truth: Truth, endpoint: Endpoint, day: date) -> int:
        """Draw the age at which a day is final: 2 days for most, up to `latest_rise` for one in eight."""
        drawn = truth.draw(endpoint, day)
        return 2 + (drawn // 8) % (self.latest_rise - 1) if drawn % 8 == 0 else 2


def _shown(final: int, age: int, hour: int, *, settled: bool) -> int:
    """Return the listed part of a final number: it only falls at the edge of the window."""
    if age > OLDEST:
        return final * (HOURS - 1 - hour) // HOURS
    if age == 0:
        return final * hour // HOURS
    return final if settled else final - max(min(1, final), final * 3 // 100)


OLD = OldForm()
