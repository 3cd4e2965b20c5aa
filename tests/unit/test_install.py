"""The Action's install step, with pip's settings of the runner."""

import os
import tomllib
from pathlib import Path

import pytest

from install import LOCKED, main, missing, pip_environment, pip_settings, uv_environment, uv_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove this machine's settings of pip."""
    for name in os.environ:
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)


def test_the_way_to_a_registry_is_kept_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The section of install takes precedence over the global one, the environment over both."""
    with open("pip.conf", "w") as file:  # noqa: PTH123 - short
        file.write(
            "[global]\nindex-url = https://one.example/simple\nuser = true\nproxy = http://proxy.example:3128\n"
            "cert = /etc/ca.pem\n[install]\nindex-url = https://two.example/simple\nprefix = /x\n"
            "find-links =\n  https://a.example\n  https://b.example\n"
        )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path) + "/pip.conf")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_CERT", "/my/ca.pem")
    settings = pip_settings()
    expected = {
        "index-url": "https://two.example/simple",
        "proxy": "http://proxy.example:3128",
        "cert": "/my/ca.pem",
        "find-links": "\nhttps://a.example\nhttps://b.example",
    }
    assert {name: value for name, value in settings.items() if name in expected} == expected
    assert not {"user", "prefix", "target"} & set(settings)


def test_pip_sees_these_settings_and_no_files() -> None:
    """The settings are passed as variables; a password of an index is not in the arguments."""
    found = pip_environment({"index-url": "https://x"}, {"PIP_USER": "1", "UV_TARGET": "y", "PATH": "/bin"})
    colours = {"NO_COLOR": "1", "PIP_NO_COLOR": "1"}
    assert found == {"PATH": "/bin", "PIP_INDEX_URL": "https://x", "PIP_CONFIG_FILE": os.devnull, **colours}


def test_uv_sees_the_same_registry() -> None:
    """A file for uv has indexes, links and hosts; its environment has the proxy and certificates."""
    settings = {
        "index-url": "https://user:pass@one.example/simple",
        "extra-index-url": "https://two.example https://three.example",
        "find-links": "\n/wheels",
        "no-index": "true",
        "trusted-host": "one.example",
        "proxy": "http://proxy.example:3128",
        "cert": "/etc/ca.pem",
        "default-timeout": "60",
    }
    assert tomllib.loads(uv_settings(settings)) == {
        "allow-insecure-host": ["one.example"],
        "pip": {
            "index-strategy": "unsafe-best-match",
            "index-url": "https://user:pass@one.example/simple",
            "extra-index-url": ["https://two.example", "https://three.example"],
            "find-links": ["/wheels"],
            "no-index": True,
        },
    }
    found = uv_environment(settings, {"UV_OFFLINE": "1", "PIP_USER": "1", "https_proxy": "http://other"})
    assert found["HTTPS_PROXY"] == found["https_proxy"] == "http://proxy.example:3128"
    assert (found["SSL_CERT_FILE"], found["UV_HTTP_TIMEOUT"]) == ("/etc/ca.pem", "60")
    assert not {"UV_OFFLINE", "PIP_USER"} & set(found)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_uv_trusts_what_pip_trusts(variable: str) -> None:
    """Certificates in the variables of pip's HTTP library are used too."""
    assert uv_environment({}, {variable: "/etc/ca.pem"})["SSL_CERT_FILE"] == "/etc/ca.pem"


def test_what_was_not_installed_is_missing(tmp_path: Path) -> None:
    """An empty folder lacks all that every platform needs, and only that."""
    absent = missing(tmp_path)
    assert {"boto3", "click", "pygithub"} <= {name.lower() for name in absent}
    assert "cffi" not in absent
    assert len(absent) > LOCKED.read_text().count("==") - 6


@pytest.mark.parametrize("content", [b"index-url = https://me:my-password@x.example\n", b"\xff\xfe["])
def test_malformed_settings_of_pip_are_said(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The annotation quotes no line, since it may have a password."""
    with open("pip.conf", "wb") as file:  # noqa: PTH123 - short
        file.write(content)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path) + "/pip.conf")
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    assert main() == 1
    printed = "".join(capfd.readouterr())
    assert printed.startswith(
        "::error title=ghtraffic::install: nothing can be run (a file of pip's settings is malformed"
    )
    assert "my-password" not in printed


def test_a_missing_temporary_folder_is_said(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A runner whose folder was removed is an annotation, too."""
    monkeypatch.setenv("RUNNER_TEMP", "nowhere")
    assert main() == 1
    assert "::error title=ghtraffic::install: nothing can be run (" in capfd.readouterr().out
