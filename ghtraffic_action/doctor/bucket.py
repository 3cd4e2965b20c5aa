"""Looks at the bucket: its region, who may see it, and whether a run may write below the prefix."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from ghtraffic_action import aws
from ghtraffic_action.doctor.finding import Finding, either, unseen


def examine_bucket(name: str, prefix: str) -> Iterator[Finding]:
    """Look at a bucket as far as the rights go, and try a write below the prefix that cannot hold."""
    what = f"bucket {name}"
    try:
        client = aws.client("s3")
    except aws.ERRORS as error:
        yield unseen(what, error, "s3")
        return
    with closing(client):
        try:
            region = str(client.head_bucket(Bucket=name).get("BucketRegion") or client.meta.region_name)
        except aws.ERRORS as error:
            if aws.code(error) in ("404", "NoSuchBucket"):
                yield Finding(f"{what}: there is none", "problem", "nothing can be exported", f"aws s3 mb s3://{name}")
                return
            yield unseen(f"{what}: its region", error, "s3")
        else:
            why = f"requests go to {client.meta.region_name} first and are sent on, or refused"
            cure = f"export AWS_DEFAULT_REGION={region} (`aws-region: {region}` in Actions)"
            here = region == client.meta.region_name
            found = Finding(f"{what}: it is in {region}")
            yield found if here else replace(found, state="problem", why=why, cure=cure)
        yield _public_access(client, name)
        yield _writable(client, name, prefix)


def _public_access(client: Any, name: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    what = f"bucket {name}: public access is blocked"
    block: Mapping[str, bool] = {}
    try:
        block = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except aws.ERRORS as error:
        if aws.code(error) != "NoSuchPublicAccessBlockConfiguration":
            return unseen(what, error, "s3")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    switches = ",".join(f"{switch}=true" for switch in names)
    cure = f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration {switches}"
    why = "one wrong policy shows the traffic of private repositories to everybody"
    return either(all(block.get(switch) for switch in names), what, why, cure)


def _writable(client: Any, name: str, prefix: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    """Try a write over a version that no file can have, of a file that is not there."""
    key = f"{prefix}/v1/doctor-{uuid.uuid4().hex}".lstrip("/")
    what = f"bucket {name}: below {prefix or 'its root'}/"
    try:
        client.put_object(Bucket=name, Key=key, Body=b"", IfMatch='"no-such-version"')
    except aws.ERRORS as error:
        if aws.code(error) in ("PreconditionFailed", "412", "NoSuchKey", "404"):
            return Finding(f"{what} it can be written")
        found, _, cure = aws.explain(error, "s3").partition(": ")
        why = "a run needs s3:GetObject and s3:PutObject there, and s3:ListBucket"
        return Finding(f"{what} {found}", "problem", why, cure)
    why = f"runs at the same time would write over each other; an empty file is there now: {key}"
    return Finding(f"{what} the condition of a write is not heeded", "problem", why, "use a bucket of AWS's own S3")
