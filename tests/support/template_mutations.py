"""Rules of templates, and mutations that a rule has to notice."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from ghtraffic_action.errors import UserError
from tests.support.templates import Template

Rule = Callable[[Template], None]
"""Raises an error if a template does not keep it."""

Mutation = Callable[[Template], None]


def _place(template: Template, path: str) -> tuple[Any, Any]:
    """Find the container and the key of a place."""
    *parents, last = path.split("/")
    node: Any = template
    for step in parents:
        node = node[int(step) if isinstance(node, list) else step]
    return node, int(last) if isinstance(node, list) else last


def put(path: str, value: Any) -> Mutation:  # noqa: ANN401 - YAML
    """Set a place to another value."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        node[key] = value

    return mutate


def drop(path: str) -> Mutation:
    """Remove a place."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        del node[key]

    return mutate


def add(path: str, *values: Any) -> Mutation:  # noqa: ANN401 - YAML
    """Add to the list at a place."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        node[key] = [*(node[key] if isinstance(node[key], list) else [node[key]]), *values]

    return mutate


def rename(path: str, name: str) -> Mutation:
    """Rename a place."""

    def mutate(template: Template) -> None:
        node, key = _place(template, path)
        node[name] = node.pop(key)

    return mutate


def by_rule(mutants: Mapping[Rule, Sequence[Mutation]]) -> list[Any]:
    """Return a test's case for each rule, with the mutations that it has to notice."""
    return [pytest.param(rule, mutations, id=rule.__name__) for rule, mutations in mutants.items()]


def unnoticed(rule: Rule, template: Template, mutations: Sequence[Mutation]) -> list[int]:
    """Return which mutations of a template that keeps a rule are not noticed by it, by their numbers."""
    rule(template)
    return [number for number, mutate in enumerate(mutations) if not _notices(rule, template, mutate)]


def _notices(rule: Rule, template: Template, mutate: Mutation) -> bool:
    mutant = copy.deepcopy(template)
    mutate(mutant)
    assert mutant != template
    try:
        rule(mutant)
    except (AssertionError, LookupError, ValueError, AttributeError, TypeError, UserError):
        return True
    return False
