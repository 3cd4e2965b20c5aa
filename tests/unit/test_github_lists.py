"""Lists of an owner's repositories that GitHub refuses for their size, truncates, or never ends."""

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from ghtraffic_action.demo.http_server import Request, Response
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.lists import ListingError
from ghtraffic_action.runtime import Runtime
from tests.support.builders import NOW, TOKEN, repository
from tests.support.fake_github import Answer, FakeGitHub, Refusal
from tests.support.runtime import no_wait_limiter

TOO_LARGE = Answer(
    200,
    {
        "data": None,
        "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}],
    },
)


class ListingGitHub(FakeGitHub):
    """A fake GitHub with 130 repositories of one owner, whose lists a test can replace."""

    def __init__(self, rule: Callable[[dict[str, Any]], Answer | None]) -> None:
        super().__init__([repository(f"ann/tool-{at:03}", id=at + 1) for at in range(130)], now=NOW)
        self.sizes: list[int] = []
        self._rule = rule

    def serve(self, request: Request) -> Response | None:
        """Respond to a list by the test's rule."""
        variables = json.loads(request.body).get("variables", {}) if request.path == "/graphql" else {}
        if "first" in variables:
            self.sizes.append(variables["first"])
            if answer := self._rule(variables):
                return Response(answer.status, answer.content(), self.headers_of("graphql") | {**answer.headers})
        return super().serve(request)


def listed(github: FakeGitHub) -> list[str]:
    with closing(GitHub(TOKEN, github.url, no_wait_limiter(), Runtime(now=lambda: github.now))) as client:
        return [found.name for found in client.list_repositories("ann")]


def page(nodes: list[Any], after: str | None) -> Answer:
    info = {"hasNextPage": after is not None, "endCursor": after}
    return Answer(200, {"data": {"repositoryOwner": {"repositories": {"nodes": nodes, "pageInfo": info}}}})


@pytest.mark.e2e
@pytest.mark.parametrize("answer", [TOO_LARGE, Refusal.SERVER_ERROR_HTML.value], ids=["limits", "timeout"])
@pytest.mark.parametrize("largest", [60, 25])
def test_a_page_that_is_too_large_is_halved(answer: Answer, largest: int) -> None:
    """An owner with too many repositories for one query is listed completely."""
    with ListingGitHub(lambda asked: answer if asked["first"] > largest else None) as github:
        assert listed(github) == [found.name for found in github.repositories]
    assert github.sizes[-1] == (50 if largest == 60 else 25)


def test_a_page_that_is_never_small_enough_is_an_error() -> None:
    """The error of the smallest page has GitHub's message."""
    with ListingGitHub(lambda _: TOO_LARGE) as github, pytest.raises(ListingError, match="query of this size"):
        listed(github)
    assert github.sizes == [100, 50, 25, 12, 6, 3, 1]


def test_an_outage_is_no_matter_of_size() -> None:
    """After timeouts pages are halved down to 25 only, since GitHub may be down."""
    answer = Refusal.SERVER_ERROR_HTML.value
    with ListingGitHub(lambda _: answer) as github, pytest.raises(ListingError, match="GitHub failed"):
        listed(github)
    assert sorted(set(github.sizes)) == [25, 50, 100]


def test_cursors_that_come_again_are_no_list() -> None:
    """Two pages that refer to each other are an error."""
    cursors = {None: "a", "a": "b", "b": "a"}
    nodes = [
        {
            "nameWithOwner": "ann/tool",
            "isArchived": False,
            "isFork": False,
            "isPrivate": False,
            "repositoryTopics": {"nodes": []},
        }
    ]
    with (
        ListingGitHub(lambda asked: page(nodes, cursors[asked["after"]])) as github,
        pytest.raises(ListingError, match="has no end"),
    ):
        listed(github)


def test_empty_pages_without_an_end_are_no_list() -> None:
    """Empty pages with ever new cursors are an error."""
    with (
        ListingGitHub(lambda asked: page([], f"{asked['after']}x")) as github,
        pytest.raises(ListingError, match="has no end"),
    ):
        listed(github)


def test_repositories_that_single_sign_on_hides_are_an_error() -> None:
    """Only a header shows that repositories are missing; the listed ones are found."""
    headers = {"X-GitHub-SSO": "partial-results; organizations=21955855,20582480"}
    answer = Answer(200, page([], None).body, headers)
    with ListingGitHub(lambda _: answer) as github, pytest.raises(ListingError, match="single sign-on"):
        listed(github)
