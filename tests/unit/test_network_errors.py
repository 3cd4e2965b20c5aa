"""Failed connections to GitHub: the message names the variable or the file that is wrong."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.runtime import Runtime
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.runtime import no_wait_limiter
from tests.support.untrusted_tls import serve_untrusted_tls


@pytest.fixture
def tls_url(certificate: Path) -> Iterator[str]:
    """Return the URL of a server with an untrusted certificate."""
    with serve_untrusted_tls(certificate) as url:
        yield url


def failure(url: str) -> str:
    """Return the error of a lookup at `url`."""
    with closing(GitHub(TOKEN, url, no_wait_limiter(), Runtime())) as made:
        try:
            return str(made.look_up([NAME]).refused[NAME])
        except GitHubError as error:
            return str(error)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_file_of_certificates_that_is_none_is_named_by_its_variable(
    tls_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: str | None
) -> None:
    """A file that is missing, empty or no PEM is reported by the variable that names it."""
    file = tmp_path / "certificates.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(variable, str(file))
    error = failure(tls_url)
    assert f"the file of trusted certificates that {variable} names cannot be read or has no certificates" in error
    assert f"or unset {variable}" in error


def test_missing_file_of_certificates_is_one_error_of_the_command(
    tls_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The command exits with 1 and one error, which does not blame the standard output."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/certificates.pem")
    monkeypatch.setenv("GITHUB_API_URL", tls_url)
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    assert main(["collect", "--repositories", f"{NAME} octo-lab/buoy"]) == 1
    [error] = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert error.startswith("GitHub: the file of trusted certificates that REQUESTS_CA_BUNDLE names")


def test_private_certificate_names_the_variable(
    tls_url: str, monkeypatch: pytest.MonkeyPatch, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate that is not trusted is reported with the variable; at `-v` the library's own words are shown."""
    caplog.set_level(logging.INFO, "ghtraffic_action")
    error = failure(tls_url)
    assert error.startswith("GitHub: this machine does not trust GitHub's certificate")
    assert "set REQUESTS_CA_BUNDLE to a PEM file" in error
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    other = certificate.with_name("other.pem")
    other.write_text(certificate.read_text())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert "does not trust" not in failure(tls_url)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "address",
    [
        "http://user:hunter2@127.0.0.1:1",
        "socks5://user:hunter2@127.0.0.1:1",
        "http://user:hunter2@",
        "ftp://user:hunter2@127.0.0.1:1",
    ],
)
def test_wrong_proxy_is_named_by_its_variable(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, address: str
) -> None:
    """An unreachable or malformed proxy is reported by its variable, without its password."""
    caplog.set_level(logging.INFO, "ghtraffic_action")
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv(variable, address)
    text = failure(github.url)
    assert variable in text
    assert "roxy" in text
    assert "hunter2" not in text + caplog.text
    assert caplog.text
    assert github.requests == []


def test_network_that_fails_is_transient() -> None:
    """A refused connection is transient, and the message mentions neither a proxy nor a certificate."""
    with closing(GitHub(TOKEN, "http://127.0.0.1:1", no_wait_limiter(), Runtime())) as made:
        error = made.look_up([NAME]).refused[NAME]
    assert error.transient
    assert error.what == "GitHub cannot be reached (ConnectionError)"
