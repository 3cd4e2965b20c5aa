"""Which fault each request meets, determined by the seed and counted by kind."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

GITHUB = {
    "refused": 4,
    "unknown token": 0.2,
    "5xx": 4,
    "5xx as HTML": 2,
    "secondary limit": 3,
    "limit of the hour": 0.5,
    "reset": 4,
    "answer lost": 4,
    "slow": 3,
    "timed out": 2,
    "truncated": 3,
    "HTML": 1,
}
"""What may go wrong with a request of GitHub's, and how often beside the others."""

PLACES = {"failed": 3, "answer lost": 3, "slow": 1}
"""What may go wrong with SQLite and with a directory: before it is done, or after."""

AWS = {
    "5xx": 4,
    "throttled": 4,
    "reset": 4,
    "answer lost": 5,
    "timed out": 2,
    "truncated": 2,
    "slow": 2,
    "denied": 1,
    "expired": 0.5,
}
"""What may go wrong with a request of AWS's."""


@dataclass
class Faults:
    """Draws faults: `rate` is the share of requests that meet one.

    A file whose key contains `outage` cannot be written, an endpoint that ends with `refused` is refused.
    """

    draw: Random
    rate: float = 0.0
    outage: str = ""
    refused: str = ""
    counted: Counter[str] = field(default_factory=Counter)

    def met(self, service: str) -> int:
        """Return how many faults of a service there were so far."""
        return sum(count for kind, count in self.counted.items() if kind.startswith(service))

    def out(self, key: str) -> bool:
        """Return whether a file cannot be written because of an outage that lasts for days."""
        if not self.outage or self.outage not in key:
            return False
        self.counted["export: an outage of days"] += 1
        return True

    def refuses(self, path: str) -> bool:
        """Return whether an endpoint of GitHub is refused."""
        if not self.refused or not path.endswith(self.refused):
            return False
        self.counted["GitHub: an endpoint refused"] += 1
        return True

    def next(self, service: str, kinds: Mapping[str, float]) -> str:
        """Draw the fault that the next request meets; return an empty text for none."""
        if not self.rate or self.draw.random() >= self.rate:
            return ""
        (kind,) = self.draw.choices(list(kinds), list(kinds.values()))
        self.counted[f"{service}: {kind}"] += 1
        return kind
