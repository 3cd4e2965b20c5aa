"""Retirement of repositories in store, catalogue, status and later runs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.report import Report
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.status import status_of
from tests.support.builders import NAME, NOW, repository
from tests.support.csvfiles import exported, rows
from tests.support.fake_github import FakeGitHub

CATALOGUE = "v1/latest/repositories.csv"
ALL = "octo-lab/*"
GONE = "octo-lab/buoy"


@pytest.fixture
def collect(
    github: FakeGitHub, backends: dict[str, str], settings_for: Callable[..., Settings]
) -> Callable[[], Report]:
    """Collect all repositories of an owner with two, and later with one."""
    github.repositories.append(repository(GONE, id=8))
    return lambda: run(settings_for(repositories=ALL, **backends))


@pytest.mark.e2e
def test_an_unlisted_repository_is_named_until_it_is_retired(
    github: FakeGitHub, backends: dict[str, str], collect: Callable[[], Report], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each run names it with its deadline until `retire`, which keeps its history."""
    assert collect().unlisted == ()
    github.repositories.pop()
    [unlisted] = collect().unlisted
    assert (unlisted.name, unlisted.observed) == (GONE, NOW.date())
    before = exported(backends["export_to"])
    assert main(["retire", GONE, *flags(backends)]) == 0
    assert "retired in" in capsys.readouterr().out
    after = exported(backends["export_to"])
    assert {key for key in after if after[key] != before[key]} == {
        CATALOGUE,
        "v1/repositories/repositories.csv",
        "report.html",
        "report/data.jsonl",
    }
    assert [bool(row["retired"]) for row in rows(after[CATALOGUE])] == [False, True]
    assert collect().unlisted == ()
    assert main(["verify", *flags(backends)]) == 0
    found = {
        one.repository: one for one in status_of(read_settings("status", {}, backends), NOW.date(), 14).repositories
    }
    assert (found[GONE].deadline, found[NAME].deadline is None) == (None, False)


@pytest.mark.e2e
def test_a_later_observation_ends_the_retirement(
    github: FakeGitHub, backends: dict[str, str], collect: Callable[[], Report]
) -> None:
    """A repository that is listed again is collected, and no longer retired in the catalogue."""
    collect()
    gone = github.repositories.pop()
    assert main(["retire", GONE, *flags(backends)]) == 0
    github.repositories.append(gone)
    github.now = datetime.now(UTC) + timedelta(days=60)
    collect()
    assert [row["retired"] for row in rows(exported(backends["export_to"])[CATALOGUE])] == ["", ""]


def test_an_unknown_name_changes_nothing(
    backends: dict[str, str], collect: Callable[[], Report], caplog: pytest.LogCaptureFixture
) -> None:
    """The error has the name, and no other repository is retired."""
    collect()
    before = exported(backends["export_to"])
    assert main(["retire", GONE, "octo-lab/boy", *flags(backends)]) == 2
    assert "the store does not know octo-lab/boy" in caplog.text
    assert exported(backends["export_to"]) == before


def flags(backends: dict[str, str]) -> list[str]:
    return ["--store", backends["store"], "--export-to", backends["export_to"]]
