"""The invariants: what must hold after every run, regardless of what happened during it."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from ghtraffic_action.traffic.downloads import Downloads
from ghtraffic_action.traffic.model import (
    GROUPS,
    METRICS,
    NUMBERS,
    Day,
    History,
    Metadata,
    Snapshot,
    TopPaths,
    TopReferrers,
    Totals,
)
from ghtraffic_action.traffic.model import Group as GroupOfSnapshot
from ghtraffic_action.traffic.stars import StarsAsked

from .expected import Answer, Expected, ExpectedDay
from .journal import Group, Journal, Number

Histories = Mapping[int, History]
Files = Mapping[str, bytes]
Rows = list[dict[str, str]]

_Dated = TypeVar("_Dated", Day, Snapshot)

LISTED = {"views_listed": "views", "clones_listed": "clones"}
_METADATA = ("stars", "forks", "watchers", "open_issues", "open_pull_requests")
_DESCRIBED = ("archived", "created", "private", "topics", "visibility")
_TOTALS = ("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d")
_RECENT = "v1/latest/daily.csv"
_CATALOGUE = "v1/latest/repositories.csv"
_CATALOGUE_TABLE = "v1/repositories/repositories.csv"  # the same rows, in a folder of its own for Athena


class BrokenInvariantError(AssertionError):
    """An invariant does not hold."""


def changed(before: Histories, after: Histories) -> Histories:
    """Return the changed records; the others were checked before, and later answers only allow more."""
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
            now = snapshots.get(snapshot.day)
            for name in GROUPS:
                old, new = getattr(snapshot, name), getattr(now, name, None)
                _hold(
                    old is None or (new is not None and _age(new) >= _age(old)),
                    f"{number} {snapshot.day} {name} got older: {old} -> {new}",
                )
            for name in LISTED:
                _hold(getattr(snapshot, name) <= getattr(now, name, set()), f"{number} {snapshot.day} {name} vanished")


def only_what_was_answered(journal: Journal, new: Histories) -> None:
    """Each stored number, group and range is one that GitHub answered about that repository and that day."""
    for number, history in new.items():
        _hold(number in journal.created, f"{number} is no repository that GitHub has numbered")
        for day in history.days:
            for name in NUMBERS:
                value = getattr(day, name)
                possible = journal.possible.get((number, name, day.day), set())
                _hold(
                    value is None or value in possible,
                    f"{number} {day.day} {name} is {value}; GitHub answered {sorted(possible)}",
                )
        for year in history.stars:
            for listed, stars in year.days:
                possible = journal.stars.get((number, listed), set())
                _hold(stars in possible, f"{number} {listed} has {stars} stars; GitHub answered {sorted(possible)}")
        for snapshot in history.snapshots:
            _runs_were_answered(journal, number, snapshot)
            for name in GROUPS:
                if name != "workflow_runs" and (group := getattr(snapshot, name)) is not None:
                    _hold(group.at.date() == snapshot.day, f"{number} {name} of {group.at} lies on {snapshot.day}")
                    _hold(
                        _is_answer(journal, (number, name, group.at), snapshot),
                        f"{number} {name} of {group.at} is {group}, which GitHub did not answer then",
                    )


def _runs_were_answered(journal: Journal, number: int, snapshot: Snapshot) -> None:
    for row in snapshot.workflow_runs.rows if snapshot.workflow_runs else ():
        answered = journal.runs.get((number, row.day), set())
        _hold(row.day < snapshot.day, f"{number}: the workflow runs of {row.day} were counted on {snapshot.day}")
        _hold(row.runs in answered, f"{number} {row.day}: {row.runs} workflow runs, GitHub answered {answered}")


def coverage_has_its_days(journal: Journal, new: Histories, after: Histories) -> None:
    """If a snapshot has the totals or the range of an answer, all numbers of that answer are stored."""
    for number, history in new.items():
        for snapshot in history.snapshots:
            for metric in METRICS:
                if (group := getattr(snapshot, metric)) is not None:
                    stored_at_least(journal, [(number, metric, group.at)], after, {})
            for name, what in LISTED.items():
                for listed in getattr(snapshot, name):
                    _range_has_its_days(journal, number, (what, snapshot.day, listed.first, listed.last), after)


def _range_has_its_days(journal: Journal, number: int, listed: tuple[str, date, date, date], after: Histories) -> None:
    groups = [
        group
        for group, answer in journal.traffic.items()
        if group[0] == number and (group[1], group[2].date(), *answer.span) == listed and answer.form == "whole"
    ]
    _hold(bool(groups), f"{number} {listed}: GitHub gave no such answer on that day")
    stored = _days(after.get(number))

    def holds(group: Group, place: Number) -> bool:
        _, name, day = place
        value = getattr(stored.get(day), name, None)
        return value is not None and value >= journal.numbers(group)[place]

    missing = [[number for number in journal.numbers(group) if not holds(group, number)] for group in groups]
    _hold([] in missing, f"{number} {listed}: listed and not stored: {missing}")


def is_kept(answer: Answer, history: History | None) -> bool:
    """Return whether a store has all days of an answer, if it is unknown whether the run that received it saved it."""
    snapshot = _snapshots(history).get(answer.at.date())
    if snapshot is None:
        return False
    if answer.form == "whole":
        (name,) = (name for name, metric in LISTED.items() if metric == answer.metric)
        return answer.span in {(listed.first, listed.last) for listed in getattr(snapshot, name)}
    totals = getattr(snapshot, answer.metric)
    return totals is not None and totals.last is None and answer.totals == (totals.count, totals.uniques)


def stored_at_least(journal: Journal, groups: Iterable[Group], after: Histories, before: Histories) -> None:
    """All the numbers of these answers are stored, or larger ones, and their snapshots hold them or newer answers."""
    for group in groups:
        days = _days(after.get(group[0]))
        for (number, name, day), value in journal.numbers(group).items():
            stored = getattr(days.get(day), name, None)
            _hold(
                stored is not None and stored >= value,
                f"{number} {day} {name}: heard {value} at {group[2]}, stored {stored}",
            )
        answer = journal.traffic.get(group)
        if answer is not None and answer.form == "placeholder":
            continue
        snapshot = _snapshots(after.get(group[0])).get(group[2].date())
        kept = getattr(snapshot, group[1], None)
        window = answer.span[1] if answer and answer.form == "whole" else date.min
        newer = kept is not None and (
            _age(kept) >= (window, group[2]) or _content(group[1], snapshot) == _of(journal, group)
        )
        newer = newer or is_replaced(journal, group, after, before)
        _hold(newer, f"{group[0]} {group[1]} heard at {group[2]} is not in its snapshot, which has {kept}")
        if answer and answer.form == "whole":
            _hold(is_kept(answer, after.get(group[0])), f"{group[0]}: the range of {answer} is not stored")


def is_replaced(journal: Journal, group: Group, after: Histories, before: Histories) -> bool:
    """Return whether another answer replaces one that repeated what was stored before.

    A repeated answer is not written, so an older one that is stored later takes the place of both.
    """
    number, name, at = group
    earlier, kept = (_snapshots(found.get(number)).get(at.date()) for found in (before, after))
    if getattr(earlier, name, None) is None or getattr(kept, name, None) is None:
        return False
    return _content(name, earlier) == _of(journal, group) != _content(name, kept)


def files_show_no_other_number(expected: Mapping[int, Expected], after: Histories, files: Files) -> None:
    """A file shows no larger number than the store, and 0 only if an answer listed it, also after a failed export."""
    for key, content in files.items():
        if key.startswith("v1/daily/"):
            for row in _rows(content):
                number, day = int(row["repository_id"]), date.fromisoformat(row["day"])
                stored, judged = _days(after.get(number)).get(day), expected[number].days.get(day)
                for name in NUMBERS:
                    most = getattr(stored, name, None)
                    most = getattr(judged, name, None) if most is None else most
                    _hold(
                        not row[name] or (most is not None and int(row[name]) <= most),
                        f"{key}: {row['day']} {name} is {row[name]}, not {most}",
                    )


def others_stay(before: Files, after: Files, ours: set[int]) -> None:
    """A run leaves the rows of other repositories unchanged."""
    for key, content in before.items():
        if key.startswith("v1/") and key != _RECENT:  # it follows the months' files, whoever wrote them
            theirs = [row for row in _rows(content) if int(row["repository_id"]) not in ours]
            now = [row for row in _rows(after.get(key, b"")) if int(row["repository_id"]) not in ours]
            _hold(theirs == now, f"{key}: rows of other repositories changed")


def files_agree(expected: Mapping[int, Expected], after: Histories, files: Files, ids: Iterable[int]) -> None:
    """The files hold exactly the rows of these repositories that follow from the kept answers."""
    ids = set(ids)
    wanted: dict[str, Rows] = {}
    for number in sorted(ids):
        for key, rows in _files_of(after[number], expected[number]).items():
            wanted.setdefault(key, []).extend(rows)
    wanted[_RECENT] = list(_recent(files, wanted))
    for key in sorted({*wanted, *(key for key in files if key.startswith("v1/"))}):
        rows = sorted(wanted.get(key, []), key=lambda row: _place(key, row))
        found = [row for row in _rows(files.get(key, b"")) if int(row["repository_id"]) in ids]
        if found != rows:
            other = next(((w, f) for w, f in zip(rows, found, strict=False) if w != f), (len(rows), len(found)))
            _hold(holds=False, what=f"{key}: it must hold {other[0]}, and holds {other[1]}")


def _recent(files: Files, wanted: Mapping[str, Rows]) -> Iterator[dict[str, str]]:
    """Yield the rows of the last 400 days, which end with the newest day of any repository."""
    months = [key for key in {*files, *wanted} if key.startswith("v1/daily/")]
    days = [row["day"] for key in months for row in (*_rows(files.get(key, b"")), *wanted.get(key, []))]
    first = date.fromisoformat(max(days)) - timedelta(days=399) if days else date.min
    yield from (row for key in months for row in wanted.get(key, []) if date.fromisoformat(row["day"]) >= first)


def lost_days_are_counted(files: Files, ids: Iterable[int]) -> None:
    """The catalogue counts as many lost days of these repositories as there are rows whose state is lost."""
    ids = set(ids)
    rows = [row for key in files if key.startswith("v1/daily/") for row in _rows(files[key])]
    lost = Counter(int(row["repository_id"]) for row in rows if row["state"] == "lost")
    for row in _rows(files.get("v1/latest/repositories.csv", b"")):
        number = int(row["repository_id"])
        _hold(number not in ids or int(row["lost_days"]) == lost[number], f"{lost[number]} lost days: {row}")


def no_day_is_lost_before_the_deadline(before: Mapping[int, Expected], after: Mapping[int, Expected]) -> None:
    """If a run comes before each deadline, no day since the first is lost, whatever GitHub answers."""
    for number, old in before.items():
        new = after[number]
        if old.deadline and old.answers_both and new.observed and new.observed < old.deadline:
            lost = {day for day in new.lost - old.lost if old.first_day and day >= old.first_day}
            _hold(not lost, f"{number}: {sorted(lost)} were lost before {old.deadline}")


def _files_of(history: History, expected: Expected) -> dict[str, Rows]:
    """Return what each file must hold of one repository."""
    if not expected.days:
        return {}
    rows: dict[str, Rows] = {}
    for day, judged in expected.days.items():
        rows.setdefault(f"v1/daily/month={day:%Y-%m}/daily.csv", []).append(_daily(history, day, judged))
    for year in history.stars:
        place = {"repository": year.repository, "repository_id": str(history.repository_id)}
        rows[f"v1/stars/year={year.year}/stars.csv"] = [
            place | {"day": str(day), "stars": str(stars)} for day, stars in year.days
        ]
    for snapshot in history.snapshots:
        for group in ("paths", "referrers"):
            if getattr(snapshot, group):
                top = list(_top(history.repository_id, snapshot, group))
                rows.setdefault(f"v1/{group}/month={snapshot.day:%Y-%m}/{group}.csv", []).extend(top)
                rows[f"v1/latest/{group}.csv"] = rows[f"v1/latest_{group}/{group}.csv"] = top
        if snapshot.downloads:
            key = f"v1/downloads/month={snapshot.day:%Y-%m}/downloads.csv"
            rows.setdefault(key, []).extend(_downloads(history.repository_id, snapshot, snapshot.downloads))
    if expected.observed is None:  # only days that no answer covers, of an import or a killed run
        first, name = min(expected.days), history.days[-1].repository
        unknown = dict.fromkeys((*_METADATA, *_DESCRIBED, "retired"), "")
        known = {"repository_id": str(history.repository_id), "repository": name}
        rows[_CATALOGUE] = [known | unknown | {"first_day": str(first), "lost_days": "0", "observed": ""}]
        rows[_CATALOGUE_TABLE] = rows[_CATALOGUE]
        return rows
    rows[_CATALOGUE] = rows[_CATALOGUE_TABLE] = [_catalogued(history, expected)]
    return rows


def _daily(history: History, day: date, judged: ExpectedDay) -> dict[str, str]:
    snapshot = _snapshots(history).get(day)
    later = next((s for s in history.snapshots if s.day > day), None)
    named = snapshot or _days(history).get(day) or later
    assert named is not None
    metadata = snapshot.metadata if snapshot else None
    totals = (*(judged.views_14d or (None, None)), *(judged.clones_14d or (None, None)))
    return {
        "repository": named.repository,
        "repository_id": str(history.repository_id),
        "day": str(day),
        **{name: _text(getattr(judged, name)) for name in NUMBERS},
        "state": judged.state,
        **{name: _text(getattr(metadata, name, None)) for name in _METADATA},
        **dict(zip(_TOTALS, map(_text, totals), strict=True)),
        "workflow_runs": _text(_workflow_runs(history).get(day)),
    }


def _workflow_runs(history: History) -> dict[date, int]:
    """Return the workflow runs of each day by the last answer about it."""
    return {row.day: row.runs for found in history.snapshots if found.workflow_runs for row in found.workflow_runs.rows}


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


def _downloads(number: int, snapshot: Snapshot, downloads: Downloads) -> Iterator[dict[str, str]]:
    place = {"repository": snapshot.repository, "repository_id": str(number), "observed": str(snapshot.day)}
    for asset in downloads.rows:
        yield place | {"tag": asset.tag, "asset": asset.name, "downloads": str(asset.count)}


def _catalogued(history: History, expected: Expected) -> dict[str, str]:
    """Return the row of the catalogue without the totals, which a run across midnight may leave empty."""
    assert expected.observed is not None
    recent = [s for s in history.snapshots if s.day >= expected.observed - timedelta(days=13)]
    metadata = next((s.metadata for s in reversed(recent) if s.metadata), None)
    described = {name: _text(getattr(metadata, name, None)) for name in (*_METADATA, *_DESCRIBED)}
    return {
        "repository_id": str(history.repository_id),
        "repository": recent[-1].repository,
        **described,
        "first_day": str(expected.first_day),
        "lost_days": str(expected.lost_days),
        "observed": str(expected.observed),
        "retired": "",
    }


def _is_answer(journal: Journal, group: Group, snapshot: Snapshot) -> bool:
    """Return whether a snapshot's group is what GitHub answered at that moment."""
    return _content(group[1], snapshot) == _of(journal, group)


def _of(journal: Journal, group: Group) -> object:
    """Return an answer in the form of `_content`; None if there was none, or a placeholder, which must not be kept."""
    answer = journal.traffic.get(group)
    if answer is not None:
        window = {"whole": answer.span[1], "old": None}
        return (answer.totals, window[answer.form]) if answer.form in window else None
    other = journal.answers.get(group)
    return (other.totals, other.rows) if other else None


def _content(name: str, snapshot: Snapshot | None) -> object:
    """Return the content of a stored group."""
    group = getattr(snapshot, name)
    match group:
        case Totals():
            return (group.count, group.uniques), group.last
        case Metadata():
            return (group.stars, group.forks), ()
        case TopPaths() | TopReferrers() | Downloads():
            return (0, 0), tuple(map(astuple, group.rows))
        case StarsAsked():
            return (0, 0), ()
    return None


def _age(group: GroupOfSnapshot) -> tuple[date, datetime]:
    """Return what decides which group is newer: the last day that its answer listed, then its moment."""
    return getattr(group, "last", None) or date.min, group.at


@lru_cache(maxsize=512)
def _rows(content: bytes) -> Rows:
    """Read a file from a cache, since most files are the same after a run as before it."""
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    for row in rows:
        if "observed" in row:
            for name in (*_TOTALS, "final_lost_days"):
                row.pop(name, None)
    return rows


def _place(key: str, row: Mapping[str, str]) -> tuple[str, int]:
    """Return the sort key of a row in its file: day, then repository; most of the latest files have no days."""
    dateless = ("/latest" in key and key != _RECENT) or key.endswith("repositories.csv")
    day = "" if dateless else row.get("day") or row["observed"]
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
        raise BrokenInvariantError(what)
