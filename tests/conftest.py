"""What the tests share: an empty environment, a fake of GitHub, and two emulators of AWS, one with policies."""

import gc
import ipaddress
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import hypothesis
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from filelock import FileLock

from ghtraffic_action.settings import Settings, read_settings
from tests.support.aws import Account, Aws, create_table, serve_account
from tests.support.builders import ARCH, NAME, NOW, ROOT, TOKEN, repository
from tests.support.cli import make
from tests.support.fake_github import FakeGitHub
from tests.support.fault_proxy import FaultProxy
from tests.support.files import IN_MEMORY
from tests.support.unmeasured import unmeasured

E2E_FOLDERS = {ROOT / "tests" / "e2e", ROOT / "tests" / "simulation"}
E2E_FIXTURES = {"account", "aws_url", "seventy_days_folder"}


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples in the quick tests, and keep their folders in memory if it has room: a disk is slower."""
    is_quick = config.option.markexpr == "not e2e"
    examples = 20 if is_quick else 100
    hypothesis.settings.register_profile("ours", max_examples=examples, derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("ours")
    if is_quick and IN_MEMORY and shutil.disk_usage(IN_MEMORY).free > 2**30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no test of the folders marked as `e2e` if those are deselected: it takes seconds in each worker."""
    return True if config.option.markexpr == "not e2e" and collection_path in E2E_FOLDERS else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark two folders as `e2e`, and every test that uses an emulator of AWS or an export of many runs."""
    for item in items:
        if E2E_FOLDERS & set(item.path.parents) or E2E_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.e2e)


def pytest_collection_finish() -> None:
    """Keep modules and tests, which live to the end, out of garbage collections."""
    gc.freeze()


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the machine's own settings, credentials or proxies, and each has a folder of its own."""
    for name in os.environ:
        ours = name.startswith(("AWS_", "GITHUB_", "GHTRAFFIC_", "GH_", "ACTIONS_", "RUNNER_"))
        if ours or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # else requests reads the whole environment for each request
    monkeypatch.chdir(tmp_path)
    logging.getLogger("ghtraffic_action").setLevel(logging.WARNING)


@pytest.fixture(name="unmeasured")
def run_unmeasured() -> Iterator[None]:
    """Run a test without coverage, which also imports modules and writes a file in the programs that it starts."""
    with unmeasured():
        yield


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Serve a fake GitHub with one repository, whose clock stands at NOW and which accepts only TOKEN."""
    with FakeGitHub([repository()], now=NOW, token=TOKEN) as fake:
        yield fake


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """Serve the emulator of AWS."""
    from tests.support.emulator import serve_emulator  # noqa: PLC0415 - moto takes a second, which quick tests save

    with serve_emulator() as url:
        yield url


@pytest.fixture
def aws(request: pytest.FixtureRequest, aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Return an account of AWS with a new table and a new bucket, and set the credentials in the environment."""
    assert request.node.get_closest_marker("e2e"), "the emulator is used in a parameter: mark it with pytest.mark.e2e"
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    name = f"traffic-{uuid.uuid4().hex[:12]}"
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    create_table(dynamodb, name)
    s3.create_bucket(Bucket=name)
    yield Aws(aws_url, name, name, dynamodb, s3)
    dynamodb.close()
    s3.close()


@pytest.fixture
def proxy(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Start a proxy between the program and AWS; the test's own clients do not use it."""
    with closing(FaultProxy(aws.url)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for this machine that is valid for an hour, and its key: the bucket refuses plain HTTP."""
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


@pytest.fixture
def account(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    certificate: Path,
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Account]:
    """Start the emulator with an empty account; its functions run with Lambda's Python and reach the fake GitHub."""
    [packages] = (ROOT / "build" / "runtime" / "lib").glob("python*/site-packages")
    env = {"TMPDIR": str(tmp_path), "PYTHONPATH": str(packages)}
    env |= {"GITHUB_API_URL": github.url, "AWS_CA_BUNDLE": str(certificate)}
    env |= {"SFN_WAIT_SCALE": "0.01"}  # a state machine's pauses before it tries again
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    over_tls = getattr(request, "param", "https") == "https"
    with serve_account(tmp_path, certificate if over_tls else None, **env) as account:
        yield account


@pytest.fixture(scope="session")
def zipped(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the Lambda's zip for this machine and interpreter, once for all of the tests' processes."""
    folder = tmp_path_factory.getbasetemp()
    target = (folder if worker_id == "master" else folder.parent) / "ghtraffic-lambda.zip"
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            make("infra.package", "--arch", ARCH, "--target", target)
    return target


@pytest.fixture(params=["local", pytest.param("aws", marks=pytest.mark.e2e)])
def backends(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings for a store and an export: once without AWS, once with it."""
    if request.param == "local":
        return {"store": "sqlite:traffic.db", "export_to": "export"}
    aws: Aws = request.getfixturevalue("aws")
    return {"store": aws.store, "export_to": aws.export_to}


@pytest.fixture
def settings_for(github: FakeGitHub) -> Callable[..., Settings]:
    """Make the settings of a run against the fake: `settings_for(store=…, export_to=…, repositories=…)`."""

    def make(**values: str) -> Settings:
        environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GHTRAFFIC_REPOSITORIES": NAME}
        return read_settings("collect", environ, values)

    return make


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """Make a folder that belongs to another user if we are root, else one that we may not write to."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
