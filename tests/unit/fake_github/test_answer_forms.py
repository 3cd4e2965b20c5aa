"""The fake GitHub's traffic answers: recorded, in the form since December 2025, and in the old form."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Literal

import pytest

from ghtraffic_action.demo.forms import DAY
from tests.support.fake_github import (
    OLD,
    WHOLE,
    Form,
    FormChange,
    GeneratedTraffic,
    OldForm,
    PlaceholderForm,
    RecordedTraffic,
    Replay,
    Series,
    late_batch,
)
from tests.support.fake_github_world import CLONES, NOW, PATHS, REFERRERS, TODAY, VIEWS, generated


def hours(days: int) -> Iterator[datetime]:
    """Return each hour of the `days` days until NOW."""
    return (NOW - timedelta(hours=age) for age in range(24 * days, -1, -1))


def at(hour: int, day: date = TODAY) -> datetime:
    return NOW.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=0)


def last_day(traffic: GeneratedTraffic, now: datetime) -> date:
    return traffic.views(now).rows[-1][0]


def old(days: int = 60, form: Form = OLD) -> GeneratedTraffic:
    return generated(days, form=form)


class TestRecorded:
    """Recorded answers."""

    def test_totals_are_the_sums_of_the_rows(self) -> None:
        """Without totals of their own, rows get the sums of their counts and uniques."""
        assert RecordedTraffic(VIEWS).views(NOW) == Series(42, 10, VIEWS)

    def test_totals_can_be_given(self) -> None:
        """A Series keeps its totals: GitHub's uniques over the window are not the sum of the days."""
        assert RecordedTraffic(clones=Series(7, 2, CLONES)).clones(NOW).uniques == 2

    def test_ten_paths_and_referrers_at_most(self) -> None:
        """GitHub lists at most ten of each."""
        many = RecordedTraffic(paths=PATHS * 6, referrers=REFERRERS * 11)
        assert (len(many.paths(NOW)), len(many.referrers(NOW))) == (10, 10)


class TestWholeForm:
    """The form since December 2025."""

    @pytest.mark.parametrize("metric", ["views", "clones"])
    @pytest.mark.parametrize("seed", range(5))
    def test_every_answer_lists_14_consecutive_final_days(self, metric: Literal["views", "clones"], seed: int) -> None:
        """At every hour 14 days are listed, the own day never, each with its true numbers."""
        traffic = generated(seed=seed)
        for now in hours(10):
            rows = getattr(traffic, metric)(now).rows
            days = [rows[0][0] + n * DAY for n in range(14)]
            assert rows == tuple((day, *traffic.truth(metric, day)) for day in days)
            assert days[-1] < now.date()

    def test_yesterday_is_listed_from_the_morning_on(self) -> None:
        """From 09:00 UTC on the newest day is yesterday; before 05:00 it is the day before."""
        for now in hours(30):
            age = (now.date() - last_day(generated(), now)).days
            assert age == 1 if now.hour >= 9 else age in {1, 2}
            assert age == 2 or now.hour >= 5

    def test_the_hour_of_the_morning_is_drawn_by_repository_and_day(self) -> None:
        """At 07:00 yesterday is listed for some repositories and on some days, and stays listed."""
        by_day = {last_day(generated(), at(7, TODAY - n * DAY)) - (TODAY - n * DAY) for n in range(30)}
        by_repository = {last_day(generated(seed=seed), at(7)) for seed in range(30)}
        assert (len(by_day), len(by_repository)) == (2, 2)
        listed = [last_day(generated(), now) for now in hours(30)]
        assert listed == sorted(listed)

    def test_zeros_are_listed_even_before_the_first_day(self) -> None:
        """A day without traffic is a row of zeros, also before the repository was created."""
        rows = GeneratedTraffic({TODAY - DAY: (4, 2)}, {}).views(NOW).rows
        assert rows == (*((TODAY - n * DAY, 0, 0) for n in range(14, 1, -1)), (TODAY - DAY, 4, 2))
        assert GeneratedTraffic({}, {}).clones(NOW).count == 0

    def test_count_is_the_sum_and_uniques_are_deduplicated(self) -> None:
        """A visitor of two days counts once in the window's uniques."""
        series = generated().views(NOW)
        assert series.count == sum(row[1] for row in series.rows)
        assert max(row[2] for row in series.rows) <= series.uniques < sum(row[2] for row in series.rows)

    def test_top_ten_follow_the_listed_views(self) -> None:
        """Paths and referrers share the listed views: ten at most, the largest first, the same for the same days."""
        traffic, total = generated(), generated().views(NOW).count
        for rows in (traffic.paths(NOW), traffic.referrers(NOW)):
            counts = [row[-2] for row in rows]
            assert len(rows) == 10
            assert counts == sorted(counts, reverse=True)
            assert sum(counts) <= total
            assert all(0 < row[-1] <= row[-2] for row in rows)
        assert traffic.paths(NOW)[0][:2] == ("/octo/tool", "octo/tool: an invented repository")
        assert traffic.paths(NOW) == generated().paths(at(4) + DAY) != generated(seed=1).paths(NOW)
        assert GeneratedTraffic({}, {}).paths(NOW) == ()


class TestComposedForms:
    """Late batches, replays, placeholders, and a change of the form."""

    def test_a_late_batch_lists_no_newer_day(self) -> None:
        """Until the batch comes all repositories alike lack days; then they are listed at once."""
        begin = at(10, TODAY - 3 * DAY)
        for seed in range(5):
            traffic = generated(seed=seed, form=late_batch(WHOLE, begin, begin + 3 * DAY))
            ages = [(now.date() - last_day(traffic, now)).days for now in (begin + n * DAY for n in range(4))]
            assert ages == [1, 2, 3, 1]
            assert traffic.views(begin + 2 * DAY) == traffic.views(begin)

    def test_a_replay_is_an_earlier_answer(self) -> None:
        """For some minutes all four endpoints, or those that are named, answer as weeks before."""
        begin, end, of = NOW, NOW + timedelta(minutes=2), NOW - 25 * DAY
        traffic, fresh = generated(form=Replay(WHOLE, begin, end, of)), generated()
        assert last_day(traffic, begin) == TODAY - 26 * DAY
        for name in ("views", "clones", "paths", "referrers"):
            answer, regular = getattr(traffic, name), getattr(fresh, name)
            assert answer(begin) == regular(of) != regular(begin)
            assert answer(begin - timedelta(minutes=1)) == answer(end) == regular(begin)
        partial = generated(form=Replay(WHOLE, begin, end, of, endpoints={"paths"}))
        assert partial.views(begin) == fresh.views(begin)
        assert partial.paths(begin) == fresh.paths(of)

    def test_a_placeholder_is_14_zeros_that_end_today(self) -> None:
        """A new repository has no numbers until the batch sees it."""
        traffic = generated(form=FormChange(PlaceholderForm(), at(9), WHOLE))
        assert traffic.views(at(8)) == Series(0, 0, tuple((TODAY - n * DAY, 0, 0) for n in range(13, -1, -1)))
        assert (traffic.paths(at(8)), traffic.referrers(at(8))) == ((), ())
        assert traffic.views(at(9)) == generated().views(at(9))

    def test_the_form_may_change_and_be_replayed_from_before(self) -> None:
        """A repository of the old form changes at a moment; a replay brings an answer of the old form back."""
        change = FormChange(OLD, at(12), WHOLE)
        traffic = generated(form=Replay(change, at(15), at(16), of=at(11)))
        assert [last_day(traffic, at(hour)) for hour in (11, 12, 15, 16)] == [TODAY, TODAY - DAY, TODAY, TODAY - DAY]


class TestOldForm:
    """The form until December 2025."""

    def test_fifteen_rows_early_and_fourteen_late(self) -> None:
        """The day of age 14 is listed only in the early hours."""
        early, late = (old().views(at(hour)).rows for hour in (3, 15))
        assert [early[0][0], late[0][0]] == [TODAY - 14 * DAY, TODAY - 13 * DAY]
        assert (len(early), len(late)) == (15, 14)

    def test_the_oldest_day_is_cut_short(self) -> None:
        """At age 14 a day shows less than it did at age 13."""
        day = TODAY - 14 * DAY
        cut = old().views(at(3)).rows[0]
        assert cut[0] == day
        assert 0 < cut[1] < old().truth("views", day)[0]
        assert 0 < cut[2] < old().truth("views", day)[1]

    def test_today_grows_through_the_day(self) -> None:
        """Today's row is what the hours so far have brought."""
        shown = [old().views(at(hour)).rows[-1] for hour in (0, 12, 23)]
        assert [row[0] for row in shown] == [TODAY] * 3
        assert [row[1] for row in shown] == [0, 15, 28]

    @pytest.mark.parametrize("metric", ["views", "clones"])
    def test_no_number_falls_before_age_14_and_all_are_final_at_13(self, metric: Literal["views", "clones"]) -> None:
        """From hour to hour and day to day a number only grows, to the truth at age 13 at the latest."""
        traffic = old()
        seen: dict[date, tuple[int, int]] = {}
        for now in hours(30):
            for day, *numbers in getattr(traffic, metric)(now).rows:
                age = (now.date() - day).days
                before = seen.get(day, (0, 0))
                if age <= 13:
                    assert all(new >= old for new, old in zip(numbers, before, strict=True))
                    seen[day] = (numbers[0], numbers[1])
                if age == 13:
                    assert seen[day] == traffic.truth(metric, day)

    def test_some_days_rise_late(self) -> None:
        """Yesterday is nearly final, most days are final at age 2, a few rise later; `latest_rise=2` makes none."""
        traffic, prompt = old(), old(form=OldForm(latest_rise=2))
        late = [day for day, count, _ in traffic.views(NOW).rows[:-2] if count < traffic.truth("views", day)[0]]
        yesterday = prompt.views(NOW).rows[-2]
        assert 0 < len(late) < 6
        assert yesterday[1] == prompt.truth("views", yesterday[0])[0] - 1
        assert all(count == prompt.truth("views", day)[0] for day, count, _ in prompt.views(NOW).rows[:-2])

    def test_newest_days_can_lag_or_lack(self) -> None:
        """An answer may lag behind by days, or leave out today."""
        assert last_day(old(form=OldForm(lag_days=3)), NOW) == TODAY - 3 * DAY
        assert last_day(old(form=OldForm(include_today=False)), NOW) == TODAY - DAY

    def test_days_of_zero_are_listed_or_left_out(self) -> None:
        """GitHub sometimes listed a day of zero and sometimes left it out."""
        quiet = {TODAY - 5 * DAY: (4, 2)}
        omitting, listing = (GeneratedTraffic(quiet, {}, form=OldForm(omit_zeros=omit)) for omit in (True, False))
        assert omitting.views(NOW).rows == ((TODAY - 5 * DAY, 4, 2),)
        assert len(listing.views(NOW).rows) == 6
        assert [row[1] for row in listing.clones(NOW).rows] == [0] * 6

    def test_nothing_is_listed_before_the_first_day(self) -> None:
        """A young repository's answer begins with its first day."""
        assert old(3).views(NOW).rows[0][0] == TODAY - 2 * DAY
        assert GeneratedTraffic({}, {}, form=OLD).views(NOW) == Series(0, 0, ())
