"""Downloads of release assets, which GitHub counts as running totals."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Asset:
    """A release asset, with its downloads since its upload."""

    tag: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Downloads:
    """All releases' assets at one moment, newest release first."""

    at: datetime
    rows: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class DownloadCount:
    """An asset's downloads, and those since an earlier observation (None without one)."""

    asset: Asset
    more: int | None


def count_downloads(newest: Downloads, before: Downloads | None) -> tuple[DownloadCount, ...]:
    """Return the assets, most downloaded first; new and replaced ones start at 0."""
    earlier = {(asset.tag, asset.name): asset.count for asset in before.rows} if before else {}
    counts = []
    for asset in newest.rows:
        since = earlier.get((asset.tag, asset.name), 0)
        more = asset.count - since if since <= asset.count else asset.count
        counts.append(DownloadCount(asset, more if before else None))
    return tuple(sorted(counts, key=lambda found: -found.asset.count))
