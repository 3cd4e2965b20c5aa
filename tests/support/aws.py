"""Accounts of the emulators of AWS."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3

from tests.support.builders import CLAIMS, ROOT


@dataclass(frozen=True)
class Aws:
    """An account of the emulator's: its address, a table and a bucket made by hand, and clients."""

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


@dataclass(frozen=True)
class Account:
    """An account of an emulator that evaluates policies, over TLS."""

    url: str

    def client(self, service: str) -> Any:  # noqa: ANN401 - the SDK makes them at run time
        """Make a client of the account's owner."""
        owner = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        make: Any = boto3.Session(region_name="us-east-1").client
        return make(service, endpoint_url=self.url, **owner)

    def deploy(self, name: str, template: str, **parameters: str) -> dict[str, str]:
        """Make a stack of a template as it lies there; tell its outputs."""
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
        """Make GitHub's provider, which the emulator's CloudFormation cannot: it is one that the account has."""
        made = self.client("iam").create_open_id_connect_provider(
            Url=f"https://{CLAIMS}", ClientIDList=["sts.amazonaws.com"]
        )
        return str(made["OpenIDConnectProviderArn"])


@contextmanager
def refusing(code: str) -> Iterator[str]:
    """Answer every request as AWS does that refuses it."""
    content = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "invented"}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
