"""`ghtraffic doctor` looks at the token and at the repositories."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ghtraffic_action.doctor import format_findings
from tests.support.builders import NAME, NOW, repository
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.findings import Findings, problems, unknown


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("token", "what", "state"),
    [
        ("github_pat_1", "github-token: a fine-grained token", "ok"),
        ("ghp_1234", "github-token: a classic token, which may do far more than read traffic", "ok"),
        (
            "gho_1234",
            "github-token: an OAuth token, as `gh auth token` prints it: it ends when its owner logs out",
            "ok",
        ),
        (
            "ghs_1234",
            "github-token: an App's token for an hour, or the job's own GITHUB_TOKEN, which can never read traffic",
            "unknown",
        ),
        ("abcd1234", "github-token: of an unknown kind", "unknown"),
    ],
)
def test_kind_of_the_token_is_reported(look: Callable[..., Findings], token: str, what: str, state: str) -> None:
    """The token's prefix shows its kind; the token itself is in no finding."""
    found = look({"GHTRAFFIC_GITHUB_TOKEN": token})
    assert found[what].state == state
    (refused,) = problems(found)
    assert refused.startswith("github-token: GitHub does not know this token (401")
    assert token not in format_findings(tuple(found.values()))


@pytest.mark.e2e
def test_traffic_that_is_refused_is_a_problem(look: Callable[..., Findings], github: FakeGitHub) -> None:
    """Only the views of each repository are requested, and a refusal comes with its remedy."""
    github.repositories += [repository("octo-lab/two", id=8), repository("octo-lab/three", id=9)]
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="two/traffic")
    found = look(repositories="octo-lab/* !octo-lab/three octo-lab/mirage")
    two, mirage = (next(f for w, f in found.items() if w.startswith(f"octo-lab/{n}: ")) for n in ("two", "mirage"))
    assert (two.state, mirage.state) == ("problem", "problem")
    assert "Administration: read" in two.remedy
    assert "check the name" in mirage.remedy
    assert found["repositories: the traffic of 1 can be read"].state == "ok"
    asked = [request.line for request in github.requests if "traffic" in request.line]
    assert sorted(asked) == [f"GET /repos/{name}/traffic/views" for name in (NAME, "octo-lab/two")]


def test_counts_that_a_token_may_not_read_are_unknown(look: Callable[..., Findings], github: FakeGitHub) -> None:
    """A run still collects the traffic, so this is reported as unknown and not as a problem."""
    github.refuse_field(NAME, "issues")
    found = look()
    assert problems(found) == []
    assert any("pull requests of 1 of 1 repositories are unknown" in what for what in unknown(found))


def test_workflow_runs_that_are_refused_are_a_problem(look: Callable[..., Findings], github: FakeGitHub) -> None:
    """With workflow-runs the missing permission is reported; without it the permission is not checked."""
    github.repositories += [repository(f"octo-lab/boat-{n}", id=n) for n in range(1, 5)]
    wanted = {"repositories": "octo-lab/*", "workflow_runs": "true"}
    assert look(**wanted)["workflow-runs: those of 5 can be counted"].state == "ok"
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path="/actions/runs")
    what = "workflow-runs: those of octo-lab/boat-1, octo-lab/boat-2, octo-lab/boat-3 and 2 more cannot be counted"
    found = look(**wanted)[what]
    assert found.state == "problem"
    assert "permission Actions: read" in found.remedy
    assert problems(look(repositories="octo-lab/*")) == []


def test_owner_that_cannot_be_listed_hides_no_other(look: Callable[..., Findings]) -> None:
    """The other repositories are checked, and the problem is reported once with its remedy."""
    found = look(repositories=f"nobody-here/* {NAME}")
    problem = found["nobody-here/*: GitHub knows no such owner"]
    assert (problem.state, problem.remedy) == ("problem", "check the name")
    assert found["repositories: the traffic of 1 can be read"].state == "ok"
    assert problems(look(repositories="nobody-here/*")) == ["nobody-here/*: GitHub knows no such owner"]


@pytest.mark.e2e
def test_remedy_of_a_token_is_a_field(look: Callable[..., Findings], github: FakeGitHub) -> None:
    """With `--json` the remedy is a separate field."""
    github.refuse(Refusal.BAD_CREDENTIALS)
    found = look()
    (what,) = problems(found)
    assert "set `GHTRAFFIC_GITHUB_TOKEN` to a fine-grained token" in found[what].remedy
    assert "set `GHTRAFFIC_GITHUB_TOKEN`" not in what


def test_no_repository_that_is_left_is_a_problem(look: Callable[..., Findings]) -> None:
    """If all repositories are excluded, a run would fail too."""
    assert problems(look(repositories=f"{NAME} !{NAME}")) == ["repositories: none is left to collect"]


@pytest.mark.parametrize(("days", "problem"), [(10, True), (60, False)])
def test_end_of_the_token_is_reported(
    look: Callable[..., Findings], github: FakeGitHub, days: int, *, problem: bool
) -> None:
    """A token that expires within 30 days is a problem; a later expiration is reported."""
    ends = NOW + timedelta(days=days)
    github.headers["GitHub-Authentication-Token-Expiration"] = f"{ends:%Y-%m-%d %H:%M:%S} UTC"
    found = look()[f"github-token: it ends on {ends:%Y-%m-%d}"]
    assert found.state == ("problem" if problem else "ok")
    assert bool(found.remedy) is problem
