"""The command `ghtraffic import`: what it runs and what it prints."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from ghtraffic_action.backup.archive import Imported, import_backup
from ghtraffic_action.importing.github_lookup import look_up_at_github
from ghtraffic_action.importing.importer import Request, run_import
from ghtraffic_action.importing.undo import undo_import
from ghtraffic_action.runtime import hide_nothing
from ghtraffic_action.settings import Settings
from ghtraffic_action.views.import_plan import print_plan
from ghtraffic_action.views.workflow_commands import mask

_EXPORT = "the export does not show them yet: run `ghtraffic export`"


def import_paths(settings: Settings, flags: Mapping[str, Any], now: datetime) -> int:
    """Import files and folders; print the plan and what came of it."""
    if flags["paths"] == ("-",):
        _print_imported(settings, import_backup(settings, "-", now.date()))
        return 0
    request = Request(
        paths=tuple(flags["paths"]),
        repository=flags["repository"],
        repository_id=flags["repository_id"],
        write=flags["yes"],
        force=flags["force"],
        history=flags["history"],
    )
    hide = mask if settings.ephemeral == "Actions" else hide_nothing
    plan = run_import(settings, request, now, look_up_at_github(os.environ, hide))
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


def undo_one(settings: Settings, import_id: str) -> int:
    """Take one import back and print what came of it."""
    done = undo_import(settings, import_id)
    click.echo(f"{done.taken_back} days and snapshots of {done.repositories} repositories are as before the import")
    if done.kept:
        click.echo(f"{done.kept} numbers stay: they were raised since, or GitHub has listed their days since")
    click.echo(_EXPORT)
    return 0


def _print_imported(settings: Settings, done: Imported) -> None:
    click.echo(
        f"{done.repositories} repositories merged into {settings.store}: {done.inserted} days inserted, "
        f"{done.raised} raised, {done.snapshots} snapshots new or renewed"
    )
    if done.inserted or done.raised or done.snapshots:
        click.echo(_EXPORT)
