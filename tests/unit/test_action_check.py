"""The first step of the Action, run by bash: what it refuses before anything is installed."""

import os
import subprocess

import pytest
import yaml

from tests.support.builders import ROOT

_STEPS = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
_RUN = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
ROLE = "arn:aws:iam::123456789012:role/traffic"
GOOD = {
    "PATH": os.environ["PATH"],
    "COMMAND": "collect",
    "SHOWN": "false",
    "ROLE": ROLE,
    "REGION": "eu-west-1",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://issuer.example",
}


def check(**changes: str) -> tuple[int, str]:
    done = subprocess.run([*_RUN, _STEPS[0]["run"]], env=GOOD | changes, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ROLE": "", "REGION": ""},
        {"ROLE": ""},
        {"REGION": "us-gov-west-1\n"},
        {"REGION": " eu-west-1 "},
        {"ROLE": f"{ROLE}\n"},
        {"ROLE": "arn:aws-cn:iam::123456789012:role/path/to/traffic"},
        {"GHTRAFFIC_API_URL": "http://127.0.0.1:1"},
        {"GHTRAFFIC_DRY_RUN": ""},
        {"COMMAND": "status", "SHOWN": "true"},
    ],
)
def test_what_is_right_passes(changes: dict[str, str]) -> None:
    """Line ends around a value are accepted, and unset inputs are empty."""
    assert check(**changes) == (0, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ROLE": "traffic"}, "role-to-assume: it is not a role's ARN"),
        ({"ROLE": f"'{ROLE}'"}, "role-to-assume: it is not a role's ARN"),
        ({"ROLE": "arn:aws:iam::123456789012:policy/traffic"}, "role-to-assume: it is not a role's ARN"),
        ({"ROLE": "arn:aws:iam::12345678901:role/traffic"}, "role-to-assume: it is not a role's ARN"),
        ({"ROLE": " "}, "role-to-assume: it is not a role's ARN"),
        ({"REGION": "eu-west-1a"}, "aws-region: it is not a region"),
        ({"REGION": "EU-WEST-1"}, "aws-region: it is not a region"),
        ({"REGION": '"eu-west-1"'}, "aws-region: it is not a region"),
        ({"REGION": "Europe (Ireland)"}, "aws-region: it is not a region"),
        ({"REGION": "eu\u2013west\u20131"}, "aws-region: it is not a region"),
        ({"REGION": "eu_west_1", "ROLE": ""}, "aws-region: it is not a region"),
        ({"REGION": ""}, "aws-region: it is empty: check that its variable is set"),
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "permissions: id-token: write"),
        ({"GHTRAFFIC_DRY_RUN": "true"}, "write `dry-run: ...` below `with:`"),
        ({"GHTRAFFIC_DRYRUN": "true"}, "GHTRAFFIC_DRYRUN: the Action reads its inputs"),
        ({"GHTRAFFIC_EXPORT_TO": "s3://bucket"}, "write `export-to: ...` below `with:`"),
        ({"COMMAND": "Collect"}, "command: expected collect"),
        ({"COMMAND": "status"}, "add `summary: full`"),
    ],
)
def test_what_is_wrong_is_one_annotation(changes: dict[str, str], said: str) -> None:
    """The job fails before Python is set up; the account's id is not in the log."""
    exit_code, text = check(**changes)
    assert exit_code == 2
    assert said in text
    assert text.startswith("::error title=ghtraffic::")
    assert len(text.splitlines()) == 1
    assert "123456789012" not in text


@pytest.mark.parametrize("region", ["eu-west-1", "eu-west-1\n", " eu-west-1"])
def test_the_region_reaches_the_program_without_the_end_of_a_line(region: str) -> None:
    """The line end is removed, since the SDK would treat it as part of the region."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHON": "printenv",
        "REGION": region,
        "ASSUMED_ACCESS_KEY_ID": "",
        "COMMAND": "",
    }
    script = _STEPS[-1]["run"].replace(
        '"$PYTHON" -P -s -S -m ghtraffic_action "$COMMAND"', '"$PYTHON" AWS_DEFAULT_REGION'
    )
    done = subprocess.run([*_RUN, script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "eu-west-1\n"
