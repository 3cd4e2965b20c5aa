"""Results for repositories from what was observed and stored."""

from dataclasses import replace

from ghtraffic_action.exports.catalogue import CatalogueEntry
from ghtraffic_action.exports.rows import SHOWN, RenderedHistory
from ghtraffic_action.report import RepositoryResult
from ghtraffic_action.stores.base import Saved
from ghtraffic_action.traffic.coverage import DayCoverage, deadline, last_listed, observed
from ghtraffic_action.traffic.model import History
from ghtraffic_action.traffic.news import find_news
from ghtraffic_action.traffic.observation import Observation, Repository


def failed_result(repository: Repository, *, errors: tuple[str, ...]) -> RepositoryResult:
    """Return the result for a repository not collected."""
    return RepositoryResult(
        repository.name, repository.id, repository.private, stars=repository.metadata.stars, errors=errors
    )


def _shown(history: History, days: tuple[DayCoverage, ...]) -> tuple[DayCoverage, ...]:
    newest = observed(history)
    return tuple(day for day in days if day.day > newest - SHOWN) if newest else ()


def collected_result(
    observation: Observation,
    saved: Saved,
    history: History,
    rendered: RenderedHistory,
    previous: CatalogueEntry | None,
) -> RepositoryResult:
    """Return the result for a collected and stored repository."""
    repository, views, clones = observation.repository, observation.views, observation.clones
    exported, last = rendered.entry, last_listed(history)
    return RepositoryResult(
        name=repository.name,
        id=repository.id,
        private=repository.private,
        observed=repository.metadata.at,
        stars=repository.metadata.stars,
        views_14d=views.totals.count if views else None,
        view_uniques_14d=views.totals.uniques if views else None,
        clones_14d=clones.totals.count if clones else None,
        clone_uniques_14d=clones.totals.uniques if clones else None,
        inserted=saved.inserted,
        raised=saved.raised,
        first_day=exported.first_day if exported else None,
        lost_days=exported.lost_days if exported else None,
        lost_new=max(0, exported.lost_days - previous.lost_days) if exported and previous else None,
        last_listed=last,
        deadline=deadline(last) if last else None,
        errors=observation.refusals,
        remedies=observation.remedies,
        transient=observation.transient,
        days=_shown(history, rendered.days),
        paths=observation.paths.rows if observation.paths else (),
        referrers=observation.referrers.rows if observation.referrers else (),
    )


def with_news(result: RepositoryResult, before: History, observation: Observation) -> RepositoryResult:
    """Add the observation's notable changes since the history `before` to a result."""
    return replace(result, news=find_news(before, observation, result.days))
