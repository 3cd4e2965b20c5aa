"""What the user has set: read once, from the environment and the command line, and checked as a whole."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, get_args

from ghtraffic_action import api_address, job, redaction
from ghtraffic_action.addresses import (
    expand,
    may_be_bucket,
    names_nothing,
    problem_of_destination,
    problem_of_store,
    repository_name,
)
from ghtraffic_action.errors import SettingsError
from ghtraffic_action.repository_names import (
    EXPECTED_SELECTION,
    INSTALLED,
    NAME_PATTERN,
    OWNER_PATTERN,
    SELECTION,
    read_list,
)
from ghtraffic_action.setting_names import SECRETS, environment_name, how_to_set, input_name, setting_name
from ghtraffic_action.tolerance import Tolerance, parse_tolerance

Summary = Literal["auto", "full", "no-traffic", "none"]
Visibility = Literal["all", "public", "private"]
Heartbeat = Literal["none", "cloudwatch"]
Command = Literal["collect", "export", "backup", "status", "verify", "doctor", "report", "retire", "lookup"]

_ONE_REPOSITORY = re.compile(rf"{OWNER_PATTERN}/{NAME_PATTERN}")
_TOKEN = re.compile(r"ssm:/?[A-Za-z0-9_./-]+|[A-Za-z0-9_.=~+/-]{4,}")
_APP = re.compile(r"[0-9]{1,18}|Iv[A-Za-z0-9.]{4,60}")
_PARAMETER = re.compile(r"ssm:/?[A-Za-z0-9_./-]+")
_PEM = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----")
_DURATION = re.compile(r"([0-9]{1,6})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's settings; README's table says what each means. `github_token` and `github_app_key` are never shown."""

    repositories: tuple[str, ...] = ()
    github_token: str = field(default="", repr=False)
    github_app: str = ""
    github_app_key: str = field(default="", repr=False)
    store: str = "sqlite:ghtraffic.db"
    export_to: str = "ghtraffic-export"
    summary: Summary = "auto"
    dry_run: bool = False
    legacy_csv: bool = False
    report: bool = True
    pictures: tuple[str, ...] = ()
    pictures_to: str = ""
    max_wait: float = 900.0
    """Seconds that a run may wait for GitHub, all waits together."""
    include_archived: bool = False
    include_forks: bool = False
    visibility: Visibility = "all"
    allow_empty: bool = False
    allow_failures: Tolerance = field(default_factory=Tolerance)
    once_a_day: bool = False
    heartbeat: Heartbeat = "none"
    github_api_url: str = api_address.GITHUB_API
    ephemeral: str = ""
    """Where this runs if its files are lost afterwards: `Actions`, `Lambda`, or nowhere of the kind."""
    workflow_repository: str = ""
    """The repository whose workflow this runs in, as `OWNER/NAME`; empty elsewhere."""
    old_names: tuple[str, ...] = ()
    """The settings that were given by a name that has been replaced."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but likely a mistake."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[str]:
        for old in self.old_names:
            if old in OLD_SUMMARIES:
                yield f"summary: {old} is named {OLD_SUMMARIES[old]} now: write that"
                continue
            yield f"{old.replace('_', '-')}: its name is {OLD_NAMES[old].replace('_', '-')} now: write that"
        kind, _, path = self.store.partition(":")
        committed = kind == "jsonl" and job.is_in_checkout(path)
        if self.ephemeral and kind == "sqlite":
            yield f"store: {self.store} is lost when {self.ephemeral} ends, unless you keep the file yourself"
        if self.ephemeral and kind == "jsonl" and not committed:
            remedy = "write jsonl:FOLDER/ghtraffic.jsonl with the folder of a checkout that a later step commits"
            yield f"store: {self.store} is lost when {self.ephemeral} ends, since no checkout holds it: {remedy}"
        kept = self.export_to.startswith("s3://") or (committed and job.is_in_checkout(self.export_to))
        if self.ephemeral and self.export_to and not kept:
            bucket = f"; if it is a bucket, write s3://{self.export_to}" if may_be_bucket(self.export_to) else ""
            what = f"the directory {self.export_to} is lost when {self.ephemeral} ends"
            yield f"export-to: {what}, unless you keep it yourself{bucket}"


OLD_NAMES = {"article_files": "legacy_csv"}
"""Names that have been replaced, and are still read."""

OLD_SUMMARIES = {"totals": "no-traffic"}
"""Values of `summary` that have been replaced, and are still read."""

NO_KEY = "no private key in PEM: copy the whole .pem file that GitHub made, from -----BEGIN to the last line"
"""What is wrong with a text that should be an App's key."""


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token."""
    return bool(_TOKEN.fullmatch(text)) and not text.startswith("ssm:")


def private_key(text: str) -> str:
    """Bring a private key in PEM, whose lines may end in a backslash and an n, into its form; empty if it is none."""
    key = text.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").strip()
    return key if _PEM.fullmatch(key) else ""


def read_settings(command: Command, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings that `command` needs; `flags`, where given, go before the environment.

    An empty string is unset. Raises SettingsError that tells all problems at once.
    """
    reading = _Reading(command, environ, flags or {})
    _refuse_unknown(reading)
    needed = [name for name in _READERS if command in _NEEDED_BY.get(name, get_args(Command))]
    values = {name: _READERS[name](reading) for name in needed if not reading.misplaced_secret(name)}
    if reading.ephemeral == "Actions" and any("://" in str(values.get(name)) for name in ("store", "export_to")):
        for name, what in job.missing_aws(environ):
            empty = job.why_empty("variable", environ)
            reading.problem(name, f"{what}: {empty} Or else add `{name}: ...` below `with:`")
    if reading.problems:
        raise SettingsError("\n".join(reading.problems))
    values.setdefault("export_to", "")  # a command that exports nothing is not warned about its default
    workflow_repository = environ.get("GITHUB_REPOSITORY", "") if reading.ephemeral == "Actions" else ""
    old = tuple(name for name, new in OLD_NAMES.items() if new in values and reading.given(name))
    old += tuple({reading.text("summary").lower()} & OLD_SUMMARIES.keys()) if "summary" in values else ()
    return Settings(**values, ephemeral=reading.ephemeral, workflow_repository=workflow_repository, old_names=old)


class _Reading:
    def __init__(self, command: Command, environ: Mapping[str, str], flags: Mapping[str, Any]) -> None:
        self.command = command
        self.environ = environ
        self.flags = flags
        self.problems: list[str] = []
        self.secrets = redaction.secrets_of(environ)
        self.ephemeral = "Lambda" if environ.get("AWS_LAMBDA_FUNCTION_NAME") else ""
        self.ephemeral = "Actions" if environ.get("GITHUB_ACTIONS") == "true" else self.ephemeral

    def text(self, setting: str) -> str:
        old = next((old for old, new in OLD_NAMES.items() if new == setting), "")
        return self.given(setting) or (old and self.given(old))

    def given(self, name: str) -> str:
        """Return what was given by one name: by its flag, else in the environment."""
        flag = self.flags.get(name)
        return ("" if flag is None else str(flag).strip()) or self.environ.get(environment_name(name), "").strip()

    def problem(self, setting: str, what: str) -> None:
        where = setting if setting.isupper() else input_name(setting)
        self.problems.append(f"{where}: {what}")

    def malformed(self, setting: str, value: str, what: str) -> None:
        """Add a problem of a value, which is quoted unless it may be a secret."""
        self.problem(setting, f"{redaction.quote(value, self.secrets)} {what}")

    def unset(self, address: str) -> str:
        """Return what to check if an address lacks its name, which in a workflow is a variable that is not set."""
        if self.ephemeral != "Actions" or not names_nothing(address):
            return ""
        return "; is its variable set for this repository, or only in an environment, or hidden from a fork?"

    def way(self, setting: str, value: str) -> str:
        return how_to_set(setting, value, self.ephemeral)

    def misplaced_secret(self, setting: str) -> bool:
        """Return whether a setting that is shown holds a secret, which is a problem."""
        if setting in SECRETS or not redaction.is_secret(self.text(setting), self.secrets):
            return False
        what = "it holds a token or a private key, which is not shown here"
        if setting == "github_app" and _APP.fullmatch(self.text("github_app_key")):
            self.problem(setting, f"{what}: it is swapped with github-app-key: exchange the two")
        else:
            self.problem(setting, f"{what}: a secret belongs into {setting_name('github_token', self.ephemeral)} alone")
        return True

    def empty_secret(self, setting: str, value: str) -> str:
        """Return the remedy for an empty secret; in Actions it may not be set."""
        line = self.way(setting, value)
        return f"{job.why_empty('secret', self.environ)} Or else {line}" if self.ephemeral == "Actions" else line


def _refuse_unknown(reading: _Reading) -> None:
    """A variable that nothing reads was meant to change something, such as to make a run write nothing."""
    known = [*(name.upper() for name in (*_READERS, *OLD_NAMES)), "API_URL", "REPOSITORIES_FILE"]
    for variable, value in sorted(reading.environ.items()):
        prefix, _, name = variable.partition("_")
        if prefix == "GHTRAFFIC" and name not in known and value.strip():
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            remedy = f"write {environment_name(near[0])}" if near else "unset it"
            reading.problem(variable, f"there is no such setting: {remedy}")


def _repositories(reading: _Reading) -> tuple[str, ...]:
    default = "" if reading.command in ("status", "retire") else reading.environ.get("GITHUB_REPOSITORY", "").strip()
    given = re.split(r"[\s,]+", f"{reading.text('repositories')} {_listed(reading)}".strip() or default)
    names = list(dict.fromkeys(name for text in given if (name := repository_name(text))))
    for name in names:
        if name == INSTALLED and not reading.text("github_app"):
            reading.problem("repositories", "installed is for a GitHub App: set github-app, or write OWNER/*")
        elif not SELECTION.fullmatch(name):
            may_be_shown = redaction.quote(name, reading.secrets) == repr(name)
            owner = may_be_shown and re.fullmatch(OWNER_PATTERN, name)
            expected = f"{name}/* for all of its repositories, or {name}/NAME" if owner else EXPECTED_SELECTION
            reading.malformed("repositories", name, f"is no repository: write {expected}")
    if reading.command != "status" and all(name.startswith("!") for name in names):
        what = "none are named, or only excluded ones" if names else "none are named"
        reading.problem("repositories", f"{what}: {reading.way('repositories', 'OWNER/NAME')}")
    return tuple(names)


def _listed(reading: _Reading) -> str:
    """Return the names in the file; they are of runs alone, since `retire NAME` must not retire them too."""
    path = reading.text("repositories_file") if reading.command in ("collect", "doctor") else ""
    try:
        return read_list(path)
    except ValueError as error:
        reading.malformed("repositories_file", path, f"{error}: check the path, and check the repository out before")
        return ""


def _github_token(reading: _Reading) -> str:
    app = any(reading.text(setting) for setting in ("github_app", "github_app_key"))
    token = reading.text("github_token") or ("" if app else _others_token(reading))
    if token and app:
        reading.problem("github_token", "it is set beside a GitHub App: leave it out, or github-app and github-app-key")
    elif not token and not app:
        others = [name for name in ("GITHUB_TOKEN", "GH_TOKEN") if reading.environ.get(name)]
        hint = (
            f" ({' and '.join(others)} are not read, since the job's own token cannot read traffic)" if others else ""
        )
        secret = "${{ secrets.TRAFFIC_TOKEN }}" if reading.ephemeral == "Actions" else "TOKEN"
        reading.problem(
            "github_token",
            f"it is empty{hint}: {reading.empty_secret('github_token', secret)}; a fine-grained token "
            "with the repository permission Administration: read",
        )
    elif "-----BEGIN" in token:
        what = "it holds a private key: one of a GitHub App belongs into"
        reading.problem("github_token", f"{what} {setting_name('github_app_key', reading.ephemeral)}")
    elif token.startswith("ssm:") and redaction.is_secret(token, ()):
        reading.problem("github_token", "it holds a token behind `ssm:`: write the token alone, or a parameter's name")
    elif token and not _TOKEN.fullmatch(token):
        reading.problem(
            "github_token", "it is malformed (blanks or characters that no token has): copy it again, whole"
        )
    return token


def _others_token(reading: _Reading) -> str:
    """Return the token of GitHub's own tools; inside Actions that is the job's, which cannot read traffic."""
    found = (reading.environ.get(name, "").strip() for name in ("GH_TOKEN", "GITHUB_TOKEN"))
    return "" if reading.ephemeral == "Actions" else next(filter(None, found), "")


def _github_app(reading: _Reading) -> str:
    app = reading.text("github_app")
    if not app and reading.text("github_app_key"):
        way = reading.way("github_app", "ID")
        reading.problem(
            "github_app", f"it is empty, but github-app-key is set: {way}, the App ID of the App's settings"
        )
    elif app and not _APP.fullmatch(app):
        reading.malformed(
            "github_app",
            app,
            "is no App's id: write the App ID or the client ID of the App's settings",
        )
    return app


def _github_app_key(reading: _Reading) -> str:
    key = reading.text("github_app_key")
    if not key and reading.text("github_app"):
        secret = "${{ secrets.TRAFFIC_APP_KEY }}" if reading.ephemeral == "Actions" else '"$(cat KEY.pem)"'
        what = "it is empty, but github-app is set"
        way = reading.empty_secret("github_app_key", secret)
        reading.problem("github_app_key", f"{what}: {way}, a private key of the App")
    if not key or _PARAMETER.fullmatch(key):
        return key
    if _APP.fullmatch(key):
        reading.problem("github_app_key", "it is an App's id: put it into github-app, and a private key here")
    elif not private_key(key):
        reading.problem("github_app_key", f"it is {NO_KEY}")
    return private_key(key)


def _store(reading: _Reading) -> str:
    store = reading.text("store")
    if not store and reading.ephemeral:
        what = f"it has no default inside {reading.ephemeral}, where a local file is lost"
        reading.problem("store", f"{what}: {reading.way('store', 'dynamodb://TABLE')}")
    elif store and (problem := problem_of_store(store)):
        reading.malformed("store", store, f"{problem}{reading.unset(store)}")
    return expand(store or "sqlite:ghtraffic.db")


def _export_to(reading: _Reading) -> str:
    destination = reading.text("export_to")
    if not destination and reading.ephemeral:
        what = f"it has no default inside {reading.ephemeral}, where a local directory is lost"
        reading.problem("export_to", f"{what}: {reading.way('export_to', 's3://BUCKET/PREFIX')}")
    elif destination and (problem := problem_of_destination(destination)):
        reading.malformed("export_to", destination, f"{problem}{reading.unset(destination)}")
    return expand(destination or "ghtraffic-export")


def _pictures(reading: _Reading) -> tuple[str, ...]:
    """Read the repositories of which pictures are drawn, each written out: a pattern would include new ones."""
    names = tuple(dict.fromkeys(filter(None, map(repository_name, re.split(r"[\s,]+", reading.text("pictures"))))))
    for name in names:
        if not _ONE_REPOSITORY.fullmatch(name):
            reading.malformed("pictures", name, "is no single repository: write each one's OWNER/NAME")
    if names and not reading.text("pictures_to"):
        what = "it is empty, but pictures is set"
        reading.problem("pictures_to", f"{what}: {reading.way('pictures_to', 'pictures')}, or s3://BUCKET/PREFIX")
    if names and reading.text("report").lower() == "false":
        reading.problem("pictures", "they are drawn of the report page's data: leave `report: false` out, or pictures")
    return names


def _pictures_to(reading: _Reading) -> str:
    destination = reading.text("pictures_to")
    if destination and (problem := problem_of_destination(destination)):
        reading.malformed("pictures_to", destination, f"{problem}{reading.unset(destination)}")
    return expand(destination)


def _summary(reading: _Reading) -> str:
    given = reading.text("summary").lower()
    return OLD_SUMMARIES.get(given) or _choice("summary", Summary, "auto")(reading)


def _choice(setting: str, kind: object, default: str) -> Callable[[_Reading], str]:
    def read(reading: _Reading) -> str:
        text = reading.text(setting) or default
        if text not in get_args(kind):
            reading.malformed(setting, text, f"is none of {', '.join(get_args(kind))}: write one of them")
        return text

    return read


def _boolean(setting: str, *, default: bool = False) -> Callable[[_Reading], bool]:
    def read(reading: _Reading) -> bool:
        text = reading.text(setting).lower() or str(default).lower()
        if text not in ("true", "false"):
            reading.malformed(setting, reading.text(setting), "is neither true nor false: write one of them")
        return text == "true"

    return read


def _max_wait(reading: _Reading) -> float:
    text = reading.text("max_wait") or "15m"
    found = _DURATION.fullmatch(text)
    if not found:
        reading.malformed("max_wait", text, "is no time: write a number with its unit, such as 90s, 15m or 1h")
        return 0.0
    return int(found[1]) * _SECONDS[found[2]]


def _allow_failures(reading: _Reading) -> Tolerance:
    text = reading.text("allow_failures") or "0"
    found = parse_tolerance(text)
    if found is None:
        reading.malformed("allow_failures", text, "is no number: write how many may fail, such as 5 or 2%")
    return found or Tolerance()


def _github_api_url(reading: _Reading) -> str:
    """Read the API's address; GHTRAFFIC_API_URL is for where a runner overwrites GITHUB_API_URL, as GitHub's does."""
    variable = "GHTRAFFIC_API_URL" if reading.environ.get("GHTRAFFIC_API_URL", "").strip() else "GITHUB_API_URL"
    url = reading.environ.get(variable, "").strip() or api_address.GITHUB_API
    if what := api_address.problem_of(url):
        reading.malformed(variable, url.partition("//")[2].rpartition("@")[2] if "@" in url else url, what)
    return url.rstrip("/")


_READERS: dict[str, Callable[[_Reading], Any]] = {
    "repositories": _repositories,
    "github_token": _github_token,
    "github_app": _github_app,
    "github_app_key": _github_app_key,
    "store": _store,
    "export_to": _export_to,
    "summary": _summary,
    "dry_run": _boolean("dry_run"),
    "legacy_csv": _boolean("legacy_csv"),
    "report": _boolean("report", default=True),
    "pictures": _pictures,
    "pictures_to": _pictures_to,
    "max_wait": _max_wait,
    "include_archived": _boolean("include_archived"),
    "include_forks": _boolean("include_forks"),
    "visibility": _choice("visibility", Visibility, "all"),
    "allow_empty": _boolean("allow_empty"),
    "allow_failures": _allow_failures,
    "once_a_day": _boolean("once_a_day"),
    "heartbeat": _choice("heartbeat", Heartbeat, "none"),
    "github_api_url": _github_api_url,
}
_NEEDED_BY: dict[str, tuple[Command, ...]] = {
    "repositories": ("collect", "status", "doctor", "retire"),
    "github_token": ("collect", "doctor", "lookup"),
    "github_app": ("collect", "doctor", "lookup"),
    "github_app_key": ("collect", "doctor", "lookup"),
    "store": ("collect", "export", "backup", "status", "verify", "doctor", "retire"),
    "export_to": ("collect", "export", "verify", "doctor", "report", "retire"),
    "summary": ("collect", "doctor"),
    "dry_run": ("collect", "doctor"),
    "max_wait": ("collect", "lookup"),
    "include_archived": ("collect", "doctor"),
    "include_forks": ("collect", "doctor"),
    "visibility": ("collect", "doctor"),
    "allow_empty": ("collect",),
    "allow_failures": ("collect",),
    "once_a_day": ("collect",),
    "heartbeat": ("collect", "doctor"),
    "legacy_csv": ("collect", "export", "verify", "doctor"),
    "report": ("collect", "export", "verify", "doctor"),
    "pictures": ("collect",),
    "pictures_to": ("collect",),
    "github_api_url": ("collect", "doctor", "lookup"),
}
