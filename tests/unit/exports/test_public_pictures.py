"""Pictures and badges are written for named public repositories alone, and only when they change."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.exports.directory import DirectoryDestination
from ghtraffic_action.exports.pictures import write_pictures
from ghtraffic_action.page.data import PAGE_DATA, build_data
from ghtraffic_action.settings import read_settings
from tests.support.exports import FailingDestination, files_in
from tests.support.page_samples import Sample, rows_of

NAME = "octo-lab/lighthouse"
PRIVATE = "octo-lab/beacon"
EXPORT = DirectoryDestination("export")
PICTURES = DirectoryDestination("pictures")
FILES = {f"{NAME}/{metric}.svg" for metric in ("views", "clones")} | {
    f"{NAME}/badge-{name}.{kind}"
    for name in ("stars", "views", "views-14d", "clones", "clones-14d")
    for kind in ("svg", "json")
}
COMMON = {"GHTRAFFIC_GITHUB_TOKEN": "github_pat_invented", "GHTRAFFIC_REPOSITORIES": NAME}


def exported(*samples: Sample) -> None:
    before = EXPORT.read(PAGE_DATA)
    EXPORT.write(PAGE_DATA, build_data(map(rows_of, samples)), before.version if before else None)


def test_pictures_are_written_when_they_change() -> None:
    exported(Sample(name=NAME))
    pictures = FailingDestination(PICTURES)
    assert write_pictures(EXPORT, pictures, [NAME.upper()]) == ()
    assert files_in("pictures").keys() == FILES
    assert len(pictures.writes) == len(FILES)
    assert write_pictures(EXPORT, pictures, [NAME]) == ()
    assert len(pictures.writes) == len(FILES)
    exported(replace(Sample(name=NAME), last=date(2026, 11, 26)))
    write_pictures(EXPORT, pictures, [NAME])
    assert len(pictures.writes) > len(FILES)


def test_no_picture_shows_what_is_not_known_to_be_public() -> None:
    exported(Sample(name=NAME), Sample(name=PRIVATE, repository_id=2))
    lines = [json.loads(line) for line in Path("export", PAGE_DATA).read_text().splitlines()]
    lines[1][0]["private"] = True
    lines.append([lines[0][0] | {"name": "octo-lab/old", "repository_id": 3, "private": None}, lines[0][1]])
    written = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    Path("export", PAGE_DATA).write_text(written)
    errors = write_pictures(EXPORT, PICTURES, [PRIVATE, "octo-lab/old", "octo-lab/none", NAME])
    assert errors == (
        f"pictures: {PRIVATE}: it is private, and pictures are public: leave it out",
        "pictures: octo-lab/old: it is not known to be public, and pictures are public: leave it out",
        "pictures: octo-lab/none: the report page's data do not have it: collect it, or leave it out",
    )
    assert files_in("pictures").keys() == FILES


def test_pictures_that_cannot_be_written_are_an_error() -> None:
    exported(Sample(name=NAME))
    pictures = FailingDestination(PICTURES)
    pictures.unwritable = lambda key: key.endswith("views.svg")
    assert write_pictures(EXPORT, pictures, [NAME]) == (f"pictures-to {NAME}/views.svg: cannot be written",)


def test_the_settings_take_names_alone() -> None:
    """Patterns are refused, since they would include future repositories; pictures need `pictures-to` and the page."""
    names = f"{NAME}, https://github.com/{PRIVATE}"
    environ = COMMON | {"GHTRAFFIC_PICTURES": names, "GHTRAFFIC_PICTURES_TO": "p"}
    chosen = read_settings("collect", environ)
    assert (chosen.pictures, chosen.pictures_to) == ((NAME, PRIVATE), "p")
    for pattern in ("octo-lab/*", "!octo-lab/beacon", "octo-lab/b*"):
        with pytest.raises(SettingsError, match="is not a single repository: write OWNER/NAME for each"):
            read_settings("collect", environ | {"GHTRAFFIC_PICTURES": pattern})
    with pytest.raises(SettingsError, match="pictures-to: it is empty, but pictures is set: add `--pictures-to"):
        read_settings("collect", environ | {"GHTRAFFIC_PICTURES_TO": ""})
    with pytest.raises(SettingsError, match="pictures: they need the report page's data"):
        read_settings("collect", environ | {"GHTRAFFIC_REPORT": "false"})
