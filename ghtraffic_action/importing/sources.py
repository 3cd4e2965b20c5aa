"""Files to import: named, in folders, earlier versions in git."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Self, cast

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.traffic.record_file import is_record_file

_SKIPPED = frozenset({".git", "node_modules", ".venv"})
_LARGEST = 512 * 1024 * 1024
"""Maximum bytes of a file; larger ones are not read."""

_LINE = 1000
"""Bytes of a first line that identify a backup."""

_GIT = (
    *("git", "--literal-pathspecs", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
)
_GIT_ELSEWHERE = re.compile(
    r"GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX"
    r"|CEILING_DIRECTORIES|EXTERNAL_DIFF|\w+_PATHSPECS)"
)
"""Variables, such as those of git hooks, that change the repository or the meaning of paths."""

_RAW = ("--format=", "--raw", "-z", "--no-abbrev", "--no-renames", "-m")
_ADDED = ("--format=%H %P", "--raw", "--no-renames", "-m", "--diff-filter=A")
_RENAMED = ("-r", "-z", "--find-renames", "--diff-filter=R")
_ENTRY = re.compile(rb":\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [A-Z]")


@dataclass(frozen=True, slots=True)
class Source:
    """A version of a file; `path` is None if it is an earlier version.

    `named`: the user named the file itself.
    """

    name: str
    content: bytes
    place: Path
    path: Path | None
    named: bool

    @property
    def sha256(self) -> str:
        """The content's SHA-256 in hexadecimal."""
        return sha256(self.content).hexdigest()


def find_sources(paths: Sequence[str], *, history: bool) -> Iterator[Source]:
    """Yield the files of `paths` one at a time, with `history` also earlier versions.

    Raises ForeignFileError if a path cannot be read, or if it is in no git repository though `history` is wanted.
    """
    for path in map(Path, paths):
        deleted = history and not path.exists()
        if not deleted:
            for file, named in _files(path):
                yield _read(file, named=named)
        if history:
            versions = list(_versions(path)) if deleted else _versions(path)
            yield from versions
            if not versions:
                raise ForeignFileError(f"import {path}: there is no such file, and git knows no version of it")


def _files(path: Path) -> Iterator[tuple[Path, bool]]:
    if not path.is_dir():
        yield path, True
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(files):
            file = Path(folder) / name
            if file.is_file() and not file.is_symlink():
                yield file, False


def _read(path: Path, *, named: bool) -> Source:
    try:
        with path.open("rb") as file:
            content = file.readline(_LINE)
            if not is_record_file(content):  # a backup can be larger than memory
                content += file.read(_LARGEST)
        if len(content) > _LARGEST:
            raise ForeignFileError(f"import {path}: it has more than {_LARGEST:,} bytes: leave it out")
        return Source(_printable(path), content, path.resolve(), path, named)
    except OSError as error:
        what = f"cannot be read ({error.strerror}): name a file that this user can read"
        raise ForeignFileError(f"import {path}: {what}") from error


def _printable(path: Path) -> str:
    """Return a path as UTF-8; file names are any bytes."""
    return os.fsencode(path).decode(errors="replace")


def _versions(path: Path) -> Iterator[Source]:
    """Yield all versions of a path's files on the current branch; fetches nothing."""
    whole = path.resolve()
    folder = next(place for place in (whole, *whole.parents) if place.is_dir())  # the others may be deleted
    top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        what = "the clone is shallow, so that its earlier versions are not there"
        raise ForeignFileError(f"import {path}: {what}: run `git fetch --unshallow`, or leave --history out")
    yielded = set[bytes]()
    with _Blobs(folder) as read:
        for revision, former in _earlier_places(folder, top, whole):
            for blob, name in _blobs_of(folder, revision, former):
                if blob not in yielded:
                    yielded.add(blob)
                    place = top / name
                    shown = Path(os.path.normpath(path / os.path.relpath(place, whole)))
                    version = f"{_printable(shown)}@{blob.decode()[:12]}"
                    yield Source(version, read(blob), place, None, named=place == former)


def _blobs_of(folder: Path, revision: str, path: Path) -> Iterator[tuple[bytes, str]]:
    """Yield the blobs of a path in a revision and before, with their names."""
    log = _git(folder, "log", *_RAW, revision, "--", str(path))
    for entry, changed in pairwise(log.split(b"\0")):
        found = _ENTRY.search(entry)
        if found and found[1].strip(b"0"):
            yield found[1], os.fsdecode(changed)


def _earlier_places(folder: Path, top: Path, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the path, and where a file lay before it was renamed.

    Each comes with the revision up to which the file lay there. `git log --follow` loses one side of a merge.
    """
    places = [("HEAD", path)]
    for revision, place in places:
        yield revision, place
        if path.is_dir():
            return
        log = _git(folder, "log", *_ADDED, revision, "--", str(place))
        added = {line for line in os.fsdecode(log).splitlines() if line and not line.startswith(":")}
        for commit, *parents in map(str.split, sorted(added)):
            for parent in parents:
                _, *renames = _git(folder, "diff-tree", *_RENAMED, parent, commit).split(b"\0")
                for old, new in zip(renames[::3], renames[1::3], strict=False):
                    earlier = parent, top / os.fsdecode(old)
                    if top / os.fsdecode(new) == place and earlier not in places:
                        places.append(earlier)


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - git, with arguments of ours and a path behind `--`
            [*_GIT, *arguments], cwd=folder, capture_output=True, check=False, env=_environment()
        )
    except OSError as error:
        raise ForeignFileError(f"import {folder}: git cannot be run ({error.strerror}): install git") from error
    if done.returncode:
        lines = os.fsdecode(done.stderr).strip().splitlines() or ["it failed"]
        reason = next((line for line in lines if line.startswith("fatal: ")), lines[-1]).removeprefix("fatal: ")
        remedy = "name a path inside a clone"
        if "dubious ownership" in reason:
            remedy = "`git config --global --add safe.directory FOLDER` trusts a clone of another user's"
        what = f"--history reads versions from a local git repository ({reason})"
        raise ForeignFileError(f"import {folder}: {what}: {remedy}, or leave --history out")
    return done.stdout


def _environment() -> dict[str, str]:
    """Return an environment for git without writes or fetches."""
    kept = {name: value for name, value in os.environ.items() if not _GIT_ELSEWHERE.fullmatch(name)}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


class _Blobs:
    """Reads blobs through one `git cat-file --batch`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - git, with arguments of ours
            [*_GIT, "cat-file", "--batch"],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()
        self._output.close()
        self._process.wait()

    def __call__(self, blob: bytes) -> bytes:
        self._input.write(blob + b"\n")
        self._input.flush()
        head = self._output.readline().split()
        if len(head) != 3 or head[1] != b"blob":  # noqa: PLR2004 - its name, its kind, its size
            what = "a version is not in this clone"
            raise ForeignFileError(f"import {self._folder}: {what}: run `git fetch --refetch`, or leave --history out")
        content = self._output.read(int(head[2]))
        self._output.read(1)
        return content

    @property
    def _input(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdin)

    @property
    def _output(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdout)
