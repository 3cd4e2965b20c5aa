"""Installs the locked requirements for the Action, into a folder that the runner empties."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

from pip._internal.configuration import Configuration  # `pip config list` reads less if a setting such as user is on
from pip._internal.exceptions import PipError

HERE = Path(__file__).resolve().parent
LOCKED = HERE / "requirements.txt"
LOCKED_UV = HERE / "requirements-uv.txt"
EXACTLY = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--no-cache-dir")

WAYS = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "keyring-provider"),
    *("proxy", "cert", "client-cert", "timeout", "default-timeout", "retries"),
)
"""pip's settings for access to a registry; all others change where and what to install."""


def pip_settings() -> dict[str, str]:
    """Return pip's settings of the runner for access to a registry, from files and environment."""
    configuration = Configuration(isolated=False)
    configuration.load()
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for key, value in _pairs(configuration):
            where, _, name = key.partition(".")
            if where == section and name in WAYS:
                found[name] = str(value)
    return found


def _pairs(configuration: Configuration) -> Iterator[tuple[str, object]]:
    """Yield keys and values, which newer versions of pip list for each file."""
    for key, value in configuration.items():
        yield from value.items() if isinstance(value, dict) else [(key, value)]


def pip_environment(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with only these pip settings."""
    kept = {name: value for name, value in environ.items() if not name.upper().startswith(("PIP_", "UV_"))}
    own = {f"PIP_{name.replace('-', '_').upper()}": value for name, value in settings.items()}
    # A colour reset after the last line would hide our annotation from the runner.
    return kept | own | {"PIP_CONFIG_FILE": os.devnull, "NO_COLOR": "1", "PIP_NO_COLOR": "1"}


def uv_environment(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which uv accesses a registry as pip does, with `uv_settings`."""
    found = {name: value for name, value in environ.items() if not name.upper().startswith(("PIP_", "UV_"))}
    if proxy := settings.get("proxy"):
        found |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    if certificate := settings.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE"):
        found["SSL_CERT_FILE"] = certificate
    if client := settings.get("client-cert"):
        found["SSL_CLIENT_CERT"] = client
    if timeout := settings.get("timeout") or settings.get("default-timeout"):
        found["UV_HTTP_TIMEOUT"] = timeout
    return found | {"UV_SYSTEM_CERTS": "true", "NO_COLOR": "1"}


def uv_settings(settings: Mapping[str, str]) -> str:
    """Write pip's settings as a file for uv."""
    pip: dict[str, object] = {"index-strategy": "unsafe-best-match"}  # as pip does; the hashes say which file is meant
    pip |= {name: settings[name].split() for name in ("extra-index-url", "find-links") if name in settings}
    pip |= {name: settings[name] for name in ("index-url",) if name in settings}
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        pip["no-index"] = True
    hosts = {"allow-insecure-host": settings.get("trusted-host", "").split()}
    return "\n".join((*_toml(hosts), "[pip]", *_toml(pip), ""))


def _toml(values: Mapping[str, object]) -> Iterator[str]:
    return (f"{name} = {json.dumps(value)}" for name, value in values.items())


def install(target: Path, folder: Path, environ: Mapping[str, str]) -> None:
    """Install by uv, which is faster, or by pip if the registry has no uv.

    Bytecode is not compiled: for all modules it takes twice the time that the one run saves.
    """
    settings = pip_settings()
    pip = pip_environment(settings, environ)
    try:
        _run(pip, sys.executable, "-I", *PIP, *EXACTLY, "--target", str(folder / "uv"), "-r", str(LOCKED_UV))
        [uv] = [path for path in folder.glob("uv/*/uv*") if path.name in ("uv", "uv.exe")]
        file = folder / "uv.toml"
        file.write_text(uv_settings(settings), encoding="utf-8")
        where = ("--config-file", str(file), "--python", sys.executable, "--target", str(target))
        _run(
            uv_environment(settings, environ),
            *(str(uv), "pip", "install", "--quiet", "--no-cache", "--link-mode", "copy"),
            *(*EXACTLY, *where, "-r", str(LOCKED)),
        )
    except (subprocess.CalledProcessError, OSError, ValueError):
        print("uv cannot be used here: pip installs instead", flush=True)  # noqa: T201 - a line of the job's log
        _run(pip, sys.executable, "-I", *PIP, *EXACTLY, "--upgrade", "--target", str(target), "-r", str(LOCKED))


def _run(environ: Mapping[str, str], *command: str) -> None:
    subprocess.run(command, check=True, env=environ, cwd=HERE)  # noqa: S603 - pip and uv


def missing(target: Path) -> list[str]:
    """Return the locked requirements of every platform that are not installed in a folder."""
    there = {_normalized(found.name) for found in distributions(path=[str(target)])}
    locked = re.findall(r"^([A-Za-z0-9._-]+)==[^;\s]+ \\$", LOCKED.read_text(encoding="utf-8"), re.MULTILINE)
    return [name for name in locked if _normalized(name) not in there]


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Install, and set the import folders of Python for the next step."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="ghtraffic.", dir=os.environ["RUNNER_TEMP"]))
        target = folder / "packages"
        try:
            install(target, folder, os.environ)
        finally:
            for rest in (folder / "uv", folder / "uv.toml"):  # the second may hold a password of a registry
                shutil.rmtree(rest, ignore_errors=True) if rest.is_dir() else rest.unlink(missing_ok=True)
        problem = f"{', '.join(absent)} missing from {target}" if (absent := missing(target)) else ""
    except subprocess.CalledProcessError as error:
        problem = f"pip ended with {error.returncode}"
    except PipError:  # its text has the line, in which a password may stand
        problem = "a file of pip's settings is malformed: `pip config debug` lists the files"
    except OSError as error:
        problem = str(error)
    if problem:
        remedy = "look at the lines above, and check pip's index, proxy and certificate on this runner"
        print(f"::error title=ghtraffic::install: nothing can be run ({problem}): {remedy}")  # noqa: T201 - an annotation
        return 1
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8", newline="\n") as output:
        output.write(f"pythonpath={os.pathsep.join((str(HERE), str(target)))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
