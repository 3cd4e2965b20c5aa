"""Validated access to the fields of GitHub's JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ghtraffic_action.github.errors import InvalidResponseError
from ghtraffic_action.github.headers import YEARS
from ghtraffic_action.repository_names import REPOSITORY_NAME

_LARGEST = 2**53 - 1
"""The largest integer that JSON carries exactly; both stores can hold it."""


def field(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return a field of an object."""
    if not isinstance(value, Mapping) or name not in value:
        raise InvalidResponseError(f"it has no {name}")
    return value[name]


def items(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Return the items of a list."""
    if not isinstance(value, list):
        raise InvalidResponseError("a list is missing")
    return value


def count(value: Any, name: str) -> int:  # noqa: ANN401 - JSON
    """Return a count."""
    number = field(value, name)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _LARGEST:
        raise InvalidResponseError(f"{name} is {_shown(number)}")
    return number


def text(value: Any, name: str) -> str:  # noqa: ANN401 - JSON
    """Return a text without lone surrogates, which no store accepts."""
    found = field(value, name)
    if not isinstance(found, str):
        raise InvalidResponseError(f"{name} is {_shown(found)}")
    return found.encode(errors="replace").decode()


def repository_name(value: Any, name: str) -> str:  # noqa: ANN401 - JSON
    """Return a repository's full name, validated for use in URLs, files and logs."""
    found = text(value, name)
    if not REPOSITORY_NAME.fullmatch(found):
        raise InvalidResponseError(f"{name} is {_shown(found)}")
    return found


def moment(value: Any, name: str) -> datetime:  # noqa: ANN401 - JSON
    """Return a moment in UTC; one without an offset is read as UTC."""
    try:
        found = datetime.fromisoformat(text(value, name))
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidResponseError(f"{name} is {_shown(field(value, name))}") from error
    if found.year not in YEARS:
        raise InvalidResponseError(f"{name} is {_shown(field(value, name))}")
    return found


def _shown(value: object) -> str:
    return repr(value)[:100]
