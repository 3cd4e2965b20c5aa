"""Imports of foreign files between and during runs, their undos, and the invariants of both."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from ghtraffic_action.errors import ForeignFileError
from ghtraffic_action.importing.importer import Request, run_import
from ghtraffic_action.importing.ownership import Identity
from ghtraffic_action.importing.undo import undo_import
from ghtraffic_action.settings import Settings
from ghtraffic_action.traffic.coverage import listed_days
from ghtraffic_action.traffic.model import METRICS, NUMBERS, Day, History, Snapshot

from .backends import Backend
from .invariants import BrokenInvariantError, Histories
from .journal import Journal

_REACH = 60
"""How many days before today a file may hold."""


@dataclass(frozen=True)
class ForeignFile:
    """A file that another tool has kept of one repository."""

    path: Path
    repository: Identity
    days: tuple[Day, ...]


class Imports:
    """The imports into the store of one seed."""

    def __init__(self, draw: Random, folder: Path, backend: Backend, journal: Journal) -> None:
        self._draw = draw
        self._folder = folder
        self._backend = backend
        self._settings = Settings(store=backend.store)
        self._journal = journal
        self._done: list[str] = []
        self.counted = Counter[str]()
        self._files = 0

    def draw_file(self, known: Histories, now: datetime) -> ForeignFile | None:
        """Draw a file about a repository that GitHub has described; return None if there is none yet."""
        named = {number: history for number, history in known.items() if history.days or history.snapshots}
        names = {number: _name(history) for number, history in named.items() if number in self._journal.created}
        if not names:
            return None
        number = self._draw.choice(sorted(names))
        span = [now.date() - timedelta(days=n) for n in range(_REACH)]
        drawn = sorted(self._draw.sample(span, self._draw.randrange(1, 25)))
        wrong = self._draw.random() < 0.1  # a number that GitHub has contradicted is refused
        found = tuple(self._day(known[number], day, wrong=wrong) for day in drawn)
        self._files += 1
        path = self._folder / f"foreign-{self._files}.csv"
        cells = ((day.day, *(getattr(day, name) for name in NUMBERS)) for day in found)
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in cells]
        path.write_text("\n".join(("date,views,uniques,clones,unique_cloners", *lines, "")))
        return ForeignFile(path, Identity(number, names[number]), found)

    def bring(self, file: ForeignFile, now: datetime) -> bool:
        """Import a file, sometimes twice, sometimes with an undo at once; return whether the store may have changed."""
        before, histories = self._backend.contents(), self._histories()
        try:
            plan = self._import(file, now)
        except ForeignFileError:
            self.counted["refused"] += 1
            _hold(self._backend.contents() == before, f"{file.path.name}: it was refused, and something was written")
            return False
        after = self._backend.contents()
        _listed_days_stay(histories, self._histories())
        if self._draw.random() < 0.3:
            self._import(file, now + timedelta(seconds=1))
            _hold(self._backend.contents() == after, f"{file.path.name}: twice is not once")
        if plan and self._draw.random() < 0.3:
            undo_import(self._settings, plan)
            self.counted["taken back at once"] += 1
            _hold(self._backend.contents() == before, f"{file.path.name}: its undo left another store than there was")
            return False
        self._done += [plan] if plan else []
        self.counted["imported" if plan else "nothing new"] += 1
        for day in file.days:
            for name in NUMBERS:
                if (value := getattr(day, name)) is not None:
                    self._journal.possible.setdefault((file.repository.id, name, day.day), set()).add(value)
        return True

    def take_back_one(self) -> bool:
        """Undo one of the earlier imports. Return whether there was one."""
        if not self._done or self._draw.random() > 0.5:
            return False
        before = self._histories()
        if not any(seen.metadata for history in before.values() for seen in history.snapshots):
            return False  # no run has stored anything: an empty store can be neither exported nor verified
        undo_import(self._settings, self._done.pop(self._draw.randrange(len(self._done))))
        self.counted["taken back later"] += 1
        after = self._histories()
        _listed_days_stay(before, after)
        _nothing_rises(before, after)
        return True

    def _import(self, file: ForeignFile, now: datetime) -> str:
        """Import a file; return the import's id, or an empty text if nothing was new."""
        request = Request((str(file.path),), file.repository.name, file.repository.id, write=True)
        plan = run_import(self._settings, request, now, lambda _: file.repository)
        return plan.id if plan.changes else ""

    def _day(self, history: History, day: date, *, wrong: bool) -> Day:
        """Draw what a tool may have kept of a day: what is stored, or more if GitHub has not listed the day."""
        stored = next((kept for kept in history.days if kept.day == day), None)
        numbers: dict[str, Any] = {}
        for metric in METRICS:
            unique = f"{metric[:-1]}_uniques"
            count = getattr(stored, metric, None)
            if day in listed_days(history, metric) and not wrong:
                count, uniques = count or 0, getattr(stored, unique, None) or 0
            else:
                count = (count or 0) + self._draw.choice((0, 0, 1, 5, 40))
                uniques = self._draw.randint(0, count)
            numbers |= {metric: count, unique: uniques}
        if self._draw.random() < 0.2:
            numbers |= dict.fromkeys(("clones", "clone_uniques"))
        return Day(day, _name(history), **numbers)

    def _histories(self) -> dict[int, History]:
        found = self._backend.stored().items()
        return {number: history for number, history in found if history.days or history.snapshots}


def _name(history: History) -> str:
    records: list[Day | Snapshot] = [*history.days, *history.snapshots]
    return records[-1].repository


def _listed_days_stay(before: Histories, after: Histories) -> None:
    """Check that neither an import nor its undo changes a number of a day that GitHub has listed."""
    for number, history in before.items():
        days = {day.day: day for day in after[number].days} if number in after else {}
        for metric in METRICS:
            listed = listed_days(history, metric)
            for day in history.days:
                for name in (metric, f"{metric[:-1]}_uniques") if day.day in listed else ():
                    old, new = getattr(day, name), getattr(days.get(day.day), name, None)
                    _hold(old == new, f"{number} {day.day} {name}: it was listed, and an import made {new} of {old}")


def _nothing_rises(before: Histories, after: Histories) -> None:
    """Check that an undo only lowers numbers, and leaves snapshots unchanged."""
    for number, history in after.items():
        old = before[number]
        _hold(history.snapshots == old.snapshots, f"{number}: an undo changed snapshots")
        days = {day.day: day for day in old.days}
        for day in history.days:
            for name in NUMBERS:
                was, now = getattr(days.get(day.day), name, None), getattr(day, name)
                _hold(now is None or (was is not None and now <= was), f"{number} {day.day} {name}: {was} -> {now}")


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenInvariantError(what)
