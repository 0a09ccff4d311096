"""Expressions of MATLAB: the part of its grammar that functions of networks use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bpcli.imports.matlab_tokens import Token
from bpcli.nn.arrays import Array

_MOST_DEPTH = 60


@dataclass(frozen=True, eq=False)
class Constant:
    """A number or a matrix; `flaw` says why it cannot be used, if it cannot."""

    value: Array
    flaw: str = ""


@dataclass(frozen=True)
class Text:
    """A text in quotes."""

    value: str


@dataclass(frozen=True)
class Name:
    """A variable or a function; `@name` too."""

    name: str


@dataclass(frozen=True)
class Field:
    """base.name"""

    base: Expression
    name: str


@dataclass(frozen=True)
class Call:
    """base(arguments), which is a call or takes elements; base{arguments} if `is_cell`."""

    base: Expression
    arguments: tuple[Expression, ...]
    is_cell: bool = False


@dataclass(frozen=True)
class Operation:
    """An operator with one or two operands; transposition is `'`."""

    sign: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Cell:
    """{elements}"""

    elements: tuple[Expression, ...]


@dataclass(frozen=True)
class Other:
    """An expression that is not read: its text."""

    text: str


Expression = Constant | Text | Name | Field | Call | Operation | Cell | Other


def names_in(expression: Expression) -> list[str]:
    """The names of variables and functions in an expression."""
    match expression:
        case Name(name):
            return [name]
        case Field(base, _):
            return names_in(base)
        case Call(base, parts):
            return [*names_in(base), *(name for part in parts for name in names_in(part))]
        case Operation(_, parts) | Cell(parts):
            return [name for part in parts for name in names_in(part)]
        case Other(text):
            return re.findall(r"[A-Za-z]\w*", text)
    return []


class NotRead(Exception):
    """Tokens do not follow the grammar."""


_STRENGTH = {
    "||": 1, "&&": 2, "|": 3, "&": 4,
    "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 5, "~=": 5, "!=": 5,
    ":": 6, "+": 7, "-": 7, "*": 8, ".*": 8, "/": 8, "./": 8, "\\": 8, ".\\": 8,
    "^": 10, ".^": 10,
}  # fmt: skip
_UNARY_STRENGTH = 9


class Parser:
    """Reads an expression by the strength of its operators."""

    def __init__(self, statement: Sequence[Token]) -> None:
        self._tokens = statement
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        """The expression of all tokens. Raises `NotRead` if there is none."""
        expression = self._expression(0)
        if self._next < len(self._tokens):
            raise NotRead
        return expression

    @property
    def _ahead(self) -> str:
        """The text of the next sign; empty if there is none."""
        if self._next >= len(self._tokens):
            return ""
        token = self._tokens[self._next]
        return token.text if token.kind == "sign" else ""

    def _expression(self, strength: int) -> Expression:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise NotRead
        left = self._operand()
        while (sign := self._ahead) in _STRENGTH and _STRENGTH[sign] > strength:
            self._next += 1
            left = Operation(sign, (left, self._expression(_STRENGTH[sign])))
        self._depth -= 1
        return left

    def _operand(self) -> Expression:
        if self._ahead in ("-", "+", "~", "!"):
            sign = self._ahead
            self._next += 1
            return Operation(sign, (self._expression(_UNARY_STRENGTH),))
        expression = self._primary()
        while self._ahead in ("(", "{", ".", "'", ".'"):
            expression = self._suffixed(expression)
        return expression

    def _primary(self) -> Expression:
        if self._next >= len(self._tokens):
            raise NotRead
        token = self._tokens[self._next]
        self._next += 1
        if token.value is not None:
            return Constant(token.value, token.flaw)
        if token.kind == "string":
            return Text(token.text)
        if token.kind == "name":
            return Name(token.text)
        if token.kind == "brackets":
            return Other(token.text)
        return self._of_sign(token.text)

    def _of_sign(self, sign: str) -> Expression:
        if sign == "(":
            expression = self._expression(0)
            self._expect(")")
            return expression
        if sign == "{":
            return Cell(self._listed("}"))
        if sign == ":":
            return Name(":")
        if sign == "@" and self._next < len(self._tokens):
            return self._primary()
        raise NotRead

    def _suffixed(self, base: Expression) -> Expression:
        sign = self._ahead
        self._next += 1
        if sign in ("'", ".'"):
            return Operation("'", (base,))
        if sign == ".":
            token = self._tokens[self._next] if self._next < len(self._tokens) else None
            self._next += 1
            if token is None or token.kind != "name":
                raise NotRead
            return Field(base, token.text)
        close = ")" if sign == "(" else "}"
        return Call(base, self._listed(close), is_cell=sign == "{")

    def _listed(self, close: str) -> tuple[Expression, ...]:
        """Expressions between commas or semicolons, up to a closing sign."""
        arguments: list[Expression] = []
        while self._ahead != close:
            while self._ahead in (",", ";"):
                self._next += 1
            if self._ahead != close:
                arguments.append(self._argument())
                if self._ahead not in (",", ";", close):
                    raise NotRead
        self._next += 1
        return tuple(arguments)

    def _argument(self) -> Expression:
        """An expression, or a colon alone."""
        token = self._tokens[self._next] if self._next < len(self._tokens) else None
        after = self._tokens[self._next + 1 : self._next + 2]
        if token is not None and token.text == ":" and after and after[0].text in (",", ")"):
            self._next += 1
            return Name(":")
        return self._expression(0)

    def _expect(self, sign: str) -> None:
        if self._ahead != sign:
            raise NotRead
        self._next += 1
