"""The settings, read from environment and flags and validated together."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from ghtraffic_action.errors import SettingsError, UserError
from ghtraffic_action.repository_names import EXPECTED_SELECTION
from ghtraffic_action.settings import Command, Settings, read_settings
from ghtraffic_action.settings.names import environment_name

TOKEN = "github_pat_11AAAA_invented"
ENOUGH = {"GHTRAFFIC_REPOSITORIES": "ann/tool", "GHTRAFFIC_GITHUB_TOKEN": TOKEN}
ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "ann/tool", "GHTRAFFIC_GITHUB_TOKEN": TOKEN}
LAMBDA = {**ENOUGH, "AWS_LAMBDA_FUNCTION_NAME": "ghtraffic"}
AWS = {"GHTRAFFIC_STORE": "dynamodb://traffic", "GHTRAFFIC_EXPORT_TO": "s3://bucket/traffic"}


def read(environ: Mapping[str, str] = ENOUGH, *, command: Command = "collect", **flags: str | None) -> Settings:
    return read_settings(command, environ, flags)


def problems(
    environ: Mapping[str, str], flags: Mapping[str, str] | None = None, *, command: Command = "collect"
) -> list[str]:
    """Return the lines of the error that refuses these settings."""
    with pytest.raises(SettingsError) as refused:
        read_settings(command, environ, flags)
    return str(refused.value).splitlines()


def test_names_and_a_token_are_enough() -> None:
    """Outside Actions and Lambda everything else has a default."""
    assert read() == Settings(
        repositories=("ann/tool",),
        github_token=TOKEN,
        store="sqlite:ghtraffic.db",
        export_to="ghtraffic-export",
        summary="auto",
        dry_run=False,
        legacy_csv=False,
        github_api_url="https://api.github.com",
        platform="",
    )


def test_everything_can_be_set_in_the_environment() -> None:
    """Each setting has a variable: `export-to` is GHTRAFFIC_EXPORT_TO."""
    environ = {
        environment_name("repositories"): "ann/*, !ann/secret",
        environment_name("github_token"): "ssm:/ghtraffic/token",
        environment_name("store"): "dynamodb://my.table_1-a",
        environment_name("export_to"): "s3://my-bucket/a/b",
        environment_name("summary"): "no-traffic",
        environment_name("dry_run"): "true",
        environment_name("legacy_csv"): "true",
        "GITHUB_API_URL": "http://127.0.0.1:8080/",
    }
    assert read(environ) == Settings(
        repositories=("ann/*", "!ann/secret"),
        github_token="ssm:/ghtraffic/token",
        store="dynamodb://my.table_1-a",
        export_to="s3://my-bucket/a/b",
        summary="no-traffic",
        dry_run=True,
        legacy_csv=True,
        github_api_url="http://127.0.0.1:8080",
    )
    assert environment_name("export_to") == "GHTRAFFIC_EXPORT_TO"


def test_a_flag_goes_before_the_environment() -> None:
    """A flag takes precedence over the environment; a missing flag does not."""
    environ = {**ENOUGH, "GHTRAFFIC_STORE": "sqlite:environment.db", "GHTRAFFIC_DRY_RUN": "false"}
    assert read(environ, store="sqlite:flag.db", dry_run="true", repositories="bob/*") == read(
        {
            **ENOUGH,
            "GHTRAFFIC_STORE": "sqlite:flag.db",
            "GHTRAFFIC_DRY_RUN": "true",
            "GHTRAFFIC_REPOSITORIES": "bob/*",
        }
    )
    assert read(environ, store=None).store == "sqlite:environment.db"


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_an_empty_string_is_unset(blank: str) -> None:
    """An empty variable, which an unset input or secret becomes, is the same as none."""
    names = ("STORE", "EXPORT_TO", "SUMMARY", "DRY_RUN", "LEGACY_CSV")
    assert read({**ENOUGH, **{f"GHTRAFFIC_{name}": blank for name in names}, "GITHUB_API_URL": blank}) == read()
    environ = {"GHTRAFFIC_REPOSITORIES": blank, "GITHUB_REPOSITORY": "ann/tool", "GHTRAFFIC_GITHUB_TOKEN": TOKEN}
    assert read(environ).repositories == ("ann/tool",)
    assert read({**ENOUGH, "AWS_LAMBDA_FUNCTION_NAME": "", "GITHUB_ACTIONS": blank}).platform == ""


@pytest.mark.parametrize("blank", ["", "  ", "\n", "''", "\ufeff"])
@pytest.mark.parametrize("setting", ["store", "export_to", "max_wait", "repositories"])
def test_an_empty_flag_is_refused(setting: str, blank: str) -> None:
    """An unset shell variable must not redirect the history to a default file."""
    flag = f"--{setting.replace('_', '-')}"
    assert problems({**ENOUGH, "GHTRAFFIC_STORE": "sqlite:a.db"}, {setting: blank}) == [
        f"{flag[2:]}: `{flag}` is empty: set the variable behind it, or leave it out"
    ]


@pytest.mark.parametrize(
    "text", ["ann/tool bob/*\n!bob/x", "ann/tool,bob/*,!bob/x", " ann/tool,, bob/*\t!bob/x ann/tool\r\n"]
)
def test_repositories_are_separated_by_space_comma_or_line(text: str) -> None:
    """Names come once each, in the order in which they were written."""
    assert read({**ENOUGH, "GHTRAFFIC_REPOSITORIES": text}).repositories == ("ann/tool", "bob/*", "!bob/x")


@pytest.mark.parametrize(
    "name", ["ann/tool", "a/b", "An-n9/to.ol_-9", "ann/.github", "ann/*", "a_c/tool", "ann/to*", "topic:a-b@ann"]
)
def test_a_repository_that_github_could_have_is_accepted(name: str) -> None:
    """Full names and OWNER/* in GitHub's syntax are accepted."""
    assert read({**ENOUGH, "GHTRAFFIC_REPOSITORIES": name}).repositories == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "/tool",
        "https://gitlab.com/ann/tool",
        "ann/..",
        "ann/.",
        "*/tool",
        "*",
        "topic:ann",
        "topic:T_x@ann",
        "topic:x@",
        "!installed",
        "!topic:x@ann",
        "ann/to?ol",
        "!tool",
        "ann*/tool",
        "ann/tøøl",
    ],
)
def test_a_malformed_repository_is_quoted(name: str) -> None:
    """Each entry that is not OWNER/NAME, OWNER/* or an exclusion is reported, with the valid forms."""
    (problem,) = problems({**ENOUGH, "GHTRAFFIC_REPOSITORIES": f"ann/tool {name}"})
    assert problem == f"repositories: {name!r} is not a repository: write {EXPECTED_SELECTION}"


def test_installed_is_for_an_app() -> None:
    """`installed` with a token is refused, since a token has no installations."""
    (problem,) = problems({**ENOUGH, "GHTRAFFIC_REPOSITORIES": "installed"})
    assert problem == "repositories: installed is for a GitHub App: set github-app, or write OWNER/*"


def test_repositories_may_be_in_a_file(tmp_path: Path) -> None:
    """A file adds names; blank lines and comments are ignored."""
    path = tmp_path / "repositories.txt"
    path.write_text("# the fleet\nann/tool  # a comment\n\nbob/*, !bob/x\n", encoding="utf-8")
    environ = {**ENOUGH, "GHTRAFFIC_REPOSITORIES": "ann/other", "GHTRAFFIC_REPOSITORIES_FILE": str(path)}
    assert read(environ).repositories == ("ann/other", "ann/tool", "bob/*", "!bob/x")
    missing = f"{path}.missing"
    (problem,) = problems({**environ, "GHTRAFFIC_REPOSITORIES_FILE": missing})
    assert problem.startswith(f"repositories-file: {missing!r} cannot be read (No such file or directory): check")


@pytest.mark.parametrize("command", ["retire", "status"])
def test_a_file_adds_nothing_to_the_names_of_other_commands(command: Command, tmp_path: Path) -> None:
    """The file is read for runs only: `retire` must not retire its names."""
    path = tmp_path / "repositories.txt"
    path.write_text("ann/tool\n", encoding="utf-8")
    environ = {**ENOUGH, "GHTRAFFIC_REPOSITORIES_FILE": str(path)}
    assert read(environ, command=command, repositories="ann/old").repositories == ("ann/old",)


def test_a_secret_in_the_place_of_a_file_is_not_quoted() -> None:
    """A value that may be a token is never shown."""
    (problem,) = problems({**ENOUGH, "GHTRAFFIC_REPOSITORIES_FILE": TOKEN})
    assert problem.startswith("repositories-file: ")
    assert TOKEN not in problem


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "101%", "5 %", "%"])
def test_malformed_tolerance_is_quoted(text: str) -> None:
    """Only numbers and percentages are accepted."""
    (problem,) = problems({**ENOUGH, "GHTRAFFIC_ALLOW_FAILURES": text})
    assert problem == f"allow-failures: {text!r} is not a number: write how many may fail, such as 5 or 2%"


@pytest.mark.parametrize("name", ["ann", "ann/", "https://github.com/ann", "github.com/ann/"])
def test_an_owner_alone_is_answered_by_what_stands_for_all(name: str) -> None:
    """An owner alone is refused, and the error suggests OWNER/*."""
    (problem,) = problems({**ENOUGH, "GHTRAFFIC_REPOSITORIES": name})
    assert problem == "repositories: 'ann' is not a repository: write ann/* for all of its repositories, or ann/NAME"


@pytest.mark.parametrize("sign", ["", "!"])
@pytest.mark.parametrize("pattern", ["ann/*", "ann/to*", "ann/*-x", "ann/a*b*"])
def test_names_and_exclusions_take_the_same_patterns(sign: str, pattern: str) -> None:
    """Patterns can both include and exclude."""
    assert read({**ENOUGH, "GHTRAFFIC_REPOSITORIES": f"ann/x {sign}{pattern}"}).repositories[1] == f"{sign}{pattern}"


@pytest.mark.parametrize(
    ("variable", "remedy"),
    [
        ("GHTRAFFIC_DRYRUN", "write GHTRAFFIC_DRY_RUN"),
        ("GHTRAFFIC_REPOSITORY", "write GHTRAFFIC_REPOSITORIES"),
        ("GHTRAFFIC_EXPORTTO", "write GHTRAFFIC_EXPORT_TO"),
        ("GHTRAFFIC_COLOUR", "unset it; docs/settings.md lists all"),
        ("GHTRAFFIC_REPOS", "write GHTRAFFIC_REPOSITORIES"),
        ("GHTRAFFIC_TOKEN", "write GHTRAFFIC_GITHUB_TOKEN"),
        ("GHTRAFFIC_GITHUB_API_URL", "write GHTRAFFIC_API_URL"),
        ("GHTRAFFIC_REGION", "write AWS_DEFAULT_REGION"),
        ("GH_TRAFFIC_DRY_RUN", "write GHTRAFFIC_DRY_RUN"),
        ("GHTRAFFIC-DRY-RUN", "write GHTRAFFIC_DRY_RUN"),
        ("ghtraffic_dry_run", "write GHTRAFFIC_DRY_RUN"),
    ],
)
def test_a_variable_that_nothing_reads_is_refused(variable: str, remedy: str) -> None:
    """An unknown GHTRAFFIC_ variable is refused, since it may be a misspelt dry run; an empty one is unset."""
    assert problems({**ENOUGH, variable: "true"}) == [f"{variable}: there is no such setting: {remedy}"]
    assert read({**ENOUGH, variable: ""}) == read()


def test_the_variable_of_setting_up_is_known() -> None:
    """`GHTRAFFIC_TRAFFIC_TOKEN` may be set when other commands run."""
    assert read({**ENOUGH, "GHTRAFFIC_TRAFFIC_TOKEN": TOKEN}) == read()


@pytest.mark.parametrize("given", [{"GHTRAFFIC_ARTICLE_FILES": "true"}, {"article_files": "true"}])
def test_the_old_name_of_a_setting_is_read_with_a_warning(given: dict[str, str]) -> None:
    """`article-files` works as a variable and a flag, with a warning that has the new name."""
    flags = {name: value for name, value in given.items() if name.islower()}
    environ = {**ENOUGH, **{name: value for name, value in given.items() if name.isupper()}}
    settings = read_settings("collect", environ, flags)
    assert settings.legacy_csv
    assert settings.warnings == ("article-files: it was renamed to legacy-csv: write that instead",)
    assert not read_settings("collect", environ, {**flags, "legacy_csv": "false"}).legacy_csv


def test_exclusions_may_be_patterns() -> None:
    """`!OWNER/test-*` excludes all matching names."""
    assert read({**ENOUGH, "GHTRAFFIC_REPOSITORIES": "ann/* !ann/test-* !ann/*"}).repositories[1:] == (
        "!ann/test-*",
        "!ann/*",
    )


def test_no_repository_is_an_error_that_says_how_to_name_one() -> None:
    """Outside Actions a repository is required; exclusions alone are not enough."""
    token = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN}
    way = "add `--repositories OWNER/NAME` or set GHTRAFFIC_REPOSITORIES"
    assert problems(token) == [f"repositories: none are named: {way}"]
    assert problems({**token, "GHTRAFFIC_REPOSITORIES": "!ann/tool"}) == [
        f"repositories: none are named, or only excluded ones: {way}"
    ]
    actions = {key: value for key, value in {**ACTIONS, **AWS}.items() if key != "GITHUB_REPOSITORY"}
    assert problems(actions) == ["repositories: none are named: add `repositories: OWNER/NAME` below `with:`"]
    without = {key: value for key, value in {**LAMBDA, **AWS}.items() if key != "GHTRAFFIC_REPOSITORIES"}
    assert problems(without) == ["repositories: none are named: set GHTRAFFIC_REPOSITORIES=OWNER/NAME"]


def test_the_workflows_repository_is_the_default() -> None:
    """Inside Actions the workflow's repository is collected by default."""
    assert read({**ACTIONS, **AWS}).repositories == ("ann/tool",)
    assert read({**ACTIONS, **AWS, "GHTRAFFIC_REPOSITORIES": "bob/other"}).repositories == ("bob/other",)


def test_an_empty_token_says_which_one_is_needed() -> None:
    """The error names the variable or input, and the permission."""
    (problem,) = problems({"GHTRAFFIC_REPOSITORIES": "ann/tool"})
    assert problem == (
        "github-token: it is empty: set GHTRAFFIC_GITHUB_TOKEN=TOKEN; a fine-grained token with the repository "
        "permission Administration: read"
    )
    (problem,) = problems({**ACTIONS, **AWS, "GHTRAFFIC_GITHUB_TOKEN": ""})
    assert "add `github-token: ${{ secrets.TRAFFIC_TOKEN }}` below `with:`" in problem
    (problem,) = problems({**LAMBDA, **AWS, "GHTRAFFIC_GITHUB_TOKEN": ""})
    assert "set GHTRAFFIC_GITHUB_TOKEN=ssm:/PARAMETER" in problem


def test_the_tokens_of_other_tools_are_read_after_ours() -> None:
    """Outside Actions GH_TOKEN, then GITHUB_TOKEN are used without a token or App of ours."""
    gh, job = {"GH_TOKEN": "gho_one"}, {"GITHUB_TOKEN": "ghp_two"}
    names = {"GHTRAFFIC_REPOSITORIES": "ann/tool"}
    assert read({**ENOUGH, **gh, **job}).github_token == TOKEN
    assert read({**names, **gh, **job}).github_token == "gho_one"
    assert read({**names, **job}).github_token == "ghp_two"
    app = {"GHTRAFFIC_GITHUB_APP": "1", "GHTRAFFIC_GITHUB_APP_KEY": "ssm:key"}
    assert read({**names, **app, **gh}).github_token == ""


def test_the_job_s_token_is_not_read() -> None:
    """Inside Actions GITHUB_TOKEN and GH_TOKEN are the job's, which cannot read traffic; neither is quoted."""
    others = {"GITHUB_TOKEN": "ghs_secret_one", "GH_TOKEN": "ghs_secret_two"}
    (problem,) = problems({**ACTIONS, **AWS, "GHTRAFFIC_GITHUB_TOKEN": "", **others})
    assert "GITHUB_TOKEN and GH_TOKEN are not read, since the job's own token cannot read traffic" in problem
    assert "secret_" not in problem


@pytest.mark.parametrize("token", ["github pat", "github_pat_é", "abc", "token:abcdef", "ghp_a\nghp_b"])
def test_a_malformed_token_is_refused_without_being_shown(token: str) -> None:
    """A malformed token is an error that does not quote it."""
    (problem,) = problems({**ENOUGH, "GHTRAFFIC_GITHUB_TOKEN": token})
    assert problem == "github-token: it is malformed (blanks or characters that no token has): copy it again, whole"


@pytest.mark.parametrize(
    "token", ["ghp_0123456789abcdefABCDEF", "github_pat_11A_0z", "a.b-c=~+/", "ssm:/a/b", "ssm:name"]
)
def test_a_token_or_the_name_of_a_parameter_is_accepted(token: str) -> None:
    """Blanks around it are removed."""
    assert read({**ENOUGH, "GHTRAFFIC_GITHUB_TOKEN": f" {token}\n"}).github_token == token


def test_a_token_is_never_shown() -> None:
    """Neither the settings' representation nor a message about other settings has the token."""
    assert TOKEN not in repr(read())
    assert TOKEN not in str(read())
    assert TOKEN not in "\n".join(problems({**ENOUGH, "GHTRAFFIC_STORE": "gs://x", "GHTRAFFIC_DRY_RUN": "yes"}))
    assert [field.name for field in fields(Settings) if not field.repr] == ["github_token", "github_app_key"]


@pytest.mark.parametrize(
    "store",
    [
        "gs://x",
        "sqlite:",
        "jsonl:",
        "sqlite",
        "s3://bucket/x",
    ],
)
def test_a_malformed_store_is_quoted(store: str) -> None:
    """A store is a table or a SQLite file, and the message says how each is written."""
    assert problems({**ENOUGH, "GHTRAFFIC_STORE": store}) == [
        f"store: {store!r} is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH"
    ]


@pytest.mark.parametrize("store", ["dynamodb://abc", "sqlite:a b.db", "sqlite:/var/lib/traffic.db", "jsonl:a/b.jsonl"])
def test_a_store_is_a_table_or_a_file(store: str) -> None:
    """Both forms are accepted unchanged."""
    assert read({**ENOUGH, "GHTRAFFIC_STORE": store}).store == store


@pytest.mark.parametrize(
    "destination",
    [
        "gs://x",
        "s3://",
        "file:///x",
    ],
)
def test_a_malformed_destination_is_quoted(destination: str) -> None:
    """A text like an address is refused: otherwise a directory of that name would be created."""
    assert problems({**ENOUGH, "GHTRAFFIC_EXPORT_TO": destination}) == [
        f"export-to: {destination!r} is not a destination: write s3://BUCKET/PREFIX or a directory"
    ]


@pytest.mark.parametrize("destination", ["s3://bucket", "s3://my.bucket-1/a/b=c/", "export", "/srv/a b", "./s3"])
def test_a_destination_is_a_bucket_or_a_directory(destination: str) -> None:
    """Buckets with or without a prefix, and any path, are accepted unchanged."""
    assert read({**ENOUGH, "GHTRAFFIC_EXPORT_TO": destination}).export_to == destination


def test_actions_and_lambda_have_no_defaults_for_what_would_be_lost() -> None:
    """On platforms that delete files, store and export-to are required, and the messages have the lines to add."""
    assert problems(ACTIONS) == [
        (
            "store: it is empty, and has no default inside Actions, where a local file is lost: check that the "
            "variable is set for this repository (Settings, Secrets and variables, Actions) under the name in the "
            "workflow, that the job names its environment if it has one, and that the run is not of a fork. Or "
            "else add `store: dynamodb://TABLE` "
            "below `with:`"
        ),
        (
            "export-to: it is empty, and has no default inside Actions, where a local directory is lost: "
            "check its variable. Or else add `export-to: s3://BUCKET/PREFIX` below `with:`"
        ),
    ]
    assert problems(LAMBDA) == [
        (
            "store: it is empty, and has no default inside Lambda, where a local file is lost: "
            "set GHTRAFFIC_STORE=dynamodb://TABLE"
        ),
        (
            "export-to: it is empty, and has no default inside Lambda, where a local directory is lost: "
            "set GHTRAFFIC_EXPORT_TO=s3://BUCKET/PREFIX"
        ),
    ]
    assert len(problems(LAMBDA, command="export")) == 2
    assert read({**ACTIONS, **AWS}).platform == "Actions"
    assert read({**LAMBDA, **AWS}).platform == "Lambda"
    assert read({**ACTIONS, "GITHUB_ACTIONS": "false"}).store == "sqlite:ghtraffic.db"


def test_a_file_that_will_be_lost_is_warned_about() -> None:
    """A SQLite store inside Actions or Lambda is allowed, with a warning; elsewhere and for a table there is none."""
    file = {**AWS, "GHTRAFFIC_STORE": "sqlite:traffic.db"}
    for environ, where in ((ACTIONS, "Actions"), (LAMBDA, "Lambda")):
        assert read({**environ, **file}).warnings == (
            f"store: sqlite:traffic.db is lost when {where} ends, unless you keep the file yourself",
        )
        assert read({**environ, **AWS}).warnings == ()
    assert read().warnings == ()


def test_a_file_that_a_checkout_holds_is_not_warned_about() -> None:
    """JSON lines in a checkout can be committed; elsewhere the warning suggests a place."""
    Path("checkout/.git").mkdir(parents=True)
    for environ, where in ((ACTIONS, "Actions"), (LAMBDA, "Lambda")):
        lost = {**environ, **AWS, "GHTRAFFIC_STORE": "jsonl:traffic.jsonl"}
        kept = {**lost, "GHTRAFFIC_STORE": "jsonl:checkout/data/traffic.jsonl"}
        (warning,) = read(lost).warnings
        assert warning.startswith(
            f"store: jsonl:traffic.jsonl is lost when {where} ends, since it is not in a checkout: "
        )
        assert warning.endswith("with the folder of a checkout that a later step commits")
        assert read(kept).warnings == ()
    assert read({**ENOUGH, "GHTRAFFIC_STORE": "jsonl:traffic.jsonl"}).warnings == ()


@pytest.mark.parametrize("setting", ["dry_run", "legacy_csv"])
@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("TRUE", True), ("false", False), ("FALSE", False)]
)
def test_booleans_are_true_or_false_in_any_case(setting: str, text: str, value: bool) -> None:
    """Only `true` and `false` are accepted, in any case."""
    assert getattr(read({**ENOUGH, environment_name(setting): text}), setting) is value


@pytest.mark.parametrize("setting", ["dry_run", "legacy_csv"])
@pytest.mark.parametrize("text", ["yes", "1", "0", "on", "no", "truee", "t"])
def test_nothing_else_is_a_boolean(setting: str, text: str) -> None:
    """Similar words are refused and quoted, not guessed."""
    name = setting.replace("_", "-")
    assert problems({**ENOUGH, environment_name(setting): text}) == [
        f"{name}: {text!r} is unknown: write true or false"
    ]


def test_the_old_value_of_the_summary_is_read_with_a_warning() -> None:
    """`totals` means `no-traffic`."""
    found = read({**ENOUGH, "GHTRAFFIC_SUMMARY": "totals"})
    assert found.summary == "no-traffic"
    assert "summary: totals was renamed to no-traffic: write that instead" in found.warnings


def test_a_summary_is_one_of_four() -> None:
    """The four values are accepted, others are refused with a list of them."""
    for summary in ("auto", "full", "no-traffic", "none"):
        assert read({**ENOUGH, "GHTRAFFIC_SUMMARY": summary}).summary == summary
    assert problems({**ENOUGH, "GHTRAFFIC_SUMMARY": "all"}) == [
        "summary: 'all' is unknown: write auto, full, no-traffic or none"
    ]


@pytest.mark.parametrize("url", ["api.github.com", "ftp://api.github.com", "https://", "/api"])
def test_a_malformed_address_of_the_api_is_quoted(url: str) -> None:
    """Only http and https URLs are accepted."""
    assert problems({**ENOUGH, "GITHUB_API_URL": url}) == [
        f"GITHUB_API_URL: {url!r} is not a valid URL: unset it for github.com"
    ]


@pytest.mark.parametrize(
    "url", ["https://github.example.com/api/v3", "https://github.example.com/api/v3/", "https://api.corp.ghe.com"]
)
def test_github_enterprise_is_refused(url: str) -> None:
    """GitHub Enterprise Server and ghe.com have no traffic API, and the message says so."""
    (problem,) = problems({**ENOUGH, "GITHUB_API_URL": url})
    assert problem == (
        f"GITHUB_API_URL: {url!r} is GitHub Enterprise, which has no traffic API: only github.com has one"
    )


def test_all_problems_come_in_one_message() -> None:
    """All problems are reported together, a line each, with exit code 2."""
    environ = {
        "GHTRAFFIC_REPOSITORIES": "tool other",
        "GHTRAFFIC_GITHUB_TOKEN": "not a token",
        "GHTRAFFIC_STORE": "gs://x",
        "GHTRAFFIC_EXPORT_TO": "gs://y",
        "GHTRAFFIC_SUMMARY": "all",
        "GHTRAFFIC_DRY_RUN": "yes",
        "GHTRAFFIC_LEGACY_CSV": "no",
        "GITHUB_API_URL": "x",
    }
    found = [problem.partition(":")[0] for problem in problems(environ)]
    assert found == [
        "repositories",
        "repositories",
        "github-token",
        "store",
        "export-to",
        "summary",
        "dry-run",
        "legacy-csv",
        "GITHUB_API_URL",
    ]
    assert (SettingsError.exit_code, UserError.exit_code) == (2, 1)


def test_an_export_needs_no_token_and_no_repositories() -> None:
    """Settings about GitHub are not even validated."""
    environ = {"GHTRAFFIC_STORE": "sqlite:a.db", "GHTRAFFIC_GITHUB_TOKEN": "not a token", "GHTRAFFIC_DRY_RUN": "yes"}
    assert read(environ, command="export") == Settings(store="sqlite:a.db")
    assert problems({"GHTRAFFIC_STORE": "gs://x"}, command="export") == [
        "store: 'gs://x' is not a store address: write dynamodb://TABLE, sqlite:PATH or jsonl:PATH"
    ]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("0s", 0)])
def test_longest_wait_is_a_number_with_its_unit(text: str, seconds: float) -> None:
    """Seconds, minutes and hours are accepted; the default is 15 minutes."""
    environ = {"GHTRAFFIC_GITHUB_TOKEN": "github_pat_invented", "GHTRAFFIC_REPOSITORIES": "octo-lab/lighthouse"}
    assert read_settings("collect", environ, {"max_wait": text}).max_wait == seconds


@pytest.mark.parametrize("text", ["15", "m", "1.5h", "-3m", "15 m", "900"])
def test_longest_wait_without_its_unit_is_quoted(text: str) -> None:
    """A number without a unit is refused: it could be seconds or minutes."""
    environ = {"GHTRAFFIC_GITHUB_TOKEN": "github_pat_invented", "GHTRAFFIC_REPOSITORIES": "octo-lab/lighthouse"}
    with pytest.raises(SettingsError, match=f"max-wait: '{text}' is not a duration"):
        read_settings("collect", environ, {"max_wait": text})
