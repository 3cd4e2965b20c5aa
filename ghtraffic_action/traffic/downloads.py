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
