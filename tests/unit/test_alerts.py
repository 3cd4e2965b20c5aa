"""The alerts of a run: their texts, when they are sent, and failures to send them."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from ghtraffic_action.alerting.alerts import Alert, alerts_of, write_mail
from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.errors import SettingsError, UserError
from ghtraffic_action.lambda_handler import handler
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.model import TopReferrer
from ghtraffic_action.traffic.news import News, Rise, Spike
from ghtraffic_action.views.job_summary import summary_of
from tests.support.aws import Aws
from tests.support.builders import NAME, TOKEN, repository
from tests.support.fake_github import FakeGitHub, GeneratedTraffic, ReferrerRow, Refusal
from tests.support.runtime import no_wait_runtime

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = date(2026, 10, 1)
LAUNCH = NOON.date()
"""The day of five times the usual views."""

RUN = Path("export/v1/latest/run.json")
SITE = "lobste.rs"
SPIKE = News(Spike(date(2026, 11, 22), 90, 10, Rise("t.co", 57)))
FOUND = News(None, (TopReferrer(SITE, 4, 1),), date(2026, 11, 8))


class Launched(GeneratedTraffic):
    """Traffic of 20 views a day, and of 100 on one day with a new referrer."""

    def __init__(self) -> None:
        views: dict[date, tuple[int, int]] = {FIRST + timedelta(days=n): (20, 9) for n in range(90)}
        super().__init__(views | {LAUNCH: (100, 40)}, views, name=NAME)

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """See Traffic."""
        new: tuple[ReferrerRow, ...] = ((SITE, 80, 30),) if now.date() > LAUNCH else ()
        return (*new, ("Google", 40, 9))


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Return a fake GitHub with one repository, three weeks before the launch."""
    with FakeGitHub([repository(traffic=Launched(), stars=0)], now=NOON - timedelta(days=20), token=TOKEN) as fake:
        yield fake


def collect_until(github: FakeGitHub, settings: Settings, day: date) -> Report:
    """Collect every fourth day from GitHub's day on, and on the last. Return the last report."""
    while github.now.date() < day:
        run(settings, no_wait_runtime(lambda: github.now))
        github.now += min(timedelta(days=4), day - github.now.date())
    return run(settings, no_wait_runtime(lambda: github.now))


def kinds(report: Report) -> list[str]:
    return [alert.kind for alert in alerts_of(report)]


def result(
    name: str = NAME,
    *,
    private: bool = False,
    lost_new: int = 0,
    news: News | None = None,
    errors: tuple[str, ...] = (),
) -> RepositoryResult:
    return RepositoryResult(name, 7, private, observed=NOON, lost_new=lost_new, news=news, errors=errors)


def report(*results: RepositoryResult, **changes: Any) -> Report:  # noqa: ANN401 - the type's own fields
    return replace(Report(results, "sqlite:traffic.db", "export", alerting=True), **changes)


def test_there_is_no_alert_unless_somebody_wants_it() -> None:
    """A dry run has no alerts either: it stores nothing, so the next run would repeat them."""
    lost = report(result(lost_new=2, news=SPIKE))
    assert kinds(lost) == ["days lost", "unusual views"]
    assert alerts_of(replace(lost, alerting=False)) == ()
    assert alerts_of(replace(lost, dry_run=True)) == ()
    assert alerts_of(report(result())) == ()


def test_each_alert_says_where_what_and_what_to_do() -> None:
    """Each alert is one line, and the most urgent one is first."""
    silent = News(Spike(date(2026, 11, 22), 90, 10, None))
    found = report(result(lost_new=1, news=FOUND), result("a/b", lost_new=3, news=SPIKE), result("c/d", news=silent))
    late = "lost since the last run, and cannot be recovered: find out why no run came in time"
    status = "`ghtraffic status` shows which"
    views, read = "90 views on 2026-11-22, usually about 10", "read what was written there"
    rest = "none of its top ten referrers explains them: look at the report page's paths and releases"
    new = f"in its top ten referrers for the first time since 2026-11-08: {SITE} (4 views in 14 days)"
    assert [alert.text for alert in alerts_of(found)] == [
        f"{NAME}: a day was {late}; {status}",
        f"a/b: 3 days were {late}; {status}",
        f"a/b: {views}: t.co rose most, by 57 views in 14 days: {read}",
        f"c/d: {views}: {rest}",
        f"{NAME}: {new}: {read}",
    ]


def test_a_run_that_collected_nothing_says_why() -> None:
    """A run without due repositories, a stopped run and a partly successful run do not count."""
    refused = RepositoryResult(NAME, errors=("refused (403): grant it",))
    assert alerts_of(report(refused)) == (
        Alert("nothing collected", f"nothing was collected: {NAME}: refused (403): grant it"),
    )
    waiting = report(remaining=(NAME,), warnings=("GitHub's limit ends at 12:00: run again then",))
    assert alerts_of(waiting)[0].text == "nothing was collected: GitHub's limit ends at 12:00: run again then"
    assert kinds(report(remaining=(NAME,))) == ["nothing collected"]
    for quiet in (report(), report(refused, fresh=1), report(refused, interrupted=True), report(result(errors=("x",)))):
        assert kinds(quiet) == []


def test_a_public_log_shows_no_traffic() -> None:
    """Only lost days are shown, without names of private repositories, also in summary and JSON."""
    found = report(result(lost_new=1, news=SPIKE), result("a/secret", private=True, lost_new=1, news=FOUND))
    shown = found.without_traffic()
    texts = [alert.text for alert in alerts_of(shown)]
    assert [text.partition(":")[0] for text in texts] == [NAME, "#7"]
    summary = summary_of(shown)
    assert summary.count("[!IMPORTANT]") == 2
    for secret in ("secret", "lobste", "rose most", "usually"):
        assert secret not in "".join(texts)
        assert secret not in summary
    assert "rose most" in summary_of(found)


def test_a_summary_is_short_also_with_many_alerts() -> None:
    """The summary limits alerts as it limits errors."""
    summary = summary_of(report(*(result(f"a/{n}", lost_new=1) for n in range(60))))
    assert summary.count("[!IMPORTANT]") == 51
    assert "and 10 more alerts" in summary


def test_a_mail_has_a_subject_of_ascii_and_a_line_for_each_alert() -> None:
    """The subject has at most 100 characters, and the body at most as many alerts as SNS accepts."""
    site = News(None, (TopReferrer("bücher\n::error::.example" * 60, 4, 1),), date(2026, 11, 8))
    found = report(*(result(f"a/{n}", lost_new=1, news=site) for n in range(300)))
    alerts = alerts_of(found)
    mail = write_mail(alerts, found.export_to)
    assert mail.subject == "ghtraffic: days lost (300), new referrer (300)"
    lines = mail.body.strip().split("\n\n")
    assert len(lines) == 202
    assert lines[-2] == "and 400 more, which v1/latest/run.json of the export lists"
    assert lines[-1].startswith("The export is export.")
    assert all(alert.text.isprintable() for alert in alerts)
    assert max(len(alert.text) for alert in alerts) == 500
    assert "\n" not in "".join(lines)
    everything = report(RepositoryResult("a/b", lost_new=1, news=replace(SPIKE, new_referrers=FOUND.new_referrers)))
    subject = write_mail(alerts_of(everything), "export").subject
    assert subject == "ghtraffic: nothing collected (1), days lost (1), unusual views (1), new referrer (1)"
    assert subject.isascii()
    assert len(subject) <= 100


@pytest.mark.parametrize(
    "given", ["mail", "arn:aws:sns:eu-central-1:123456789012:x.fifo", "arn:aws:sqs:r:123456789012:x"]
)
def test_another_receiver_is_refused(settings_for: Callable[..., Settings], given: str) -> None:
    """The error lists the valid values."""
    with pytest.raises(SettingsError, match=r"^alerts: .* write arn:aws:sns:REGION:ACCOUNT:NAME"):
        settings_for(alerts=given)
    assert settings_for(alerts="Annotations").alerts == "annotations"
    assert settings_for().alerts == "none"


@pytest.mark.e2e
def test_each_thing_is_one_alert(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """Only the first run that observes the launch has an alert, with the referrer that rose."""
    settings = settings_for(store="sqlite:traffic.db", export_to="export", alerts="annotations")
    after = LAUNCH + timedelta(days=1)
    assert kinds(collect_until(github, settings, LAUNCH)) == []
    found = collect_until(github, settings, after)
    assert [alert.text.partition(": read")[0] for alert in alerts_of(found)] == [
        f"{NAME}: 100 views on {LAUNCH}, usually about 20: {SITE} rose most, by 80 views in 14 days",
        f"{NAME}: in its top ten referrers for the first time since 2026-11-03: {SITE} (80 views in 14 days)",
    ]
    assert [entry["kind"] for entry in json.loads(RUN.read_text())["alerts"]] == ["unusual views", "new referrer"]
    assert kinds(collect_until(github, settings, after)) == []
    github.now += timedelta(days=1)
    assert kinds(collect_until(github, settings, github.now.date())) == []


def test_alerts_send_no_request(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """A run with alerts sends the same requests, and stores and exports the same."""
    runs = []
    for alerts in ("none", "annotations"):
        github.now = NOON + timedelta(days=1)
        github.requests.clear()
        folder = Path(f"with-{alerts}")
        backends = {"store": f"sqlite:{alerts}.db", "export_to": str(folder)}
        run(settings_for(**backends, alerts=alerts), no_wait_runtime(lambda: github.now))
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.csv")}
        assert files
        runs.append((sorted((request.method, request.path) for request in github.requests), files))
    assert runs[0] == runs[1]


def test_lost_days_are_one_alert(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """Only the first run after the gap has the alert."""
    settings = settings_for(store="sqlite:traffic.db", export_to="export", alerts="annotations")
    collect_until(github, settings, github.now.date())
    github.now += timedelta(days=18)
    found = collect_until(github, settings, github.now.date())
    assert alerts_of(found)[0].text.startswith(f"{NAME}: 4 days were lost since the last run")
    assert kinds(collect_until(github, settings, github.now.date())) == []


@pytest.mark.e2e
@pytest.mark.parametrize("summary", ["full", "no-traffic"])
def test_annotations_are_warnings_of_the_job(
    github: FakeGitHub,
    settings_for: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    summary: str,
) -> None:
    """Each alert is a warning, with traffic only if `summary` shows it."""
    shown = summary == "full"
    collect_until(github, settings_for(store="sqlite:traffic.db", export_to="export"), LAUNCH)
    github.now += timedelta(days=1)
    given = {"GITHUB_TOKEN": TOKEN, "STORE": "sqlite:traffic.db", "EXPORT_TO": "export", "REPOSITORIES": NAME}
    for name, value in (given | {"SUMMARY": summary, "ALERTS": "annotations"}).items():
        monkeypatch.setenv(f"GHTRAFFIC_{name}", value)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", NAME)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    assert main(["collect"]) == 0
    written = "".join(capfd.readouterr())
    assert (f"::warning title=ghtraffic::{NAME}: 100 views on {LAUNCH}" in written) is shown
    assert (SITE in written) is shown


class TestTopic:
    """Alerts sent to an SNS topic."""

    @pytest.fixture
    def queue(self, aws: Aws) -> str:
        """Return a queue subscribed to the topic, which is in another region than the history."""
        assert aws.url
        sqs = boto3.client("sqs")
        url = str(sqs.create_queue(QueueName=aws.table)["QueueUrl"])
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns = boto3.client("sns", region_name="eu-central-1")
        sns.subscribe(TopicArn=sns.create_topic(Name=aws.table)["TopicArn"], Protocol="sqs", Endpoint=arn)
        return url

    @pytest.fixture
    def settings(self, aws: Aws, settings_for: Callable[..., Settings]) -> Settings:
        """Return the settings of a run with the topic."""
        topic = f"arn:aws:sns:eu-central-1:123456789012:{aws.table}"
        return settings_for(store=aws.store, export_to=aws.export_to, alerts=topic)

    def test_a_run_sends_one_mail_of_all_alerts(self, github: FakeGitHub, queue: str, settings: Settings) -> None:
        """The mail has traffic whatever the log shows; a run without alerts sends none."""
        collect_until(github, settings, LAUNCH)
        assert received(queue) == []
        github.now += timedelta(days=1)
        found = run(replace(settings, summary="none"), no_wait_runtime(lambda: github.now))
        assert (found.exit_code, found.warnings) == (0, ())
        [(subject, body)] = received(queue)
        assert subject == "ghtraffic: unusual views (1), new referrer (1)"
        assert f"{NAME}: 100 views on {LAUNCH}, usually about 20: {SITE} rose most" in body

    def test_a_run_that_cannot_begin_sends_one_too(self, github: FakeGitHub, queue: str, settings: Settings) -> None:
        """The run fails and sends the error; a dry run sends nothing."""
        github.refuse(Refusal.BAD_CREDENTIALS)
        dry = replace(settings, dry_run=True)
        for each in (dry, settings):
            try:
                assert run(each, no_wait_runtime(lambda: github.now)).exit_code == 1
            except UserError:
                continue
        [(subject, body)] = received(queue)
        assert subject == "ghtraffic: nothing collected (1)"
        assert "nothing was collected: " in body

    def test_the_lambda_sends_one(
        self, github: FakeGitHub, queue: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The mail has traffic, even if the response hides it."""
        collect_until(github, settings, LAUNCH)
        github.now += timedelta(days=1)
        given = {"GITHUB_TOKEN": TOKEN, "STORE": settings.store, "EXPORT_TO": settings.export_to, "REPOSITORIES": NAME}
        for name, value in (given | {"SUMMARY": "no-traffic", "ALERTS": settings.alerts}).items():
            monkeypatch.setenv(f"GHTRAFFIC_{name}", value)
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "traffic")
        answer = handler({}, Context())
        assert (answer["exit_code"], answer["alerts"]) == (0, [])
        [(subject, _)] = received(queue)
        assert subject == "ghtraffic: unusual views (1), new referrer (1)"

    def test_a_mail_that_fails_is_a_warning(
        self, github: FakeGitHub, aws: Aws, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Everything is stored and exported, and the run succeeds."""
        collect_until(github, replace(settings, alerts="annotations"), LAUNCH)
        github.now += timedelta(days=1)
        gone = settings.alerts.replace(aws.table, "gone")
        with caplog.at_level(logging.WARNING):
            found = run(replace(settings, alerts=gone), no_wait_runtime(lambda: github.now))
        assert found.exit_code == 0
        [warning] = found.warnings
        assert warning.startswith("alerts: 2 not sent: there is no such topic")
        assert warning in caplog.text
        alerts = json.loads(aws.file("v1/latest/run.json"))["alerts"]
        assert [entry["kind"] for entry in alerts] == ["unusual views", "new referrer"]
        assert f"{LAUNCH},100," in aws.file("v1/latest/daily.csv")


class Context:
    """The context of an invocation with all its time left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the remaining milliseconds."""
        return 900_000


def received(queue: str) -> list[tuple[str, str]]:
    """Return the subjects and texts in a queue, and empty it."""
    with closing(boto3.client("sqs")) as sqs:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    bodies = [json.loads(message["Body"]) for message in found]
    return [(body["Subject"], body["Message"]) for body in bodies]
