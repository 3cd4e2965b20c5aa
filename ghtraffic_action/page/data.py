"""The file `report/data.jsonl`: a line per repository, sorted by id."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from io import BytesIO

from ghtraffic_action.page.day_numbers import number_of
from ghtraffic_action.page.days import continues
from ghtraffic_action.page.line import (
    LEVELS,
    Head,
    Line,
    RepositoryRows,
    limit_line,
    merge_rows,
    parse_head,
    parse_line,
    render_line,
)
from ghtraffic_action.traffic.coverage import OPEN

PAGE_DATA = "report/data.jsonl"

_LEVEL_INTERVAL = 50
"""The level is computed again after so many repositories, to limit memory."""


class StaleLineError(Exception):
    """A repository's line is too old to be continued: all its rows are needed."""

    def __init__(self, repository_id: int) -> None:
        super().__init__(f"line of repository {repository_id} is missing or too old: expected all its rows")
        self.repository_id = repository_id


def read_heads(data: bytes) -> dict[int, Head]:
    """Return the heads of the readable lines by repository id."""
    return {head.repository_id: head for _, head in _lines(data)}


def build_data(repositories: Iterable[RepositoryRows]) -> bytes:
    """Return the file from all rows of the repositories."""
    return merge_data(b"", repositories)


def merge_data(data: bytes, changes: Iterable[RepositoryRows | Line]) -> bytes:
    """Merge some repositories' rows or whole lines into the file.

    Other lines stay as they are, unless the level of detail changes: then all lines are written again. The level
    follows from the heads of the lines alone, and changes at most four times. Equal rows give equal bytes, whether they
    come day by day or at once.

    Raises:
        StaleLineError: Rows since a day were given, and the line is not final before it.
    """
    lines, heads = {}, {}
    for raw, head in _lines(data):
        lines[head.repository_id], heads[head.repository_id] = raw, head
    level = _level(heads.values())
    for number, change in enumerate(changes):
        merged = _merged(lines, change)
        if merged is not None:
            limited = limit_line(merged, level)
            repository_id = limited.head.repository_id
            lines[repository_id], heads[repository_id] = render_line(limited), limited.head
            level = max(level, _level(heads.values())) if number % _LEVEL_INTERVAL == 0 else level
    level = _level(heads.values())
    for repository_id, head in heads.items():
        if head.level < level and (line := parse_line(lines[repository_id])):
            lines[repository_id] = render_line(limit_line(line, level))
    return b"".join(lines[repository_id] + b"\n" for repository_id in sorted(lines))


def changed_lines(data: bytes, changes: Iterable[RepositoryRows | Line]) -> set[int]:
    """Return the repositories whose lines the changes would alter.

    A missing line counts only if rows were to continue it.
    """
    found = {head.repository_id: (raw, head.level) for raw, head in _lines(data)}
    lines = {repository_id: raw for repository_id, (raw, _) in found.items()}
    changed = set()
    for change in changes:
        try:
            merged = _merged(lines, change)
        except StaleLineError as error:
            changed.add(error.repository_id)
            continue
        if merged and (old := found.get(merged.head.repository_id)):
            raw, level = old
            if render_line(limit_line(merged, level)) != raw:
                changed.add(merged.head.repository_id)
    return changed


def select_lines(data: bytes, names: Collection[str] = (), *, public: bool = False) -> bytes:
    """Return the lines of the named repositories, or of all; `public`: only known public ones."""
    wanted = {name.lower() for name in names}
    return b"".join(
        line + b"\n"
        for line, head in _lines(data)
        if (not wanted or head.name.lower() in wanted) and (not public or head.private is False)
    )


def _merged(lines: Mapping[int, bytes], change: RepositoryRows | Line) -> Line | None:
    """Return a repository's line with a change, which can be a whole line."""
    if isinstance(change, Line):
        return change
    return merge_rows(_continued(lines.get(int(change.catalogue["repository_id"])), change), change)


def _lines(data: bytes) -> Iterator[tuple[bytes, Head]]:
    lines = (line.removesuffix(b"\n") for line in BytesIO(data))
    return ((line, head) for line in lines if (head := parse_head(line)))


def _continued(raw: bytes | None, rows: RepositoryRows) -> Line | None:
    """Return the line that the rows continue, None if they are all rows."""
    if rows.since is None:
        return None
    line = parse_line(raw) if raw else None
    if line is None or not is_final(line.head, rows.since) or not continues(line.days, number_of(rows.since)):
        raise StaleLineError(int(rows.catalogue["repository_id"]))
    return line


def is_final(head: Head, since: date) -> bool:
    """Return whether a line's days before `since` are final."""
    return bool(head.observed) and since <= date.fromisoformat(head.observed) - OPEN


def _level(heads: Collection[Head]) -> int:
    """Return the finest level with room for all days."""
    spans = [head.end - head.begin + 1 for head in heads]
    for level, detail in enumerate(LEVELS[:-1]):
        if sum(min(span, detail.days or span) for span in spans) <= detail.budget:
            return level
    return len(LEVELS) - 1
