"""The fake GitHub, checked by GitHub's API description and by PyGithub."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import graphql
import pytest
from github import Auth, BadCredentialsException, Github, GithubException, UnknownObjectException

from tests.support.builders import ROOT
from tests.support.fake_github import Answer, FakeGitHub, Refusal, Release
from tests.support.fake_github.graphql_api import SCHEMA
from tests.support.fake_github_world import PATHS, QUERIES, REFERRERS, REPOSITORY_QUERY, Client, Heard, generated

pytestmark = pytest.mark.e2e  # the description takes seconds to read

DESCRIPTION = ROOT / "tests" / "github_description" / "node_modules" / "@octokit"
TRAFFIC = ("views", "clones", "popular/paths", "popular/referrers")
FORBIDDEN = [refusal for refusal in Refusal if refusal.value.status == 403]
Judge = Callable[[str, Heard], None]


def described(name: str) -> str:
    """Return a file of GitHub's description, or skip the test with the reason."""
    path = DESCRIPTION / name
    if not path.exists():
        reason = f"{path.name} is not there: run `npm ci` in tests/github_description"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path.read_text(encoding="utf-8")


def referenced(node: object) -> Iterator[str]:
    """Find all `$ref` below a node."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from referenced(item)


def cut_out(description: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Cut some paths out of a description, with the components that they refer to."""
    kept: dict[str, Any] = {"paths": {path: {"get": description["paths"][path]["get"]} for path in paths}}
    components: dict[str, dict[str, Any]] = {}
    waiting = list(referenced(kept))
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        if kind != "examples" and name not in components.setdefault(kind, {}):
            components[kind][name] = description["components"][kind][name]
            waiting += referenced(components[kind][name])
    head = {"openapi": description["openapi"], "info": description["info"]}
    cut: dict[str, Any] = without_examples({**head, **kept, "components": components})
    return cut


def without_examples(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, dict):
        return {key: without_examples(value) for key, value in node.items() if key not in {"examples", "example"}}
    return [without_examples(item) for item in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def rest_description() -> dict[str, Any]:
    """GitHub's description of the REST endpoints that the fake has."""
    traffic = [f"/repos/{{owner}}/{{repo}}/traffic/{what}" for what in TRAFFIC]
    description = json.loads(described("openapi/generated/api.github.com.json"))
    runs = "/repos/{owner}/{repo}/actions/runs"
    releases = "/repos/{owner}/{repo}/releases"
    return cut_out(description, ["/repos/{owner}/{repo}", "/rate_limit", runs, releases, *traffic])


@pytest.fixture(scope="module")
def judge(rest_description: dict[str, Any]) -> Judge:
    """Raise an error if GitHub's description does not allow the response."""
    from openapi_core import OpenAPI  # noqa: PLC0415 - the import takes two seconds, which quick tests save
    from openapi_core.testing import MockRequest, MockResponse  # noqa: PLC0415 - also

    api = OpenAPI.from_dict(rest_description | {"servers": [{"url": "http://github.test"}]})

    def judge(path: str, heard: Heard) -> None:
        response = MockResponse(heard.text.encode(), heard.status, dict(heard.headers), "application/json")
        api.validate_response(MockRequest("http://github.test", "get", path), response)

    return judge


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    return graphql.build_schema(described("graphql-schema/schema.graphql"), assume_valid=True)


class TestJudgedByGitHub:
    """The fake's answers, checked by GitHub's API description."""

    @pytest.mark.parametrize("what", TRAFFIC)
    def test_traffic(self, judge: Judge, client: Client, fake: FakeGitHub, what: str) -> None:
        """The four traffic answers have the form that GitHub describes, recorded or generated."""
        path = f"/repos/octo/tool/traffic/{what}"
        judge(path, client.ask(path))
        fake.repositories[0].traffic = generated()
        judge(path, client.ask(path))

    def test_repositories(self, judge: Judge, rest_description: dict[str, Any], client: Client) -> None:
        """A repository has all that GitHub requires, and nothing that GitHub does not know."""
        for name in ("tool", "secret"):
            heard = client.ask(f"/repos/octo/{name}")
            judge(f"/repos/octo/{name}", heard)
            schemas = rest_description["components"]["schemas"]
            assert heard.json.keys() <= schemas["full-repository"]["properties"].keys()
            assert heard.json["owner"].keys() <= schemas["simple-user"]["properties"].keys()

    def test_workflow_runs(self, judge: Judge, client: Client, fake: FakeGitHub) -> None:
        """Runs have all that GitHub requires."""
        fake.repositories[0].workflow_runs = {date(2026, 11, 21): 2}
        path = "/repos/octo/tool/actions/runs"
        heard = client.ask(path)
        assert heard.json["total_count"] == 2
        judge(path, heard)

    def test_releases(self, judge: Judge, client: Client, fake: FakeGitHub) -> None:
        """A page of releases has the form that GitHub describes, drafts and assets too."""
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        draft = Release("v2", moment, None)
        fake.repositories[0].releases = (Release("v1", moment, moment, (("tool.zip", 5),)), draft)
        heard = client.ask("/repos/octo/tool/releases?page=1&per_page=100")
        assert [len(release["assets"]) for release in heard.json] == [1, 0]
        judge("/repos/octo/tool/releases", heard)

    def test_rate_limit(self, judge: Judge, client: Client) -> None:
        """The budget has the form that GitHub describes."""
        judge("/rate_limit", client.ask("/rate_limit"))

    @pytest.mark.parametrize(
        "refusal",
        FORBIDDEN,
        ids=lambda refusal: refusal.name,
    )
    def test_refusals(self, judge: Judge, client: Client, fake: FakeGitHub, refusal: Refusal) -> None:
        """Refusals have the form of GitHub's errors."""
        fake.refuse(refusal)
        judge("/repos/octo/tool/traffic/views", client.ask("/repos/octo/tool/traffic/views"))

    def test_redirects_and_missing_repositories(self, judge: Judge, client: Client) -> None:
        """301 and 404 have the form of GitHub's errors."""
        for name in ("octo/gadget", "octo/nothing"):
            judge(f"/repos/{name}", client.ask(f"/repos/{name}"))

    def test_the_judge_condemns(self, judge: Judge, client: Client, fake: FakeGitHub) -> None:
        """A response without a required field is detected."""
        fake.refuse(Answer(200, {"count": 1, "views": []}))
        with pytest.raises(Exception, match="InvalidData"):
            judge("/repos/octo/tool/traffic/views", client.ask("/repos/octo/tool/traffic/views"))

    def test_the_schema_is_part_of_githubs(self, schema: graphql.GraphQLSchema) -> None:
        """A query that is valid in the fake's schema is valid in GitHub's, with the same types."""
        changed = graphql.BreakingChangeType.FIELD_CHANGED_KIND
        assert graphql.find_breaking_changes(SCHEMA, schema) == []
        assert [change for change in graphql.find_breaking_changes(schema, SCHEMA) if change.type is changed] == []

    @pytest.mark.parametrize("name", QUERIES)
    def test_queries_and_answers_follow_the_schema(
        self, schema: graphql.GraphQLSchema, client: Client, fake: FakeGitHub, name: str
    ) -> None:
        """GitHub's schema accepts the query, and the answer is what executing it would give."""
        text, variables = QUERIES[name]
        document = graphql.parse(text)
        assert graphql.validate(schema, document) == []
        fake.repositories[0].pushed = None
        data = client.query(text, **variables)["data"]
        executed = graphql.execute_sync(
            schema,
            document,
            root_value=data,
            variable_values=variables,
            field_resolver=lambda source, info, **_arguments: source[info.path.key],
            type_resolver=lambda *_: "User",
        )
        assert (executed.data, executed.errors) == (data, None)


class TestPyGithub:
    """The fake's answers, read by PyGithub."""

    @pytest.fixture
    def github(self, fake: FakeGitHub) -> Iterator[Github]:
        """Make a client as the program does, without PyGithub's own pace and retries."""
        github = Github(
            auth=Auth.Token("t"),
            base_url=fake.url,
            lazy=True,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        yield github
        github.close()

    def test_traffic(self, github: Github) -> None:
        """All four endpoints are read, days as aware UTC midnights."""
        repository = github.get_repo("octo/tool")
        views, clones = repository.get_views_traffic(), repository.get_clones_traffic()
        assert views
        assert clones
        assert (views.count, views.uniques) == (42, 10)
        assert [(day.timestamp, day.count, day.uniques) for day in views.views] == [
            (datetime(2026, 11, 21, tzinfo=UTC), 40, 9),
            (datetime(2026, 11, 22, tzinfo=UTC), 2, 1),
        ]
        assert [day.count for day in clones.clones] == [7]
        assert [(top.path, top.title, top.count, top.uniques) for top in repository.get_top_paths() or ()] == list(
            PATHS
        )
        assert [(top.referrer, top.count, top.uniques) for top in repository.get_top_referrers() or ()] == list(
            REFERRERS
        )

    def test_repository(self, github: Github) -> None:
        """A repository is read in full."""
        repository = github.get_repo("octo/tool")
        assert (repository.id, repository.stargazers_count, repository.subscribers_count) == (11, 5, 3)
        assert (repository.created_at, repository.owner.login) == (datetime(2026, 9, 1, tzinfo=UTC), "octo")

    def test_former_names_are_followed(self, github: Github) -> None:
        """A redirect leads to the repository's numbers."""
        views = github.get_repo("octo/gadget").get_views_traffic()
        assert views
        assert views.count == 42

    def test_graphql(self, github: Github) -> None:
        """A query is answered; partial errors come as an exception that has the data."""
        _, answer = github.requester.graphql_query(REPOSITORY_QUERY, QUERIES["repositories"][1])
        assert answer["data"]["r0"]["databaseId"] == 11
        with pytest.raises(UnknownObjectException) as missing:
            github.requester.graphql_query(REPOSITORY_QUERY.replace("$n0)", '"no")', 1), QUERIES["repositories"][1])
        assert missing.value.data["data"]["r0"] is None
        assert missing.value.data["data"]["r1"]["databaseId"] == 12

    def test_refusals(self, github: Github, fake: FakeGitHub) -> None:
        """Refusals come as the exceptions that PyGithub has for them."""
        repository = github.get_repo("octo/tool")
        fake.refuse(Refusal.BAD_CREDENTIALS, times=1)
        with pytest.raises(BadCredentialsException):
            repository.get_views_traffic()
        fake.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, times=1)
        with pytest.raises(GithubException) as refused:
            repository.get_views_traffic()
        assert refused.value.status == 403
        views = repository.get_views_traffic()
        assert views
        assert views.count == 42
