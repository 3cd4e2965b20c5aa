"""AWS clients."""

import os
import random
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from threading import Event, Lock, Thread
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from ghtraffic_action import __version__
from ghtraffic_action.aws.environment import ConfigurationError
from ghtraffic_action.aws.errors import ERRORS, THROTTLED, code, explain
from ghtraffic_action.errors import Interrupted, SecretError, SettingsError

PARALLEL = 32
"""Parallel writes of a client."""

_CONNECTIONS = 2 * PARALLEL
"""Connections of a client, for as many parallel reads."""

_THROTTLED_TRIES = 30
"""Retries of a throttled request while no request of its client succeeds: about a minute."""

_LONGEST_PAUSE = 2.0
"""Longest pause before a retry in seconds; a stop is noticed after it."""

_one_at_a_time = Lock()
"""The SDK's session is not thread-safe for creating clients."""


def client(service: str, *, region: str | None = None) -> Any:  # noqa: ANN401 - each service's client has methods of its own, made at run time
    """Create a client of `service`, in `region` or that of the SDK's environment.

    Endpoint, profile and proxy come from the SDK's environment.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        max_pool_connections=_CONNECTIONS,
        connect_timeout=5,
        read_timeout=20,
        user_agent_extra=f"ghtraffic/{__version__}",
    )
    make: Any = boto3.client
    try:
        with _one_at_a_time:
            return make(service, region_name=region or _region(), config=config)
    except exceptions.BotoCoreError:
        raise
    except (ValueError, AttributeError, TypeError) as error:  # of AWS_ENDPOINT_URL, of what a credential_process prints
        raise ConfigurationError(error=error) from error


def _region() -> str | None:
    """Return AWS_REGION, as other SDKs do, unless boto3's own variable is set."""
    return None if os.environ.get("AWS_DEFAULT_REGION") else os.environ.get("AWS_REGION") or None


def repeat_throttled(client: Any, stop: Event) -> None:  # noqa: ANN401 - of the SDK
    """Retry throttled requests while other requests of the client succeed.

    The SDK stops after 5 attempts. A throttled request raises Interrupted when `stop` is set.
    """
    succeeded = 0

    def pause(response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **_: object) -> float | None:
        """Return the seconds before a retry, None for the SDK's decision."""
        nonlocal succeeded
        if response is None or response[1].get("Error", {}).get("Code") not in THROTTLED:
            succeeded += response is not None
            return None
        if stop.is_set():
            raise Interrupted
        before, tries = request_dict["context"].get("throttled", (succeeded, 0))
        tries = tries + 1 if before == succeeded else 1
        request_dict["context"]["throttled"] = succeeded, tries
        longest = min(_LONGEST_PAUSE, 0.05 * 2**tries)
        return random.uniform(longest / 2, longest) if tries < _THROTTLED_TRIES else None  # noqa: S311 - jitter

    client.meta.events.register_first(f"needs-retry.{client.meta.service_model.service_id.hyphenize()}", pause)


class BackgroundClient:
    """A client created in the background; a call waits for it and raises its errors."""

    def __init__(self, service: str, prepare: Callable[[Any], None] = lambda _: None) -> None:
        """Start to create a client of `service`, then `prepare` it."""
        self._service = service
        self._prepare = prepare
        self._made = Future[Any]()
        Thread(target=self._make, name=f"open-{service}", daemon=True).start()

    def __call__(self) -> Any:  # noqa: ANN401 - as `client` does
        """Return the client."""
        return self._made.result()

    def close(self) -> None:
        """Close the client's connections."""
        if not self._made.exception():
            self._made.result().close()

    def _make(self) -> None:
        try:
            made = client(self._service)
            self._prepare(made)
        except Exception as error:  # noqa: BLE001 - it is for who calls
            self._made.set_exception(error)
        else:
            self._made.set_result(made)


def parameter(name: str) -> str:
    """Read a decrypted parameter of the Systems Manager.

    Raises SettingsError if the parameter is missing or unsuitable, and SecretError if AWS fails.
    """
    put = f"aws ssm put-parameter --overwrite --type SecureString --name {name} --value file:///dev/stdin"
    try:
        with closing(client("ssm")) as ssm:
            found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except ERRORS as error:
        if code(error) == "ParameterNotFound":
            what, remedy = "there is no such parameter in this account and region", f"put it there with `{put}`"
            raise SettingsError(
                f"ssm:{name}: {what}: {remedy}, then paste it", remedy=f"{remedy}, then paste it"
            ) from error
        found = explain(error, "ssm")
        raise SecretError(f"ssm:{name}: {found}", remedy=found.remedy) from error
    if found.get("Type") != "SecureString":
        what = f"it is not encrypted, but a {found.get('Type')}: store it again with"
        raise SettingsError(f"ssm:{name}: {what} `{put}`, then paste it")
    return str(found["Value"]).strip()
