"""The file of the last 400 days, which always agrees with the months' files."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.exports.csvfile import parse, render_rows
from ghtraffic_action.exports.layout import DAILY, RECENT, month_key, month_of
from ghtraffic_action.exports.recent import DAYS, recent_days
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.settings import Settings, read_settings
from tests.support.builders import NAME, NOW, repository
from tests.support.fake_github import FakeGitHub

LAST = date(2026, 11, 22)
LOCAL = {"store": "sqlite:traffic.db", "export_to": "export"}


def months_of(days: int, ids: tuple[int, ...] = (7, 9), views: int = 3, last: date = LAST) -> dict[str, bytes]:
    """Return the months' files of some days."""
    rows: dict[str, list[tuple[str, ...]]] = {}
    for ago in range(days - 1, -1, -1):
        day = last - timedelta(days=ago)
        rest = [""] * (len(DAILY.columns) - 4)
        found = [(f"a/r{number}", str(number), str(day), str(views), *rest) for number in ids]
        rows.setdefault(month_key("daily", month_of(day)), [DAILY.columns]).extend(found)
    return {key: render_rows(found) for key, found in rows.items()}


def days_of(content: bytes) -> list[str]:
    return [record["day"] for record in parse(RECENT, content).records()]


def made(months: dict[str, bytes], old: bytes | None = None, first: str = "2026-11") -> tuple[bytes, list[str]]:
    """Return the file after a run that changed the months from `first` on, and the keys that were read."""
    asked: list[str] = []

    def read(key: str) -> bytes | None:
        asked.append(key)
        return months.get(key)

    return recent_days(old, first, "2026-11", read), asked


def test_it_has_the_last_400_days() -> None:
    """It has both repositories' days, sorted as in the months, without older ones."""
    content, _ = made(months_of(900))
    found = days_of(content)
    assert (found[0], found[-1], len(found)) == (str(LAST - timedelta(days=DAYS - 1)), str(LAST), 2 * DAYS)
    assert found == sorted(found)


@pytest.mark.parametrize("days", [3, 40, 399, 400, 401, 900])
def test_a_run_reads_only_the_months_that_it_changed(days: int) -> None:
    """Other days come from the file itself, and the result equals that of reading all months."""
    old, _ = made(months_of(days - 1, last=LAST - timedelta(days=1)))
    today = months_of(days, views=4)
    changed = {key: today[key] if "2026-11" in key else content for key, content in months_of(days).items()}
    content, asked = made(changed, old)
    assert content == made(changed)[0]
    assert asked == [month_key("daily", "2026-11")]


@pytest.mark.parametrize(
    "old",
    [b"", b"day;views\r\n", b"\xef\xbb\xbf" + render_rows([DAILY.columns]), render_rows([DAILY.columns]) + b"x\r\n"],
)
def test_a_file_that_somebody_has_saved_otherwise_is_made_again(old: bytes) -> None:
    """A file that a spreadsheet has saved is rebuilt from the months."""
    months = months_of(500)
    assert made(months, old)[0] == made(months)[0]


def test_an_older_month_that_changed_is_read_again() -> None:
    """A new repository's days in older months are added."""
    old, _ = made(months_of(30))
    months = months_of(300)
    assert made(months, old, first="2026-01")[0] == made(months)[0]


def test_columns_of_a_newer_version_are_left_out() -> None:
    """Additional or reordered columns of a month's file do not reach it."""
    months = months_of(3)
    key = month_key("daily", "2026-11")
    lines = months[key].splitlines()
    foreign = b"".join(line + (b",moons" if at == 0 else b",1") + b"\r\n" for at, line in enumerate(lines))
    assert made({key: foreign})[0] == made(months)[0]


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 20])
def test_many_repositories_have_fewer_whole_days(rows: int) -> None:
    """Above the maximum number of rows the file has fewer days, each complete."""
    found = days_of(recent_days(None, "2026-11", "2026-11", months_of(60).get, rows))
    assert len(found) == rows // 2 * 2
    assert all(found.count(day) == 2 for day in found)


@pytest.mark.e2e
def test_runs_rebuild_and_verify_agree(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """Runs and a rebuild give the same file, a rerun does not write it, and `verify --repair` restores it."""
    github.repositories.append(repository("octo-lab/beacon", id=9))
    reports = []
    for back in (40, 24, 11, 0, 0):
        github.now = NOW - timedelta(days=back)
        names = NAME if back in (40, 11) else f"{NAME} octo-lab/beacon"
        reports.append(run(settings_for(**LOCAL, repositories=names)))
        assert verify_all(read_settings("verify", {}, LOCAL), repair=False).problems == ()
    path = Path("export", RECENT)
    assert str(path) in reports[3].written
    assert reports[4].written == ()
    whole = path.read_bytes()
    path.unlink()
    assert run(settings_for(**LOCAL, repositories=NAME)).written == (str(path),)
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-40] + b"\r\n")
    [problem] = verify_all(read_settings("verify", {}, LOCAL), repair=True).notes
    assert str(path) in problem
    assert path.read_bytes() == whole
