"""The plan of `ghtraffic setup`: the steps from what exists to a daily collection."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ghtraffic_action.github.repository_settings import RepositoryFound
from ghtraffic_action.setup.account import AccountFound, Stack
from ghtraffic_action.setup.checkout import is_checkout
from ghtraffic_action.setup.packaged import read_packaged
from ghtraffic_action.setup.plan import Found, Plan, Wanted, plan
from tests.support.builders import NAME, ROOT

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
WANTED = Wanted("ghtraffic", "template", "workflow", token=True)
OWNED = {"Owner": "octo-lab", "Repository": "lighthouse", "OwnerId": "1", "RepositoryId": "7"}
OUTPUTS = {"TableName": "table", "BucketName": "bucket", "RoleArn": "role"}
STACK = Stack("CREATE_COMPLETE", OWNED | {"SubjectContext": "environment:data"}, OUTPUTS, "template")
VARIABLES = {"TRAFFIC_TABLE": "table", "TRAFFIC_BUCKET": "bucket", "TRAFFIC_ROLE": "role", "AWS_REGION": "us-east-1"}
NEW = Found(RepositoryFound(NAME, 7, 1, "trunk"), AccountFound("123456789012", "us-east-1", PROVIDER), in_checkout=True)
DONE = replace(
    NEW,
    repository=replace(NEW.repository, variables=VARIABLES, secrets=frozenset({"TRAFFIC_TOKEN"})),
    account=replace(NEW.account, stack=STACK),
    workflow="somebody's own",
)


def with_stack(stack: Stack) -> Found:
    return replace(DONE, account=replace(DONE.account, stack=stack))


def to_do(planned: Plan) -> list[str]:
    return [f"{step.kind} {step.name}" for step in planned.to_do]


def test_everything_is_new() -> None:
    """The stack trusts the default branch, and uses the account's OIDC provider."""
    planned = plan(NEW, WANTED)
    assert to_do(planned) == [
        "stack ghtraffic",
        *(f"variable {name}" for name in VARIABLES),
        "secret TRAFFIC_TOKEN",
        "workflow .github/workflows/traffic.yml",
    ]
    trust = {"SubjectContext": "ref:refs/heads/trunk", "OidcProviderArn": PROVIDER}
    assert planned.parameters == OWNED | trust


def test_everything_is_there() -> None:
    """There is nothing to do, whatever other parameters and the workflow are."""
    planned = plan(DONE, WANTED)
    assert (planned.to_do, planned.problems, planned.remaining) == ((), (), ())


def test_a_stack_is_updated_by_what_differs_alone() -> None:
    """A new template or address is updated; the trusted branch or environment stays."""
    assert to_do(plan(with_stack(replace(STACK, template="older")), WANTED)) == ["stack ghtraffic"]
    assert plan(with_stack(replace(STACK, template="older")), WANTED).parameters == {}
    planned = plan(DONE, replace(WANTED, email="somebody@example.org"))
    assert planned.parameters == {"AlarmEmail": "somebody@example.org"}
    assert "confirm the mail" in planned.remaining[0]


def test_a_stack_of_a_lambda_gets_a_role() -> None:
    """A stack without a workflow is updated to have one."""
    planned = plan(with_stack(replace(STACK, parameters={"Owner": ""})), WANTED)
    assert planned.parameters["SubjectContext"] == "ref:refs/heads/trunk"
    assert to_do(planned) == ["stack ghtraffic"]


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (with_stack(replace(STACK, status="UPDATE_IN_PROGRESS")), "run again when that has ended"),
        (
            with_stack(replace(STACK, status="ROLLBACK_COMPLETE")),
            "`aws cloudformation delete-stack --stack-name ghtraffic`",
        ),
        (
            with_stack(replace(STACK, parameters=OWNED | {"Repository": "other"})),
            "it is for octo-lab/other: choose another name",
        ),
    ],
)
def test_a_stack_that_cannot_be_used_is_a_problem(found: Found, problem: str) -> None:
    """The problem is shown with a remedy before any change."""
    [shown] = plan(found, WANTED).problems
    assert problem in shown


def test_each_step_that_cannot_be_made_is_left_to_the_user() -> None:
    """Steps that lack permissions or a checkout are left to the user with their commands."""
    repository = replace(NEW.repository, refused={"variable": "GitHub answered 403", "secret": "GitHub answered 403"})
    planned = plan(replace(NEW, repository=repository, in_checkout=False), WANTED)
    assert to_do(planned) == ["stack ghtraffic"]
    assert len(planned.remaining) == 6
    assert all(f"--repo {NAME}" in line for line in planned.remaining[:5])


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        (f"https://github.com/{NAME}", True),
        (f"git@github.com:{NAME.upper()}.git", True),
        (f"https://github.com/{NAME}s", False),
        ("", False),
    ],
)
def test_a_checkout_is_known_by_its_remotes(remote: str, *, expected: bool) -> None:
    """Nothing is written into another repository's folder, or outside a checkout."""
    assert not is_checkout(Path(), NAME)
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    if remote:
        subprocess.run(["git", "remote", "add", "origin", remote], check=True)
    assert is_checkout(Path(), NAME) is expected


def test_a_checkout_of_ours_has_the_template_and_the_workflow() -> None:
    """In a checkout, template and workflow are read from where they are written."""
    assert read_packaged("base.yaml") == (ROOT / "infra" / "base.yaml").read_text()
    assert read_packaged("traffic.yml") == (ROOT / "examples" / "traffic.yml").read_text()
