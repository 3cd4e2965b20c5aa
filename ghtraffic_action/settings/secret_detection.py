"""Detection of secrets in values to use or show."""

import re
from collections.abc import Iterable, Iterator, Mapping

_VARIABLES = (
    "GHTRAFFIC_GITHUB_TOKEN",
    "GHTRAFFIC_GITHUB_APP_KEY",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
"""Variables that hold secrets."""

_SHORTEST = 16
"""Minimum length of a part of a secret to search for."""

_SECRET = re.compile(
    r"gh[opusr]_\w{16,}|github_pat_\w{16,}|-----(?:BEGIN|END) |(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{10,}\.[\w-]{4,}"
)
"""Tokens of GitHub, private keys, key ids of AWS, JSON web tokens."""

_TOKEN = re.compile(r"gh[opusr]_\w{16,}|github_pat_\w{16,}")
_POSSIBLE = re.compile(
    r"gh[opusr]_|github_pat_|(?<![\w/.-])(?:glpat-|xox[abeprs]-|npm_|pypi-)|\b(?:Basic|Bearer|token) |-----"
    r"|(?=[A-Za-z+=_]*[0-9])[A-Za-z0-9+=_]{36,}|[A-Za-z0-9+/=]{60,}|//[^/@\s]+:[^/@\s]+@"
    r"|(?<![\w/+=])(?=[a-z/+]*[A-Z0-9])(?=[A-Z/+]*[a-z0-9])(?=[A-Za-z/+]*[0-9])[A-Za-z0-9/+]{40}(?![\w/+=])"
)
"""The beginnings of tokens and of headers, runs of characters that no name has, passwords in addresses.

The last line is a secret access key of AWS: 40 letters of both cases, digits, slashes and plus signs.
"""


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return an environment's secrets, multi-line ones line by line."""
    return tuple(_lines(environ.get(name, "") for name in _VARIABLES))


def is_secret(text: str, secrets: Iterable[str]) -> bool:
    """Return whether a text has one of `secrets`, or something in the form of one."""
    return bool(_SECRET.search(text)) or any(secret in text for secret in secrets)


def holds_more_than_token(text: str) -> bool:
    """Return whether a text has a token and something else."""
    found = _TOKEN.search(text)
    return found is not None and found[0] != text


def quote(text: str, secrets: Iterable[str]) -> str:
    """Quote a text, or return a note if it can hold a secret."""
    possible = _POSSIBLE.search(text) or is_secret(text, secrets)
    return "(a value that may be a secret, so that it is not shown)" if possible else repr(text)


def _lines(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        if not value.startswith("ssm:"):
            lines = value.replace("\\n", "\n").split()
            owned = [line.partition("=")[2] for line in lines]
            yield from (line for line in (*lines, *owned) if len(line) >= _SHORTEST and not line.startswith("ssm:"))
