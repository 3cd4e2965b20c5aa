"""Checks the bucket's region, public access, and permissions."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

from ghtraffic_action import aws
from ghtraffic_action.doctor.finding import Finding, check, failed_check


def examine_bucket(name: str, prefix: str) -> Iterator[Finding]:
    """Check a bucket, as far as permissions allow, without changes."""
    what = f"bucket {name}"
    try:
        client = aws.client("s3")
    except aws.ERRORS as error:
        yield failed_check(what, error, "s3")
        return
    with closing(client):
        try:
            region = str(client.head_bucket(Bucket=name).get("BucketRegion") or client.meta.region_name)
        except aws.ERRORS as error:
            if aws.code(error) in ("404", "NoSuchBucket"):
                yield Finding(f"{what}: there is none", "problem", "nothing can be exported", f"aws s3 mb s3://{name}")
                return
            yield failed_check(f"{what}: its region", error, "s3")
        else:
            reason = f"requests go to {client.meta.region_name} first, which redirects or refuses them"
            remedy = f"export AWS_DEFAULT_REGION={region} (`aws-region: {region}` in Actions)"
            here = region == client.meta.region_name
            found = Finding(f"{what}: it is in {region}")
            yield found if here else replace(found, state="problem", reason=reason, remedy=remedy)
        yield _public_access(client, name)
        yield from _key(client, name)
        yield from _permissions(client, name, prefix)


def _public_access(client: Any, name: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    what = f"bucket {name}: public access is blocked"
    block: Mapping[str, bool] = {}
    try:
        block = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except aws.ERRORS as error:
        if aws.code(error) != "NoSuchPublicAccessBlockConfiguration":
            return failed_check(what, error, "s3")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    switches = ",".join(f"{switch}=true" for switch in names)
    remedy = f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration {switches}"
    reason = "one wrong policy shows the traffic of private repositories to everybody"
    return check(all(block.get(switch) for switch in names), what, reason, remedy)


def _key(client: Any, name: str) -> Iterator[Finding]:  # noqa: ANN401 - a client of the SDK
    """Yield the bucket's KMS key, which the checks cannot test."""
    with suppress(*aws.ERRORS):  # this look needs a right that a run does not
        rules = client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        if any("kms" in str(rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm")) for rule in rules):
            reason = "a run needs kms:GenerateDataKey and kms:Decrypt of it, which only a real write can test"
            yield Finding(f"bucket {name}: a key of KMS encrypts it", "unknown", reason)


def _permissions(client: Any, name: str, prefix: str) -> Iterator[Finding]:  # noqa: ANN401 - a client of the SDK
    """Test reading a missing file and overwriting an impossible version."""
    key = f"{prefix}/v1/doctor-{uuid.uuid4().hex}".lstrip("/")
    what = f"bucket {name}: below {prefix or 'its root'}/"
    reason = "a run needs s3:GetObject and s3:PutObject there, and s3:ListBucket"
    tries: dict[str, Callable[[], Any]] = {
        "read": lambda: client.get_object(Bucket=name, Key=key),
        "written": lambda: client.put_object(Bucket=name, Key=key, Body=b"", IfMatch='"no-such-version"'),
    }
    for done, attempt in tries.items():
        try:
            attempt()
        except aws.ERRORS as error:
            if aws.code(error) in ("PreconditionFailed", "412", "NoSuchKey", "404"):
                yield Finding(f"{what} it can be {done}")
            else:
                found = aws.explain(error, "s3")
                yield Finding(f"{what} {found.problem}", "problem", reason, found.remedy)
        else:
            reason = f"runs at the same time would overwrite each other's files; this test left an empty file: {key}"
            remedy = "use a bucket of AWS's own S3"
            yield Finding(f"{what} the condition of a write is ignored", "problem", reason, remedy)
