"""The wheel and the source distribution, built and installed without a registry."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ghtraffic_action import __version__
from tests.support.builders import ROOT

BIN = Path(sys.executable).parent
WHEELS = ROOT / "build" / "wheels"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel"]
    subprocess.run([*command, "-d", folder], cwd=ROOT, check=True, capture_output=True)
    return folder


def ghtraffic(command: Sequence[str | Path], folder: Path, **env: str) -> str:
    """Run a command as a user with an empty home. Return its output."""
    environ = {"HOME": str(folder), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "LANG": "C.UTF-8", **env}
    done = subprocess.run(command, cwd=folder, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pipx_installs_a_command_that_works(built: Path, tmp_path: Path) -> None:
    """`pipx install` of the wheel provides `ghtraffic`, which collects, exports and verifies a demonstration."""
    [wheel] = built.glob("*.whl")
    places = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    offline = {"UV_OFFLINE": "1", "UV_FIND_LINKS": str(WHEELS), "UV_NO_CONFIG": "1"}
    command: list[str | Path] = [BIN / "pipx", "install", "--quiet", "--backend", "uv", "--python", sys.executable]
    ghtraffic([*command, wheel], tmp_path, **places, **offline)
    assert ghtraffic(["ghtraffic", "--version"], tmp_path).split()[-1] == __version__
    page = Path("ghtraffic-demo", "export", "report.html")
    assert f"The page  {page}" in ghtraffic(["ghtraffic", "demo"], tmp_path)
    assert b"octo-lab/lighthouse" in (tmp_path / page).read_bytes()
    demo = ["--store", "sqlite:ghtraffic-demo/ghtraffic.db", "--export-to", "ghtraffic-demo/export"]
    assert re.match(r"(\d+) of \1 files ", ghtraffic(["ghtraffic", "verify", *demo], tmp_path))


def test_uvx_runs_it(built: Path, tmp_path: Path) -> None:
    """`uvx --from` the wheel runs `ghtraffic` without installing it."""
    [wheel] = built.glob("*.whl")
    offline: list[str | Path] = ["--offline", "--no-index", "--find-links", WHEELS, "--no-config"]
    command = [BIN / "uvx", *offline, "--python", sys.executable, "--from", wheel, "ghtraffic", "--version"]
    assert ghtraffic(command, tmp_path).split()[-1] == __version__


def test_it_ships_the_package_alone(built: Path) -> None:
    """The wheel has the package, licence, types and page files, and no tests."""
    [wheel], [source] = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert {name.partition("/")[0] for name in names} == {"ghtraffic_action", f"ghtraffic-{__version__}.dist-info"}
    assert {f"ghtraffic_action/{name}" for name in ("py.typed", "setup/base.yaml", "setup/traffic.yml")} <= set(names)
    assert any(name.endswith("/LICENSE") for name in names)
    assert "Project-URL: Issues, https://github.com/ghtraffic/ghtraffic/issues" in metadata
    with tarfile.open(source) as archive_of_source:
        top = {name.split("/")[1] for name in archive_of_source.getnames()}
    assert top == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "examples",
        "ghtraffic_action",
        "infra",
        "pyproject.toml",
    }
