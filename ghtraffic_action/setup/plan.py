"""The steps from what exists to a daily collection."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ghtraffic_action.github.repository_settings import RepositoryFound
from ghtraffic_action.setup.account import AccountFound, Stack

OUTPUTS = {"TRAFFIC_TABLE": "TableName", "TRAFFIC_BUCKET": "BucketName", "TRAFFIC_ROLE": "RoleArn"}
"""The Actions variables, each with the output of the stack that is its value."""

REGION, SECRET, WORKFLOW = "AWS_REGION", "TRAFFIC_TOKEN", ".github/workflows/traffic.yml"
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")

Kind = Literal["stack", "variable", "secret", "workflow"]
State = Literal["done", "to do", "by hand"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants: stack name, template, workflow, and whether there is a token."""

    stack: str
    template: str
    workflow: str
    email: str = ""
    token: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What exists: repository, account, and a checkout's workflow file (None: none)."""

    repository: RepositoryFound
    account: AccountFound
    in_checkout: bool
    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its subject, whether it is done, and how to do it by hand."""

    kind: Kind
    name: str
    state: State
    what: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order, obstacles and warnings, and what the user has to do."""

    steps: tuple[Step, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def to_do(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.state == "to do")


def plan(found: Found, wanted: Wanted) -> Plan:
    """Return the steps to do, with none to do if all is set up."""
    parameters = _parameters(found, wanted)
    stack = _stack_step(found, wanted, parameters)
    steps = (stack, *_variables(found, wanted), _secret(found, wanted), _workflow(found))
    return Plan(
        steps,
        problems=tuple(_problems(found, wanted)),
        warnings=tuple(_warnings(found)) if stack.state == "to do" else (),
        remaining=tuple(_remaining(steps, found, wanted)),
        parameters=parameters,
    )


def variable_values(account: AccountFound) -> dict[str, str]:
    """Return the values of known variables; the stack's outputs once it exists."""
    outputs: Mapping[str, str] = account.stack.outputs if account.stack else {}
    return {name: outputs[output] for name, output in OUTPUTS.items() if output in outputs} | {REGION: account.region}


def _parameters(found: Found, wanted: Wanted) -> dict[str, str]:
    """Return the stack's parameters to change; all others stay."""
    repository, stack = found.repository, found.account.stack
    owner, _, name = repository.name.partition("/")
    given = {"Owner": owner, "Repository": name, "OwnerId": str(repository.owner_id)}
    given |= {"RepositoryId": str(repository.id)} | ({"AlarmEmail": wanted.email} if wanted.email else {})
    if stack is None or not stack.parameters.get("Owner"):  # or else the role, its branch and its provider are there
        given |= {"SubjectContext": f"ref:refs/heads/{repository.branch}", "OidcProviderArn": found.account.provider}
    before: Mapping[str, str] = stack.parameters if stack else {}
    return {key: value for key, value in given.items() if before.get(key) != value}


def _problems(found: Found, wanted: Wanted) -> Iterator[str]:
    stack, name = found.account.stack, wanted.stack
    if stack and stack.status.endswith("_IN_PROGRESS"):
        yield f"stack {name}: it is being changed ({stack.status}): run again when that has ended"
    elif stack and stack.status not in _GOOD:
        yield f"stack {name}: it is in {stack.status}: `aws cloudformation delete-stack --stack-name {name}`, run again"
    owner, repository = ((stack.parameters if stack else {}).get(key, "") for key in ("Owner", "Repository"))
    if owner and f"{owner}/{repository}".lower() != found.repository.name.lower():
        yield f"stack {name}: it is for {owner}/{repository}: choose another name with `--stack`"


def _warnings(found: Found) -> Iterator[str]:
    if denied := found.account.denied:  # AWS's simulation ignores limits to single resources, so it may be wrong
        remedy = "use credentials that may, or let somebody who may run the stack's line first"
        yield f"these AWS credentials seem to lack {', '.join(denied)}: {remedy}"


def _stack_step(found: Found, wanted: Wanted, parameters: Mapping[str, str]) -> Step:
    stack, name = found.account.stack, wanted.stack
    overrides = " ".join(f'{key}="{value}"' for key, value in parameters.items())
    line = (
        f"aws cloudformation deploy --stack-name {name} --template-file infra/base.yaml --capabilities CAPABILITY_IAM"
    )
    line += f" --parameter-overrides {overrides}" if overrides else ""
    if stack is None:
        provider = "the OIDC provider that is there" if found.account.provider else "GitHub's OIDC provider"
        return Step("stack", name, "to do", f"make a table, a bucket, a role, four alarms, with {provider}", line)
    if parameters or _changed(stack, wanted):
        changes = ", ".join([*parameters, *(["the template"] if _changed(stack, wanted) else [])])
        return Step("stack", name, "to do", f"update it ({changes})", line)
    return Step("stack", name, "done", "it is up to date", line)


def _changed(stack: Stack, wanted: Wanted) -> bool:
    return stack.template.strip() != wanted.template.strip()


def _variables(found: Found, wanted: Wanted) -> Iterator[Step]:
    repository, values = found.repository, variable_values(found.account)
    for name in (*OUTPUTS, REGION):
        value = values.get(name, "")
        shown = value or f"the stack's {OUTPUTS.get(name, '')}"
        query = f"Stacks[0].Outputs[?OutputKey==`{OUTPUTS.get(name, '')}`].OutputValue"
        ask = f"aws cloudformation describe-stacks --stack-name {wanted.stack} --output text --query '{query}'"
        line = f'gh variable set {name} --repo {repository.name} --body "{value or f"$({ask})"}"'
        if value and repository.variables.get(name) == value:
            yield Step("variable", name, "done", f"it is {value}", line)
        elif refusal := repository.refused.get("variable"):
            yield Step("variable", name, "by hand", f"set it to {shown} yourself ({refusal})", line)
        else:
            yield Step("variable", name, "to do", f"set it to {shown}", line)


def _secret(found: Found, wanted: Wanted) -> Step:
    line = f"gh secret set {SECRET} --repo {found.repository.name}"
    if SECRET in found.repository.secrets:
        return Step("secret", SECRET, "done", "it is there, and stays as it is", line)
    if refusal := found.repository.refused.get("secret"):
        return Step("secret", SECRET, "by hand", f"set it yourself ({refusal})", line)
    if not wanted.token:
        return Step("secret", SECRET, "by hand", "set it yourself, since GHTRAFFIC_TRAFFIC_TOKEN is empty", line)
    return Step("secret", SECRET, "to do", "set it to GHTRAFFIC_TRAFFIC_TOKEN, encrypted", line)


def _workflow(found: Found) -> Step:
    line = f"cp examples/traffic.yml {WORKFLOW}"
    if not found.in_checkout:
        what = f"run this in a checkout of {found.repository.name}, or copy the file yourself"
        return Step("workflow", WORKFLOW, "by hand", what, line)
    if found.workflow is not None:
        return Step("workflow", WORKFLOW, "done", "it is there, and stays as it is", line)
    return Step("workflow", WORKFLOW, "to do", "write it", line)


def _remaining(steps: tuple[Step, ...], found: Found, wanted: Wanted) -> Iterator[str]:
    for step in steps:
        if step.state == "by hand":
            if step.kind == "secret" and not wanted.token:
                yield (
                    "make a fine-grained token at https://github.com/settings/personal-access-tokens/new for what you "
                    "want to collect, with the repository permission Administration: read"
                )
            yield f"{step.kind} {step.name}: {step.line}"
    if wanted.email and not (found.account.stack and found.account.stack.parameters.get("AlarmEmail") == wanted.email):
        yield f"confirm the mail that AWS sends to {wanted.email}, or no alarm arrives"
    if any(step.kind == "workflow" and step.state == "to do" for step in steps):
        yield f"commit and push {WORKFLOW}, then: gh workflow run traffic.yml --repo {found.repository.name}"
