"""Parsers of GitHub's response headers."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
YEARS = range(2000, 2200)
"""Plausible years; others are malformed, and would overflow date arithmetic."""


def parse_number(text: str) -> float | None:
    """Return a number, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def parse_date(text: str) -> datetime:
    """Parse a `Date` header. Raises ValueError if it is malformed."""
    try:
        moment = parsedate_to_datetime(text)
        # An offset of -0000 parses to a naive datetime in UTC.
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(text) from error
    if moment.year not in YEARS:
        raise ValueError(text)
    return moment


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header, None if malformed.

    The header holds seconds or a date.
    """
    seconds = parse_number(text)
    try:
        seconds = (parse_date(text) - now).total_seconds() if seconds is None else seconds
    except ValueError:
        return None
    return max(1.0, seconds)


def parse_expiration(text: str) -> datetime | None:
    """Return when a token expires, None if never or malformed."""
    for form in ("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %z"):
        try:
            ends = datetime.strptime(text, form)  # noqa: DTZ007 - a zone by name is UTC, the one GitHub sends
        except ValueError:
            continue
        ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
        return ends if ends.year in YEARS else None
    return None
