"""What a GraphQL query says: its operation, fields, arguments and fragments, read from the text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

TOKEN = re.compile(
    r"(?P<skipped>[\s,\ufeff]+|\#[^\n\r]*)"
    r"|(?P<string>\"\"\".*?\"\"\"|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[_A-Za-z]\w*)"
    r"|(?P<sign>\.\.\.|[!$&()\[\]{}:=|@])"
    r"|(?P<unknown>.)",
    re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<sign>.))")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class QueryError(Exception):
    """The query cannot be answered at all; `entries` are what `errors` must hold."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        super().__init__(*(entry["message"] for entry in entries))
        self.entries = list(entries)


@dataclass(frozen=True)
class Variable:
    """An argument's value that the request's variables hold."""

    name: str


@dataclass(frozen=True)
class Field:
    """One field asked for, under `key` in the answer."""

    key: str
    name: str
    arguments: Mapping[str, Any]
    selections: "tuple[Field | Spread, ...]"
    location: Mapping[str, int]


@dataclass(frozen=True)
class Spread:
    """A fragment asked for: the named one, or, with no name, the selections themselves."""

    name: str
    selections: tuple["Field | Spread", ...] = ()


@dataclass(frozen=True)
class Declared:
    """A variable that the operation declares."""

    required: bool
    default: Any = None


@dataclass
class Document:
    """A whole query: one operation with the fragments beside it."""

    name: str = ""
    variables: dict[str, Declared] = field(default_factory=dict)
    selections: tuple[Field | Spread, ...] = ()
    fragments: dict[str, tuple[Field | Spread, ...]] = field(default_factory=dict)

    def flat(self, selections: tuple[Field | Spread, ...]) -> list[Field]:
        """List the fields of some selections with those of their fragments."""
        fields: list[Field] = []
        for selection in selections:
            if isinstance(selection, Field):
                fields.append(selection)
            elif selection.name and selection.name not in self.fragments:
                raise QueryError({"message": f"Fragment {selection.name} was used, but not defined"})
            else:
                fields += self.flat(self.fragments[selection.name] if selection.name else selection.selections)
        return fields


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int


@lru_cache(maxsize=32)
def parse(text: str) -> Document:
    """Read a query; QueryError where it is not one that the stand-in understands."""
    return _Parser(text).document()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            _Token(match.lastgroup or "", match[0], match.start())
            for match in TOKEN.finditer(text)
            if match.lastgroup != "skipped"
        ]
        self._tokens.append(_Token("end", "", len(text)))
        self._next = 0

    def document(self) -> Document:
        document = Document()
        while self._seen().kind != "end":
            if self._taken("fragment"):
                name = self._word()
                self._type_condition()
                document.fragments[name] = self._selections()
            else:
                self._operation(document)
        return document

    def _operation(self, document: Document) -> None:
        if self._taken("query"):
            document.name = self._word() if self._seen().kind == "word" else ""
            if self._taken("("):
                while not self._taken(")"):
                    self._declaration(document)
        document.selections = self._selections()

    def _declaration(self, document: Document) -> None:
        self._expect("$")
        name = self._word()
        self._expect(":")
        while self._taken("["):
            pass
        self._word()
        required = False
        while self._seen().text in {"!", "]"}:
            required = self._step().text == "!"
        document.variables[name] = (
            Declared(required=False, default=self._value()) if self._taken("=") else Declared(required=required)
        )

    def _selections(self) -> tuple[Field | Spread, ...]:
        self._expect("{")
        selections: list[Field | Spread] = []
        while not self._taken("}"):
            selections.append(self._spread() if self._taken("...") else self._field())
        return tuple(selections)

    def _spread(self) -> Spread:
        if self._seen().kind == "word" and self._seen().text != "on":
            return Spread(self._word())
        if self._seen().text == "on":
            self._type_condition()
        return Spread("", self._selections())

    def _type_condition(self) -> None:
        self._expect("on")
        self._word()

    def _field(self) -> Field:
        location = self._location()
        key = name = self._word()
        if self._taken(":"):
            name = self._word()
        arguments: dict[str, Any] = {}
        if self._taken("("):
            while not self._taken(")"):
                argument = self._word()
                self._expect(":")
                arguments[argument] = self._value()
        selections = self._selections() if self._seen().text == "{" else ()
        return Field(key, name, arguments, selections, location)

    def _value(self) -> Any:  # noqa: ANN401 - a GraphQL value is any JSON value or a variable
        if self._taken("$"):
            return Variable(self._word())
        if self._taken("["):
            return self._list()
        return self._object() if self._taken("{") else self._scalar()

    def _scalar(self) -> str | float | bool | None:
        token = self._step()
        match token.kind:
            case "string":
                return _unquoted(token.text)
            case "number":
                return float(token.text) if "." in token.text else int(token.text)
            case "word":
                return WORDS.get(token.text, token.text)
        return self._fail(token)

    def _list(self) -> list[Any]:
        values = []
        while not self._taken("]"):
            values.append(self._value())
        return values

    def _object(self) -> dict[str, Any]:
        values = {}
        while not self._taken("}"):
            key = self._word()
            self._expect(":")
            values[key] = self._value()
        return values

    def _seen(self) -> _Token:
        return self._tokens[self._next]

    def _step(self) -> _Token:
        token = self._seen()
        if token.kind == "end":
            self._fail(token)
        self._next += 1
        return token

    def _taken(self, text: str) -> bool:
        taken = self._seen().text == text and self._seen().kind != "string"
        self._next += taken
        return taken

    def _expect(self, text: str) -> None:
        if not self._taken(text):
            self._fail(self._seen())

    def _word(self) -> str:
        token = self._step()
        return token.text if token.kind == "word" else self._fail(token)

    def _location(self) -> dict[str, int]:
        start = self._seen().start
        return {"line": self._text.count("\n", 0, start) + 1, "column": start - self._text.rfind("\n", 0, start)}

    def _fail(self, token: _Token) -> NoReturn:
        self._next = min(self._next, len(self._tokens) - 1)
        found = f'"{token.text}" ({token.kind.upper()})' if token.kind != "end" else "end of file"
        raise QueryError({"message": f"Parse error on {found}", "locations": [self._location()]})


def _unquoted(text: str) -> str:
    return text[3:-3].strip() if text.startswith('"""') else ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape["code"], 16)) if escape["code"] else ESCAPES.get(escape["sign"], escape["sign"])
