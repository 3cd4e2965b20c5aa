"""Reads the addresses of the store, export, and pictures."""

from collections.abc import Callable

from ghtraffic_action.settings.addresses import canonical, expand, problem_of_destination, problem_of_store
from ghtraffic_action.settings.reading import Reading


def store(reading: Reading) -> str:
    """Return the address of the store."""
    address = _address(reading, "store", problem_of_store)
    if not address and reading.platform:
        _refuse_default(reading, "store", "file", "dynamodb://TABLE")
    return expand(address or "sqlite:ghtraffic.db")


def export_to(reading: Reading) -> str:
    """Return the address of the export."""
    address = _address(reading, "export_to", problem_of_destination)
    if not address and reading.platform:
        _refuse_default(reading, "export_to", "directory", "s3://BUCKET/PREFIX")
    return expand(address or "ghtraffic-export")


def pictures_to(reading: Reading) -> str:
    """Return the address of the pictures, empty without any."""
    return expand(_address(reading, "pictures_to", problem_of_destination))


def _address(reading: Reading, name: str, problem_of: Callable[[str], str]) -> str:
    """Return the setting's address in canonical form, and report its problem."""
    address = canonical(reading.text(name))
    if address and (problem := problem_of(address)):
        reading.malformed(name, address, f"{problem}{reading.unset(address)}")
    return address


def _refuse_default(reading: Reading, name: str, kind: str, example: str) -> None:
    what = f"it is empty, and has no default inside {reading.platform}, where a local {kind} is lost"
    reading.problem(name, f"{what}: {reading.empty(name, example)}")
