"""Exported rows of invented repositories, as a run or a rebuild passes them to the page."""

import random
import zlib
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from ghtraffic_action.page.data import build_data
from ghtraffic_action.page.line import LEVELS, RepositoryRows, limit_line, parse_line, render_line

LAST = date(2026, 11, 25)
REFERRERS = (
    "Google github.com news.example Bing t.example docs.example pypi.example DuckDuckGo chat.example wiki.example"
)
PATHS = "/ /blob/main/README.md /issues /releases /pulls /wiki /actions /tree/main/src /graphs/traffic /network /tags"

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("https://a.example")',
    "\u202egnp.exe",
    "javascript:alert(1)",
    "<!--<script>",
    "]]>",
    "__proto__",
    "constructor",
    "line\u2028separator" + "x" * 380,
)

Row = dict[str, str]


class Course(NamedTuple):
    """What a sample's numbers depend on, regardless of how much of the sample is known."""

    repository_id: int
    views: int
    first: date
    launches: tuple[date, ...]


@dataclass(frozen=True)
class Sample:
    """One repository's traffic: a level of views, a slow growth, weekends, and a few launches."""

    name: str = "octo-lab/lighthouse"
    repository_id: int = 1
    days: int = 60
    last: date = LAST
    views: int = 120
    lost: frozenset[date] = frozenset()
    imported_days: int = 0
    partial: frozenset[date] = frozenset()
    unobserved: bool = False
    private: str = "false"
    archived: str = "false"
    referrers: tuple[str, ...] = tuple(REFERRERS.split())
    paths: tuple[str, ...] = tuple(PATHS.split())
    titles: tuple[str, ...] = ()
    releases: tuple[tuple[str, date], ...] = ()
    starred: tuple[tuple[date, int], ...] = ()
    """Days with how many of their stars are still held."""
    downloads_since: date | None = None
    """The first day whose downloads of releases were seen."""
    renamed: tuple[str, date] | None = None
    missing: tuple[str, ...] = ()
    runs_since: date | None = None
    """The first day whose workflow runs were counted."""
    launches: tuple[date, ...] = field(default=(date(2026, 10, 30),))

    def until(self, day: date) -> "Sample":
        """The sample as it is known after the answer of a day."""
        releases = tuple((tag, moment) for tag, moment in self.releases if moment <= day)
        starred = tuple((found, stars) for found, stars in self.starred if found <= day)
        is_renamed = self.renamed is not None and day >= self.renamed[1]
        name = self.name if is_renamed or not self.renamed else self.renamed[0]
        lost = frozenset(found for found in self.lost if found <= day)
        days = self.days - (self.last - day).days
        return replace(self, last=day, days=days, releases=releases, starred=starred, name=name, lost=lost)

    @property
    def first(self) -> date:
        """The first day."""
        return self.last - timedelta(days=self.days - 1)

    @property
    def course(self) -> Course:
        """The course of its traffic."""
        return Course(self.repository_id, self.views, self.first, self.launches)

    def name_on(self, day: date) -> str:
        """The repository's name on a day."""
        return self.renamed[0] if self.renamed and day < self.renamed[1] else self.name

    def state(self, day: date) -> str:
        """The state of a day."""
        if self.unobserved or (day - self.first).days < self.imported_days:
            return "imported"
        if day in self.lost:
            return "lost"
        if day in self.partial:
            return "partial"
        return "provisional" if (self.last - day).days < 7 else "complete"


def rows_of(sample: Sample, since: date | None = None) -> RepositoryRows:
    """Return the rows of the days from `since` on; all without it."""
    every = [sample.first + timedelta(days=n) for n in range(sample.days)]
    days = [day for day in every if since is None or day >= since]
    seen = [] if sample.unobserved else [day for day in days if (day - sample.first).days >= sample.imported_days]
    return RepositoryRows(
        catalogue=_without(_catalogue(sample, _daily(sample, sample.last)), sample.missing),
        daily=[_without(_daily(sample, day), sample.missing) for day in days],
        referrers=[row for day in seen for row in _referrers(sample, day)],
        paths=[row for day in seen for row in _paths(sample, day)],
        releases=[{"tag": tag, "published": f"{day}T10:00:00Z"} for tag, day in sample.releases],
        since=since,
        stars=[{"day": str(day), "stars": str(stars)} for day, stars in sample.starred],
        star_years=sorted({str(day.year) for day, _ in sample.starred}),
    )


def limited(data: bytes) -> bytes:
    """Return the data with the least detail, which a large fleet has."""
    lines = [parse_line(line) for line in data.splitlines()]
    return b"".join(render_line(limit_line(line, len(LEVELS) - 1)) + b"\n" for line in lines if line)


def large_fleet(size: int, days: int) -> bytes:
    """Return the data of many repositories that have the numbers of a few."""
    kinds = [Sample(name="octo-lab/NAME", repository_id=987654321, days=days, views=views) for views in (5, 80, 900)]
    lines = [line.encode() for kind in kinds for line in limited(data_of(kind)).decode().splitlines()]
    return b"".join(
        lines[n % len(lines)].replace(b"987654321", str(1000 + n).encode()).replace(b"NAME", f"r{n}".encode()) + b"\n"
        for n in range(size)
    )


def hostile() -> list[Sample]:
    """Return repositories whose names, referrers, paths and titles are attacks."""
    paths = tuple(f"/{text}" for text in HOSTILE)
    plain = Sample(days=40, name="octo-lab/constructor", referrers=HOSTILE, paths=paths, titles=HOSTILE)
    return [plain, Sample(days=40, repository_id=2, name='octo-lab/<b>x</b>"&\u202e')]


@cache
def data_of(*samples: Sample) -> bytes:
    """Return the page's data of some samples."""
    return build_data(rows_of(sample) for sample in samples)


def fleet(size: int, days: int) -> list[Sample]:
    """Return repositories of many sizes and ages; every tenth is archived, every fifth private."""
    draw = random.Random(size)  # noqa: S311 - a sample is no secret
    owners = ("octo-lab", "northwind", "acme-labs")
    return [
        Sample(
            name=f"{owners[n % 3]}/{draw.choice(('amber', 'birch', 'cedar', 'delta', 'ember'))}-{n}",
            repository_id=1000 + n,
            days=max(30, days - (n % 7) * days // 10),
            views=int(draw.paretovariate(1.1) * 12),
            lost=frozenset(LAST - timedelta(days=40 + k) for k in range(n % 4)) if n % 3 == 0 else frozenset(),
            archived="true" if n % 10 == 9 else "false",
            private="true" if n % 5 == 4 else "false",
            launches=(LAST - timedelta(days=draw.randrange(5, 300)),),
        )
        for n in range(size)
    ]


def long_history(days: int = 3650) -> Sample:
    """Return ten years with imported, lost and partial days, releases and a rename."""
    sample = Sample(days=days)
    lost = frozenset(sample.first + timedelta(days=1500 + n) for n in range(14)) | {LAST - timedelta(days=50)}
    return replace(
        sample,
        lost=lost,
        partial=frozenset(LAST - timedelta(days=n) for n in (30, 31)),
        imported_days=365,
        releases=tuple((f"v{n}.0", LAST - timedelta(days=27 + 190 * n)) for n in range(15)),
        renamed=("octo-lab/old-lighthouse", LAST - timedelta(days=900)),
        starred=tuple((LAST - timedelta(days=11 * n), 1 + n % 3) for n in reversed(range(420))),
        downloads_since=LAST - timedelta(days=150),
        launches=tuple(LAST - timedelta(days=26 + 400 * n) for n in range(8)),
    )


def _draw(course: Course, day: date, label: str, low: float, high: float) -> float:
    share = zlib.crc32(f"{course.repository_id} {day} {label}".encode()) / 2**32
    return low + share * (high - low)


@cache
def _views(course: Course, day: date) -> int:
    growth = 1 + 0.2 * (day - course.first).days / 365
    level = course.views * growth * (0.55 if day.weekday() > 4 else 1)
    since_launch = [(day - launch).days for launch in course.launches]
    burst = sum(course.views * 7 / (1 + age) for age in since_launch if 0 <= age < 9)
    is_quiet = _draw(course, day, "quiet", 0, 1) < 0.02
    return 0 if is_quiet else int(level * _draw(course, day, "views", 0.6, 1.4) + burst)


def _daily(sample: Sample, day: date) -> Row:
    state = sample.state(day)
    views = _views(sample.course, day)
    clones = int(views * _draw(sample.course, day, "clones", 0, 0.2))
    numbers = {"views": views, "view_uniques": int(views * 0.45), "clones": clones, "clone_uniques": int(clones * 0.8)}
    row = {"repository": sample.name_on(day), "repository_id": str(sample.repository_id), "day": str(day)}
    row |= {column: "" if state == "lost" else str(value) for column, value in numbers.items()}
    row |= {"state": state} | dict.fromkeys(("stars", "forks", "watchers", "open_issues", "open_pull_requests"), "")
    row |= dict.fromkeys(("views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d", "workflow_runs"), "")
    if sample.runs_since and sample.runs_since <= day < sample.last and day not in sample.lost:
        row["workflow_runs"] = str(clones * 2 // 3)
    if state not in ("lost", "imported"):
        age = (day - sample.first).days
        recent = _recent(sample.course, day)
        row |= {"stars": str(100 + age // 3), "forks": str(9 + age // 30), "watchers": "7"}
        row |= {"open_issues": "6", "open_pull_requests": "2", "views_14d": str(recent)}
        row |= {"view_uniques_14d": str(int(recent * 0.3)), "clones_14d": str(recent // 10)}
        row |= {"clone_uniques_14d": str(recent // 20)}
        if sample.downloads_since and day >= sample.downloads_since:
            row["downloads"] = str((day - sample.downloads_since).days ** 2 // 9)
    return row


@cache
def _recent(course: Course, day: date) -> int:
    return sum(_views(course, day - timedelta(days=n)) for n in range(14))


def _catalogue(sample: Sample, last: Row) -> Row:
    copied: tuple[str, ...] = ("repository_id", "views_14d", "view_uniques_14d", "clones_14d", "clone_uniques_14d")
    copied += ("stars", "forks", "watchers", "open_issues", "open_pull_requests")
    return {column: last[column] for column in copied} | {
        "repository": sample.name,
        "archived": "" if sample.unobserved else sample.archived,
        "private": "" if sample.unobserved else sample.private,
        "created": "" if sample.unobserved else str(sample.first - timedelta(days=1)),
        "first_day": str(sample.first + timedelta(days=0 if sample.unobserved else sample.imported_days)),
        "lost_days": str(len(sample.lost)),
        "observed": "" if sample.unobserved else str(sample.last),
    }


@cache
def _top(course: Course, day: date, names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    recent = _recent(course, day)
    shares = [recent * _draw(course, day, name, 0.8, 1.2) / (3 + at * 2) for at, name in enumerate(names)]
    return tuple(sorted(zip(names, map(int, shares), strict=True), key=lambda pair: -pair[1])[:10])


def _referrers(sample: Sample, day: date) -> list[Row]:
    place = {"repository": sample.name_on(day), "repository_id": str(sample.repository_id), "observed": str(day)}
    return [
        place | {"referrer": name, "views": str(count), "view_uniques": str(count // 2)}
        for name, count in _top(sample.course, day, sample.referrers)
    ]


def _paths(sample: Sample, day: date) -> list[Row]:
    name = sample.name_on(day)
    place = {"repository": name, "repository_id": str(sample.repository_id), "observed": str(day)}
    titles = dict(zip(sample.paths, sample.titles, strict=False))
    return [
        place
        | {"path": f"/{name}{path.removesuffix('/')}", "title": titles.get(path, f"{name}{path}")}
        | {"views": str(count), "view_uniques": str(count // 3)}
        for path, count in _top(sample.course, day, sample.paths)
    ]


def _without(row: Row, columns: tuple[str, ...]) -> Row:
    return {column: cell for column, cell in row.items() if column not in columns}
