"""Responses of GitHub that are malformed, not ready, or refused in part."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from functools import partial

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.responses import Response, read_series
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.observation import Observation, Repository
from tests.support.builders import NAME, NOW, TOKEN
from tests.support.fake_github import Answer, FakeGitHub, Refusal
from tests.support.runtime import no_wait_limiter, no_wait_runtime

EMPTY = {"count": 0, "uniques": 0, "views": []}


@pytest.fixture
def observe(github: FakeGitHub) -> Iterator[Callable[[], Observation]]:
    """Look the repository up without faults, then observe it with the test's faults."""
    with closing(GitHub(TOKEN, github.url, no_wait_limiter(), Runtime(now=lambda: github.now))) as made:
        [found] = made.look_up([NAME]).found
        yield partial(_observe, made, found)


def _observe(github: GitHub, found: Repository) -> Observation:
    return github.observe(found)()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-RateLimit-Reset", "²"),
        ("X-RateLimit-Reset", "inf"),
        ("X-RateLimit-Reset", "1e999"),
        ("X-RateLimit-Remaining", "²"),
        ("X-RateLimit-Remaining", "nan"),
        ("Date", "Mon, 23 Nov 99999 03:17:00 GMT"),
        ("Date", "Fri, 31 Dec 9999 23:59:59 -2359"),
        ("Date", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("Date", "²"),
        ("Date", ""),
    ],
)
def test_malformed_header_is_an_invalid_response(
    github: FakeGitHub, observe: Callable[[], Observation], header: str, value: str
) -> None:
    """The response is rejected and reported; the others are kept."""
    github.refuse(Answer(200, EMPTY, {header: value.encode().decode("latin-1")}), path="/views")
    observation = observe()
    assert observation.views is None
    assert observation.clones
    assert "response is invalid" in observation.refusals[0]
    assert observation.transient


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Retry-After", "²"),
        ("Retry-After", "9" * 400),
        ("Retry-After", "soon"),
        ("X-RateLimit-Reset", "9" * 12),
        ("X-RateLimit-Reset", "253402300800"),
    ],
)
def test_malformed_limit_is_a_limit_of_a_minute(
    github: FakeGitHub, observe: Callable[[], Observation], header: str, value: str
) -> None:
    """After a limit with an impossible time the request is retried a minute later."""
    limit = Answer(429, {"message": "API rate limit exceeded"}, {header: value.encode().decode("latin-1")})
    github.refuse(limit, path="/views", times=1)
    assert observe().refusals == ()


@pytest.mark.parametrize(
    "value", ["99999-12-31 00:00:00 UTC", "9999-12-31 23:59:59 -2359", "0001-01-01 00:00:00 +2359"]
)
def test_malformed_end_of_a_token_is_no_traceback(
    github: FakeGitHub, observe: Callable[[], Observation], value: str
) -> None:
    """A malformed expiration is ignored."""
    github.headers["GitHub-Authentication-Token-Expiration"] = value
    assert observe().refusals == ()


@pytest.mark.parametrize("header", ["Tue, 24 Nov 2026 03:17:00 GMT", "Mon, 23 Nov 2026 03:17:30 -0000"])
def test_retry_after_may_be_a_date(github: FakeGitHub, settings_for: Callable[..., Settings], header: str) -> None:
    """A pause until a moment lasts until then by GitHub's clock: half a minute is waited for, a day is not."""
    limit = Refusal.SECONDARY_RATE_LIMITED.value.variant(headers={"Retry-After": header})
    github.refuse(limit, path="/views", times=1)
    report = run(settings_for(), no_wait_runtime(lambda: github.now))
    assert report.exit_code == ("24 Nov" in header)
    assert ("run again in 86400 s" in str(report.all_errors)) is ("24 Nov" in header)


def test_response_that_is_never_ready_is_a_failure_of_github(
    github: FakeGitHub, observe: Callable[[], Observation]
) -> None:
    """An endless 202 is given up after four attempts, like any 5xx."""
    github.refuse(Answer(202, {}), path="/clones")
    observation = observe()
    assert observation.clones is None
    assert observation.views
    assert "GitHub failed (202" in observation.refusals[0]
    assert observation.transient
    assert sum(request.path.endswith("/clones") for request in github.requests) == 4


def test_response_that_is_ready_later_is_read(github: FakeGitHub, observe: Callable[[], Observation]) -> None:
    """A 202 is retried, and the response that comes then is kept."""
    github.refuse(Answer(202, {}), path="/clones", times=2)
    assert observe().refusals == ()


@pytest.mark.parametrize(
    ("path", "parts", "kept"),
    [
        ("/popular/paths", "top paths", "views, clones and top referrers"),
        ("/popular", "top paths and top referrers", "views and clones"),
        ("/views", "views", "clones, top paths and top referrers"),
    ],
)
def test_refusal_of_a_part_says_which_part(
    github: FakeGitHub, observe: Callable[[], Observation], path: str, parts: str, kept: str
) -> None:
    """The error has the failed and the kept parts, once for all parts with the same cause."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path=path)
    [text] = observe().refusals
    assert text.startswith(f"{parts}: GitHub failed (502): run again later")
    assert text.endswith(f"({kept} were kept)")


def test_refusal_of_all_parts_is_one_error(github: FakeGitHub, observe: Callable[[], Observation]) -> None:
    """If all parts failed for one reason, the error names no part; with two reasons it does."""
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="/traffic/")
    [text] = observe().refusals
    assert text.startswith("the token's owner cannot push to it")
    github.refuse(Refusal.ACCESS_BLOCKED, path="/popular/")
    first, second = observe().refusals
    assert first.startswith("views and clones: the token's owner")
    assert second.startswith("top paths and top referrers: GitHub has blocked")


@pytest.mark.parametrize("number", [2**53, 10**30, 1e3, True, None])
def test_number_that_no_store_can_hold_is_invalid(
    github: FakeGitHub, observe: Callable[[], Observation], number: object
) -> None:
    """Only integers that JSON carries exactly are accepted as counts."""
    github.refuse(Answer(200, json.dumps(EMPTY | {"count": number})), path="/views")
    assert "response is invalid" in observe().refusals[0]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "1999-12-31T00:00:00Z"])
def test_moment_that_no_sum_can_hold_is_invalid(
    github: FakeGitHub, observe: Callable[[], Observation], moment: str
) -> None:
    """A year that would overflow is rejected."""
    row = {"timestamp": moment, "count": 0, "uniques": 0}
    github.refuse(Answer(200, EMPTY | {"views": [row]}), path="/views")
    assert "timestamp is" in observe().refusals[0] or "is in the future" in observe().refusals[0]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize("moment", ["2026-11-20T00:00:00", "2026-11-20", "2026-11-20T00:00:00Z", "20261120T000000Z"])
def test_day_without_an_offset_is_of_utc(zone: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not of the machine's time zone, in which it could be the day before."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        body = EMPTY | {"views": [{"timestamp": moment, "count": 1, "uniques": 1}]}
        [day] = read_series(Response(body, NOW), "views", NAME).days
    finally:
        monkeypatch.undo()
        time.tzset()
    assert day.day == date(2026, 11, 20)


def test_json_that_is_nested_too_deeply_is_invalid(github: FakeGitHub, observe: Callable[[], Observation]) -> None:
    """It is neither a crash nor a redirect."""
    github.refuse(Answer(200, "[" * 100_000), path="/views")
    assert "its JSON is nested too deeply" in observe().refusals[0]
    assert [request.line.rpartition("/")[2] for request in github.requests].count("views") == 1


@pytest.mark.e2e
def test_loop_of_redirects_is_followed_once(github: FakeGitHub, observe: Callable[[], Observation]) -> None:
    """The library follows it hundreds of times, which a retry would repeat."""
    for path, other in (("paths", "referrers"), ("referrers", "paths")):
        location = {"Location": f"{github.url}/repos/{NAME}/traffic/popular/{other}"}
        github.refuse(Answer(301, {"message": "Moved Permanently"}, location), path=f"popular/{path}")
    observation = observe()
    assert "it redirects the request in a loop" in observation.refusals[0]
    assert observation.views
    assert len(github.requests) < 2_500


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("body", [[], [1], "text", None, {"message": 3}, {"message": None, "errors": "no"}])
def test_refusal_with_an_odd_body_is_a_refusal(
    github: FakeGitHub, observe: Callable[[], Observation], status: int, body: object
) -> None:
    """A response with an error status is an error whatever its body, and the other parts are kept."""
    github.refuse(Answer(status, json.dumps(body)), path="/views")
    observation = observe()
    assert observation.views is None
    assert observation.clones
    assert observation.refusals
