"""The downloads of release assets: running totals, as GitHub counts them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of a release, and how often it was downloaded since it was uploaded."""

    tag: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Downloads:
    """The files of all releases at one moment, those of the newest release first."""

    at: datetime
    rows: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class DownloadCount:
    """The downloads of one asset, and how many came since an earlier observation (None: there was none)."""

    asset: Asset
    more: int | None


def count_downloads(newest: Downloads, before: Downloads | None) -> tuple[DownloadCount, ...]:
    """Return the assets, most downloaded first; one that is new, or was replaced by another, began at 0."""
    earlier = {(asset.tag, asset.name): asset.count for asset in before.rows} if before else {}
    counts = []
    for asset in newest.rows:
        since = earlier.get((asset.tag, asset.name), 0)
        more = asset.count - since if since <= asset.count else asset.count
        counts.append(DownloadCount(asset, more if before else None))
    return tuple(sorted(counts, key=lambda found: -found.asset.count))
