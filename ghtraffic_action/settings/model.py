"""The settings of a run, with warnings about likely mistakes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from ghtraffic_action.settings import actions_job, api_url
from ghtraffic_action.settings.addresses import may_be_bucket
from ghtraffic_action.settings.tolerance import Tolerance

Summary = Literal["auto", "full", "no-traffic", "none"]
Visibility = Literal["all", "public", "private"]
Heartbeat = Literal["none", "cloudwatch"]
Command = Literal["collect", "export", "backup", "status", "verify", "doctor", "report", "retire", "lookup"]


@dataclass(frozen=True, slots=True)
class Settings:
    """A run's settings, documented in docs/settings.md; `repr` shows no credentials."""

    repositories: tuple[str, ...] = ()
    github_token: str = field(default="", repr=False)
    github_app: str = ""
    github_app_key: str = field(default="", repr=False)
    store: str = "sqlite:ghtraffic.db"
    export_to: str = "ghtraffic-export"
    summary: Summary = "auto"
    dry_run: bool = False
    legacy_csv: bool = False
    report: bool = True
    pictures: tuple[str, ...] = ()
    pictures_to: str = ""
    max_wait: float = 900.0
    """Seconds that a run may wait for GitHub, all waits together."""
    include_archived: bool = False
    include_forks: bool = False
    visibility: Visibility = "all"
    allow_empty: bool = False
    allow_failures: Tolerance = field(default_factory=Tolerance)
    once_a_day: bool = False
    workflow_runs: bool = False
    heartbeat: Heartbeat = "none"
    alerts: str = "none"
    """`none`, `annotations` (warnings of the log) or the ARN of an SNS topic."""
    github_api_url: str = api_url.GITHUB_API
    platform: str = ""
    """The platform on which files are lost afterwards: `Actions` or `Lambda`; empty elsewhere."""
    workflow_repository: str = ""
    """The repository whose workflow this runs in, as `OWNER/NAME`; empty elsewhere."""
    old_names: tuple[str, ...] = ()
    """The replaced names by which settings were given."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about likely mistakes."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[str]:
        for old in self.old_names:
            if old in OLD_SUMMARIES:
                yield f"summary: {old} was renamed to {OLD_SUMMARIES[old]}: write that instead"
                continue
            new = OLD_NAMES[old].replace("_", "-")
            yield f"{old.replace('_', '-')}: it was renamed to {new}: write that instead"
        kind, _, path = self.store.partition(":")
        committed = kind == "jsonl" and actions_job.is_in_checkout(path)
        if self.platform and kind == "sqlite":
            yield f"store: {self.store} is lost when {self.platform} ends, unless you keep the file yourself"
        if self.platform and kind == "jsonl" and not committed:
            remedy = "write jsonl:FOLDER/ghtraffic.jsonl with the folder of a checkout that a later step commits"
            yield f"store: {self.store} is lost when {self.platform} ends, since it is not in a checkout: {remedy}"
        kept = self.export_to.startswith("s3://") or (committed and actions_job.is_in_checkout(self.export_to))
        if self.platform and self.export_to and not kept:
            bucket = f"; if it is a bucket, write s3://{self.export_to}" if may_be_bucket(self.export_to) else ""
            what = f"the directory {self.export_to} is lost when {self.platform} ends"
            yield f"export-to: {what}, unless you keep it yourself{bucket}"


OLD_NAMES = {"article_files": "legacy_csv"}
"""Replaced names that are still read."""

OLD_SUMMARIES = {"totals": "no-traffic"}
"""Replaced values of `summary` that are still read."""
