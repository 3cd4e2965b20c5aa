"""The lines of the README's "Setting up" and of docs/by-hand.md, run word for word by the real command line of AWS."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.aws import Account
from tests.support.builders import ARCH, CLAIMS, NAME, NOW, ROOT, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.templates import BASE, LAMBDA

OUTPUTS = {
    "TableName": "TABLE",
    "BucketName": "BUCKET",
    "WriterPolicyArn": "POLICY_ARN",
    "AlarmTopicArn": "TOPIC_ARN",
    "RoleArn": "ROLE_ARN",
}
"""Which word in capitals stands for which output of base.yaml."""


def parts(text: str) -> dict[str, list[str]]:
    """Tell the blocks of shell below each heading that has some."""
    found = {}
    for part in re.split(r"^#+ ", text, flags=re.MULTILINE):
        if blocks := re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
            found[part.splitlines()[0]] = blocks
    return found


README = (ROOT / "README.md").read_text()
SETTING_UP = README[README.index("\n## Setting up\n") : README.index("\n## Settings\n")]
BY_HAND = (ROOT / "docs" / "by-hand.md").read_text()


@dataclass(frozen=True)
class Shell:
    """Somebody's shell in a clone of the repository, with the right to everything in an account."""

    folder: Path
    environ: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)

    def attempt(self, block: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a block as it is written, but for the words in capitals that it has to be given."""
        words = "|".join(sorted(self.values, key=len, reverse=True))
        text = re.sub(rf"\b(?:{words})\b", lambda found: self.values[found[0]], block)
        command = ["bash", "-euo", "pipefail", "-c", text]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, input=stdin, capture_output=True, text=True, check=False
        )

    def run(self, block: str, stdin: str = "") -> str:
        """Run a block that works; tell what it prints."""
        done = self.attempt(block, stdin)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def shell(account: Account, tmp_path: Path) -> Shell:
    """A shell whose `aws` and `ghtraffic` reach the account, and whose `make lambda` builds for this machine."""
    folder, programs = tmp_path / "clone", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    for name in ("Makefile", "infra", "requirements.txt", "ghtraffic_action"):
        (folder / name).symlink_to(ROOT / name)
    (programs / "aws").symlink_to(ROOT / "build" / "cli" / "bin" / "aws")
    ours = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m ghtraffic_action "$@"\n'
    (programs / "ghtraffic").write_text(ours)
    (programs / "ghtraffic").chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    environ |= {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "AWS_ENDPOINT_URL": account.url}
    environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environ |= {"LAMBDA_PYTHON": sys.executable, "ARCH": ARCH}
    environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(ROOT / "build" / "wheels")}
    owner, name = NAME.split("/")
    values = {"OWNER": owner, "REPO": name, "OWNER_ID": "1", "REPO_ID": "7", "EMAIL": "somebody@example.org"}
    return Shell(folder, environ, values | {"CODE_BUCKET": "somebody-s-code", "NEW_TABLE": "history-restored"})


PARTS = parts(SETTING_UP)


def put_secrets(account: Account, shell: Shell) -> None:
    """A token that is pasted and a key from its file lie there encrypted; the same lines renew them."""
    put_token, put_key = PARTS["1. A token or an App"]
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
    """It is made, with the provider that the account has, and its outputs are printed."""
    shell.values["PROVIDER_ARN"] = account.provider()
    make_stack, _ = PARTS["2. The table, the bucket and the role"]
    printed = dict(re.findall(r"^(\w+)\t(.*)$", shell.run(make_stack), re.MULTILINE))
    shell.values.update({word: printed[output] for output, word in OUTPUTS.items()})
    role = account.client("iam").get_role(RoleName=printed["RoleArn"].rsplit("/", 1)[1])["Role"]
    provider = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert provider == {"Federated": shell.values["PROVIDER_ARN"]}


def make_the_lambda(account: Account, shell: Shell) -> None:
    """It is built and deployed, and run by hand collects; both templates lie where the forms look for them."""
    _, put_template = PARTS["2. The table, the bucket and the role"]
    build, deploy, invoke, put_other_template = PARTS["3. Without Actions: the Lambda"]
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
    assert account.client("dynamodb").scan(TableName=shell.values["TABLE"])["Count"] == 16


def upgrade(account: Account, shell: Shell) -> None:
    """Where nothing is new nothing changes; the function gets its new code and keeps its parameters."""
    [lines] = PARTS["Upgrading"]
    assert "Stack ghtraffic is up to date" in shell.run(lines)
    [stack] = account.client("cloudformation").describe_stacks(StackName="ghtraffic-lambda")["Stacks"]
    given = {found["ParameterKey"]: found["ParameterValue"] for found in stack["Parameters"]}
    assert given["CodeKey"] == "ghtraffic/lambda-2.zip"
    assert given["Repositories"] == NAME


def restore_the_table(account: Account, shell: Shell) -> None:
    """The restored one has what was there and is guarded, and the outputs and the role's policy name it."""
    dynamodb, iam, new = account.client("dynamodb"), account.client("iam"), shell.values["NEW_TABLE"]
    shell.values["TIME"] = datetime.now(UTC).isoformat()
    shell.run(PARTS["Restoring"][0])
    assert dynamodb.scan(TableName=new)["Count"] == 16
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
    """A month's file that was spoilt is written again, and an older version of the catalogue brought back."""
    s3, bucket = account.client("s3"), shell.values["BUCKET"]
    _, export_month, take_older = PARTS["Restoring"]
    month, catalogue = "traffic/v1/daily/month=2026-10/daily.csv", "traffic/v1/latest/repositories.csv"
    s3.put_object(Bucket=bucket, Key=month, Body=b"spoilt")
    shell.run(export_month)
    shell.values["VERSION_ID"] = s3.head_object(Bucket=bucket, Key=catalogue)["VersionId"]
    s3.put_object(Bucket=bucket, Key=catalogue, Body=b"spoilt")
    assert shell.values["VERSION_ID"] in shell.run(take_older)
    for key in (month, catalogue):
        assert NAME.encode() in s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def leave(account: Account, shell: Shell) -> None:
    """The history goes along and stays as well, until it is deleted; then nothing is left."""
    dynamodb, s3, iam = account.client("dynamodb"), account.client("s3"), account.client("iam")
    export_all, delete_stacks, delete_history, delete_provider = PARTS["Leaving"]
    shell.run(export_all)
    assert NAME in (shell.folder / "ghtraffic-export" / "v1" / "latest" / "repositories.csv").read_text()
    shell.run(delete_stacks)
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []
    assert dynamodb.scan(TableName=shell.values["TABLE"])["Count"] == 16
    assert s3.list_object_versions(Bucket=shell.values["BUCKET"])["Versions"]
    shell.run(delete_history)
    assert dynamodb.list_tables()["TableNames"] == [shell.values["NEW_TABLE"]]
    assert s3.list_buckets()["Buckets"] == []
    assert account.client("ssm").describe_parameters()["Parameters"] == []
    assert shell.run(delete_provider).split() == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_all_lines_work_one_after_the_other(account: Account, shell: Shell, github: FakeGitHub) -> None:
    """From the token to the last trace: what each is there for comes about.

    The emulator's stacks make no OIDC provider; the account has one before, which is what the first line looks for.
    """
    github.now = NOW.replace(month=10)
    for step in (put_secrets, make_the_stack, make_the_lambda, upgrade, restore_the_table, restore_files, leave):
        step(account, shell)


def test_a_provider_that_is_missing_is_left_to_the_stack(account: Account, shell: Shell) -> None:
    """Without one the line asks for it: the emulator, which knows no such resource, refuses just that."""
    make_stack, _ = PARTS["2. The table, the bucket and the role"]
    done = shell.attempt(make_stack)
    assert "AWS::IAM::OIDCProvider" in done.stderr
    assert account.client("s3").list_buckets()["Buckets"] == []


def test_a_provider_that_is_there_cannot_be_made_again(account: Account, shell: Shell) -> None:
    """AWS says so, which is why the line looks first; the README has the cure."""
    account.provider()
    done = shell.attempt(parts(BY_HAND)["A table, a bucket and a role by hand"][1])
    assert "already exists" in done.stderr
    assert f"Provider with url https://{CLAIMS} already exists" in README


def test_a_stack_that_failed_can_be_deployed_after_its_deletion(account: Account, shell: Shell) -> None:
    """With its zip in another region the function cannot be made: nothing is left, and the README's cure leads on.

    AWS refuses to deploy a stack in that state again, with the README's words; the emulator would try once more.
    """
    make_the_stack(account, shell)
    elsewhere = {"LocationConstraint": "eu-west-1"}
    account.client("s3").create_bucket(Bucket=shell.values["CODE_BUCKET"], CreateBucketConfiguration=elsewhere)
    _, deploy, *_ = PARTS["3. Without Actions: the Lambda"]
    assert shell.attempt(deploy).returncode
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
    [stack] = account.client("cloudformation").describe_stacks(StackName="ghtraffic-lambda")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    [cure] = re.findall(r"^\| Stack … is in ROLLBACK_COMPLETE .*$", README, re.MULTILINE)
    see, delete = (line.replace("ghtraffic", "ghtraffic-lambda") for line in re.findall(r"`(aws [^`]+)`", cure))
    assert "PermanentRedirect" in shell.run(see)
    shell.run(delete)
    shell.values["CODE_BUCKET"] = "somebody-s-other-code"
    shell.run(deploy)


@pytest.mark.parametrize(("name", "template"), [("base.yaml", BASE), ("lambda.yaml", LAMBDA)])
def test_the_links_fill_in_the_forms(name: str, template: dict[str, Any]) -> None:
    """They lead to the template that was put into the bucket, and give each parameter that has no default."""
    [link] = re.findall(rf"<!-- quick-create: {name} -->\n`(\S+)`", SETTING_UP)
    page, _, query = urlsplit(link).fragment.partition("?")
    assert page == "/stacks/quickcreate"
    given = {key: value for key, [value] in parse_qs(query, strict_parsing=True).items()}
    assert given["templateURL"] == f"https://CODE_BUCKET.s3.REGION.amazonaws.com/ghtraffic/{name}"
    assert f"aws s3 cp infra/{name} s3://CODE_BUCKET/ghtraffic/{name}" in SETTING_UP
    assert f"--stack-name {given['stackName']} --template-file infra/{name} " in SETTING_UP
    filled = {key.removeprefix("param_") for key in given if key.startswith("param_")}
    needed = {key for key, parameter in template["Parameters"].items() if "Default" not in parameter}
    needed |= {"Owner", "Repository", "OwnerId", "RepositoryId"} & template["Parameters"].keys()
    assert needed <= filled <= template["Parameters"].keys()


def test_by_hand_it_works_too(account: Account, shell: Shell) -> None:
    """Table, bucket, provider and role come to what the stack makes."""
    [(_, blocks)] = parts(BY_HAND).items()
    documents = re.findall(r"```json\n(.*?)```", BY_HAND, re.DOTALL)
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


def test_every_block_is_run() -> None:
    """What the README's part on setting up has as shell is what these tests run, and nothing besides."""
    assert {heading: len(blocks) for heading, blocks in PARTS.items()} == {
        "1. A token or an App": 2,
        "2. The table, the bucket and the role": 2,
        "3. Without Actions: the Lambda": 4,
        "Upgrading": 1,
        "Restoring": 3,
        "Leaving": 4,
    }


def blocks_of(name: str) -> list[str]:
    """Tell the blocks of shell of a page of the documentation."""
    return [block for blocks in parts((ROOT / "docs" / name).read_text()).values() for block in blocks]


def test_the_pages_about_aws_hold_lines_that_work(account: Account, shell: Shell) -> None:
    """A stack for the Lambda alone, one for a workflow that is then limited and tagged, its alarms, Athena's tables."""
    shell.values["TEAM"] = "tools"
    [without_workflow] = blocks_of("setup-lambda.md")
    _, limit, tag = blocks_of("setup-aws.md")  # the first is run by test_setup.py
    look, renew = blocks_of("operate.md")
    [athena] = blocks_of("analyse.md")
    shell.run(without_workflow)
    iam, cloudformation = account.client("iam"), account.client("cloudformation")
    assert iam.list_roles()["Roles"] == []
    put_secrets(account, shell)
    make_the_stack(account, shell)
    shell.run(limit)
    [role] = iam.list_roles()["Roles"]
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    workflow = f"{NAME}/.github/workflows/traffic.yml@refs/heads/main"
    assert trusted["Condition"]["StringEquals"][f"{CLAIMS}:job_workflow_ref"] == workflow
    assert len(iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]) == 2
    shell.run(tag)
    [stack] = cloudformation.describe_stacks(StackName="ghtraffic")["Stacks"]
    assert stack["Tags"] == [{"Key": "team", "Value": "tools"}]
    printed = shell.run(look)
    assert printed.startswith("somebody@example.org\t")  # the emulator confirms by itself
    assert re.findall(r"^ghtraffic-(\w+)-", printed, re.MULTILINE) == [
        "DaysLost",
        "NothingCollected",
        "Refused",
        "TokenEnds",
    ]
    shell.run(renew, "github_pat_renewed\n")
    parameter = account.client("ssm").get_parameter(Name="/ghtraffic/token", WithDecryption=True)["Parameter"]
    assert parameter["Value"].strip() == "github_pat_renewed"
    refused = shell.attempt(athena).stderr  # the emulator knows all of it but one kind
    assert "Unrecognized resource types: [AWS::Athena::NamedQuery]" in refused
