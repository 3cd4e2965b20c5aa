"""Downloads of release assets: how they are read, stored, exported, and skipped after a refusal."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ghtraffic_action.collect import run
from ghtraffic_action.exports.layout import month_key
from ghtraffic_action.settings import Settings
from tests.support.builders import NAME, NOW
from tests.support.csvfiles import all_daily, exported, rows
from tests.support.fake_github import Answer, FakeGitHub, Refusal, Release
from tests.support.github_errors import OPTIONAL
from tests.support.runtime import no_wait_runtime

FILE = month_key("downloads", "2026-11")
PAGE = "/releases"
Report = Callable[..., Settings]


def release(number: int, *assets: tuple[str, int]) -> Release:
    moment = NOW - timedelta(days=1000 - number)
    return Release(f"v{number}", moment, moment, assets)


def collect(github: FakeGitHub, settings: Settings) -> tuple[int, list[str], tuple[str, ...]]:
    """Run. Return the exit code, the number of release pages requested, and the warnings."""
    github.requests.clear()
    report = run(settings, no_wait_runtime(lambda: github.now))
    return report.exit_code, [r.path for r in github.requests if PAGE in r.path], report.warnings


def exported_rows(settings: Settings) -> list[tuple[str, ...]]:
    """Return tag, asset and number of each exported row."""
    return [(row["tag"], row["asset"], row["downloads"]) for row in rows(exported(settings.export_to)[FILE])]


def test_downloads_cost_no_request_of_their_own(github: FakeGitHub, settings_for: Report) -> None:
    """The query that runs anyway lists the newest ten releases; a later run of the day has the later number."""
    github.repositories[0].releases = (release(1, ("lamp.zip", 7)), release(2, ("lamp.zip", 1), ("lamp.sig", 0)))
    settings = settings_for()
    assert collect(github, settings) == (0, [], ())
    assert exported_rows(settings) == [("v2", "lamp.zip", "1"), ("v2", "lamp.sig", "0"), ("v1", "lamp.zip", "7")]
    github.repositories[0].releases = (release(1, ("lamp.zip", 9)),)
    assert collect(github, settings) == (0, [], ())
    assert exported_rows(settings) == [("v1", "lamp.zip", "9")]


def test_a_repository_without_assets_has_no_file(github: FakeGitHub, settings_for: Report) -> None:
    """Releases without assets and drafts have no rows."""
    draft = Release("v9", NOW, None, (("lamp.zip", 3),))
    github.repositories[0].releases = (release(1), draft)
    settings = settings_for()
    assert collect(github, settings) == (0, [], ())
    assert FILE not in exported(settings.export_to)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("releases", "assets", "pages"), [(11, 1, 1), (1, 21, 1), (100, 1, 2), (230, 1, 3), (60, 30, 1)]
)
def test_more_than_the_query_lists_is_read_by_pages(
    github: FakeGitHub, settings_for: Report, releases: int, assets: int, pages: int
) -> None:
    """Pages of 100 releases are read, and at most 1,000 assets of the newest ones are stored."""
    files = [(f"lamp-{n}.zip", n) for n in range(assets)]
    github.repositories[0].releases = tuple(release(n, *files) for n in range(releases))
    settings = settings_for()
    code, paths, warnings = collect(github, settings)
    assert (code, warnings) == (0, ())
    assert paths == [f"/repos/{NAME}/releases?page={n + 1}&per_page=100" for n in range(pages)]
    newest = [(f"v{n}", name, str(count)) for n in reversed(range(releases)) for name, count in files]
    assert exported_rows(settings) == newest[:1000]


@pytest.mark.parametrize(
    "refusal",
    [
        *OPTIONAL,
        Answer(200, [{"tag_name": "v1"}]),
        Answer(200, {"message": "moved"}),
    ],
    ids=str,
)
def test_refused_pages_are_skipped_and_said(
    github: FakeGitHub, settings_for: Report, refusal: Refusal | Answer
) -> None:
    """After any refusal the traffic is collected without a wait, and the run succeeds with a warning."""
    github.repositories[0].releases = tuple(release(n, ("lamp.zip", 1)) for n in range(11))
    github.refuse(refusal, path=PAGE)
    settings = settings_for()
    code, paths, [warning] = collect(github, settings)
    assert code == 0
    assert 1 <= len(paths) <= 3
    assert warning.startswith("release downloads: skipped for 1 repository, traffic is not affected: ")
    assert len(all_daily(exported(settings.export_to))) > 0


def test_one_failure_of_githubs_own_is_retried(github: FakeGitHub, settings_for: Report) -> None:
    github.repositories[0].releases = tuple(release(n, ("lamp.zip", 1)) for n in range(11))
    github.refuse(Refusal.SERVER_ERROR_JSON, path=PAGE, times=2)
    code, paths, warnings = collect(github, settings_for())
    assert (code, len(paths), warnings) == (0, 3, ())


def test_pages_are_skipped_if_the_traffic_needs_the_requests(github: FakeGitHub, settings_for: Report) -> None:
    """The remaining requests of the hour are used for the traffic."""
    github.repositories[0].releases = tuple(release(n, ("lamp.zip", 1)) for n in range(11))
    github.remaining = 4
    code, paths, warnings = collect(github, settings_for())
    assert (code, paths, warnings) == (0, [], ())
