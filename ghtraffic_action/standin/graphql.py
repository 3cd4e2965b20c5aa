"""The answers of GitHub's GraphQL endpoint: data where there is some, and an error for each field that is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ghtraffic_action.standin.graphql_check import check, read_variables
from ghtraffic_action.standin.graphql_query import Document, Field, QueryError, Variable, parse
from ghtraffic_action.standin.graphql_schema import SCHEMA, FieldError, Known, World
from ghtraffic_action.standin.repositories import Repository

Path = tuple[str | int, ...]


def answer(world: World, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request; what is refused of one repository leaves the data of the others alone."""
    query = request.get("query")
    if not isinstance(query, str) or not query.strip():
        return {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
    try:
        document = parse(query)
        check(document)
        run = _Run(world, document, read_variables(document, request.get("variables") or {}))
    except QueryError as error:
        return {"errors": error.entries}
    told = run.select(document.flat(document.selections), world, "Query", ())
    return {"data": told, "errors": run.errors} if run.errors else {"data": told}


@dataclass
class _Run:
    world: World
    document: Document
    variables: Mapping[str, Any]
    errors: list[dict[str, Any]] = field(default_factory=list)

    def select(self, fields: list[Field], source: object, type_: str, path: Path) -> dict[str, Any] | None:
        """Answer the selections of one node: None where a field that may not be null is refused."""
        told: dict[str, Any] = {}
        for asked in fields:
            known, below = SCHEMA[type_][asked.name], (*path, asked.key)
            told[asked.key] = self._complete(asked, known, self._found(asked, known, source, below), below)
            if told[asked.key] is None and not known.nullable:
                return None
        return told

    def _found(self, asked: Field, known: Known, source: object, path: Path) -> Any:  # noqa: ANN401 - any value
        try:
            if isinstance(source, Repository):
                self._permit(source, asked.name)
            return known.give(source, self._arguments(asked))
        except FieldError as error:
            self.errors.append(error.entry | {"path": list(path), "locations": [dict(asked.location)]})
            return None

    def _permit(self, repository: Repository, name: str) -> None:
        if message := self.world.refused.get((repository.name.lower(), name)):
            raise FieldError("FORBIDDEN", message, extensions={"saml_failure": False})

    def _arguments(self, asked: Field) -> dict[str, Any]:
        return {
            name: self.variables[value.name] if isinstance(value, Variable) else value
            for name, value in asked.arguments.items()
        }

    def _complete(self, asked: Field, known: Known, value: Any, path: Path) -> Any:  # noqa: ANN401 - any value
        if not known.type or value is None:
            return value
        fields = self.document.flat(asked.selections)
        if isinstance(value, list):
            return [self.select(fields, item, known.type, (*path, place)) for place, item in enumerate(value)]
        return self.select(fields, value, known.type, path)
