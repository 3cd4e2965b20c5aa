"""Many repositories in the job summary: totals, biggest changes, remedies."""

from collections.abc import Iterator, Sequence

from ghtraffic_action.report import FEW, RepositoryResult
from ghtraffic_action.run_report import Sum, movers, refusals, weekly_sum
from ghtraffic_action.views.markdown import escape_markdown, escape_message, head, row


def fleet_summary(repositories: Sequence[RepositoryResult]) -> Iterator[str]:
    """Yield several repositories' totals and biggest changes."""
    views = weekly_sum(repositories, "views")
    if views.counted < 2:  # noqa: PLR2004 - one repository has a chart of its own
        return
    left_out = len(repositories) - views.counted
    yield ""
    totals = f"{_total(views, 'views')}, {_total(weekly_sum(repositories, 'clones'), 'clones')}"
    yield f"**Last 7 listed days against the 7 before:** {totals}."
    if left_out:
        names = "repository is" if left_out == 1 else "repositories are"
        yield f"{left_out} {names} not counted: a day of the 14 is unknown."
    moved = movers(repositories)
    if moved:
        yield ""
        yield from head(("biggest changes", "views", "before", "change"))
    for found in moved:
        yield row((escape_markdown(found.name), f"{found.views:,}", f"{found.views_before:,}", f"{found.change:+,}"))


def refusal_lists(failed: Sequence[RepositoryResult]) -> Iterator[str]:
    """Yield all repositories with the same remedy, if its error cannot list them."""
    for group in refusals(failed):
        if len(group.repositories) > FEW:
            yield ""
            title = f"{len(group.repositories)} repositories: {escape_message(group.remedy)}"
            yield f"<details><summary>{title}</summary>"
            yield ""
            yield ", ".join(map(escape_markdown, group.repositories))
            yield ""
            yield "</details>"


def _total(found: Sum, name: str) -> str:
    share = f", {(found.now - found.before) / found.before:+.0%}" if found.before else ""
    return f"{found.now:,} {name} ({found.now - found.before:+,}{share})"
