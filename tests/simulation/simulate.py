"""One seed from its first day to its last: the runs, and the laws after each of them."""

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
from ghtraffic_action.standin import FakeGitHub
from ghtraffic_action.standin.repositories import Catalogue
from ghtraffic_action.stores.base import open_store
from ghtraffic_action.traffic.model import GROUPS

from . import laws
from .aws import Amazon
from .faults import Faults
from .github import URL, GitHub, connected
from .laws import BrokenLawError, Histories
from .ledger import Ledger
from .places import Local, Places, Remote, Way
from .scenario import Batch, batches
from .turns import Clock, Process, Stop, Turns, machine
from .world import World, draw_world

Run = Process[Report]
_NUMBERS = count(1)
"""Tells one simulation of a process from another of the same seed."""

_LATE = 55
"""The minute after which a rerun might meet the next hour's answers."""


@dataclass
class Outcome:
    """What came of a seed: how many runs, how they ended, which faults they met, and a digest of all that happened."""

    seed: int
    runs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    broken: str = ""


def simulate(seed: int, days: int, *, aws: bool = False, folder: Path | None = None) -> Outcome:
    """Simulate one seed; the outcome tells the law that was broken, if one was."""
    with TemporaryDirectory(dir=folder, prefix="simulation-") as place:
        simulation = _Simulation(seed, days, Path(place), aws=aws)
        try:
            simulation.run()
        except BrokenLawError as broken:
            simulation.outcome.broken = f"{simulation.clock.now:%Y-%m-%d %H:%M}: {broken}"
    return simulation.outcome


class _Simulation:
    def __init__(self, seed: int, days: int, folder: Path, *, aws: bool) -> None:
        self.outcome = Outcome(seed)
        self._draw = Random(f"seed {seed}")  # noqa: S311 - it has to be repeatable, not secret
        random.seed(seed)  # the jitter of what waits
        self._folder = folder
        self._asked: Sequence[str] = ()
        self._first = date(2026, 1, 1) + timedelta(days=self._draw.randrange(4 * 365))
        self._world: World = draw_world(self._draw, self._first, days, most=2 if aws else 3)
        self._batches = list(batches(self._draw, self._first, days))
        self.clock = Clock(datetime.combine(self._first, time(), UTC))
        self._turns = Turns(self._draw, self.clock)
        self._faults = Faults(self._draw)
        self._ledger = Ledger()
        self._standin = FakeGitHub(self._world.repositories, now=self.clock.now, limit=10**9)
        self._github = GitHub(self._standin, self._turns, self.clock, self._faults, self._ledger)
        way = Way(self._turns, self.clock, self._faults)
        amazon = Amazon(self._turns, self.clock, self._faults) if aws else None
        name = f"traffic-{seed}-{next(_NUMBERS)}"
        self._places: Places = Remote(name, amazon) if amazon else Local(folder, way)
        self._before: Histories = {}
        self._files: Mapping[str, bytes] = {}

    def run(self) -> None:
        """Run batch after batch, and check the laws after each."""
        day = self._first
        for batch in self._batches:
            while day <= batch.at.date():
                self._world.begin(day)
                day += timedelta(days=1)
            self._standin.repositories = self._world.repositories
            self.clock.now = max(batch.at, self.clock.now)
            met = self._faults.met("GitHub")
            runs = self._execute(batch)
            self._check(runs, batch)
            same_hour = self.clock.now.replace(minute=0) <= batch.at and self.clock.now.minute < _LATE
            same_answers = same_hour and self._faults.met("GitHub") == met  # else some were given by other calls
            if batch.again and same_answers and all(run.result and run.result.exit_code == 0 for run in runs):
                self._check_again(batch)
        if self._before:
            self._check_other_commands()
        self.outcome.faults = self._faults.counted
        stored = repr((sorted(self._before.items()), sorted(self._files.items()), sorted(self.outcome.ends.items())))
        self.outcome.digest = sha256(stored.encode()).hexdigest()

    def _execute(self, batch: Batch) -> Sequence[Run]:
        runs = []
        self._asked = self._named(batch)
        for after, kill_at, stop_at, skew in zip(batch.after, batch.kill_at, batch.stop_at, batch.skew, strict=True):
            run = Run(partial(self._collect, skew), kill_at, stop_at, Stop(self._turns))
            run.wakes = self.clock.now + timedelta(seconds=after)
            runs.append(run)
        self._faults.rate, self._faults.outage = batch.rate, batch.outage
        self._github.distance.seconds = batch.distance
        self._github.heard.clear()
        with connected(self._github):
            self._turns.run(runs)
        return runs

    def _named(self, batch: Batch) -> Sequence[str]:
        """Tell what a batch asks for: mostly everything, sometimes one name alone."""
        names = [asked for asked in self._world.asked if not asked.endswith("/*")]
        return [names[batch.only % len(names)]] if batch.only is not None and names else self._world.asked

    def _collect(self, skew: timedelta, run: Run) -> Report:
        settings = read_settings("collect", self._environ())
        here = machine(self.clock, self._draw, run.stop, skew)
        store, destination = self._places.open(here)
        with closing(store), closing(destination):
            return collect(settings, store, destination, here)

    def _environ(self, **others: str) -> dict[str, str]:
        return {
            "GHTRAFFIC_REPOSITORIES": " ".join(self._asked),
            "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
            "GHTRAFFIC_STORE": self._places.store,
            "GHTRAFFIC_EXPORT_TO": self._places.export_to,
            "GITHUB_API_URL": URL,
            **others,
        }

    def _check(self, runs: Sequence[Run], batch: Batch) -> None:
        after, files = self._places.stored(), self._places.exported()
        for run in runs:
            self.outcome.runs += 1
            self.outcome.ends[_end(run)] += 1
            self._check_run(run, after)
        laws.nothing_falls(self._before, after)
        new = laws.changed(self._before, after)
        laws.only_what_was_said(self._ledger, new)
        laws.coverage_has_its_days(self._ledger, new, after)
        laws.files_tell_no_other_number(after, files)
        if all(run.result and run.result.exit_code == 0 for run in runs):
            laws.files_agree(after, files, self._observed(runs))
        if all(run.result for run in runs):
            laws.others_stay(self._files, files, self._observed(runs))
        self._before, self._files = after, files
        undisturbed = not batch.rate and not batch.outage and set(batch.kill_at + batch.stop_at) == {None}
        if undisturbed and self._wanted() is not None:
            _hold(all(run.result and run.result.exit_code == 0 for run in runs), "nothing went wrong, and a run failed")

    def _check_run(self, run: Run, after: Histories) -> None:
        """Check what one run promised: what it collected is stored, and 0 means that nothing is missing."""
        if run.error and not isinstance(run.error, UserError | Interrupted):
            raise BrokenLawError(f"a run failed unexpectedly: {run.error!r}") from run.error
        if not run.result:
            return
        heard = self._github.heard.get(run, [])
        for found in run.result.repositories:
            _hold("unexpected" not in " ".join(found.errors), f"{found.name}: {found.errors}")
            if found.observed:
                groups = [group for group in heard if group[0] == found.id]
                laws.stored_at_least(self._ledger, groups, after)
                _hold(
                    bool(found.errors) or {group[1] for group in groups} == set(GROUPS),
                    f"{found.name}: not all was heard",
                )
        if run.result.exit_code == 0:
            collected = {found.id for found in run.result.repositories if found.observed and not found.errors}
            _hold(collected == self._wanted(), "0, and not all was collected")

    def _check_other_commands(self) -> None:
        """At the end the export is written from the store alone, compared with it, and the store moved to another."""
        export_all(read_settings("export", self._environ()))
        laws.files_agree(self._before, self._places.exported(), set(self._before))
        problems = verify_all(read_settings("verify", self._environ()), repair=False).problems
        _hold(not problems, f"verify finds {problems}")
        backup, other = str(self._folder / "backup.jsonl"), f"sqlite:{self._folder / 'other.db'}"
        write_backup(read_settings("backup", self._environ()), backup)
        import_backup(read_settings("backup", self._environ(GHTRAFFIC_STORE=other)), backup, self.clock.now.date())
        with closing(open_store(other, create=False)) as store:
            moved = {history.repository_id: history for history in store.scan()}
        _hold(moved == self._before, "a backup brings another history back")

    def _observed(self, runs: Sequence[Run]) -> set[int]:
        """List the repositories of which a run has kept something."""
        reports = [run.result for run in runs if run.result]
        return {found.id for report in reports for found in report.repositories if found.id and found.observed}

    def _wanted(self) -> set[int] | None:
        """List what was asked for, None where GitHub does not know all of it."""
        wanted: set[int] = set()
        known = Catalogue(self._world.repositories)
        for asked in self._asked:
            owner, _, name = asked.partition("/")
            found = known.owned(owner) if name == "*" else filter(None, [known.followed(asked)])
            if not (ids := {repository.id for repository in found}):
                return None
            wanted |= ids
        return wanted

    def _check_again(self, batch: Batch) -> None:
        """Run once more within the hour: GitHub says the same, so that nothing may be written."""
        self._faults.rate, self._faults.outage = 0.0, ""
        run = Run(partial(self._collect, batch.skew[0]), stop=Stop(self._turns))
        with connected(self._github):
            self._turns.run([run])
        self.outcome.runs += 1
        self.outcome.ends["again"] += 1
        report = run.result
        _hold(report is not None and report.exit_code == 0, "a rerun failed")
        assert report is not None
        _hold(self._places.stored() == self._before, "a rerun changed the store")
        _hold(self._places.exported() == self._files and report.written == (), f"a rerun wrote files: {report.written}")


def _end(run: Run) -> str:
    if run.killed:
        return "killed"
    if run.result:
        return f"exit {run.result.exit_code}"
    return type(run.error).__name__


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenLawError(what)
