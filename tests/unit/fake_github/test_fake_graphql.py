"""The GraphQL answers of the fake of GitHub."""

import http.client

import pytest

from tests.support.fake_github import FakeGitHub, RecordedTraffic, Repository
from tests.support.fake_github_world import OWNER_QUERY, QUERIES, START, Client


class TestGraphql:
    """The GraphQL endpoint."""

    def test_scalars_and_connections(self, client: Client) -> None:
        """Many aliases go in one query; renames are followed."""
        data = client.query(*QUERIES["repositories"][:1], **QUERIES["repositories"][1])["data"]
        assert data["r0"] == {
            "databaseId": 11,
            "nameWithOwner": "octo/tool",
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
        assert (data["r1"]["nameWithOwner"], data["r1"]["pushedAt"]) == ("octo/secret", None)

    def test_literals_and_inline_fragments(self, client: Client) -> None:
        """Arguments may be literals, with escapes, and selections may be inline fragments."""
        text = '{ repository(owner: "\\u006fcto", name: """tool""") { ... on Repository { name } owner { login } } }'
        assert client.query(text) == {"data": {"repository": {"name": "tool", "owner": {"login": "octo"}}}}

    def test_lists_and_bare_fragments(self, client: Client) -> None:
        """Arguments may be lists, and a fragment needs no type."""
        text = '{ ... { repository(owner: "octo", name: "tool") { issues(first: 1, states: [OPEN]) { totalCount } } } }'
        assert client.query(text) == {"data": {"repository": {"issues": {"totalCount": 2}}}}

    def test_renames_are_followed_unless_switched_off(self, client: Client) -> None:
        """`followRenames: false` finds a repository under its own name only."""
        text = (
            'query($f: Boolean = true) { r: repository(owner: "reef", name: "tool", followRenames: $f) { databaseId } }'
        )
        assert client.query(text)["data"] == {"r": {"databaseId": 11}}
        assert client.query(text, f=False)["data"] == {"r": None}

    def test_a_missing_repository_leaves_the_others(self, client: Client) -> None:
        """A missing repository is null and an entry in `errors`, beside the others' data."""
        text = (
            '{ a: repository(owner: "octo", name: "tool") { id }\n  b: repository(owner: "octo", name: "no") { id } }'
        )
        answer = client.query(text)
        assert answer["data"] == {"a": {"id": "R_11"}, "b": None}
        assert answer["errors"] == [
            {
                "type": "NOT_FOUND",
                "path": ["b"],
                "locations": [{"line": 2, "column": 3}],
                "message": "Could not resolve to a Repository with the name 'octo/no'.",
            }
        ]

    def test_a_refused_connection_nulls_its_node(self, client: Client, fake: FakeGitHub) -> None:
        """A connection may not be null: refused, it takes its whole node with it, but no other alias."""
        fake.refuse_field("octo/secret", "issues")
        answer = client.query(*QUERIES["repositories"][:1], **QUERIES["repositories"][1])
        assert answer["data"]["c1"] is None
        assert answer["data"]["r1"]["databaseId"] == 12
        assert [(error["type"], error["path"], error["message"]) for error in answer["errors"]] == [
            ("FORBIDDEN", ["c1", "issues"], "Resource not accessible by personal access token")
        ]
        fake.allow()
        assert "errors" not in client.query(*QUERIES["repositories"][:1], **QUERIES["repositories"][1])

    def test_a_refused_nullable_field_is_null_alone(self, client: Client, fake: FakeGitHub) -> None:
        """A field that may be null takes nothing with it."""
        fake.refuse_field("octo/tool", "pushedAt", "no")
        answer = client.query('{ r: repository(owner: "octo", name: "tool") { databaseId pushedAt } }')
        assert answer["data"] == {"r": {"databaseId": 11, "pushedAt": None}}
        assert answer["errors"][0]["message"] == "no"

    def test_an_owner_is_paged_through(self, client: Client, fake: FakeGitHub) -> None:
        """`first` and `after` walk through all that the filters leave, in the order asked for."""
        fake.repositories += [Repository(100 + n, f"Octo/r{n:03}", RecordedTraffic(), START) for n in range(230)]
        fake.repositories += [Repository(1, "octo/fork", RecordedTraffic(), START, fork=True)]
        fake.repositories += [Repository(2, "octo/archived", RecordedTraffic(), START, archived=True)]
        names, sizes, after = [], [], None
        while True:
            page = client.query(OWNER_QUERY, login="OCTO", after=after)["data"]["repositoryOwner"]["repositories"]
            names += [node["nameWithOwner"] for node in page["nodes"]]
            sizes.append(len(page["nodes"]))
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert sizes == [100, 100, 32]
        assert names == [*(f"Octo/r{n:03}" for n in range(230)), "octo/secret", "octo/tool"]

    def test_an_owner_can_be_filtered_by_privacy(self, client: Client) -> None:
        """`privacy: PUBLIC` leaves private repositories out; the order may be reversed."""
        text = '{{ repositoryOwner(login: "octo") {{ repositories(first: 5, {}) {{ nodes {{ databaseId }} }} }} }}'
        reported = [
            client.query(text.format(by)) for by in ("privacy: PUBLIC", "orderBy: {field: NAME, direction: DESC}")
        ]
        found = [answer["data"]["repositoryOwner"]["repositories"]["nodes"] for answer in reported]
        assert found == [[{"databaseId": 11}], [{"databaseId": 11}, {"databaseId": 12}]]

    def test_an_unknown_owner_is_null(self, client: Client) -> None:
        """GitHub gives null and no error for an owner it does not know."""
        assert client.query('{ repositoryOwner(login: "nobody") { login } }') == {"data": {"repositoryOwner": None}}

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
        text = f'{{ repositoryOwner(login: "octo") {{ repositories{arguments} {{ totalCount }} }} }}'
        answer = client.query(text)
        assert answer["data"] == {"repositoryOwner": None}
        assert [error["type"] for error in answer["errors"]] == [kind]

    def test_rate_limit(self, client: Client) -> None:
        """The query itself has cost one of the hour's points, which are not those of REST."""
        text = "{ rateLimit { limit remaining used resetAt cost nodeCount } }"
        reported = {
            "limit": 5000,
            "remaining": 4999,
            "used": 1,
            "resetAt": "2026-11-23T16:30:00Z",
            "cost": 1,
            "nodeCount": 0,
        }
        client.ask("/repos/octo/tool")
        assert client.query(text) == {"data": {"rateLimit": reported}}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{ viewer { login } }", "Cannot query field 'viewer' on type 'Query'"),
            ('{ repository(owner: "a", name: "b") { traffic } }', "Cannot query field 'traffic' on type 'Repository'"),
            ("query($l: [String!]!) { repositoryOwner(login: $l) { login } }", "Variable '$l' of type '[String!]!'"),
            ("query($l: String!) { repositoryOwner(login: $l) { login } }", "Variable '$l' has invalid value"),
            ("{ rateLimit { cost }", "Syntax Error"),
            ("", "A query attribute must be specified"),
        ],
    )
    def test_mistakes_get_errors_and_no_data(self, client: Client, text: str, message: str) -> None:
        """A query that the schema or the grammar forbids is answered with errors and no data."""
        answer = client.query(text)
        assert list(answer) == ["errors"]
        assert answer["errors"][0]["message"].startswith(message)

    def test_a_defect_of_the_fake_is_no_answer(
        self, client: Client, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A repository that cannot be described closes the connection and prints the traceback."""
        fake.repositories[0].pushed = "yesterday"  # type: ignore[assignment] # the defect
        with pytest.raises(http.client.RemoteDisconnected):
            client.query('{ repository(owner: "octo", name: "tool") { pushedAt } }')
        assert "AttributeError" in capfd.readouterr().err

    @pytest.mark.parametrize(
        ("body", "message"), [("{", "Problems parsing JSON"), ("[]", "Body should be a JSON object")]
    )
    def test_a_body_must_be_a_json_object(self, client: Client, body: str, message: str) -> None:
        """Anything but a JSON object is answered 400."""
        heard = client.ask("/graphql", "POST", body)
        assert (heard.status, heard.json["message"]) == (400, message)
