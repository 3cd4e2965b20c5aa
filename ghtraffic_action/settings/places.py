"""Reads where a run writes to: the store, the export, the pictures."""

from ghtraffic_action.addresses import canonical, expand, problem_of_destination, problem_of_store
from ghtraffic_action.settings.reading import Reading


def store(reading: Reading) -> str:
    """Return the address of the store."""
    store = canonical(reading.text("store"))
    if not store and reading.ephemeral:
        what = f"it is empty, and has no default inside {reading.ephemeral}, where a local file is lost"
        reading.problem("store", f"{what}: {reading.empty('store', 'dynamodb://TABLE')}")
    elif store and (problem := problem_of_store(store)):
        reading.malformed("store", store, f"{problem}{reading.unset(store)}")
    return expand(store or "sqlite:ghtraffic.db")


def export_to(reading: Reading) -> str:
    """Return the address of the export."""
    destination = canonical(reading.text("export_to"))
    if not destination and reading.ephemeral:
        what = f"it is empty, and has no default inside {reading.ephemeral}, where a local directory is lost"
        reading.problem("export_to", f"{what}: {reading.empty('export_to', 's3://BUCKET/PREFIX')}")
    elif destination and (problem := problem_of_destination(destination)):
        reading.malformed("export_to", destination, f"{problem}{reading.unset(destination)}")
    return expand(destination or "ghtraffic-export")


def pictures_to(reading: Reading) -> str:
    """Return the address of the pictures; empty if there are none."""
    destination = canonical(reading.text("pictures_to"))
    if destination and (problem := problem_of_destination(destination)):
        reading.malformed("pictures_to", destination, f"{problem}{reading.unset(destination)}")
    return expand(destination)
