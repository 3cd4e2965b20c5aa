"""Workflow commands, outputs, and the job summary."""

import html
import json
import logging
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghtraffic_action.report import Report, RepositoryResult, Unlisted
from ghtraffic_action.run_report import write_report
from ghtraffic_action.traffic.coverage import Coverage, DayCoverage
from ghtraffic_action.traffic.model import TopPath, TopReferrer
from ghtraffic_action.views.job_summary import LIMIT, summary_of
from ghtraffic_action.views.markdown import escape_markdown
from ghtraffic_action.views.workflow_commands import (
    CommandFormatter,
    escape,
    limit_annotations,
    outputs,
    redact,
    write_failure,
    write_results,
)

AT = datetime(2026, 11, 23, 3, 17, tzinfo=UTC)
NASTY = (
    "</code>|`<script>@octocat https://evil.example www.evil.example ![x](y) \x1b[31m\r\n::error::boo ##[error] \u202e"
)


def collected(name: str = "octo-lab/lighthouse", **changes: Any) -> RepositoryResult:  # noqa: ANN401 - the type's own fields
    """Return the result of a completely collected repository with three days."""
    days = tuple(
        DayCoverage(AT.date() - timedelta(days=2 - n), name, 123_400 + n, 7, n, n, Coverage.PROVISIONAL, None)
        for n in range(3)
    )
    fields: dict[str, Any] = {
        "id": 7,
        "private": False,
        "observed": AT,
        "stars": 5,
        "views_14d": 123_456,
        "view_uniques_14d": 77,
        "clones_14d": 9,
        "clone_uniques_14d": 8,
        "inserted": 1,
        "raised": 2,
        "first_day": date(2026, 11, 10),
        "lost_days": 3,
        "lost_new": 1,
        "last_listed": date(2026, 11, 21),
        "deadline": date(2026, 12, 7),
        "days": days,
        "paths": (TopPath(NASTY, NASTY, 10, 2),),
        "referrers": (TopReferrer(NASTY, 11, 3),),
    }
    return RepositoryResult(name=name, **(fields | changes))


def report(*repositories: RepositoryResult, **changes: Any) -> Report:  # noqa: ANN401 - the type's own fields
    """Return the report of a run."""
    fields: dict[str, Any] = {"store": "dynamodb://traffic", "export_to": "s3://bucket/traffic", "exported": ("a", "b")}
    return Report(repositories=repositories or (collected(),), **(fields | changes))


@given(st.text())
def test_an_annotation_is_one_command(text: str) -> None:
    """Any message is one line, and the runner decodes it to the original text."""
    line = escape(text)
    assert not set(line) & {"\r", "\n"}
    assert line.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") == text


def test_levels_are_commands() -> None:
    """Errors and warnings are annotations of one line; lower levels are not, even if their text looks like one."""
    formatter = CommandFormatter()

    def formatted(level: int, text: str) -> str:
        return formatter.format(logging.LogRecord("x", level, "", 0, text, None, None))

    assert formatted(logging.ERROR, "a\nb") == "::error title=ghtraffic::a b"
    assert formatted(logging.WARNING, "a") == "::warning title=ghtraffic::a"
    assert "::" not in formatted(logging.INFO, "::error::boo")
    assert "##[" not in formatted(logging.INFO, "##[error]boo")


def test_ten_annotations_at_most() -> None:
    """GitHub shows ten per step, so the tenth one counts the others."""
    assert limit_annotations(("a",) * 10, "errors") == ("a",) * 10
    kept = limit_annotations(tuple(f"e{n}" for n in range(30)), "errors")
    assert len(kept) == 10
    assert kept[:9] == tuple(f"e{n}" for n in range(9))
    assert kept[9].startswith("21 more errors")


@given(st.text(max_size=100))
def test_outsiders_text_is_inert(text: str) -> None:
    """Characters with a meaning in Markdown, HTML or a terminal are escaped."""
    rendered = escape_markdown(text)
    assert rendered.startswith("<code>")
    inside = rendered.removeprefix("<code>").removesuffix("</code>")
    assert not set(inside) & set("<>|`*_[]()!@:.~\\\"'\n\r\t\x1b\u202e")
    assert re.fullmatch(r"(?:[^&#;]|&#\d+;)*", inside)
    letters = [character for character in text if character.isascii() and character.isalnum()]
    assert [c for c in re.sub(r"&#\d+;", "", inside) if c.isascii() and c.isalnum()] == letters


def test_a_mention_ends_at_its_sign() -> None:
    """An invisible joiner after @ prevents mentions and mail links."""
    assert escape_markdown("@octocat") == "<code>&#64;&#8288;octocat</code>"


def test_the_summary_shows_the_result() -> None:
    """It has the table, chart, numbers, top paths and referrers, what was written, and the deadline."""
    text = summary_of(report(written=("a",)))
    assert "**1 of 1** repositories collected; 3 days written to" in text
    assert "1 of 2 files written" in text
    assert "**Next run due before 2026-12-07:** until then nothing is lost." in text
    assert "| 5 | 123,456 | 77 | 9 | 8 | 1 | 2 | 3 | collected |" in text
    assert "bar [123400, 123401, 123402]" in text
    assert "line [0, 1, 2]" in text
    assert "| 2026-11-21 | 123,400 | 7 | 0 | 0 | provisional |" in text
    assert "| 10 | 2 |" in text
    assert "| 11 | 3 |" in text
    assert "<script>" not in text
    assert "\x1b" not in text


def test_an_unknown_day_is_not_drawn() -> None:
    """Mermaid cannot draw gaps, so unknown days are left out of the chart and counted."""
    first, second, third = (replace(day, clones=4) for day in collected().days)
    days = (first, replace(second, views=None, state=Coverage.LOST), third)
    text = summary_of(report(collected(days=days)))
    assert "x-axis [21, 23]" in text
    assert "bar [123400, 123402]" in text
    assert "y-axis 0 --> 123402" in text
    assert "The chart leaves out 1 unknown day." in text
    assert "| 2026-11-22 |  | 7 | 4 |" in text
    assert "mermaid" not in summary_of(report(collected(days=(days[1],))))


def test_the_summary_has_workflow_runs_where_they_are_counted() -> None:
    """A column shows them, empty if unknown; other repositories do not have it."""
    found = collected()
    counted = replace(found, days=(found.days[0], *(replace(day, workflow_runs=1200) for day in found.days[1:])))
    lines = [line for line in summary_of(report(counted)).splitlines() if line.startswith(("| day", "| 2026-11-2"))]
    assert lines[0] == "| day | views | uniques | clones | uniques | workflow runs | state |"
    assert [line.split(" | ")[5] for line in lines[1:]] == ["", "1,200", "1,200"]
    assert "workflow runs |" not in summary_of(report(found))


def test_an_organisation_has_totals_and_its_biggest_changes() -> None:
    """The last seven listed days are compared with the seven before, without repositories with unknown days."""

    def weeks(name: str, before: int, now: int | None) -> RepositoryResult:
        [day] = collected().days[:1]
        counts = [before] * 7 + [now] * 7
        days = (
            replace(day, day=date(2026, 11, 9) + timedelta(days=n), views=count, clones=1)
            for n, count in enumerate(counts)
        )
        return collected(name, days=tuple(days))

    found = (weeks("a/rising", 10, 30), weeks("a/falling", 50, 10), weeks("a/still", 1, 1), weeks("a/lost", 1, None))
    text = plain(summary_of(report(*found)))
    assert "**Last 7 listed days against the 7 before:** 287 views (-140, -33%), 28 clones (+0, +0%)." in text
    assert "1 repository is not counted: a day of the 14 is unknown." in text
    table = text.partition("| biggest changes | views | before | change |\n")[2].splitlines()
    assert table[1:4] == ["| a/falling | 70 | 350 | -280 |", "| a/rising | 210 | 70 | +140 |", ""]
    assert "biggest changes" not in summary_of(report(found[0]))


@pytest.mark.parametrize(
    ("public", "why"),
    [
        (
            True,
            " because this repository's logs are public. Your numbers are in s3://bucket/traffic; `summary: full`",
        ),
        (
            None,
            " because this repository's logs may be public. Your numbers are in s3://bucket/traffic; `summary: full`",
        ),
        (False, ", as the setting `summary` says. Your numbers are in s3://bucket/traffic."),
    ],
)
def test_a_summary_without_traffic_says_why(public: bool | None, why: str) -> None:
    """No column is blank, stars of public repositories stay, and the reader learns where the numbers are."""
    shown = redact(report(collected(), public=public), "no-traffic")
    text = plain(summary_of(shown))
    assert f"Traffic is not shown{why}" in text
    assert "| repository | stars | new days | raised | lost | state |" in text
    assert "| octo-lab/lighthouse | 5 | 1 | 2 | 3 | collected |" in text
    private = redact(report(collected(private=True), public=public), "no-traffic")
    assert "| repository | new days | raised | lost | state |" in summary_of(private)


def test_the_summary_shows_the_coverage() -> None:
    """It shows the first known day, and the number of recent days in each state."""
    first, second, third = collected().days
    days = (replace(first, state=Coverage.LOST), replace(second, state=Coverage.COMPLETE), third)
    known = f"Known from 2026-11-10 to {AT:%Y-%m-%d}. Of the last 3 days: 1 complete, 1 provisional, 1 lost."
    assert f"\n{known}\n" in summary_of(report(collected(days=days)))


def test_the_deadline_is_of_what_was_collected_and_stored() -> None:
    """The earliest deadline of collected repositories counts, and a dry run has none."""
    later = collected(name="octo-lab/two", deadline=date(2026, 12, 8))
    assert "**Next run due before 2026-12-07:**" in summary_of(report(later, collected()))
    refused = RepositoryResult("octo-lab/three", errors=("refused: wait",))
    assert "**Next run due before 2026-12-08 for what was collected:**" in summary_of(report(later, refused))
    assert "Next run due" not in summary_of(report(dry_run=True))


@pytest.mark.parametrize(
    ("hour", "last", "words"),
    [
        (3, 21, None),
        (3, 19, "end on 2026-11-19, 2 days earlier than usual"),
        (11, 22, None),
        (11, 21, "end on 2026-11-21, a day earlier than usual"),
    ],
)
def test_the_summary_names_a_late_batch(hour: int, last: int, words: str | None) -> None:
    """Numbers that end earlier than usual are mentioned, since they are not lost."""
    found = collected(observed=AT.replace(hour=hour), last_listed=date(2026, 11, last))
    text = summary_of(report(found))
    assert ("earlier than usual" in text) is (words is not None)
    assert words is None or f"GitHub's numbers {words}: nothing is lost." in text


def plain(markdown: str) -> str:
    """Return the text that a reader sees."""
    return html.unescape(re.sub(r"</?code>", "", markdown))


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("/home/runner/export/report.html", ["**Report page:** /home/runner/export/report.html"]),
        (
            "s3://bucket/traffic/report.html",
            [
                "aws s3 presign s3://bucket/traffic/report.html --expires-in 43200",
                "aws s3 cp s3://bucket/traffic/report.html report.html",
            ],
        ),
    ],
)
def test_the_summary_of_a_private_repository_says_how_to_open_the_page(page: str, lines: list[str]) -> None:
    """Summaries of public or unknown repositories, and runs without a page, do not mention it."""
    private = plain(summary_of(report(exported=("a", page), public=False))).splitlines()
    assert [line for line in private if "report.html" in line] == lines
    for public in (True, None):
        assert "report.html" not in plain(summary_of(report(exported=("a", page), public=public)))
    assert "report.html" not in plain(summary_of(report(exported=("a",), public=False)))


def test_a_repository_that_its_owner_no_longer_lists_is_named() -> None:
    """It counts in the deadline, its warning has the remedies, and a public report does not have its name."""
    gone = Unlisted("octo-lab/gone", date(2026, 11, 20), date(2026, 12, 4))
    text = summary_of(report(unlisted=(gone,)))
    assert "**Next run due before 2026-12-04:**" in text
    assert "GitHub no longer lists it (last observed 2026-11-20)" in plain(text)
    assert "octo-lab" not in str(report(unlisted=(gone,)).without_traffic().all_warnings)


def test_unknown_lost_days_are_left_out() -> None:
    """If the catalogue cannot be read, the days lost in all are unknown: the outputs leave them out."""
    found = outputs(report(collected(lost_days=None, lost_new=None, first_day=None)))
    assert (found["days-lost"], found["days-lost-new"]) == ("", "")
    assert outputs(report(collected()))["days-lost-new"] == "1"


def test_every_day_of_the_chart_has_a_place_of_its_own() -> None:
    """Labels that repeat get the month, since Mermaid would draw equal labels as one."""
    days = tuple(replace(collected().days[0], day=date(2026, 2, 10) + timedelta(days=n)) for n in range(30))
    axis = re.search(r"x-axis \[(.*)\]", summary_of(report(collected(days=days))))
    assert axis
    assert len(set(axis[1].split(", "))) == 30


def test_the_summary_names_what_failed() -> None:
    """A refused repository has its state in the table, and its error with the remedy above it."""
    refused = RepositoryResult("octo-lab/two", errors=("there is no such repository (404): check the name",))
    text = summary_of(report(collected(), refused))
    assert "**1 of 2**" in text
    assert "refused |" in text
    assert "there is no such repository" in text.replace("&#40;404&#41;", "")


def test_one_cause_of_many_repositories_is_reported_once() -> None:
    """More than three repositories with the same error are counted in one; fewer are listed."""
    many = tuple(RepositoryResult(f"octo-lab/r{n}", errors=("no access: grant it",)) for n in range(10))
    other = RepositoryResult("octo-lab/other", errors=("not found: check the name",))
    assert report(*many, other).all_errors == (
        "octo-lab/r0, octo-lab/r1 and 8 more: no access: grant it",
        "octo-lab/other: not found: check the name",
    )
    assert report(*many[:3]).all_errors == tuple(f"octo-lab/r{n}: no access: grant it" for n in range(3))


def test_the_summary_warns_of_the_switch_off() -> None:
    """In a public repository it warns from 45 days without a push on."""
    idle = report(public=True, pushed=AT - timedelta(days=45))
    assert "last pushed to 45 days ago" in summary_of(idle)
    assert "last pushed" not in summary_of(replace(idle, pushed=AT - timedelta(days=44)))
    assert "last pushed" not in summary_of(replace(idle, public=False))


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["octo-lab/lighthouse", "o" * 39 + "/" + "r" * 100])
def test_a_thousand_repositories_stay_below_the_limit(name: str) -> None:
    """The first repositories have sections, and the others are counted."""
    one = collected(days=collected().days * 10)
    many = tuple(replace(one, name=f"{name[:130]}{n}") for n in range(1000))
    text = summary_of(report(*many))
    assert LIMIT // 2 < len(text.encode()) <= 1_048_576
    assert text.count("collected |") == 1000
    assert re.search(r"The traffic of \d+ more repositories is in the export", text)


@pytest.mark.e2e
def test_ten_thousand_repositories_stay_below_the_limit() -> None:
    """If not all repositories fit into the table, the last row sums up the others."""
    one = collected()
    many = tuple(replace(one, name=f"octo-lab/r{n}") for n in range(10_000))
    text = summary_of(report(*many))
    assert len(text.encode()) <= 1_048_576
    more = re.search(r"\| and (\d+) more .* \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|  \|", text)
    assert more
    assert int(more[2].replace(",", "")) == int(more[1])
    assert int(more[1]) + text.count("collected |") == 10_000


@pytest.mark.parametrize(
    ("summary", "public", "full"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("auto", None, False),
        ("full", True, True),
        ("no-traffic", False, False),
    ],
)
def test_traffic_is_shown_where_nobody_else_reads(summary: Any, public: bool | None, full: bool) -> None:  # noqa: ANN401 - a Literal
    """With `auto` only private repositories show traffic; private names are replaced by ids."""
    private = collected("octo-lab/hidden", id=8, private=True)
    unknown = RepositoryResult("octo-lab/unknown", errors=("not found",))
    shown = redact(report(collected(), private, unknown, public=public), summary)
    text = summary_of(shown) + json.dumps(outputs(shown)) + write_report(shown)
    assert ("123,456" in text) is full
    assert ("123456" in text) is full
    assert ("hidden" in text) is full
    assert ("unknown" in text) is full
    assert ("#8" in outputs(shown)["collected"]) is not full
    assert "lighthouse" in text


def test_outputs_cannot_be_forged(tmp_path: Path) -> None:
    """Each output ends with a delimiter that nobody can guess, so that no text adds an output of its own."""
    found = report(errors=("x\nEOF\nfailed=forged",), exported=("s3://b/a", "s3://b/c"))
    write_results(found, "none", {"GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STEP_SUMMARY": str(tmp_path / "sum")})
    read: dict[str, str] = {}
    lines = iter((tmp_path / "out").read_text().splitlines())
    for line in lines:
        name, delimiter = line.split("<<")
        read[name] = "\n".join(iter(lambda: next(lines), delimiter))
    assert set(read) == {
        "collected",
        "failed",
        "days-inserted",
        "days-raised",
        "days-lost",
        "days-lost-new",
        "exported",
        "report",
    }
    assert read["exported"] == "s3://b/a\ns3://b/c"
    assert read["failed"] == ""
    assert not (tmp_path / "sum").exists()


def test_a_run_that_could_not_begin_says_so(tmp_path: Path) -> None:
    """The summary has the error of wrong settings."""
    write_failure("store: it is empty\nexport-to: it is empty", {"GITHUB_STEP_SUMMARY": str(tmp_path / "sum")})
    text = (tmp_path / "sum").read_text()
    assert "Nothing was collected" in text
    assert text.count("\n- ") == 2
