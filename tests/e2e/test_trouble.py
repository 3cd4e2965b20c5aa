"""Trouble of every kind: what is told, what is kept, and that the next run goes on from there."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import unquote, urlsplit

import boto3
import pytest

import ghtraffic_action
from ghtraffic_action.cli import main
from ghtraffic_action.collect import run
from ghtraffic_action.errors import GitHubError, StoreError
from ghtraffic_action.runtime import Runtime
from ghtraffic_action.settings import Settings, read_settings
from ghtraffic_action.standin import Answer, FakeGitHub, GeneratedTraffic, RecordedTraffic, Refusal
from ghtraffic_action.stores.sqlite import SQLiteStore
from ghtraffic_action.traffic.model import History
from tests.support.aws import Aws
from tests.support.builders import NAME, NOW, TOKEN, days, repository
from tests.support.csvfiles import all_daily, exported, rows, stored, told
from tests.support.github_errors import LASTING
from tests.support.runtime import no_wait_runtime

HERE = {"store": "sqlite:traffic.db", "export_to": "export"}
BUOY, CRANE = "octo-lab/buoy", "harbour/crane"
DAILY = "v1/daily/month=2026-11/daily.csv"
Arrange = Callable[[str], tuple[int, bytes] | None]


class Gate:
    """A proxy in front of the emulator of AWS: it can refuse a request in AWS's words, or hold it for a while.

    `arrange` is asked for each request by its name: `UpdateItem repo#7` and so on, or `PUT /bucket/key`.

    It passes on one request at a time. AWS writes an item or an object whole; the emulator shows others one that has
    nothing but its keys yet, and looks at a condition before it writes, without a lock.
    """

    def __init__(self, url: str) -> None:
        self.arrange: Arrange = lambda _: None
        self.seen: list[str] = []
        self._aws = urlsplit(url).netloc
        self._one_at_a_time = Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def _forward(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # killed while it was sending: AWS would wait in vain for the rest
                    self.close_connection = True
                    return
                status, headers, content = gate.answer(self.command, self.path, dict(self.headers), body)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else content)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815 - the base class looks for them

            def handle_expect_100(self) -> bool:
                """Ask for the body at once: what is buffered would keep the other side waiting."""
                done = super().handle_expect_100()
                self.wfile.flush()
                return done

            def log_message(self, *_: object) -> None:
                """Stay silent."""

            def handle(self) -> None:
                """Serve until the other side goes, however it goes."""
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask what is arranged, else AWS."""
        name = unquote(f"{method} {path.partition('?')[0]}")
        if target := headers.get("X-Amz-Target", ""):
            name = f"{target.rpartition('.')[2]} {json.loads(body).get('Key', {}).get('pk', {}).get('S', '')}"
        self.seen.append(name)
        if arranged := self.arrange(name):
            return arranged[0], {"Content-Type": "application/xml"}, arranged[1]
        with self._one_at_a_time, closing(http.client.HTTPConnection(self._aws)) as aws:
            aws.request(method, path, body, {key: value for key, value in headers.items() if key != "Expect"})
            response = aws.getresponse()
            kept = {
                key: value
                for key, value in response.getheaders()
                if key.lower() not in ("content-length", "transfer-encoding", "connection")
            }
            return response.status, kept, response.read()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def gate(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A gate between the program and AWS; the test's own clients do not go through it."""
    made = Gate(aws.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
    yield made
    made.close()


def denied(action: str) -> bytes:
    """Write AWS's refusal of an action."""
    user = "User: arn:aws:sts::123456789012:assumed-role/x/y"
    message = f"{user} is not authorized to perform: {action}"
    return json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "message": message}).encode()


EXPIRED_DYNAMODB = json.dumps(
    {"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "The security token is expired"}
).encode()
DENIED_S3 = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@dataclass(frozen=True)
class Attempt:
    """What a user sees of one command: its exit code and its two outputs."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of the log that are errors."""
        return [line.removeprefix("ERROR ") for line in self.err.splitlines() if line.startswith("ERROR ")]


def assert_token_is_nowhere(folder: Path, *texts: str) -> None:
    """Look for the token in texts and in every file below a folder."""
    assert all(TOKEN not in text for text in texts)
    assert all(TOKEN.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def attempt(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Attempt]:
    """Run a command with a token, telling everything (-vv); the token is nowhere in what it prints and leaves."""
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", github.url)

    def run_main(*argv: str, command: str = "collect", repositories: str = NAME, **places: str) -> Attempt:
        where = HERE | places
        flags = ["--store", where["store"], "--export-to", where["export_to"], *argv]
        named = ["--repositories", repositories] if command == "collect" else []
        code = main(["-vv", command, *named, *flags])
        output = capsys.readouterr()
        assert_token_is_nowhere(tmp_path, output.out, output.err)
        return Attempt(code, output.out, output.err)

    return run_main


@pytest.fixture
def program(github: FakeGitHub, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the program as a process of its own; what it prints comes at its end."""

    def start(*argv: str, url: str = "", repositories: str = NAME, **places: str) -> "subprocess.Popen[str]":
        where = HERE | places
        environ = os.environ | {
            "PYTHONPATH": str(Path(ghtraffic_action.__file__).parents[1]),
            "GHTRAFFIC_GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": url or github.url,
            "GHTRAFFIC_REPOSITORIES": repositories,
            "GHTRAFFIC_STORE": where["store"],
            "GHTRAFFIC_EXPORT_TO": where["export_to"],
        }
        command = [sys.executable, "-m", "ghtraffic_action", "-vv", "collect", *argv]
        return subprocess.Popen(
            command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start


def ended(process: "subprocess.Popen[str]", folder: Path) -> Attempt:
    """Wait for a process to end; the token is nowhere in what it printed and left."""
    out, err = process.communicate(timeout=60)
    assert_token_is_nowhere(folder, out, err)
    return Attempt(process.returncode, out, err)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition that must come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def numbers_of(history: History) -> dict[date, tuple[int | None, ...]]:
    """Tell a history's numbers by day."""
    return {d.day: (d.views, d.view_uniques, d.clones, d.clone_uniques) for d in history.days}


def whole(history: History) -> bool:
    """Tell whether a repository's run is stored to its end: all of its days, and then its snapshot."""
    return len(history.days) == 15 and len(history.snapshots) == 1


# Refusals


@pytest.mark.parametrize("refusal", LASTING, ids=lambda refusal: refusal.name)
def test_each_refusal_is_told_with_its_own_cure(
    github: FakeGitHub, attempt: Callable[..., Attempt], refusal: Refusal
) -> None:
    """A refused repository is one error with the cure of that very refusal; exit 1, and not a day is stored."""
    github.refuse(refusal, path="/traffic/")
    done = attempt()
    what, cure = LASTING[refusal]
    (error,) = done.errors
    assert error.startswith(f"{NAME}: ")
    assert what in error
    assert cure in error
    assert done.code == 1
    assert stored(HERE["store"]) == {}
    assert not Path("export").exists()


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (Refusal.RATE_LIMITED.value, "used up (rate limit): run again after 04:17 UTC; what was collected is stored"),
        (Refusal.RATE_LIMITED.value.but(status=429), "used up (rate limit): run again after 04:17 UTC"),
        (Refusal.SECONDARY_RATE_LIMITED.value.but(headers={"Retry-After": "901"}), "run again in 901 s"),
    ],
    ids=["primary", "primary as 429", "secondary"],
)
def test_limit_that_takes_too_long_ends_the_run(
    github: FakeGitHub, attempt: Callable[..., Attempt], refusal: Answer, text: str
) -> None:
    """A limit of more than a quarter of an hour is not waited for: all that remains is refused with when to run."""
    names = [NAME, *(f"octo-lab/boat-{number:02}" for number in range(40))]
    github.repositories = [repository(name, id=at) for at, name in enumerate(names, 1)]
    github.refuse(refusal, path="/traffic/")
    done = attempt(repositories=" ".join(names))
    assert done.code == 1
    assert len(done.errors) == len(names)
    assert all(text in error for error in done.errors)
    assert len(github.requests) <= 1 + 2 * 16


def test_short_pause_is_waited_for(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A pause of a second that GitHub asks for is taken, and then everything is collected."""
    github.refuse(Refusal.SECONDARY_RATE_LIMITED.value.but(headers={"Retry-After": "1"}), path="/traffic/", times=1)
    assert attempt().code == 0
    assert whole(stored(HERE["store"])[7])


def test_unknown_token_is_told_once(
    github: FakeGitHub, attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 is one error of the whole with what to set, however many repositories; one request is enough to know."""
    github.repositories.append(repository(BUOY, id=8))
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", TOKEN[::-1])
    done = attempt(repositories="octo-lab/lighthouse octo-lab/buoy")
    (error,) = done.errors
    assert error.startswith("github-token: GitHub does not know this token (401")
    assert "set `github-token` to a fine-grained token" in error
    assert TOKEN[::-1] not in done.out + done.err
    assert done.code == 1
    assert len(github.requests) == 1


def test_error_of_a_run_does_not_hold_the_token(
    github: FakeGitHub, settings_for: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the exception of a run, nor what caused it, nor any library's log at DEBUG quotes the token."""
    caplog.set_level("DEBUG")
    github.refuse(Refusal.BAD_CREDENTIALS)
    with pytest.raises(GitHubError) as error:
        run(settings_for(**HERE))
    assert_token_is_nowhere(Path(), "".join(traceback.format_exception(error.value)), repr(settings_for()), caplog.text)


def test_one_refused_repository_does_not_stop_two_others(
    github: FakeGitHub, attempt: Callable[..., Attempt], places: dict[str, str]
) -> None:
    """Of three repositories one is refused: the other two are stored and exported, and the run ends with 1."""
    github.repositories += [repository(BUOY, id=8), repository(CRANE, id=9)]
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"/{BUOY}/traffic/")
    done = attempt(repositories=f"{NAME} {BUOY} {CRANE}", **places)
    assert done.code == 1
    assert [error.partition(":")[0] for error in done.errors] == [BUOY]
    histories = stored(places["store"])
    assert set(histories) == {7, 9}
    assert all(whole(history) for history in histories.values())
    files = exported(places["export_to"])
    assert {row["repository"] for row in all_daily(files)} == {NAME, CRANE}
    assert {row["repository"] for row in rows(files["v1/latest/repositories.csv"])} == {NAME, CRANE}


@pytest.mark.parametrize("first", ["views", "clones"])
def test_metrics_refused_in_turn_are_both_kept(
    github: FakeGitHub, attempt: Callable[..., Attempt], places: dict[str, str], first: str
) -> None:
    """One metric refused now and the other a minute later: each run ends with 1, and both metrics are stored whole."""
    second = {"views": "clones", "clones": "views"}[first]
    expected = told(github)
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"/traffic/{first}")
    assert attempt(**places).code == 1
    github.allow()
    github.now += timedelta(minutes=1)
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path=f"/traffic/{second}")
    assert attempt(**places).code == 1
    history = stored(places["store"])[7]
    assert numbers_of(history) == expected
    (snapshot,) = history.snapshots
    assert snapshot.views
    assert snapshot.clones
    assert abs(snapshot.views.at - snapshot.clones.at) == timedelta(minutes=1)
    found = {
        date.fromisoformat(row["day"]): (int(row["views"]), int(row["clones"]))
        for row in all_daily(exported(places["export_to"]))
    }
    assert found == {day: (views, clones) for day, (views, _, clones, _) in expected.items()}


def test_refused_metric_is_unknown_and_never_zero(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """Where the clones were refused nothing is stored of them, and the export leaves them empty."""
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="/traffic/clones")
    assert attempt().code == 1
    history = stored(HERE["store"])[7]
    assert all((day.clones, day.clone_uniques) == (None, None) for day in history.days)
    assert history.snapshots[0].clones is None
    assert all(row["clones"] == row["clone_uniques"] == "" for row in all_daily(exported("export")))


def test_field_refused_to_the_token_is_empty_alone(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A token without Issues: read collects everything else, with 0; the open issues are unknown."""
    github.repositories = [repository(private=True, open_issues=6, open_pull_requests=4)]
    github.refuse_field(NAME, "issues")
    assert attempt().code == 0
    today = all_daily(exported("export"))[-1]
    assert (today["stars"], today["watchers"], today["open_issues"], today["open_pull_requests"]) == ("5", "3", "", "4")


def test_refused_query_is_replaced_by_calls(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """Where GraphQL is refused wholly the metadata come over REST: all is collected, with 0."""
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_TOKEN, path="/graphql")
    assert attempt().code == 0
    assert whole(stored(HERE["store"])[7])
    assert all_daily(exported("export"))[-1]["stars"] == "5"
    assert [request.path for request in github.requests].count(f"/repos/{NAME}") == 1


def test_token_near_its_end_is_warned_about(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A token that ends in 20 days is a warning in the log and in the report, and no failure."""
    github.headers["GitHub-Authentication-Token-Expiration"] = "2026-12-13 03:17:00 UTC"
    done = attempt("--json")
    assert done.code == 0
    assert done.err.count("WARNING github-token: it ends on 2026-12-13: make a new one before") == 1
    assert any("it ends on 2026-12-13" in warning for warning in json.loads(done.out)["warnings"])


# Time


def test_clock_a_day_off_spoils_nothing(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """With a local clock a day behind or before, the days and moments are GitHub's; a warning tells."""
    expected = told(github)
    for skew in (timedelta(days=-1), timedelta(days=1)):
        places = {"store": f"sqlite:{skew.days}.db", "export_to": str(skew.days)}
        report = run(settings_for(**places), Runtime(now=lambda skew=skew: NOW + skew))
        assert report.exit_code == 0
        assert any("clock is wrong" in warning for warning in report.warnings)
        history = stored(places["store"])[7]
        assert numbers_of(history) == expected
        assert [snapshot.day for snapshot in history.snapshots] == [NOW.date()]
    assert exported("1") == exported("-1")


def test_right_clock_is_not_warned_about(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """Where the clocks agree there is no warning."""
    assert run(settings_for(**HERE), Runtime(now=lambda: github.now)).warnings == ()


def test_run_across_midnight_leaves_each_answer_on_its_own_day(
    github: FakeGitHub, attempt: Callable[..., Attempt], places: dict[str, str]
) -> None:
    """Answers before and after midnight leave two snapshots; the days of both answers are kept."""
    github.now = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    after = github.now + timedelta(seconds=2)
    views = github.repositories[0].traffic.views(after.replace(hour=1))
    body = {
        "count": views.count,
        "uniques": views.uniques,
        "views": [{"timestamp": f"{day}T00:00:00Z", "count": c, "uniques": u} for day, c, u in views.rows],
    }
    github.refuse(Answer(200, body, {"Date": format_datetime(after, usegmt=True)}), path="/traffic/views")
    assert attempt(**places).code == 0
    history = stored(places["store"])[7]
    before_midnight, after_midnight = history.snapshots
    assert (before_midnight.day, after_midnight.day) == (date(2026, 11, 30), date(2026, 12, 1))
    assert before_midnight.metadata
    assert before_midnight.clones
    assert before_midnight.views is None
    assert after_midnight.views
    assert (after_midnight.metadata, after_midnight.clones) == (None, None)
    found = {day.day: day for day in history.days}
    assert {day: found[day].views for day, _, _ in views.rows} == {day: count for day, count, _ in views.rows}
    assert found[date(2026, 11, 30)].clones == told(github)[date(2026, 11, 30)][2]
    daily = all_daily(exported(places["export_to"]))
    assert [row["day"] for row in daily][-2:] == ["2026-11-30", "2026-12-01"]
    assert [row["stars"] for row in daily][-2:] == ["5", ""]
    assert attempt(command="export", **places).out.endswith(" 0 of them written\n")


def test_export_that_fails_for_a_month_is_caught_up(
    github: FakeGitHub, settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    """Thirty runs whose export fails store all; the first that can export leaves what an unbroken export would be."""
    assert run(settings_for(**HERE)).exit_code == 0
    (tmp_path / "export").rename(tmp_path / "kept")
    (tmp_path / "export").write_text("in the way")
    for _ in range(30):
        github.now += timedelta(days=1)
        report = run(settings_for(**HERE))
        assert report.exit_code == 1
        assert report.errors[0].startswith("export-to export: cannot be used (Not a directory)")
        assert report.repositories[0].inserted == 1
    (tmp_path / "export").unlink()
    (tmp_path / "kept").rename(tmp_path / "export")
    github.now += timedelta(days=1)
    assert run(settings_for(**HERE)).exit_code == 0
    caught_up = exported("export")
    assert [row["day"] for row in all_daily(caught_up)] == [
        str(date(2026, 11, 9) + timedelta(days=number)) for number in range(14 + 1 + 31)
    ]
    assert (
        len({row["observed"] for key in caught_up if key.startswith("v1/paths") for row in rows(caught_up[key])}) == 32
    )
    assert main(["export", "--store", HERE["store"], "--export-to", "unbroken"]) == 0
    assert exported("unbroken") == caught_up


def test_bucket_that_denies_for_a_month_is_caught_up(
    aws: Aws, gate: Gate, github: FakeGitHub, settings_for: Callable[..., Settings]
) -> None:
    """Weekly runs whose bucket denies store all in the table; the first that may write brings the export up to date."""
    places = {"store": aws.store, "export_to": aws.export_to}
    assert run(settings_for(**places)).exit_code == 0
    gate.arrange = lambda name: (403, DENIED_S3) if "/traffic/" in name else None
    for _ in range(4):
        github.now += timedelta(days=7)
        report = run(settings_for(**places))
        assert report.exit_code == 1
        assert "AWS denies s3:GetObject" in report.errors[0]
        assert report.repositories[0].inserted == 7
    gate.arrange = lambda _: None
    github.now += timedelta(days=7)
    assert run(settings_for(**places)).exit_code == 0
    caught_up = exported(aws.export_to)
    assert len(all_daily(caught_up)) == 15 + 35
    assert main(["export", "--store", aws.store, "--export-to", f"s3://{aws.bucket}/traffic"]) == 0
    assert exported(aws.export_to) == caught_up


# Answers that make no sense, or little

FAULTS: dict[str, Answer] = {
    "html": Refusal.HTML.value,
    "truncated": Refusal.TRUNCATED.value,
    "no-integer": Answer(
        200,
        {"count": 9, "uniques": 9, "views": [{"timestamp": "2026-11-22T00:00:00Z", "count": "9" * 9, "uniques": 9}]},
    ),
    "negative": Answer(
        200, {"count": 9, "uniques": 9, "views": [{"timestamp": "2026-11-22T00:00:00Z", "count": -9, "uniques": 9}]}
    ),
    "future": Answer(
        200,
        {"count": 9, "uniques": 9, "views": [{"timestamp": "2026-11-26T00:00:00Z", "count": 9999, "uniques": 9}]},
    ),
    "broken": Refusal.RESET.value,
    "error-page": Refusal.SERVER_ERROR_HTML.value,
}


def test_nonsense_for_views_keeps_what_is_stored_and_the_clones(
    github: FakeGitHub, settings_for: Callable[..., Settings], places: dict[str, str]
) -> None:
    """Each kind of nonsense in the place of the views changes none of them; the clones go on, and so do the others."""
    github.repositories = [repository(f"octo-lab/{fault}", id=at) for at, fault in enumerate(["fine", *FAULTS], 1)]
    names = " ".join(r.name for r in github.repositories)
    assert run(settings_for(**places, repositories=names)).exit_code == 0
    before = stored(places["store"])
    github.now += timedelta(days=2)
    for fault, answer in FAULTS.items():
        github.refuse(answer, path=f"/{fault}/traffic/views")
    report = run(settings_for(**places, repositories=names), no_wait_runtime())
    assert report.exit_code == 1
    assert [found.name for found in report.collected] == ["octo-lab/fine"]
    assert_token_is_nowhere(Path(), report.as_json(), repr(report))
    after = stored(places["store"])
    for at, fault in enumerate(FAULTS, 2):
        views = {day.day: day.views for day in after[at].days if day.views is not None}
        assert views == {day.day: day.views for day in before[at].days}, fault
        assert len([day for day in after[at].days if day.clones is not None]) == 17
    assert len([day for day in after[1].days if day.views is not None]) == 17
    errors = {found.name.partition("/")[2]: found.errors for found in report.failed}
    assert all(len(texts) == 1 for texts in errors.values())
    for fault in ("html", "truncated", "no-integer", "negative", "future"):
        assert errors[fault][0].startswith("GitHub's answer makes no sense"), fault
    assert "cannot be reached" in errors["broken"][0]
    assert "GitHub failed (502)" in errors["error-page"][0]


def test_nonsense_for_everything_stores_nothing(github: FakeGitHub, settings_for: Callable[..., Settings]) -> None:
    """Where every answer is HTML nothing is stored or exported, and the run fails."""
    github.refuse(Refusal.HTML)
    report = run(settings_for(**HERE), no_wait_runtime())
    assert report.exit_code == 1
    assert "makes no sense" in report.repositories[0].errors[0]
    assert stored(HERE["store"]) == {}


def test_renamed_repository_has_one_history_and_both_names(
    github: FakeGitHub, attempt: Callable[..., Attempt], places: dict[str, str]
) -> None:
    """A repository renamed between two runs goes on in one history; its rows have the name of their day."""
    assert attempt(**places).code == 0
    github.repositories[0].former_names = (NAME,)
    github.repositories[0].name = "octo-lab/beacon"
    github.now += timedelta(days=10)
    assert attempt(**places).code == 0
    assert attempt(**places, repositories="octo-lab/beacon").code == 0
    assert set(stored(places["store"])) == {7}
    files = exported(places["export_to"])
    daily = all_daily(files)
    assert {row["repository"] for row in daily} == {NAME, "octo-lab/beacon"}
    assert {row["repository_id"] for row in daily} == {"7"}
    assert len({row["day"] for row in daily}) == len(daily) == 25
    assert [(row["repository_id"], row["repository"]) for row in rows(files["v1/latest/repositories.csv"])] == [
        ("7", "octo-lab/beacon")
    ]


def test_today_that_is_not_listed_yet_is_unknown(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """Where today's row is absent today is empty, not zero; a day later it is there."""
    truth = days(date(2026, 9, 1), 200)
    github.repositories = [repository(traffic=GeneratedTraffic(truth, truth, include_today=False))]
    assert attempt().code == 0
    today = all_daily(exported("export"))[-1]
    assert (today["day"], today["views"], today["clones"], today["state"]) == ("2026-11-23", "", "", "provisional")
    github.now += timedelta(days=1)
    assert attempt().code == 0
    found = {row["day"]: row["views"] for row in all_daily(exported("export"))}
    assert found["2026-11-23"] == str(told(github)[date(2026, 11, 23)][0])
    assert found["2026-11-24"] == ""


@pytest.mark.parametrize(("hour", "listed"), [(3, 15), (15, 14)])
def test_fifteenth_row_is_kept_as_partial(
    github: FakeGitHub, attempt: Callable[..., Attempt], hour: int, listed: int
) -> None:
    """A day older than the 14 that an answer covers is kept where it is listed, as partial; else it has no row."""
    github.now = NOW.replace(hour=hour)
    assert attempt().code == 0
    daily = all_daily(exported("export"))
    assert len(daily) == listed
    assert [row["day"] for row in daily if row["state"] == "partial"] == ["2026-11-09"] * (listed - 14)


def test_fifteenth_row_never_lowers_a_day(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A day cut short at the window's edge keeps the number that it had."""
    assert attempt().code == 0
    edge = NOW.date() - timedelta(days=5)
    stored_before = {day.day: day.views for day in stored(HERE["store"])[7].days}[edge]
    github.now += timedelta(days=9)
    cut = told(github)[edge][0]
    assert attempt().code == 0
    assert stored_before
    assert cut < stored_before
    assert {day.day: day.views for day in stored(HERE["store"])[7].days}[edge] >= stored_before


def test_no_rows_at_all_are_days_of_zero(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A repository of which no day is listed is collected: zero up to the day before yesterday, unknown from then."""
    github.repositories = [repository(traffic=RecordedTraffic())]
    assert attempt().code == 0
    history = stored(HERE["store"])[7]
    assert (history.days, len(history.snapshots)) == ((), 1)
    daily = all_daily(exported("export"))
    assert [row["views"] for row in daily] == ["0"] * 12 + [""] * 2
    assert [row["clone_uniques"] for row in daily] == ["0"] * 12 + [""] * 2


def test_new_repository_has_no_days_before_it_was_made(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """Nothing is said of days before the repository was created."""
    truth = days(date(2026, 11, 20), 30)
    github.repositories = [repository(traffic=GeneratedTraffic(truth, truth), created=date(2026, 11, 20))]
    assert attempt().code == 0
    assert [row["day"] for row in all_daily(exported("export"))] == [f"2026-11-{day}" for day in range(20, 24)]


# Stores and destinations


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe nonsense", b"day,views\r\n", b"<html>\r\n", b"", b'"open'],
    ids=["no text", "columns missing", "HTML", "empty", "open quote"],
)
def test_month_file_that_does_not_parse_is_left_alone(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws, content: bytes
) -> None:
    """A month file that is none is refused with the command that rebuilds it, which then does; nothing else suffers."""
    places = {"store": aws.store, "export_to": aws.export_to}
    assert attempt(**places).code == 0
    aws.s3.put_object(Bucket=aws.bucket, Key=f"traffic/{DAILY}", Body=content)
    github.now += timedelta(hours=3)
    done = attempt(**places)
    assert done.code == 1
    (error,) = done.errors
    assert f"export-to {aws.export_to}/{DAILY}: the file " in error
    assert "rebuild it with `ghtraffic export --month 2026-11`" in error
    assert exported(aws.export_to)[DAILY] == content
    assert numbers_of(stored(aws.store)[7])[NOW.date()][0] == told(github)[NOW.date()][0]
    assert attempt("--month", "2026-11", command="export", **places).code == 0
    assert len(all_daily(exported(aws.export_to))) == 15
    assert attempt(**places).code == 0
    assert attempt(command="export", **places).out.endswith(" 0 of them written\n")


def test_catalogue_that_does_not_parse_is_left_alone(attempt: Callable[..., Attempt], tmp_path: Path) -> None:
    """A catalogue that is none is refused with the command that rebuilds it, and everything is stored all the same."""
    assert attempt().code == 0
    catalogue = tmp_path / "export" / "v1" / "latest" / "repositories.csv"
    whole_one = catalogue.read_bytes()
    catalogue.write_text("spoiled")
    done = attempt()
    assert done.code == 1
    assert "rebuild it with `ghtraffic export`" in done.errors[0]
    assert catalogue.read_text() == "spoiled"
    assert attempt(command="export").code == 0
    assert catalogue.read_bytes() == whole_one
    assert attempt().code == 0


def test_missing_bucket_is_told_and_the_history_kept(attempt: Callable[..., Attempt], aws: Aws) -> None:
    """Without the bucket the run fails with the command that makes it; what was collected is in the table."""
    done = attempt(store=aws.store, export_to="s3://no-such-bucket-there/traffic")
    assert done.code == 1
    (error,) = done.errors
    assert error == (
        "export-to s3://no-such-bucket-there/traffic: there is no such bucket: name another, or make it with "
        "`aws s3 mb s3://no-such-bucket-there`"
    )
    assert whole(stored(aws.store)[7])


@pytest.mark.parametrize("operation", ["GET", "PUT"])
def test_bucket_that_denies_is_told_and_the_history_kept(
    attempt: Callable[..., Attempt], aws: Aws, gate: Gate, operation: str
) -> None:
    """A bucket that denies reading or writing is an error that names the permissions; the history is stored."""
    gate.arrange = lambda name: (403, DENIED_S3) if name.startswith(operation) else None
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    denied = {"GET": "s3:GetObject", "PUT": "s3:PutObject"}[operation]
    assert all(f"AWS denies {denied}" in error for error in done.errors)
    assert "it needs s3:GetObject and s3:PutObject below the prefix and s3:ListBucket" in done.errors[0]
    assert whole(stored(aws.store)[7])


def test_export_denied_in_part_does_not_count_as_exported(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws, gate: Gate
) -> None:
    """Where one month's file cannot be written the catalogue is not either, so that the next run writes it again."""
    places = {"store": aws.store, "export_to": aws.export_to}
    gate.arrange = lambda name: (403, DENIED_S3) if name.startswith("PUT") and name.endswith("daily.csv") else None
    done = attempt(**places)
    assert done.code == 1
    assert len(done.errors) == 1
    assert "v1/latest/repositories.csv" not in exported(aws.export_to)
    assert "v1/latest/paths.csv" in exported(aws.export_to)
    gate.arrange = lambda _: None
    github.now += timedelta(days=40)
    assert attempt(**places).code == 0
    assert attempt(command="export", **places).out.endswith(" 0 of them written\n")
    assert "2026-11-10" in {row["day"] for row in all_daily(exported(aws.export_to))}


def test_missing_table_is_told_with_the_command_that_makes_it(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws
) -> None:
    """Without the table the run fails once for all, and the error's own command makes the table that is wanted."""
    github.repositories.append(repository(BUOY, id=8))
    done = attempt(repositories=f"{NAME} {BUOY}", store="dynamodb://no-such-table", export_to=aws.export_to)
    assert done.code == 1
    (error,) = [error for error in done.errors if error.startswith("store ")]
    assert error.startswith("store dynamodb://no-such-table: there is no such table in this account and region")
    assert "aws dynamodb create-table --table-name no-such-table --billing-mode PAY_PER_REQUEST" in error
    assert exported(aws.export_to) == {}


def test_table_of_another_region_is_told(
    attempt: Callable[..., Attempt], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads as missing, with the region that was asked and the setting that names another; none is made there."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    (error,) = [error for error in done.errors if error.startswith("store ")]
    assert "there is no such table in this account and region (eu-west-1)" in error
    assert "set its region (`aws-region` in Actions, elsewhere AWS_DEFAULT_REGION)" in error
    assert exported(aws.export_to) == {}
    with closing(boto3.client("dynamodb")) as there:
        assert there.list_tables()["TableNames"] == []


SECRET = "ssm:/ghtraffic/token"


@pytest.fixture
def secret(
    attempt: Callable[..., Attempt], aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """Run with a parameter of AWS's in the place of the token: `secret(code, **parameter)` gives the one error."""
    assert aws.url
    monkeypatch.setenv("GHTRAFFIC_GITHUB_TOKEN", SECRET)
    ssm = boto3.client("ssm")

    def told(code: int, **parameter: str) -> str:
        if parameter:
            ssm.put_parameter(Name="/ghtraffic/token", **parameter)
        done = attempt()
        assert done.code == code
        assert list(tmp_path.glob("export/**/*")) == []
        (error,) = done.errors
        return error

    yield told
    ssm.delete_parameters(Names=["/ghtraffic/token"])
    ssm.close()


def test_parameter_that_is_not_there_is_a_wrong_setting(secret: Callable[..., str], github: FakeGitHub) -> None:
    """The error has the command that puts it there, in which no token stands; GitHub is not asked."""
    put = "aws ssm put-parameter --overwrite --type SecureString --name /ghtraffic/token --value file:///dev/stdin"
    assert secret(2) == (
        f"{SECRET}: there is no such parameter in this account and region: put it there with `{put}`, then paste it"
    )
    assert github.requests == []


@pytest.mark.parametrize(
    ("parameter", "what"),
    [
        ({"Type": "String", "Value": TOKEN}, "it is stored in the clear, as a String: put it again with `aws ssm"),
        ({"Type": "SecureString", "Value": json.dumps({"token": TOKEN})}, "it holds no token: put the token alone"),
        ({"Type": "SecureString", "Value": f'"{TOKEN}"'}, "it holds no token: put the token alone there"),
    ],
    ids=["in the clear", "JSON", "quoted"],
)
def test_parameter_that_holds_something_else_is_a_wrong_setting(
    secret: Callable[..., str], github: FakeGitHub, parameter: dict[str, str], what: str
) -> None:
    """The error says what to put there and shows nothing of what lies there; GitHub is not asked."""
    assert f"{SECRET}: {what}" in secret(2, **parameter)
    assert github.requests == []


def test_parameter_that_aws_denies_is_no_wrong_setting(secret: Callable[..., str], gate: Gate) -> None:
    """The settings are right and AWS refuses, so that the exit code is that of a service which failed."""
    gate.arrange = lambda name: (400, denied("ssm:GetParameter")) if name.startswith("GetParameter") else None
    expected = f"{SECRET}: AWS denies ssm:GetParameter: allow it to this role"
    assert secret(1, Type="SecureString", Value=TOKEN) == expected


def test_parameter_that_aws_cannot_give_is_no_wrong_setting(secret: Callable[..., str], gate: Gate) -> None:
    """An outage passes: the exit code says so, and the error to run again."""
    gate.arrange = lambda name: (500, b"{}") if name.startswith("GetParameter") else None
    assert secret(1).startswith(f"{SECRET}: AWS answered 500 to GetParameter")


def test_table_with_other_keys_is_told(attempt: Callable[..., Attempt], aws: Aws) -> None:
    """A table of another key schema is refused with the keys that are wanted, and left empty."""
    aws.dynamodb.create_table(
        TableName=f"{aws.table}-other",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    done = attempt(store=f"dynamodb://{aws.table}-other", export_to=aws.export_to)
    assert done.code == 1
    assert any("the table has other keys than pk and sk, both strings" in error for error in done.errors)
    assert aws.dynamodb.scan(TableName=f"{aws.table}-other")["Count"] == 0


@pytest.mark.parametrize("operation", ["Query", "UpdateItem"])
def test_table_that_denies_is_told(attempt: Callable[..., Attempt], aws: Aws, gate: Gate, operation: str) -> None:
    """A table that may not be read or written is an error that names the permission, and no account; no export."""
    gate.arrange = lambda name: (400, denied(f"dynamodb:{operation}")) if name.startswith(operation) else None
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    assert done.errors[0] == f"store {aws.store}: AWS denies dynamodb:{operation}: allow it to this role"
    assert "123456789012" not in done.out + done.err
    assert exported(aws.export_to) == {}


def test_store_that_fails_in_the_middle_keeps_what_it_took(
    github: FakeGitHub, attempt: Callable[..., Attempt], aws: Aws, gate: Gate
) -> None:
    """Where the table denies from some repository on, the ones before are exported, and nothing else is begun."""
    names = [f"octo-lab/boat-{at:03}" for at in range(1, 101)]
    traffic = RecordedTraffic(views=[(date(2026, 11, 20), 4, 2)])
    github.repositories = [repository(name, id=at, traffic=traffic) for at, name in enumerate(names, 1)]

    def deny_all_but_eight(name: str) -> tuple[int, bytes] | None:
        operation, _, repository_id = name.partition(" repo#")
        return (400, denied("dynamodb:UpdateItem")) if operation == "UpdateItem" and int(repository_id) > 8 else None

    gate.arrange = deny_all_but_eight
    done = attempt(repositories=" ".join(names), store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    assert len([error for error in done.errors if error.startswith("store ")]) == 1
    assert len([request for request in github.requests if "/traffic/" in request.path]) < 4 * 100
    gate.arrange = lambda _: None
    kept = {history.repository_id for history in stored(aws.store).values() if history.snapshots}
    exported_ids = {int(row["repository_id"]) for row in all_daily(exported(aws.export_to))}
    assert exported_ids == kept == set(range(1, 9))
    assert attempt(repositories=" ".join(names), store=aws.store, export_to=aws.export_to).code == 0
    assert {i for i, history in stored(aws.store).items() if history.snapshots} == set(range(1, 101))
    assert attempt(command="export", store=aws.store, export_to=aws.export_to).out.endswith(" 0 of them written\n")


@pytest.mark.parametrize("at", [1, 9, 16], ids=["at a day", "at a later day", "at the snapshot"])
def test_credentials_that_expire_in_the_middle_lose_nothing(
    attempt: Callable[..., Attempt], aws: Aws, gate: Gate, at: int
) -> None:
    """What was stored stays, nothing is covered without its days, and the next run stores and exports the rest."""
    left = [at]

    def expire(name: str) -> tuple[int, bytes] | None:
        left[0] -= name.startswith("UpdateItem")
        return (400, EXPIRED_DYNAMODB) if left[0] <= 0 else None

    gate.arrange = expire
    done = attempt(store=aws.store, export_to=aws.export_to)
    assert done.code == 1
    assert any("the AWS credentials have expired: get new ones and run again" in error for error in done.errors)
    gate.arrange = lambda _: None
    assert all(history.snapshots == () for history in stored(aws.store).values())
    assert attempt(store=aws.store, export_to=aws.export_to).code == 0
    assert whole(stored(aws.store)[7])
    assert len(all_daily(exported(aws.export_to))) == 15


@pytest.mark.parametrize(
    ("export_to", "reason"), [("in-the-way", "Not a directory"), ("in-the-way/below", "Not a directory")]
)
def test_directory_that_cannot_be_written_is_told_and_the_history_kept(
    attempt: Callable[..., Attempt], tmp_path: Path, export_to: str, reason: str
) -> None:
    """Where the export's directory cannot be, the run fails with what to name; what was collected is stored."""
    (tmp_path / "in-the-way").write_text("a file")
    done = attempt(export_to=export_to)
    assert done.code == 1
    assert done.errors == [
        f"export-to {export_to}: cannot be used ({reason}): name a directory that this user can write"
    ]
    assert whole(stored(HERE["store"])[7])


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda path: path.write_bytes(b"no database at all, but long enough " * 40), "is no SQLite database"),
        (lambda path: execute(path, "CREATE TABLE recipe (name)"), "is the database of another program"),
        (
            lambda path: execute(
                path, "PRAGMA application_id = 1734898802", "PRAGMA user_version = 99", "CREATE TABLE day (d)"
            ),
            "newer ghtraffic (form 99",
        ),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
    ids=["no database", "another program's", "newer", "a folder"],
)
def test_file_that_is_no_store_of_ours_is_left_alone(
    github: FakeGitHub, attempt: Callable[..., Attempt], tmp_path: Path, spoil: Callable[[Path], object], text: str
) -> None:
    """A file that is not this version's is refused before GitHub is asked anything, and not touched."""
    path = tmp_path / "traffic.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    done = attempt()
    assert done.code == 1
    (error,) = done.errors
    assert error.startswith("store sqlite:traffic.db: ")
    assert text in error
    assert github.requests == []
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [found.name for found in tmp_path.iterdir()] == ["traffic.db"]


def execute(path: Path, *statements: str) -> None:
    """Write a database with the sqlite3 module alone."""
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)


def test_folder_that_is_not_there_is_told(github: FakeGitHub, attempt: Callable[..., Attempt]) -> None:
    """A SQLite file in a folder that does not exist is an error that says what to make."""
    done = attempt(store="sqlite:nowhere/traffic.db")
    assert done.code == 1
    (error,) = done.errors
    assert error.startswith("store sqlite:nowhere/traffic.db: cannot be opened: make its folder, and give this user")
    assert github.requests == []


def test_locked_file_is_told(tmp_path: Path) -> None:
    """A file that another program keeps locked is an error that says so, once the patience is at its end."""
    path = tmp_path / "traffic.db"
    SQLiteStore(str(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another program: run again when that has ended"):
            SQLiteStore(str(path), patience=0.05)


# Interruptions

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


@SIGNALS
def test_run_stopped_between_two_repositories_keeps_whole_ones(
    github: FakeGitHub, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    """Stopped between repositories: each is stored and exported whole or not at all; the next does the rest."""
    names = [f"octo-lab/boat-{at:02}" for at in range(1, 61)]
    github.repositories = [repository(name, id=at) for at, name in enumerate(names, 1)]
    github.delay = 0.1
    process = program("--json", repositories=" ".join(names))
    until(lambda: len(github.requests) > 100)
    process.send_signal(number)
    done = ended(process, tmp_path)
    assert done.code == 128 + number
    histories = stored(HERE["store"])
    assert 0 < len(histories) < 60
    assert all(whole(history) for history in histories.values())
    report = json.loads(done.out)
    assert report["interrupted"]
    assert {found["id"] for found in report["repositories"]} == set(histories)
    assert {int(row["repository_id"]) for row in all_daily(exported("export"))} == set(histories)
    github.delay = 0
    assert ended(program(repositories=" ".join(names)), tmp_path).code == 0
    assert {i for i, history in stored(HERE["store"]).items() if whole(history)} == set(range(1, 61))
    assert len(all_daily(exported("export"))) == 60 * 15


@SIGNALS
def test_run_stopped_before_any_answer_leaves_nothing(
    github: FakeGitHub, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    """Stopped while GitHub takes its time, it ends at once: nothing is stored, nothing exported."""
    github.delay = 60
    process = program()
    until(lambda: github.requests)
    began = time.monotonic()
    process.send_signal(number)
    done = ended(process, tmp_path)
    assert time.monotonic() - began < 10
    assert done.code == 128 + number
    assert stored(HERE["store"]) == {}
    assert not (tmp_path / "export").exists()


class Held:
    """Holds the requests of one kind from the `at`-th on until they are released."""

    def __init__(self, operation: str, at: int) -> None:
        self.reached, self.released = Event(), Event()
        self._operation = operation
        self._left = at
        self._lock = Lock()

    def __call__(self, name: str) -> None:
        """Arrange that a request waits."""
        if name.startswith(self._operation):
            with self._lock:
                self._left -= 1
                holds = self._left <= 0
            if holds:
                self.reached.set()
                self.released.wait(60)


@pytest.mark.parametrize(
    ("number", "at"),
    [(signal.SIGINT, 4), (signal.SIGTERM, 4), (signal.SIGINT, 16), (signal.SIGTERM, 16)],
    ids=["SIGINT at a day", "SIGTERM at a day", "SIGINT at the snapshot", "SIGTERM at the snapshot"],
)
def test_run_stopped_in_the_middle_of_a_write_finishes_it(
    request: pytest.FixtureRequest, gate: Gate, tmp_path: Path, number: signal.Signals, at: int
) -> None:
    """Stopped while a repository is being written to the table: it is written to its end, and exported, first."""
    aws: Aws = request.getfixturevalue("aws")
    program: Callable[..., subprocess.Popen[str]] = request.getfixturevalue("program")
    gate.arrange = held = Held("UpdateItem", at)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.send_signal(number)
    time.sleep(0.2)
    assert process.poll() is None
    held.released.set()
    assert ended(process, tmp_path).code == 128 + number
    assert whole(stored(aws.store)[7])
    assert len(all_daily(exported(aws.export_to))) == 15
    assert "v1/latest/repositories.csv" in exported(aws.export_to)


@SIGNALS
def test_run_stopped_while_the_file_is_locked_finishes_its_write(
    github: FakeGitHub, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    """Stopped while its write waits for another program, the write is finished when that lets go, and exported."""
    github.refuse(Refusal.SERVER_ERROR_JSON, path="/graphql", times=1)
    process = program()
    until(lambda: github.requests)
    with closing(sqlite3.connect(tmp_path / "traffic.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        until(lambda: len(github.requests) == 6)
        time.sleep(0.3)
        process.send_signal(number)
        time.sleep(0.2)
        assert process.poll() is None
        other.execute("ROLLBACK")
    assert ended(process, tmp_path).code == 128 + number
    assert whole(stored(HERE["store"])[7])
    assert len(all_daily(exported("export"))) == 15


@pytest.mark.parametrize("operation", ["UpdateItem", "PUT"])
def test_stopped_while_nothing_answers_it_ends_soon(
    request: pytest.FixtureRequest, gate: Gate, tmp_path: Path, operation: str
) -> None:
    """A table or a bucket that hangs is left: the process ends within five seconds, and the next run loses nothing."""
    aws: Aws = request.getfixturevalue("aws")
    program: Callable[..., subprocess.Popen[str]] = request.getfixturevalue("program")
    gate.arrange = held = Held(operation, 1)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    done = ended(process, tmp_path)
    assert time.monotonic() - began < 5
    assert done.code == 128 + signal.SIGTERM
    held.released.set()
    gate.arrange = lambda _: None
    assert ended(program(store=aws.store, export_to=aws.export_to), tmp_path).code == 0
    assert whole(stored(aws.store)[7])
    assert len(all_daily(exported(aws.export_to))) == 15


def test_second_signal_ends_it_at_once(
    aws: Aws, gate: Gate, program: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Who insists is obeyed: a second signal of the kind ends the process in the middle of its write."""
    gate.arrange = held = Held("UpdateItem", 1)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert process.poll() is None
    until(lambda: process.send_signal(signal.SIGTERM) or process.poll())
    assert ended(process, tmp_path).code == -signal.SIGTERM
    held.released.set()


@pytest.mark.parametrize(
    "crash", [("UpdateItem", 5), ("UpdateItem", 16), ("PUT", 1)], ids=["days", "snapshot", "export"]
)
def test_crash_in_the_middle_loses_nothing(
    aws: Aws, gate: Gate, program: Callable[..., subprocess.Popen[str]], tmp_path: Path, crash: tuple[str, int]
) -> None:
    """Killed at any request, it leaves no coverage without its days; the next run leaves what an unbroken one does."""
    operation, at = crash
    gate.arrange = held = Held(operation, at)
    process = program(store=aws.store, export_to=aws.export_to)
    assert held.reached.wait(30)
    process.kill()
    assert ended(process, tmp_path).code == -signal.SIGKILL
    gate.arrange = lambda _: None
    if operation == "UpdateItem":
        assert all(history.snapshots == () for history in stored(aws.store).values())
        assert exported(aws.export_to) == {}
    else:
        assert whole(stored(aws.store)[7])
    held.released.set()
    assert ended(program(store=aws.store, export_to=aws.export_to), tmp_path).code == 0
    assert whole(stored(aws.store)[7])
    unbroken = {"store": "sqlite:unbroken.db", "export_to": f"{aws.export_to}-unbroken"}
    assert ended(program(**unbroken), tmp_path).code == 0
    written = {key: content for key, content in exported_below(aws, "traffic/").items() if key.endswith(".csv")}
    assert written == {
        key: content for key, content in exported_below(aws, "traffic-unbroken/").items() if key.endswith(".csv")
    }
    assert numbers_of(stored(aws.store)[7]) == numbers_of(stored("sqlite:unbroken.db")[7])


def exported_below(aws: Aws, prefix: str) -> dict[str, bytes]:
    """Read the objects below a prefix."""
    keys = [entry["Key"] for entry in aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=prefix)["Contents"]]
    return {key.removeprefix(prefix): aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read() for key in keys}


# Two runs at once


@contextmanager
def two_moments(github: FakeGitHub, gap: timedelta) -> Iterator[tuple[FakeGitHub, FakeGitHub]]:
    """Have GitHub as one run meets it and, some time later, as another does: numbers have grown, one is cut short."""
    github.repositories += [repository(BUOY, id=8), repository(CRANE, id=9)]
    later = [repository(), repository(BUOY, id=8), repository(CRANE, id=9)]
    with FakeGitHub(later, now=NOW + gap, token=TOKEN) as other:
        yield github, other


@pytest.fixture
def two(github: FakeGitHub) -> Iterator[tuple[FakeGitHub, FakeGitHub]]:
    """Make GitHub as it is in the morning, and as it is in the afternoon."""
    with two_moments(github, timedelta(hours=12)) as both:
        yield both


@pytest.fixture
def shared(request: pytest.FixtureRequest, places: dict[str, str]) -> dict[str, str]:
    """Places that two runs may use at once."""
    if places["store"].startswith("dynamodb"):
        request.getfixturevalue("gate")
    return places


def assert_both_are_kept(places: Mapping[str, str], two: Sequence[FakeGitHub]) -> None:
    """Check that the store has the larger of what both were told, and the export has all of it."""
    histories = stored(places["store"])
    for at, told_by in enumerate(([two[0]], two, [two[1]])):
        history = histories[7 + at]
        expected: dict[date, tuple[int, ...]] = {}
        for github in told_by:
            for day, numbers in told(github, at).items():
                expected[day] = tuple(map(max, numbers, expected.get(day, (0,) * 4)))
        assert numbers_of(history) == expected
        assert [snapshot.day for snapshot in history.snapshots] == sorted({github.now.date() for github in told_by})
        assert history.snapshots[-1].views
        assert history.snapshots[-1].views.at == told_by[-1].now
    before = exported(places["export_to"])
    assert {row["repository_id"] for row in all_daily(before)} == {"7", "8", "9"}
    assert main(["export", "--store", places["store"], "--export-to", places["export_to"]]) == 0
    assert exported(places["export_to"]) == before


@pytest.mark.parametrize("attempt_number", range(3))
def test_two_runs_at_once_in_one_process_lose_nothing(
    two: tuple[FakeGitHub, FakeGitHub], shared: dict[str, str], attempt_number: int
) -> None:
    """Two runs at once, one of an older answer: nothing is lowered, no repository's row is lost, the export has all."""
    names = (f"{NAME} {BUOY}", f"{BUOY} {CRANE}")

    def run_one(place: int) -> tuple[str, ...]:
        environ = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": two[place].url}
        settings = read_settings("collect", environ, {**shared, "repositories": names[place]})
        return run(settings, Runtime(now=lambda: two[place].now)).all_errors

    order = (0, 1) if attempt_number % 2 else (1, 0)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(run_one, order)) == [(), ()]
    assert_both_are_kept(shared, two)


def test_two_processes_at_once_lose_nothing(
    two: tuple[FakeGitHub, FakeGitHub],
    shared: dict[str, str],
    program: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    """The same for two processes, as the Action and the Lambda are."""
    processes = [
        program(url=two[0].url, repositories=f"{NAME} {BUOY}", **shared),
        program(url=two[1].url, repositories=f"{BUOY} {CRANE}", **shared),
    ]
    done = [ended(process, tmp_path) for process in processes]
    assert [one.code for one in done] == [0, 0], "\n".join(one.err for one in done)
    assert_both_are_kept(shared, two)


def test_run_that_met_the_export_of_another_takes_it_in(
    github: FakeGitHub, aws: Aws, gate: Gate, program: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A run whose write of a month is overtaken by another whole run takes in what that has written."""
    places = {"store": aws.store, "export_to": aws.export_to}
    gate.arrange = held = Held(f"PUT /{aws.bucket}/traffic/{DAILY}", 1)
    with two_moments(github, timedelta(days=9)) as two:
        first = program(url=two[0].url, repositories=f"{NAME} {BUOY}", **places)
        assert held.reached.wait(30)
        gate.arrange = lambda _: None
        second = program(url=two[1].url, repositories=f"{BUOY} {CRANE}", **places)
        assert ended(second, tmp_path).code == 0
        held.released.set()
        assert ended(first, tmp_path).code == 0
        assert gate.seen.count(f"PUT /{aws.bucket}/traffic/{DAILY}") >= 3
        assert_both_are_kept(places, two)
