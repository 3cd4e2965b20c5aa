"""Answers of weeks ago that GitHub repeats: their days reach the export."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ghtraffic_action.collect import collect, run
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.layout import REPOSITORIES
from ghtraffic_action.exports.verify import verify_all
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.stores.base import open_store
from tests.support.csvfiles import exported, rows
from tests.support.fake_github import WHOLE, FakeGitHub, GeneratedTraffic, Replay, Repository

FIRST = datetime(2026, 3, 2, 13, 17, tzinfo=UTC)


class Overtaken(DirectoryDestination):
    """A directory in which another run exports just before this one writes the catalogue."""

    def __init__(self, root: str, other_run: Callable[[], object]) -> None:
        super().__init__(root)
        self._other_runs = [other_run]

    def write(self, key: str, content: bytes, version: str | None) -> None:
        """See Destination."""
        if key == REPOSITORIES and self._other_runs:
            self._other_runs.pop()()
        super().write(key, content, version)


def traffic(repeated: timedelta | None = None) -> GeneratedTraffic:
    """Return daily traffic whose answers have the age `repeated`."""
    numbers = {(FIRST + timedelta(days=n)).date(): (1 + n % 7, 1) for n in range(-30, 100)}
    form = Replay(WHOLE, FIRST, FIRST + timedelta(days=100), of=FIRST + repeated) if repeated else WHOLE
    return GeneratedTraffic(numbers, numbers, name="octo-lab/atlas", form=form)


def settings_for(github: FakeGitHub, folder: Path) -> Settings:
    return read_settings(
        "collect",
        {
            "GHTRAFFIC_REPOSITORIES": "octo-lab/atlas",
            "GHTRAFFIC_GITHUB_TOKEN": "invented-token",
            "GHTRAFFIC_STORE": f"sqlite:{folder / 'traffic.db'}",
            "GHTRAFFIC_EXPORT_TO": str(folder / "export"),
            "GITHUB_API_URL": github.url,
        },
    )


def test_export_that_another_run_overtakes_keeps_its_lost_days(tmp_path: Path) -> None:
    """Days that a repeated answer brought stay in the export although another run exports at the same time."""
    repository = Repository(7, "octo-lab/atlas", traffic(), (FIRST - timedelta(days=400)).date())
    with FakeGitHub([repository], now=FIRST) as github:
        settings = settings_for(github, tmp_path)
        runtime = Runtime(now=lambda: github.now)
        for day in (0, 59):
            github.now = FIRST + timedelta(days=day)
            run(settings, runtime)
        github.now = FIRST + timedelta(days=60)

        def hear_repeated_answer() -> None:
            repository.traffic = traffic(repeated=timedelta(days=34))
            assert run(settings, Runtime(now=lambda: github.now)).exit_code == 0

        destination = Overtaken(settings.export_to, hear_repeated_answer)
        with closing(open_store(settings.store, create=False)) as store, closing(destination):
            assert collect(settings, store, destination, runtime).exit_code == 0
    (row,) = rows(exported(settings.export_to)[REPOSITORIES])
    assert row["lost_days"] == str(59 - 14 - 14)
    assert verify_all(settings, repair=False).problems == ()
