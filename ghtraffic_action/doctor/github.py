"""Checks the token or App, and access to traffic."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

from ghtraffic_action.doctor.finding import Finding, State
from ghtraffic_action.errors import UserError
from ghtraffic_action.github.app import App, Tokens
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.lists import ListingError
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.github.selection import Filter, Listed, lists_of, select
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.secrets import read_credentials
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.observation import Repository

_TOKENS: tuple[tuple[str, str, State], ...] = (
    ("github_pat_", "a fine-grained token", "ok"),
    ("ghp_", "a classic token, which may do far more than read traffic", "ok"),
    ("gho_", "an OAuth token, as `gh auth token` prints it: it ends when its owner logs out", "ok"),
    ("ghs_", "an App's token for an hour, or the job's own GITHUB_TOKEN, which can never read traffic", "unknown"),
)


_FEW = 3
"""Maximum number of repositories to list by name."""

_LONGEST_WAIT = 30.0
"""Maximum wait for GitHub's limits in seconds."""


def examine_github(settings: Settings, runtime: Runtime) -> Iterator[Finding]:
    """Check access to each repository's traffic with a run's requests."""
    try:
        given = read_credentials(settings, runtime.hide)
        if isinstance(given, App):
            yield Finding(f"github-app: {given.id}, with a key")
        else:
            tokens = given.by_owner if isinstance(given, Tokens) else {"": given}
            yield from (_kind(token, f" of {owner}" if owner else "") for owner, token in tokens.items())
        limiter = RateLimiter(runtime.stop, max_wait=_LONGEST_WAIT)
        with closing(GitHub(given, settings.github_api_url, limiter, runtime, settings.platform)) as github:
            yield from _traffic(github, settings)
            yield from _warned(github)
    except UserError as error:
        yield Finding(error.problem, "problem", "without GitHub's answers nothing can be collected", error.remedy)


def _kind(token: str, of: str) -> Finding:
    for prefix, what, state in _TOKENS:
        if token.startswith(prefix):
            return Finding(f"github-token{of}: {what}", state)
    return Finding(f"github-token{of}: of an unknown kind", "unknown")


def _traffic(github: GitHub, settings: Settings) -> Iterator[Finding]:
    patterns = settings.repositories
    keep = Filter(settings.include_archived, settings.include_forks, settings.visibility)
    lists: dict[str, Sequence[Listed] | None] = {}
    unlisted = False
    for owner in lists_of(patterns):
        try:
            lists[owner] = github.list_repositories(owner, patterns)
        except ListingError as error:
            lists[owner] = error.found or None
            unlisted = True
            yield Finding(error.problem, "problem", "its repositories are not all collected", error.remedy)
    selection = select(patterns, lists, keep)
    yield from (Finding(f"repositories: {note}") for note in selection.notes)
    lookup = github.look_up(selection.names)
    refused = {**lookup.refused, **github.check_access(lookup.found)}
    for name, refusal in sorted(refused.items()):
        yield Finding(f"{name}: {refusal.what}", "problem", "its traffic cannot be read", refusal.remedy)
    readable = [found for found in lookup.found if found.name not in refused]
    if readable:
        yield Finding(f"repositories: the traffic of {len(readable)} can be read")
    if settings.workflow_runs and readable:
        yield _workflow_runs(github, readable)
    yield from (Finding(warning, "unknown") for warning in lookup.warnings)
    if not readable and not refused and not unlisted:
        what = "repositories: none is left to collect"
        yield Finding(what, "problem", "a run would end with an error", "name one that is not excluded")


def _workflow_runs(github: GitHub, repositories: Sequence[Repository]) -> Finding:
    yesterday = max(found.metadata.at for found in repositories).date() - timedelta(days=1)
    refused = github.check_workflow_runs(repositories, yesterday)
    if not refused:
        return Finding(f"workflow-runs: those of {len(repositories)} can be counted")
    names = ", ".join(sorted(refused)[:_FEW]) + (f" and {len(refused) - _FEW} more" if len(refused) > _FEW else "")
    return Finding(
        f"workflow-runs: those of {names} cannot be counted",
        "problem",
        "their column stays empty; a run collects everything else",
        "give the token or the App the repository permission Actions: read, or leave workflow-runs out",
    )


def _warned(github: GitHub) -> Iterator[Finding]:
    ending = [warning for warning in github.warnings if warning.startswith("github-token: ")]
    if github.token_ends:
        found = Finding(f"github-token: it ends on {github.token_ends:%Y-%m-%d}")
        why = {"reason": "days will be lost when it is too late", "remedy": "make a new one before"}
        yield replace(found, state="problem", **why) if ending else found
    for warning in github.warnings:
        if warning not in ending:
            yield Finding(warning, "problem", "dates of this machine cannot be relied on")
