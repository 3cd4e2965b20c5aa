"""How GitHub tells the traffic that really was: late, growing through the day, cut short at the window's edge.

Each habit was seen in 3,685 answers that GitHub gave for two repositories over four years: today's number is what the
day has brought so far, yesterday's is nearly final, a few days rise once more up to 13 days later, the oldest day of a
window of 15 rows is cut short, days of zero are left out or not, and an answer may lag behind by days.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal
from zlib import crc32

from ghtraffic_action.standin.recorded import TOP, PathRow, ReferrerRow, Row, Series

OLDEST = 13
"""The age in days of the oldest day that an answer lists in full."""
HOURS = 24
PAGES = (
    ("", "{name}: an invented repository"),
    ("/blob/main/README.md", "{name}/README.md at main"),
    ("/issues", "Issues - {name}"),
    ("/releases", "Releases - {name}"),
    ("/tree/main/src", "{name}/src at main"),
    ("/pulls", "Pull requests - {name}"),
    ("/actions", "Workflow runs - {name}"),
    ("/wiki", "Home - {name} Wiki"),
    ("/network/members", "Forks - {name}"),
    ("/blob/main/docs/guide.md", "{name}/docs/guide.md at main"),
    ("/graphs/contributors", "Contributors to {name}"),
    ("/security", "Security Overview - {name}"),
)
SITES = (
    "Google",
    "github.com",
    "news.ycombinator.com",
    "Bing",
    "DuckDuckGo",
    "reddit.com",
    "pypi.org",
    "stackoverflow.com",
    "lobste.rs",
    "mastodon.social",
    "t.co",
    "dev.to",
)


class GeneratedTraffic:
    """Traffic whose truth is known: `views` and `clones` hold each day's final count and uniques.

    Args:
        views: the truth, by day; a day that is not in it had none.
        clones: likewise.
        name: the repository that the top paths are of.
        seed: another seed gives other late days, other top paths and other referrers.
        omit_zeros: whether a day of zero is left out of an answer.
        lag_days: how many of the newest days are not listed yet.
        include_today: whether today is listed at all.
        cut_until_hour: the UTC hour from which on the fifteenth row, the one that is cut short, is no longer listed.
        latest_rise: the age in days, 2 to 13, by which every day is final.
    """

    def __init__(  # noqa: PLR0913 - each is a habit of GitHub's, with its default
        self,
        views: Mapping[date, tuple[int, int]],
        clones: Mapping[date, tuple[int, int]],
        *,
        name: str = "owner/name",
        seed: int = 0,
        omit_zeros: bool = False,
        lag_days: int = 0,
        include_today: bool = True,
        cut_until_hour: int = 12,
        latest_rise: int = OLDEST,
    ) -> None:
        self._truth = {"views": views, "clones": clones}
        self._first = min((day for days in self._truth.values() for day in days), default=date.max)
        self._name = name
        self._seed = seed
        self._omit_zeros = omit_zeros
        self._youngest = max(lag_days, 0 if include_today else 1)
        self._cut_until_hour = cut_until_hour
        self._latest_rise = latest_rise

    def truth(self, metric: Literal["views", "clones"], day: date) -> tuple[int, int]:
        """Say what really happened: the final count and uniques of a day."""
        return self._truth[metric].get(day, (0, 0))

    def views(self, now: datetime) -> Series:
        """Tell the views of the window."""
        return self._series("views", now)

    def clones(self, now: datetime) -> Series:
        """Tell the clones of the window."""
        return self._series("clones", now)

    def paths(self, now: datetime) -> tuple[PathRow, ...]:
        """Share the views of the 14 days before today among invented pages."""
        path = f"/{self._name}"
        return tuple(
            (path + page, title.format(name=self._name), count, uniques)
            for (page, title), count, uniques in self._shares(PAGES, now)
        )

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """Share the views of the 14 days before today among well-known sites."""
        return tuple((site, count, uniques) for (site,), count, uniques in self._shares(zip(SITES, strict=True), now))

    def _series(self, metric: Literal["views", "clones"], now: datetime) -> Series:
        oldest = OLDEST + (now.hour < self._cut_until_hour)
        days = (now.date() - timedelta(days=age) for age in range(oldest, self._youngest - 1, -1))
        rows = tuple(
            row
            for day in days
            if day >= self._first
            for row in (self._row(metric, day, now),)
            if row[1] or not self._omit_zeros
        )
        listed = Series.of(rows)
        # A visitor of two days counts once in the window's uniques: they lie between the best day's and the sum.
        return Series(listed.count, max([listed.uniques * 7 // 10, *(row[2] for row in rows)], default=0), rows)

    def _row(self, metric: Literal["views", "clones"], day: date, now: datetime) -> Row:
        count, uniques = self.truth(metric, day)
        shown = self._shown(metric, day, now, count)
        return day, shown, max(self._shown(metric, day, now, uniques), min(1, shown, uniques))

    def _shown(self, metric: str, day: date, now: datetime, final: int) -> int:
        """Say how much of a day's final number GitHub tells at `now`: it only falls at the edge of the window."""
        age = (now.date() - day).days
        if age > OLDEST:
            return final * (HOURS - 1 - now.hour) // HOURS
        if age == 0:
            return final * now.hour // HOURS
        return final if age >= self._settled(metric, day) else final - max(min(1, final), final * 3 // 100)

    def _settled(self, metric: str, day: date) -> int:
        """Draw the age at which a day is final: 2 days for most, up to `latest_rise` for one in eight."""
        drawn = self._draw(metric, day)
        return 2 + (drawn // 8) % (self._latest_rise - 1) if drawn % 8 == 0 else 2

    def _shares(self, names: Iterable[tuple[str, ...]], now: datetime) -> list[tuple[tuple[str, ...], int, int]]:
        today = now.date()
        days = [self.truth("views", today - timedelta(days=age)) for age in range(1, OLDEST + 2)]
        total, visitors = sum(count for count, _ in days), sum(uniques for _, uniques in days)
        shares = []
        for rank, name in enumerate(names):
            count = total * (60 + self._draw(name[0], today) % 40) // (400 * (rank + 1))
            if count:
                shares.append((name, count, max(1, count * visitors // (total * 2))))
        return sorted(shares, key=lambda share: (-share[1], share[0]))[:TOP]

    def _draw(self, *what: object) -> int:
        return crc32(repr((self._seed, *(str(part) for part in what))).encode())
