"""What the stand-in of GitHub answers: judged by facts, by GitHub's own description and by PyGithub."""

import contextlib
import http.client
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import graphql
import pytest
from github import Auth, BadCredentialsException, Github, GithubException, UnknownObjectException
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from ghtraffic_action.github.queries import LIST_QUERY, lookup_query
from ghtraffic_action.standin import (
    Answer,
    FakeGitHub,
    GeneratedTraffic,
    RecordedTraffic,
    Refusal,
    Repository,
    Request,
    Series,
)
from tests.support.builders import ROOT

DESCRIPTION = ROOT / "tests" / "github_description" / "node_modules" / "@octokit"
NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
START = date(2026, 9, 1)
VIEWS = ((date(2026, 11, 21), 40, 9), (date(2026, 11, 22), 2, 1))
CLONES = ((date(2026, 11, 20), 7, 3),)
PATHS = (("/ann/tool", "ann/tool: a tool", 40, 9), ("/ann/tool/issues", "Issues", 2, 1))
REFERRERS = (("Google", 12, 5),)
TRAFFIC = ("views", "clones", "popular/paths", "popular/referrers")
REPOSITORY_QUERY = """
query($o0: String!, $n0: String!, $o1: String!, $n1: String!) {
  r0: repository(owner: $o0, name: $n0) { ...scalars }
  c0: repository(owner: $o0, name: $n0) { ...connections }
  r1: repository(owner: $o1, name: $n1) { ...scalars }
  c1: repository(owner: $o1, name: $n1) { ...connections }
}
fragment scalars on Repository {
  databaseId nameWithOwner stargazerCount forkCount isArchived isPrivate isFork createdAt pushedAt
}
fragment connections on Repository {
  watchers { totalCount } issues(states: OPEN) { totalCount } pullRequests(states: OPEN) { totalCount }
}
"""
OWNER_QUERY = """
query($login: String!, $after: String) {
  repositoryOwner(login: $login) {
    repositories(
      first: 100, after: $after, ownerAffiliations: OWNER, isFork: false, isArchived: false
      orderBy: {field: NAME, direction: ASC}
    ) {
      totalCount
      nodes { nameWithOwner databaseId isPrivate }
      pageInfo { hasNextPage endCursor }
    }
  }
  rateLimit { cost limit remaining resetAt used }
}
"""
QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "repositories": (REPOSITORY_QUERY, {"o0": "ann", "n0": "tool", "o1": "ann", "n1": "old-secret"}),
    "owner": (OWNER_QUERY, {"login": "ann"}),
    "the program describes": lookup_query(("ann/tool", "ann/old-secret")),
    "the program lists": (LIST_QUERY, {"owner": "ann", "after": None}),
}


@dataclass(frozen=True)
class Heard:
    """One answer as a plain client hears it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body, read."""
        return json.loads(self.text)


class Client:
    """One connection that is kept alive."""

    def __init__(self, standin: FakeGitHub) -> None:
        self._connection = http.client.HTTPConnection(standin.url.removeprefix("http://"))

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Heard:
        """Send one request and wait for its answer."""
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return Heard(response.status, dict(response.getheaders()), response.read().decode())

    def query(self, text: str, **variables: object) -> dict[str, Any]:
        """Send one GraphQL query."""
        heard = self.ask("/graphql", "POST", json.dumps({"query": text, "variables": variables}))
        assert heard.status == 200
        answer: dict[str, Any] = heard.json
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def tool() -> Repository:
    recorded = RecordedTraffic(VIEWS, CLONES, PATHS, REFERRERS)
    counts = {"stars": 5, "forks": 4, "watchers": 3, "open_issues": 2, "open_pull_requests": 1}
    return Repository(11, "ann/tool", recorded, START, pushed=NOW, former_names=("ann/gadget", "bob/tool"), **counts)


def secret() -> Repository:
    return Repository(12, "ann/secret", RecordedTraffic(), START, private=True, former_names=("ann/old-secret",))


def wait_for(happened: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not happened() and time.monotonic() < end:
        time.sleep(0.001)


@pytest.fixture
def standin() -> Iterator[FakeGitHub]:
    with FakeGitHub([tool(), secret()], now=NOW) as standin:
        yield standin


@pytest.fixture
def client(standin: FakeGitHub) -> Iterator[Client]:
    client = Client(standin)
    yield client
    client.close()


def invented(days: int = 60, **habits: Any) -> GeneratedTraffic:  # noqa: ANN401 - the options of Invented
    truth = {TODAY - timedelta(days=age): (30 + age % 7 * 11, 10 + age % 5) for age in range(days)}
    clones = {day: (count // 10, uniques // 10) for day, (count, uniques) in truth.items()}
    return GeneratedTraffic(truth, clones, name="ann/tool", **habits)


class TestRecorded:
    """Answers given as they are."""

    def test_totals_are_the_sums_of_the_rows(self) -> None:
        """Without totals of their own, rows get the sums of their counts and uniques."""
        assert RecordedTraffic(VIEWS).views(NOW) == Series(42, 10, VIEWS)

    def test_totals_can_be_given(self) -> None:
        """A Series keeps its totals: GitHub's uniques over the window are not the sum of the days."""
        assert RecordedTraffic(clones=Series(7, 2, CLONES)).clones(NOW).uniques == 2

    def test_ten_paths_and_referrers_at_most(self) -> None:
        """GitHub names at most ten of each."""
        many = RecordedTraffic(paths=PATHS * 6, referrers=REFERRERS * 11)
        assert (len(many.paths(NOW)), len(many.referrers(NOW))) == (10, 10)


class TestInvented:
    """GitHub's habits over a known truth."""

    def test_fifteen_rows_early_and_fourteen_late(self) -> None:
        """The day of age 14 is listed only in the early hours."""
        early, late = (invented().views(NOW.replace(hour=hour)).rows for hour in (3, 15))
        assert [early[0][0], late[0][0]] == [TODAY - timedelta(days=14), TODAY - timedelta(days=13)]
        assert (len(early), len(late)) == (15, 14)

    def test_the_oldest_day_is_cut_short(self) -> None:
        """At age 14 a day shows less than it did at age 13."""
        day = TODAY - timedelta(days=14)
        cut = invented().views(NOW.replace(hour=3)).rows[0]
        assert cut[0] == day
        assert 0 < cut[1] < invented().truth("views", day)[0]
        assert 0 < cut[2] < invented().truth("views", day)[1]

    def test_today_grows_through_the_day(self) -> None:
        """Today's row is what the hours so far have brought."""
        shown = [invented().views(NOW.replace(hour=hour)).rows[-1] for hour in (0, 12, 23)]
        assert [row[0] for row in shown] == [TODAY] * 3
        assert [row[1] for row in shown] == [0, 15, 28]

    @pytest.mark.parametrize("metric", ["views", "clones"])
    def test_no_number_falls_before_age_14_and_all_are_final_at_13(self, metric: str) -> None:
        """From hour to hour and day to day a number only grows, to the truth at age 13 at the latest."""
        model = invented()
        seen: dict[date, tuple[int, int]] = {}
        for hours in range(0, 24 * 30, 6):
            now = NOW - timedelta(days=30) + timedelta(hours=hours)
            for day, *numbers in getattr(model, metric)(now).rows:
                age = (now.date() - day).days
                before = seen.get(day, (0, 0))
                if age <= 13:
                    assert all(new >= old for new, old in zip(numbers, before, strict=True))
                    seen[day] = (numbers[0], numbers[1])
                if age == 13:
                    assert seen[day] == model.truth(metric, day)

    def test_some_days_rise_late(self) -> None:
        """Yesterday is nearly final, most days are final at age 2, a few rise later; `latest_rise=2` makes none."""
        model, prompt = invented(), invented(latest_rise=2)
        late = [day for day, count, _ in model.views(NOW).rows[:-2] if count < model.truth("views", day)[0]]
        yesterday = prompt.views(NOW).rows[-2]
        assert 0 < len(late) < 6
        assert yesterday[1] == prompt.truth("views", yesterday[0])[0] - 1
        assert all(count == prompt.truth("views", day)[0] for day, count, _ in prompt.views(NOW).rows[:-2])

    def test_newest_days_can_lag_or_lack(self) -> None:
        """An answer may lag behind by days, or leave out today."""
        lagging, without_today = invented(lag_days=3), invented(include_today=False)
        assert lagging.views(NOW).rows[-1][0] == TODAY - timedelta(days=3)
        assert without_today.clones(NOW).rows[-1][0] == TODAY - timedelta(days=1)

    def test_days_of_zero_are_listed_or_left_out(self) -> None:
        """GitHub sometimes lists a day of zero and sometimes leaves it out."""
        quiet = {TODAY - timedelta(days=5): (4, 2)}
        assert GeneratedTraffic(quiet, {}, omit_zeros=True).views(NOW).rows == ((TODAY - timedelta(days=5), 4, 2),)
        assert len(GeneratedTraffic(quiet, {}).views(NOW).rows) == 6
        assert [row[1] for row in GeneratedTraffic(quiet, {}).clones(NOW).rows] == [0] * 6

    def test_nothing_is_listed_before_the_first_day(self) -> None:
        """A young repository's answer begins with its first day."""
        assert invented(3).views(NOW).rows[0][0] == TODAY - timedelta(days=2)
        assert GeneratedTraffic({}, {}).views(NOW) == Series(0, 0, ())

    def test_window_uniques_are_less_than_the_sum(self) -> None:
        """A visitor of two days counts once in the window's uniques."""
        series = invented().views(NOW)
        assert max(row[2] for row in series.rows) <= series.uniques < sum(row[2] for row in series.rows)
        assert series.count == sum(row[1] for row in series.rows)

    def test_top_ten_follow_the_views(self) -> None:
        """Paths and referrers share the 14 days' views: ten at most, the largest first, the same each time."""
        model, total = (
            invented(),
            sum(invented().truth("views", TODAY - timedelta(days=age))[0] for age in range(1, 15)),
        )
        for rows in (model.paths(NOW), model.referrers(NOW)):
            counts = [row[-2] for row in rows]
            assert len(rows) == 10
            assert counts == sorted(counts, reverse=True)
            assert sum(counts) <= total
            assert all(0 < row[-1] <= row[-2] for row in rows)
        assert model.paths(NOW)[0][:2] == ("/ann/tool", "ann/tool: an invented repository")
        assert model.paths(NOW) == invented().paths(NOW.replace(hour=1)) != invented(seed=1).paths(NOW)
        assert GeneratedTraffic({}, {}).paths(NOW) == ()


class TestRest:
    """The REST endpoints."""

    def test_views_and_clones(self, client: Client) -> None:
        """Totals at the top, a row a day at UTC midnight."""
        day = {"timestamp": "2026-11-20T00:00:00Z", "count": 7, "uniques": 3}
        assert client.ask("/repos/ann/tool/traffic/views").json["count"] == 42
        assert client.ask("/repos/ann/tool/traffic/clones").json == {"count": 7, "uniques": 3, "clones": [day]}

    def test_paths_and_referrers(self, client: Client) -> None:
        """Lists without dates."""
        first = {"path": "/ann/tool", "title": "ann/tool: a tool", "count": 40, "uniques": 9}
        assert client.ask("/repos/ann/tool/traffic/popular/paths").json[0] == first
        referrers = [{"referrer": "Google", "count": 12, "uniques": 5}]
        assert client.ask("/repos/ann/tool/traffic/popular/referrers").json == referrers

    def test_repository(self, client: Client, standin: FakeGitHub) -> None:
        """`watchers_count` is the stars, `subscribers_count` the watchers, open issues include pull requests."""
        told = client.ask("/repos/ann/tool").json
        names = ("id", "stargazers_count", "watchers_count", "subscribers_count", "forks_count", "open_issues_count")
        assert [told[name] for name in names] == [11, 5, 5, 3, 4, 3]
        assert told["url"] == f"{standin.url}/repos/ann/tool"
        assert told["issues_url"] == f"{standin.url}/repos/ann/tool/issues{{/number}}"
        assert told["git_refs_url"] == f"{standin.url}/repos/ann/tool/git/refs{{/sha}}"
        assert (told["created_at"], told["pushed_at"]) == ("2026-09-01T00:00:00Z", "2026-11-23T15:30:00Z")

    def test_names_have_no_case(self, client: Client) -> None:
        """GitHub answers under a name in any case, with the case it knows."""
        assert client.ask("/repos/Ann/TOOL").json["full_name"] == "ann/tool"

    @pytest.mark.parametrize("below", ["", "/traffic/views"])
    def test_former_names_redirect(self, client: Client, standin: FakeGitHub, below: str) -> None:
        """A former name is answered 301 with the address by id, which answers."""
        heard = client.ask(f"/repos/bob/tool{below}")
        assert heard.status == 301
        assert heard.headers["Location"] == heard.json["url"] == f"{standin.url}/repositories/11{below}"
        assert client.ask(f"/repositories/11{below}").text == client.ask(f"/repos/ann/tool{below}").text

    def test_a_name_in_use_beats_a_former_one(self, client: Client, standin: FakeGitHub) -> None:
        """A new repository under a former name ends the redirect."""
        standin.repositories.append(Repository(13, "bob/tool", RecordedTraffic(), START))
        assert client.ask("/repos/bob/tool").json["id"] == 13

    def test_repositories_change_while_served(self, client: Client, standin: FakeGitHub) -> None:
        """Renames, stars, removals and other traffic show in the next answer."""
        assert client.ask("/repos/ann/tool").json["stargazers_count"] == 5
        standin.repositories[0].name = "ann/kit"
        standin.repositories[0].stars = 6
        standin.repositories[0].traffic = RecordedTraffic()
        assert client.ask("/repos/ann/kit").json["stargazers_count"] == 6
        assert client.ask("/repos/ann/kit/traffic/views").json == {"count": 0, "uniques": 0, "views": []}
        assert client.ask("/repos/ann/tool").status == 404
        standin.repositories.pop(0)
        assert client.ask("/repos/ann/kit").status == 404
        assert client.ask("/repos/ann/secret").json["id"] == 12
        standin.repositories.pop(0)
        assert client.ask("/repos/ann/secret").status == 404
        standin.repositories = [tool()]
        assert client.ask("/repos/ann/tool").status == 200

    @pytest.mark.parametrize("path", ["/", "/repos/ann/none", "/repositories/99", "/repos/ann/tool/traffic/stars"])
    def test_the_rest_is_not_found(self, client: Client, path: str) -> None:
        """Anything else is GitHub's 404."""
        heard = client.ask(path)
        assert heard.status == 404
        assert (heard.json["message"], heard.json["status"]) == ("Not Found", "404")

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
    def test_other_methods_are_refused(self, client: Client, method: str) -> None:
        """Only reading is answered, and the connection goes on."""
        assert client.ask("/repos/ann/tool", method, "{}").json["message"] == "Method Not Allowed"
        assert client.ask("/repos/ann/tool").status == 200

    def test_head_has_no_body(self, client: Client) -> None:
        """HEAD is refused without a body."""
        heard = client.ask("/repos/ann/tool", "HEAD")
        assert (heard.status, heard.text) == (405, "")
        assert client.ask("/repos/ann/tool").status == 200


class TestGraphql:
    """The GraphQL endpoint."""

    def test_scalars_and_connections(self, client: Client) -> None:
        """Many aliases go in one query; renames are followed."""
        data = client.query(*QUERIES["repositories"][:1], **QUERIES["repositories"][1])["data"]
        assert data["r0"] == {
            "databaseId": 11,
            "nameWithOwner": "ann/tool",
            "stargazerCount": 5,
            "forkCount": 4,
            "isArchived": False,
            "isPrivate": False,
            "isFork": False,
            "createdAt": "2026-09-01T00:00:00Z",
            "pushedAt": "2026-11-23T15:30:00Z",
        }
        assert data["c0"] == {
            "watchers": {"totalCount": 3},
            "issues": {"totalCount": 2},
            "pullRequests": {"totalCount": 1},
        }
        assert (data["r1"]["nameWithOwner"], data["r1"]["pushedAt"]) == ("ann/secret", None)

    def test_literals_and_inline_fragments(self, client: Client) -> None:
        """Arguments may be literals, with escapes, and selections may be inline fragments."""
        text = (
            '# all\n{ repository(owner: "\\u0061nn", name: """tool""") { ... on Repository { name } owner { login } } }'
        )
        assert client.query(text) == {"data": {"repository": {"name": "tool", "owner": {"login": "ann"}}}}

    def test_lists_and_bare_fragments(self, client: Client) -> None:
        """Arguments may be lists, and a fragment needs no type."""
        text = '{ ... { repository(owner: "ann", name: "tool") { issues(first: -1, states: [OPEN]) { totalCount } } } }'
        assert client.query(text) == {"data": {"repository": {"issues": {"totalCount": 2}}}}

    def test_renames_are_followed_unless_told_not_to(self, client: Client) -> None:
        """`followRenames: false` finds a repository under its own name only."""
        text = (
            'query($f: Boolean = true) { r: repository(owner: "bob", name: "tool", followRenames: $f) { databaseId } }'
        )
        assert client.query(text)["data"] == {"r": {"databaseId": 11}}
        assert client.query(text, f=False)["data"] == {"r": None}

    def test_a_missing_repository_leaves_the_others(self, client: Client) -> None:
        """A missing repository is null and an entry in `errors`, beside the others' data."""
        text = '{ a: repository(owner: "ann", name: "tool") { id }\n  b: repository(owner: "ann", name: "no") { id } }'
        answer = client.query(text)
        assert answer["data"] == {"a": {"id": "R_11"}, "b": None}
        assert answer["errors"] == [
            {
                "type": "NOT_FOUND",
                "path": ["b"],
                "locations": [{"line": 2, "column": 3}],
                "message": "Could not resolve to a Repository with the name 'ann/no'.",
            }
        ]

    def test_a_refused_connection_nulls_its_node(self, client: Client, standin: FakeGitHub) -> None:
        """A connection may not be null: refused, it takes its whole node with it, but no other alias."""
        standin.refuse_field("ann/secret", "issues")
        answer = client.query(*QUERIES["repositories"][:1], **QUERIES["repositories"][1])
        assert answer["data"]["c1"] is None
        assert answer["data"]["r1"]["databaseId"] == 12
        assert [(error["type"], error["path"], error["message"]) for error in answer["errors"]] == [
            ("FORBIDDEN", ["c1", "issues"], "Resource not accessible by personal access token")
        ]
        standin.allow()
        assert "errors" not in client.query(*QUERIES["repositories"][:1], **QUERIES["repositories"][1])

    def test_a_refused_nullable_field_is_null_alone(self, client: Client, standin: FakeGitHub) -> None:
        """A field that may be null takes nothing with it."""
        standin.refuse_field("ann/tool", "pushedAt", "no")
        answer = client.query('{ r: repository(owner: "ann", name: "tool") { databaseId pushedAt } }')
        assert answer["data"] == {"r": {"databaseId": 11, "pushedAt": None}}
        assert answer["errors"][0]["message"] == "no"

    def test_an_owner_is_paged_through(self, client: Client, standin: FakeGitHub) -> None:
        """`first` and `after` walk through all that the filters leave, in the order asked for."""
        standin.repositories += [Repository(100 + n, f"Ann/r{n:03}", RecordedTraffic(), START) for n in range(230)]
        standin.repositories += [Repository(1, "ann/fork", RecordedTraffic(), START, fork=True)]
        standin.repositories += [Repository(2, "ann/archived", RecordedTraffic(), START, archived=True)]
        names, sizes, after = [], [], None
        while True:
            page = client.query(OWNER_QUERY, login="ANN", after=after)["data"]["repositoryOwner"]["repositories"]
            names += [node["nameWithOwner"] for node in page["nodes"]]
            sizes.append(len(page["nodes"]))
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert sizes == [100, 100, 32]
        assert names == [*(f"Ann/r{n:03}" for n in range(230)), "ann/secret", "ann/tool"]

    def test_an_owner_can_be_filtered_by_privacy(self, client: Client) -> None:
        """`privacy: PUBLIC` leaves private repositories out; the order may be reversed."""
        text = '{{ repositoryOwner(login: "ann") {{ repositories(first: 5, {}) {{ nodes {{ databaseId }} }} }} }}'
        told = [client.query(text.format(by)) for by in ("privacy: PUBLIC", "orderBy: {field: NAME, direction: DESC}")]
        found = [answer["data"]["repositoryOwner"]["repositories"]["nodes"] for answer in told]
        assert found == [[{"databaseId": 11}], [{"databaseId": 11}, {"databaseId": 12}]]

    def test_an_unknown_owner_is_null(self, client: Client) -> None:
        """GitHub gives null and no error for an owner it does not know."""
        assert client.query('{ repositoryOwner(login: "zoe") { login } }') == {"data": {"repositoryOwner": None}}

    @pytest.mark.parametrize(
        ("arguments", "kind"),
        [
            ("", "MISSING_PAGINATION_BOUNDARIES"),
            ("(first: 101)", "EXCESSIVE_PAGINATION"),
            ('(first: 1, after: "%")', "INVALID_CURSOR_ARGUMENTS"),
        ],
    )
    def test_pages_have_limits(self, client: Client, arguments: str, kind: str) -> None:
        """A page needs a size of at most 100 and a cursor that GitHub gave."""
        text = f'{{ repositoryOwner(login: "ann") {{ repositories{arguments} {{ totalCount }} }} }}'
        answer = client.query(text)
        assert answer["data"] == {"repositoryOwner": None}
        assert [error["type"] for error in answer["errors"]] == [kind]

    def test_rate_limit(self, client: Client) -> None:
        """The query itself has cost one of the hour's points, which are not those of REST."""
        text = "{ rateLimit { limit remaining used resetAt cost nodeCount } }"
        told = {
            "limit": 5000,
            "remaining": 4999,
            "used": 1,
            "resetAt": "2026-11-23T16:30:00Z",
            "cost": 1,
            "nodeCount": 0,
        }
        client.ask("/repos/ann/tool")
        assert client.query(text) == {"data": {"rateLimit": told}}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{ viewer { login } }", "Field 'viewer' doesn't exist on type 'Query'"),
            ('{ repository(owner: "a", name: "b") { stars } }', "Field 'stars' doesn't exist on type 'Repository'"),
            ("{ rateLimit(for: 1) { cost } }", "Field 'rateLimit' doesn't accept argument 'for'"),
            ("{ repositoryOwner { login } }", "Field 'repositoryOwner' is missing required arguments: login"),
            ("{ repositoryOwner(login: $l) { login } }", "Variable $l is used by anonymous query but not declared"),
            ("query A($l: [String!]!) { repositoryOwner(login: $l) { login } }", "Variable $l of a non-null type"),
            ("{ rateLimit }", "Field must have selections (field 'rateLimit' returns RateLimit but has no selections)"),
            ("{ rateLimit { cost { x } } }", "Selections can't be made on scalars (field 'cost' has selections)"),
            ("{ rateLimit { ...nothing } }", "Fragment nothing was used, but not defined"),
            ("{ rateLimit { cost }", "Parse error on end of file"),
            ("{ rateLimit(dryRun: }) { cost }", 'Parse error on "}" (SIGN)'),
            ("mutation { star }", 'Parse error on "mutation" (WORD)'),
            ("", "A query attribute must be specified"),
        ],
    )
    def test_mistakes_get_errors_and_no_data(self, client: Client, text: str, message: str) -> None:
        """What the schema does not have is answered with errors and no data."""
        answer = client.query(text)
        assert list(answer) == ["errors"]
        assert answer["errors"][0]["message"].startswith(message)

    def test_an_unknown_field_is_described_as_github_does(self, client: Client) -> None:
        """The entry has the path from the operation on, the code, the type and the field."""
        answer = client.query('query Q {\n  a: repository(owner: "ann", name: "tool") { traffic }\n}')
        codes = {"code": "undefinedField", "typeName": "Repository", "fieldName": "traffic"}
        (error,) = answer["errors"]
        assert (error["path"], error["extensions"]) == (["query Q", "a", "traffic"], codes)
        assert error["locations"] == [{"line": 2, "column": 47}]

    @pytest.mark.parametrize(
        ("body", "message"), [("{", "Problems parsing JSON"), ("[]", "Body should be a JSON object")]
    )
    def test_a_body_must_be_a_json_object(self, client: Client, body: str, message: str) -> None:
        """Anything but a JSON object is answered 400."""
        heard = client.ask("/graphql", "POST", body)
        assert (heard.status, heard.json["message"]) == (400, message)


class TestHeaders:
    """What every answer carries."""

    def test_date_is_the_given_moment(self, client: Client, standin: FakeGitHub) -> None:
        """The `Date` header, and with it the window, follows `now`."""
        assert parsedate_to_datetime(client.ask("/").headers["Date"]) == NOW.replace(microsecond=0)
        standin.now = NOW + timedelta(days=1)
        assert parsedate_to_datetime(client.ask("/").headers["Date"]) == NOW + timedelta(days=1)
        standin.repositories[0].traffic = invented()
        views = client.ask("/repos/ann/tool/traffic/views").json["views"]
        assert views[-1]["timestamp"] == "2026-11-24T00:00:00Z"

    def test_without_a_moment_time_is_real(self) -> None:
        """With no moment given the stand-in lives in real time."""
        with FakeGitHub() as standin:
            assert abs(standin.now - datetime.now(UTC)) < timedelta(seconds=5)

    def test_extra_headers(self, client: Client, standin: FakeGitHub) -> None:
        """A test can add headers to every answer."""
        standin.headers["GitHub-Authentication-Token-Expiration"] = "2026-12-01 00:00:00 UTC"
        assert client.ask("/").headers["GitHub-Authentication-Token-Expiration"] == "2026-12-01 00:00:00 UTC"

    def test_the_budget_counts_down(self, client: Client) -> None:
        """Each request takes one from the hour's budget, but asking for the budget takes none."""
        first, second = (client.ask("/repos/ann/tool").headers for _ in range(2))
        names = ("Limit", "Remaining", "Used", "Reset", "Resource")
        reset = str(int((NOW + timedelta(hours=1)).timestamp()))
        assert [first[f"X-RateLimit-{name}"] for name in names] == ["5000", "4999", "1", reset, "core"]
        assert second["X-RateLimit-Remaining"] == "4998"
        resources = client.ask("/rate_limit").json["resources"]
        assert (resources["core"]["remaining"], resources["graphql"]["remaining"]) == (4998, 5000)

    def test_an_empty_budget_is_refused_until_the_hour_is_over(self, client: Client, standin: FakeGitHub) -> None:
        """With nothing left REST answers 403 and GraphQL 200 with an error, both with remaining 0, until the reset."""
        standin.remaining = standin.remaining_graphql = 1
        assert client.ask("/repos/ann/tool").status == 200
        assert "data" in client.query("{ rateLimit { cost } }")
        heard = client.ask("/repos/ann/tool")
        assert heard.status == 403
        assert heard.json["message"].startswith("API rate limit exceeded")
        assert heard.headers["X-RateLimit-Remaining"] == "0"
        assert client.query("{ rateLimit { cost } }")["errors"][0]["type"] == "RATE_LIMITED"
        standin.now = NOW + timedelta(hours=1)
        assert client.ask("/repos/ann/tool").headers["X-RateLimit-Remaining"] == "4999"

    def test_a_token_can_be_demanded(self) -> None:
        """With a token given, any other authorization is answered 401."""
        with FakeGitHub([tool()], token="right", limit=60) as standin:
            client = Client(standin)
            spellings = ("token right", "Bearer right", "token wrong", "")
            statuses = [client.ask("/repos/ann/tool", authorization=text).status for text in spellings]
            assert statuses == [200, 200, 401, 401]
            assert client.ask("/repos/ann/tool").json["message"] == "Bad credentials"
            client.close()


REFUSED = {
    Refusal.BAD_CREDENTIALS: (401, "Bad credentials", {}),
    Refusal.MUST_HAVE_PUSH_ACCESS: (403, "Must have push access to repository", {}),
    Refusal.NOT_ACCESSIBLE_BY_INTEGRATION: (403, "Resource not accessible by integration", {}),
    Refusal.NOT_ACCESSIBLE_BY_TOKEN: (
        403,
        "Resource not accessible by personal access token",
        {"X-Accepted-GitHub-Permissions": "administration=read"},
    ),
    Refusal.NOT_FOUND: (404, "Not Found", {}),
    Refusal.ACCESS_BLOCKED: (403, "Repository access blocked", {}),
    Refusal.ACCESS_BLOCKED_451: (451, "Repository access blocked", {}),
    Refusal.RATE_LIMITED: (403, "API rate limit exceeded", {"X-RateLimit-Remaining": "0"}),
    Refusal.SECONDARY_RATE_LIMITED: (403, "You have exceeded a secondary rate limit", {"Retry-After": "60"}),
    Refusal.SERVER_ERROR_JSON: (502, "Server Error", {}),
    Refusal.SAML: (403, "Resource protected by organization SAML", {}),
    Refusal.IP_ALLOW_LIST: (403, "Although you appear to have the correct authorization credentials, the `ann`", {}),
    Refusal.TOKEN_FORBIDDEN_BY_ORGANIZATION: (403, "`ann` forbids access via a personal access token (classic)", {}),
    Refusal.TOKEN_LIFETIME: (403, "The 'ann' organization forbids access via a fine-grained", {}),
    Refusal.TOKEN_AWAITS_APPROVAL: (403, "Resource not accessible by personal access token", {}),
}


class TestRefusals:
    """What a test can have refused."""

    @pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: refusal.name)
    def test_refusals_look_like_githubs(self, client: Client, standin: FakeGitHub, refusal: Refusal) -> None:
        """Each has GitHub's status, message and headers; the owner's name is in its place."""
        status, message, headers = REFUSED[refusal]
        standin.refuse(refusal)
        heard = client.ask("/repos/ann/tool/traffic/views")
        assert heard.status == status
        assert heard.json["message"].startswith(message)
        assert heard.json.get("status", str(status)) == str(status)
        assert headers.items() <= heard.headers.items()

    def test_single_sign_on_names_its_page(self, client: Client, standin: FakeGitHub) -> None:
        """The header of a SAML refusal has the page where the token can be authorized."""
        standin.refuse(Refusal.SAML)
        url = client.ask("/repos/ann/tool").headers["X-GitHub-SSO"]
        assert url.startswith("required; url=https://github.com/orgs/ann/sso?")

    @pytest.mark.parametrize(("refusal", "status"), [(Refusal.SERVER_ERROR_HTML, 502), (Refusal.HTML, 200)])
    def test_html_instead_of_json(self, client: Client, standin: FakeGitHub, refusal: Refusal, status: int) -> None:
        """GitHub's front may answer with a page, even under the status 200."""
        standin.refuse(refusal)
        heard = client.ask("/repos/ann/tool")
        assert heard.status == status
        assert heard.headers["Content-Type"].startswith("text/html")
        assert heard.text.startswith("<!DOCTYPE html>")

    def test_reset(self, client: Client, standin: FakeGitHub) -> None:
        """A connection can be closed without an answer; the next one is served."""
        standin.refuse(Refusal.RESET, times=1)
        with pytest.raises(http.client.RemoteDisconnected):
            client.ask("/repos/ann/tool")
        assert client.ask("/repos/ann/tool").status == 200

    def test_truncated(self, client: Client, standin: FakeGitHub) -> None:
        """The true answer can be cut off so that only its JSON shows it."""
        whole = client.ask("/repos/ann/tool").text
        standin.refuse(Refusal.TRUNCATED)
        heard = client.ask("/repos/ann/tool")
        assert (heard.status, heard.text) == (200, whole[: len(whole) // 2])
        with pytest.raises(json.JSONDecodeError):
            _ = heard.json

    def test_any_answer(self, client: Client, standin: FakeGitHub) -> None:
        """Any status, headers and JSON can be answered."""
        standin.refuse(Answer(418, {"tea": ["{owner}"]}, {"X-Kind": "green"}))
        heard = client.ask("/repos/ann/tool")
        assert (heard.status, heard.json, heard.headers["X-Kind"]) == (418, {"tea": ["ann"]}, "green")

    def test_variants(self, client: Client, standin: FakeGitHub) -> None:
        """A refusal can have another status and other headers."""
        standin.refuse(Refusal.SECONDARY_RATE_LIMITED.value.but(status=429, headers={"Retry-After": "1"}))
        heard = client.ask("/repos/ann/tool")
        assert (heard.status, heard.json["status"], heard.headers["Retry-After"]) == (429, "429", "1")

    def test_late_variants(self, client: Client, standin: FakeGitHub) -> None:
        """A refusal can come late."""
        standin.refuse(Refusal.NOT_FOUND.value.but(seconds=0.05))
        started = time.monotonic()
        assert client.ask("/repos/ann/tool").status == 404
        assert time.monotonic() - started >= 0.05

    def test_rules_by_path_times_and_order(self, client: Client, standin: FakeGitHub) -> None:
        """A rule holds for the paths it finds, as often as it says, and the later rule comes first."""
        standin.refuse(Refusal.NOT_FOUND, path=r"^GET /repos/ann/tool/traffic/(views|clones)$")
        standin.refuse(Refusal.SERVER_ERROR_JSON, path="views", times=2)
        path = "/repos/ann/tool/traffic/{}?per=day"
        assert [client.ask(path.format("views")).status for _ in range(4)] == [502, 502, 404, 404]
        assert [client.ask(path.format(what)).status for what in ("clones", "popular/paths")] == [404, 200]
        standin.refuse(Refusal.SERVER_ERROR_JSON, path="POST /graphql")
        assert client.ask("/graphql", "POST", "{}").status == 502
        standin.allow()
        assert client.ask(path.format("views")).status == 200

    def test_a_late_answer_does_not_hold_up_the_end(self) -> None:
        """An answer can be late; the end of the stand-in does not wait for it."""
        with FakeGitHub([tool()]) as standin:
            standin.refuse(Answer(200, {}, seconds=60), times=1)
            client = Client(standin)

            def ask() -> None:
                with contextlib.suppress(OSError, http.client.HTTPException):  # the answer may be cut off by the end
                    client.ask("/repos/ann/tool")

            asking = threading.Thread(target=ask)
            asking.start()
            wait_for(lambda: standin.requests)
            started = time.monotonic()
        asking.join(5)
        client.close()
        assert time.monotonic() - started < 5


class TestServer:
    """Connections, threads and the log."""

    def test_requests_are_logged(self, client: Client, standin: FakeGitHub) -> None:
        """The log has what was asked, with query strings, bodies, headers and the moment."""
        before = time.monotonic()
        client.ask("/repos/ann/tool?x=1", accept="text/plain")
        client.ask("/graphql", "POST", "{}")
        asked, posted = standin.requests
        assert (asked.method, asked.path, asked.line) == ("GET", "/repos/ann/tool?x=1", "GET /repos/ann/tool")
        assert asked.headers["Accept"] == "text/plain"
        assert (posted.method, posted.path, posted.body) == ("POST", "/graphql", b"{}")
        assert before <= asked.at <= posted.at <= time.monotonic()
        assert isinstance(asked, Request)

    def test_the_most_in_flight_are_counted(self) -> None:
        """Requests under way at the same moment are counted, each on its own connection."""
        with FakeGitHub([tool()], delay=0.1) as standin:
            clients = [Client(standin) for _ in range(4)]
            threads = [threading.Thread(target=client.ask, args=("/repos/ann/tool",)) for client in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for client in clients:
                client.close()
            assert standin.most_in_flight == 4

    def test_the_end_closes_everything(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Threads end, idle connections are closed, the port is free again, and nothing was printed."""
        threads = threading.active_count()
        with FakeGitHub([tool()]) as standin:
            client = Client(standin)
            client.ask("/repos/ann/tool")
            port = int(standin.url.rpartition(":")[2])
        assert threading.active_count() == threads
        with pytest.raises(ConnectionError):
            client.ask("/repos/ann/tool")
        with FakeGitHub(port=port) as standin:
            assert standin.url == f"http://127.0.0.1:{port}"
        client.close()
        assert capfd.readouterr() == ("", "")

    def test_a_client_that_hangs_up_is_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A reset by the client is no mistake of the stand-in's."""
        with FakeGitHub([tool()], delay=0.05) as standin:
            with socket.create_connection(("127.0.0.1", int(standin.url.rpartition(":")[2]))) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                wait_for(lambda: standin.requests)
            client = Client(standin)
            assert client.ask("/repos/ann/tool").status == 200
            client.close()
        assert capfd.readouterr() == ("", "")

    def test_a_mistake_in_a_test_is_printed(self, standin: FakeGitHub, capfd: pytest.CaptureFixture[str]) -> None:
        """Traffic that raises closes the connection and leaves its traceback, so that nobody searches for it."""
        standin.repositories[0].traffic = RecordedTraffic(paths=[("one", "two", 3)])  # type: ignore[list-item]
        client = Client(standin)
        with pytest.raises(http.client.RemoteDisconnected):
            client.ask("/repos/ann/tool/traffic/popular/paths")
        client.close()
        assert "ValueError: zip() argument" in capfd.readouterr().err

    def test_a_request_is_cheap(self, client: Client) -> None:
        """An answer comes at once, without the 40 ms that unbuffered writes would cost."""
        started = time.monotonic()
        for _ in range(50):
            client.ask("/repos/ann/tool/traffic/views")
        assert time.monotonic() - started < 1

    def test_only_the_standard_library_is_imported(self) -> None:
        """The stand-in is part of what users install: it needs nothing else."""
        folder = Path(sys.modules[FakeGitHub.__module__].__file__ or "").parent
        imports = [
            line.split()[1].partition(".")[0]
            for file in folder.glob("*.py")
            for line in file.read_text().splitlines()
            if line.startswith(("import ", "from "))
        ]
        assert set(imports) <= sys.stdlib_module_names | {"ghtraffic_action"}


def described(name: str) -> str:
    """Read a file of GitHub's description, or say why not."""
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
    return without_examples(
        {"openapi": description["openapi"], "info": description["info"], **kept, "components": components}
    )


def without_examples(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, dict):
        return {key: without_examples(value) for key, value in node.items() if key not in {"examples", "example"}}
    return [without_examples(item) for item in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def rest_description() -> dict[str, Any]:
    """GitHub's description of the REST endpoints that the stand-in has."""
    traffic = [f"/repos/{{owner}}/{{repo}}/traffic/{what}" for what in TRAFFIC]
    description = json.loads(described("openapi/generated/api.github.com.json"))
    return cut_out(description, ["/repos/{owner}/{repo}", "/rate_limit", *traffic])


@pytest.fixture(scope="module")
def rest_judge(rest_description: dict[str, Any]) -> OpenAPI:
    return OpenAPI.from_dict(rest_description | {"servers": [{"url": "http://github.test"}]})


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    return graphql.build_schema(described("graphql-schema/schema.graphql"), assume_valid=True)


class TestJudgedByGitHub:
    """GitHub's own description judges the answers."""

    @staticmethod
    def judge(judge: OpenAPI, path: str, heard: Heard) -> None:
        """Raise where GitHub's description does not allow the answer."""
        response = MockResponse(heard.text.encode(), heard.status, heard.headers, "application/json")
        judge.validate_response(MockRequest("http://github.test", "get", path), response)

    @pytest.mark.parametrize("what", TRAFFIC)
    def test_traffic(self, rest_judge: OpenAPI, client: Client, standin: FakeGitHub, what: str) -> None:
        """The four traffic answers have the form that GitHub describes, recorded or invented."""
        path = f"/repos/ann/tool/traffic/{what}"
        self.judge(rest_judge, path, client.ask(path))
        standin.repositories[0].traffic = invented()
        self.judge(rest_judge, path, client.ask(path))

    def test_repositories(self, rest_judge: OpenAPI, rest_description: dict[str, Any], client: Client) -> None:
        """A repository has all that GitHub requires, and nothing that GitHub does not know."""
        for name in ("tool", "secret"):
            heard = client.ask(f"/repos/ann/{name}")
            self.judge(rest_judge, f"/repos/ann/{name}", heard)
            schemas = rest_description["components"]["schemas"]
            assert heard.json.keys() <= schemas["full-repository"]["properties"].keys()
            assert heard.json["owner"].keys() <= schemas["simple-user"]["properties"].keys()

    def test_rate_limit(self, rest_judge: OpenAPI, client: Client) -> None:
        """The budget has the form that GitHub describes."""
        self.judge(rest_judge, "/rate_limit", client.ask("/rate_limit"))

    @pytest.mark.parametrize(
        "refusal",
        [refusal for refusal, (status, *_) in REFUSED.items() if status == 403],
        ids=lambda refusal: refusal.name,
    )
    def test_refusals(self, rest_judge: OpenAPI, client: Client, standin: FakeGitHub, refusal: Refusal) -> None:
        """Refusals have the form of GitHub's errors."""
        standin.refuse(refusal)
        self.judge(rest_judge, "/repos/ann/tool/traffic/views", client.ask("/repos/ann/tool/traffic/views"))

    def test_redirects_and_missing_repositories(self, rest_judge: OpenAPI, client: Client) -> None:
        """301 and 404 have the form of GitHub's errors."""
        for name in ("ann/gadget", "ann/nothing"):
            self.judge(rest_judge, f"/repos/{name}", client.ask(f"/repos/{name}"))

    def test_the_judge_condemns(self, rest_judge: OpenAPI, client: Client, standin: FakeGitHub) -> None:
        """An answer that lacks a field is found out."""
        standin.refuse(Answer(200, {"count": 1, "views": []}))
        with pytest.raises(Exception, match="InvalidData"):
            self.judge(rest_judge, "/repos/ann/tool/traffic/views", client.ask("/repos/ann/tool/traffic/views"))

    @pytest.mark.parametrize("name", QUERIES)
    def test_queries_and_answers_follow_the_schema(
        self, schema: graphql.GraphQLSchema, client: Client, standin: FakeGitHub, name: str
    ) -> None:
        """GitHub's schema accepts the query, and the answer is what executing it would give."""
        text, variables = QUERIES[name]
        document = graphql.parse(text)
        assert graphql.validate(schema, document) == []
        standin.repositories[0].pushed = None
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
    """The library that the program uses reads the answers."""

    @pytest.fixture
    def github(self, standin: FakeGitHub) -> Iterator[Github]:
        """Make a client as the program does, without PyGithub's own pace and retries."""
        pace = {"seconds_between_requests": 0, "seconds_between_writes": 0}
        github = Github(auth=Auth.Token("t"), base_url=standin.url, lazy=True, retry=None, **pace)
        yield github
        github.close()

    def test_traffic(self, github: Github) -> None:
        """All four endpoints are read, days as aware UTC midnights."""
        repository = github.get_repo("ann/tool")
        views, clones = repository.get_views_traffic(), repository.get_clones_traffic()
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
        repository = github.get_repo("ann/tool")
        assert (repository.id, repository.stargazers_count, repository.subscribers_count) == (11, 5, 3)
        assert (repository.created_at, repository.owner.login) == (datetime(2026, 9, 1, tzinfo=UTC), "ann")

    def test_former_names_are_followed(self, github: Github) -> None:
        """A redirect leads to the repository's numbers."""
        assert github.get_repo("ann/gadget").get_views_traffic().count == 42

    def test_graphql(self, github: Github) -> None:
        """A query is answered; partial errors come as an exception that has the data."""
        _, answer = github.requester.graphql_query(REPOSITORY_QUERY, QUERIES["repositories"][1])
        assert answer["data"]["r0"]["databaseId"] == 11
        with pytest.raises(UnknownObjectException) as missing:
            github.requester.graphql_query(REPOSITORY_QUERY.replace("$n0)", '"no")', 1), QUERIES["repositories"][1])
        assert missing.value.data["data"]["r0"] is None
        assert missing.value.data["data"]["r1"]["databaseId"] == 12

    def test_refusals(self, github: Github, standin: FakeGitHub) -> None:
        """Refusals come as the exceptions that PyGithub has for them."""
        repository = github.get_repo("ann/tool")
        standin.refuse(Refusal.BAD_CREDENTIALS, times=1)
        with pytest.raises(BadCredentialsException):
            repository.get_views_traffic()
        standin.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, times=1)
        with pytest.raises(GithubException) as refused:
            repository.get_views_traffic()
        assert refused.value.status == 403
        assert repository.get_views_traffic().count == 42
