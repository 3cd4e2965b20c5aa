"""AWS: its clients, and explanations of their errors."""

from ghtraffic_action.aws.clients import PARALLEL, BackgroundClient, client, parameter, repeat_throttled
from ghtraffic_action.aws.environment import without_ids
from ghtraffic_action.aws.errors import ERRORS, code, denied, denied_by_role, explain

__all__ = [
    "ERRORS",
    "PARALLEL",
    "BackgroundClient",
    "client",
    "code",
    "denied",
    "denied_by_role",
    "explain",
    "parameter",
    "repeat_throttled",
    "without_ids",
]
