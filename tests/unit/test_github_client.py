"""The requests to GitHub: how many are sent, what they return, and how invalid responses are handled."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from threading import Event, Timer

import pytest

from ghtraffic_action.errors import GitHubError, Interrupted
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.github.selection import Listed
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.traffic.observation import Repository
from tests.support.builders import NAME, NOW, TOKEN, days, repository
from tests.support.fake_github import OLD, Answer, FakeGitHub, GeneratedTraffic, RecordedTraffic, Refusal
from tests.support.runtime import no_wait_limiter

TRAFFIC = ("views", "clones", "popular/paths", "popular/referrers")


@pytest.fixture
def asking(github: FakeGitHub) -> Iterator[GitHub]:
    """Return the program's client, with a right clock, immediate retries and the right token."""
    made = GitHub(TOKEN, github.url, no_wait_limiter(), Runtime(now=lambda: github.now))
    with closing(made):
        yield made


def fleet(count: int, owner: str = "octo-lab") -> list[str]:
    return [f"{owner}/boat-{number:03}" for number in range(count)]


def lines(github: FakeGitHub) -> list[str]:
    """Return the requests by method and path."""
    return [request.line for request in github.requests]


def described_one(asking: GitHub, name: str = NAME) -> Repository:
    """Look up one existing repository."""
    (found,) = asking.look_up([name]).found
    return found


@pytest.mark.e2e
def test_metadata_of_a_hundred_repositories_is_one_query(github: FakeGitHub, asking: GitHub) -> None:
    """201 repositories take three GraphQL queries, and one request that costs nothing; each gets its own metadata."""
    names = fleet(201)
    github.repositories = [repository(name, id=1000 + at, stars=at) for at, name in enumerate(names)]
    described = asking.look_up(names)
    assert lines(github) == [*["POST /graphql"] * 3, "GET /rate_limit"]
    assert {(r.name, r.id, r.metadata.stars) for r in described.found} == {
        (name, 1000 + at, at) for at, name in enumerate(names)
    }
    assert described.refused == {}


def test_description_has_all_fields_of_the_query(github: FakeGitHub, asking: GitHub) -> None:
    """Every number of the metadata, the flags, the days and the moment of the answer arrive as they were reported."""
    pushed = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    github.repositories = [
        repository(
            private=True,
            archived=True,
            pushed=pushed,
            stars=9,
            forks=8,
            watchers=7,
            open_issues=6,
            open_pull_requests=5,
            topics=("ospo", "cli"),
        )
    ]
    found = described_one(asking)
    metadata = found.metadata
    assert (found.id, found.name, found.private, found.pushed) == (7, NAME, True, pushed)
    assert (metadata.stars, metadata.forks, metadata.watchers) == (9, 8, 7)
    assert (metadata.open_issues, metadata.open_pull_requests) == (6, 5)
    assert (metadata.archived, metadata.private, metadata.created, metadata.at) == (True, True, date(2026, 2, 2), NOW)
    assert (metadata.topics, metadata.visibility) == ("cli ospo", "private")


@pytest.mark.parametrize(
    ("field", "attribute"),
    [("watchers", "watchers"), ("issues", "open_issues"), ("pullRequests", "open_pull_requests")],
)
def test_field_that_is_refused_stays_empty_alone(
    github: FakeGitHub, asking: GitHub, field: str, attribute: str
) -> None:
    """A connection that the token may not read stays unknown alone, for one query more that asks for each apart."""
    github.repositories = [repository(open_issues=6, open_pull_requests=5)]
    github.refuse_field(NAME, field)
    metadata = described_one(asking).metadata
    reported = {name: getattr(metadata, name) for name in ("watchers", "open_issues", "open_pull_requests")}
    assert reported == {"watchers": 3, "open_issues": 6, "open_pull_requests": 5} | {attribute: None}
    assert metadata.stars == 5
    assert lines(github) == ["POST /graphql"] * 2


def test_node_that_is_refused_is_asked_for_by_name(github: FakeGitHub, asking: GitHub) -> None:
    """If a repository's node is null, only this one is fetched over REST; fields that REST lacks are unknown."""
    github.repositories = [repository(open_issues=6, topics=("ospo", "cli")), repository("octo-lab/buoy", id=8)]
    github.refuse_field(NAME, "stargazerCount")
    found = {r.name: r for r in asking.look_up([NAME, "octo-lab/buoy"]).found}
    assert sorted(lines(github)) == [f"GET /repos/{NAME}", "POST /graphql"]
    assert found[NAME].id == 7
    assert (found[NAME].metadata.stars, found[NAME].metadata.watchers) == (5, 3)
    assert found[NAME].metadata.open_issues is None
    assert (found[NAME].metadata.topics, found[NAME].metadata.visibility) == ("cli ospo", "public")
    assert found["octo-lab/buoy"].metadata.open_issues == 0


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal.NOT_ACCESSIBLE_BY_TOKEN.value,
        Refusal.RATE_LIMITED_GRAPHQL.value,
        Refusal.SERVER_ERROR_HTML.value,
        Refusal.HTML.value,
        Refusal.TRUNCATED.value,
        Answer(200, None),
        Answer(200, []),
        Answer(200, {"data": None}),
        Answer(200, {"data": {"r0": {"databaseId": -1}}}),
        Answer(200, {"errors": ["no"]}),
    ],
    ids=["refused", "limited", "502", "HTML", "cut", "null", "list", "no data", "garbage", "odd errors"],
)
def test_query_that_brings_nothing_is_replaced_by_calls(github: FakeGitHub, asking: GitHub, refusal: Answer) -> None:
    """After an invalid response each repository is looked up by REST."""
    github.refuse(refusal, path="/graphql")
    assert described_one(asking).id == 7
    assert lines(github).count(f"GET /repos/{NAME}") == 1


def test_repository_that_is_not_there_has_its_remedy(github: FakeGitHub, asking: GitHub) -> None:
    """Of two names, the one that does not exist is refused by its name and the other is found."""
    described = asking.look_up([NAME, "octo-lab/mirage"])
    assert [r.name for r in described.found] == [NAME]
    assert list(described.refused) == ["octo-lab/mirage"]
    assert "no such repository" in str(described.refused["octo-lab/mirage"])
    assert lines(github) == ["POST /graphql", *["GET /repos/octo-lab/mirage"] * 3]


@pytest.mark.parametrize("graphql_works", [True, False], ids=["GraphQL", "REST"])
def test_former_name_leads_to_the_new_one(github: FakeGitHub, asking: GitHub, *, graphql_works: bool) -> None:
    """A repository is found by a name it once had, and goes on under its new one; a redirect is followed."""
    github.repositories = [repository("octo-lab/beacon", former_names=(NAME,))]
    if not graphql_works:
        github.refuse(Refusal.SERVER_ERROR_JSON, path="/graphql")
    found = described_one(asking)
    assert (found.id, found.name) == (7, "octo-lab/beacon")
    observation = asking.observe(found)()
    assert observation.views
    assert observation.views.days[0].repository == "octo-lab/beacon"
    assert {line for line in lines(github) if "/traffic/" in line} == {
        f"GET /repos/octo-lab/beacon/traffic/{endpoint}" for endpoint in TRAFFIC
    }


def test_names_of_one_repository_are_one_repository(github: FakeGitHub, asking: GitHub) -> None:
    """A repository named twice, by its old and its new name, is found once."""
    github.repositories = [repository("octo-lab/beacon", former_names=(NAME,))]
    described = asking.look_up([NAME, "octo-lab/beacon", "Octo-Lab/Beacon"])
    assert [r.id for r in described.found] == [7]
    assert described.refused == {}


def test_repository_moved_between_the_calls_is_followed(github: FakeGitHub, asking: GitHub) -> None:
    """Traffic of a repository that was just renamed is read through the redirect."""
    found = described_one(asking)
    github.repositories[0].name = "octo-lab/beacon"
    github.repositories[0].former_names = (NAME,)
    observation = asking.observe(found)()
    assert observation.refusals == ()
    assert observation.views
    assert observation.paths
    assert "GET /repositories/7/traffic/views" in lines(github)


def test_token_is_not_sent_to_where_a_redirect_leads_away(github: FakeGitHub, asking: GitHub) -> None:
    """A redirect to another host is refused as invalid, and that host gets no request."""
    found = described_one(asking)
    with FakeGitHub([repository()], now=NOW) as stranger:
        away = f"{stranger.url.replace('127.0.0.1', 'localhost')}/repositories/7/traffic/views"
        github.refuse(Answer(301, {"message": "Moved Permanently"}, {"Location": away}), path="/traffic/views")
        observation = asking.observe(found)()
        assert stranger.requests == []
    assert observation.views is None
    assert observation.clones
    assert "response is invalid" in observation.refusals[0]


def test_one_more_repository_is_described_by_the_same_query(github: FakeGitHub, asking: GitHub) -> None:
    """The workflow's own repository is described beside the others, without a request of its own."""
    github.repositories = [repository(), repository("octo-lab/workflows", id=8, private=True)]
    described = asking.look_up([NAME], workflow_repository="octo-lab/workflows")
    assert [r.name for r in described.found] == [NAME]
    assert described.workflow_repository
    assert described.workflow_repository.private
    assert lines(github) == ["POST /graphql"]


def test_one_more_repository_that_is_not_there_is_no_fault(github: FakeGitHub, asking: GitHub) -> None:
    """If the lookup of the workflow's own repository fails, its visibility is unknown, and there is no error."""
    described = asking.look_up([NAME], workflow_repository="octo-lab/mirage")
    assert described.workflow_repository is None
    assert described.refused == {}
    assert lines(github) == ["POST /graphql"]


def test_owners_repositories_are_listed_in_pages(github: FakeGitHub, asking: GitHub) -> None:
    """An owner's 207 repositories take three queries; archived ones and forks are marked, other owners' left out."""
    names = fleet(205)
    github.repositories = [
        *(repository(name, id=1000 + at) for at, name in enumerate(names)),
        repository("octo-lab/wreck", id=1, archived=True),
        repository("octo-lab/copy", id=2, fork=True),
        repository("harbour/crane", id=3),
    ]
    found = asking.list_repositories("octo-lab")
    assert sorted(entry.name for entry in found if not entry.archived and not entry.fork) == names
    assert [entry.name for entry in found if entry.archived or entry.fork] == ["octo-lab/wreck", "octo-lab/copy"]
    assert lines(github) == ["POST /graphql"] * 3


def test_owner_without_repositories_has_none(github: FakeGitHub, asking: GitHub) -> None:
    """An owner who has archived repositories only lists them as such."""
    github.repositories = [repository(archived=True)]
    assert asking.list_repositories("octo-lab") == (Listed(NAME, archived=True),)


def test_owner_that_is_not_there_is_an_error(asking: GitHub) -> None:
    """A misspelt owner is named in the error, with what to do."""
    with pytest.raises(GitHubError, match=r"^octo-lap/\*: GitHub knows no such owner: check the name$"):
        asking.list_repositories("octo-lap")


def test_owner_that_may_not_be_listed_is_an_error(github: FakeGitHub, asking: GitHub) -> None:
    """A refusal of the list names the owner and the remedy."""
    github.refuse(Refusal.SAML, path="/graphql")
    with pytest.raises(GitHubError, match=r"^octo-lab/\*: its organisation asks for single sign-on .*Configure SSO"):
        asking.list_repositories("octo-lab")


def test_list_for_which_no_queries_are_left_is_reported(github: FakeGitHub, asking: GitHub) -> None:
    """If the GraphQL quota of the hour is used up, the error says when to run again."""
    github.refuse(
        Refusal.RATE_LIMITED_GRAPHQL.value.variant(headers={"X-RateLimit-Reset": str(int(NOW.timestamp()) + 1800)}),
        path="/graphql",
    )
    with pytest.raises(GitHubError, match=r"rate limit.*run again after 03:47 UTC"):
        asking.list_repositories("octo-lab")


@pytest.mark.parametrize("body", [None, [], "<html>", {"data": None}, {"data": {"repositoryOwner": {}}}])
def test_list_that_is_none_is_an_error(github: FakeGitHub, asking: GitHub, body: object) -> None:
    """An invalid list of repositories is an error, never a crash or an empty list."""
    github.refuse(Answer(200, body), path="/graphql")
    with pytest.raises(GitHubError, match=r"^octo-lab/\*: GitHub's response is invalid"):
        asking.list_repositories("octo-lab")


def test_unknown_token_ends_it_all(github: FakeGitHub) -> None:
    """An unknown token is one error for all repositories."""
    made = GitHub("github_pat_other", github.url, no_wait_limiter(), Runtime(now=lambda: github.now))
    with closing(made), pytest.raises(GitHubError, match=r"^github-token: .*401.*: set `GHTRAFFIC_GITHUB_TOKEN`"):
        made.look_up([NAME, "octo-lab/buoy"])
    assert lines(github) == ["POST /graphql"] * 3


def test_traffic_takes_four_calls(github: FakeGitHub, asking: GitHub) -> None:
    """A repository's traffic is four calls, under the name that the metadata gave, and nothing else."""
    found = described_one(asking, NAME.upper())
    github.requests.clear()
    observation = asking.observe(found)()
    assert sorted(lines(github)) == sorted(f"GET /repos/{NAME}/traffic/{endpoint}" for endpoint in TRAFFIC)
    reported = github.repositories[0].traffic.views(NOW)
    assert observation.views
    assert [(d.day, d.views, d.view_uniques) for d in observation.views.days] == list(reported.rows)
    assert (observation.views.totals.count, observation.views.totals.uniques) == (reported.count, reported.uniques)
    assert observation.views.totals.at == NOW


def test_refused_call_leaves_only_its_own_part_out(github: FakeGitHub, asking: GitHub) -> None:
    """Each endpoint that is refused leaves its part out, says why once, and the others are there."""
    found = described_one(asking)
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path="views|referrers")
    observation = asking.observe(found)()
    assert (observation.views, observation.referrers) == (None, None)
    assert observation.clones
    assert observation.paths
    assert len(observation.refusals) == 1


def short_of_budget(github: FakeGitHub, asking: GitHub, *numbers: int) -> Sequence[Repository]:
    """Look up repositories with some views a day and little quota left."""
    github.repositories = [
        repository(
            f"octo-lab/boat-{at}", id=at, traffic=GeneratedTraffic(days(date(2026, 9, 1), 99, number), {}, form=OLD)
        )
        if number
        else repository(f"octo-lab/boat-{at}", id=at, traffic=RecordedTraffic(paths=[("/x", "x", 1, 1)]))
        for at, number in enumerate((100, *numbers), 1)
    ]
    first, *others = asking.look_up([r.name for r in github.repositories]).found
    github.remaining = 4 * len(others) + 3
    asking.observe(first)()
    github.requests.clear()
    return others


def test_short_budget_is_not_spent_on_repositories_without_views(github: FakeGitHub, asking: GitHub) -> None:
    """With little quota, paths and referrers are fetched only for repositories with views."""
    for found in short_of_budget(github, asking, 0, 50):
        asking.observe(found)()
    quiet = [line for line in lines(github) if "boat-2" in line]
    assert sorted(line.rpartition("/")[2] for line in quiet) == ["clones", "views"]
    assert len([line for line in lines(github) if "boat-3" in line]) == 4


def test_short_budget_asks_all_where_the_views_are_not_known(github: FakeGitHub, asking: GitHub) -> None:
    """Short of requests, a repository whose views were refused is still asked for paths and referrers."""
    found, _ = short_of_budget(github, asking, 0, 0)
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="/views")
    assert asking.observe(found)().paths
    assert len(github.requests) == 4


def test_ample_budget_asks_all_of_every_repository(github: FakeGitHub, asking: GitHub) -> None:
    """With enough quota, paths and referrers are fetched without views too."""
    github.repositories = [repository(traffic=RecordedTraffic())]
    found = described_one(asking)
    asking.observe(found)()
    assert len([line for line in lines(github) if "/traffic/" in line]) == 4


@pytest.mark.parametrize(
    ("ends", "warned"),
    [
        ("2026-12-13 03:17:00 UTC", "github-token: it ends on 2026-12-13"),
        ("2026-12-13 03:17:00 +0000", "github-token: it ends on 2026-12-13"),
        ("2026-12-13 01:17:00 -0300", "github-token: it ends on 2026-12-13"),
        ("2026-12-24 03:17:00 UTC", ""),
        ("never", ""),
        ("0001-01-01 00:00:00 UTC", ""),
        ("", ""),
    ],
)
def test_token_near_its_end_is_warned_about_once(
    github: FakeGitHub, asking: GitHub, caplog: pytest.LogCaptureFixture, ends: str, warned: str
) -> None:
    """A token that ends within 30 days is warned about, once, however many answers say so."""
    github.headers["GitHub-Authentication-Token-Expiration"] = ends
    asking.observe(described_one(asking))()
    assert len(asking.warnings) == bool(warned)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * bool(warned)
    if warned:
        assert asking.warnings[0].startswith(warned)


@pytest.mark.parametrize("skew", [timedelta(minutes=6), -timedelta(minutes=6), timedelta(days=1), timedelta(minutes=4)])
def test_wrong_clock_is_warned_about(github: FakeGitHub, skew: timedelta) -> None:
    """A local clock more than five minutes off is reported, once; GitHub's is believed."""
    made = GitHub(TOKEN, github.url, RateLimiter(Event()), Runtime(now=lambda: github.now + skew))
    with closing(made):
        observation = made.observe(described_one(made))()
    assert len(made.warnings) == (abs(skew) > timedelta(minutes=5))
    assert all("clock is wrong: GitHub's time is used, 2026-11-23 03:17 UTC" in warning for warning in made.warnings)
    assert observation.views
    assert observation.views.totals.at == NOW


def test_both_warnings_are_given(github: FakeGitHub) -> None:
    """A token near its end does not hide a wrong clock."""
    github.headers["GitHub-Authentication-Token-Expiration"] = "2026-12-13 03:17:00 UTC"
    made = GitHub(TOKEN, github.url, RateLimiter(Event()), Runtime(now=lambda: github.now + timedelta(hours=1)))
    with closing(made):
        made.look_up([NAME])
    assert len(made.warnings) == 2


def test_answer_without_a_date_is_garbage(github: FakeGitHub, asking: GitHub) -> None:
    """A response without a date is rejected."""
    found = described_one(asking)
    github.refuse(Answer(200, {"count": 0, "uniques": 0, "views": []}, {"Date": "soon"}), path="/views")
    observation = asking.observe(found)()
    assert observation.views is None
    assert "no Date" in observation.refusals[0]


SERIES: dict[str, Callable[[dict[str, object]], object]] = {
    "a count of text": lambda row: row | {"count": "12"},
    "a count that is no integer": lambda row: row | {"count": 1.5},
    "a count that is true": lambda row: row | {"count": True},
    "a negative count": lambda row: row | {"count": -1},
    "negative uniques": lambda row: row | {"uniques": -1},
    "no count": lambda row: {key: value for key, value in row.items() if key != "count"},
    "a day in the future": lambda row: row | {"timestamp": "2026-11-24T00:00:00Z"},
    "no day": lambda row: row | {"timestamp": "yesterday"},
    "null for a row": lambda _: None,
    "a list for a row": lambda _: [1],
}


@pytest.mark.parametrize("spoiled", SERIES)
def test_series_with_one_bad_row_is_garbage(github: FakeGitHub, asking: GitHub, spoiled: str) -> None:
    """One invalid row makes the whole response invalid: its metric is not stored, the other one is."""
    found = described_one(asking)
    good: dict[str, object] = {"timestamp": "2026-11-22T00:00:00Z", "count": 3, "uniques": 1}
    body = {"count": 3, "uniques": 1, "clones": [good, SERIES[spoiled](good)]}
    github.refuse(Answer(200, body), path="/clones")
    observation = asking.observe(found)()
    assert observation.clones is None
    assert observation.views
    assert "response is invalid" in observation.refusals[0]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "12",
        "[]",
        "{}",
        "<html></html>",
        '{"count": 3, "uni',
        '{"count": 1, "uniques": 1, "views": {}}',
        '{"count": -1, "uniques": 1, "views": []}',
        '{"count": 1, "uniques": null, "views": []}',
    ],
)
def test_answer_that_is_no_series_is_garbage(github: FakeGitHub, asking: GitHub, body: str) -> None:
    """An invalid series is rejected, and the rest is observed."""
    found = described_one(asking)
    github.refuse(Answer(200, body), path="/views")
    observation = asking.observe(found)()
    assert observation.views is None
    assert observation.clones
    assert "response is invalid" in observation.refusals[0]


@pytest.mark.parametrize("body", ["", "null", "5", "[]", "{}", '"text"'])
def test_description_that_is_none_is_invalid(github: FakeGitHub, asking: GitHub, body: str) -> None:
    """Where GraphQL does not answer either, the repository is refused, and the other one is described."""
    github.repositories = [repository(), repository("octo-lab/boat", id=8)]
    github.refuse(Refusal.NOT_FOUND, path="/graphql")
    github.refuse(Answer(200, body), path=f"/repos/{NAME}$")
    described = asking.look_up([NAME, "octo-lab/boat"])
    assert [found.name for found in described.found] == ["octo-lab/boat"]
    assert "response is invalid" in str(described.refused[NAME])


@pytest.mark.parametrize("endpoint", ["paths", "referrers"])
@pytest.mark.parametrize(
    "body", [{}, None, [{}], [{"path": 3, "referrer": 3, "title": "", "count": 1, "uniques": 1}], [None], [[]]]
)
def test_answer_that_is_no_ranking_is_garbage(github: FakeGitHub, asking: GitHub, endpoint: str, body: object) -> None:
    """Paths and referrers that are not lists of rows are rejected, and the rest is observed."""
    found = described_one(asking)
    github.refuse(Answer(200, json.dumps(body)), path=f"popular/{endpoint}")
    observation = asking.observe(found)()
    assert getattr(observation, endpoint) is None
    assert observation.views
    assert "response is invalid" in observation.refusals[0]


def test_connection_that_breaks_is_reported(github: FakeGitHub, asking: GitHub) -> None:
    """A connection closed without a response is retried four times."""
    found = described_one(asking)
    github.refuse(Refusal.RESET, path="/views")
    observation = asking.observe(found)()
    assert "GitHub cannot be reached" in observation.refusals[0]
    assert len([line for line in lines(github) if line.endswith("/views")]) == 4


def test_fault_that_passes_leaves_no_trace(github: FakeGitHub, asking: GitHub) -> None:
    """HTML, truncated JSON, a closed connection and a 502 are retried, and nothing is reported."""
    found = described_one(asking)
    for fault in (Refusal.HTML, Refusal.SERVER_ERROR_HTML, Refusal.RESET):
        github.refuse(fault, path="/views", times=1)
    github.refuse(Refusal.TRUNCATED, path="/clones", times=1)
    observation = asking.observe(found)()
    assert observation.refusals == ()
    assert observation.views
    assert observation.clones


def test_response_without_an_end_is_an_error_of_its_repository(github: FakeGitHub) -> None:
    """It is reported with what to check, and nothing waits for it."""
    github.delay = 240
    with closing(GitHub(TOKEN, github.url, no_wait_limiter(longest=0.05), Runtime(now=lambda: github.now))) as made:
        refused = made.look_up([NAME]).refused
    assert "GitHub's response did not end within 0 s: check the network" in str(refused[NAME])


@pytest.mark.e2e
@pytest.mark.timeout(120)  # without the stop it would wait for the answer
@pytest.mark.parametrize("what", ["names", "metadata", "traffic"])
def test_stop_ends_the_wait_for_a_slow_answer(github: FakeGitHub, what: str) -> None:
    """A stop ends the wait for any request, without its answer."""
    stop = Event()
    made = GitHub(TOKEN, github.url, RateLimiter(stop), Runtime(now=lambda: github.now))
    with closing(made):
        found = described_one(made)
        github.delay = 240
        asked: dict[str, Callable[[], object]] = {
            "names": lambda: made.list_repositories("octo-lab"),
            "metadata": lambda: made.look_up([NAME]),
            "traffic": made.observe(found) if what == "traffic" else lambda: None,
        }
        timer = Timer(0.2, stop.set)
        timer.start()
        with pytest.raises(Interrupted):
            asked[what]()
        timer.join()


def test_every_request_says_who_asks(github: FakeGitHub, asking: GitHub) -> None:
    """Each request has the token as a header and the program's user agent; no URL has the token."""
    asking.observe(described_one(asking))()
    assert all(request.headers["Authorization"].endswith(f" {TOKEN}") for request in github.requests)
    assert all(request.headers["User-Agent"].startswith("ghtraffic/") for request in github.requests)
    assert all(TOKEN not in request.path for request in github.requests)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Refusal.HTML.value, "expected JSON, got text/html, probably from a login page or a proxy"),
        (
            Answer(307, {"message": "x"}, {"Location": "https://login.example/a"}),
            "it redirects the request to login.example",
        ),
        (Answer(302, "", {"Location": "/login"}), "it redirects the request to /"),
        (
            Answer(301, {"message": "Moved"}, {"Location": f"/repos/{NAME}/traffic/views"}),
            "it redirects the request to another host, or in a loop",
        ),
    ],
    ids=["page", "other host", "other path", "loop"],
)
def test_answer_of_somebody_else_says_so(github: FakeGitHub, asking: GitHub, answer: Answer, said: str) -> None:
    """A response of a login page or a proxy is an error of that part, not a repository without views."""
    found = described_one(asking)
    github.refuse(answer, path="traffic/views")
    observation = asking.observe(found)()
    assert observation.views is None
    assert observation.clones
    assert said in "".join(observation.refusals)
