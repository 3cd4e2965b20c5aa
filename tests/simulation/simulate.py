"""Simulates one seed from its first day to its last: the runs, and the invariants after each of them."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from ghtraffic_action.backup.archive import import_backup, write_backup
from ghtraffic_action.collect import collect
from ghtraffic_action.errors import Interrupted, UserError
from ghtraffic_action.exports.rebuild import export_all
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.report import Report
from ghtraffic_action.settings import read_settings
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import History
from tests.support.fake_github import Catalogue, FakeGitHub

from . import invariants
from .aws import Amazon
from .backends import AwsBackend, Backend, FaultyWay, LocalBackend
from .expected import Expected, Kept, Metric
from .faults import Faults
from .github import URL, GitHub, connected
from .imports import Imports
from .invariants import BrokenInvariantError, Histories
from .journal import Group, Journal
from .scenario import Batch, batches
from .scheduler import Clock, Process, Scheduler, Stop, machine
from .world import World, draw_world

Run = Process[Report]
_NUMBERS = count(1)
"""Distinguishes one simulation of a process from another of the same seed."""

_ASKED = {"metadata", "views", "clones", "paths", "referrers"}
"""What a run asks about each repository."""

_IMPORTS = 0.3
"""How often there is an import, or the undo of one, beside the runs of a batch."""

_CROSSING, _CROSSING_ON_AWS = 0.15, 0.5
"""The part of the batches across the end of an hour; there are fewer seeds on AWS, where conditions decide races."""

_LATE = 55
"""The minute after which a rerun might meet the next hour's answers."""


@dataclass
class Outcome:
    """The result of a seed: its runs and how they ended, the faults, imports, and a digest of all that happened."""

    seed: int
    runs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    imports: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    broken: str = ""


def simulate(seed: int, days: int, *, aws: bool = False, folder: Path | None = None) -> Outcome:
    """Simulate one seed; the outcome names the invariant that was broken, if one was."""
    draw = Random(f"seed {seed}")  # noqa: S311 - it has to be repeatable, not secret
    random.seed(seed)  # the jitter of what waits
    first = date(2026, 1, 1) + timedelta(days=draw.randrange(4 * 365))
    world = draw_world(draw, first, days, most=2 if aws else 3)
    plan = Plan(first, world, tuple(batches(draw, first, days, _CROSSING_ON_AWS if aws else _CROSSING)))
    with TemporaryDirectory(dir=folder, prefix="simulation-") as place:
        simulation = Simulation(seed, draw, plan, Path(place), aws=aws)
        try:
            simulation.run()
        except BrokenInvariantError as broken:
            simulation.outcome.broken = f"{simulation.clock.now:%Y-%m-%d %H:%M}: {broken}"
    return simulation.outcome


@dataclass(frozen=True)
class Plan:
    """What happens from the `first` day on: the events of the world, and the runs."""

    first: date
    world: World
    batches: Sequence[Batch]


class Simulation:
    """A simulation in progress, of a seed or of a plan that was written by hand."""

    def __init__(self, seed: int, draw: Random, plan: Plan, folder: Path, *, aws: bool = False) -> None:
        self.outcome = Outcome(seed)
        self._draw = draw
        self._folder = folder
        self._asked: Sequence[str] = ()
        self._first, self._world, self._batches = plan.first, plan.world, plan.batches
        self.clock = Clock(datetime.combine(self._first, time(), UTC))
        self._scheduler = Scheduler(self._draw, self.clock)
        self._faults = Faults(self._draw)
        self._journal = Journal()
        self._fake = FakeGitHub(self._world.repositories, now=self.clock.now, limit=10**9)
        self._github = GitHub(self._fake, self._scheduler, self.clock, self._faults, self._journal)
        way = FaultyWay(self._scheduler, self.clock, self._faults)
        amazon = Amazon(self._scheduler, self.clock, self._faults) if aws else None
        name = f"traffic-{seed}-{next(_NUMBERS)}"
        self._backend: Backend = AwsBackend(name, amazon) if amazon else LocalBackend(folder, way)
        self._more = Random(f"more of seed {seed}")  # noqa: S311 - so that what else a seed means stays as it is
        self._imports = Imports(self._more, folder, self._backend, self._journal)
        self._counts_runs = self._more.random() < 0.5
        self._local = amazon is None
        self._kept: dict[int, Kept] = {}
        self._expected: Mapping[int, Expected] = {}
        self._before: Histories = {}
        self._files: Mapping[str, bytes] = {}

    def run(self) -> None:
        """Execute batch after batch, and check the invariants after each."""
        day = self._first
        for batch in self._batches:
            while day <= batch.at.date():
                self._world.begin(day)
                day += timedelta(days=1)
            self._fake.repositories = self._world.repositories
            self.clock.now = max(batch.at, self.clock.now)
            if not self._local:
                self._import()
            self._take_back()
            met = self._faults.met("GitHub")
            runs, imported = self._execute(batch)
            if imported:
                self._export()
            self._check(runs, batch, imported=imported)
            same_hour = self.clock.now.replace(minute=0) <= batch.at and self.clock.now.minute < _LATE
            same_answers = same_hour and self._faults.met("GitHub") == met  # else some were given by other calls
            if batch.again and same_answers and all(_complete(run.result) for run in runs):
                self._check_again(batch)
        if self._before:
            self._check_other_commands()
        self.outcome.faults = self._faults.counted
        self.outcome.imports = self._imports.counted
        stored = repr((sorted(self._before.items()), sorted(self._files.items()), sorted(self.outcome.ends.items())))
        self.outcome.digest = sha256(stored.encode()).hexdigest()

    def _import(self) -> bool:
        """Import a foreign file now and then; return whether the store may have changed."""
        file = self._imports.draw_file(self._before, self.clock.now) if self._more.random() < _IMPORTS else None
        return file is not None and self._imports.bring(file, self.clock.now)

    def _take_back(self) -> None:
        """Sometimes undo an import; only then may numbers fall, so the invariants compare with the new state."""
        imported = self._backend.stored() != self._before
        if (self._more.random() < _IMPORTS and self._imports.take_back_one()) or imported:
            after = self._backend.stored()
            invariants.only_what_was_answered(self._journal, invariants.changed(self._before, after))
            self._export()
            for uri in verify_all(read_settings("verify", self._environ()), repair=False).needless:
                self._backend.remove(uri)  # the month of an import that was taken back, as `verify` says
            self._before, self._files = after, self._backend.exported()
            self._expected = {number: self._judge(number, history) for number, history in after.items()}

    def _export(self) -> None:
        """Write all files, as the import asks a user to, unless the undo of an import left the store empty."""
        if not self._backend.stored():
            return
        self._faults.rate, self._faults.outage, self._faults.refused = 0.0, "", ""
        export_all(read_settings("export", self._environ()))

    def _execute(self, batch: Batch) -> tuple[Sequence[Run], bool]:
        """Execute the runs of a batch; if the store is a file, sometimes with an import at any moment between them."""
        runs: list[Run] = []
        self._asked = self._named(batch)
        for after, kill_at, stop_at, skew in zip(batch.after, batch.kill_at, batch.stop_at, batch.skew, strict=True):
            run = Run(partial(self._collect, skew), kill_at, stop_at, Stop(self._scheduler))
            run.wakes = self.clock.now + timedelta(seconds=after)
            runs.append(run)
        self._faults.rate, self._faults.outage, self._faults.refused = batch.rate, batch.outage, batch.refused
        self._github.distance.seconds = batch.distance
        self._github.heard.clear()
        importing = Process[bool](lambda _: self._import())
        importing.wakes = self.clock.now + timedelta(seconds=self._more.uniform(0, 3))
        wanted = self._local and self._more.random() < _IMPORTS
        with connected(self._github):
            self._scheduler.run([*runs, importing] if wanted else runs)
        if importing.error:
            raise importing.error
        return runs, bool(importing.result)

    def _named(self, batch: Batch) -> Sequence[str]:
        """Return which repositories a batch asks for: mostly all, sometimes one."""
        names = [asked for asked in self._world.asked if not asked.endswith("/*")]
        return [names[batch.only % len(names)]] if batch.only is not None and names else self._world.asked

    def _collect(self, skew: timedelta, run: Run) -> Report:
        settings = read_settings("collect", self._environ())
        here = machine(self.clock, self._draw, run.stop, skew)
        store, destination = self._backend.open(here)
        with closing(store), closing(destination):
            return collect(settings, store, destination, here)

    def _environ(self, **others: str) -> dict[str, str]:
        return {
            "GHTRAFFIC_REPOSITORIES": " ".join(self._asked),
            "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
            "GHTRAFFIC_STORE": self._backend.store,
            "GHTRAFFIC_EXPORT_TO": self._backend.export_to,
            "GITHUB_API_URL": URL,
            "GHTRAFFIC_WORKFLOW_RUNS": str(self._counts_runs).lower(),
            **others,
        }

    def _check(self, runs: Sequence[Run], batch: Batch, *, imported: bool) -> None:
        after, files = self._backend.stored(), self._backend.exported()
        for run in runs:
            self.outcome.runs += 1
            self.outcome.ends[_end(run)] += 1
            self._check_run(run, after)
        invariants.nothing_falls(self._before, after)
        new = invariants.changed(self._before, after)
        invariants.only_what_was_answered(self._journal, new)
        invariants.coverage_has_its_days(self._journal, new, after)
        self._keep(runs, after)
        expected = {number: self._judge(number, history) for number, history in after.items()}
        invariants.no_day_is_lost_before_the_deadline(self._expected, expected)
        invariants.files_show_no_other_number(expected, after, files)
        exported = self._exported(runs)
        invariants.files_agree(expected, after, files, exported)
        invariants.lost_days_are_counted(files, exported)
        if all(run.result for run in runs) and not imported:
            invariants.others_stay(self._files, files, self._observed(runs))
        self._check_deadlines(runs, expected)
        self._before, self._files, self._expected = after, files, expected
        disturbed = batch.rate or batch.outage or batch.refused
        undisturbed = not disturbed and set(batch.kill_at + batch.stop_at) == {None}
        if undisturbed and self._wanted() is not None:
            _hold(all(run.result and run.result.exit_code == 0 for run in runs), "nothing went wrong, and a run failed")

    def _keep(self, runs: Sequence[Run], after: Histories) -> None:
        """Record which answers are kept: all of a run that reports them, else those that the store has."""
        for run in runs:
            observed = self._observed([run])
            for group in self._github.heard.get(run, []):
                number, answer = group[0], self._journal.traffic.get(group)
                if invariants.is_replaced(self._journal, group, after, self._before):
                    continue
                if answer and (number in observed or invariants.is_kept(answer, after.get(number))):
                    self._kept.setdefault(number, Kept(self._journal.created[number])).add(answer)

    def _judge(self, number: int, history: History) -> Expected:
        stored: dict[tuple[Metric, date], tuple[int | None, int | None]] = {}
        for day in history.days:
            stored["views", day.day] = day.views, day.view_uniques
            stored["clones", day.day] = day.clones, day.clone_uniques
        return self._kept.get(number, Kept()).expected(stored)

    def _exported(self, runs: Sequence[Run]) -> set[int]:
        """List the repositories with a complete export: each run that received answers stored and exported them."""
        whole = self._observed(runs)
        for run in runs:
            exported = run.result is not None and not run.result.errors and not run.result.interrupted
            whole -= {group[0] for group in self._github.heard.get(run, [])} - (
                self._observed([run]) if exported else set()
            )
        return whole

    def _check_deadlines(self, runs: Sequence[Run], expected: Mapping[int, Expected]) -> None:
        """Check that a run without others at the same time reports the deadline that follows from the answers."""
        if len(runs) == 1 and runs[0].result:
            for found in runs[0].result.repositories:
                if found.id and found.observed:
                    due = expected[found.id].deadline
                    _hold(found.deadline == due, f"{found.name}: the deadline is {due}, and {found.deadline} reported")

    def _check_run(self, run: Run, after: Histories) -> None:
        """Check what one run promises: what it collected is stored, and exit code 0 means that nothing is missing."""
        if run.error and not isinstance(run.error, UserError | Interrupted):
            raise BrokenInvariantError(f"a run failed unexpectedly: {run.error!r}") from run.error
        if not run.result:
            return
        heard = self._github.heard.get(run, [])
        for found in run.result.repositories:
            _hold("unexpected" not in " ".join(found.errors), f"{found.name}: {found.errors}")
            if found.observed:
                groups = _kept_once([group for group in heard if group[0] == found.id], after)
                invariants.stored_at_least(self._journal, groups, after, self._before)
                _hold(
                    bool(found.errors) or {group[1] for group in groups} - {"downloads"} == _ASKED,
                    f"{found.name}: not all was heard",
                )
        if run.result.exit_code == 0:
            collected = {found.id for found in run.result.repositories if found.observed and not found.errors}
            unfinished = run.result.unfinished  # what can wait for the next run without a loss keeps a run green
            waits = self._ids(run.result.remaining) if unfinished and unfinished.safe else set()
            _hold(collected | waits == self._wanted(), "0, and not all was collected")

    def _check_other_commands(self) -> None:
        """Check at the end that export, verify, backup and import agree with what was collected."""
        export_all(read_settings("export", self._environ()))
        invariants.files_agree(self._expected, self._before, self._backend.exported(), self._before)
        problems = verify_all(read_settings("verify", self._environ()), repair=False).problems
        _hold(not problems, f"verify finds {problems}")
        backup, other = str(self._folder / "backup.jsonl"), f"sqlite:{self._folder / 'other.db'}"
        write_backup(read_settings("backup", self._environ()), backup)
        import_backup(read_settings("backup", self._environ(GHTRAFFIC_STORE=other)), backup, self.clock.now.date())
        with closing(open_store(other, create=False)) as store:
            moved = {history.repository_id: history for history in store.scan()}
        _hold(moved == self._before, "a backup brings another history back")
        again = self._folder / "again.jsonl"
        write_backup(read_settings("backup", self._environ(GHTRAFFIC_STORE=other)), str(again))
        _hold(again.read_bytes() == Path(backup).read_bytes(), "a backup of what a backup brought is another one")

    def _observed(self, runs: Sequence[Run]) -> set[int]:
        """List the repositories from which a run has kept an answer."""
        reports = [run.result for run in runs if run.result]
        return {found.id for report in reports for found in report.repositories if found.id and found.observed}

    def _wanted(self) -> set[int] | None:
        """List the requested repositories, None if GitHub does not know all of them."""
        wanted: set[int] = set()
        known = Catalogue(self._world.repositories)
        for asked in self._asked:
            owner, _, name = asked.partition("/")
            found = known.owned(owner) if name == "*" else filter(None, [known.followed(asked)])
            if not (ids := {repository.id for repository in found}):
                return None
            wanted |= ids
        return wanted

    def _ids(self, names: Sequence[str]) -> set[int]:
        """List the repositories that have or had these names."""
        known = Catalogue(self._world.repositories)
        return {found.id for name in names if (found := known.followed(name))}

    def _check_again(self, batch: Batch) -> None:
        """Run once more within the hour: GitHub's answers are equal, so nothing may be written."""
        self._faults.rate, self._faults.outage, self._faults.refused = 0.0, "", ""
        run = Run(partial(self._collect, batch.skew[0]), stop=Stop(self._scheduler))
        with connected(self._github):
            self._scheduler.run([run])
        self.outcome.runs += 1
        self.outcome.ends["again"] += 1
        report = run.result
        _hold(report is not None and report.exit_code == 0, "a rerun failed")
        assert report is not None
        _hold(self._backend.stored() == self._before, "a rerun changed the store")
        _hold(
            self._backend.exported() == self._files and report.written == (), f"a rerun wrote files: {report.written}"
        )


def _end(run: Run) -> str:
    if run.killed:
        return "killed"
    if run.result:
        return f"exit {run.result.exit_code}"
    return type(run.error).__name__


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenInvariantError(what)


def _complete(report: Report | None) -> bool:
    """Return whether a run left nothing to the next one; one that was stopped may leave something and still succeed."""
    return report is not None and report.exit_code == 0 and not report.remaining and not report.interrupted


def _kept_once(groups: list[Group], after: Histories) -> list[Group]:
    """Leave out metadata of other days than the kept one: a run that describes a repository twice keeps one answer."""
    described = {group for group in groups if group[1] == "metadata"}
    if len({at.date() for _, _, at in described}) <= 1:
        return groups
    kept = {seen.day for number, *_ in described for seen in after[number].snapshots if seen.metadata}
    _hold(any(at.date() in kept for _, _, at in described), "no metadata of a run is kept")
    return [group for group in groups if group not in described or group[2].date() in kept]
