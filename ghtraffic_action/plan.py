"""When each repository is collected: order, freshness, deadlines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import zip_longest

from ghtraffic_action.exports.incremental import ExportBefore
from ghtraffic_action.github.lookup import Lookup
from ghtraffic_action.report import Unfinished, Unlisted
from ghtraffic_action.repository_names import is_excluded
from ghtraffic_action.traffic.coverage import deadline
from ghtraffic_action.traffic.observation import Repository

_DAY = timedelta(days=1)


def order(
    repositories: Iterable[Repository], before: ExportBefore, account: Callable[[str], str]
) -> tuple[Repository, ...]:
    """Return repositories, those observed longest ago first, with accounts alternating, since each has its own pace."""
    accounts: dict[str, list[Repository]] = {}
    for repository in sorted(repositories, key=lambda found: before.observed(found.id)):
        accounts.setdefault(account(repository.name), []).append(repository)
    return tuple(found for turn in zip_longest(*accounts.values()) for found in turn if found)


def is_fresh(repository: Repository, before: ExportBefore, now: datetime) -> bool:
    """Return whether a repository was observed on this UTC day."""
    return before.observed(repository.id) >= now.date()


def due(observed: date, today: date) -> date:
    """Return a repository's deadline, `date.min` if it was never observed.

    A run before this day loses nothing.
    """
    # Without an earlier observation each day of waiting loses the oldest of GitHub's 14 days.
    return today + _DAY if observed == date.min else deadline(observed - 2 * _DAY)


def unfinished(
    repositories: Sequence[Repository], before: ExportBefore, why: str, now: datetime, *, once_a_day: bool
) -> Unfinished | None:
    """Return a summary of repositories that were not started, None without any.

    The next run is assumed a day later; with `once_a_day` there is another one on the same day.
    """
    if not repositories:
        return None
    stalest = min(repositories, key=lambda found: before.observed(found.id))
    observed, today = before.observed(stalest.id), now.date()
    return Unfinished(
        number=len(repositories),
        why=why,
        stalest=stalest.name,
        observed=None if observed == date.min else observed,
        deadline=due(observed, today),
        next_run=today if once_a_day else today + _DAY,
    )


def no_longer_listed(before: ExportBefore, patterns: Sequence[str], lookup: Lookup) -> Iterator[Unlisted]:
    """Yield exported repositories that match `OWNER/*` and are no longer listed by GitHub."""
    listed = {pattern.lower() for pattern in patterns if pattern.endswith("/*") and not pattern.startswith("!")}
    ids = {found.id for found in lookup.found}
    names = {name.lower() for name in (*(found.name for found in lookup.found), *lookup.refused)}
    for repository_id, entry in before.catalogue.items():
        name = entry.name.lower()
        meant = f"{name.partition('/')[0]}/*" in listed and not is_excluded(name, patterns)
        if meant and not entry.retired and repository_id not in ids and name not in names:
            yield Unlisted(entry.name, entry.observed, deadline(entry.observed - 2 * _DAY))
