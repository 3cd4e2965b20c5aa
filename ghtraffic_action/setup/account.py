"""The AWS account: what exists, and the stack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ghtraffic_action import aws
from ghtraffic_action.errors import StackError

_PROVIDER = "/token.actions.githubusercontent.com"
_NEEDED = (
    "cloudformation:CreateStack",
    "dynamodb:CreateTable",
    "s3:CreateBucket",
    "iam:CreateRole",
    "iam:CreatePolicy",
    "sns:CreateTopic",
    "cloudwatch:PutMetricAlarm",
)
"""Some of the permissions that deploying the stack needs."""


@dataclass(frozen=True, slots=True)
class Stack:
    """An existing stack."""

    status: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    template: str = ""


@dataclass(frozen=True, slots=True)
class AccountFound:
    """An account: region, OIDC provider of GitHub (empty: none), stack, missing permissions."""

    id: str
    region: str
    provider: str = ""
    stack: Stack | None = None
    denied: tuple[str, ...] = ()


class Account:
    """The AWS account of the environment's credentials."""

    def __init__(self) -> None:
        """Create the clients. Raises StackError without credentials or a region."""
        with _translate_errors("sts"):
            self._sts, self._iam = aws.client("sts"), aws.client("iam")
            self._cloudformation = aws.client("cloudformation")

    def look(self, stack: str) -> AccountFound:
        """Read what exists. Raises StackError."""
        with _translate_errors("sts"):
            caller = self._sts.get_caller_identity()
        with _translate_errors("iam"):
            listed = self._iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        provider = next((found["Arn"] for found in listed if found["Arn"].endswith(_PROVIDER)), "")
        region, denied = self._cloudformation.meta.region_name, tuple(self._denied(caller["Arn"]))
        return AccountFound(caller["Account"], region, provider, self._stack(stack), denied)

    def deploy(self, name: str, template: str, parameters: Mapping[str, str], before: Stack | None) -> None:
        """Create or update a stack; other parameters stay. Raises StackError."""
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        with _translate_errors("cloudformation"):
            known = self._cloudformation.validate_template(TemplateBody=template)["Parameters"]
            kept = {found["ParameterKey"] for found in known} - parameters.keys()
            kept &= before.parameters.keys() if before else set()
            call = self._cloudformation.update_stack if before else self._cloudformation.create_stack
            try:
                call(
                    StackName=name,
                    TemplateBody=template,
                    Capabilities=["CAPABILITY_IAM"],
                    Parameters=[*given, *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept))],
                )
            except aws.ERRORS as error:
                if "No updates are to be performed" in str(error):  # the templates differ in comments alone
                    return
                raise
        self._wait(name, "stack_update_complete" if before else "stack_create_complete")

    def _wait(self, name: str, until: str) -> None:
        try:
            self._cloudformation.get_waiter(until).wait(StackName=name, WaiterConfig={"Delay": 3, "MaxAttempts": 400})
        except aws.ERRORS as error:
            events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            failed = [found for found in events if found["ResourceStatus"].endswith("_FAILED")]
            why = failed[-1].get("ResourceStatusReason", "") if failed else type(error).__name__
            remedy = (
                f"remove the cause; if it was new, `aws cloudformation delete-stack --stack-name {name}`; run again"
            )
            raise StackError(f"stack {name}: it could not be deployed ({aws.without_ids(why)}): {remedy}") from error

    def _stack(self, name: str) -> Stack | None:
        try:
            [found] = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
            template = self._cloudformation.get_template(StackName=name)["TemplateBody"]
        except aws.ERRORS as error:
            if aws.code(error) == "ValidationError":
                return None
            raise StackError(f"stack {name}: {aws.explain(error, 'cloudformation')}") from error
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
        return Stack(found["StackStatus"], parameters, outputs, str(template))

    def _denied(self, principal: str) -> Iterator[str]:
        """Yield missing permissions, if they can be simulated."""
        if principal.endswith(":root"):
            return
        if ":assumed-role/" in principal:
            name = principal.split("/")[1]
            principal = f"{principal.split(':assumed-role/', maxsplit=1)[0].replace(':sts:', ':iam:')}:role/{name}"
        request: dict[str, Any] = {"PolicySourceArn": principal, "ActionNames": list(_NEEDED)}
        try:
            results = self._iam.simulate_principal_policy(**request)["EvaluationResults"]
        except aws.ERRORS:
            return
        yield from (one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed")


@contextmanager
def _translate_errors(service: str) -> Iterator[None]:
    try:
        yield
    except aws.ERRORS as error:
        raise StackError(f"AWS: {aws.explain(error, service)}") from error
