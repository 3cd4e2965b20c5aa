"""Accounts of the emulators of AWS."""

import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader

from tests.support.builders import CLAIMS, ROOT
from tests.support.fault_proxy import FaultProxy, dynamodb_error
from tests.support.ports import reserve_port


@dataclass(frozen=True)
class Aws:
    """An account of the emulator: its address, a table, a bucket, and clients."""

    url: str
    table: str
    bucket: str
    dynamodb: Any
    s3: Any

    @property
    def store(self) -> str:
        """The setting that names the table."""
        return f"dynamodb://{self.table}"

    @property
    def export_to(self) -> str:
        """The setting that names the bucket."""
        return f"s3://{self.bucket}/traffic"

    def file(self, key: str) -> str:
        """Read an exported file."""
        body = self.s3.get_object(Bucket=self.bucket, Key=f"traffic/{key}")["Body"]
        return str(body.read().decode())


STORE_KEYS = {"pk": "S", "sk": "S"}
"""The keys of a store's table and their types, the partition key first."""


def create_table(dynamodb: Any, name: str, keys: Mapping[str, str] = STORE_KEYS) -> None:  # noqa: ANN401 - of the SDK
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )


def make_table() -> str:
    """Make one more table, and return the setting that names it."""
    name = f"traffic-{uuid.uuid4().hex[:12]}"
    create_table(boto3.client("dynamodb"), name)
    return f"dynamodb://{name}"


@cache
def _descriptions() -> Loader:
    """Return the SDK's descriptions of services; each session would read megabytes of its own."""
    return create_loader()


def make_session(region: str | None = None) -> boto3.Session:
    """Make a session with the environment's credentials and the descriptions of all others."""
    core = botocore.session.Session()
    core.register_component("data_loader", _descriptions())
    return boto3.Session(botocore_session=core, region_name=region)


@dataclass(frozen=True)
class Account:
    """An account of an emulator that evaluates policies, over TLS."""

    url: str

    def client(self, service: str) -> Any:  # noqa: ANN401 - the SDK makes them at run time
        """Make a client of the account's owner."""
        owner = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        make: Any = make_session("us-east-1").client
        return make(service, endpoint_url=self.url, **owner)

    def deploy(self, name: str, template: str, **parameters: str) -> dict[str, str]:
        """Make a stack of a template file; return its outputs."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(ROOT / "infra" / template).read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        for _ in range(200):
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                break
            time.sleep(0.05)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def provider(self) -> str:
        """Create GitHub's OIDC provider, which the emulator's CloudFormation cannot create, as one that exists."""
        made = self.client("iam").create_open_id_connect_provider(
            Url=f"https://{CLAIMS}", ClientIDList=["sts.amazonaws.com"]
        )
        return str(made["OpenIDConnectProviderArn"])


@contextmanager
def serve_account(folder: Path, certificate: Path | None = None, **variables: str) -> Iterator[Account]:
    """Start the emulator that evaluates policies, with an empty account; with a certificate, over TLS.

    It is started by its web server: over TLS, its own command also takes port 443, which two at once fight over.
    """
    port = reserve_port()
    command: list[str | Path] = [ROOT / "build/emulator/bin/hypercorn", "ministack.app:app", "--workers", "0"]
    command += ["--keep-alive", "75", "--bind", f"127.0.0.1:{port}"]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GATEWAY_PORT": str(port), "AUTH": "true", **variables}
    env["MINISTACK_HOST"] = "127.0.0.1"
    if certificate:
        key = certificate.with_name("key.pem")
        command += ["--certfile", certificate, "--keyfile", key]
        env |= {"USE_SSL": "1", "MINISTACK_SSL_CERT": str(certificate), "MINISTACK_SSL_KEY": str(key)}
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    with (folder / "emulator.log").open("w") as log:
        emulator = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        wait_for(f"{url}/_ministack/health", emulator, certificate)
        yield Account(url)
    finally:
        emulator.kill()  # asked to end, it would wait half a minute for connections that are kept alive
        emulator.wait()


def wait_for(url: str, server: subprocess.Popen[bytes], certificate: Path | None = None) -> None:
    """Wait until a server of loopback answers. Raises TimeoutError after a minute, RuntimeError if it has ended."""
    trusted = ssl.create_default_context(cafile=certificate) if certificate else None
    for _ in range(1_200):
        try:
            with urllib.request.urlopen(url, context=trusted):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                raise RuntimeError(f"the server of {url} ended with exit code {server.returncode}") from None
            time.sleep(0.05)
    raise TimeoutError(f"{url} does not answer")


def put_code(account: Account, zipped: Path) -> None:
    """Upload the zip to where the stacks expect it."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="code")
    s3.upload_file(str(zipped), "code", "ghtraffic-lambda.zip")


@contextmanager
def refusing(code: str) -> Iterator[str]:
    """Serve an endpoint of DynamoDB that answers every request with the same error."""
    with closing(FaultProxy()) as proxy:
        proxy.fault = lambda _: dynamodb_error(code)
        yield proxy.url
