"""Addresses as users type them, with corrections."""

import os
import re
import sys

from ghtraffic_action.settings.typed_text import QUOTES, clean, plain

_TABLE = re.compile(r"dynamodb://[A-Za-z0-9_.-]{3,255}")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\s]*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|s3:|s3//|arn:|dynamodb:|sqlite:|jsonl:", re.IGNORECASE)
_OURS = re.compile(r"(?:dynamodb|s3|sqlite|jsonl):", re.IGNORECASE)
_ARN = re.compile(r"arn:[a-z-]+:(?P<service>s3|dynamodb):[a-z0-9-]*:[0-9]*:(?:table/)?(?P<name>[^:\s]+)")
_MEANT_TABLE = re.compile(
    r"(?:store[:=]\s*)?(?:dynamodb|dynamo|ddb)(?:[:=]/*|/+)(?:arn:\S+:table/)?(?P<name>[A-Za-z0-9_.-]{3,255})/*",
    re.IGNORECASE,
)
_MEANT_BUCKET = re.compile(
    r"(?:https?://(?P<host>[a-z0-9.-]+)\.s3[a-z0-9.-]*\.amazonaws\.com"
    r"|https?://s3[a-z0-9.-]*\.amazonaws\.com/(?P<path>[a-z0-9.-]+)"
    r"|https?://[a-z0-9.-]*console\.aws\.amazon\.com/s3/buckets/(?P<console>[a-z0-9.-]+)"
    r"|(?:s3|s3a|s3n):?/*(?:arn:[a-z-]+:s3:::)?(?P<scheme>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]))(?P<prefix>/[^\s?#]*)?(?:\?\S*)?"
)
_ACCESS_POINT = re.compile(r"(?:s3://)?arn:[a-z-]+:s3:[a-z0-9-]*:[0-9]*:accesspoint")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_NO_PATH = frozenset(("none", "null", "false", "off", "no", "-", "/dev/null"))
"""Values by which users try to switch an export off."""

_LIKE_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\s]*)?")
_EMPTY = re.compile(r"(?:dynamodb|sqlite|jsonl|[Ss]3):/*|[Ss]3:///.*")
_FILE = re.compile(r"(?P<kind>sqlite|jsonl):(?P<path>.*)", re.DOTALL)
_FOREIGN = re.compile(r"(?:file|sqlite3?|jsonl):(?://)?", re.IGNORECASE)
_KINDS = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".jsonl": "jsonl"}
_FILE_NAMES = {"sqlite": "ghtraffic.db", "jsonl": "ghtraffic.jsonl"}
_STORES = "write dynamodb://TABLE, sqlite:PATH or jsonl:PATH"
_TABLE_NAME = "a table's name has 3 to 255 letters, digits, dots, dashes and underscores"
_BUCKET_NAME = "a bucket's name has 3 to 63 small letters, digits, dots and dashes, and no blank follows"
_GITHUB = re.compile(r"(?:(?:https?|ssh|git)://)?(?:[\w.-]+@)?(?:www\.)?github\.com[/:]+", re.IGNORECASE)


def repository_name(text: str) -> str:
    """Return OWNER/NAME from a URL, a clone URL or a quoted name."""
    text = clean(text).strip(QUOTES)
    sign = "!" if text.startswith("!") else ""
    text = text.removeprefix("!").strip(QUOTES)
    if address := _GITHUB.match(text):
        path = re.split(r"[?#]", text[address.end() :])[0]
        text = "/".join(path.split("/")[:2])
    return sign + text.rstrip("/").removesuffix(".git")


def problem_of_store(address: str) -> str:
    """Return a store address's problem and remedy, empty if there is none."""
    arn, file, meant = _ARN.fullmatch(address), _FILE.fullmatch(address), _MEANT_TABLE.fullmatch(plain(address))
    if _TABLE.fullmatch(address):
        return ""
    if arn and arn["service"] == "dynamodb":
        return f"is not a store address: write dynamodb://{arn['name']}"
    if file:
        return _problem_of_file(file["kind"], file["path"])
    if meant:
        return f"is not a store address: write dynamodb://{meant['name']}"
    if address.startswith("dynamodb:") and not names_nothing(address):
        return f"is not a store address, since {_TABLE_NAME}: write dynamodb://TABLE"
    kind = _KINDS.get(os.path.splitext(address)[1], "")  # noqa: PTH122 - Path would change the rest
    path = _FOREIGN.sub("", address, count=1)
    return f"is not a store address: {_STORES}" + (
        f", such as {kind}:{path}" if kind and not _SCHEME.match(path) else ""
    )


def _problem_of_file(kind: str, path: str) -> str:
    if not path.strip("/"):
        return f"is not a store address: {_STORES}"
    if path.startswith("//"):
        name = path.lstrip("/")
        absolute = f", or {kind}:/{name} for a file below the root" if path.startswith("///") else ""
        return f"is not a store address: write {kind}:{name}{absolute}"
    if kind == "sqlite" and path.startswith((":memory:", "file:")):
        return "keeps nothing when the run ends: write sqlite:PATH"
    if path.endswith("/") or os.path.isdir(expand(path)):  # noqa: PTH112 - Path would change the rest
        return f"is a folder: write {kind}:{path.rstrip('/')}/{_FILE_NAMES[kind]}"
    return _problem_of_path(path)


def problem_of_destination(address: str) -> str:
    """Return a destination address's problem and remedy, empty if there is none."""
    if _BUCKET.fullmatch(address):
        return _problem_of_prefix(address)
    if not _SCHEME.match(plain(address)):
        return _problem_of_directory(address)
    if _ACCESS_POINT.match(address):
        return "is an access point, which is not supported: write s3://BUCKET/PREFIX"
    if bucket := _meant_bucket(plain(address)):
        return f"is not a destination: write s3://{bucket}"
    if address.startswith("s3:") and not names_nothing(address):
        return f"is not a destination, since {_BUCKET_NAME}: write s3://BUCKET/PREFIX"
    return "is not a destination: write s3://BUCKET/PREFIX or a directory"


def _meant_bucket(address: str) -> str:
    """Return the likely intended bucket and prefix, empty if none."""
    arn, meant = _ARN.fullmatch(address), _MEANT_BUCKET.fullmatch(address)
    if arn and arn["service"] == "s3":
        return arn["name"]
    if not meant or names_nothing(address):
        return ""
    bucket = next(filter(None, (meant[way] for way in ("host", "path", "console", "scheme"))))
    return f"{bucket}{meant['prefix'] or ''}"


def _problem_of_directory(path: str) -> str:
    if path.lower() in _NO_PATH:
        return "is not a destination, and a run always exports: write s3://BUCKET/PREFIX or a directory"
    return _problem_of_path(path)


def _problem_of_prefix(address: str) -> str:
    bucket, *prefix = address.removeprefix("s3://").split("/")
    if any(part in (".", "..") for part in prefix):
        return f"has a prefix with . or .., which S3 takes as names: write s3://{bucket}/PREFIX"
    if "://" in "/".join(prefix):
        return "names more than one destination: write one of them"
    return ""


def _problem_of_path(path: str) -> str:
    """Return why a path is probably a typing error."""
    if re.search(r"\s#", path):
        return "ends with a comment, which would become part of the path: remove the comment"
    if "$(" in path:
        return "has a command in it, which only a shell runs: write the whole path"
    if path.startswith("~") and expand(path) == path:
        return "begins with the home folder of an unknown user: write the whole path"
    if sys.platform != "win32" and _WINDOWS.match(path):
        return "is a Windows path, which is only a file name on this machine: write a path of this machine"
    return ""


def names_nothing(address: str) -> bool:
    """Return whether an address has no table, file or bucket name."""
    return bool(_EMPTY.fullmatch(address))


def may_be_bucket(address: str) -> bool:
    """Return whether a path looks like a bucket without s3://."""
    return bool(_LIKE_BUCKET.fullmatch(address))


def canonical(address: str) -> str:
    """Return an address with its scheme in lower case and no blank after it."""
    scheme = _OURS.match(address)
    return scheme[0].lower() + address[scheme.end() :].lstrip() if scheme else address


def expand(address: str) -> str:
    """Expand a leading ~ in an address's path."""
    file = _FILE.fullmatch(address)
    scheme, path = (f"{file['kind']}:", file["path"]) if file else ("", address)
    return scheme + (os.path.expanduser(path) if path.startswith("~") else path)  # noqa: PTH111 - Path would change the rest
