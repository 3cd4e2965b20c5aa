"""Runs with responses of GitHub that are invalid, incomplete or unusual."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.run_report import write_report
from ghtraffic_action.settings import Settings
from tests.support.builders import NAME, NOW, days, repository
from tests.support.csvfiles import all_daily, exported, reported, rows, stored
from tests.support.fake_github import OLD, Answer, FakeGitHub, GeneratedTraffic, OldForm, RecordedTraffic, Refusal
from tests.support.programs import HERE, Attempt, assert_token_is_nowhere
from tests.support.runtime import no_wait_runtime

FAULTS: dict[str, Answer] = {
    "html": Refusal.HTML.value,
    "truncated": Refusal.TRUNCATED.value,
    "no-integer": Answer(
        200,
        {"count": 9, "uniques": 9, "views": [{"timestamp": "2026-11-22T00:00:00Z", "count": "9" * 9, "uniques": 9}]},
    ),
    "negative": Answer(
        200, {"count": 9, "uniques": 9, "views": [{"timestamp": "2026-11-22T00:00:00Z", "count": -9, "uniques": 9}]}
    ),
    "future": Answer(
        200,
        {"count": 9, "uniques": 9, "views": [{"timestamp": "2026-11-26T00:00:00Z", "count": 9999, "uniques": 9}]},
    ),
    "broken": Refusal.RESET.value,
    "error-page": Refusal.SERVER_ERROR_HTML.value,
}


def test_invalid_views_keep_what_is_stored_and_the_clones(
    github: FakeGitHub, settings_for: Callable[..., Settings], backends: dict[str, str]
) -> None:
    """Invalid views change no stored views; the clones and the rest are collected."""
    github.repositories = [repository(f"octo-lab/{fault}", id=at) for at, fault in enumerate(["fine", *FAULTS], 1)]
    names = " ".join(r.name for r in github.repositories)
    assert run(settings_for(**backends, repositories=names)).exit_code == 0
    before = stored(backends["store"])
    github.now += timedelta(days=2)
    for fault, answer in FAULTS.items():
        github.refuse(answer, path=f"/{fault}/traffic/views")
    report = run(settings_for(**backends, repositories=names), no_wait_runtime())
    assert report.exit_code == 1
    assert [found.name for found in report.collected] == ["octo-lab/fine"]
    assert_token_is_nowhere(Path(), write_report(report), repr(report))
    after = stored(backends["store"])
    for at, fault in enumerate(FAULTS, 2):
        views = {day.day: day.views for day in after[at].days if day.views is not None}
        assert views == {day.day: day.views for day in before[at].days}, fault
        assert len([day for day in after[at].days if day.clones is not None]) == 17
    assert len([day for day in after[1].days if day.views is not None]) == 17
    errors = {found.name.partition("/")[2]: found.errors for found in report.failed}
    assert all(len(texts) == 1 for texts in errors.values())
    for fault in ("html", "truncated", "no-integer", "negative", "future"):
        assert errors[fault][0].startswith("views: GitHub's response is invalid"), fault
    assert "cannot be reached" in errors["broken"][0]
    assert "GitHub failed (502)" in errors["error-page"][0]


def test_invalid_responses_store_nothing(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """If all responses are HTML, nothing is stored or exported, and the run fails."""
    github.refuse(Refusal.HTML)
    report = run(settings_for(**HERE), no_wait_runtime())
    assert report.exit_code == 1
    assert "response is invalid" in report.repositories[0].errors[0]
    assert stored(HERE["store"]) == {}


def test_renamed_repository_has_one_history_and_both_names(
    github: FakeGitHub, attempt: Callable[..., Attempt], backends: dict[str, str]
) -> None:
    """After a rename the history continues, and each row has the name of its day."""
    assert attempt(**backends).code == 0
    github.repositories[0].former_names = (NAME,)
    github.repositories[0].name = "octo-lab/beacon"
    github.now += timedelta(days=10)
    assert attempt(**backends).code == 0
    assert attempt(**backends, repositories="octo-lab/beacon").code == 0
    assert set(stored(backends["store"])) == {7}
    files = exported(backends["export_to"])
    daily = all_daily(files)
    assert {row["repository"] for row in daily} == {NAME, "octo-lab/beacon"}
    assert {row["repository_id"] for row in daily} == {"7"}
    assert len({row["day"] for row in daily}) == len(daily) == 25
    assert [(row["repository_id"], row["repository"]) for row in rows(files["v1/latest/repositories.csv"])] == [
        ("7", "octo-lab/beacon")
    ]


def test_today_that_is_not_listed_yet_is_unknown(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """If the answer has no row for today, today's cells are empty, not zero; a day later they have numbers."""
    truth = days(date(2026, 9, 1), 200)
    github.repositories = [repository(traffic=GeneratedTraffic(truth, truth, form=OldForm(include_today=False)))]
    assert attempt().code == 0
    today = all_daily(exported("export"))[-1]
    assert (today["day"], today["views"], today["clones"], today["state"]) == ("2026-11-23", "", "", "provisional")
    github.now += timedelta(days=1)
    assert attempt().code == 0
    found = {row["day"]: row["views"] for row in all_daily(exported("export"))}
    assert found["2026-11-23"] == str(reported(github)[date(2026, 11, 23)][0])
    assert found["2026-11-24"] == ""


@pytest.mark.parametrize(("hour", "listed"), [(3, 15), (15, 14)])
def test_fifteenth_row_is_kept_as_partial(
    github: FakeGitHub, attempt: Callable[..., Attempt], hour: int, listed: int
) -> None:
    """A day before the 14 that an answer covers is exported as partial if listed, else not at all."""
    github.now = NOW.replace(hour=hour)
    assert attempt().code == 0
    daily = all_daily(exported("export"))
    assert len(daily) == listed
    assert [row["day"] for row in daily if row["state"] == "partial"] == ["2026-11-09"] * (listed - 14)


def test_fifteenth_row_never_lowers_a_day(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A partial day at the window's edge does not lower the stored number."""
    assert attempt().code == 0
    edge = NOW.date() - timedelta(days=5)
    stored_before = {day.day: day.views for day in stored(HERE["store"])[7].days}[edge]
    github.now += timedelta(days=9)
    cut = reported(github)[edge][0]
    assert attempt().code == 0
    assert stored_before
    assert cut < stored_before
    stored_after = {day.day: day.views for day in stored(HERE["store"])[7].days}[edge]
    assert stored_after
    assert stored_after >= stored_before


def test_no_rows_at_all_are_days_of_zero(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A repository without listed days has zeros until two days ago, and unknown days after that."""
    github.repositories = [repository(traffic=RecordedTraffic())]
    assert attempt().code == 0
    history = stored(HERE["store"])[7]
    assert (history.days, len(history.snapshots)) == ((), 1)
    daily = all_daily(exported("export"))
    assert [row["views"] for row in daily] == ["0"] * 12 + [""] * 2
    assert [row["clone_uniques"] for row in daily] == ["0"] * 12 + [""] * 2


def test_new_repository_has_no_days_before_it_was_made(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """Days before the repository was created have no rows."""
    truth = days(date(2026, 11, 20), 30)
    github.repositories = [repository(traffic=GeneratedTraffic(truth, truth, form=OLD), created=date(2026, 11, 20))]
    assert attempt().code == 0
    assert [row["day"] for row in all_daily(exported("export"))] == [f"2026-11-{day}" for day in range(20, 24)]
