"""GitHub's answers for generated traffic."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from ghtraffic_action.demo.forms import Form, Truth, WholeForm
from ghtraffic_action.demo.traffic import TOP, Endpoint, Numbers, PathRow, ReferrerRow, Series

WHOLE = WholeForm()

_PAGES = (
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
_SITES = (
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
_NEWS = "news.ycombinator.com"


class GeneratedTraffic:
    """Generated traffic with known true numbers.

    Args:
        views: final count and uniques by day; missing days have none.
        clones: final count and uniques by day.
        name: the repository of the top paths.
        seed: another seed gives other habits, top paths and referrers.
        news: how many of a day's views one news site brought.
        form: the form of the answers.
    """

    def __init__(  # noqa: PLR0913 - the truth, and four habits with defaults
        self,
        views: Mapping[date, Numbers],
        clones: Mapping[date, Numbers],
        *,
        name: str = "owner/name",
        seed: int = 0,
        news: Mapping[date, int] | None = None,
        form: Form = WHOLE,
    ) -> None:
        self._truth = Truth(views, clones, seed)
        self._news = news or {}
        self._name = name
        self._form = form

    def truth(self, metric: Literal["views", "clones"], day: date) -> Numbers:
        """Return a day's final count and uniques."""
        return self._truth.numbers(metric, day)

    def views(self, now: datetime) -> Series:
        """See Traffic."""
        return self._series("views", now)

    def clones(self, now: datetime) -> Series:
        """See Traffic."""
        return self._series("clones", now)

    def paths(self, now: datetime) -> tuple[PathRow, ...]:
        """Distribute the listed days' views over generated pages."""
        path = f"/{self._name}"
        return tuple(
            (path + page, title.format(name=self._name), count, uniques)
            for (page, title), count, uniques in self._shares("paths", _PAGES, now)
        )

    def referrers(self, now: datetime) -> tuple[ReferrerRow, ...]:
        """Distribute the listed days' views over well-known sites and the news site."""
        listed = Series.of(self._form.rows(self._truth, "referrers", now))
        brought = sum(self._news.get(day, 0) for day, _, _ in listed.rows)
        sites = {
            site: (count, uniques)
            for (site,), count, uniques in self._shares("referrers", zip(_SITES, strict=True), now, brought)
        }
        if brought:
            count, uniques = sites.get(_NEWS, (0, 0))
            sites[_NEWS] = (count + brought, uniques + brought * listed.uniques // (listed.count * 2))
        rows = ((site, *numbers) for site, numbers in sites.items())
        return tuple(sorted(rows, key=lambda row: (-row[1], row[0]))[:TOP])

    def _series(self, endpoint: Endpoint, now: datetime) -> Series:
        listed = Series.of(self._form.rows(self._truth, endpoint, now))
        # A visitor of two days counts once in the window's uniques: they lie between the best day's and the sum.
        uniques = max([listed.uniques * 7 // 10, *(row[2] for row in listed.rows)], default=0)
        return Series(listed.count, uniques, listed.rows)

    def _shares(
        self, endpoint: Endpoint, names: Iterable[tuple[str, ...]], now: datetime, apart: int = 0
    ) -> list[tuple[tuple[str, ...], int, int]]:
        listed = Series.of(self._form.rows(self._truth, endpoint, now))
        if not listed.count:
            return []
        shares = []
        for rank, name in enumerate(names):
            drawn = self._truth.draw(name[0], listed.rows[-1][0])
            if count := (listed.count - apart) * (60 + drawn % 40) // (400 * (rank + 1)):
                shares.append((name, count, max(1, count * listed.uniques // (listed.count * 2))))
        return sorted(shares, key=lambda share: (-share[1], share[0]))[:TOP]
