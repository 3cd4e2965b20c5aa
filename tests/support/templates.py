"""Reads the templates below infra/, and replaces their functions by values."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.support.builders import CLAIMS, NAME, ROOT

Template = dict[str, Any]
DAY = 86400


class Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short tags as the functions that they stand for."""

    def function(self, name: str, node: yaml.Node) -> dict[str, Any]:
        """Write `!Ref x` as {"Ref": x}, `!GetAtt a.b` as {"Fn::GetAtt": [a, b]}, `!Sub x` as {"Fn::Sub": x}."""
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = self.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        elif isinstance(node, yaml.MappingNode):
            value = self.construct_mapping(node, deep=True)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


Loader.add_multi_constructor("!", Loader.function)


def read_template(name: str) -> Template:
    """Parse a template of ours."""
    text = (ROOT / "infra" / name).read_text()
    template: Template = yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader that knows the short tags
    return template


BASE = read_template("base.yaml")


LAMBDA = read_template("lambda.yaml")


FLEET = read_template("fleet.yaml")


ACCOUNT = "123456789012"
VALUES: dict[str, Any] = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": None,
    "AWS::StackName": "ghtraffic",
    # parameters
    "Owner": "octo-lab",
    "Repository": "lighthouse",
    "OwnerId": "1",
    "RepositoryId": "7",
    "TokenParameter": "/ghtraffic/token",
    "Repositories": NAME,
    "CodeBucket": "code",
    # what base.yaml makes
    "OidcProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{CLAIMS}",
    "Table": "history",
    "Table.Arn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/history",
    "Bucket": "exports",
    "Bucket.Arn": "arn:aws:s3:::exports",
    "WriterPolicy": f"arn:aws:iam::{ACCOUNT}:policy/writer",
    "ReaderPolicy": f"arn:aws:iam::{ACCOUNT}:policy/reader",
    "Role.Arn": f"arn:aws:iam::{ACCOUNT}:role/traffic",
    "AlarmTopic": f"arn:aws:sns:eu-central-1:{ACCOUNT}:alarms",
    # what lambda.yaml makes
    "LogGroup": "traffic",
    "LogGroup.Arn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:traffic:*",
    "WhatFailed": "failed",
    "WhatFailed.Arn": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:failed",
    "WhatFailed.QueueName": "failed",
    "Function": "traffic",
    "Function.Arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:traffic",
    "FunctionRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/function",
    "ScheduleRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/schedule",
    # what fleet.yaml makes
    "Credentials": '[{"repositories": "octo-lab/*", "github-token": "ssm:/ghtraffic/fleet/octo-lab"}]',
    "StateMachine": f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:fleet",
    "StateMachine.Name": "fleet",
    "StateMachineRole": "states",
    "StateMachineRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/states",
}
"""What references stand for, unless a test says otherwise; other parameters have their defaults."""


def values_of(template: Template, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return what each reference of the template stands for, its conditions included."""
    defaults = {name: found["Default"] for name, found in template["Parameters"].items() if "Default" in found}
    made_here = {name: name for name in template["Resources"]}
    made_here |= {f"{name}.Arn": f"arn:{name}" for name in template["Resources"]}
    values = made_here | defaults | VALUES | parameters
    for name, condition in template.get("Conditions", {}).items():
        values[name] = resolve(condition, values)
    return values


def exports(template: Template, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return what a template exports, by export name."""
    values = values_of(template, **parameters)
    outputs = [output for output in template["Outputs"].values() if "Export" in output]
    found = [resolve(output, values) for output in outputs if values.get(output.get("Condition", ""), True)]
    return {output["Export"]["Name"]: output["Value"] for output in found}


def resolve(tree: Any, values: dict[str, Any]) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - YAML; a case for each function
    """Replace references by values, as CloudFormation does."""
    match tree:
        case {"Ref": name} | {"Condition": str(name)} if len(tree) == 1:
            return values[name]
        case {"Fn::GetAtt": path}:
            return values[".".join(path)]
        case {"Fn::ImportValue": name}:
            return values[resolve(name, values)]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}!]+)\}", lambda found: str(values[found[1]]), text).replace("${!", "${")
        case {"Fn::Sub": [text, more]}:
            return resolve({"Fn::Sub": text}, values | resolve(more, values))
        case {"Fn::If": [condition, yes, no]}:
            return resolve(yes if values[condition] else no, values)
        case {"Fn::Base64": text}:
            return base64.b64encode(resolve(text, values).encode()).decode()
        case {"Fn::Equals": [one, other]}:
            return resolve(one, values) == resolve(other, values)
        case {"Fn::Not": [statement]}:
            return not resolve(statement, values)
        case {"Fn::Or": alternatives}:
            return any(resolve(alternatives, values))
        case {"Fn::And": statements}:
            return all(resolve(statements, values))
        case dict():
            found = {name: resolve(value, values) for name, value in tree.items()}
            return {name: value for name, value in found.items() if value is not None}
        case list():
            return [value for value in (resolve(value, values) for value in tree) if value is not None]
    return tree


def made(template: Template, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return the resources that the template creates for these parameters, by name, each with its properties."""
    values = values_of(template, **parameters)
    return {
        name: resolve(found.get("Properties", {}), values)
        for name, found in template["Resources"].items()
        if values.get(found.get("Condition", ""), True)
    }


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Find the resources of a type."""
    return {name: found for name, found in template["Resources"].items() if found["Type"] == kind}


def properties(template: Template, name: str) -> dict[str, Any]:
    """Return a resource's properties."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def refused(template: Template, **parameters: Any) -> list[str]:  # noqa: ANN401 - YAML
    """Return why the template's rules refuse parameters."""
    values = values_of(template, **parameters)
    assertions = [found for rule in template["Rules"].values() for found in rule["Assertions"]]
    return [found["AssertDescription"] for found in assertions if not resolve(found["Assert"], values)]


def texts(tree: Any) -> Iterator[str]:  # noqa: ANN401 - YAML
    """Yield every text of a tree."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from texts(value)


def statements(template: Template) -> Iterator[dict[str, Any]]:
    """Yield every statement that allows something to anybody, also conditional ones."""
    for document in [found for found in dictionaries(template["Resources"]) if "Statement" in found]:
        for statement in document["Statement"]:
            options = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            yield from (option for option in options if option.get("Effect") == "Allow")


def dictionaries(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - YAML
    """Yield every dictionary of a tree, from the outside in."""
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from dictionaries(value)
