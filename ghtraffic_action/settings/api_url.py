"""Addresses of GitHub's API that a token may be sent to."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

GITHUB_API = "https://api.github.com"


def problem_of(url: str) -> str:
    """Return why no token is sent to `url`, with the remedy; empty if allowed."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
        return "is not a valid URL: unset it for github.com"
    if parts.path.rstrip("/").endswith("/api/v3") or parts.hostname.endswith(".ghe.com"):
        return "is GitHub Enterprise, which has no traffic API: only github.com has one"
    if _is_loopback(parts.hostname) or _is_github(parts):
        return ""
    remedy = f"unset it, or set GHTRAFFIC_API_URL={GITHUB_API} where a runner sets it"
    return f"{_kind(parts)}, and the token is sent to {GITHUB_API} alone: {remedy}"


def _kind(parts: SplitResult) -> str:
    if parts.path.rstrip("/").endswith("/api/v1"):
        return "is Forgejo or Gitea, which have no traffic API"
    return "is not encrypted" if parts.scheme == "http" else "is not GitHub's API"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - a malformed port is found when it is read
    except ValueError:
        return None
    return parts


def _is_github(parts: SplitResult) -> bool:
    address = f"{parts.scheme}://{parts.hostname}{parts.path.rstrip('/')}"
    return address == GITHUB_API and parts.port in (None, 443) and not parts.query


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
