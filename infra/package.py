"""Build the Lambda's zip reproducibly, from our package and the locked requirements.

`python -m infra.package --arch arm64` writes dist/ghtraffic-lambda.zip. The interpreter that runs this compiles the
modules, so it has to be of the runtime's version.
"""

import argparse
import compileall
import py_compile
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from modulefinder import ModuleFinder
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent

HANDLER = "ghtraffic_action.lambda_handler"

IN_RUNTIME = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six"}
"""What Lambda's Python brings along."""

COMMAND_LINE = {"click", "markdown-it-py", "mdurl", "pygments", "rich"}
"""What only a terminal needs."""

PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
TAGS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
"""The runtime's own is the last; a wheel may be older, and pip takes only what is named."""

EPOCH = (1980, 1, 1, 0, 0, 0)


def locked() -> dict[str, str]:
    """Read the locked requirements as entries by name."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text().strip())
    return {re.split(r"[=\s\[]", entry)[0].lower(): entry for entry in entries}


def zipped() -> dict[str, str]:
    """Return the locked requirements that go into the zip."""
    return {name: entry for name, entry in locked().items() if name not in IN_RUNTIME | COMMAND_LINE}


def install(folder: Path, machine: str, entries: Iterable[str]) -> None:
    """Install the wheels of the platform, each checked against the lock's hashes."""
    with TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("\n".join(entries) + "\n")
        platforms = [f"--platform={tag}_{machine}" for tag in TAGS]
        version = f"--python-version={sys.version_info.major}.{sys.version_info.minor}"
        options = [
            "--only-binary=:all:",
            "--no-deps",
            "--require-hashes",
            "--no-compile",
            "--quiet",
            version,
            *platforms,
        ]
        pip = [sys.executable, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--implementation=cp"]
        subprocess.run([*pip, *options, f"--target={folder}", f"--requirement={requirements}"], check=True)  # noqa: S603 - our own words


def check(folder: Path, machine: str) -> None:
    """Check the installed packages against the lock and the platform. Raises SystemExit."""
    came = {}
    for metadata in folder.glob("*.dist-info"):
        name, version = metadata.name.removesuffix(".dist-info").rsplit("-", 1)
        came[name.lower().replace("_", "-")] = version
        tags = re.findall(r"^Tag: .*-(\S+)$", (metadata / "WHEEL").read_text(), re.MULTILINE)
        if not any(tag == "any" or tag.endswith(machine) for tag in tags):
            sys.exit(f"{metadata.name}: it is for {', '.join(tags)} where {machine} was asked for")
    wanted = {name: entry.split("==")[1].split()[0] for name, entry in zipped().items()}
    if came != wanted:
        sys.exit(f"what came is not what is locked: {sorted(set(came.items()) ^ set(wanted.items()))}")


def compile_all(folder: Path) -> None:
    """Compile each module for its path in Lambda, without a check of file times."""
    compileall.compile_dir(
        folder,
        stripdir=str(folder),
        prependdir="/var/task",
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def write_zip(folder: Path, target: Path) -> None:
    """Write the files in order, with one date and one mode."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(_files(folder)):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "/bin/" not in f"/{path.relative_to(folder).as_posix()}" and path.name != "RECORD":
            yield path


def modules() -> list[Path]:
    """Return our modules that the Lambda imports, without command line and demonstration."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.import_hook(HANDLER)
    ours = HANDLER.partition(".")[0]
    found = (vars(module) for name, module in finder.modules.items() if name.partition(".")[0] == ours)
    return sorted(Path(module["__file__"]) for module in found)


def pages() -> list[Path]:
    """Return the report page's frame, style and script files."""
    package = ROOT / HANDLER.partition(".")[0] / "page"
    return sorted(path for kind in ("html", "css", "js") for path in package.rglob(f"*.{kind}"))


def copy_package(folder: Path) -> None:
    """Copy our modules and the report page's files."""
    for path in (*modules(), *pages()):
        to = folder / path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())


def main() -> None:
    """Build the zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=PLATFORMS, default="arm64")
    parser.add_argument("--target", type=Path, default=ROOT / "dist" / "ghtraffic-lambda.zip")
    arguments = parser.parse_args()
    machine = PLATFORMS[arguments.arch]
    with TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "zip"
        install(folder, machine, zipped().values())
        check(folder, machine)
        copy_package(folder)
        compile_all(folder)
        write_zip(folder, arguments.target)
        unpacked = sum(path.stat().st_size for path in _files(folder))
    size = arguments.target.stat().st_size
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    sizes = f"{size / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB unpacked"
    print(f"{arguments.target}: {sizes}, for {python} on {arguments.arch}")  # noqa: T201 - the result


if __name__ == "__main__":
    main()
