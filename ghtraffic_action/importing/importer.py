"""An import: read, check, stage, resolve, plan, back up, write."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from ghtraffic_action.backup.archive import Imported, import_backup
from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.backups import StoreWithBackups, join_backups, open_with_backups
from ghtraffic_action.importing.model import Claim, Reading, Row
from ghtraffic_action.importing.ownership import Identity, KnownNames, LookUp, Ownership
from ghtraffic_action.importing.plan import RepositoryPlan, complete_plan
from ghtraffic_action.importing.plausibility import RegularDays, plausible_rows
from ghtraffic_action.importing.recognition import SkippedFileError, recognise
from ghtraffic_action.importing.sources import Source, find_sources
from ghtraffic_action.importing.staging import Staging
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.merge import apply
from ghtraffic_action.traffic.model import Changes, History
from ghtraffic_action.traffic.provenance import ImportedFile, ImportRecord, describe_import
from ghtraffic_action.traffic.record_file import is_record_file, record_lines, write_lines


@dataclass(frozen=True, slots=True)
class Request:
    """What to import: paths, their repository unless they name it, and checks to skip."""

    paths: tuple[str, ...]
    repository: str = ""
    repository_id: int | None = None
    write: bool = False
    force: bool = False
    history: bool = False


@dataclass(slots=True)
class Plan:
    """What an import does or would do; `imported` if it was written."""

    id: str = ""
    repositories: list[RepositoryPlan] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    skipped: int = 0
    backups: list[str] = field(default_factory=list)
    changes: bool = False
    imported: Imported | None = None


def run_import(settings: Settings, request: Request, now: datetime, look_up: LookUp) -> Plan:
    """Plan an import, and write it if requested; merge plain backups immediately.

    Raises UserError if a file is refused: then nothing is written.
    """
    with TemporaryDirectory(prefix="ghtraffic-") as folder, closing(Staging(folder)) as staging:
        plan = Plan()
        _Reader(request, now.date(), staging, plan).read()
        if plan.refused and not request.force:
            raise ForeignFileError("\n".join(plan.refused))
        backup = Path(folder) / "import.jsonl"
        if joined := bool(plan.backups and staging.claims):
            plan.backups = [join_backups(settings, plan.backups, Path(folder), now.date())]
        with open_with_backups(settings, Path(folder), joined=joined) as store, backup.open("wb") as file:
            file.writelines(write_lines(_Planner(request, now, staging, store).lines(plan, look_up)))
        if not (plan.repositories or plan.backups or plan.left_out):
            what = "none of the files has a known form (docs/import.md lists them): name other files"
            raise ForeignFileError(f"import {', '.join(request.paths)}: {what}")
        if request.write or not plan.repositories:
            plan.imported = _import(settings, [*plan.backups, *([str(backup)] if plan.changes else [])], now)
    return plan


def _import(settings: Settings, backups: Sequence[str], now: datetime) -> Imported | None:
    done = [import_backup(settings, backup, now.date()) for backup in backups]
    if not done:
        return None
    return Imported(*(sum(getattr(one, number.name) for one in done) for number in fields(Imported)))


class _Reader:
    """Reads the files into the staging store."""

    def __init__(self, request: Request, today: date, staging: Staging, plan: Plan) -> None:
        self._request = request
        self._today = today
        self._staging = staging
        self._plan = plan

    def read(self) -> None:
        """Read all files; the plan gets refused files and skipped earlier versions."""
        streams = [path for path in self._request.paths if _is_stream(path)]
        self._plan.backups += streams
        paths = [path for path in self._request.paths if path not in streams]
        for source in find_sources(paths, history=self._request.history):
            try:
                self._add(source)
            except ForeignFileError as error:
                # An earlier version cannot be corrected.
                if source.path is None or isinstance(error, SkippedFileError):
                    self._plan.left_out.append(f"{source.name}: {error}")
                else:
                    self._plan.refused.append(f"import {source.name}: {error}")

    def _add(self, source: Source) -> None:
        if is_record_file(source.content):
            if source.path is not None:
                self._plan.backups.append(str(source.path))
            return
        reading = recognise(source.content, source.name, source.path, named=source.named)
        if reading is None:
            self._plan.skipped += 1
            return
        if not self._check(reading):
            if source.path is not None:  # an earlier version can be empty
                self._plan.left_out.append(f"{source.name}: it has no rows")
            return
        self._staging.add(source, reading, self._rows(reading))

    def _check(self, reading: Reading) -> bool:
        """Read a file once before staging, to refuse it whole. Return whether it has rows."""
        regular, found = RegularDays(), False
        for row in self._rows(reading):
            found = True
            regular.add(row)
        if not self._request.force:
            regular.check()
        return found

    def _rows(self, reading: Reading) -> Iterator[Row]:
        return plausible_rows(reading.form, reading.rows(), self._today, force=self._request.force)


def _is_stream(path: str) -> bool:
    """Return whether a path can be read only once, which only a backup may be."""
    return path == "-" or (Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir())


class _Planner:
    """Plans the import of staged rows by repository."""

    def __init__(self, request: Request, now: datetime, staging: Staging, store: StoreWithBackups) -> None:
        self._request = request
        self._now = now.replace(microsecond=0)
        self._staging = staging
        self._store = store

    def lines(self, plan: Plan, look_up: LookUp) -> Iterator[bytes]:
        """Yield the backup lines to import, and add each repository to the plan."""
        owners = self._resolve(plan, look_up)
        digests = sorted(d for c in self._staging.claims.values() for f in c.files.values() for d in f.digests)
        plan.id = f"{self._now:%Y%m%dT%H%M%SZ}-{sha256(' '.join(digests).encode()).hexdigest()[:6]}"
        for who, claims in owners.items():
            yield from self._plan(plan, who, claims)

    def _resolve(self, plan: Plan, look_up: LookUp) -> dict[Identity, list[Claim]]:
        staged = [claim for claim, claimed in self._staging.claims.items() if claimed.staged]
        for claimed in self._staging.claims.values():
            if not claimed.staged:
                plan.left_out += [f"{', '.join(claimed.files)}: {n} {reason}" for reason, n in claimed.left_out.items()]
        known = KnownNames()
        if staged:
            for history in self._store.scan():
                known.add(history)
        ownership = Ownership(self._request.repository, self._request.repository_id, known, look_up)
        resolved = ownership.resolve(staged)
        plan.left_out += [f"{claim.name}: it is another repository" for claim in staged if claim not in resolved]
        names = {who.id: who for who in sorted(resolved.values(), key=lambda who: who.name)}
        owners: dict[Identity, list[Claim]] = {}
        for claim, who in sorted(resolved.items(), key=lambda item: item[1].id):
            owners.setdefault(names[who.id], []).append(claim)
        return owners

    def _plan(self, plan: Plan, who: Identity, claims: Sequence[Claim]) -> Iterator[bytes]:
        staged, files, dropped = History(who.id), list[ImportedFile](), Counter[str]()
        for claim in claims:
            claimed, history = self._staging.claims[claim], self._staging.load(claim)
            staged = apply(staged, Changes(history.days, history.snapshots))
            files += [versions.describe(name) for name, versions in claimed.files.items()]
            dropped.update(claimed.left_out)
        found = RepositoryPlan(who, tuple(sorted(set(files), key=lambda file: file.name)), dropped)
        plan.repositories.append(found)
        stored = self._store.load(who.id)
        seen = complete_plan(found, staged, stored, force=self._request.force)
        record = describe_import(ImportRecord(plan.id, self._now, who.name, found.files), stored, seen)
        if record.days or record.snapshots:
            plan.changes = True
            yield from record_lines(History(who.id, days=seen.days, snapshots=seen.snapshots), [record])
