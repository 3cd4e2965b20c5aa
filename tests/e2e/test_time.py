"""Wrong clocks, midnight, and exports that fail for a month."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from operator import add
from pathlib import Path

from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from tests.support.aws import Aws
from tests.support.builders import NOW
from tests.support.csvfiles import all_daily, exported, numbers_of, reported, rows, stored
from tests.support.fake_github import Answer, FakeGitHub
from tests.support.fault_proxy import FaultProxy, s3_error
from tests.support.programs import HERE, Attempt

DENIED_S3 = s3_error("AccessDenied")


def test_clock_a_day_off_spoils_nothing(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """With a local clock a day behind or before, the days and moments are GitHub's; a warning says so."""
    expected = reported(github)
    for skew in (timedelta(days=-1), timedelta(days=1)):
        backends = {"store": f"sqlite:{skew.days}.db", "export_to": str(skew.days)}
        report = run(settings_for(**backends), Runtime(now=partial(add, NOW, skew)))
        assert report.exit_code == 0
        assert any("clock is wrong" in warning for warning in report.warnings)
        history = stored(backends["store"])[7]
        assert numbers_of(history) == expected
        assert [snapshot.day for snapshot in history.snapshots] == [NOW.date()]
    assert exported("1") == exported("-1")


def test_right_clock_is_not_warned_about(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """If the clocks agree, there is no warning."""
    assert run(settings_for(**HERE), Runtime(now=lambda: github.now)).warnings == ()


def test_run_across_midnight_leaves_each_answer_on_its_own_day(
    github: FakeGitHub, attempt: Callable[..., Attempt], backends: dict[str, str]
) -> None:
    """Answers before and after midnight leave two snapshots; the days of both answers are kept."""
    github.now = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    after = github.now + timedelta(seconds=2)
    views = github.repositories[0].traffic.views(after.replace(hour=1))
    body = {
        "count": views.count,
        "uniques": views.uniques,
        "views": [{"timestamp": f"{day}T00:00:00Z", "count": c, "uniques": u} for day, c, u in views.rows],
    }
    github.refuse(Answer(200, body, {"Date": format_datetime(after, usegmt=True)}), path="/traffic/views")
    assert attempt(**backends).code == 0
    history = stored(backends["store"])[7]
    before_midnight, after_midnight = history.snapshots
    assert (before_midnight.day, after_midnight.day) == (date(2026, 11, 30), date(2026, 12, 1))
    assert before_midnight.metadata
    assert before_midnight.clones
    assert before_midnight.views is None
    assert after_midnight.views
    assert (after_midnight.metadata, after_midnight.clones) == (None, None)
    found = {day.day: day for day in history.days}
    assert {day: found[day].views for day, _, _ in views.rows} == {day: count for day, count, _ in views.rows}
    assert found[date(2026, 11, 30)].clones == reported(github)[date(2026, 11, 30)][2]
    daily = all_daily(exported(backends["export_to"]))
    assert [row["day"] for row in daily][-2:] == ["2026-11-30", "2026-12-01"]
    assert [row["stars"] for row in daily][-2:] == ["5", ""]
    assert attempt(command="export", **backends).out.endswith(" 0 of them written\n")


def test_export_that_fails_for_a_month_is_caught_up(
    github: FakeGitHub, settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    """After thirty runs with failed exports, the next export is equal to one of an unbroken series."""
    assert run(settings_for(**HERE)).exit_code == 0
    (tmp_path / "export").rename(tmp_path / "kept")
    (tmp_path / "export").write_text("in the way")
    for _ in range(30):
        github.now += timedelta(days=1)
        report = run(settings_for(**HERE))
        assert report.exit_code == 1
        assert report.errors[0].startswith("export-to export: cannot be used (Not a directory)")
        assert report.repositories[0].inserted == 1
    (tmp_path / "export").unlink()
    (tmp_path / "kept").rename(tmp_path / "export")
    github.now += timedelta(days=1)
    assert run(settings_for(**HERE)).exit_code == 0
    caught_up = exported("export")
    assert [row["day"] for row in all_daily(caught_up)] == [
        str(date(2026, 11, 9) + timedelta(days=number)) for number in range(14 + 1 + 31)
    ]
    assert (
        len({row["observed"] for key in caught_up if key.startswith("v1/paths") for row in rows(caught_up[key])}) == 32
    )
    assert main(["export", "--store", HERE["store"], "--export-to", "unbroken"]) == 0
    assert exported("unbroken") == caught_up


def test_bucket_that_denies_for_a_month_is_caught_up(
    aws: Aws, proxy: FaultProxy, github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """After weekly runs with a denied bucket, the next export is up to date; the table had all answers."""
    backends = {"store": aws.store, "export_to": aws.export_to}
    assert run(settings_for(**backends)).exit_code == 0
    proxy.fault = lambda request: DENIED_S3 if "/traffic/" in request.name else None
    for _ in range(4):
        github.now += timedelta(days=7)
        report = run(settings_for(**backends))
        assert report.exit_code == 1
        assert "AWS denies s3:GetObject" in report.errors[0]
        assert report.repositories[0].inserted == 7
    proxy.fault = lambda _: None
    github.now += timedelta(days=7)
    assert run(settings_for(**backends)).exit_code == 0
    caught_up = exported(aws.export_to)
    assert len(all_daily(caught_up)) == 15 + 35
    assert main(["export", "--store", aws.store, "--export-to", f"s3://{aws.bucket}/traffic"]) == 0
    assert exported(aws.export_to) == caught_up
