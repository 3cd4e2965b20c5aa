"""`ghtraffic setup` against an account of the emulator and the fake of GitHub."""

import json
import re
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import boto3
import pytest

from ghtraffic_action.cli import main
from tests.support.aws import Account, make_session
from tests.support.builders import NAME, ROOT, TOKEN
from tests.support.fake_github import FakeGitHub, Refusal

WORKFLOW = Path(".github/workflows/traffic.yml")
MINE = TOKEN
TRAFFIC = "github_pat_that_reads_traffic"

Setup = Callable[..., tuple[int, str]]


@pytest.fixture
def setup(
    account: Account, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Setup:
    """Return a function that runs the command in a checkout with all permissions: `setup(*flags)`."""
    account.provider()  # the emulator's stacks cannot make it
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    subprocess.run(["git", "remote", "add", "origin", f"git@github.com:{NAME}.git"], check=True)
    environ = {"AWS_ENDPOINT_URL": account.url, "AWS_DEFAULT_REGION": "us-east-1"}
    environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**environ, "GITHUB_API_URL": github.url, "GH_TOKEN": MINE}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", make_session())

    def run(*flags: str, token: str = TRAFFIC) -> tuple[int, str]:
        monkeypatch.setenv("GHTRAFFIC_TRAFFIC_TOKEN", token)
        code = main(["setup", NAME, *flags])
        output = capsys.readouterr()
        assert MINE not in output.out + output.err
        assert TRAFFIC not in output.out + output.err
        return code, output.out + output.err

    return run


def writes(github: FakeGitHub) -> list[str]:
    return [request.line for request in github.requests if request.method != "GET"]


def stacks(account: Account) -> list[str]:
    return [found["StackName"] for found in account.client("cloudformation").describe_stacks()["Stacks"]]


def test_one_command_sets_all_up_and_a_second_changes_nothing(
    setup: Setup, account: Account, github: FakeGitHub
) -> None:
    """`--plan` changes nothing, `--yes` creates the stack, variables, secret and file, and a second run nothing."""
    page = (ROOT / "docs" / "setup-aws.md").read_text()
    look, make = re.findall(r"^ghtraffic setup OWNER/REPO (.*)$", page, re.MULTILINE)
    code, planned = setup(look)
    assert code == 0, planned
    assert len(re.findall(r"^  \+ ", planned, re.MULTILINE)) == 7
    assert (stacks(account), writes(github), WORKFLOW.exists()) == ([], [], False)
    code, made = setup("--yes", *make.replace("EMAIL", "somebody@example.org").split())
    assert code == 0, made
    cloudformation = account.client("cloudformation")
    [stack] = cloudformation.describe_stacks(StackName="ghtraffic")["Stacks"]
    outputs = {found["OutputKey"]: found["OutputValue"] for found in stack["Outputs"]}
    given = {found["ParameterKey"]: found["ParameterValue"] for found in stack["Parameters"]}
    assert {given[key] for key in ("Owner", "Repository", "OwnerId", "RepositoryId")} == {*NAME.split("/"), "1", "7"}
    assert github.actions.variables == {
        (NAME, "TRAFFIC_TABLE"): outputs["TableName"],
        (NAME, "TRAFFIC_BUCKET"): outputs["BucketName"],
        (NAME, "TRAFFIC_ROLE"): outputs["RoleArn"],
        (NAME, "AWS_REGION"): "us-east-1",
    }
    assert github.actions.secrets == {(NAME, "TRAFFIC_TOKEN"): TRAFFIC}
    assert WORKFLOW.read_text() == (ROOT / "examples" / "traffic.yml").read_text()
    assert "confirm the mail that AWS sends to somebody@example.org" in made
    before = (writes(github), cloudformation.describe_stack_events(StackName="ghtraffic")["StackEvents"])
    WORKFLOW.write_text("somebody's own\n")
    code, again = setup("--yes", "--email", "somebody@example.org")
    assert code == 0, again
    assert "+ " not in again
    assert (writes(github), cloudformation.describe_stack_events(StackName="ghtraffic")["StackEvents"]) == before
    assert WORKFLOW.read_text() == "somebody's own\n"


def test_the_lines_by_hand_set_a_variable_right_again(setup: Setup, github: FakeGitHub) -> None:
    """A changed variable is the only step to do, and the printed command restores it."""
    assert setup("--yes")[0] == 0
    table = github.actions.variables[NAME, "TRAFFIC_TABLE"]
    github.actions.variables[NAME, "TRAFFIC_TABLE"] = "another"
    before = len(writes(github))
    code, shown = setup("--yes")
    assert code == 0, shown
    assert f'gh variable set TRAFFIC_TABLE --repo {NAME} --body "{table}"' in shown
    assert writes(github)[before:] == [f"PATCH /repos/{NAME}/actions/variables/TRAFFIC_TABLE"]
    assert github.actions.variables[NAME, "TRAFFIC_TABLE"] == table


def test_what_the_token_may_not_is_shown_before_anything_is_made(
    setup: Setup, account: Account, github: FakeGitHub
) -> None:
    """Variables that the token cannot read, and a secret without a token, are left to the user with commands."""
    github.refuse(Refusal.NOT_ACCESSIBLE_BY_INTEGRATION, path="/actions/variables")
    code, planned = setup("--plan", token="")
    assert code == 0
    assert planned.count("yourself") == 5
    assert stacks(account) == []
    code, made = setup("--yes", token="")
    assert code == 0, made
    assert made.count("\n  - variable ") == 4
    assert "Administration: read" in made
    assert github.actions.variables == {}
    assert stacks(account) == ["ghtraffic"]


def test_who_may_not_make_the_stack_is_shown_it_before(
    setup: Setup, account: Account, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With read permissions the plan lists the permissions that seem missing; AWS then refuses all changes."""
    iam = account.client("iam")
    iam.create_user(UserName="reader")
    looks = ["iam:List*", "iam:Simulate*", "sts:*", "cloudformation:Describe*", "cloudformation:Validate*"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": looks, "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="looks", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    code, planned = setup("--plan")
    assert code == 0, planned
    assert "  ! these AWS credentials seem to lack cloudformation:CreateStack, dynamodb:CreateTable" in planned
    code, shown = setup("--yes")
    assert code == 1
    assert "AWS denies cloudformation:CreateStack" in shown
    assert (stacks(account), writes(github), WORKFLOW.exists()) == ([], [], False)


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_a_no_changes_nothing(
    setup: Setup, account: Account, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """Without `--yes` the command asks, and changes nothing after a no."""
    monkeypatch.setattr("sys.stdin", StringIO(answer))
    assert setup()[0] == (0 if answer else 130)
    assert (stacks(account), writes(github), WORKFLOW.exists()) == ([], [], False)


def test_a_stack_that_fails_is_named_with_its_reason(setup: Setup, account: Account, github: FakeGitHub) -> None:
    """If the stack fails, the error has AWS's reason, and no later step runs."""
    account.client("iam").delete_open_id_connect_provider(
        OpenIDConnectProviderArn="arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"
    )
    code, shown = setup("--yes")
    assert code == 1
    assert "with GitHub's OIDC provider" in shown
    assert "AWS::IAM::OIDCProvider" in shown
    assert (writes(github), WORKFLOW.exists()) == ([], False)
