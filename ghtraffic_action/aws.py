"""How AWS is reached: clients of the SDK, and what its errors mean to the user."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config
from urllib3.exceptions import HTTPError

from ghtraffic_action import __version__
from ghtraffic_action.errors import SecretError, SettingsError

PARALLEL = 32
"""Requests of one client under way at once."""

ERRORS = (exceptions.BotoCoreError, exceptions.ClientError, HTTPError)
"""What the SDK raises: the last where the connection of an answer that it would have streamed breaks."""

_one_at_a_time = Lock()
"""The SDK's session is not to be asked for two clients at once."""

_CURES = {
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired"): (
        "the AWS credentials have expired: get new ones and run again; what was stored stays stored"
    ),
    ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"): (
        "AWS does not know these credentials: check AWS_ACCESS_KEY_ID, the profile or the role"
    ),
    ("InvalidSignatureException", "SignatureDoesNotMatch"): (
        "AWS does not accept the signature: check AWS_SECRET_ACCESS_KEY and this machine's clock"
    ),
    ("ProvisionedThroughputExceededException", "ThrottlingException", "SlowDown", "RequestLimitExceeded"): (
        "AWS throttles the requests, after several tries: run again later, or raise the limit; nothing is lost"
    ),
}

_RIGHTS = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "TransactWriteItems": "UpdateItem"}
"""The rights that do not have the name of their operation."""

_DENIED = ("AccessDenied", "AccessDeniedException", "403", "Forbidden")


class EndpointError(exceptions.BotoCoreError):
    """The environment names an endpoint that is no address."""

    fmt = "{error}"


def client(service: str) -> Any:  # noqa: ANN401 - each service's client has methods of its own, made at run time
    """Make a client of `service`; region, endpoint, profile and proxy are the SDK's own environment."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        max_pool_connections=PARALLEL,
        connect_timeout=5,
        read_timeout=20,
        user_agent_extra=f"ghtraffic/{__version__}",
    )
    make: Any = boto3.client
    try:
        with _one_at_a_time:
            return make(service, config=config)
    except exceptions.BotoCoreError:
        raise
    except ValueError as error:  # of AWS_ENDPOINT_URL
        raise EndpointError(error=error) from error


class Opening:
    """A client that is being made while others wait for GitHub; who calls it waits for it, and meets its errors."""

    def __init__(self, service: str, prepare: Callable[[Any], None] = lambda _: None) -> None:
        """Begin to make a client of `service`, and `prepare` it."""
        self._service = service
        self._prepare = prepare
        self._made = Future[Any]()
        Thread(target=self._make, name=f"open-{service}", daemon=True).start()

    def __call__(self) -> Any:  # noqa: ANN401 - as `client` does
        """Give the client."""
        return self._made.result()

    def close(self) -> None:
        """Let go of its connections."""
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
    """Read a secret of the Systems Manager's parameters, decrypted.

    Raises SettingsError where another parameter has to be put or named, and SecretError where AWS fails.
    """
    put = f"aws ssm put-parameter --overwrite --type SecureString --name {name} --value file:///dev/stdin"
    try:
        found = client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except ERRORS as error:
        if code(error) == "ParameterNotFound":
            what = "there is no such parameter in this account and region: put it there with"
            raise SettingsError(f"ssm:{name}: {what} `{put}`, then paste it") from error
        raise SecretError(f"ssm:{name}: {explain(error, 'ssm')}") from error
    if found.get("Type") != "SecureString":
        what = f"it is stored in the clear, as a {found.get('Type')}: put it again with"
        raise SettingsError(f"ssm:{name}: {what} `{put}`, then paste it")
    return str(found["Value"]).strip()


def code(error: Exception) -> str:
    """Tell the code of an error that AWS answered; empty for one that never reached it."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, exceptions.ClientError) else ""


def denied(error: Exception) -> bool:
    """Tell whether AWS refused because the credentials may not do this."""
    return code(error) in _DENIED


def explain(error: Exception, service: str) -> str:
    """Say what went wrong and what to do about it, without account ids or anything secret."""
    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return (
                "there are no AWS credentials: in Actions set `role-to-assume`, elsewhere AWS_PROFILE "
                "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        case exceptions.NoRegionError():
            return "no AWS region is set: set `aws-region` in Actions, elsewhere AWS_DEFAULT_REGION"
        case exceptions.ClientError():
            return _explain_answer(error, service)
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | HTTPError():
            return (
                f"AWS cannot be reached ({type(error).__name__}): check AWS_DEFAULT_REGION and the network, run again"
            )
        case _:
            return f"the AWS SDK failed ({type(error).__name__}, {error}): check the AWS settings of the environment"


def _explain_answer(error: exceptions.ClientError, service: str) -> str:
    answered = code(error)
    if denied(error):
        return f"AWS denies {service}:{_RIGHTS.get(error.operation_name, error.operation_name)}: allow it to this role"
    for codes, cure in _CURES.items():
        if answered in codes:
            return cure
    return f"AWS answered {answered} to {error.operation_name}: {error.response['Error'].get('Message', '')}"
