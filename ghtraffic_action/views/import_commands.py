"""The command `ghtraffic import`: what it runs and prints."""

import os
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import click

from ghtraffic_action.backup.archive import Imported
from ghtraffic_action.importing.importer import Request, run_import
from ghtraffic_action.importing.ownership import Identity
from ghtraffic_action.importing.undo import undo_import
from ghtraffic_action.runtime import hide_nothing
from ghtraffic_action.settings import Settings
from ghtraffic_action.views.import_plan import print_plan
from ghtraffic_action.views.workflow_commands import mask

_EXPORT = "the export does not show them yet: run `ghtraffic export`"

_EXPORT_AFTER_UNDO = (
    "the export still shows them: run `ghtraffic export`, and remove what `ghtraffic verify` then names"
)


def import_paths(settings: Settings, flags: Mapping[str, Any], now: datetime) -> int:
    """Import files and folders; print the plan and the result."""
    request = Request(
        paths=tuple(flags["paths"]),
        repository=flags["repository"],
        repository_id=flags["repository_id"],
        write=flags["yes"],
        force=flags["force"],
        history=flags["history"],
    )
    plan = run_import(settings, request, now, partial(_look_up, settings))
    print_plan(plan)
    if plan.imported:
        _print_imported(settings, plan.imported)
        if plan.repositories:
            click.echo(f"to take it back: ghtraffic import --undo {plan.id}")
    else:
        click.echo(
            "nothing was written: add --yes to write what is new and raised" if plan.changes else "nothing is new"
        )
    return 0


def _look_up(settings: Settings, name: str) -> Identity:
    from ghtraffic_action.importing.github_lookup import look_up_at_github  # noqa: PLC0415 - most imports need no GitHub

    return look_up_at_github(name, os.environ, mask if settings.platform == "Actions" else hide_nothing)


def undo_one(settings: Settings, import_id: str) -> int:
    """Undo an import and print the result."""
    done = undo_import(settings, import_id)
    click.echo(f"{done.taken_back} days and snapshots of {done.repositories} repositories are as before the import")
    if done.kept:
        click.echo(f"{done.kept} numbers stay: they were raised since, or GitHub has listed their days since")
    click.echo(_EXPORT_AFTER_UNDO)
    return 0


def _print_imported(settings: Settings, done: Imported) -> None:
    click.echo(
        f"{done.repositories} repositories merged into {settings.store}: {done.inserted} days inserted, "
        f"{done.raised} raised, {done.snapshots} snapshots new or renewed"
    )
    if done.inserted or done.raised or done.snapshots:
        click.echo(_EXPORT)
