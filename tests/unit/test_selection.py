"""The selection by patterns, topics and installations, and the notes about it."""

from collections.abc import Sequence

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github.selection import EntryNumbers, Filter, Listed, lists_of, select
from ghtraffic_action.report import Report
from ghtraffic_action.settings import Settings
from tests.support.builders import NOW, TOKEN, repository
from tests.support.fake_github import FakeGitHub
from tests.support.keys import app_key
from tests.support.runtime import no_wait_runtime

LISTS = {
    "lab": [
        Listed("lab/web-two", topics=("ospo",)),
        Listed("lab/web-one"),
        Listed("Lab/core", private=True, topics=("ospo", "x")),
        Listed("lab/old", archived=True, topics=("ospo",)),
        Listed("lab/copy", fork=True),
    ],
    "installed": [Listed("sea/wreck"), Listed("lab/core", private=True)],
}


@pytest.mark.parametrize(
    ("patterns", "keep", "names", "note"),
    [
        ("lab/web-*", Filter(), "lab/web-one lab/web-two", "lab/web-*: 2 of 2 repositories"),
        (
            "lab/*",
            Filter(),
            "Lab/core lab/web-one lab/web-two",
            "lab/*: 3 of 5 repositories, left out: 1 archived, 1 forks",
        ),
        ("lab/* !lab/web-*", Filter(archived=True, forks=True), "lab/copy Lab/core lab/old", "left out: 2 excluded"),
        ("lab/*", Filter(visibility="public"), "lab/web-one lab/web-two", "1 archived, 1 forks, 1 not public"),
        ("lab/*", Filter(visibility="private"), "Lab/core", "1 archived, 1 forks, 2 not private"),
        ("topic:ospo@LAB", Filter(), "Lab/core lab/web-two", "topic:ospo@LAB: 2 of 3 repositories"),
        ("lab/old installed", Filter(), "lab/old lab/core sea/wreck", "installed: 2 of 2 repositories"),
    ],
)
def test_lists_are_filtered_and_noted(patterns: str, keep: Filter, names: str, note: str) -> None:
    """Names have a stable order, full names are never filtered out, and each list has a note."""
    found = select(patterns.split(), LISTS, keep)
    assert found.names == tuple(names.split())
    assert note in found.notes[0]


def test_pattern_that_matches_nothing_is_known() -> None:
    """A list that could not be read does not count as unmatched, and each owner is listed once."""
    patterns = ["lab/nothing-*", "topic:nowhere@lab", "sea/*", "a/b"]
    assert lists_of([*patterns, "installed", "LAB/*"]) == ("lab", "sea", "installed")
    assert select(patterns, {**LISTS, "sea": None}, Filter()).unmatched == ("lab/nothing-*", "topic:nowhere@lab")


def test_place_of_what_topics_and_installations_select() -> None:
    """The position is that of the entry whose list can contain the name."""
    patterns = ["sea/a", "topic:x@Lab", "!lab/z", "installed"]
    assert [EntryNumbers(patterns).of(name) for name in ("lab/core", "sea/a", "bay/b")] == [2, 1, 3]


def collect(
    github: FakeGitHub, patterns: Sequence[str], *, app: str = "", app_key: str = "", allow_empty: bool = False
) -> Report:
    """Run once, with a token or as an App."""
    settings = Settings(
        repositories=tuple(patterns),
        github_token="" if app else TOKEN,
        github_app=app,
        github_app_key=app_key,
        store="sqlite:traffic.db",
        export_to="export",
        github_api_url=github.url,
        allow_empty=allow_empty,
    )
    return run(settings, no_wait_runtime(now=lambda: NOW))


def test_owners_and_topics_are_collected(github: FakeGitHub) -> None:
    """Two owners' lists, one by topic, are read once each and collected together."""
    github.repositories = [
        repository("octo-lab/a", id=1, topics=("ospo",)),
        repository("octo-lab/b", id=2),
        repository("deep-sea/c", id=3),
        repository("deep-sea/d", id=4, archived=True),
    ]
    report = collect(github, ["topic:ospo@octo-lab", "deep-sea/*"])
    assert [found.name for found in report.collected] == ["deep-sea/c", "octo-lab/a"]
    assert report.selected == (
        "topic:ospo@octo-lab: 1 of 1 repositories",
        "deep-sea/*: 1 of 2 repositories, left out: 1 archived",
    )
    assert len([request for request in github.requests if request.path == "/graphql"]) == 3


@pytest.mark.e2e
def test_pattern_without_a_match_fails_the_run_unless_allowed(github: FakeGitHub) -> None:
    """Everything else is collected; with `allow-empty` a run without repositories succeeds."""
    report = collect(github, ["octo-lab/*", "octo-lab/nothing-*"])
    assert (len(report.collected), report.exit_code) == (1, 1)
    assert report.all_errors == (
        "octo-lab/nothing-*: it matches no repository: check it, or allow that with allow-empty",
    )
    assert collect(github, ["octo-lab/*", "octo-lab/nothing-*"], allow_empty=True).exit_code == 0
    assert collect(github, ["octo-lab/nothing-*"], allow_empty=True).exit_code == 0
    with pytest.raises(GitHubError, match=r"^octo-lab/nothing-\*: it matches no repository"):
        collect(github, ["octo-lab/nothing-*"])


@pytest.mark.e2e
def test_installed_is_all_that_an_app_may_read() -> None:
    """Each installation's pages are listed in parallel, and collected with its own token."""
    boats = [repository(f"octo-lab/boat-{at}", id=at) for at in range(1, 103)]
    others = [repository("deep-sea/wreck", id=500), repository("nobody/else", id=501)]
    with FakeGitHub([*boats, *others], now=NOW, installed=["octo-lab", "deep-sea"]) as github:
        report = collect(github, ["installed"], app="12", app_key=app_key())
        assert report.exit_code == 0
        assert len(report.collected) == 103
        assert report.selected == ("installed: 103 of 103 repositories",)
        pages = [request.path for request in github.requests if "/installation/repositories" in request.path]
    assert len(pages) == 3
