"""The laws: what must hold after every run, whatever happened during it, in words of their own.

What a file must hold is said here once more and plainly, day by day, from the store alone, so that a mistake in how the
program derives it shows.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeVar

from ghtraffic_action.traffic.model import GROUPS, METRICS, NUMBERS, Day, History, Snapshot

from .ledger import Group, Ledger

Histories = Mapping[int, History]
Files = Mapping[str, bytes]
Rows = list[dict[str, str]]

_Dated = TypeVar("_Dated", Day, Snapshot)

_WORST = ("complete", "provisional", "partial", "imported", "lost")
_METADATA = ("stars", "forks", "watchers", "open_issues", "open_pull_requests")


class BrokenLawError(AssertionError):
    """A law does not hold."""


def changed(before: Histories, after: Histories) -> Histories:
    """Leave the records that are not as they were: the others were judged then, and what they rest on never falls."""
    return {
        number: replace(
            history,
            days=_differing(history.days, _days(before.get(number))),
            snapshots=_differing(history.snapshots, _snapshots(before.get(number))),
        )
        for number, history in after.items()
    }


def nothing_falls(before: Histories, after: Histories) -> None:
    """No stored number ever falls, no group of a snapshot ever gets older, and nothing vanishes."""
    for number, history in before.items():
        days, snapshots = _days(after.get(number)), _snapshots(after.get(number))
        for day in history.days:
            for name in NUMBERS:
                old, new = getattr(day, name), getattr(days.get(day.day), name, None)
                _hold(
                    old is None or (new is not None and new >= old), f"{number} {day.day} {name} fell: {old} -> {new}"
                )
        for snapshot in history.snapshots:
            for name in GROUPS:
                old, new = getattr(snapshot, name), getattr(snapshots.get(snapshot.day), name, None)
                _hold(
                    old is None or (new is not None and new.at >= old.at), f"{number} {snapshot.day} {name} got older"
                )


def only_what_was_said(ledger: Ledger, new: Histories) -> None:
    """Each stored number, and each group of a snapshot, is one that GitHub said of that repository and that day."""
    for number, history in new.items():
        _hold(number in ledger.ids, f"{number} is no repository that GitHub has numbered")
        for day in history.days:
            for name in NUMBERS:
                value = getattr(day, name)
                said = ledger.said.get((number, name, day.day), set())
                _hold(
                    value is None or value in said, f"{number} {day.day} {name} is {value}; GitHub said {sorted(said)}"
                )
        for snapshot in history.snapshots:
            for name in GROUPS:
                if (group := getattr(snapshot, name)) is not None:
                    _hold(group.at.date() == snapshot.day, f"{number} {name} of {group.at} lies on {snapshot.day}")
                    answer = (number, name, group.at)
                    _hold(answer in ledger.answers, f"{number} {name} of {group.at}: GitHub gave no answer then")
                    _hold(
                        _says(ledger, answer, snapshot),
                        f"{number} {name} of {group.at} is not {ledger.answers[answer]}",
                    )


def coverage_has_its_days(ledger: Ledger, new: Histories, after: Histories) -> None:
    """Where a snapshot says that an answer was stored, all the numbers of that answer are."""
    for number, history in new.items():
        for snapshot in history.snapshots:
            for metric in METRICS:
                if (group := getattr(snapshot, metric)) is not None:
                    stored_at_least(ledger, [(number, metric, group.at)], after)


def stored_at_least(ledger: Ledger, groups: Iterable[Group], after: Histories) -> None:
    """All the numbers of these answers are stored, or larger ones."""
    for group in groups:
        days = _days(after.get(group[0]))
        for (number, name, day), value in ledger.numbers(group).items():
            stored = getattr(days.get(day), name, None)
            _hold(
                stored is not None and stored >= value,
                f"{number} {day} {name}: heard {value} at {group[2]}, stored {stored}",
            )
        snapshot = _snapshots(after.get(group[0])).get(group[2].date())
        kept = getattr(snapshot, group[1], None)
        newer = snapshot is not None and kept is not None and (kept.at >= group[2] or _says(ledger, group, snapshot))
        _hold(newer, f"{group[0]} {group[1]} heard at {group[2]} is not in its snapshot, which has {kept}")


def files_tell_no_other_number(after: Histories, files: Files) -> None:
    """Also where an export failed, a file tells of a day no more than is stored, and 0 only where nothing is."""
    for key, content in files.items():
        if key.startswith("v1/daily/"):
            for row in _rows(content):
                day = _days(after.get(int(row["repository_id"]))).get(date.fromisoformat(row["day"]))
                for name in NUMBERS:
                    stored = getattr(day, name, None) or 0
                    _hold(
                        not row[name] or int(row[name]) <= stored,
                        f"{key}: {row['day']} {name} is {row[name]}, stored {stored}",
                    )


def others_stay(before: Files, after: Files, ours: set[int]) -> None:
    """The rows of repositories that a run was not about are the same after it."""
    for key, content in before.items():
        if key.startswith("v1/"):
            theirs = [row for row in _rows(content) if int(row["repository_id"]) not in ours]
            now = [row for row in _rows(after.get(key, b"")) if int(row["repository_id"]) not in ours]
            _hold(theirs == now, f"{key}: rows of other repositories changed")


def files_agree(after: Histories, files: Files, ids: set[int]) -> None:
    """Of these repositories the files hold just what follows from the store."""
    expected: dict[str, Rows] = {}
    for number in sorted(ids):
        for key, rows in _expected(after[number]).items():
            expected.setdefault(key, []).extend(rows)
    for key in sorted({*expected, *(key for key in files if key.startswith("v1/"))}):
        wanted = sorted(expected.get(key, []), key=lambda row: _place(key, row))
        found = [row for row in _rows(files.get(key, b"")) if int(row["repository_id"]) in ids]
        if found != wanted:
            other = next(((w, f) for w, f in zip(wanted, found, strict=False) if w != f), (len(wanted), len(found)))
            _hold(holds=False, what=f"{key}: it must hold {other[0]}, and holds {other[1]}")


def _expected(history: History) -> dict[str, Rows]:
    """Say what each file must hold of a history."""
    answers: dict[str, list[date]] = {
        metric: [s.day for s in history.snapshots if getattr(s, metric)] for metric in METRICS
    }
    seen = [day for days in answers.values() for day in days]
    if not seen:
        return _unobserved(history)
    newest = max(seen)
    created = [s.metadata.created for s in history.snapshots if s.metadata]
    first = max(min(seen) - timedelta(days=13), *created) if created else min(seen) - timedelta(days=13)
    rows: dict[str, Rows] = {}
    lost = 0
    covered = {first + timedelta(days=n) for n in range((newest - first).days + 1)}
    for day in sorted(covered | {day.day for day in history.days}):  # a killed run leaves days that no answer covers
        row = _daily(history, day, answers, newest, covered=day in covered)
        lost += row["state"] == "lost"
        rows.setdefault(f"v1/daily/month={day:%Y-%m}/daily.csv", []).append(row)
    for snapshot in history.snapshots:
        for group in ("paths", "referrers"):
            if getattr(snapshot, group):
                top = list(_top(history.repository_id, snapshot, group))
                rows.setdefault(f"v1/{group}/month={snapshot.day:%Y-%m}/{group}.csv", []).extend(top)
                rows[f"v1/latest/{group}.csv"] = top
    rows["v1/latest/repositories.csv"] = [_catalogued(history, first, lost, newest)]
    return rows


def _unobserved(history: History) -> dict[str, Rows]:
    """Say what the files must hold of days that a killed run has left and no answer covers: just those."""
    rows: dict[str, Rows] = {}
    for day in history.days:
        row = _daily(history, day.day, dict.fromkeys(METRICS, ()), date.max, covered=False)
        rows.setdefault(f"v1/daily/month={day.day:%Y-%m}/daily.csv", []).append(row)
    if history.days:
        known = {"repository_id": str(history.repository_id), "repository": history.days[-1].repository}
        unknown = dict.fromkeys((*_METADATA, "archived", "created"), "")
        place = {"first_day": str(history.days[0].day), "lost_days": "0", "observed": ""}
        rows["v1/latest/repositories.csv"] = [known | unknown | place]
    return rows


def _daily(
    history: History, day: date, answers: Mapping[str, Sequence[date]], newest: date, *, covered: bool
) -> dict[str, str]:
    stored, snapshot = _days(history).get(day), _snapshots(history).get(day)
    later = next((s for s in history.snapshots if s.day > day), None)
    named = snapshot or stored or later
    assert named is not None
    states = []
    numbers: dict[str, str] = {}
    for metric, uniques in (("views", "view_uniques"), ("clones", "clone_uniques")):
        ages = [(answer - day).days for answer in answers[metric] if 0 <= (answer - day).days <= 13]
        known = getattr(stored, metric, None) is not None
        if covered or known:
            states.append(_state([(answer - day).days for answer in answers[metric]], (newest - day).days, known=known))
        zero = "0" if any(age >= 2 for age in ages) else ""
        numbers[metric] = str(getattr(stored, metric)) if known else zero
        numbers[uniques] = str(getattr(stored, uniques)) if known else zero
    metadata = snapshot.metadata if snapshot else None
    return {
        "repository": named.repository,
        "repository_id": str(history.repository_id),
        "day": str(day),
        **{name: numbers[name] for name in NUMBERS},
        "state": max(states, key=_WORST.index),
        **{name: _text(getattr(metadata, name, None)) for name in _METADATA},
    }


def _state(ages: Sequence[int], oldest: int, *, known: bool) -> str:
    """Say what is known of a day: how old it was at each answer, and is at the newest of them."""
    if any(7 <= age <= 13 for age in ages):
        return "complete"
    if 0 <= oldest <= 13:
        return "provisional"
    seen = any(0 <= age <= 13 for age in ages) or (known and min((age for age in ages if age >= 0), default=0) == 14)
    return "partial" if seen else "imported" if known else "lost"


def _top(number: int, snapshot: Snapshot, group: str) -> Iterator[dict[str, str]]:
    place = {"repository": snapshot.repository, "repository_id": str(number), "observed": str(snapshot.day)}
    if group == "paths" and snapshot.paths:
        for path in snapshot.paths.rows:
            yield place | {
                "path": path.path,
                "title": path.title,
                "views": str(path.count),
                "view_uniques": str(path.uniques),
            }
    if group == "referrers" and snapshot.referrers:
        for referrer in snapshot.referrers.rows:
            yield place | {
                "referrer": referrer.referrer,
                "views": str(referrer.count),
                "view_uniques": str(referrer.uniques),
            }


def _catalogued(history: History, first: date, lost: int, newest: date) -> dict[str, str]:
    """Say what the catalogue must hold, but for totals, which a run across midnight leaves empty or not."""
    recent = [s for s in history.snapshots if s.day >= newest - timedelta(days=13)]
    metadata = next((s.metadata for s in reversed(recent) if s.metadata), None)
    told = {name: _text(getattr(metadata, name, None)) for name in (*_METADATA, "archived", "created")}
    return {
        "repository_id": str(history.repository_id),
        "repository": recent[-1].repository,
        **told,
        "first_day": str(first),
        "lost_days": str(lost),
        "observed": str(newest),
    }


def _says(ledger: Ledger, group: Group, snapshot: Snapshot) -> bool:
    """Tell whether a snapshot says what an answer said."""
    answer = ledger.answers[group]
    return _told(group[1], snapshot) == (answer.totals, answer.rows if group[1] in ("paths", "referrers") else ())


def _told(name: str, snapshot: Snapshot) -> tuple[tuple[int, int], tuple[tuple[object, ...], ...]]:
    """Give what a stored group says as the ledger has it."""
    if name == "metadata" and snapshot.metadata:
        return (snapshot.metadata.stars, snapshot.metadata.forks), ()
    if name == "paths" and snapshot.paths:
        return (0, 0), tuple((row.path, row.title, row.count, row.uniques) for row in snapshot.paths.rows)
    if name == "referrers" and snapshot.referrers:
        return (0, 0), tuple((row.referrer, row.count, row.uniques) for row in snapshot.referrers.rows)
    totals = snapshot.views if name == "views" else snapshot.clones
    return ((totals.count, totals.uniques) if totals else (0, 0)), ()


@lru_cache(maxsize=512)
def _rows(content: bytes) -> Rows:
    """Read a file; most are the same after a run as before it."""
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    for row in rows:
        for name in ("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d"):
            row.pop(name, None)
    return rows


def _place(key: str, row: Mapping[str, str]) -> tuple[str, int]:
    """Tell where a row stands in its file: by day, then by repository; the latest files have no days."""
    day = "" if "/latest/" in key else row.get("day") or row["observed"]
    return day, int(row["repository_id"])


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _differing(records: tuple[_Dated, ...], before: Mapping[date, _Dated]) -> tuple[_Dated, ...]:
    return tuple(record for record in records if before.get(record.day) != record)


def _days(history: History | None) -> dict[date, Day]:
    return {day.day: day for day in history.days} if history else {}


def _snapshots(history: History | None) -> dict[date, Snapshot]:
    return {snapshot.day: snapshot for snapshot in history.snapshots} if history else {}


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenLawError(what)
