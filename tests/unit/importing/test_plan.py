"""The plan of an import: what it counts and drops; nothing is written without --yes."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.plan import LARGER, Raise
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.coverage import Coverage, known_days
from ghtraffic_action.traffic.model import Changes, Day, DayRange, Metadata, Snapshot, Totals
from ghtraffic_action.views.import_plan import fold, plan_lines
from tests.support.imports import ATLAS, STORE, backup_of, bring, days_of, history_of, write_csv

HEADER = "date,views,uniques"
LISTED = DayRange(date(2026, 1, 5), date(2026, 1, 18))


def collected(numbers: dict[date, int], created: date = date(2020, 1, 1)) -> None:
    """Store a whole answer of 2026-01-20 with these views."""
    at = datetime(2026, 1, 20, 12, tzinfo=UTC)
    seen = Snapshot(
        at.date(),
        ATLAS,
        metadata=Metadata(at, 1, 1, None, None, None, archived=False, created=created),
        views=Totals(at, 1, 1, LISTED.last),
        views_listed=frozenset({LISTED}),
    )
    with closing(open_store(STORE, create=True)) as store:
        store.save(7, Changes(tuple(Day(day, ATLAS, views, 1) for day, views in numbers.items()), (seen,)))


def views(*numbers: tuple[date, int]) -> str:
    return write_csv("views.csv", HEADER, *(f"{day},{number},{min(number, 1)}" for day, number in numbers))


def january(day: int) -> date:
    return date(2026, 1, day)


def test_a_plan_counts_days() -> None:
    """The plan has new, raised, equal and lower days, the span, the sums, the raises and the gaps."""
    bring(views(*((january(day), 10 * day) for day in (1, 2, 3, 4))))
    path = views((january(2), 25), (january(3), 30), (january(4), 1), (january(9), 5), (january(12), 6))
    (found,) = bring(path, write=False).repositories
    assert (found.first, found.last, found.days, found.sums) == (january(2), january(12), 5, {"views": 67})
    assert (found.new, found.raised, found.equal, found.lower) == (2, 1, 1, 1)
    assert found.raises == (Raise(january(2), "views", 20, 25),)
    assert found.gaps == (DayRange(january(5), january(8)), DayRange(january(10), january(11)))
    assert found.missing == 6


def test_the_three_largest_raises_are_named() -> None:
    """Of many raised numbers the ones with the largest change are shown."""
    bring(views(*((january(day), 10) for day in (1, 2, 3, 4, 6))))
    (found,) = bring(views(*((january(day), 10 + day) for day in (1, 2, 3, 4, 6)))).repositories
    assert [raised.after - raised.before for raised in found.raises] == [6, 4, 3]


def test_a_day_that_github_listed_stays_as_it_is() -> None:
    """A larger foreign number is dropped with a reason, and the day stays complete."""
    collected({january(6): 8})
    before = {day.day: day for day in known_days(history_of())}
    path = views((january(4), 7), (january(6), 9), (january(7), 3), (january(8), 0))
    (found,) = bring(path).repositories
    assert found.dropped[LARGER] == 2
    after = {day.day: day for day in known_days(history_of())}
    assert after.pop(january(4)).state is Coverage.IMPORTED
    assert after == before


def test_a_file_that_contradicts_github_is_refused() -> None:
    """A file with larger numbers than GitHub's on most days has sums, or another repository's numbers."""
    collected({january(6): 8, january(7): 8, january(8): 8})
    path = views((january(4), 70), (january(6), 90), (january(7), 30), (january(8), 20))
    before = backup_of()
    with pytest.raises(ForeignFileError, match="3 of 3 numbers are larger than GitHub's own of the same days"):
        bring(path)
    assert backup_of() == before
    bring(path, force=True)
    assert [(day.day, day.views) for day in days_of()][:2] == [(january(4), 70), (january(6), 8)]


def test_days_before_the_repository_are_dropped() -> None:
    """Days before the repository was created are dropped."""
    collected({january(6): 8}, created=january(3))
    (found,) = bring(views((january(2), 7), (january(3), 7))).repositories
    assert found.dropped["days before the repository was created"] == 1
    assert [day.day for day in days_of()] == [january(3), january(6)]


def test_imported_numbers_are_raised_by_later_files() -> None:
    """If two tools have the same day, the larger of each number is stored."""
    bring(views((january(2), 5)))
    bring(write_csv("other.csv", HEADER, "2026-01-02,4,3"))
    assert days_of() == (Day(january(2), ATLAS, 5, 3),)


def test_the_same_twice_changes_nothing() -> None:
    """The second import has no news, so it leaves no record either."""
    path = views((january(2), 5), (january(3), 6))
    bring(path)
    before = backup_of()
    assert not bring(path, now=datetime(2026, 12, 1, tzinfo=UTC)).changes
    assert backup_of() == before


def test_nothing_is_written_without_yes(capsys: pytest.CaptureFixture[str]) -> None:
    """The command shows the plan and says how to write it."""
    path = views((january(2), 5), (january(4), 6))
    command = ["import", path, "--repository", ATLAS, "--repository-id", "7", "--store", STORE]
    assert main(command) == 0
    assert not Path("traffic.db").exists()
    assert capsys.readouterr().out.splitlines() == [
        f"{ATLAS} (7): CSV",
        "  1 files: views.csv",
        "  2026-01-02 to 2026-01-04: 2 days with 11 views",
        "  2 new, 0 raised, 0 equal, 0 lower than stored",
        "  1 days unknown in 1 gaps, the longest 2026-01-03 to 2026-01-03",
        "nothing was written: add --yes to write what is new and raised",
    ]
    assert main([*command, "--yes"]) == 0
    assert "2 days inserted, 0 raised" in capsys.readouterr().out
    assert len(days_of()) == 2


def test_paths_and_referrers_cover_no_day() -> None:
    """A dated snapshot of GHRS has the top paths of its day and covers no day."""
    name = "2026-01-20_230316_top_paths_snapshot.csv"
    bring(write_csv(name, "url_path,views_total,views_unique", "/octo-lab/atlas,9,4"))
    (seen,) = history_of().snapshots
    assert seen.paths is not None
    assert (seen.paths.at, seen.paths.rows[0].count) == (datetime(2026, 1, 20, 23, 3, 16, tzinfo=UTC), 9)
    assert list(known_days(history_of())) == []


def test_a_later_snapshot_of_the_day_stays() -> None:
    """The later answer of a day is stored, whatever the order of the files."""
    names = [f"2026-01-20_{hour}0000_top_referrers_snapshot.csv" for hour in ("11", "23")]
    for number, name in enumerate(names):
        write_csv(name, "referrer,views_total,views_unique", f"t.co,{number},0")
    for order, store in ((names, "sqlite:a.db"), (names[::-1], "sqlite:b.db")):
        for name in order:
            bring(name, store=store)
        (seen,) = history_of(store=store).snapshots
        assert seen.referrers is not None
        assert seen.referrers.rows[0].count == 1


def test_backups_and_foreign_files_go_together() -> None:
    """A folder with a backup of ours and a foreign file brings both, with --yes alone."""
    bring(views((january(2), 5)), store="sqlite:other.db")
    Path("folder").mkdir()
    Path("folder/backup.jsonl").write_bytes(backup_of("sqlite:other.db"))
    write_csv("folder/clones.csv", "date,clones,uniques", "2026-01-02,3,1")
    bring("folder", write=False)
    assert not Path("traffic.db").exists()
    bring("folder")
    assert days_of() == (Day(january(2), ATLAS, 5, 1, 3, 1),)


def test_a_day_that_is_not_listed_yet_can_be_imported() -> None:
    """Yesterday, which GitHub has not listed, is provisional with the number of another tool."""
    collected({january(6): 8})
    bring(views((LISTED.last + timedelta(days=1), 4)))
    states = {day.day: day.state for day in known_days(history_of())}
    assert states[LISTED.last + timedelta(days=1)] is Coverage.PROVISIONAL
    assert replace(days_of()[-1], view_uniques=None).views == 4


def test_a_plan_fits_into_a_terminal() -> None:
    """Rows have the terminal's width, later ones are indented; names stay whole, and a pipe has a line each."""
    write_csv("folder/a-long-name-of-a-file-of-views.csv", "date,views,uniques", "2024-01-01,9,4")
    write_csv("folder/a-long-name-of-a-file-of-clones.csv", "date,clones,uniques", "2024-01-01,9,4")
    write_csv("folder/another-file.csv", "date,clones,uniques", "2024-01-03,9,4")
    lines = list(plan_lines(bring("folder")))
    rows = [row for line in lines for row in fold(line, 80).splitlines()]
    assert max(map(len, rows)) <= 80
    assert len(rows) > len(lines)
    assert " ".join(" ".join(rows).split()) == " ".join(" ".join(lines).split())
    assert [fold(line, 0) for line in lines] == lines
