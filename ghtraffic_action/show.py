"""Traffic of stored repositories, for display."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

from ghtraffic_action.errors import SettingsError, StoreError
from ghtraffic_action.repository_names import is_excluded
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.base import EMPTY, open_store
from ghtraffic_action.traffic.coverage import DayCoverage, known_days
from ghtraffic_action.traffic.downloads import DownloadCount, count_downloads
from ghtraffic_action.traffic.model import History, TopPath, TopReferrer
from ghtraffic_action.traffic.periods import Change, last_known, weekly_change

KEPT_DAYS = 7 * 26
"""Maximum number of days to show."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A repository's newest days, stars, paths and referrers.

    `last` is the last known day, `first` the first day of the whole history.
    """

    repository: str
    first: date
    last: date
    days: tuple[DayCoverage, ...]
    stars: int | None
    paths: tuple[TopPath, ...]
    referrers: tuple[TopReferrer, ...]
    downloads: tuple[DownloadCount, ...] = ()
    downloads_since: date | None = None
    """The day of the observation before the newest one."""
    held: tuple[tuple[int, int], ...] = ()
    """Current stars by the year they were given."""

    @property
    def views(self) -> Change:
        """Views of the last seven days and the seven before."""
        return weekly_change(self.days, "views", self.last)

    @property
    def clones(self) -> Change:
        """Clones of the last seven days and the seven before."""
        return weekly_change(self.days, "clones", self.last)

    @property
    def workflow_runs(self) -> Change:
        """Workflow runs of the last seven days and the seven before."""
        return weekly_change(self.days, "workflow_runs", self.last)


def read_traffic(settings: Settings) -> list[Traffic]:
    """Read the traffic of the selected or all repositories, most viewed first.

    Raises UserError, also if the store is empty or does not know a name.
    """
    found, unknown, empty = [], {name for name in settings.repositories if not name.startswith("!")}, True
    with closing(open_store(settings.store, create=False)) as store:
        for history in store.scan():
            empty = False
            if traffic := traffic_of(history):
                name = traffic.repository.lower()
                unknown -= {pattern for pattern in unknown if fnmatchcase(name, pattern.lower())}
                if _selected(name, settings.repositories):
                    found.append(traffic)
    if empty:
        raise StoreError(EMPTY.format(store=settings.store))
    if unknown:
        names = ", ".join(sorted(unknown))
        raise SettingsError(f"repositories: the store does not know {names}: run `ghtraffic status` for its names")
    return sorted(found, key=lambda traffic: (-(traffic.views.now or 0), traffic.repository.lower()))


def traffic_of(history: History) -> Traffic | None:
    """Return a history's traffic for display, None without known days."""
    days = tuple(known_days(history))
    last = last_known(days)
    if last is None:
        return None
    seen = [snapshot.metadata for snapshot in history.snapshots if snapshot.metadata]
    paths = [snapshot.paths for snapshot in history.snapshots if snapshot.paths]
    referrers = [snapshot.referrers for snapshot in history.snapshots if snapshot.referrers]
    downloads = [snapshot.downloads for snapshot in history.snapshots if snapshot.downloads]
    return Traffic(
        repository=days[-1].repository,
        first=days[0].day,
        last=last,
        days=tuple(day for day in days if day.day > days[-1].day - timedelta(days=KEPT_DAYS)),
        stars=seen[-1].stars if seen else None,
        paths=paths[-1].rows if paths else (),
        referrers=referrers[-1].rows if referrers else (),
        downloads=count_downloads(downloads[-1], downloads[-2] if downloads[1:] else None) if downloads else (),
        downloads_since=downloads[-2].at.date() if downloads[1:] else None,
        held=tuple((year.year, sum(stars for _, stars in year.days)) for year in history.stars if year.days),
    )


def _selected(name: str, patterns: Iterable[str]) -> bool:
    wanted = [pattern.lower() for pattern in patterns if not pattern.startswith("!")]
    named = not wanted or any(fnmatchcase(name, pattern) for pattern in wanted)
    return named and not is_excluded(name, patterns)
