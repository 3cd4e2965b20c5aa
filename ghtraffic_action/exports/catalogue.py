"""The exported catalogue: where the next run continues."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ghtraffic_action.exports.csvfile import CsvTable
from ghtraffic_action.traffic.coverage import OPEN
from ghtraffic_action.traffic.merge import observed_days, observed_snapshots
from ghtraffic_action.traffic.model import LISTED, History
from ghtraffic_action.traffic.observation import Observation


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A repository in the catalogue.

    `final_lost_days` counts the lost days before `since`, which only a read of the whole history can change; None if an
    older version wrote the catalogue.
    """

    first_day: date
    lost_days: int
    observed: date
    name: str
    final_lost_days: int | None = None
    retired: bool = False

    @property
    def since(self) -> date | None:
        """The first day that the next export needs of the history; None for all."""
        return None if self.final_lost_days is None else first_open_day(self.observed)


def read_catalogue(catalogue: CsvTable) -> dict[int, CatalogueEntry]:
    """Read the entries of all observed repositories, by id."""
    return {
        int(record["repository_id"]): CatalogueEntry(
            first_day=date.fromisoformat(record["first_day"]),
            lost_days=int(record["lost_days"]),
            observed=date.fromisoformat(record["observed"]),
            name=record.get("repository", ""),
            retired=bool(record.get("retired")),
            final_lost_days=int(final) if (final := record.get("final_lost_days", "")) else None,
        )
        for record in catalogue.records()
        if record["observed"]
    }


def is_too_short(history: History, exported: date, observation: Observation | None = None) -> bool:
    """Return whether unexported answers list days before the history's first."""
    return history.since is not None and first_unknown_day(history, exported, observation) < history.since


def first_unknown_day(history: History, exported: date, observation: Observation | None = None) -> date:
    """Return the first day whose newest answers the export may lack.

    GitHub can repeat an answer of weeks ago to a run that then ends before its export. An export with `exported` as its
    newest observation has all answers up to two days before: no run takes longer.
    """
    ranges: Iterator[date] = (
        listed.first
        for snapshot in (*history.snapshots, *(observed_snapshots(observation) if observation else ()))
        if snapshot.day >= exported - timedelta(days=2)
        for field in LISTED.values()
        for listed in getattr(snapshot, field)
    )
    days = observed_days(observation) if observation else ()
    return min((exported - OPEN, *ranges, *(day.day for day in days)))


def first_open_day(newest: date) -> date:
    """Return the first day of the oldest month that later runs can change.

    `newest` is the day of the newest answer.
    """
    return (newest - OPEN).replace(day=1)
