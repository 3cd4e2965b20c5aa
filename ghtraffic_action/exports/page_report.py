"""The report page, made from the export without the store."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from ghtraffic_action.errors import DestinationError, SettingsError
from ghtraffic_action.exports.csvfile import UnreadableError, parse, render_rows, stream
from ghtraffic_action.exports.destination import Conflict, Destination, File
from ghtraffic_action.exports.layout import (
    DATA_PREFIX,
    RELEASES,
    REPOSITORIES,
    Row,
    is_period,
    table_of,
)
from ghtraffic_action.exports.page_files import repository_rows
from ghtraffic_action.exports.parts import Part
from ghtraffic_action.exports.rounds import unreadable
from ghtraffic_action.exports.spool import Spool
from ghtraffic_action.page.data import PAGE_DATA, build_data, read_heads, select_lines
from ghtraffic_action.page.line import RepositoryRows
from ghtraffic_action.page.writer import PAGE, write_page


def write_report(destination: Destination) -> str:
    """Write the page of all repositories. Return its URI.

    Raises DestinationError.
    """
    before, page = destination.read(PAGE_DATA), destination.read(PAGE)
    data = _page_data(destination, before)
    for key, content, file in ((PAGE_DATA, data, before), (PAGE, write_page(data), page)):
        try:
            if not file or file.content != content:
                destination.write(key, content, file.version if file else None)
        except Conflict as error:
            uri = destination.uri(key)
            raise DestinationError(f"export-to {uri}: a run wrote it at the same time: run again") from error
    return destination.uri(PAGE)


def save_report(destination: Destination, output: str, names: Sequence[str], *, public: bool) -> None:
    """Write the page of some or all repositories to the file `output`. Raises UserError."""
    data = _page_data(destination, destination.read(PAGE_DATA))
    known = {head.name.lower() for head in read_heads(data).values()}
    if missing := [name for name in names if name.lower() not in known]:
        raise SettingsError(f"repositories: the export does not have {', '.join(missing)}: run `ghtraffic status`")
    selected = select_lines(data, names, public=public)
    if not selected:
        raise SettingsError(
            "public: none of these repositories is known to be public: leave --public out, or collect once"
        )
    try:
        Path(output).write_bytes(write_page(selected))
    except OSError as error:
        raise DestinationError(f"output {output}: cannot be written ({error.strerror}): name another file") from error


def _page_data(destination: Destination, file: File | None) -> bytes:
    """Return all lines from the page's data, or else from months."""
    catalogue = destination.read(REPOSITORIES)
    if not catalogue:
        where = destination.uri(REPOSITORIES)
        raise DestinationError(
            f"export-to {where}: there is no such file: run `ghtraffic collect` first, or name its export"
        )
    try:
        records = {int(row["repository_id"]): row for row in parse(REPOSITORIES, catalogue.content).records()}
    except UnreadableError as error:
        raise DestinationError(unreadable(destination, REPOSITORIES, error)) from error
    if file and records.keys() <= read_heads(file.content).keys():
        return file.content
    with closing(Spool()) as spool:
        for key in sorted(filter(_is_shown, destination.keys(DATA_PREFIX))):
            _read_rows(destination, key, spool)
        return build_data(_repositories(records, spool))


def _is_shown(key: str) -> bool:
    return is_period(key) or key == RELEASES


def _read_rows(destination: Destination, key: str, spool: Spool) -> None:
    """Add a file's rows to the spool, by repository."""
    file = destination.read(key)
    rows: dict[int, list[Row]] = {}
    try:
        columns = table_of(key).columns
        for record in stream(key, file.content if file else b"").records():
            rows.setdefault(int(record["repository_id"]), []).append(tuple(record.get(name, "") for name in columns))
    except UnreadableError as error:
        raise DestinationError(unreadable(destination, key, error)) from error
    for repository_id, found in rows.items():
        spool.add(repository_id, {key: Part(render_rows(found))})


def _repositories(catalogue: dict[int, dict[str, str]], spool: Spool) -> Iterator[RepositoryRows]:
    for repository_id, parts in spool.repositories():
        if record := catalogue.get(repository_id):
            yield repository_rows(record, parts)
