"""GitHub's refusals: each has its own remedy and affects nothing else."""

import json
import traceback
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.errors import GitHubError
from ghtraffic_action.settings import Settings
from tests.support.builders import NAME, TOKEN, repository
from tests.support.csvfiles import all_daily, exported, numbers_of, reported, rows, stored, whole
from tests.support.fake_github import Answer, FakeGitHub, Refusal
from tests.support.github_errors import LASTING
from tests.support.programs import HERE, Attempt, assert_token_is_nowhere

BUOY = "octo-lab/buoy"
CRANE = "harbour/crane"


@pytest.mark.parametrize("refusal", LASTING, ids=lambda refusal: refusal.name)
def test_each_refusal_has_its_own_remedy(github: FakeGitHub, attempt: Callable[..., Attempt], refusal: Refusal) -> None:
    """A refused repository is one error with that refusal's remedy; exit 1, and only the run's report is written."""
    github.refuse(refusal, path="/traffic/")
    done = attempt()
    what, cure = LASTING[refusal]
    (error,) = done.errors
    assert error.startswith(f"{NAME}: ")
    assert what in error
    assert cure in error
    assert done.code == 1
    assert stored(HERE["store"]) == {}
    written = [path.name for path in Path("export").rglob("[!.]*") if path.is_file()]
    assert written == ["run.json"]


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (Refusal.RATE_LIMITED.value, "used up (rate limit): run again after 04:17 UTC; what was collected is stored"),
        (Refusal.RATE_LIMITED.value.variant(status=429), "used up (rate limit): run again after 04:17 UTC"),
        (Refusal.SECONDARY_RATE_LIMITED.value.variant(headers={"Retry-After": "901"}), "run again in 901 s"),
    ],
    ids=["primary", "primary as 429", "secondary"],
)
def test_limit_that_takes_too_long_ends_the_run(
    github: FakeGitHub, attempt: Callable[..., Attempt], refusal: Answer, text: str
) -> None:
    """The run does not wait longer than `max-wait`; its error says when to run again."""
    names = [NAME, *(f"octo-lab/boat-{number:02}" for number in range(40))]
    github.repositories = [repository(name, id=at) for at, name in enumerate(names, 1)]
    github.refuse(refusal, path="/traffic/")
    done = attempt(repositories=" ".join(names))
    assert done.code == 1
    (error,) = done.errors
    assert "41 repositories were not started; octo-lab/lighthouse" in error
    assert text in error
    assert len(github.requests) <= 1 + 2 * 16


def test_short_pause_is_waited_for(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """The run waits for a pause of a second, and then collects everything."""
    github.refuse(Refusal.SECONDARY_RATE_LIMITED.value.variant(headers={"Retry-After": "1"}), path="/traffic/", times=1)
    assert attempt().code == 0
    assert whole(stored(HERE["store"])[7])


def test_unknown_token_is_reported_once(
    github: FakeGitHub, attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 401 is one error for all repositories, confirmed by three requests, and says what to set."""
    github.repositories.append(repository(BUOY, id=8))
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN[::-1])
    done = attempt(repositories="octo-lab/lighthouse octo-lab/buoy")
    (error,) = done.errors
    assert error.startswith("github-token: GitHub does not know this token (401")
    assert "set `GHTRAFFIC_GITHUB_TOKEN` to a fine-grained token" in error
    assert TOKEN[::-1] not in done.out + done.err
    assert done.code == 1
    assert len(github.requests) == 3


def test_error_of_a_run_does_not_hold_the_token(
    github: FakeGitHub, settings_for: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the exception, its causes, nor a library's log at DEBUG has the token."""
    caplog.set_level("DEBUG")
    github.refuse(Refusal.BAD_CREDENTIALS)
    with pytest.raises(GitHubError) as error:
        run(settings_for(**HERE))
    assert_token_is_nowhere(Path(), "".join(traceback.format_exception(error.value)), repr(settings_for()), caplog.text)


def test_one_refused_repository_does_not_stop_two_others(
    github: FakeGitHub, attempt: Callable[..., Attempt], backends: dict[str, str]
) -> None:
    """The other two are stored and exported, and the exit code is 1."""
    github.repositories += [repository(BUOY, id=8), repository(CRANE, id=9)]
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"/{BUOY}/traffic/")
    done = attempt(repositories=f"{NAME} {BUOY} {CRANE}", **backends)
    assert done.code == 1
    assert [error.partition(":")[0] for error in done.errors] == [BUOY]
    histories = stored(backends["store"])
    assert set(histories) == {7, 9}
    assert all(whole(history) for history in histories.values())
    files = exported(backends["export_to"])
    assert {row["repository"] for row in all_daily(files)} == {NAME, CRANE}
    assert {row["repository"] for row in rows(files["v1/latest/repositories.csv"])} == {NAME, CRANE}


@pytest.mark.parametrize("first", ["views", "clones"])
def test_metrics_refused_in_turn_are_both_kept(
    github: FakeGitHub, attempt: Callable[..., Attempt], backends: dict[str, str], first: str
) -> None:
    """Each run lacks another metric and exits with 1; after two runs both metrics are complete."""
    second = {"views": "clones", "clones": "views"}[first]
    expected = reported(github)
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"/traffic/{first}")
    assert attempt(**backends).code == 1
    github.allow()
    github.now += timedelta(minutes=1)
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"/traffic/{second}")
    assert attempt(**backends).code == 1
    history = stored(backends["store"])[7]
    assert numbers_of(history) == expected
    (snapshot,) = history.snapshots
    assert snapshot.views
    assert snapshot.clones
    assert abs(snapshot.views.at - snapshot.clones.at) == timedelta(minutes=1)
    found = {
        date.fromisoformat(row["day"]): (int(row["views"]), int(row["clones"]))
        for row in all_daily(exported(backends["export_to"]))
    }
    assert found == {day: (views, clones) for day, (views, _, clones, _) in expected.items()}


def test_refused_metric_is_unknown_and_never_zero(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """If GitHub refuses the clones, none are stored, and their cells are empty."""
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="/traffic/clones")
    assert attempt().code == 1
    history = stored(HERE["store"])[7]
    assert all((day.clones, day.clone_uniques) == (None, None) for day in history.days)
    assert history.snapshots[0].clones is None
    assert all(row["clones"] == row["clone_uniques"] == "" for row in all_daily(exported("export")))


def test_field_refused_to_the_token_is_empty_alone(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """Without Issues: read the open issues are unknown, everything else is collected, and the exit code is 0."""
    github.repositories = [repository(private=True, open_issues=6, open_pull_requests=4)]
    github.refuse_field(NAME, "issues")
    assert attempt().code == 0
    today = all_daily(exported("export"))[-1]
    assert (today["stars"], today["watchers"], today["open_issues"], today["open_pull_requests"]) == ("5", "3", "", "4")


def test_refused_query_is_replaced_by_calls(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """If GitHub refuses GraphQL, the metadata come from REST; everything is collected, and the exit code is 0."""
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path="/graphql")
    assert attempt().code == 0
    assert whole(stored(HERE["store"])[7])
    assert all_daily(exported("export"))[-1]["stars"] == "5"
    assert [request.path for request in github.requests].count(f"/repos/{NAME}") == 1


def test_token_near_its_end_is_warned_about(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A token that expires in 20 days is a warning in log and report, not a failure."""
    github.headers["GitHub-Authentication-Token-Expiration"] = "2026-12-13 03:17:00 UTC"
    done = attempt("--json")
    assert done.code == 0
    assert done.err.count("WARNING github-token: it ends on 2026-12-13: make a new one before") == 1
    assert any("it ends on 2026-12-13" in warning for warning in json.loads(done.out)["warnings"])
