"""Reads settings that are keywords, numbers, durations or URLs."""

import re
from collections.abc import Callable
from typing import get_args

from ghtraffic_action.errors import either_of
from ghtraffic_action.settings import api_url
from ghtraffic_action.settings.model import OLD_SUMMARIES, Summary
from ghtraffic_action.settings.reading import Reading
from ghtraffic_action.settings.tolerance import Tolerance, parse_tolerance

_DURATION = re.compile(r"([0-9]{1,6})([smh])")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def summary(reading: Reading) -> str:
    """Return the value of `summary`, with old values converted."""
    given = reading.text("summary").lower()
    return OLD_SUMMARIES.get(given) or choice("summary", Summary, "auto")(reading)


def choice(setting: str, kind: object, default: str) -> Callable[[Reading], str]:
    """Return a reader for a setting that is one of the literals of `kind`."""

    def read(reading: Reading) -> str:
        text = reading.text(setting).lower() or default
        if text not in get_args(kind):
            reading.malformed(setting, reading.text(setting), f"is unknown: write {either_of(get_args(kind))}")
        return text

    return read


def boolean(setting: str, *, default: bool = False) -> Callable[[Reading], bool]:
    """Return a reader for a boolean setting."""

    def read(reading: Reading) -> bool:
        text = reading.text(setting).lower() or str(default).lower()
        if text not in ("true", "false"):
            reading.malformed(setting, reading.text(setting), "is unknown: write true or false")
        return text == "true"

    return read


def max_wait(reading: Reading) -> float:
    """Return the maximum wait for GitHub in seconds."""
    text = reading.text("max_wait") or "15m"
    found = _DURATION.fullmatch(text)
    if not found:
        reading.malformed("max_wait", text, "is not a duration: write a number with its unit, such as 90s, 15m or 1h")
        return 0.0
    return int(found[1]) * _SECONDS[found[2]]


def allow_failures(reading: Reading) -> Tolerance:
    """Return how many repositories may fail."""
    text = reading.text("allow_failures") or "0"
    found = parse_tolerance(text)
    if found is None:
        reading.malformed("allow_failures", text, "is not a number: write how many may fail, such as 5 or 2%")
    return found or Tolerance()


def alerts(reading: Reading) -> str:
    """Return the alerts' target: `none`, `annotations` or a topic's ARN."""
    text = reading.text("alerts")
    if text.lower() in ("", "none", "annotations"):
        return text.lower() or "none"
    if not _TOPIC.fullmatch(text):
        what = "is not none, annotations or the ARN of a standard SNS topic"
        reading.malformed("alerts", text, f"{what}: write arn:aws:sns:REGION:ACCOUNT:NAME")
    return text


def github_api_url(reading: Reading) -> str:
    """Return the API's URL.

    GHTRAFFIC_API_URL takes precedence over GITHUB_API_URL, which GitHub's runners overwrite.
    """
    variable = "GHTRAFFIC_API_URL" if reading.variable("GHTRAFFIC_API_URL") else "GITHUB_API_URL"
    url = reading.variable(variable) or api_url.GITHUB_API
    if what := api_url.problem_of(url):
        reading.malformed(variable, url.partition("//")[2].rpartition("@")[2] if "@" in url else url, what)
    return url.rstrip("/")
