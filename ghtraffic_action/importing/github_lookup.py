"""Lookup at GitHub of repositories unknown to the store."""

from collections.abc import Callable, Mapping
from contextlib import closing

from ghtraffic_action.errors import ForeignFileError, SettingsError
from ghtraffic_action.github.client import GitHub
from ghtraffic_action.github.rate_limit import RateLimiter
from ghtraffic_action.importing.ownership import Identity
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.secrets import read_credentials
from ghtraffic_action.settings import read_settings


def look_up_at_github(name: str, environ: Mapping[str, str], hide: Callable[[str], None]) -> Identity:
    """Look up a repository by its current or former name, with the environment's credentials.

    Raises UserError if GitHub does not know it, or if there are no credentials.
    """
    try:
        settings = read_settings("lookup", environ)
    except SettingsError as error:
        what = "the store does not know its id, and GitHub is not asked without a token"
        raise ForeignFileError(f"{name}: {what}: add --repository-id ID, or a token ({error})") from error
    runtime = Runtime(hide=hide)
    limiter = RateLimiter(runtime.stop, max_wait=settings.max_wait, monotonic=runtime.monotonic)
    credentials = read_credentials(settings, hide)
    with closing(GitHub(credentials, settings.github_api_url, limiter, runtime, settings.platform)) as github:
        found = github.look_up([name])
    if not found.found:
        what = f"its id is not known ({found.refused[name]})"
        raise ForeignFileError(f"{name}: {what}: check the name, or add --repository-id ID")
    return Identity(found.found[0].id, found.found[0].name)
