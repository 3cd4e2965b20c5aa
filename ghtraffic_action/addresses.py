"""Addresses as people type them: repositories, stores and destinations, and what was meant by a wrong one."""

import os
import re

_TABLE = re.compile(r"dynamodb://[A-Za-z0-9_.-]{3,255}")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\s]*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[Ss]3:|arn:|dynamodb:|sqlite:|jsonl:")
_ARN = re.compile(r"arn:[a-z-]+:(?P<service>s3|dynamodb):[a-z0-9-]*:[0-9]*:(?:table/)?(?P<name>[^:\s]+)")
_WEB_BUCKET = re.compile(r"https?://(?P<bucket>[a-z0-9.-]+)\.s3[a-z0-9.-]*\.amazonaws\.com(?P<prefix>/\S*)?")
_LIKE_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\s]*)?")
_EMPTY = re.compile(r"(?:dynamodb|sqlite|jsonl|[Ss]3):/*|[Ss]3:///.*")
_FILE = re.compile(r"(?P<kind>sqlite|jsonl):(?P<path>.*)", re.DOTALL)
_KINDS = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".jsonl": "jsonl"}
_FILE_NAMES = {"sqlite": "ghtraffic.db", "jsonl": "ghtraffic.jsonl"}
_STORES = "write dynamodb://TABLE, sqlite:PATH or jsonl:PATH"
_GITHUB = re.compile(r"(?:(?:https?|ssh|git)://)?(?:[\w.-]+@)?(?:www\.)?github\.com[/:]+", re.IGNORECASE)
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


def repository_name(text: str) -> str:
    """Return OWNER/NAME of what people copy: a page's address, a clone's address, a name in quotes."""
    text = text.strip(_QUOTES)
    sign = "!" if text.startswith("!") else ""
    text = text.removeprefix("!").strip(_QUOTES)
    if address := _GITHUB.match(text):
        path = re.split(r"[?#]", text[address.end() :])[0]
        text = "/".join(path.split("/")[:2])
    return sign + text.rstrip("/").removesuffix(".git")


def problem_of_store(address: str) -> str:
    """Return what is wrong with a store's address and what to write; empty for a usable one."""
    arn, file = _ARN.fullmatch(address), _FILE.fullmatch(address)
    if _TABLE.fullmatch(address):
        return ""
    if arn and arn["service"] == "dynamodb":
        return f"is no store: write dynamodb://{arn['name']}"
    if file:
        return _problem_of_file(file["kind"], file["path"])
    kind = "" if _SCHEME.match(address) else _KINDS.get(os.path.splitext(address)[1], "")  # noqa: PTH122 - Path would change the rest
    return f"is no store: {_STORES}" + (f", such as {kind}:{address}" if kind else "")


def _problem_of_file(kind: str, path: str) -> str:
    if not path.strip("/"):
        return f"is no store: {_STORES}"
    if path.startswith("//"):
        name = path.lstrip("/")
        absolute = f", or {kind}:/{name} for a file below the root" if path.startswith("///") else ""
        return f"is no store: write {kind}:{name}{absolute}"
    if kind == "sqlite" and path.startswith((":memory:", "file:")):
        return "keeps nothing when the run ends: write sqlite:PATH"
    if path.endswith("/"):
        return f"is a folder: write {kind}:{path.rstrip('/')}/{_FILE_NAMES[kind]}"
    return ""


def problem_of_destination(address: str) -> str:
    """Return what is wrong with a destination's address and what to write; empty for a usable one."""
    arn, web = _ARN.fullmatch(address), _WEB_BUCKET.fullmatch(address)
    if _BUCKET.fullmatch(address) or not _SCHEME.match(address):
        return ""
    if arn and arn["service"] == "s3":
        return f"is no destination: write s3://{arn['name']}"
    if web:
        return f"is no destination: write s3://{web['bucket']}{web['prefix'] or ''}"
    return "is no destination: write s3://BUCKET/PREFIX or a directory"


def names_nothing(address: str) -> bool:
    """Return whether the name of a table, a file or a bucket is missing from its address."""
    return bool(_EMPTY.fullmatch(address))


def may_be_bucket(address: str) -> bool:
    """Return whether a directory's path could be a bucket and a prefix without their s3://."""
    return bool(_LIKE_BUCKET.fullmatch(address))


def expand(address: str) -> str:
    """Return an address with the home folder in the place of a leading ~ of its path, as a shell would."""
    file = _FILE.fullmatch(address)
    scheme, path = (f"{file['kind']}:", file["path"]) if file else ("", address)
    return scheme + (os.path.expanduser(path) if path.startswith("~") else path)  # noqa: PTH111 - Path would change the rest
