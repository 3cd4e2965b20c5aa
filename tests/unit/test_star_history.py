"""The star history: when it is read, with how many requests, and how it is stored, exported and refused."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.collect import run
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.layout import stars_key
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.extras import is_due, refresh_interval
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import Store, open_store
from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.stars import StarsAsked, StarYear
from tests.support.builders import NAME, NOW, repository
from tests.support.csvfiles import all_daily, exported, rows, stored
from tests.support.exports import rebuilt
from tests.support.fake_github import Answer, FakeGitHub, Refusal
from tests.support.github_errors import OPTIONAL
from tests.support.histories import HOUR, ID, NOON, TODAY, ago, day, snapshot
from tests.support.runtime import no_wait_runtime

HISTORY = "/stargazers/history"
WEEK = timedelta(days=7)
Report = Callable[..., Settings]


def collect(github: FakeGitHub, settings: Settings) -> tuple[int, int, tuple[str, ...]]:
    """Run. Return the exit code, the number of pages read, and the warnings."""
    github.requests.clear()
    report = run(settings, no_wait_runtime(lambda: github.now))
    return report.exit_code, sum(HISTORY in request.path for request in github.requests), report.warnings


def given(github: FakeGitHub, starred: dict[date, int]) -> None:
    """Set the repository's stars by day, since 2020."""
    github.repositories[0].created = min(github.repositories[0].created, date(2020, 2, 2))
    github.repositories[0].starred = starred
    github.repositories[0].stars = sum(starred.values())


def stars_in(settings: Settings, year: int) -> dict[str, int]:
    """Return the exported stars of a year by day."""
    return {row["day"]: int(row["stars"]) for row in rows(exported(settings.export_to)[stars_key(year)])}


@pytest.mark.e2e
def test_the_past_is_read_once_then_weekly(github: FakeGitHub, settings_for: Report) -> None:
    """Days in between cost no request, and later answers overwrite store and export."""
    settings = settings_for()
    given(github, {date(2020, 3, 1): 4, date(2025, 12, 31): 1, date(2026, 11, 20): 2})
    assert collect(github, settings) == (0, 12, ())
    assert stars_in(settings, 2020) == {"2020-03-01": 4}
    assert stars_in(settings, 2026) == {"2026-11-20": 2}
    given(github, {date(2020, 3, 1): 3, date(2025, 12, 31): 1, date(2026, 11, 20): 2, date(2026, 11, 25): 1})
    for _ in range(6):
        github.now += timedelta(days=1)
        assert collect(github, settings) == (0, 0, ())
    assert stars_in(settings, 2020) == {"2020-03-01": 4}
    github.now += timedelta(days=1)
    assert collect(github, settings) == (0, 12, ())
    assert stars_in(settings, 2020) == {"2020-03-01": 3}
    assert stars_in(settings, 2025) == {"2025-12-31": 1}
    assert stars_in(settings, 2026) == {"2026-11-20": 2, "2026-11-25": 1}
    assert verify_all(settings, repair=False).problems == ()


@pytest.mark.e2e
def test_one_page_is_enough_while_the_sum_is_the_number_of_stars(github: FakeGitHub, settings_for: Report) -> None:
    settings = settings_for()
    given(github, {date(2021, 5, 5): 9, date(2026, 11, 1): 1})
    assert collect(github, settings)[1] > 1
    given(github, {date(2021, 5, 5): 9, date(2026, 11, 1): 1, date(2026, 11, 24): 3})
    github.now += WEEK
    assert collect(github, settings) == (0, 1, ())
    assert stars_in(settings, 2021) == {"2021-05-05": 9}
    assert stars_in(settings, 2026) == {"2026-11-01": 1, "2026-11-24": 3}


@pytest.mark.e2e
def test_nine_years_of_100_000_stars_take_few_requests(github: FakeGitHub, settings_for: Report) -> None:
    first = NOW.date() - timedelta(days=9 * 365)
    github.repositories[0].created = first
    given(github, {first + timedelta(days=n): 31 for n in range(9 * 365)})
    settings = settings_for()
    code, pages, warnings = collect(github, settings)
    assert (code, warnings) == (0, ())
    assert pages <= 20
    [history] = stored(settings.store).values()
    assert sum(stars for year in history.stars for _, stars in year.days) == github.repositories[0].stars > 100_000


def test_a_repository_without_stars_costs_no_request(github: FakeGitHub, settings_for: Report) -> None:
    given(github, {})
    assert collect(github, settings_for()) == (0, 0, ())


@pytest.mark.e2e
def test_a_year_of_which_nothing_is_left_loses_its_rows(github: FakeGitHub, settings_for: Report) -> None:
    settings = settings_for()
    given(github, {date(2025, 5, 5): 9, date(2026, 11, 1): 1})
    collect(github, settings)
    given(github, {date(2026, 11, 1): 1})
    github.now += WEEK
    assert collect(github, settings)[0] == 0
    assert stars_in(settings, 2025) == {}
    assert verify_all(settings, repair=False).problems == ()


@pytest.mark.e2e
def test_an_export_that_failed_is_caught_up(github: FakeGitHub, settings_for: Report) -> None:
    """The next run exports stars that an earlier run could not export."""
    settings = settings_for()
    collect(github, settings)
    given(github, {date(2020, 3, 1): 5, date(2026, 11, 25): 1})
    github.now += WEEK
    path = Path(settings.export_to, stars_key(2020))
    path.mkdir(parents=True)
    assert collect(github, settings)[0] == 1
    path.rmdir()
    github.now += timedelta(days=1)
    assert collect(github, settings) == (0, 0, ())
    assert stars_in(settings, 2020) == {"2020-03-01": 5}
    assert verify_all(settings, repair=False).problems == ()


@pytest.mark.parametrize(
    "refusal",
    [
        *OPTIONAL,
        Answer(200, []),
        Answer(200, {"message": "moved"}),
        Answer(200, [{"week": 1_700_000_000, "total": 1, "days": [0] * 7}]),
        Answer(200, [{"week": 1_700_000_000, "total": 0, "days": [0] * 6}]),
        Answer(200, [{"week": 2**52, "total": 0, "days": [0] * 7}]),
        Answer(200, [{"week": 1_900_000_000, "total": 7, "days": [1] * 7}]),
        Answer(200, [{"week": 1_700_000_000, "total": 6, "days": [1.5] * 4 + [0] * 3}]),
    ],
    ids=str,
)
def test_a_refused_star_history_is_skipped_and_said(
    github: FakeGitHub, settings_for: Report, refusal: Refusal | Answer
) -> None:
    """After any refusal the traffic is collected, no stars are stored, and the run succeeds with a warning."""
    github.refuse(refusal, path=HISTORY)
    settings = settings_for()
    code, pages, [warning] = collect(github, settings)
    assert code == 0
    assert 1 <= pages <= 3
    assert warning.startswith("star history: skipped for 1 repository, traffic is not affected: ")
    assert len(all_daily(exported(settings.export_to))) > 0
    [history] = stored(settings.store).values()
    assert history.stars == ()


@pytest.mark.e2e
@pytest.mark.parametrize("refusal", [OPTIONAL[0], Answer(200, [])], ids=str)
def test_a_refused_star_history_is_read_within_a_week(
    github: FakeGitHub, settings_for: Report, refusal: Refusal | Answer
) -> None:
    github.refuse(refusal, path=HISTORY)
    settings = settings_for()
    collect(github, settings)
    github.allow()
    read = []
    for days in (1, 3, 3):
        github.now += timedelta(days=days)
        read.append(collect(github, settings)[1])
    assert sum(read) == 1


def test_one_page_that_fails_stores_nothing_of_the_others(github: FakeGitHub, settings_for: Report) -> None:
    given(github, {date(2020, 3, 1): 4})
    github.refuse(Answer(200, {}), path=HISTORY)
    page = Answer(200, [{"week": int((NOW - n * WEEK).timestamp()), "total": 0, "days": [0] * 7} for n in range(30)])
    github.refuse(page, path=HISTORY, times=1)
    settings = settings_for()
    assert collect(github, settings)[:2] == (0, 4)
    assert not [key for key in exported(settings.export_to) if key.startswith("v1/stars/")]


def year(*stars: tuple[int, int], at: int = 0, of: int = 2026) -> StarYear:
    """Return a year's stars, answered `at` hours after noon."""
    return StarYear(of, NAME, NOON + at * HOUR, tuple((ago(age).replace(year=of), n) for age, n in stars))


def test_stores_overwrite_stars(store: Store) -> None:
    """A later answer replaces an earlier one, even with fewer stars; an earlier or equal one does not."""
    one, other = year((3, 7), (1, 2)), year((3, 1), of=2025)
    assert store.save(ID, Changes((day(1, 1),), (), (other, one))).stored.stars == (other, one)
    assert store.load_stars(ID) == store.load(ID).stars == (other, one)
    assert store.load(ID, ago(9)).stars == ()
    lower = year((3, 6), at=1)
    assert store.save(ID, Changes((), (), (lower,))).stored.stars[-1] == lower
    store.save(ID, Changes((), (), (one,)))
    assert store.load_stars(ID) == (other, lower)
    store.save(ID, Changes((), (), (year(at=2),)))
    assert [history.stars for history in store.scan()] == [(other, year(at=2))]


def test_backups_and_rebuilds_hold_stars(settings_for: Report, tmp_path: Path) -> None:
    """The later answer of two stores stays, and a second import changes nothing."""
    settings, path = settings_for(store="sqlite:one.db"), str(tmp_path / "backup.jsonl")
    seen = snapshot(star_history=StarsAsked(NOON), views=None)
    with closing(open_store(settings.store, create=True)) as one:
        one.save(ID, Changes((day(1, 1),), (seen,), (year((3, 6), at=1), year((3, 1), of=2025))))
    write_backup(settings, path)
    other = settings_for(store="jsonl:two.jsonl")
    with closing(open_store(other.store, create=True)) as two:
        two.save(ID, Changes((day(1, 1),), (), (year((3, 7)), year((2, 1), at=2, of=2025))))
    for _ in range(2):
        import_backup(other, path, TODAY)
        with closing(open_store(other.store, create=True)) as two:
            assert two.load_stars(ID) == (year((2, 1), at=2, of=2025), year((3, 6), at=1))
            files = rebuilt(two)
    assert files[stars_key(2026)].splitlines()[1:] == [f"{NAME},{ID},{ago(3)},6".encode()]
    assert DirectoryDestination("rebuilt").read(stars_key(2025)) is not None


def test_the_star_history_is_due_weekly() -> None:
    """It is due until the first attempt, then after a week."""
    week = refresh_interval(1)
    assert is_due(History(ID), TODAY, week)
    read = History(ID, snapshots=(snapshot(star_history=StarsAsked(NOON)),))
    assert [age for age in range(9) if is_due(read, TODAY + timedelta(days=age), week)] == [7, 8]
    never = replace(read, snapshots=(snapshot(),))
    assert is_due(never, TODAY, week)


@pytest.mark.parametrize("repositories", [1, 1_400, 2_100, 10_000])
def test_no_repository_of_a_large_fleet_waits_for_ever(repositories: int) -> None:
    """A run's 300 pages refresh all repositories in turn, and leave some for new ones."""
    days = refresh_interval(repositories).days
    assert days == 7 if repositories <= 1_400 else days > 7
    assert repositories / days <= 200


def fleet(github: FakeGitHub, number: int, starred: dict[date, int]) -> None:
    """Add repositories of 2009 with these stars, whose histories have 30 pages."""
    stars = sum(starred.values())
    names = [f"octo-lab/lamp-{n}" for n in range(number)]
    github.repositories[:] = [
        repository(name, id=n, created=date(2009, 11, 20), starred=starred, stars=stars)
        for n, name in enumerate(names, 1)
    ]


@pytest.mark.e2e
def test_pages_that_were_not_needed_are_left_to_others(github: FakeGitHub, settings_for: Report) -> None:
    """Eleven repositories reserve more than 300 pages, but need one each."""
    fleet(github, 11, {date(2026, 11, 20): 2})
    assert collect(github, settings_for(repositories="octo-lab/*")) == (0, 11, ())


@pytest.mark.e2e  # hundreds of requests take a second
def test_what_a_run_has_no_room_for_is_read_by_the_next(github: FakeGitHub, settings_for: Report) -> None:
    """A run reads whole histories up to 300 pages; afterwards none is read for a week."""
    fleet(github, 11, {date(2009, 12, 1): 4, date(2026, 11, 20): 2})
    settings = settings_for(repositories="octo-lab/*")
    assert collect(github, settings) == (0, 300, ())
    assert len(stars_of(settings)) == 10
    assert collect(github, settings) == (0, 30, ())
    assert len(stars_of(settings)) == 11
    before = exported(settings.export_to)
    assert collect(github, settings) == (0, 0, ())
    assert exported(settings.export_to) == before
    assert verify_all(settings, repair=False).problems == ()


def stars_of(settings: Settings) -> list[int]:
    """Return the ids of the repositories whose stars are stored."""
    return [number for number, history in stored(settings.store).items() if history.stars]


@pytest.mark.e2e  # hundreds of requests take a second
def test_a_refused_repository_takes_one_page_a_week(github: FakeGitHub, settings_for: Report) -> None:
    """The next run does not request it again, even after an earlier success."""
    fleet(github, 11, {date(2026, 11, 20): 2})
    settings = settings_for(repositories="octo-lab/*")
    slow = replace(Refusal.NOT_ACCESSIBLE_BY_TOKEN.value, seconds=0.5)  # all reserve pages before the first answer
    github.refuse(slow, path=HISTORY)
    assert [collect(github, settings)[:2] for _ in range(2)] == [(0, 11), (0, 0)]
    github.now += WEEK
    github.allow()
    assert [collect(github, settings)[:2] for _ in range(2)] == [(0, 11), (0, 0)]
    github.now += WEEK
    github.refuse(slow, path=HISTORY)
    assert [collect(github, settings)[:2] for _ in range(2)] == [(0, 11), (0, 0)]
    assert len(stars_of(settings)) == 11
