"""The cleaning of text that people paste, quote and copy from pages."""

import pytest

from ghtraffic_action.errors import SettingsError
from ghtraffic_action.repository_names import split_names
from ghtraffic_action.settings import read_settings
from ghtraffic_action.settings.typed_text import clean, odd_characters, plain, reference

TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
ENOUGH = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GHTRAFFIC_REPOSITORIES": "ann/tool"}
ACTIONS = {
    **ENOUGH,
    "GITHUB_ACTIONS": "true",
    "GHTRAFFIC_STORE": "dynamodb://traffic",
    "GHTRAFFIC_EXPORT_TO": "s3://bucket/traffic",
}


def problem(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        read_settings("collect", environ)
    return str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "value",
        " value\r\n",
        "\ufeffvalue",
        "\u200bvalue\u00a0",
        '"value"',
        "'value'",
        "\u201cvalue\u201d",
        "`value`",
        '\ufeff "value" \n',
    ],
)
def test_marks_around_a_text_do_not_belong_to_it(text: str) -> None:
    """Blanks, line ends, byte-order marks and one pair of quotes are removed."""
    assert clean(text) == "value"


@pytest.mark.parametrize("text", ["a b", "it's", '"a" b', "s3://b/'x'", '"'])
def test_marks_inside_a_text_stay(text: str) -> None:
    """A name may hold a quote or a blank."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "meant", "named"),
    [
        ("ann/my\u2013tool", "ann/my-tool", "U+2013 EN DASH"),
        ("ann/my\u2011tool", "ann/my-tool", "U+2011 NON-BREAKING HYPHEN"),
        ("s3\uff1a//bucket", "s3://bucket", "U+FF1A FULLWIDTH COLON"),
        ("\uff11\uff15m", "15m", "U+FF11 FULLWIDTH DIGIT ONE, U+FF15 FULLWIDTH DIGIT FIVE"),
        ("ann\u200b/tool", "ann/tool", "U+200B ZERO WIDTH SPACE"),
        ("\u00fc", "\u00fc", ""),
    ],
)
def test_characters_that_look_like_ascii_are_named(text: str, meant: str, named: str) -> None:
    """The message names them, since they look right."""
    assert plain(text) == meant
    assert odd_characters(text) == named


def test_a_message_names_what_nobody_sees() -> None:
    """The error of a value has the names of its invisible characters."""
    assert problem({**ENOUGH, "GHTRAFFIC_REPOSITORIES": "ann/my\u2013tool"}) == (
        "repositories: 'ann/my\u2013tool' (in it U+2013 EN DASH) is not a repository: write ann/my-tool"
    )
    assert "FULLWIDTH DIGIT ONE" in problem({**ENOUGH, "GHTRAFFIC_MAX_WAIT": "\uff11m"})


@pytest.mark.parametrize(
    "text",
    ["${{ vars.TABLE }}", "$TABLE", "${TABLE}", "%TABLE%", "secrets.TABLE", "vars.TABLE", "env.T"],
)
def test_a_reference_that_nothing_has_replaced_is_found(text: str) -> None:
    """References in consoles, env files and Actions variables are not replaced."""
    assert reference(text) == text
    assert reference("value") == reference("a.secrets.b") == reference("$(touch ${x})") == ""


@pytest.mark.parametrize(
    ("environ", "setting", "value", "remedy"),
    [
        (ACTIONS, "STORE", "dynamodb://${{ vars.TABLE }}", "write the value"),
        (ACTIONS, "GITHUB_TOKEN", "secrets.TRAFFIC_TOKEN", "write `${{ secrets.TRAFFIC_TOKEN }}`"),
        (ACTIONS, "REPOSITORIES", "${{ github.repository }}", "in the workflow's file alone"),
        (ENOUGH, "EXPORT_TO", "$HOME/traffic", "a shell replaces it"),
        (ENOUGH, "DRY_RUN", "${DRY_RUN}", "a shell replaces it"),
    ],
)
def test_a_reference_is_refused_once(environ: dict[str, str], setting: str, value: str, remedy: str) -> None:
    """No folder of that name is created, and it is not sent as a token."""
    text = problem({**environ, f"GHTRAFFIC_{setting}": value})
    assert remedy in text
    assert "which was not replaced by its value" in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "ann/tool,bob/*",
        "ann/tool; bob/*",
        "ann/tool | bob/*",
        "- ann/tool\n- bob/*",
        "* ann/tool\r\n* bob/*\r\n",
        "[ann/tool, bob/*]",
        "# mine\nann/tool # first\n\nbob/*",
        "ann/tool\uff0cbob/*",
    ],
)
def test_lists_of_every_form_are_split(text: str) -> None:
    """People write a list as YAML, JSON, a sentence or lines with comments."""
    assert split_names(text) == ["ann/tool", "bob/*"]


def test_an_exclusion_stays_one() -> None:
    """A blank after the sign does not turn an exclusion into a name to collect."""
    assert split_names("ann/* ! ann/old") == ["ann/*", "!ann/old"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("/ann/tool", "ann/tool"),
        ("@ann/tool", "ann/tool"),
        ("ann/tool@main", "ann/tool"),
        ("ann/tool/issues", "ann/tool"),
        ("ann\\tool", "ann/tool"),
        ("-ann/tool", "!ann/tool"),
        ("\uff01ann/tool", "!ann/tool"),
    ],
)
def test_a_name_that_is_nearly_one_is_answered_by_it(name: str, meant: str) -> None:
    """The error suggests the likely name."""
    assert problem({**ENOUGH, "GHTRAFFIC_REPOSITORIES": f"bob/tool {name}"}).endswith(f"write {meant}")


def test_many_wrong_names_are_counted() -> None:
    """A file of another kind is not reported line by line."""
    text = problem({**ENOUGH, "GHTRAFFIC_REPOSITORIES": " ".join(f"x:{number}" for number in range(40))})
    assert len(text.splitlines()) == 6
    assert "35 more are invalid" in text


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (f"GITHUB_TOKEN={TOKEN}", "more than the token"),
        (f"Bearer {TOKEN}", "more than the token"),
        (f"https://x:{TOKEN}@github.com", "more than the token"),
        (f"{TOKEN} # of the bot", "more than the token"),
        (f"ssm:{TOKEN}", "behind `ssm:`"),
        ("/traffic/token", "write `ssm:/traffic/token`"),
        ("SSM:/traffic/token", "write `ssm:/traffic/token`"),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/traffic/token", "write `ssm:/traffic/token`"),
        ("ssm:", "write `ssm:/NAME`"),
    ],
)
def test_a_token_that_is_none_is_refused_before_it_is_sent(token: str, said: str) -> None:
    """The error names the setting and does not quote the value."""
    text = problem({**ENOUGH, "GHTRAFFIC_GITHUB_TOKEN": token})
    assert said in text
    assert TOKEN not in text


@pytest.mark.parametrize("form", ["{}\n", '"{}"', "\ufeff{}", "\u201c{}\u201d"])
def test_a_token_in_quotes_is_the_token(form: str) -> None:
    """Quotes and line ends, as env files keep them, are removed."""
    assert read_settings("collect", {**ENOUGH, "GHTRAFFIC_GITHUB_TOKEN": form.format(TOKEN)}).github_token == TOKEN


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("-----BEGIN PUBLIC KEY-----\nYWJj\n-----END PUBLIC KEY-----", "of another kind (PUBLIC KEY)"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----", "OPENSSH PRIVATE KEY"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nYWJj\n-----END ENCRYPTED PRIVATE KEY-----", "ENCRYPTED"),
        ("/home/ann/app.pem", "the name of a file"),
        ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=", "in Base64"),
        ("ssm:", "write `ssm:/NAME`"),
    ],
)
def test_a_key_that_is_none_says_what_it_is(key: str, said: str) -> None:
    """The error says what was pasted instead of the .pem file."""
    environ = {"GHTRAFFIC_REPOSITORIES": "ann/tool", "GHTRAFFIC_GITHUB_APP": "1", "GHTRAFFIC_GITHUB_APP_KEY": key}
    assert said in problem(environ)


def test_unset_variables_are_explained_once() -> None:
    """The first message explains the likely cause of all four, the others are short."""
    text = problem({"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "ann/tool", "GHTRAFFIC_GITHUB_TOKEN": TOKEN})
    store, export_to = text.splitlines()
    assert "check that the variable is set for this repository (Settings, Secrets and variables, Actions)" in store
    assert export_to.endswith("check its variable. Or else add `export-to: s3://BUCKET/PREFIX` below `with:`")
