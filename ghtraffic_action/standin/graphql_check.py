"""The mistakes in a query for which GitHub answers with errors and no data."""

from collections.abc import Iterable, Mapping
from typing import Any

from ghtraffic_action.standin.graphql_query import Document, Field, QueryError, Variable
from ghtraffic_action.standin.graphql_schema import SCHEMA, Known


def check(document: Document) -> None:
    """Raise QueryError for the first field or argument that the schema does not have."""
    operation = f"query {document.name}" if document.name else "query"
    _check_fields(document, document.flat(document.selections), "Query", (operation,))


def read_variables(document: Document, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give each declared variable its value, else its default; QueryError where a required one has neither."""
    variables = {name: given.get(name, declared.default) for name, declared in document.variables.items()}
    for name, declared in document.variables.items():
        if declared.required and variables[name] is None:
            raise QueryError({"message": f"Variable ${name} of a non-null type was provided invalid value"})
    return variables


def _check_fields(document: Document, fields: Iterable[Field], type_: str, path: tuple[str, ...]) -> None:
    for asked in fields:
        below = (*path, asked.key)
        known = SCHEMA[type_].get(asked.name)
        if known is None:
            message = f"Field '{asked.name}' doesn't exist on type '{type_}'"
            raise _mistake(asked, below, message, code="undefinedField", typeName=type_, fieldName=asked.name)
        _check_arguments(document, asked, known, below)
        _check_selections(asked, known, below)
        if known.type:
            _check_fields(document, document.flat(asked.selections), known.type, below)


def _check_arguments(document: Document, asked: Field, known: Known, path: tuple[str, ...]) -> None:
    for name, value in asked.arguments.items():
        if name not in known.takes + known.requires:
            message = f"Field '{asked.name}' doesn't accept argument '{name}'"
            raise _mistake(asked, path, message, code="argumentNotAccepted", name=asked.name, argumentName=name)
        if isinstance(value, Variable) and value.name not in document.variables:
            message = f"Variable ${value.name} is used by {document.name or 'anonymous query'} but not declared"
            raise _mistake(asked, path, message, code="variableNotDefined", variableName=value.name)
    if missing := ", ".join(name for name in known.requires if name not in asked.arguments):
        message = f"Field '{asked.name}' is missing required arguments: {missing}"
        raise _mistake(asked, path, message, code="missingRequiredArguments", name=asked.name, arguments=missing)


def _check_selections(asked: Field, known: Known, path: tuple[str, ...]) -> None:
    if known.type and not asked.selections:
        message = f"Field must have selections (field '{asked.name}' returns {known.type} but has no selections)"
    elif asked.selections and not known.type:
        message = f"Selections can't be made on scalars (field '{asked.name}' has selections)"
    else:
        return
    raise _mistake(asked, path, message, code="selectionMismatch", nodeName=f"field '{asked.name}'")


def _mistake(asked: Field, path: tuple[str, ...], message: str, **codes: str) -> QueryError:
    return QueryError(
        {"path": list(path), "extensions": codes, "locations": [dict(asked.location)], "message": message}
    )
