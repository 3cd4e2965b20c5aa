"""The shell blocks of the README and of docs/, run word for word with the real AWS CLI."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.aws import Account
from tests.support.builders import ARCH, CLAIMS, NAME, NOW, ROOT, TOKEN
from tests.support.cli import WHEELS
from tests.support.fake_github import FakeGitHub
from tests.support.templates import BASE, LAMBDA

RECORD = '#!/bin/sh\nprintf "%s\\n" "$(basename "$0")" "$@" "" >> "$HOME/asked"\n'
"""A program that writes down its arguments, one a line, and an empty line at their end."""

GH = f"""{RECORD}case "$*" in
  variable\\ get*) cat "$HOME/bucket" ;;
  "auth token") echo "{TOKEN}" ;;
  api*.owner.id) echo 1 ;;
  api*.id) echo 7 ;;
esac
"""
"""A `gh` that has a token, and knows the ids and a variable of one repository."""

AUTHOR = ("-c", "user.name=octo", "-c", "user.email=octo@example.invalid", "commit")

OUTPUTS = {
    "TableName": "TABLE",
    "BucketName": "BUCKET",
    "WriterPolicyArn": "POLICY_ARN",
    "AlarmTopicArn": "TOPIC_ARN",
    "RoleArn": "ROLE_ARN",
}
"""Which word in capitals stands for which output of base.yaml."""


def parts(text: str) -> dict[str, list[str]]:
    """Return a page's shell blocks by heading."""
    found = {}
    for part in re.split(r"^#+ ", text, flags=re.MULTILINE):
        if blocks := re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
            found[part.splitlines()[0]] = blocks
    return found


PAGES = {path.name: path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
PARTS = {name: found for name, text in PAGES.items() if (found := parts(text))}
README = PARTS["README.md"]
SET_TOKEN, SET_UP, RUN_WORKFLOW, LIST_FILES = README["The Action with AWS"]
MAKE_STACK, SET_VARIABLES = PARTS["setup-aws.md"]["Step by step"]


@dataclass(frozen=True)
class Shell:
    """A user's shell in a clone, with all permissions in an account."""

    folder: Path
    environ: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)

    def attempt(self, block: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a block with the words in capitals replaced."""
        words = "|".join(sorted(self.values, key=len, reverse=True))
        text = re.sub(rf"\b(?:{words})\b", lambda found: self.values[found[0]], block)
        command = ["bash", "-euo", "pipefail", "-c", text]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, input=stdin, capture_output=True, text=True, check=False
        )

    def asked(self, program: str) -> list[list[str]]:
        """Return the arguments of each call of a stubbed program."""
        calls = (call.split("\n") for call in (Path(self.environ["HOME"]) / "asked").read_text().split("\n\n"))
        return [arguments for name, *arguments in calls if name == program]

    def run(self, block: str, stdin: str = "") -> str:
        """Run a block that must succeed. Return its output."""
        done = self.attempt(block, stdin)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def local_shell(github: FakeGitHub, tmp_path: Path) -> Shell:
    """Return a shell without AWS, whose `ghtraffic` reaches the fake GitHub."""
    folder, programs = tmp_path / "clone", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    for name in ("Makefile", "infra", "requirements.txt", "ghtraffic_action"):
        (folder / name).symlink_to(ROOT / name)
    ours = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m ghtraffic_action "$@"\n'
    for name, text in (("ghtraffic", ours), ("gh", GH), ("pipx", RECORD)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environ = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    environ |= {"GITHUB_API_URL": github.url, "GH_TOKEN": TOKEN}
    owner, name = NAME.split("/")
    return Shell(folder, environ, {"OWNER": owner, "REPO": name, "NAME": name})


@pytest.fixture
def shell(account: Account, local_shell: Shell, tmp_path: Path) -> Shell:
    """Return a shell whose `aws` and `ghtraffic` reach the account, and whose `make lambda` builds for this machine."""
    (tmp_path / "programs" / "aws").symlink_to(ROOT / "build" / "cli" / "bin" / "aws")
    environ = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    environ |= local_shell.environ | {"AWS_ENDPOINT_URL": account.url}
    environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environ |= WHEELS | {"LAMBDA_PYTHON": sys.executable, "ARCH": ARCH}
    values = {"OWNER_ID": "1", "REPO_ID": "7", "EMAIL": "somebody@example.org"}
    values |= {"CODE_BUCKET": "somebody-s-code", "NEW_TABLE": "history-restored"}
    return Shell(local_shell.folder, environ, local_shell.values | values)


def put_secrets(account: Account, shell: Shell) -> None:
    """Store a pasted token and a key from its file, encrypted; the same blocks renew them."""
    put_token, put_key = PARTS["setup-aws.md"]["A secret in AWS"]
    shell.run(put_token, TOKEN + "\n")
    (shell.folder / "KEY.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    shell.run(put_key)
    (shell.folder / "KEY.pem").write_text("-----BEGIN RSA PRIVATE KEY----- renewed\n")
    shell.run(put_token, TOKEN + "\n")
    shell.run(put_key)
    renewed = account.client("ssm").get_parameter(Name="/ghtraffic/app-key", WithDecryption=True)["Parameter"]
    assert "renewed" in renewed["Value"]
    kept = {found["Name"]: found["Type"] for found in account.client("ssm").describe_parameters()["Parameters"]}
    assert kept == dict.fromkeys(("/ghtraffic/token", "/ghtraffic/app-key"), "SecureString")


def make_the_stack(account: Account, shell: Shell) -> None:
    """Deploy the stack with the account's OIDC provider, and read its outputs."""
    shell.values["PROVIDER_ARN"] = account.provider()
    printed = dict(re.findall(r"^(\w+)\t(.*)$", shell.run(MAKE_STACK), re.MULTILINE))
    shell.values.update({word: printed[output] for output, word in OUTPUTS.items()})
    role = account.client("iam").get_role(RoleName=printed["RoleArn"].rsplit("/", 1)[1])["Role"]
    provider = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert provider == {"Federated": shell.values["PROVIDER_ARN"]}


def set_up_the_workflow(account: Account, shell: Shell) -> None:
    """Set the secret and the variables to the stack's outputs."""
    shell.values["SANDBOX"] = "sandbox"
    [several] = README["Several repositories and organisations"]
    for block in (SET_TOKEN, SET_VARIABLES, several):
        shell.run(block)
    calls = shell.asked("gh")
    assert ["secret", "set", "TRAFFIC_TOKEN", "--repo", NAME] in calls
    owner = NAME.split("/")[0]
    assert {call[2]: call[-1] for call in calls if call[:2] == ["variable", "set"]} == {
        "TRAFFIC_TABLE": shell.values["TABLE"],
        "TRAFFIC_BUCKET": shell.values["BUCKET"],
        "TRAFFIC_ROLE": shell.values["ROLE_ARN"],
        "AWS_REGION": "us-east-1",
        "TRAFFIC_REPOSITORIES": f"{owner}/* !{owner}/sandbox",
    }
    role = account.client("iam").get_role(RoleName=shell.values["ROLE_ARN"].rsplit("/", 1)[1])["Role"]
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Condition"]["StringEquals"][f"{CLAIMS}:repository_id"] == "7"


def make_the_lambda(account: Account, shell: Shell) -> None:
    """Build, deploy and invoke the function, and upload both templates for the forms."""
    pages = PARTS["setup-lambda.md"]
    [put_template] = PARTS["setup-aws.md"]["The stack in the browser"]
    [build], [deploy, invoke], [put_other_template] = (
        pages["3. The zip"],
        pages["4. The function"],
        pages["In the browser"],
    )
    assert re.search(r"^import: \d\.\d\d s, \d+ MB of memory", shell.run(build), re.MULTILINE)
    shell.run(put_template)
    shell.run(put_other_template)
    found = account.client("s3").list_objects_v2(Bucket=shell.values["CODE_BUCKET"])["Contents"]
    keys = ["ghtraffic/base.yaml", "ghtraffic/lambda-1.zip", "ghtraffic/lambda.yaml"]
    assert [file["Key"] for file in found] == keys
    shell.run(deploy)
    shell.run(invoke)
    report = json.loads((shell.folder / "report.json").read_text())
    assert [(collected["name"], collected["inserted"]) for collected in report["repositories"]] == [(NAME, 15)]
    assert account.client("dynamodb").scan(TableName=shell.values["TABLE"])["Count"] == 17
    (Path(shell.environ["HOME"]) / "bucket").write_text(shell.values["BUCKET"])
    assert "repositories.csv" in shell.run(LIST_FILES)


def make_the_fleet(account: Account, shell: Shell) -> None:
    """Deploy and run a state machine with the Lambda's zip, then delete its stack."""
    pages = PARTS["setup-fleet.md"]
    [put_secret], [deploy, start], [leave] = (
        pages["2. The credentials"],
        pages["3. The state machine"],
        pages["Leaving"],
    )
    shell.run(put_secret)
    ssm = account.client("ssm")
    assert ssm.get_parameter(Name="/ghtraffic/fleet/app-key", WithDecryption=True)["Parameter"]["Value"]
    ssm.put_parameter(Name="/ghtraffic/fleet/owner", Value=TOKEN, Type="SecureString")
    credential = {"repositories": f"{shell.values['OWNER']}/*", "github-token": "ssm:/ghtraffic/fleet/owner"}
    (shell.folder / "credentials.json").write_text(json.dumps([credential], indent=2))
    shell.run(deploy)
    status, output, cause = json.loads(shell.run(start))
    assert (status, cause) == ("SUCCEEDED", None)
    assert json.loads(output)["failed"] is False
    shell.run(leave)
    ssm.delete_parameter(Name="/ghtraffic/fleet/owner")


def back_up(_: Account, shell: Shell) -> None:
    """Write a backup of the table, and import it into SQLite."""
    [lines] = PARTS["backup.md"]["Backups"]
    assert "1 repositories merged into sqlite:ghtraffic.db" in shell.run(lines)


def examine(_: Account, shell: Shell) -> None:
    """Run the doctor: its only problem is the clock, which is the fake's.

    The emulator's stacks have no point-in-time recovery.
    """
    [lines] = PARTS["troubleshooting.md"]["Troubleshooting"]
    found = shell.attempt(lines).stdout
    assert "✓ repositories: the traffic of 1 can be read" in found
    clock, table = [line for line in found.splitlines() if line.startswith("✗")]
    assert clock.startswith("✗ this machine's clock is wrong")
    assert table.endswith("point-in-time recovery: no")


def upgrade(account: Account, shell: Shell) -> None:
    """Upgrade both stacks: the function gets new code and keeps its parameters.

    The import is not measured again.
    """
    python = shell.folder / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in infra.measure) ;; *) exec {sys.executable} "$@" ;; esac\n')
    python.chmod(0o755)
    [lines] = PARTS["operate.md"]["Upgrading"]
    again = replace(shell, environ=shell.environ | {"LAMBDA_PYTHON": str(python)})
    assert "Stack ghtraffic is up to date" in again.run(lines)
    [stack] = account.client("cloudformation").describe_stacks(StackName="ghtraffic-lambda")["Stacks"]
    given = {found["ParameterKey"]: found["ParameterValue"] for found in stack["Parameters"]}
    assert given["CodeKey"] == "ghtraffic/lambda-2.zip"
    assert given["Repositories"] == NAME


def turn_alerts_on(account: Account, shell: Shell) -> None:
    """Turn alerts on: the workflow's new line is printed, and the role may publish to the topic."""
    [lines] = PARTS["operate.md"]["Alerts"]
    assert f"\nalerts: {shell.values['TOPIC_ARN']}\n" in shell.run(lines)
    role = {"RoleName": shell.values["ROLE_ARN"].rsplit("/", 1)[1], "PolicyName": "heartbeat"}
    document = account.client("iam").get_role_policy(**role)["PolicyDocument"]
    assert document["Statement"][1]["Resource"] == shell.values["TOPIC_ARN"]


def restore_the_table(account: Account, shell: Shell) -> None:
    """Restore the table: it has the items and protection, and outputs and policy name it."""
    dynamodb, iam, new = account.client("dynamodb"), account.client("iam"), shell.values["NEW_TABLE"]
    shell.values["TIME"] = datetime.now(UTC).isoformat()
    shell.run(PARTS["operate.md"]["Restoring"][0])
    assert dynamodb.scan(TableName=new)["Count"] == 17
    assert dynamodb.describe_table(TableName=new)["Table"]["DeletionProtectionEnabled"]
    [stack] = account.client("cloudformation").describe_stacks(StackName="ghtraffic")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["TableName"] == new
    assert f"dynamodb://{new}\n" in outputs["Workflow"]
    policy = {"PolicyArn": shell.values["POLICY_ARN"]}
    version = iam.get_policy(**policy)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(**policy, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Resource"].endswith(f":table/{new}")


def restore_files(account: Account, shell: Shell) -> None:
    """Rewrite a damaged month's file, and restore an older version of the catalogue."""
    s3, bucket = account.client("s3"), shell.values["BUCKET"]
    _, export_month, take_older = PARTS["operate.md"]["Restoring"]
    month, catalogue = "traffic/v1/daily/month=2026-10/daily.csv", "traffic/v1/latest/repositories.csv"
    s3.put_object(Bucket=bucket, Key=month, Body=b"spoilt")
    shell.run(export_month)
    shell.values["VERSION_ID"] = s3.head_object(Bucket=bucket, Key=catalogue)["VersionId"]
    s3.put_object(Bucket=bucket, Key=catalogue, Body=b"spoilt")
    assert shell.values["VERSION_ID"] in shell.run(take_older)
    for key in (month, catalogue):
        assert NAME.encode() in s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def leave(account: Account, shell: Shell) -> None:
    """Export the history, delete the stacks, which keep the data, and then delete the data."""
    dynamodb, s3, iam = account.client("dynamodb"), account.client("s3"), account.client("iam")
    export_all, delete_stacks, delete_history, delete_provider = PARTS["operate.md"]["Leaving"]
    shell.run(export_all)
    assert NAME in (shell.folder / "ghtraffic-export" / "v1" / "latest" / "repositories.csv").read_text()
    shell.run(delete_stacks)
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []
    assert dynamodb.scan(TableName=shell.values["TABLE"])["Count"] == 17
    assert s3.list_object_versions(Bucket=shell.values["BUCKET"])["Versions"]
    shell.run(delete_history)
    assert dynamodb.list_tables()["TableNames"] == [shell.values["NEW_TABLE"]]
    assert s3.list_buckets()["Buckets"] == []
    assert account.client("ssm").describe_parameters()["Parameters"] == []
    assert shell.run(delete_provider).split() == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_all_lines_work_one_after_the_other(account: Account, shell: Shell, github: FakeGitHub) -> None:
    """The blocks work in sequence, from storing the token to deleting everything.

    The emulator's stacks make no OIDC provider; the account has one before, which is what the first line looks for.
    """
    github.now = NOW.replace(month=10)
    steps = (
        put_secrets,
        make_the_stack,
        set_up_the_workflow,
        make_the_lambda,
        make_the_fleet,
        back_up,
        examine,
        upgrade,
        turn_alerts_on,
    )
    for step in (*steps, restore_the_table, restore_files, leave):
        step(account, shell)


def test_a_provider_that_is_missing_is_left_to_the_stack(account: Account, shell: Shell) -> None:
    """Without a provider the stack creates one: the emulator, which lacks that resource, refuses it."""
    done = shell.attempt(MAKE_STACK)
    assert "AWS::IAM::OIDCProvider" in done.stderr
    assert account.client("s3").list_buckets()["Buckets"] == []


def test_a_provider_that_is_there_cannot_be_made_again(account: Account, shell: Shell) -> None:
    """AWS refuses a second provider, so the block looks for one first; troubleshooting has the remedy."""
    account.provider()
    done = shell.attempt(PARTS["by-hand.md"]["A table, a bucket and a role by hand"][1])
    assert "already exists" in done.stderr
    assert f"Provider with url https://{CLAIMS} already exists" in PAGES["troubleshooting.md"]


def test_a_stack_that_failed_can_be_deployed_after_its_deletion(account: Account, shell: Shell) -> None:
    """A function with its zip in another region fails; the documented remedy removes the stack.

    AWS refuses to deploy a stack in that state again, with the words of the page; the emulator would try once more.
    """
    make_the_stack(account, shell)
    elsewhere = {"LocationConstraint": "eu-west-1"}
    account.client("s3").create_bucket(Bucket=shell.values["CODE_BUCKET"], CreateBucketConfiguration=elsewhere)
    deploy, _ = PARTS["setup-lambda.md"]["4. The function"]
    assert shell.attempt(deploy).returncode
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
    [stack] = account.client("cloudformation").describe_stacks(StackName="ghtraffic-lambda")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    [cure] = re.findall(r"^\| Stack … is in ROLLBACK_COMPLETE .*$", PAGES["troubleshooting.md"], re.MULTILINE)
    see, delete = (line.replace("ghtraffic", "ghtraffic-lambda") for line in re.findall(r"`(aws [^`]+)`", cure))
    assert "PermanentRedirect" in shell.run(see)
    shell.run(delete)
    shell.values["CODE_BUCKET"] = "somebody-s-other-code"
    shell.run(deploy)


@pytest.mark.parametrize(("name", "template"), [("base.yaml", BASE), ("lambda.yaml", LAMBDA)])
def test_the_links_fill_in_the_forms(name: str, template: dict[str, Any]) -> None:
    """The links lead to the uploaded template, and set each parameter without a default."""
    text = "".join(PAGES.values())
    [link] = re.findall(rf"<!-- quick-create: {name} -->\n`(\S+)`", text)
    page, _, query = urlsplit(link).fragment.partition("?")
    assert page == "/stacks/quickcreate"
    given = {key: value for key, [value] in parse_qs(query, strict_parsing=True).items()}
    assert given["templateURL"] == f"https://CODE_BUCKET.s3.REGION.amazonaws.com/ghtraffic/{name}"
    assert f"aws s3 cp infra/{name} s3://CODE_BUCKET/ghtraffic/{name}" in text
    assert f"--stack-name {given['stackName']} --template-file infra/{name} " in text
    filled = {key.removeprefix("param_") for key in given if key.startswith("param_")}
    needed = {key for key, parameter in template["Parameters"].items() if "Default" not in parameter}
    needed |= {"Owner", "Repository", "OwnerId", "RepositoryId"} & template["Parameters"].keys()
    assert needed <= filled <= template["Parameters"].keys()


def test_by_hand_it_works_too(account: Account, shell: Shell) -> None:
    """The blocks create the same table, bucket, provider and role as the stack."""
    [blocks] = PARTS["by-hand.md"].values()
    documents = re.findall(r"```json\n(.*?)```", PAGES["by-hand.md"], re.DOTALL)
    for name, document in zip(("trust.json", "permissions.json"), documents, strict=True):
        (shell.folder / name).write_text(document)
    shell.values["YOUR-BUCKET"] = "somebody-s-history"
    for block in blocks:
        shell.run(block)
    table = account.client("dynamodb").describe_table(TableName="github-traffic")["Table"]
    assert table["DeletionProtectionEnabled"]
    assert account.client("s3").get_bucket_versioning(Bucket="somebody-s-history")["Status"] == "Enabled"
    iam = account.client("iam")
    trust = iam.get_role(RoleName="ghtraffic")["Role"]["AssumeRolePolicyDocument"]
    permissions = iam.get_role_policy(RoleName="ghtraffic", PolicyName="ghtraffic")["PolicyDocument"]
    assert [trust, permissions] == [json.loads(document) for document in documents]


def test_the_first_screen(shell: Shell, tmp_path: Path) -> None:
    """The README's first blocks clone, run the demonstration, and collect a repository.

    The clone is of this checkout, packages come from the wheels of the set-up; another test installs the package.
    """
    demo, own = README["ghtraffic"]
    shell.environ.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0=f"url.file://{ROOT}.insteadOf")
    shell.environ.update(GIT_CONFIG_VALUE_0="https://github.com/ghtraffic/ghtraffic", PYTHON=sys.executable)
    shell.environ["PIP_NO_COMPILE"] = "1"  # few modules of the packages are imported
    home = replace(shell, folder=tmp_path)
    printed = home.run(demo)
    assert "octo-lab/lighthouse" in printed
    clone = replace(shell, folder=tmp_path / "ghtraffic")
    printed = clone.run(own)
    assert "1 of 1 collected" in printed
    assert f"{NAME}: " in printed
    assert (clone.folder / "ghtraffic-export" / "v1" / "latest" / "repositories.csv").exists()
    assert clone.asked("pipx") == [["install", "."]]


def test_the_four_steps(account: Account, shell: Shell) -> None:
    """The README's steps write the workflow into a checkout, push it, and start a run."""
    account.provider()  # the emulator's stacks cannot make it
    checkout, pushed = shell.folder / "checkout", shell.folder / "pushed"
    subprocess.run(["git", "init", "--quiet", "--bare", pushed], check=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", checkout], check=True)
    for setting, value in (
        ("remote.origin.url", f"git@github.com:{NAME}.git"),
        ("remote.origin.pushurl", str(pushed)),
        ("push.default", "current"),
        ("user.name", "octo"),
        ("user.email", "octo@example.invalid"),
    ):
        subprocess.run(["git", "-C", checkout, "config", setting, value], check=True)
    shell.values["CHECKOUT"] = "checkout"
    shell.run(SET_TOKEN)
    shell.run(SET_UP, "y\n")
    assert len(account.client("s3").list_buckets()["Buckets"]) == 1
    replace(shell, folder=checkout).run(RUN_WORKFLOW)
    committed = ["git", "-C", str(pushed), "show", "main:.github/workflows/traffic.yml"]
    workflow = subprocess.run(committed, check=True, capture_output=True, text=True).stdout
    assert workflow == (ROOT / "examples" / "traffic.yml").read_text()
    assert shell.asked("gh")[-1] == ["workflow", "run", "traffic.yml", "--repo", NAME]


def test_without_aws(shell: Shell) -> None:
    """The page's commands collect, show traffic and status, and set up completion."""
    page = PARTS["without-aws.md"]
    [collect], [complete] = page["Collect"], page["Shell completion"]
    printed = shell.run(collect)
    assert "1 of 1 collected" in printed
    assert "next run due before" in printed
    shell.run(complete)
    completion = shell.folder / "ghtraffic-completion.bash"
    assert "_ghtraffic_completion" in completion.read_text()
    subprocess.run(["bash", "-n", completion], check=True)


def test_a_data_branch_of_another_tool_becomes_history(local_shell: Shell) -> None:
    """The README's lines clone and import a data branch; the page's command undoes the import."""
    origin = local_shell.folder.parent / "github.com"
    shutil.copytree(ROOT / "tests" / "data" / "import" / "ghrs" / "octo-lab" / "atlas", origin / NAME / NAME)
    for words in (("init", "--quiet", "--initial-branch=github-repo-stats"), ("add", "."), (*AUTHOR, "-qm", "stats")):
        subprocess.run(["git", "-C", origin / NAME, *words], check=True)
    instead = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{origin}/.insteadOf"}
    local_shell.environ.update(instead | {"GIT_CONFIG_VALUE_0": "https://github.com/"})
    [bring] = README["Bring your history"]
    printed = local_shell.run(bring)
    [days] = re.findall(r"(\d+) days inserted, 0 raised, 1 snapshots", printed)
    files = (local_shell.folder / "ghtraffic-export" / "v1" / "daily").rglob("*.csv")
    assert sum(len(path.read_text().splitlines()) - 1 for path in files) == int(days) > 0
    local_shell.values["DATA"] = "data"
    [again] = PARTS["import.md"]["Import from other tools"]
    assert "nothing is new" in local_shell.run(again)
    [undo] = PARTS["import.md"]["The record, and the undo"]
    local_shell.values["20261126T120000Z-3f9a1c"] = printed.partition("--undo ")[2].split()[0]
    assert "of 1 repositories are as before the import" in local_shell.run(undo)


def test_every_block_is_run() -> None:
    """The pages have these shell blocks only, and a test runs each of them.

    Of `In one command` test_setup.py runs the lines of ours. `Install` of the page without AWS needs a registry;
    test_wheel.py installs what it builds.
    """
    assert {
        f"{page}: {heading}": len(blocks) for page, found in PARTS.items() for heading, blocks in found.items()
    } == {
        "README.md: ghtraffic": 2,
        "README.md: The Action with AWS": 4,
        "README.md: Several repositories and organisations": 1,
        "README.md: Bring your history": 1,
        "analyse.md: Athena": 1,
        "backup.md: Backups": 1,
        "by-hand.md: A table, a bucket and a role by hand": 3,
        "import.md: Import from other tools": 1,
        "import.md: The record, and the undo": 1,
        "operate.md: The alarms": 1,
        "operate.md: Alerts": 1,
        "operate.md: Renew the token": 1,
        "operate.md: Upgrading": 1,
        "operate.md: Restoring": 3,
        "operate.md: Leaving": 4,
        "setup-aws.md: In one command": 1,
        "setup-aws.md: A secret in AWS": 2,
        "setup-aws.md: The stack in the browser": 1,
        "setup-aws.md: Step by step": 2,
        "report.md: Build it from the export": 1,
        "report.md: Open it": 1,
        "setup-aws.md: Who may assume the role": 1,
        "setup-aws.md: Tags, boundaries and keys": 1,
        "setup-fleet.md: 2. The credentials": 1,
        "setup-fleet.md: 3. The state machine": 2,
        "setup-fleet.md: Leaving": 1,
        "setup-lambda.md: 1. The table and the bucket": 1,
        "setup-lambda.md: 3. The zip": 1,
        "setup-lambda.md: 4. The function": 2,
        "setup-lambda.md: In the browser": 1,
        "troubleshooting.md: Troubleshooting": 1,
        "without-aws.md: Install": 1,
        "without-aws.md: Collect": 1,
        "without-aws.md: Shell completion": 1,
    }


def test_the_pages_about_aws_hold_lines_that_work(account: Account, shell: Shell) -> None:
    """The remaining blocks work: a stack for the Lambda, a limited role, tags, alarms, Athena's tables."""
    shell.values["TEAM"] = "tools"
    [without_workflow] = PARTS["setup-lambda.md"]["1. The table and the bucket"]
    [limit], [tag] = (PARTS["setup-aws.md"][part] for part in ("Who may assume the role", "Tags, boundaries and keys"))
    [look], [renew] = (PARTS["operate.md"][part] for part in ("The alarms", "Renew the token"))
    [athena] = PARTS["analyse.md"]["Athena"]
    shell.run(without_workflow)
    iam, cloudformation = account.client("iam"), account.client("cloudformation")
    assert iam.list_roles()["Roles"] == []
    account.client("ssm").put_parameter(Name="/ghtraffic/token", Value=TOKEN, Type="SecureString")
    make_the_stack(account, shell)
    shell.run(limit)
    [role] = iam.list_roles()["Roles"]
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    workflow = f"{NAME}/.github/workflows/traffic.yml@refs/heads/main"
    assert trusted["Condition"]["StringEquals"][f"{CLAIMS}:job_workflow_ref"] == workflow
    assert len(iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]) == 2
    printed = shell.run(look)
    assert printed.startswith("somebody@example.org\t")  # the emulator confirms by itself
    assert re.findall(r"^ghtraffic-(\w+)-", printed, re.MULTILINE) == [
        "DaysLost",
        "NothingCollected",
        "Refused",
        "TokenEnds",
    ]
    shell.run(tag)  # not in the second of the deployment above: the change sets would have one name
    [stack] = cloudformation.describe_stacks(StackName="ghtraffic")["Stacks"]
    assert stack["Tags"] == [{"Key": "team", "Value": "tools"}]
    shell.run(renew, "github_pat_renewed\n")
    parameter = account.client("ssm").get_parameter(Name="/ghtraffic/token", WithDecryption=True)["Parameter"]
    assert parameter["Value"].strip() == "github_pat_renewed"
    refused = shell.attempt(athena).stderr  # the emulator knows all of it but one kind
    assert "Unrecognized resource types: [AWS::Athena::NamedQuery]" in refused
