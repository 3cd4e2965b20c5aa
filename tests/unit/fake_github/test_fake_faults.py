"""The refusals and faults of the fake of GitHub."""

import contextlib
import http.client
import json
import threading

import pytest

from tests.support.fake_github import Answer, FakeGitHub, Refusal
from tests.support.fake_github_world import Client, tool, wait_for

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
    Refusal.IP_ALLOW_LIST: (403, "Although you appear to have the correct authorization credentials, the `octo`", {}),
    Refusal.TOKEN_FORBIDDEN_BY_ORGANIZATION: (403, "`octo` forbids access via a personal access token (classic)", {}),
    Refusal.TOKEN_LIFETIME: (403, "The 'octo' organization forbids access via a fine-grained", {}),
    Refusal.TOKEN_AWAITS_APPROVAL: (403, "Resource not accessible by personal access token", {}),
}


class TestRefusals:
    """The refusals and faults that a test can plant."""

    @pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: refusal.name)
    def test_refusals_look_like_githubs(self, client: Client, fake: FakeGitHub, refusal: Refusal) -> None:
        """Each has GitHub's status, message and headers; the owner's name is in its place."""
        status, message, headers = REFUSED[refusal]
        fake.refuse(refusal)
        heard = client.ask("/repos/octo/tool/traffic/views")
        assert heard.status == status
        assert heard.json["message"].startswith(message)
        assert heard.json.get("status", str(status)) == str(status)
        assert headers.items() <= heard.headers.items()

    def test_single_sign_on_names_its_page(self, client: Client, fake: FakeGitHub) -> None:
        """The header of a SAML refusal has the page where the token can be authorized."""
        fake.refuse(Refusal.SAML)
        url = client.ask("/repos/octo/tool").headers["X-GitHub-SSO"]
        assert url.startswith("required; url=https://github.com/orgs/octo/sso?")

    @pytest.mark.parametrize(("refusal", "status"), [(Refusal.SERVER_ERROR_HTML, 502), (Refusal.HTML, 200)])
    def test_html_instead_of_json(self, client: Client, fake: FakeGitHub, refusal: Refusal, status: int) -> None:
        """A response can be an HTML page, even with status 200."""
        fake.refuse(refusal)
        heard = client.ask("/repos/octo/tool")
        assert heard.status == status
        assert heard.headers["Content-Type"].startswith("text/html")
        assert heard.text.startswith("<!DOCTYPE html>")

    def test_reset(self, client: Client, fake: FakeGitHub) -> None:
        """A connection can be closed without an answer; the next one is served."""
        fake.refuse(Refusal.RESET, times=1)
        with pytest.raises(http.client.RemoteDisconnected):
            client.ask("/repos/octo/tool")
        assert client.ask("/repos/octo/tool").status == 200

    def test_truncated(self, client: Client, fake: FakeGitHub) -> None:
        """The true answer can be cut off so that only its JSON shows it."""
        whole = client.ask("/repos/octo/tool").text
        fake.refuse(Refusal.TRUNCATED)
        heard = client.ask("/repos/octo/tool")
        assert (heard.status, heard.text) == (200, whole[: len(whole) // 2])
        with pytest.raises(json.JSONDecodeError):
            _ = heard.json

    def test_any_answer(self, client: Client, fake: FakeGitHub) -> None:
        """Any status, headers and JSON can be answered."""
        fake.refuse(Answer(418, {"tea": ["{owner}"]}, {"X-Kind": "green"}))
        heard = client.ask("/repos/octo/tool")
        assert (heard.status, heard.json, heard.headers["X-Kind"]) == (418, {"tea": ["octo"]}, "green")

    def test_variants(self, client: Client, fake: FakeGitHub) -> None:
        """A refusal can have another status and other headers."""
        fake.refuse(Refusal.SECONDARY_RATE_LIMITED.value.variant(status=429, headers={"Retry-After": "1"}))
        heard = client.ask("/repos/octo/tool")
        assert (heard.status, heard.json["status"], heard.headers["Retry-After"]) == (429, "429", "1")

    def test_rules_by_path_times_and_order(self, client: Client, fake: FakeGitHub) -> None:
        """A rule holds for the paths it finds, as often as it says, and the later rule comes first."""
        fake.refuse(Refusal.NOT_FOUND, path=r"^GET /repos/octo/tool/traffic/(views|clones)$")
        fake.refuse(Refusal.SERVER_ERROR_JSON, path="views", times=2)
        path = "/repos/octo/tool/traffic/{}?per=day"
        assert [client.ask(path.format("views")).status for _ in range(4)] == [502, 502, 404, 404]
        assert [client.ask(path.format(what)).status for what in ("clones", "popular/paths")] == [404, 200]
        fake.refuse(Refusal.SERVER_ERROR_JSON, path="POST /graphql")
        assert client.ask("/graphql", "POST", "{}").status == 502
        fake.allow()
        assert client.ask(path.format("views")).status == 200

    def test_a_late_answer_delays_no_other(self) -> None:
        """An answer can be late: other connections are answered, and the end of the fake does not wait for it."""
        with FakeGitHub([tool()]) as fake:
            fake.refuse(Refusal.NOT_FOUND.value.variant(seconds=600), times=1)
            late, other = Client(fake), Client(fake)

            def ask() -> None:
                with contextlib.suppress(OSError, http.client.HTTPException):  # the end closes the connection
                    late.ask("/repos/octo/tool")

            asking = threading.Thread(target=ask)
            asking.start()
            wait_for(lambda: fake.requests)
            assert other.ask("/repos/octo/tool").status == 200
            assert asking.is_alive()
        asking.join()
        late.close()
        other.close()
