"""The progress display: nothing for a short run, lines in a log, a bar in a terminal."""

import logging
import sys
from collections.abc import Callable
from io import StringIO

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings
from ghtraffic_action.standard_output import StandardErrorHandler
from ghtraffic_action.views.progress import line, show_progress
from tests.support.builders import NAME, repository
from tests.support.fake_github import FakeGitHub


class Terminal(StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def shown(stream: StringIO, moments: list[float], monkeypatch: pytest.MonkeyPatch, *, wanted: bool = True) -> str:
    """Return the output if repositories finish at these seconds."""
    monkeypatch.setattr(sys, "stderr", stream)
    times = iter([0.0, *moments])
    with show_progress(wanted=wanted, monotonic=lambda: next(times)) as progress:
        for done in range(1, len(moments) + 1):
            progress(done, 100)
    return stream.getvalue()


def test_a_line_has_the_rate_and_the_time_left() -> None:
    """The line has repositories per minute and the estimated remaining time."""
    assert line(30, 300, 60.0) == "30 of 300 repositories, 30 a minute, 9 min left"
    assert line(1, 2, 12.0) == "1 of 2 repositories, 5 a minute, 12 s left"
    assert line(1, 1000, 10.0) == "1 of 1,000 repositories, 6 a minute, 2 h 46 min left"
    assert line(2, 2, 12.0) == "2 of 2 repositories, 10 a minute"
    assert line(0, 2, 0.0) == "0 of 2 repositories, 0 a minute"


def test_a_log_gets_a_line_every_thirty_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none before, and none with `--json`."""
    moments = [1.0, 29.9, 31.0, 60.0, 61.0]
    printed = shown(StringIO(), moments, monkeypatch).splitlines()
    assert [text.partition(",")[0] for text in printed] == ["3 of 100 repositories", "5 of 100 repositories"]
    assert shown(StringIO(), moments, monkeypatch, wanted=False) == ""
    assert shown(StringIO(), [1.0, 2.0], monkeypatch) == ""


def test_a_terminal_gets_a_bar_after_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter run shows none."""
    monkeypatch.setenv("COLUMNS", "80")
    assert "2 of 100 repositories" in shown(Terminal(), [1.0, 11.0], monkeypatch)
    assert shown(Terminal(), [1.0, 9.0], monkeypatch) == ""


def test_a_warning_has_a_line_of_its_own_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar's line is cleared, the warning is written, and the bar is drawn below it."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = StandardErrorHandler()
    record = logging.makeLogRecord({"msg": "it is slow"})
    times = iter([0.0, 11.0, 12.0])
    with show_progress(wanted=True, monotonic=lambda: next(times)) as progress:
        progress(1, 100)
        handler.emit(record)
        progress(2, 100)
    handler.emit(record)
    written = stream.getvalue()
    assert "\x1b[2Kit is slow\n" in written
    assert written.endswith("it is slow\n")


def test_a_run_reports_each_repository(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """Each finished repository counts, collected or refused."""
    github.repositories.append(repository("octo-lab/two", id=8))
    seen: list[tuple[int, int]] = []
    runtime = Runtime(progress=lambda done, total: seen.append((done, total)))
    run(settings_for(repositories=f"{NAME} octo-lab/two"), runtime)
    assert sorted(seen) == [(1, 2), (2, 2)]


def test_details_name_repositories_and_requests(
    github: FakeGitHub, settings_for: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """The log has each repository by its name and, at the level of -vv, each request."""
    assert github.repositories
    caplog.set_level("DEBUG", logger="ghtraffic_action")
    run(settings_for(), Runtime())
    assert f"{NAME}: 15 days inserted, 0 raised" in caplog.messages
    assert f"GET /repos/{NAME}/traffic/views: answered" in caplog.messages
