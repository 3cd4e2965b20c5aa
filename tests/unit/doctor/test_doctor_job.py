"""`ghtraffic doctor` looks at the job: its subject, the role that it assumes, its schedule."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest

from ghtraffic_action.doctor import format_findings
from tests.support.aws import Aws
from tests.support.fault_proxy import FaultProxy, Reply, Request
from tests.support.findings import Findings, Front, problems, unknown

SUBJECT = "repo:octo-lab/lighthouse:ref:refs/heads/main"


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
    """Return a function that makes the environment of a job with a role of this trust policy: `job(policy)`."""
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
    """The claims of the job are shown without the token, and the role's trust policy matches them exactly."""
    environ = job(trust("repo:octo-lab@1/lighthouse@904221377:ref:refs/heads/main", SUBJECT))
    found = look(environ, store=aws.store, export_to=aws.export_to)
    assert f"OIDC: the job sends sub {SUBJECT}, repository_id 904221377" in found
    assert f"AWS: an account, role {aws.table}" in found
    assert "123456789012" not in format_findings(tuple(found.values()))
    assert found[f"role {aws.table}: its trust policy matches what the job sends"].state == "ok"
    assert problems(found) == []
    assert "secret-" not in format_findings(tuple(found.values()))


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        (trust("repo:octo-lab/lighthouse:ref:refs/heads/other"), "does not match what the job sends"),
        (trust(SUBJECT, repository_id="1"), "does not match what the job sends"),
        (trust("repo:octo-lab/*", operator="StringLike"), "matches the job only by a wildcard"),
        (trust("repo:octo-cat/*", operator="StringLike"), "does not match what the job sends"),
        ({"Version": "2012-10-17", "Statement": []}, "does not match what the job sends"),
    ],
    ids=["another branch", "another id", "wildcard", "other wildcard", "nothing"],
)
def test_role_that_does_not_trust_exactly_the_job_is_a_problem(
    look: Callable[..., Findings], aws: Aws, job: JobOf, policy: dict[str, Any], what: str
) -> None:
    """A different claim locks the job out, and a wildcard lets other jobs in."""
    found = look(job(policy), store=aws.store, export_to=aws.export_to)
    assert problems(found) == [f"role {aws.table}: its trust policy {what}"]
    assert "aws iam update-assume-role-policy" in found[problems(found)[0]].remedy


def test_trust_that_may_not_be_read_is_unknown(
    look: Callable[..., Findings], aws: Aws, job: JobOf, front: Front
) -> None:
    """A run's role needs no permission to read itself; the claims of the job are still shown."""
    environ = job(trust(SUBJECT))
    front.denied = "^iam"
    found = look(environ, store=aws.store, export_to=aws.export_to)
    assert unknown(found) == [f"role {aws.table}: its trust policy"]
    assert f"OIDC: the job sends sub {SUBJECT}, repository_id 904221377" in found


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "`permissions: id-token: write`"),
        ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "other"}, "GitHub returned no token (HTTPError)"),
    ],
)
def test_subject_that_cannot_be_asked_for_is_unknown(
    look: Callable[..., Findings], aws: Aws, job: JobOf, change: dict[str, str], why: str
) -> None:
    """The job may use AWS keys instead of OIDC, so this is no problem."""
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
    """GitHub delays or drops such runs; other workflows are not checked."""
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
