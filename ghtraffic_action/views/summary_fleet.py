"""Many repositories in the job summary: their totals and the biggest changes."""

from collections.abc import Iterable, Iterator, Sequence

from ghtraffic_action.report import RepositoryResult
from ghtraffic_action.traffic.model import Metric
from ghtraffic_action.traffic.periods import Change, last_known, weekly_change
from ghtraffic_action.views.markdown import escape_markdown, head, row

_MOVERS = 5
"""Repositories that are listed."""


def fleet(repositories: Sequence[RepositoryResult]) -> Iterator[str]:
    """Yield the totals of several repositories and what changed most; nothing for one."""
    views = [(found, change) for found, change in _changes(repositories, "views") if change.difference is not None]
    if len(views) < 2:  # noqa: PLR2004 - one repository has a chart of its own
        return
    clones = [change for _, change in _changes(repositories, "clones") if change.difference is not None]
    left_out = len(repositories) - len(views)
    yield ""
    totals = f"{_total((change for _, change in views), 'views')}, {_total(clones, 'clones')}"
    yield f"**Last 7 listed days against the 7 before:** {totals}."
    if left_out:
        names = "repository is" if left_out == 1 else "repositories are"
        yield f"{left_out} {names} not counted: a day of the 14 is unknown."
    moved = sorted((pair for pair in views if pair[1].difference), key=lambda pair: -abs(pair[1].difference or 0))
    if moved:
        yield ""
        yield from head(("biggest changes", "views", "before", "change"))
    for found, change in moved[:_MOVERS]:
        yield row((escape_markdown(found.name), f"{change.now:,}", f"{change.before:,}", f"{change.difference:+,}"))


def _changes(repositories: Iterable[RepositoryResult], metric: Metric) -> Iterator[tuple[RepositoryResult, Change]]:
    for found in repositories:
        if last := last_known(found.days):
            yield found, weekly_change(found.days, metric, last)


def _total(changes: Iterable[Change], name: str) -> str:
    counted = list(changes)
    now, before = sum(change.now or 0 for change in counted), sum(change.before or 0 for change in counted)
    share = f", {(now - before) / before:+.0%}" if before else ""
    return f"{now:,} {name} ({now - before:+,}{share})"
