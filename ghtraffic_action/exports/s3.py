"""The destination in AWS: a bucket, written by compare-and-swap."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError
from botocore.handlers import add_expect_header

from ghtraffic_action import aws
from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import LARGEST, Conflict, File, digest
from ghtraffic_action.exports.layout import DAILY_PREFIX, PATHS_TABLE, REFERRERS_TABLE, REPOSITORIES_TABLE

_CHANGED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "404")

_FRESH = {"CacheControl": "no-cache"}
"""For files shown in browsers, which then revalidate them each time."""

_HEADERS = {
    ".csv": {"ContentType": "text/csv; charset=utf-8"},
    ".html": {"ContentType": "text/html; charset=utf-8", **_FRESH},
    ".json": {"ContentType": "application/json", **_FRESH},
    ".jsonl": {"ContentType": "application/x-ndjson"},
    ".svg": {"ContentType": "image/svg+xml", **_FRESH},
}


class S3Destination:
    """Files below a bucket's prefix; the ETag is the version."""

    def __init__(self, bucket: str, prefix: str) -> None:
        """Use `prefix` (may be empty) of `bucket`."""
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._opening = aws.BackgroundClient("s3", _send_at_once)

    def read(self, key: str, limit: int = LARGEST) -> File | None:
        """See Destination."""
        with self._translate_errors():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            except ClientError as error:
                if aws.code(error) in _MISSING:
                    return None
                raise
            with answer["Body"] as body:
                if answer["ContentLength"] > limit:
                    return File(b"", _checksum(answer), version=answer["ETag"], too_large=True)
                content = body.read()
                return File(content, digest(content), version=answer["ETag"])

    def keys(self, prefix: str) -> Iterator[str]:
        """See Destination. Skips the empty objects that the console makes as folders."""
        with self._translate_errors():
            listing = self._client.get_paginator("list_objects_v2")
            for page in listing.paginate(Bucket=self._bucket, Prefix=self._key(prefix)):
                keys = (found["Key"] for found in page.get("Contents", ()))
                yield from (key.removeprefix(self._key("")) for key in keys if not key.endswith("/"))

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        with self._translate_errors():
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(key),
                    Body=content,
                    ChecksumAlgorithm="SHA256",
                    **_HEADERS.get(PurePosixPath(key).suffix, {}),
                    **condition,
                )
            except ClientError as error:
                if aws.code(error) in (*_CHANGED, *_MISSING):
                    raise Conflict(key) from error
                raise

    def uri(self, key: str) -> str:
        """See Destination."""
        return f"s3://{self._bucket}/{self._key(key)}"

    def manifests(self) -> Mapping[str, bytes]:
        """See Destination. QuickSight reads data sets by manifests."""
        return {
            f"quicksight/{name}.manifest.json": _manifest(self.uri(prefix))
            for name, prefix in (
                ("daily", DAILY_PREFIX),
                ("latest_paths", PATHS_TABLE),
                ("latest_referrers", REFERRERS_TABLE),
                ("repositories", REPOSITORIES_TABLE),
            )
        }

    def close(self) -> None:
        """See Destination."""
        self._opening.close()

    @property
    def _client(self) -> Any:  # noqa: ANN401 - of the SDK, made at run time
        return self._opening()

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except aws.ERRORS as error:
            raise DestinationError(f"export-to {self.uri('').rstrip('/')}: {self._explain(error)}") from error

    def _explain(self, error: Exception) -> str:
        match aws.code(error):
            case "NoSuchBucket":
                return f"there is no such bucket: name another, or make it with `aws s3 mb s3://{self._bucket}`"
            case "PermanentRedirect" | "IllegalLocationConstraintException" | "AuthorizationHeaderMalformed":
                return "the bucket is in another region: set that region (`aws-region` in Actions, AWS_DEFAULT_REGION)"
            case _ if aws.denied_by_role(error):
                return (
                    f"{aws.explain(error, 's3')}; it needs s3:GetObject and s3:PutObject below the prefix and "
                    "s3:ListBucket on the bucket"
                )
        return str(aws.explain(error, "s3"))


def _checksum(answer: Mapping[str, Any]) -> str:
    """Return S3's SHA-256 in hexadecimal, empty if unknown."""
    is_whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return b64decode(answer.get("ChecksumSHA256", "")).hex() if is_whole else ""


def _send_at_once(client: Any) -> None:  # noqa: ANN401 - of the SDK
    """Send no `Expect: 100-continue`: it costs a round trip, and the files are small."""
    client.meta.events.unregister("before-call.s3", add_expect_header)


def _manifest(uri: str) -> bytes:
    manifest = {
        "fileLocations": [{"URIPrefixes": [uri]}],
        "globalUploadSettings": {"format": "CSV", "delimiter": ",", "textqualifier": '"', "containsHeader": "true"},
    }
    return json.dumps(manifest, indent=2).encode() + b"\n"
