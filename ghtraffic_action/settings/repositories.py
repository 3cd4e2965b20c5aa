"""Reads the repositories to collect and to draw."""

import re

from ghtraffic_action.repository_names import (
    EXPECTED_SELECTION,
    INSTALLED,
    NAME_PATTERN,
    OWNER_PATTERN,
    SELECTION,
    read_list,
    split_names,
)
from ghtraffic_action.settings import secret_detection
from ghtraffic_action.settings.addresses import repository_name
from ghtraffic_action.settings.reading import Reading
from ghtraffic_action.settings.typed_text import plain

_FEW = 5
"""Maximum number of invalid entries to report one by one."""

_ONE_REPOSITORY = re.compile(rf"{OWNER_PATTERN}/{NAME_PATTERN}")


def repositories(reading: Reading) -> tuple[str, ...]:
    """Return distinct names and patterns, in the given order."""
    default = "" if reading.command in ("status", "retire") else reading.environ.get("GITHUB_REPOSITORY", "").strip()
    given = split_names(f"{reading.text('repositories')}\n{_listed(reading)}") or [default]
    names = list(dict.fromkeys(name for text in given if (name := _canonical(repository_name(text)))))
    wrong = [name for name in names if not SELECTION.fullmatch(name)]
    for name in names if len(wrong) <= _FEW else [name for name in names if name not in wrong[_FEW:]]:
        if name == INSTALLED and not reading.text("github_app"):
            reading.problem("repositories", "installed is for a GitHub App: set github-app, or write OWNER/*")
        elif not SELECTION.fullmatch(name):
            may_be_shown = secret_detection.quote(name, reading.secrets) == repr(name)
            owner = may_be_shown and re.fullmatch(OWNER_PATTERN, name)
            expected = f"{name}/* for all of its repositories, or {name}/NAME" if owner else _meant(name)
            reading.malformed("repositories", name, f"is not a repository: write {expected}")
    if len(wrong) > _FEW:
        reading.problem("repositories", f"{len(wrong) - _FEW} more are invalid: write {EXPECTED_SELECTION}")
    if reading.command != "status" and all(name.startswith("!") for name in names):
        what = "none are named, or only excluded ones" if names else "none are named"
        reading.problem("repositories", f"{what}: {reading.how_to_set('repositories', 'OWNER/NAME')}")
    return tuple(names)


def _canonical(name: str) -> str:
    """Return an entry with keywords and topics in lower case."""
    lower = name.lower()
    return lower if lower == INSTALLED or (lower.startswith("topic:") and SELECTION.fullmatch(lower)) else name


def _meant(name: str) -> str:
    """Return the likely intended entry, or all valid forms."""
    text = repository_name(plain(name).replace("\\", "/")).lstrip("@/").partition("@")[0]
    text = f"!{text[1:]}" if text.startswith("-") else text
    text = "/".join(text.split("/")[:2])
    return text if text != name and SELECTION.fullmatch(text) else EXPECTED_SELECTION


def _listed(reading: Reading) -> str:
    """Return the names in the file, for runs only: `retire NAME` must not retire them."""
    path = reading.text("repositories_file") if reading.command in ("collect", "doctor") else ""
    try:
        return read_list(path)
    except ValueError as error:
        reading.malformed("repositories_file", path, f"{error}: check the path, and check the repository out before")
        return ""


def pictures(reading: Reading) -> tuple[str, ...]:
    """Return the repositories to draw, without patterns, which would include new ones."""
    names = tuple(dict.fromkeys(filter(None, map(repository_name, split_names(reading.text("pictures"))))))
    for name in names:
        if not _ONE_REPOSITORY.fullmatch(name):
            reading.malformed("pictures", name, "is not a single repository: write OWNER/NAME for each")
    if names and not reading.text("pictures_to"):
        what = "it is empty, but pictures is set"
        reading.problem(
            "pictures_to", f"{what}: {reading.how_to_set('pictures_to', 'pictures')}, or s3://BUCKET/PREFIX"
        )
    if names and reading.text("report").lower() == "false":
        reading.problem("pictures", "they need the report page's data: remove `report: false`, or pictures")
    return names
