"""Pictures and badges of named public repositories, for publication."""

from collections.abc import Iterator, Sequence

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import Conflict, Destination, digest
from ghtraffic_action.page.badge import badges_of, draw_badge, write_endpoint
from ghtraffic_action.page.data import PAGE_DATA, read_heads, select_lines
from ghtraffic_action.page.line import Line, parse_line
from ghtraffic_action.page.picture import draw_chart


def write_pictures(export: Destination, pictures: Destination, names: Sequence[str]) -> tuple[str, ...]:
    """Write changed pictures from the page's data. Return the errors.

    Repositories that are private, or not known to be public, are skipped.
    """
    return tuple(_errors(export, pictures, names))


def _errors(export: Destination, pictures: Destination, names: Sequence[str]) -> Iterator[str]:
    try:
        file = export.read(PAGE_DATA)
        data = file.content if file else b""
        heads = {head.name.lower(): head for head in read_heads(data).values()}
        for name in names:
            head = heads.get(name.lower())
            if head is None:
                yield f"pictures: {name}: the report page's data do not have it: collect it, or leave it out"
            elif head.private is not False:
                what = "it is private" if head.private else "it is not known to be public"
                yield f"pictures: {name}: {what}, and pictures are public: leave it out"
            elif line := parse_line(select_lines(data, [name]).splitlines()[-1]):
                _write(pictures, line)
    except DestinationError as error:
        yield str(error).replace("export-to", "pictures-to", 1)


def _write(pictures: Destination, line: Line) -> None:
    for key, content in files_of(line).items():
        before = pictures.read(key)
        if before and before.digest == digest(content):
            continue
        try:
            pictures.write(key, content, before.version if before else None)
        except Conflict:
            continue  # a concurrent run has drawn the same or newer data


def files_of(line: Line) -> dict[str, bytes]:
    """Return a repository's pictures and badges by key."""
    files = {f"{metric}.svg": draw_chart(line, metric) for metric in ("views", "clones")}
    for name, badge in badges_of(line).items():
        files |= {f"badge-{name}.svg": draw_badge(badge), f"badge-{name}.json": write_endpoint(badge)}
    return {f"{line.head.name}/{name}": content for name, content in files.items()}
