"""Outsiders' text in outputs: one line without control characters; our own messages are not cut."""

import logging
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.cli import main
from ghtraffic_action.doctor.finding import Finding, format_findings
from ghtraffic_action.report import Report, RepositoryResult
from ghtraffic_action.status import RepositoryStatus, Status
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.traffic.model import TopPath
from ghtraffic_action.views.job_summary import failure_summary, summary_of
from ghtraffic_action.views.markdown import escape_markdown
from ghtraffic_action.views.plain_text import LineFormatter, one_line
from ghtraffic_action.views.report_table import print_report
from ghtraffic_action.views.status_table import print_status
from ghtraffic_action.views.workflow_commands import CommandFormatter, mask, redact
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub

AT = datetime(2026, 11, 23, 3, 17, tzinfo=UTC)
NASTY = "octo-lab/a\x1b[31m\r\n::error::b\u2028c\u202ed\x07\x9b2J"
CONTROLS = set("\x1b\r\x07\u2028\u202e\x9b")


@given(st.text())
def test_one_line_keeps_what_is_visible_in_its_place(text: str) -> None:
    """Each character stays or becomes a blank, and what is left is one printable line."""
    line = one_line(text)
    assert len(line) == len(text)
    assert all(after in (before, " ") for before, after in zip(text, line, strict=True))
    assert len(f"{line}.".splitlines()) == 1
    assert not any(ord(character) < 32 for character in line)


@pytest.mark.parametrize("formatter", [LineFormatter("%(levelname)s %(message)s"), CommandFormatter()])
@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING, logging.ERROR])
def test_log_has_one_line_a_record(formatter: logging.Formatter, level: int) -> None:
    """A record is one line in a terminal and in Actions, at each level."""
    text = formatter.format(logging.LogRecord("x", level, "", 0, "file %s differs", (NASTY,), None))
    assert len(text.splitlines()) == 1
    assert not set(text) & CONTROLS


def test_traceback_keeps_its_lines_without_control_characters() -> None:
    """Control characters in an exception's text do not reach the terminal."""
    try:
        int(NASTY)
    except ValueError:
        failure = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, "", 0, "it failed", None, failure)
    text = LineFormatter("%(message)s").format(record)
    assert len(text.splitlines()) > 3
    assert not set(text) & CONTROLS


def test_tables_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """Report, status, calendar and findings show a name with control characters as one line."""
    print_report(Report((RepositoryResult(NASTY, 7),), f"sqlite:{NASTY}", NASTY))
    day = DayCoverage(AT.date(), NASTY, 1, 1, 1, 1, Coverage.COMPLETE, None)
    status = RepositoryStatus(
        NASTY,
        7,
        AT.date(),
        AT.date(),
        complete=1,
        provisional=0,
        partial=0,
        imported=0,
        lost=0,
        views_observed=AT,
        clones_observed=AT,
        deadline=date(2026, 12, 7),
        in_danger=False,
        lost_lately=(),
    )
    print_status(Status("sqlite:x.db", AT.date(), 14, (status,), days=((day,),)))
    sys.stdout.write(format_findings((Finding(f"{NASTY}: found", "problem", NASTY, NASTY),)))
    printed = capsys.readouterr().out
    assert printed.count("octo-lab/a [31m  ") >= 4
    assert not set(printed) & CONTROLS
    assert not any(line.lstrip().startswith("::error") for line in printed.splitlines())


def with_path(path: str) -> Report:
    days = (DayCoverage(AT.date(), "a/b", 1, 1, 1, 1, Coverage.COMPLETE, None),)
    paths = (TopPath(path, "", 1, 1),)
    return Report((RepositoryResult("a/b", 7, observed=AT, first_day=AT.date(), days=days, paths=paths),), "s", "e")


def test_summary_has_blanks_in_the_place_of_control_characters() -> None:
    """A control character becomes a blank, which neither joins words nor ends a table's row."""
    assert escape_markdown("a\tb\nc\x1bd") == "<code>a b c d</code>"
    assert "| <code>/x &#124;y</code> | 1 | 1 |" in summary_of(with_path("/x\n|y"))


def test_messages_of_ours_are_not_cut() -> None:
    """A long error is complete in the summary, also of a run that could not start."""
    error = "store: " + "a long explanation " * 20 + "with its remedy at the end"
    assert "with its remedy at the end" in failure_summary(error)
    refused = RepositoryResult("octo-lab/two", errors=(error,))
    assert "with its remedy at the end" in summary_of(Report((refused,), "s", "e"))


def test_long_path_of_an_outsider_is_cut() -> None:
    """A long path is cut in a cell, since visitors can choose it."""
    text = summary_of(with_path("x" * 999))
    assert "x" * 119 in text
    assert "x" * 120 not in text


def test_errors_beyond_those_shown_are_counted() -> None:
    """The summary says how many errors it omits."""
    refused = tuple(RepositoryResult(f"octo-lab/r{n}", errors=(f"refused {n}",)) for n in range(60))
    assert "and 10 more errors" in summary_of(Report(refused, "s", "e"))


def test_unnamed_repository_counts_in_the_users_order() -> None:
    """A repository without a name is reported by the position of its entry."""
    results = (
        RepositoryResult("octo-lab/a", errors=("no",), entry=2),
        RepositoryResult("octo-lab/z", errors=("no",), entry=1),
        RepositoryResult("octo-lab/y", errors=("no",)),
    )
    shown_names = [found.name for found in redact(Report(results, "s", "e"), "no-traffic").repositories]
    assert shown_names == ["repository 2 of the list", "repository 1 of the list", "a repository of the list"]


def test_mask_hides_each_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Masks go to standard error, which the runner reads too, since standard output may be data."""
    mask("one\ntwo%")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "::add-mask::one\n::add-mask::two%25\n"


def test_verify_shows_a_files_name_as_one_line(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file name with control characters is one line of the log."""
    environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GHTRAFFIC_REPOSITORIES": NAME}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(["collect"]) == 0
    written = next(Path("ghtraffic-export").rglob("*.csv"))
    written.with_name("a\x1b[31m\n::error::b.csv").write_bytes(b"x")
    capsys.readouterr()
    assert main(["verify"]) == 1
    errors = capsys.readouterr().err
    assert "a [31m ::error::b.csv" in errors
    assert not set(errors) & CONTROLS
    assert all(line.startswith(("ERROR ", "WARNING ")) for line in errors.splitlines())
