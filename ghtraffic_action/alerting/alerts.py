"""Texts of the alerts for the operator."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.traffic.news import News, Spike

Kind = Literal["nothing collected", "days lost", "unusual views", "new referrer"]

_SUBJECT = 100
"""Maximum length of a subject; SNS only accepts ASCII."""

_MAILED = 200
"""Maximum number of alerts in a mail, which can have 256 kB."""

_LONGEST = 500
"""Characters of an alert."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; `text` reads *where: what happened: what to do*."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail: ASCII subject and plain text."""

    subject: str
    body: str


def alerts_of(report: Report) -> tuple[Alert, ...]:
    """Return a run's alerts, most urgent first; none if switched off or a dry run."""
    if not report.alerting or report.dry_run:
        return ()
    return (*_nothing(report), *(alert for find in (_lost, _unusual, _new) for alert in find(report.repositories)))


def failure_alert(error: str) -> Alert:
    """Return the alert of a run that failed before collecting."""
    return _alert("nothing collected", f"nothing was collected: {error}")


def write_mail(alerts: Sequence[Alert], export_to: str) -> Mail:
    """Return one mail of all alerts (at least one)."""
    kinds = Counter(alert.kind for alert in alerts)
    subject = f"ghtraffic: {', '.join(f'{kind} ({count})' for kind, count in kinds.items())}"[:_SUBJECT]
    texts = [alert.text for alert in alerts[:_MAILED]]
    if len(alerts) > _MAILED:
        texts.append(f"and {len(alerts) - _MAILED} more, which v1/latest/run.json of the export lists")
    end = f"The export is {export_to}. The setting `alerts: none` ends these mails."
    return Mail(subject, "\n\n".join([*texts, end]) + "\n")


def _nothing(report: Report) -> Iterator[Alert]:
    observed = report.fresh or any(found.observed for found in report.repositories)
    if report.total and not observed and not report.interrupted:
        why = next(iter(report.all_errors or report.all_warnings), "no repository was started: see the log of the run")
        yield failure_alert(why)


def _lost(repositories: Sequence[RepositoryResult]) -> Iterator[Alert]:
    for found in repositories:
        if found.lost_new:
            days = "a day was" if found.lost_new == 1 else f"{found.lost_new} days were"
            what = f"{found.name}: {days} lost since the last run, and cannot be recovered"
            yield _alert("days lost", f"{what}: find out why no run came in time; `ghtraffic status` shows which")


def _unusual(repositories: Sequence[RepositoryResult]) -> Iterator[Alert]:
    for found in repositories:
        if found.news and (spike := found.news.spike):
            what = f"{found.name}: {spike.views} views on {spike.day}, usually about {spike.usual}"
            yield _alert("unusual views", f"{what}: {_cause(spike)}")


def _new(repositories: Sequence[RepositoryResult]) -> Iterator[Alert]:
    for found in repositories:
        if found.news and found.news.new_referrers:
            yield _alert("new referrer", f"{found.name}: {_referrers(found.news)}: read what was written there")


def _cause(spike: Spike) -> str:
    if spike.rise is None:
        return "none of its top ten referrers explains them: look at the report page's paths and releases"
    return f"{spike.rise.referrer} rose most, by {spike.rise.by} views in 14 days: read what was written there"


def _referrers(news: News) -> str:
    names = ", ".join(f"{row.referrer} ({row.count} views in 14 days)" for row in news.new_referrers)
    return f"in its top ten referrers for the first time since {news.since}: {names}"


def _alert(kind: Kind, text: str) -> Alert:
    """Return a one-line alert; referrers are outsiders' text."""
    line = "".join(character if character.isprintable() else " " for character in text[: _LONGEST + 1])
    return Alert(kind, line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…")
