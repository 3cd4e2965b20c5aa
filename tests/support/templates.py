"""The templates below infra/, read."""

from typing import Any

import yaml

from tests.support.builders import ROOT

Template = dict[str, Any]


class Loader(yaml.SafeLoader):
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
