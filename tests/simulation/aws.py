"""DynamoDB and S3 without a network: the SDK's requests call the emulator, with faults on the way."""

import json
import os
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto import backend_index
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from urllib3.exceptions import ProtocolError

from tests.support.aws import create_table
from tests.support.quick_moto import speed_up_moto

from .faults import AWS, Faults
from .scheduler import Clock, Scheduler

_TIMEOUT = 20.0
_WRITES = ("TransactWriteItems", "UpdateItem")
_LATE = 0.5
"""The part of the writes to a table that come later than another run's may."""

_ACCOUNT = "123456789012"
"""The emulator's own."""
_CODES = {
    "dynamodb": {
        "5xx": (500, "InternalServerError"),
        "throttled": (400, "ProvisionedThroughputExceededException"),
        "denied": (400, "AccessDeniedException"),
        "expired": (400, "ExpiredTokenException"),
    },
    "s3": {
        "5xx": (500, "InternalError"),
        "throttled": (503, "SlowDown"),
        "denied": (403, "AccessDenied"),
        "expired": (400, "ExpiredToken"),
    },
}


class _Raw(BytesIO):
    """The body of an answer; one that is `cut` ends in the middle, as if the connection broke."""

    def __init__(self, content: bytes, *, cut: bool = False) -> None:
        super().__init__(content)
        self._cut = cut

    def read(self, amount: int | None = -1, *_: Any, **__: Any) -> bytes:  # noqa: ANN401 - urllib3's
        """See urllib3's answers."""
        if self._cut:
            raise ProtocolError("the connection was closed in the middle of the answer")
        return super().read(amount)

    def stream(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - urllib3's
        """See urllib3's answers."""
        yield self.read()


class Amazon:
    """The emulator, and the faults on the way to it, which occur only while it is `disturbed`."""

    def __init__(self, scheduler: Scheduler, clock: Clock, faults: Faults) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._faults = faults
        speed_up_moto()
        patterns = backend_index.backend_url_patterns  # of 200 services, each tried for each request
        backend_index.backend_url_patterns = [pattern for pattern in patterns if pattern[0] in _CODES]
        self._emulator = BotocoreStubber()
        self.disturbed = False
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "invented",
            "AWS_SECRET_ACCESS_KEY": "invented",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION
        assert session is not None
        session.events.register_first("before-send", self._send)  # type: ignore[arg-type] # what it returns is sent
        # The SDK's pauses between its tries take no time that is worth waiting for.
        botocore.endpoint.time = SimpleNamespace(sleep=self._pause)  # type: ignore[attr-defined]

    def place(self, name: str) -> None:
        """Create a table and a bucket."""
        create_table(boto3.client("dynamodb"), name)
        boto3.client("s3").create_bucket(Bucket=name)

    def records(self, table: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the attributes of a table's records, by their keys."""
        found = dynamodb_backends[_ACCOUNT]["us-east-1"].tables[table].all_items()
        records = ({name: _plain(value) for name, value in record.attrs.items()} for record in found)
        return {(record["pk"], record["sk"]): record for record in records}

    def _pause(self, seconds: float) -> None:
        if self.disturbed:
            self._scheduler.sleep(seconds)

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:  # noqa: ANN401 - the SDK's
        if not self.disturbed:
            return self._answer(request)
        if event_name.endswith(_WRITES) and self._faults.draw.random() < _LATE:
            self._scheduler.sleep(self._faults.draw.uniform(0, 60))  # another run may write first
        self._scheduler.request()
        self._clock.advance(0.005)
        service = event_name.split(".")[1]
        fault = self._faults.next("DynamoDB" if service == "dynamodb" else "S3", AWS)
        if fault == "reset":
            raise ConnectionClosedError(endpoint_url=request.url)
        if event_name.endswith("PutObject") and self._faults.out(request.url):
            fault = "denied"
        if fault in _CODES[service]:
            return _refusal(request, service, *_CODES[service][fault])
        answer = self._answer(request, cut=fault == "truncated" and event_name.endswith("GetObject"))
        if fault in ("answer lost", "truncated") and not event_name.endswith("GetObject"):
            raise ConnectionClosedError(endpoint_url=request.url)
        if fault == "timed out":
            self._clock.advance(_TIMEOUT)
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault == "slow":
            self._clock.advance(_TIMEOUT / 2)
        return answer

    def _answer(self, request: AWSPreparedRequest, *, cut: bool = False) -> AWSResponse:
        answered = self._emulator.process_request(request)
        assert answered is not None
        status, headers, body = answered
        content = body.encode() if isinstance(body, str) else body
        return AWSResponse(request.url, status, headers, _Raw(content, cut=cut))  # type: ignore[arg-type]


def _plain(value: DynamoType) -> Any:  # noqa: ANN401 - whatever a record holds
    """Return a value as the emulator keeps it."""
    if value.type == "M":
        return {name: _plain(field) for name, field in value.value.items()}
    if value.type == "L":
        return [_plain(field) for field in value.value]
    return int(value.value) if value.type == "N" else value.value


def _refusal(request: AWSPreparedRequest, service: str, status: int, code: str) -> AWSResponse:
    if service == "dynamodb":
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "simulated"})
        headers = {"Content-Type": "application/x-amz-json-1.0"}
    else:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>simulated</Message></Error>"
        headers = {"Content-Type": "application/xml"}
    return AWSResponse(request.url, status, headers, _Raw(body.encode()))  # type: ignore[arg-type]
