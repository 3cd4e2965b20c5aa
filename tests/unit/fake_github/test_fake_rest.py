"""The REST answers of the fake of GitHub."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from ghtraffic_action.demo.fake_github import FakeRestApi
from tests.support.fake_github import FakeGitHub, RecordedTraffic, Repository
from tests.support.fake_github_world import NOW, START, Client, generated, tool


class TestRest:
    """The REST endpoints."""

    def test_views_and_clones(self, client: Client) -> None:
        """The answer has totals and a row per day at UTC midnight."""
        day = {"timestamp": "2026-11-20T00:00:00Z", "count": 7, "uniques": 3}
        assert client.ask("/repos/octo/tool/traffic/views").json["count"] == 42
        assert client.ask("/repos/octo/tool/traffic/clones").json == {"count": 7, "uniques": 3, "clones": [day]}

    def test_paths_and_referrers(self, client: Client) -> None:
        """The answers are lists without dates."""
        first = {"path": "/octo/tool", "title": "octo/tool: a tool", "count": 40, "uniques": 9}
        assert client.ask("/repos/octo/tool/traffic/popular/paths").json[0] == first
        referrers = [{"referrer": "Google", "count": 12, "uniques": 5}]
        assert client.ask("/repos/octo/tool/traffic/popular/referrers").json == referrers

    def test_repository(self, client: Client, fake: FakeGitHub) -> None:
        """`watchers_count` is the stars, `subscribers_count` the watchers, open issues include pull requests."""
        reported = client.ask("/repos/octo/tool").json
        names = ("id", "stargazers_count", "watchers_count", "subscribers_count", "forks_count", "open_issues_count")
        assert [reported[name] for name in names] == [11, 5, 5, 3, 4, 3]
        assert reported["url"] == f"{fake.url}/repos/octo/tool"
        assert reported["issues_url"] == f"{fake.url}/repos/octo/tool/issues{{/number}}"
        assert reported["git_refs_url"] == f"{fake.url}/repos/octo/tool/git/refs{{/sha}}"
        assert (reported["created_at"], reported["pushed_at"]) == ("2026-09-01T00:00:00Z", "2026-11-23T15:30:00Z")

    def test_names_have_no_case(self, client: Client) -> None:
        """GitHub answers under a name in any case, with the case it knows."""
        assert client.ask("/repos/Octo/TOOL").json["full_name"] == "octo/tool"

    @pytest.mark.parametrize("below", ["", "/traffic/views"])
    def test_former_names_redirect(self, client: Client, fake: FakeGitHub, below: str) -> None:
        """A former name is answered 301 with the address by id, which answers."""
        heard = client.ask(f"/repos/reef/tool{below}")
        assert heard.status == 301
        assert heard.headers["Location"] == heard.json["url"] == f"{fake.url}/repositories/11{below}"
        assert client.ask(f"/repositories/11{below}").text == client.ask(f"/repos/octo/tool{below}").text

    def test_a_name_in_use_beats_a_former_one(self, client: Client, fake: FakeGitHub) -> None:
        """A new repository under a former name ends the redirect."""
        fake.repositories.append(Repository(13, "reef/tool", RecordedTraffic(), START))
        assert client.ask("/repos/reef/tool").json["id"] == 13

    def test_repositories_change_while_served(self, client: Client, fake: FakeGitHub) -> None:
        """Renames, stars, removals and other traffic show in the next answer."""
        assert client.ask("/repos/octo/tool").json["stargazers_count"] == 5
        fake.repositories[0].name = "octo/kit"
        fake.repositories[0].stars = 6
        fake.repositories[0].traffic = RecordedTraffic()
        assert client.ask("/repos/octo/kit").json["stargazers_count"] == 6
        assert client.ask("/repos/octo/kit/traffic/views").json == {"count": 0, "uniques": 0, "views": []}
        assert client.ask("/repos/octo/tool").status == 404
        fake.repositories.pop(0)
        assert client.ask("/repos/octo/kit").status == 404
        assert client.ask("/repos/octo/secret").json["id"] == 12
        fake.repositories.pop(0)
        assert client.ask("/repos/octo/secret").status == 404
        fake.repositories = [tool()]
        assert client.ask("/repos/octo/tool").status == 200

    @pytest.mark.parametrize("path", ["/", "/repos/octo/none", "/repositories/99", "/repos/octo/tool/traffic/stars"])
    def test_the_rest_is_not_found(self, client: Client, path: str) -> None:
        """Anything else is GitHub's 404."""
        heard = client.ask(path)
        assert heard.status == 404
        assert (heard.json["message"], heard.json["status"]) == ("Not Found", "404")

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
    def test_other_methods_are_refused(self, client: Client, method: str) -> None:
        """Only reading is answered, and the connection goes on."""
        assert client.ask("/repos/octo/tool", method, "{}").json["message"] == "Method Not Allowed"
        assert client.ask("/repos/octo/tool").status == 200

    def test_head_has_no_body(self, client: Client) -> None:
        """HEAD is refused without a body."""
        heard = client.ask("/repos/octo/tool", "HEAD")
        assert (heard.status, heard.text) == (405, "")
        assert client.ask("/repos/octo/tool").status == 200


class TestHeaders:
    """The headers of every response."""

    def test_date_is_the_given_moment(self, client: Client, fake: FakeGitHub) -> None:
        """The `Date` header, and with it the window, follows `now`."""
        assert parsedate_to_datetime(client.ask("/").headers["Date"]) == NOW.replace(microsecond=0)
        fake.now = NOW + timedelta(days=1)
        assert parsedate_to_datetime(client.ask("/").headers["Date"]) == NOW + timedelta(days=1)
        fake.repositories[0].traffic = generated()
        views = client.ask("/repos/octo/tool/traffic/views").json["views"]
        assert views[-1]["timestamp"] == "2026-11-23T00:00:00Z"

    def test_without_a_moment_time_is_real(self) -> None:
        """With no moment given the fake lives in real time."""
        with FakeGitHub() as fake:
            assert datetime.now(UTC) <= fake.now <= datetime.now(UTC)

    def test_extra_headers(self, client: Client, fake: FakeGitHub) -> None:
        """A test can add headers to every answer."""
        fake.headers["GitHub-Authentication-Token-Expiration"] = "2026-12-01 00:00:00 UTC"
        assert client.ask("/").headers["GitHub-Authentication-Token-Expiration"] == "2026-12-01 00:00:00 UTC"

    def test_the_budget_counts_down(self, client: Client) -> None:
        """Each request takes one from the hour's budget, but asking for the budget takes none."""
        first, second = (client.ask("/repos/octo/tool").headers for _ in range(2))
        names = ("Limit", "Remaining", "Used", "Reset", "Resource")
        reset = str(int((NOW + timedelta(hours=1)).timestamp()))
        assert [first[f"X-RateLimit-{name}"] for name in names] == ["5000", "4999", "1", reset, "core"]
        assert second["X-RateLimit-Remaining"] == "4998"
        resources = client.ask("/rate_limit").json["resources"]
        assert (resources["core"]["remaining"], resources["graphql"]["remaining"]) == (4998, 5000)

    def test_an_empty_budget_is_refused_until_the_hour_is_over(self, client: Client, fake: FakeGitHub) -> None:
        """With nothing left REST answers 403 and GraphQL 200 with an error, both with remaining 0, until the reset."""
        fake.remaining = fake.remaining_graphql = 1
        assert client.ask("/repos/octo/tool").status == 200
        assert "data" in client.query("{ rateLimit { cost } }")
        heard = client.ask("/repos/octo/tool")
        assert heard.status == 403
        assert heard.json["message"].startswith("API rate limit exceeded")
        assert heard.headers["X-RateLimit-Remaining"] == "0"
        assert client.query("{ rateLimit { cost } }")["errors"][0]["type"] == "RATE_LIMITED"
        fake.now = NOW + timedelta(hours=1)
        assert client.ask("/repos/octo/tool").headers["X-RateLimit-Remaining"] == "4999"

    def test_a_token_can_be_demanded(self) -> None:
        """With a token given, any other authorization is answered 401."""
        with FakeGitHub([tool()], token="right", limit=60) as fake:
            client = Client(fake)
            spellings = ("token right", "Bearer right", "token wrong", "")
            statuses = [client.ask("/repos/octo/tool", authorization=text).status for text in spellings]
            assert statuses == [200, 200, 401, 401]
            assert client.ask("/repos/octo/tool").json["message"] == "Bad credentials"
            client.close()


def test_workflow_runs_of_a_day_are_counted(client: Client, fake: FakeGitHub) -> None:
    """`created` selects a day, `per_page` limits the list and not the count; a redirect drops both."""
    first, second = date(2026, 11, 21), date(2026, 11, 22)
    fake.repositories[0].workflow_runs = {first: 2, second: 40}
    one = client.ask(f"/repos/octo/tool/actions/runs?created={first}&per_page=1").json
    assert (one["total_count"], [run["created_at"][:10] for run in one["workflow_runs"]]) == (2, [str(first)])
    whole = client.ask("/repos/octo/tool/actions/runs").json
    assert (whole["total_count"], {run["created_at"][:10] for run in whole["workflow_runs"]}) == (42, {str(second)})
    none = client.ask("/repos/octo/tool/actions/runs?created=2026-11-20&per_page=1").json
    assert none == {"total_count": 0, "workflow_runs": []}


class TestDemonstration:
    """The part of the fake that ships with the package."""

    @pytest.fixture
    def served(self) -> Iterator[Client]:
        """Serve one repository as the demonstration does."""
        with FakeRestApi([tool()], now=NOW) as api:
            client = Client(api)
            yield client
            client.close()

    def test_it_answers_as_the_tests_fake_does(self, served: Client, client: Client) -> None:
        """Traffic is the same, a description has the fields that a run reads, and so has the moment."""
        for below in ("views", "clones", "popular/paths", "popular/referrers"):
            path = f"/repos/OCTO/tool/traffic/{below}"
            assert served.ask(path).json == client.ask(path).json
        described, whole = (asked.ask("/repos/octo/tool") for asked in (served, client))
        assert described.json.items() <= whole.json.items()
        assert described.headers["Date"] == whole.headers["Date"]

    @pytest.mark.parametrize("path", ["/repos/octo/none", "/"])
    def test_the_rest_is_not_found(self, served: Client, path: str) -> None:
        """It has no other repositories and no other addresses."""
        heard = served.ask(path)
        assert (heard.status, heard.json["message"]) == (404, "Not Found")

    def test_graphql_is_refused(self, served: Client) -> None:
        """A run falls back to REST at once; a 404 would be asked for again, after a pause."""
        assert served.ask("/graphql", "POST").status == 403
