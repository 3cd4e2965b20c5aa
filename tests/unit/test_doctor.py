"""The preflight: each finding in its good and its bad case, against real parts, and nothing changed by any."""

import base64
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest

from ghtraffic_action.cli import main
from ghtraffic_action.doctor import Finding, examine, exit_code, shown
from ghtraffic_action.settings import read_settings
from ghtraffic_action.stores.sqlite import SQLiteStore
from tests.support.aws import Aws
from tests.support.builders import NAME, NOW, TOKEN, repository
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.fault_proxy import FaultProxy, Reply, Request, dynamodb_error, s3_error

SUBJECT = "repo:octo-lab/lighthouse:ref:refs/heads/main"
KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
STRINGS = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
LOOKS = re.compile(
    r"sts POST /|iam POST /|dynamodb POST / \S+\.(DescribeTable|DescribeContinuousBackups|Query|UpdateItem)"
    r"|s3 HEAD /[\w-]+|s3 GET /[\w-]+\?(publicAccessBlock|encryption)|s3 (GET|PUT) /[\w-]+/traffic/v1/doctor-\w+"
    r"|monitoring POST / \S+\.DescribeAlarmsForMetric|sns POST /"
)
Findings = dict[str, Finding]


@pytest.fixture
def look(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Findings]:
    """Examine with these settings, and give the findings by what each begins with, up to the first colon or all."""

    def examined(environ: dict[str, str] | None = None, **values: str) -> Findings:
        given = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GHTRAFFIC_REPOSITORIES": NAME}
        given |= environ or {}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember the credentials of who made the account
        found = examine(read_settings("doctor", given, values), os.environ, stop=Event(), clock=lambda: github.now)
        assert all(finding.reason for finding in found if finding.state == "problem")
        return {finding.what: finding for finding in found}

    return examined


class Front:
    """A proxy in front of AWS that records each request as a line, and denies those that `denied` finds."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.asked: list[str] = []
        self.denied = ""
        proxy.fault = self._answer

    def _answer(self, request: Request) -> Reply | None:
        service = request.headers.get("Authorization", "////").split("/")[3]
        line = f"{service} {request.method} {request.path} {request.headers.get('X-Amz-Target', '')}".strip()
        self.asked.append(line)
        if not self.denied or not re.search(self.denied, line):
            return None
        if service == "dynamodb":
            return dynamodb_error("AccessDeniedException")
        denied = s3_error("AccessDenied")
        return (
            denied
            if service == "s3"
            else replace(denied, content=b"<ErrorResponse>%b</ErrorResponse>" % denied.content)
        )


@pytest.fixture
def front(aws: Aws, proxy: FaultProxy) -> Front:
    """Put the front before the account, whose table and bucket are guarded as the stack's are."""
    aws.dynamodb.update_table(TableName=aws.table, DeletionProtectionEnabled=True)
    aws.dynamodb.update_continuous_backups(
        TableName=aws.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    aws.s3.put_public_access_block(Bucket=aws.bucket, PublicAccessBlockConfiguration=dict.fromkeys(names, True))
    return Front(proxy)


def problems(found: Findings) -> list[str]:
    return [what for what, finding in found.items() if finding.state == "problem"]


def unknown(found: Findings) -> list[str]:
    return [what for what, finding in found.items() if finding.state == "unknown"]


def held(aws: Aws) -> object:
    """Tell all that the account holds."""
    table = aws.dynamodb.describe_table(TableName=aws.table)["Table"]
    return (
        table,
        aws.dynamodb.scan(TableName=aws.table)["Items"],
        aws.dynamodb.list_tables()["TableNames"],
        [bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]],
        aws.s3.list_object_versions(Bucket=aws.bucket).get("Versions"),
        aws.s3.list_multipart_uploads(Bucket=aws.bucket).get("Uploads"),
    )


def test_all_is_well_in_a_guarded_account(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """Nothing is a problem and nothing unknown; every part of a run's needs is named."""
    found = look(store=aws.store, export_to=aws.export_to)
    assert list(found) == [
        "github-token: a fine-grained token",
        "repositories: the traffic of 1 can be read",
        "AWS: account 123456789012, user moto",
        f"table {aws.table}: it is there, with the keys pk and sk",
        f"table {aws.table}: deletion protection",
        f"table {aws.table}: point-in-time recovery",
        f"table {aws.table}: it can be read",
        f"table {aws.table}: it can be written",
        f"bucket {aws.bucket}: it is in us-east-1",
        f"bucket {aws.bucket}: public access is blocked",
        f"bucket {aws.bucket}: below traffic/ it can be read",
        f"bucket {aws.bucket}: below traffic/ it can be written",
    ]
    assert {finding.state for finding in found.values()} == {"ok"}
    assert front.asked


def test_nothing_is_changed(look: Callable[..., Findings], aws: Aws, front: Front, tmp_path: Path) -> None:
    """The account holds afterwards what it held before, only looks were sent, and no file is made."""
    before = held(aws), sorted(tmp_path.rglob("*"))
    look(store=aws.store, export_to=aws.export_to)
    look(store="sqlite:new.db", export_to="new")
    assert (held(aws), sorted(tmp_path.rglob("*"))) == before
    assert not [line for line in front.asked if not LOOKS.fullmatch(line)]
    assert any(line.startswith("s3 PUT") for line in front.asked)
    assert any(line.endswith("UpdateItem") for line in front.asked)


@pytest.mark.parametrize(
    ("token", "what", "state"),
    [
        ("github_pat_1", "github-token: a fine-grained token", "ok"),
        ("ghp_1234", "github-token: a classic token, which may do far more than read traffic", "ok"),
        (
            "gho_1234",
            "github-token: an OAuth token, as `gh auth token` prints it: it ends when its owner logs out",
            "ok",
        ),
        (
            "ghs_1234",
            "github-token: an App's token for an hour, or the job's own GITHUB_TOKEN, which can never read traffic",
            "unknown",
        ),
        ("abcd1234", "github-token: of a kind that is not known here", "unknown"),
    ],
)
def test_kind_of_the_token_is_told(look: Callable[..., Findings], token: str, what: str, state: str) -> None:
    """Its beginning says what it is; the token itself is nowhere in the findings, and GitHub refuses this one."""
    found = look({"GHTRAFFIC_GITHUB_TOKEN": token})
    assert found[what].state == state
    (refused,) = problems(found)
    assert refused.startswith("github-token: GitHub does not know this token (401")
    assert token not in shown(tuple(found.values()))


def test_traffic_that_is_refused_is_a_problem(look: Callable[..., Findings], github: FakeGitHub) -> None:
    """Each repository is asked for its views alone, and the refusal comes with its cure; names resolve as in a run."""
    github.repositories += [repository("octo-lab/two", id=8), repository("octo-lab/three", id=9)]
    github.refuse(Refusal.MUST_HAVE_PUSH_ACCESS, path="two/traffic")
    found = look(repositories="octo-lab/* !octo-lab/three octo-lab/mirage")
    two, mirage = (next(f for w, f in found.items() if w.startswith(f"octo-lab/{n}: ")) for n in ("two", "mirage"))
    assert (two.state, mirage.state) == ("problem", "problem")
    assert "Administration: read" in two.remedy
    assert "check the name" in mirage.remedy
    assert found["repositories: the traffic of 1 can be read"].state == "ok"
    asked = [request.line for request in github.requests if "traffic" in request.line]
    assert sorted(asked) == [f"GET /repos/{name}/traffic/views" for name in (NAME, "octo-lab/two")]


def test_counts_that_a_token_may_not_read_are_unknown(look: Callable[..., Findings], github: FakeGitHub) -> None:
    """A run collects the traffic all the same: it is told, and is no problem."""
    github.refuse_field(NAME, "issues")
    found = look()
    assert problems(found) == []
    assert any("pull requests of 1 of 1 repositories are unknown" in what for what in unknown(found))


def test_no_repository_that_is_left_is_a_problem(look: Callable[..., Findings]) -> None:
    """All of them excluded is what a run would refuse too."""
    assert problems(look(repositories=f"{NAME} !{NAME}")) == ["repositories: none is left to collect"]


@pytest.mark.parametrize(("days", "problem"), [(10, True), (60, False)])
def test_end_of_the_token_is_told(
    look: Callable[..., Findings], github: FakeGitHub, days: int, *, problem: bool
) -> None:
    """A token that ends within 30 days is a problem, with the day; one that ends later is told."""
    ends = NOW + timedelta(days=days)
    github.headers["GitHub-Authentication-Token-Expiration"] = f"{ends:%Y-%m-%d %H:%M:%S} UTC"
    found = look()[f"github-token: it ends on {ends:%Y-%m-%d}"]
    assert found.state == ("problem" if problem else "ok")
    assert bool(found.remedy) is problem


def test_right_to_look_that_is_missing_is_unknown(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """Under a run's own rights alone the guards cannot be seen: no problem, and what a run needs is still told."""
    front.denied = r"sts|Describe|HEAD|publicAccessBlock"
    found = look(store=aws.store, export_to=aws.export_to)
    assert unknown(found) == [
        "AWS: account and role",
        f"table {aws.table}: its keys and its protection",
        f"table {aws.table}: point-in-time recovery",
        f"bucket {aws.bucket}: its region",
        f"bucket {aws.bucket}: public access is blocked",
        "alarm if nothing is collected",
    ]
    assert problems(found) == []
    assert exit_code(tuple(found.values())) == 0
    assert found[f"table {aws.table}: it can be written"].state == "ok"
    assert "AWS denies sts:GetCallerIdentity" in found["AWS: account and role"].reason


@pytest.mark.parametrize(
    ("denied", "action"),
    [(r"\.Query", "dynamodb:Query"), ("UpdateItem", "dynamodb:UpdateItem"), ("PUT", "s3:PutObject")],
)
def test_right_that_a_run_needs_is_a_problem(
    look: Callable[..., Findings], aws: Aws, front: Front, denied: str, action: str
) -> None:
    """A run without it fails: the action is named."""
    front.denied = denied
    found = look(store=aws.store, export_to=aws.export_to)
    (what,) = problems(found)
    assert f"AWS denies {action}" in what
    assert found[what].remedy == "allow it to this role"


def test_missing_credentials_are_told_once(
    look: Callable[..., Findings], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them nothing of AWS can be looked at, which is one problem and not seven."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (what,) = problems(look(store=aws.store, export_to=aws.export_to))
    assert what == "AWS: account and role: there are no AWS credentials"


def test_profile_that_is_not_there_is_told_with_its_name(
    look: Callable[..., Findings], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the SDK knows is told whole, and the cure apart from it."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers earlier tests' profile
    found = look(store=aws.store, export_to=aws.export_to)
    (what,) = problems(found)
    assert what.endswith("AWS's configuration has no profile 'nobody'")
    assert found[what].remedy == "set AWS_PROFILE to one that `aws configure list-profiles` prints"


def test_unguarded_table_is_a_problem(look: Callable[..., Findings], aws: Aws) -> None:
    """Without deletion protection or recovery a history can be lost; the commands that switch them on work."""
    found = look(store=aws.store)
    assert problems(found) == [
        f"table {aws.table}: deletion protection: no",
        f"table {aws.table}: point-in-time recovery: no",
    ]
    for what in problems(found):
        assert found[what].remedy.startswith("aws dynamodb update-")
        assert f"--table-name {aws.table}" in found[what].remedy


def test_missing_table_and_bucket_are_problems(look: Callable[..., Findings], aws: Aws) -> None:
    """Each comes with the command that makes it, and with nothing more."""
    assert aws.url
    found = look(store="dynamodb://mirage", export_to="s3://mirage-bucket/traffic")
    assert problems(found) == ["table mirage: there is none", "bucket mirage-bucket: there is none"]
    assert found["table mirage: there is none"].remedy.startswith("aws dynamodb create-table --table-name mirage")
    assert found["bucket mirage-bucket: there is none"].remedy == "aws s3 mb s3://mirage-bucket"


@pytest.mark.parametrize(
    ("keys", "types"),
    [(KEYS[:1], STRINGS[:1]), (KEYS, [STRINGS[0], {"AttributeName": "sk", "AttributeType": "N"}])],
    ids=["one key", "a number"],
)
def test_table_with_other_keys_is_a_problem(look: Callable[..., Findings], aws: Aws, keys: Any, types: Any) -> None:  # noqa: ANN401 - of the SDK
    """Nothing of ours would fit into it."""
    name = f"{aws.table}-other"
    aws.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=types, KeySchema=keys)
    found = look(store=f"dynamodb://{name}")
    assert f"table {name}: it has other keys than pk and sk, both strings" in problems(found)
    aws.dynamodb.delete_table(TableName=name)


def test_bucket_that_may_be_public_is_a_problem(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """All four switches must be on; the command switches them on."""
    assert front
    only_some = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True}
    for change in (
        lambda: aws.s3.put_public_access_block(Bucket=aws.bucket, PublicAccessBlockConfiguration=only_some),
        lambda: aws.s3.delete_public_access_block(Bucket=aws.bucket),
    ):
        change()
        found = look(export_to=aws.export_to)
        assert problems(found) == [f"bucket {aws.bucket}: public access is blocked: no"]
        assert "RestrictPublicBuckets=true" in found[problems(found)[0]].remedy


def test_bucket_in_another_region_is_a_problem(
    look: Callable[..., Findings], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its region is named, with the setting that leads there."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    found = look(export_to=aws.export_to)[f"bucket {aws.bucket}: it is in us-east-1"]
    assert found.state == "problem"
    assert "AWS_DEFAULT_REGION=us-east-1" in found.remedy


def trust(*subjects: str, operator: str = "StringEquals", repository_id: str = "904221377") -> dict[str, Any]:
    issuer = "token.actions.githubusercontent.com"
    equals: dict[str, Any] = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:repository_id": repository_id}
    conditions = {"StringEquals": equals}
    conditions[operator] = conditions.get(operator, {}) | {f"{issuer}:sub": list(subjects)}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def job(front: Front, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], dict[str, str]]]:
    """Make the environment of a job that has assumed a role of this trust: `job(policy)`."""
    assert front
    iam, sts = boto3.client("iam"), boto3.client("sts")

    def issue(request: Request) -> Reply:
        right = request.headers["Authorization"] == "Bearer job" and "audience=sts.amazonaws.com" in request.path
        claims = {"sub": SUBJECT, "aud": "sts.amazonaws.com", "repository_id": "904221377", "run_id": 5}
        part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        content = json.dumps({"value": f"secret-head.{part}.secret-signature"}).encode()
        return Reply(200 if right else 401, content, {"Content-Type": "application/json"})

    def assume(policy: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
        iam.create_role(RoleName=aws.table, AssumeRolePolicyDocument=json.dumps(policy))
        given = sts.assume_role(RoleArn=f"arn:aws:iam::123456789012:role/{aws.table}", RoleSessionName="ghtraffic")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["Credentials"]["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["Credentials"]["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", given["Credentials"]["SessionToken"])
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job",
        }

    with closing(FaultProxy()) as issuer, closing(iam), closing(sts):
        issuer.fault = issue
        yield assume


JobOf = Callable[[Any], dict[str, str]]


def test_subject_that_the_role_trusts_is_well(look: Callable[..., Findings], aws: Aws, job: JobOf) -> None:
    """What the job sends is shown, the token never; the role names it exactly."""
    environ = job(trust("repo:octo-lab@1/lighthouse@904221377:ref:refs/heads/main", SUBJECT))
    found = look(environ, store=aws.store, export_to=aws.export_to)
    assert f"OIDC: the job sends sub {SUBJECT}, repository_id 904221377" in found
    assert f"AWS: an account, role {aws.table}" in found
    assert "123456789012" not in shown(tuple(found.values()))
    assert found[f"role {aws.table}: its trust policy names what the job sends"].state == "ok"
    assert problems(found) == []
    assert "secret-" not in shown(tuple(found.values()))


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        (trust("repo:octo-lab/lighthouse:ref:refs/heads/other"), "does not trust what the job sends"),
        (trust(SUBJECT, repository_id="1"), "does not trust what the job sends"),
        (trust("repo:octo-lab/*", operator="StringLike"), "trusts the job by a wildcard alone"),
        (trust("repo:octo-cat/*", operator="StringLike"), "does not trust what the job sends"),
        ({"Version": "2012-10-17", "Statement": []}, "does not trust what the job sends"),
    ],
    ids=["another branch", "another id", "wildcard", "other wildcard", "nothing"],
)
def test_role_that_does_not_trust_exactly_the_job_is_a_problem(
    look: Callable[..., Findings], aws: Aws, job: JobOf, policy: dict[str, Any], what: str
) -> None:
    """A claim that differs keeps the job out, and a wildcard lets others in."""
    found = look(job(policy), store=aws.store, export_to=aws.export_to)
    assert problems(found) == [f"role {aws.table}: its trust policy {what}"]
    assert "aws iam update-assume-role-policy" in found[problems(found)[0]].remedy


def test_trust_that_may_not_be_read_is_unknown(
    look: Callable[..., Findings], aws: Aws, job: JobOf, front: Front
) -> None:
    """A run's role needs no right to read itself; what the job sends is shown all the same."""
    environ = job(trust(SUBJECT))
    front.denied = "^iam"
    found = look(environ, store=aws.store, export_to=aws.export_to)
    assert unknown(found) == [f"role {aws.table}: its trust policy"]
    assert f"OIDC: the job sends sub {SUBJECT}, repository_id 904221377" in found


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "`permissions: id-token: write`"),
        ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "other"}, "GitHub gave no token (HTTPError)"),
    ],
)
def test_subject_that_cannot_be_asked_for_is_unknown(
    look: Callable[..., Findings], aws: Aws, job: JobOf, change: dict[str, str], why: str
) -> None:
    """The job may use keys of its own, so this is no problem."""
    found = look(job(trust(SUBJECT)) | change, store=aws.store, export_to=aws.export_to)
    assert unknown(found) == ["OIDC: the subject of this job"]
    assert why in found["OIDC: the subject of this job"].reason


@pytest.mark.parametrize(
    ("schedule", "top"),
    [
        ('- cron: "0 12 * * *"', True),
        ("- cron: '00 12 * * *'", True),
        ("- cron: */15 * * * *", True),
        ("- cron: 30,0 12 * * *", True),
        ('- cron: "17 12 * * *"', False),
        ('- cron: "05 12 * * *"', False),
        ('# - cron: "0 3 * * *"\n  - cron: "7 12 * * *"', False),
    ],
)
def test_schedule_at_the_top_of_the_hour_is_a_problem(
    look: Callable[..., Findings], tmp_path: Path, schedule: str, *, top: bool
) -> None:
    """It is then delayed or dropped; workflows that do not name the program are none of its business."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = "on:\n  schedule:\n    {}\njobs: {{ x: {{ steps: [{{ uses: {} }}] }} }}\n"
    (folder / "traffic.yml").write_text(text.format(schedule, "ghtraffic/ghtraffic@v1"))
    (folder / "other.yml").write_text(text.format('- cron: "0 0 * * *"', "actions/stale@v1"))
    found = {what: finding for what, finding in look().items() if what.startswith(".github")}
    ((what, finding),) = found.items()
    assert what.startswith(".github/workflows/traffic.yml: ")
    assert finding.state == ("problem" if top else "ok")
    assert bool(finding.remedy) is top


@pytest.mark.parametrize(
    ("crons", "late"),
    [
        (["17 3 * * *"], True),
        (["17 20 * * *"], True),
        (["17 1-8/2,22 * * *"], True),
        (["17 3 * * *", "17 4 * * *"], True),
        (["17 10 * * *"], False),
        (["17 19 * * *"], False),
        (["17 */6 * * *"], False),
        (["17 3/8 * * *"], False),
        (["17 3 * * *", "17 12 * * *"], False),
        (["17 x * * *"], False),
    ],
)
def test_schedule_that_misses_yesterday_is_a_problem(
    look: Callable[..., Findings], tmp_path: Path, crons: list[str], *, late: bool
) -> None:
    """GitHub lists yesterday only from about 08:00 UTC on; one run a day between 10:00 and 20:00 is enough."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    lines = "".join(f"    - cron: '{cron}' # daily\n" for cron in crons)
    (folder / "traffic.yml").write_text(f"on:\n  schedule:\n{lines}# ghtraffic\n")
    what = ".github/workflows/traffic.yml: it runs outside 10:00-20:00 UTC"
    found = look()
    assert (what in problems(found)) is late
    if late:
        assert found[what].remedy == 'write `cron: "17 10 * * *"`'


def test_key_of_the_bucket_is_unknown(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """A write that does not hold never reaches a key of KMS, so nothing is promised about it."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    aws.s3.put_bucket_encryption(Bucket=aws.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert front
    found = look(store=aws.store, export_to=aws.export_to)
    assert unknown(found) == [f"bucket {aws.bucket}: a key of KMS encrypts it"]


def test_read_that_is_denied_is_a_problem(look: Callable[..., Findings], aws: Aws, front: Front) -> None:
    """A bucket that can be written but not read is not well."""
    front.denied = "GET .*/doctor-"
    found = look(store=aws.store, export_to=aws.export_to)
    (what,) = problems(found)
    assert what == f"bucket {aws.bucket}: below traffic/ AWS denies s3:GetObject"
    assert found[what].remedy == "allow it to this role"


def test_directory_in_a_job_is_a_problem(look: Callable[..., Findings]) -> None:
    """It is lost with the runner, however well it can be written; a bucket without s3:// is taken for one."""
    found = look({"GITHUB_ACTIONS": "true"}, store="sqlite:traffic.db", export_to="bucket/prefix")
    assert [what.partition(":")[0] for what in problems(found)] == ["store", "export-to"]
    assert any("s3://bucket/prefix" in what for what in found)


def test_log_beside_the_file_is_named(look: Callable[..., Findings]) -> None:
    """What a run that was killed has written lies in a second file, which belongs to the first."""
    with closing(SQLiteStore("traffic.db")):
        Path("kept").write_bytes(Path("traffic.db-wal").read_bytes() or b"x")
    Path("kept").rename("traffic.db-wal")
    assert any("traffic.db-wal holds a part of it" in what for what in look(store="sqlite:traffic.db"))


def test_file_of_a_newer_version_is_a_problem(look: Callable[..., Findings]) -> None:
    """It could be written, and a run would refuse it all the same."""
    with closing(SQLiteStore("traffic.db")):
        pass
    with closing(sqlite3.connect("traffic.db")) as database:
        database.execute("PRAGMA user_version = 99")
    with closing(sqlite3.connect("traffic.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert problems(look(store="sqlite:traffic.db")) == ["store sqlite:traffic.db: a newer ghtraffic wrote it"]


def test_file_and_directory_that_a_run_will_make_are_well(look: Callable[..., Findings]) -> None:
    """They are not made by looking, and AWS is not asked for anything."""
    found = look(store="sqlite:traffic.db", export_to="deep/export")
    assert "store sqlite:traffic.db: the first run will make it" in found
    assert "export-to deep/export: the first run will make it" in found
    assert problems(found) == unknown(found) == []


def test_file_and_directory_that_are_there_are_well(look: Callable[..., Findings], tmp_path: Path) -> None:
    """A store of ours is known by its head, without a lock or a file beside it."""
    with closing(SQLiteStore("traffic.db")):
        pass
    (tmp_path / "export").mkdir()
    before = sorted(tmp_path.iterdir())
    found = look(store="sqlite:traffic.db", export_to="export")
    assert "store sqlite:traffic.db: it is there and can be written" in found
    assert "export-to export: it is there and can be written" in found
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("store", "what"),
    [
        ("sqlite:away/traffic.db", "its folder cannot be written"),
        ("sqlite:folder", "it is no file that can be written"),
        ("sqlite:text", "it is another program's file"),
        ("sqlite:foreign.db", "it is another program's file"),
        ("jsonl:text", "it is another program's file"),
        ("jsonl:away/traffic.jsonl", "its folder cannot be written"),
    ],
)
def test_store_that_cannot_be_used_is_a_problem(
    look: Callable[..., Findings], tmp_path: Path, store: str, what: str
) -> None:
    """Each says what it is instead, and what to do."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database")
    with closing(sqlite3.connect("foreign.db")) as database:
        database.execute("PRAGMA application_id = 77")
        database.execute("CREATE TABLE x (y)")
    found = look(store=store)
    assert problems(found) == [f"store {store}: {what}"]
    assert found[f"store {store}: {what}"].remedy


@pytest.mark.parametrize("destination", ["file", "file/below"])
def test_directory_that_is_none_is_a_problem(look: Callable[..., Findings], tmp_path: Path, destination: str) -> None:
    """A file is in its way."""
    (tmp_path / "file").write_text("")
    (what,) = problems(look(export_to=destination))
    assert what.startswith(f"export-to {destination}: ")


def test_command_prints_a_line_for_each_finding(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sign, and below a problem why and the cure; the exit code is 1 for a problem and 0 without one."""
    github.now = None
    for name, value in {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor", "--repositories", NAME]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "✓ github-token: a fine-grained token",
        "✓ repositories: the traffic of 1 can be read",
        "✓ store sqlite:ghtraffic.db: the first run will make it",
        "✓ export-to ghtraffic-export: the first run will make it",
    ]
    assert main(["doctor", "--repositories", NAME, "--store", "sqlite:away/x.db"]) == 1
    assert capsys.readouterr().out.splitlines()[2:5] == [
        "✗ store sqlite:away/x.db: its folder cannot be written",
        "    why: nothing can be kept",
        "    remedy: mkdir -p away",
    ]
    assert main(["doctor", "--repositories", NAME, "--store", "sqlite:away/x.db", "--json"]) == 1
    written = json.loads(capsys.readouterr().out)
    assert written["exit_code"] == 1
    assert written["findings"][2] == {
        "what": "store sqlite:away/x.db: its folder cannot be written",
        "state": "problem",
        "reason": "nothing can be kept",
        "remedy": "mkdir -p away",
    }


def test_unknown_is_shown_with_its_reason() -> None:
    """It has a sign of its own, and the reason on the same line."""
    found = (Finding("table x: its keys", "unknown", "AWS denies it"),)
    assert shown(found) == "? table x: its keys (AWS denies it)"
    assert exit_code(found) == 0
