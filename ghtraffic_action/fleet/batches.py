"""A run's files below `runs/`: batches and their results."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ghtraffic_action.errors import DestinationError, SettingsError
from ghtraffic_action.exports.destination import Conflict, Destination
from ghtraffic_action.fleet.credentials import CREDENTIAL

_RUN = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


@dataclass(frozen=True, slots=True)
class Batch:
    """One credential's part of a run, collected by one process to keep its pace.

    `settings` name the credential. `ids` are those of the repositories that GitHub has.
    """

    run: str
    name: str
    settings: Mapping[str, str]
    repositories: tuple[str, ...]
    ids: tuple[int, ...]


def parse_run(text: object) -> str:
    """Parse the name of a run. Raises SettingsError."""
    if not isinstance(text, str) or not _RUN.fullmatch(text):
        raise SettingsError("event: run is not the name of an execution: start the state machine, which sends it")
    return text


def parse_batch(value: object) -> Batch:
    """Parse a decoded line of the batches. Raises SettingsError."""
    try:
        batch = Batch(
            parse_run(value["run"]),  # type: ignore[index] # whatever a line holds
            str(value["batch"]),  # type: ignore[index]
            {str(name): str(text) for name, text in value["settings"].items()},  # type: ignore[index]
            tuple(str(name) for name in value["repositories"]),  # type: ignore[index]
            tuple(int(number) for number in value["ids"]),  # type: ignore[index]
        )
    except (TypeError, LookupError, ValueError, AttributeError):
        raise SettingsError(
            "event: batch is not a line of a run's batches: start the state machine, which sends it"
        ) from None
    if not _NAME.fullmatch(batch.name) or not batch.settings.keys() <= {*CREDENTIAL}:
        raise SettingsError("event: batch is not a line of a run's batches: start the state machine, which sends it")
    return batch


def batches_key(run: str) -> str:
    """Return the key of a run's batches."""
    return f"runs/{run}/batches.jsonl"


def write_batches(destination: Destination, run: str, batches: Iterable[Batch]) -> None:
    """Write a run's batches, one per line. Raises DestinationError."""
    _write(destination, batches_key(run), "".join(f"{_line(batch)}\n" for batch in batches))


def read_batches(destination: Destination, run: str) -> tuple[Batch, ...]:
    """Read a run's batches. Raises DestinationError, and SettingsError without batches."""
    file = destination.read(batches_key(run))
    if file is None:
        raise SettingsError(f"event: run {run} has no {batches_key(run)}: start the state machine, which writes it")
    return tuple(parse_batch(json.loads(line)) for line in file.content.decode().splitlines())


def write_result(destination: Destination, batch: Batch, text: str) -> None:
    """Write a batch's result. Raises DestinationError."""
    _write(destination, _result_key(batch), text)


def read_result(destination: Destination, batch: Batch) -> dict[str, Any] | None:
    """Read a batch's result, None if not collected. Raises DestinationError."""
    file = destination.read(_result_key(batch))
    result: dict[str, Any] | None = json.loads(file.content) if file else None
    return result


def _result_key(batch: Batch) -> str:
    return f"runs/{batch.run}/{batch.name}.json"


def _line(batch: Batch) -> str:
    written = asdict(batch)
    return json.dumps({"run": written.pop("run"), "batch": written.pop("name"), **written})


def _write(destination: Destination, key: str, text: str) -> None:
    before = destination.read(key, 0)
    try:
        destination.write(key, text.encode(), before.version if before else None)
    except Conflict as error:
        raise DestinationError(f"{destination.uri(key)}: somebody else wrote it at the same time: run again") from error
