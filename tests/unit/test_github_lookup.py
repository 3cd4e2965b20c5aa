"""GraphQL responses to lookups and lists that are partial, refused or too large."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.demo.http_server import Request, Response
from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.lists import ListingError
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from tests.support.builders import NAME, NOW, TOKEN, repository
from tests.support.fake_github import Answer, FakeGitHub, Refusal
from tests.support.fake_github.catalogue import Release
from tests.support.runtime import no_wait_limiter, no_wait_runtime

SAML = "Resource protected by organization SAML enforcement."
CLASSIC = "`octo-lab` forbids access via a personal access token (classic)."
ADDRESS = "The `octo-lab` organization has an IP allow list enabled, and your IP address is not permitted."
SOMETHING_WRONG = {"errors": [{"message": "Something went wrong while executing your query on 2026-11-23."}]}
TOO_LARGE = {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}


class LimitedGitHub(FakeGitHub):
    """A fake GitHub that replies with `answer` to queries of more than `largest` repositories."""

    def __init__(self, names: list[str], largest: int, answer: Callable[[list[str]], Answer]) -> None:
        super().__init__([repository(name, id=at + 1, open_issues=at) for at, name in enumerate(names)], now=NOW)
        self.sizes: list[int] = []
        self._largest = largest
        self._too_large = answer

    def serve(self, request: Request) -> Response | None:
        """Refuse a query that is too large."""
        if request.path == "/graphql":
            aliases = re.findall(r"\b(r\d+):", json.loads(request.body)["query"])
            self.sizes.append(len(aliases))
            if len(aliases) > self._largest:
                answer = self._too_large(aliases)
                return Response(answer.status, answer.content(), self.headers_of("graphql"))
        return super().serve(request)


@contextmanager
def client(github: FakeGitHub) -> Iterator[GitHub]:
    with closing(GitHub(TOKEN, github.url, no_wait_limiter(), Runtime(now=lambda: github.now))) as made:
        yield made


def refused(message: str, *path: str | int, kind: str = "FORBIDDEN", **extensions: bool) -> dict[str, Any]:
    return {"type": kind, "message": message, "path": list(path), "extensions": extensions}


def page(*names: str | None, cursor: str | None = None) -> dict[str, Any]:
    flags = {"isArchived": False, "isFork": False, "isPrivate": False, "repositoryTopics": {"nodes": []}}
    nodes = [name and {"nameWithOwner": name} | flags for name in names]
    info = {"hasNextPage": cursor is not None, "endCursor": cursor}
    return {"repositoryOwner": {"repositories": {"nodes": nodes, "pageInfo": info}}}


def calls(github: FakeGitHub, method: str) -> list[str]:
    return [request.line for request in github.requests if request.line.startswith(method)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(SAML, "repositoryOwner", saml_failure=True), "single sign-on"),
        (refused("Something new", "repositoryOwner", saml_failure=True), "single sign-on"),
        (refused(CLASSIC, "repositoryOwner"), "forbids classic tokens"),
        (refused(ADDRESS, "repositoryOwner", "repositories"), "listed IP addresses"),
    ],
)
@pytest.mark.parametrize("data", [{"repositoryOwner": None}, {"repositoryOwner": {"repositories": None}}])
def test_refused_owner_is_not_taken_for_a_missing_one(
    github: FakeGitHub, error: dict[str, Any], expected: str, data: dict[str, Any]
) -> None:
    """An owner that is null beside an error is refused, for the reason that the error has."""
    github.refuse(Answer(200, {"data": data, "errors": [error]}), path="/graphql")
    with client(github) as asking, pytest.raises(GitHubError, match=expected):
        asking.list_repositories("octo-lab")


def test_owner_that_is_not_found_is_missing(github: FakeGitHub) -> None:
    """NOT_FOUND beside a null owner is what a null owner alone is: no such owner."""
    error = refused("Could not resolve", "repositoryOwner", kind="NOT_FOUND")
    github.refuse(Answer(200, {"data": {"repositoryOwner": None}, "errors": [error]}), path="/graphql")
    with client(github) as asking, pytest.raises(GitHubError, match="knows no such owner"):
        asking.list_repositories("octo-lab")


HIDDEN_NODE = refused(SAML, "repositoryOwner", "repositories", "nodes", 1, saml_failure=True)


@pytest.mark.parametrize("errors", [[HIDDEN_NODE], []], ids=["error", "no error"])
def test_refused_nodes_of_a_list_are_counted(
    github: FakeGitHub, settings_for: Callable[..., Settings], errors: list[Any]
) -> None:
    """Repositories that the list leaves null, with or without an error, fail the run; the others are collected."""
    answer = Answer(200, {"data": page(NAME, None, None)} | ({"errors": errors} if errors else {}))
    github.refuse(answer, path="/graphql", times=1)
    report = run(settings_for(repositories="octo-lab/*"), no_wait_runtime(lambda: github.now))
    assert report.exit_code == 1
    assert [found.name for found in report.collected] == [NAME]
    [failed] = report.failed
    assert failed.name == "octo-lab/*"
    assert "2 of its repositories cannot be listed" in failed.errors[0]
    assert ("single sign-on" in failed.errors[0]) is bool(errors)


@pytest.mark.parametrize("path", [(), ("repositoryOwner", "repositories", "nodes")])
def test_error_beside_a_whole_list_is_counted(github: FakeGitHub, path: tuple[str, ...]) -> None:
    """An error that concerns no node in particular is not dropped because all nodes are there."""
    answer = {"data": page(NAME), "errors": [refused(SAML, *path, saml_failure=True)]}
    github.refuse(Answer(200, answer), path="/graphql")
    with (
        client(github) as asking,
        pytest.raises(ListingError, match="1 of its repositories cannot") as raised,
    ):
        asking.list_repositories("octo-lab")
    assert [found.name for found in raised.value.found] == [NAME]


@pytest.mark.e2e
@pytest.mark.parametrize("kind", ["INTERNAL", ""])
@pytest.mark.parametrize("times", [1, None])
def test_repository_that_github_fails_to_list_leaves_the_others(
    github: FakeGitHub, settings_for: Callable[..., Settings], kind: str, times: int | None
) -> None:
    """The list is requested again; if the failure stays, the others are collected and the run fails."""
    path = ["repositoryOwner", "repositories", "nodes", 1]
    error = {"message": "Something went wrong.", "path": path} | ({"type": kind} if kind else {})
    answer = Answer(200, {"data": page(NAME, None), "errors": [error]})
    github.repositories.append(repository("octo-lab/buoy", id=8))
    github.refuse(answer, path="/graphql", times=times)
    report = run(settings_for(repositories="octo-lab/*"), no_wait_runtime(lambda: github.now))
    assert {found.name for found in report.collected} == ({NAME} if times is None else {NAME, "octo-lab/buoy"})
    assert report.exit_code == (times is None)


@pytest.mark.parametrize("data", [None, {"repositoryOwner": None}])
def test_error_without_a_type_is_retried(github: FakeGitHub, data: Any) -> None:  # noqa: ANN401 - JSON
    """`Something went wrong` with the status 200 is GitHub's 5xx: the second attempt brings the list."""
    github.refuse(Answer(200, SOMETHING_WRONG | {"data": data}), path="/graphql", times=1)
    with client(github) as asking:
        assert [found.name for found in asking.list_repositories("octo-lab")] == [NAME]


def test_error_without_a_type_that_stays_is_transient(github: FakeGitHub) -> None:
    """After four attempts it fails, as what a later run may do."""
    github.refuse(Answer(200, SOMETHING_WRONG), path="/graphql")
    with client(github) as asking, pytest.raises(GitHubError, match="GitHub failed") as raised:
        asking.list_repositories("octo-lab")
    assert raised.value.transient
    assert len(github.requests) == 4


def test_limit_of_graphql_alone_is_transient(github: FakeGitHub) -> None:
    """A list after GraphQL's quota is used up may succeed later, so the Lambda retries."""
    github.refuse(Refusal.RATE_LIMITED_GRAPHQL, path="/graphql")
    with client(github) as asking, pytest.raises(GitHubError, match="rate limit") as raised:
        asking.list_repositories("octo-lab")
    assert raised.value.transient
    assert len(github.requests) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_limit_of_graphql_leaves_rest_alone(
    github: FakeGitHub, settings_for: Callable[..., Settings], status: int
) -> None:
    """If GraphQL's quota is used up for an hour, REST has all that the traffic needs, whatever the status is."""
    headers = {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 3_000), "X-RateLimit-Resource": "graphql"}
    github.refuse(Refusal.RATE_LIMITED.value.variant(status=status, headers=headers), path="/graphql")
    report = run(settings_for(), no_wait_runtime(lambda: github.now))
    assert [found.name for found in report.collected] == [NAME]
    assert report.exit_code == 0
    assert "rate limit" in report.all_warnings[0]


@pytest.mark.parametrize("node", [0, True, 1.5, "node", [], ["watchers"], {}])
def test_node_that_is_none_is_invalid(github: FakeGitHub, node: object) -> None:
    """The repository is then looked up by its name."""
    github.refuse(Answer(200, {"data": {"r0": node, "releases0": None}}), path="/graphql")
    with client(github) as asking:
        assert [found.name for found in asking.look_up([NAME]).found] == [NAME]


def test_list_without_an_end_ends(github: FakeGitHub) -> None:
    """A cursor that leads to itself is an invalid response, not an endless loop."""
    github.refuse(Answer(200, {"data": page(NAME, cursor="same")}), path="/graphql")
    with client(github) as asking, pytest.raises(GitHubError, match="has no end"):
        asking.list_repositories("octo-lab")


BAD_NAMES = ("octo-lab/..", "octo-lab/a/b", "octo-lab/a\n::error::b", "../x", "octo-lab/a?b", "/", "x\x1b[2J/y")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_from_github_are_checked(github: FakeGitHub, name: str) -> None:
    """A name that no repository has is an invalid response: it gets into no address, file or log."""
    github.refuse(Answer(200, {"data": page(name)}), path="/graphql")
    with client(github) as asking, pytest.raises(GitHubError, match="nameWithOwner is"):
        asking.list_repositories("octo-lab")


def test_names_of_rest_are_checked(github: FakeGitHub) -> None:
    """An invalid name in a REST response is rejected too."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path="/graphql")
    github.repositories = [repository("octo-lab/lighthouse")]
    github.repositories[0].name = "octo-lab/a b"
    github.repositories[0].former_names = (NAME,)
    with client(github) as asking:
        assert "full_name is 'octo-lab/a b'" in str(asking.look_up([NAME]).refused[NAME])


NAMES = [f"octo-lab/boat-{number:03}" for number in range(100)]


def whole(aliases: list[str]) -> Answer:  # noqa: ARG001 - the answer is the same for each size
    return Answer(200, {"errors": [TOO_LARGE]})


def in_part(aliases: list[str]) -> Answer:
    errors = [TOO_LARGE | {"path": [alias]} for alias in aliases]
    return Answer(200, {"data": dict.fromkeys(aliases), "errors": errors})


def timed_out(aliases: list[str]) -> Answer:  # noqa: ARG001 - the signature of a fault
    return Answer(502, {"message": "We couldn't respond to your request in time."})


def nodes_limit(aliases: list[str]) -> Answer:  # noqa: ARG001 - the signature of a fault
    return Answer(200, {"data": None, "errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many nodes"}]})


@pytest.mark.e2e
@pytest.mark.parametrize("answer", [whole, in_part, timed_out, nodes_limit])
def test_query_of_refused_size_is_halved(answer: Callable[[list[str]], Answer]) -> None:
    """If GitHub refuses queries of more than 30 repositories, all 100 have their counts without a REST request."""
    with LimitedGitHub(NAMES, 30, answer) as github, client(github) as asking:
        lookup = asking.look_up(NAMES)
    assert {found.name: found.metadata.open_issues for found in lookup.found} == {
        name: at for at, name in enumerate(NAMES)
    }
    assert calls(github, "GET") == []
    assert set(github.sizes) == {100, 50, 25}
    assert lookup.warnings == ()


def test_no_size_at_all_falls_back_to_rest_and_says_so() -> None:
    """If GitHub refuses even a query of one repository, each is looked up over REST, and a warning counts them."""
    with LimitedGitHub(NAMES[:3], 0, whole) as github, client(github) as asking:
        lookup = asking.look_up(NAMES[:3])
    assert len(lookup.found) == 3
    [warning] = lookup.warnings
    assert "issues or pull requests of 3 of 3 repositories are unknown" in warning
    assert "refuses a query of this size" in warning


@pytest.mark.e2e
def test_only_the_refused_node_is_asked_for_apart(github: FakeGitHub) -> None:
    """One private repository without Issues: read costs one small query more, and a warning that counts it."""
    github.repositories = [repository(name, id=at + 1, open_issues=7) for at, name in enumerate(NAMES)]
    github.refuse_field(NAMES[3], "issues")
    with client(github) as asking:
        lookup = asking.look_up(NAMES)
    first, second = (json.loads(request.body)["query"] for request in github.requests)
    assert len(re.findall(r"repository\(", first)) == 200
    assert len(re.findall(r"repository\(", second)) == 5
    assert [found.name for found in lookup.found if found.metadata.open_issues is None] == [NAMES[3]]
    [warning] = lookup.warnings
    assert warning.startswith("metadata: watchers, open issues or pull requests of 1 of 100 repositories are unknown")
    assert "Issues: read" in warning


def test_what_stays_unknown_is_reported(
    github: FakeGitHub, settings_for: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """A run whose query failed collects by REST; its report and its log say that counts are missing."""
    github.refuse(Answer(200, SOMETHING_WRONG), path="/graphql")
    report = run(settings_for(), no_wait_runtime(lambda: github.now))
    assert report.exit_code == 0
    assert "1 of 1 repositories are unknown (GitHub failed" in report.warnings[0]
    assert report.warnings[0] in [record.message for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("times", [1, 2])
def test_repository_that_a_replica_does_not_know_yet_is_found(github: FakeGitHub, times: int) -> None:
    """A 404 is retried before it counts, since replicas lag seconds behind."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path="/graphql")
    github.refuse(Refusal.NOT_FOUND, path=f"/repos/{NAME}", times=times)
    with client(github) as asking:
        assert [found.name for found in asking.look_up([NAME]).found] == [NAME]


def test_token_that_a_replica_does_not_know_yet_works(
    github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """One or two 401 responses during a run stop nothing."""
    github.refuse(Refusal.BAD_CREDENTIALS, path="/clones", times=2)
    assert run(settings_for(), no_wait_runtime(lambda: github.now)).exit_code == 0


def test_traffic_of_a_new_repository_is_asked_again(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """A 404 of a single endpoint is retried too."""
    github.refuse(Refusal.NOT_FOUND, path="/popular/paths", times=2)
    assert run(settings_for(), no_wait_runtime(lambda: github.now)).exit_code == 0


def test_releases_of_the_last_weeks_are_read(github: FakeGitHub) -> None:
    """Drafts and older releases are left out; a repository without any has none."""
    seen = (("v3", 1, True), ("draft", 2, False), ("v2", 29, True), ("v1", 31, True))
    github.repositories[0].releases = tuple(
        Release(tag, NOW - timedelta(days=ago), NOW - timedelta(days=ago) if is_published else None)
        for tag, ago, is_published in seen
    )
    github.repositories.append(repository("octo-lab/two", id=8))
    with client(github) as made:
        one, two = made.look_up((NAME, "octo-lab/two")).found
    assert one.releases
    assert [(row.tag, (NOW - row.published).days) for row in one.releases.rows] == [("v3", 1), ("v2", 29)]
    assert two.releases is None
    assert len(calls(github, "POST")) == 1


def test_refused_releases_keep_nothing_else_from_being_read(github: FakeGitHub) -> None:
    """A token without Contents: read sees none of a private repository; nobody is warned, nothing is asked again."""
    github.repositories[0].releases = (Release("v1", NOW, NOW),)
    github.refuse_field(NAME, "releases")
    with client(github) as asking:
        lookup = asking.look_up([NAME])
    assert lookup.warnings == ()
    assert [(found.releases, found.metadata.watchers) for found in lookup.found] == [(None, 3)]
    assert [request.line for request in github.requests] == ["POST /graphql"]


def test_releases_that_github_fails_to_read_are_unknown(github: FakeGitHub) -> None:
    node = {"databaseId": 7, "nameWithOwner": NAME, "stargazerCount": 1, "forkCount": 2, "isArchived": False}
    node |= {
        "isPrivate": False,
        "visibility": "PUBLIC",
        "repositoryTopics": {"nodes": []},
        "createdAt": "2020-02-02T00:00:00Z",
        "pushedAt": None,
    }
    node |= {name: {"totalCount": 4} for name in ("watchers", "issues", "pullRequests")}
    error = {"message": "Something went wrong while executing your query.", "path": ["releases0", "releases"]}
    github.refuse(Answer(200, {"data": {"r0": node, "releases0": None}, "errors": [error]}), path="/graphql")
    with client(github) as asking:
        [found] = asking.look_up([NAME]).found
    assert (found.releases, found.metadata.open_issues) == (None, 4)
    assert [request.line for request in github.requests] == ["POST /graphql"]
