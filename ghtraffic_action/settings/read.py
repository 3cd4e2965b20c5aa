"""Reads and checks the settings of a command."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.settings import actions_job, credentials, repositories, storage, values
from ghtraffic_action.settings.model import OLD_NAMES, OLD_SUMMARIES, Command, Heartbeat, Settings, Visibility
from ghtraffic_action.settings.names import environment_name
from ghtraffic_action.settings.reading import Reading

_READERS: dict[str, Callable[[Reading], Any]] = {
    "repositories": repositories.repositories,
    "github_token": credentials.github_token,
    "github_app": credentials.github_app,
    "github_app_key": credentials.github_app_key,
    "store": storage.store,
    "export_to": storage.export_to,
    "summary": values.summary,
    "dry_run": values.boolean("dry_run"),
    "legacy_csv": values.boolean("legacy_csv"),
    "report": values.boolean("report", default=True),
    "pictures": repositories.pictures,
    "pictures_to": storage.pictures_to,
    "max_wait": values.max_wait,
    "include_archived": values.boolean("include_archived"),
    "include_forks": values.boolean("include_forks"),
    "visibility": values.choice("visibility", Visibility, "all"),
    "allow_empty": values.boolean("allow_empty"),
    "allow_failures": values.allow_failures,
    "once_a_day": values.boolean("once_a_day"),
    "workflow_runs": values.boolean("workflow_runs"),
    "heartbeat": values.choice("heartbeat", Heartbeat, "none"),
    "alerts": values.alerts,
    "github_api_url": values.github_api_url,
}
_NEEDED_BY: dict[str, tuple[Command, ...]] = {
    "repositories": ("collect", "status", "doctor", "retire"),
    "github_token": ("collect", "doctor", "lookup"),
    "github_app": ("collect", "doctor", "lookup"),
    "github_app_key": ("collect", "doctor", "lookup"),
    "store": ("collect", "export", "backup", "status", "verify", "doctor", "retire"),
    "export_to": ("collect", "export", "verify", "doctor", "report", "retire"),
    "summary": ("collect", "doctor"),
    "dry_run": ("collect", "doctor"),
    "max_wait": ("collect", "lookup"),
    "include_archived": ("collect", "doctor"),
    "include_forks": ("collect", "doctor"),
    "visibility": ("collect", "doctor"),
    "allow_empty": ("collect",),
    "allow_failures": ("collect",),
    "once_a_day": ("collect",),
    "workflow_runs": ("collect", "doctor"),
    "heartbeat": ("collect", "doctor"),
    "alerts": ("collect", "export"),
    "legacy_csv": ("collect", "export", "verify", "doctor"),
    "report": ("collect", "export", "verify", "doctor"),
    "pictures": ("collect",),
    "pictures_to": ("collect",),
    "github_api_url": ("collect", "doctor", "lookup"),
}
_MEANT = {
    "TOKEN": "GHTRAFFIC_GITHUB_TOKEN",
    "GH_TOKEN": "GHTRAFFIC_GITHUB_TOKEN",
    "PAT": "GHTRAFFIC_GITHUB_TOKEN",
    "GITHUB_API_URL": "GHTRAFFIC_API_URL",
    "REPO": "GHTRAFFIC_REPOSITORIES",
    "REPOS": "GHTRAFFIC_REPOSITORIES",
    "REPOSITORY": "GHTRAFFIC_REPOSITORIES",
    "TABLE": "GHTRAFFIC_STORE=dynamodb://TABLE",
    "BUCKET": "GHTRAFFIC_EXPORT_TO=s3://BUCKET/PREFIX",
    "EXPORT": "GHTRAFFIC_EXPORT_TO",
    "EXPORT_DIR": "GHTRAFFIC_EXPORT_TO",
    "DESTINATION": "GHTRAFFIC_EXPORT_TO",
    "REGION": "AWS_DEFAULT_REGION",
    "AWS_REGION": "AWS_DEFAULT_REGION",
    "PROFILE": "AWS_PROFILE",
    "AWS_PROFILE": "AWS_PROFILE",
}
"""Corrections of likely wrong variables."""


def read_settings(command: Command, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings of `command`; flags take precedence over the environment.

    An empty string is unset. Raises SettingsError with all problems at once.
    """
    reading = Reading(command, environ, flags or {})
    _refuse_unknown(reading)
    needed = [name for name in _READERS if command in _NEEDED_BY.get(name, get_args(Command))]
    usable = [name for name in needed if not credentials.is_misplaced(reading, name) and reading.is_usable(name)]
    found = {name: _READERS[name](reading) for name in usable}
    if reading.platform == "Actions" and any("://" in str(found.get(name)) for name in ("store", "export_to")):
        for name, what in actions_job.missing_aws(environ):
            reading.problem(name, f"{what}: {reading.why_empty('variable')} Or else add `{name}: ...` below `with:`")
    if reading.problems:
        raise SettingsError("\n".join(reading.problems))
    found.setdefault("export_to", "")  # a command that exports nothing is not warned about its default
    workflow_repository = environ.get("GITHUB_REPOSITORY", "") if reading.platform == "Actions" else ""
    old = tuple(name for name, new in OLD_NAMES.items() if new in found and reading.given(name))
    old += tuple({reading.text("summary").lower()} & OLD_SUMMARIES.keys()) if "summary" in found else ()
    return Settings(**found, platform=reading.platform, workflow_repository=workflow_repository, old_names=old)


def _refuse_unknown(reading: Reading) -> None:
    """Report unknown GHTRAFFIC_ variables, such as a misspelt one for a dry run."""
    settings = {name.upper() for name in (*_READERS, *OLD_NAMES)} - {"GITHUB_API_URL"}
    known = {environment_name(name) for name in (*settings, "API_URL", "REPOSITORIES_FILE", "TRAFFIC_TOKEN")}
    for variable, value in sorted(reading.environ.items()):
        spelled = re.sub("[^A-Z0-9]+", "_", variable.upper()).replace("GH_TRAFFIC_", "GHTRAFFIC_")
        meant = spelled in known or variable.startswith("GHTRAFFIC_")
        if meant and variable not in known and value.strip():
            name = spelled.removeprefix("GHTRAFFIC_")
            near = _MEANT.get(name) or next(iter(get_close_matches(spelled, known, n=1, cutoff=0.85)), "")
            remedy = f"write {near}" if near else "unset it; docs/settings.md lists all"
            reading.problems.append(f"{variable}: there is no such setting: {remedy}")
