"""What the tests share: an empty environment, a stand-in of GitHub, and two emulators of AWS, one with policies."""

import ipaddress
import json
import logging
import os
import platform
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Event, Lock, Thread
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from filelock import FileLock
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from ghtraffic_action.machine import Machine, utc_now
from ghtraffic_action.pacing import Pacer
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.standin import Invented, Repository, StandIn

ROOT = Path(__file__).parent.parent
CLAIMS = "token.actions.githubusercontent.com"
NOW = datetime(2026, 11, 23, 3, 17, tzinfo=UTC)
TOKEN = "github_pat_invented"
NAME = "octo-lab/lighthouse"


class Unhurried(Event):
    """A wish to stop that never comes, on which waiting takes no time; `waits` tells how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note the wait instead of waiting."""
        self.waits.append(timeout or 0.0)
        return self.is_set()

    def monotonic(self) -> float:
        """Count the seconds as if they had been waited."""
        return sum(self.waits)


def unhurried_pacer(**settings: Any) -> Pacer:  # noqa: ANN401 - the pacer's own
    """Make a pacer whose waits take no time."""
    stop = Unhurried()
    return Pacer(stop, monotonic=stop.monotonic, **settings)


def unhurried(now: Callable[[], datetime] = utc_now) -> Machine:
    """Make a machine on which waiting takes no time."""
    stop = Unhurried()
    return Machine(stop, now=now, monotonic=stop.monotonic)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the machine's own settings, credentials or proxies, and each has a folder of its own."""
    for name in os.environ:
        if name.startswith(("AWS_", "GITHUB_", "GHTRAFFIC_", "GH_", "ACTIONS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    logging.getLogger("ghtraffic_action").setLevel(logging.WARNING)


def days(first: date, count: int, number: int = 100) -> dict[date, tuple[int, int]]:
    """Invent `count` days of traffic from `first` on: (number + i, a tenth of it)."""
    return {first + timedelta(days=i): (number + i, (number + i) // 10) for i in range(count)}


def repository(name: str = NAME, *, id: int = 7, **changes: Any) -> Repository:  # noqa: A002, ANN401 - the type's own fields
    """Make a repository of the stand-in that has traffic from 2026-09-01 on."""
    traffic = Invented(days(date(2026, 9, 1), 200), days(date(2026, 9, 1), 200, 20), name=name)
    fields: dict[str, Any] = {"traffic": traffic, "created": date(2020, 2, 2), "stars": 5, "forks": 2, "watchers": 3}
    return Repository(id=id, name=name, **(fields | changes))


@pytest.fixture
def github() -> Iterator[StandIn]:
    """GitHub with one repository, at NOW, for TOKEN alone."""
    with StandIn([repository()], now=NOW, token=TOKEN) as standin:
        yield standin


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


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """Serve the emulator, one update after the other: its own are not atomic, and DynamoDB's are."""
    emulator = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = Lock()

    def atomic(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401 - WSGI
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith("UpdateItem"):
            with one_at_a_time:
                return list(emulator(environ, start_response))
        return emulator(environ, start_response)

    server = make_server("127.0.0.1", 0, atomic, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def aws(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The environment of somebody who has an account with a fresh table and a fresh bucket."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    name = f"traffic-{uuid.uuid4().hex[:12]}"
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    s3.create_bucket(Bucket=name)
    yield Aws(aws_url, name, name, dynamodb, s3)
    dynamodb.close()
    s3.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine for an hour, its key beside it: the bucket takes nothing in the clear."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "emulator")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(signed.public_bytes(pem))
    written = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(written)
    return folder / "certificate.pem"


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


@pytest.fixture
def account(
    request: pytest.FixtureRequest, tmp_path: Path, certificate: Path, github: StandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """Start the emulator with an empty account; a function of it has Lambda's Python beside it and sees GitHub."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    scheme = getattr(request, "param", "https")
    [packages] = (ROOT / "build" / "runtime" / "lib").glob("python*/site-packages")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(packages)}
    env |= {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "AUTH": "true"}
    env |= {"GITHUB_API_URL": github.url, "AWS_CA_BUNDLE": str(certificate)}
    if scheme == "https":
        env |= {"USE_SSL": "1", "MINISTACK_SSL_CERT": str(certificate)}
        env |= {"MINISTACK_SSL_KEY": str(certificate.with_name("key.pem"))}
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with (tmp_path / "emulator.log").open("w") as log:
        emulator = subprocess.Popen([ROOT / "build/emulator/bin/ministack"], env=env, stdout=log, stderr=log)
    try:
        _wait_for(f"{scheme}://127.0.0.1:{port}/_ministack/health", certificate)
        yield Account(f"{scheme}://127.0.0.1:{port}")
    finally:
        emulator.kill()  # asked to end, it would wait half a minute for connections that are kept alive
        emulator.wait()


def _wait_for(url: str, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=certificate)
    for _ in range(400):
        try:
            with urllib.request.urlopen(url, context=trusted):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer")


ARCH = "arm64" if platform.machine() == "aarch64" else "x86_64"
"""This machine, as Lambda calls it."""


def make(module: str, *words: str | Path) -> str:
    """Run a step of `make lambda` with the wheels that set-up has fetched; tell what it prints."""
    wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(ROOT / "build" / "wheels"), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=ROOT, env=wheels, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="session")
def zipped(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The Lambda's zip for this machine and interpreter, built by the first of the tests' processes that needs it."""
    folder = tmp_path_factory.getbasetemp()
    target = (folder if worker_id == "master" else folder.parent) / "ghtraffic-lambda.zip"
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            make("infra.package", "--arch", ARCH, "--target", target)
    return target


@pytest.fixture(params=["local", "aws"])
def places(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where to store and export, as settings: once without AWS, once with it."""
    if request.param == "local":
        return {"store": "sqlite:traffic.db", "export_to": "export"}
    aws: Aws = request.getfixturevalue("aws")
    return {"store": aws.store, "export_to": aws.export_to}


@pytest.fixture
def settings_for(github: StandIn) -> Callable[..., Settings]:
    """Make the settings of a run against the stand-in: `settings_for(store=…, export_to=…, repositories=…)`."""

    def make(**values: str) -> Settings:
        environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GHTRAFFIC_REPOSITORIES": NAME}
        return read_settings("collect", environ, values)

    return make


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


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A folder of a user's who is not we, if we are root; else one that was taken from us."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Be a user who can read but not write the folder, and what is in it: root could write everything."""
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & 0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
