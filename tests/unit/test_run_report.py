"""The JSON report of a run, and the file run.json."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.run_report import MOVERS, movers, refusals, write_report
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.views.job_summary import summary_of
from tests.support.builders import NAME, TOKEN, repository
from tests.support.fake_github import FakeGitHub, Refusal

LAST = date(2026, 11, 22)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOCAL = {"store": "sqlite:traffic.db", "export_to": "export"}
RUN = Path("export/v1/latest/run.json")


def result(name: str, before: int | None, now: int) -> RepositoryResult:
    """Return the result of a repository with these views in the last two weeks; None is unknown."""
    days = tuple(
        DayCoverage(LAST - timedelta(days=ago), name, now if ago < 7 else before, 1, 2, 1, Coverage.COMPLETE, None)
        for ago in range(13, -1, -1)
    )
    return RepositoryResult(name, len(name), observed=NOON, views_14d=1, clones_14d=2, days=days)


def written(*results: RepositoryResult) -> dict[str, object]:
    found: dict[str, object] = json.loads(write_report(Report(results, "sqlite:traffic.db", "export")))
    return found


def test_the_biggest_movers_come_first() -> None:
    """Rises and falls are sorted by size, at most twenty, without unchanged and unknown ones."""
    results = [result("a/rises", 1, 3), result("a/falls", 9, 2), result("a/rests", 4, 4), result("a/gap", None, 50)]
    assert [(found.name, found.views_before, found.views, found.change) for found in movers(results)] == [
        ("a/falls", 63, 14, -49),
        ("a/rises", 7, 21, 14),
    ]
    assert len(movers([result(f"a/{n}", 0, n) for n in range(40)])) == MOVERS


def test_totals_say_how_many_repositories_they_count() -> None:
    """Repositories with an unknown day are not in the weekly sums, those without an answer in no total."""
    found = written(result("a/one", 1, 3), result("a/gap", None, 50), RepositoryResult("a/no", errors=("x",)))
    assert found["totals"] == {
        "views_14d": 2,
        "clones_14d": 4,
        "stars": None,
        "last_7_days": {
            "views": {"counted": 1, "now": 21, "before": 7},
            "clones": {"counted": 2, "now": 28, "before": 28},
        },
    }
    assert found["counts"] == {
        "collected": 2,
        "failed": 1,
        "remaining": 0,
        "fresh": 0,
        "exported": 0,
        "inserted": 0,
        "raised": 0,
        "lost_days": 0,
    }


def test_refusals_are_grouped_by_their_remedy() -> None:
    """Errors with one remedy form one group; an error without a separate remedy is its own group."""
    failed = [
        RepositoryResult("a/1", errors=("not stored",)),
        RepositoryResult("a/2", errors=("views: refused (403): grant it",), remedies=("grant it",)),
        RepositoryResult("a/3", errors=("refused (403): grant it",), remedies=("grant it",)),
    ]
    assert [(group.remedy, len(group.causes), group.repositories) for group in refusals(failed)] == [
        ("grant it", 2, ("a/2", "a/3")),
        ("not stored", 1, ("a/1",)),
    ]


def test_the_summary_names_all_repositories_of_a_common_remedy() -> None:
    """The error names two, and a list below it names all."""
    failed = tuple(RepositoryResult(f"a/r{n}", errors=("no: grant it",), remedies=("grant it",)) for n in range(5))
    text = summary_of(Report(failed, "sqlite:traffic.db", "export"))
    assert "<summary>5 repositories: grant it</summary>" in text
    assert all(f"<code>a/r{n}</code>" in text for n in range(5))


@pytest.mark.e2e
def test_each_run_leaves_its_whole_report(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """A failed run's file has the remedies and no secret."""
    github.repositories.append(repository("octo-lab/closed", id=9))
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path="/repos/octo-lab/closed/traffic/")
    report = run(settings_for(**LOCAL, repositories=f"{NAME} octo-lab/closed"))
    assert report.exit_code == 1
    found = json.loads(RUN.read_text())
    assert (found["exit_code"], found["counts"]["collected"], found["counts"]["failed"]) == (1, 1, 1)
    assert [entry["name"] for entry in found["repositories"]] == ["octo-lab/closed", NAME]
    [group] = found["refusals"]
    assert group["repositories"] == ["octo-lab/closed"]
    assert "Administration: read" in group["remedy"]
    assert TOKEN not in RUN.read_text()
    github.allow()
    assert run(settings_for(**LOCAL, repositories=NAME)).exit_code == 0
    assert json.loads(RUN.read_text())["counts"]["failed"] == 0


@pytest.mark.e2e
def test_a_rerun_without_a_change_leaves_the_report(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """A rerun does not write the file, except for a success after a failure."""
    first = run(settings_for(**LOCAL))
    assert first.exit_code == 0
    before = RUN.read_bytes()
    assert run(settings_for(**LOCAL)).exit_code == 0
    assert RUN.read_bytes() == before
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path=f"/repos/{NAME}/traffic/")
    assert run(settings_for(**LOCAL)).exit_code == 1
    assert json.loads(RUN.read_text())["exit_code"] == 1
    github.allow()
    assert run(settings_for(**LOCAL)).exit_code == 0
    assert json.loads(RUN.read_text())["exit_code"] == 0
    for damaged in ("no report", "[" * 200_000):
        RUN.write_text(damaged)
        assert run(settings_for(**LOCAL)).exit_code == 0
        assert json.loads(RUN.read_text())["exit_code"] == 0


def test_a_run_of_which_all_was_refused_leaves_a_report(
    github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """It is the only exported file."""
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path=f"/repos/{NAME}/traffic/")
    assert run(settings_for(**LOCAL)).exit_code == 1
    assert [path for path in Path("export").rglob("[!.]*") if path.is_file()] == [RUN]


def test_a_dry_run_leaves_no_report(settings_for: Callable[..., Settings]) -> None:
    """A dry run writes no file."""
    assert run(settings_for(**LOCAL, dry_run="true")).exit_code == 0
    assert not Path("export").exists()


def test_verify_leaves_the_report_of_the_run_alone(settings_for: Callable[..., Settings]) -> None:
    """The run's report cannot be rebuilt, so verify ignores it."""
    assert run(settings_for(**LOCAL)).exit_code == 0
    assert verify_all(read_settings("verify", {}, LOCAL), repair=False).problems == ()


def test_a_report_that_cannot_be_written_is_an_error(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    """If the report cannot be written, the run fails with one error."""
    (tmp_path / RUN / "in-the-way").mkdir(parents=True)
    report = run(settings_for(**LOCAL))
    assert report.exit_code == 1
    assert report.errors == (f"export-to export: {RUN} is a folder where a file belongs: move it away",)
