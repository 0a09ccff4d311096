"""An activation's `source` as steps of expressions, and expressions as text of a language.

`definition` is the only reader of `source`. A writer of a format walks through its steps: each is
computed for every unit, or reduced over units (Σ_j in softmax) or over pieces of a unit (maxout).
What a language calls its functions stands in one `Language`, not in the activations.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from bpcli.errors import ConfigError


@dataclass(frozen=True)
class Number:
    """A number that `source` gives."""

    value: float


@dataclass(frozen=True)
class Name:
    """`z`, an option such as `alpha`, or the result of an earlier step."""

    name: str


@dataclass(frozen=True)
class Operation:
    """A sign (`+`, `-`, `*`, `/`, `neg`, `<`, …) or a function, named as numpy names it."""

    name: str
    operands: tuple[Expression, ...]


Expression: TypeAlias = Number | Name | Operation

Reduction: TypeAlias = Literal["max", "min", "sum"]
FOLDS: dict[Reduction, str] = {"max": "maximum", "min": "minimum", "sum": "+"}
"""The operation that adds one more number to a reduction."""

Shape: TypeAlias = Literal["rows", "units", "sample"]
"""What a step has for each sample: a number per row of z, per unit, or a single one. Rows are units
unless units have `pieces`."""


@dataclass(frozen=True)
class Step:
    """name = value, or the `reduction` of the values: over all units, or over `pieces` of each.

    `of` is the shape of the value, and `shape` that of the result: `units` after a reduction over
    pieces, and `sample` after one over all units.
    """

    name: str
    value: Expression
    of: Shape
    shape: Shape
    reduction: Reduction | None = None


RESULT = "a"
"""The name of the last step of a definition."""


def size(expression: Expression) -> int:
    """The number of operations and operands in an expression."""
    return 1 + sum(map(size, expression.operands)) if isinstance(expression, Operation) else 1


def names(expression: Expression) -> set[str]:
    """The names in an expression."""
    if isinstance(expression, Operation):
        return set().union(*map(names, expression.operands))
    return {expression.name} if isinstance(expression, Name) else set()


# Reading.


@lru_cache
def definition(source: str) -> tuple[Step, ...]:
    """The steps from z to a; the last one is named a.

    `source` has assignments and one `return`, with the operators and comparisons of `_SIGNS` and
    the `FUNCTIONS` of numpy. `.max(axis=0)`, `.min` and `.sum` reduce over all units, and
    `.reshape(-1, pieces, z.shape[1]).max(axis=1)` over pieces. Raises `ConfigError` for other code.
    """
    reader = _Reader()
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                reader.add(name, value)
            case ast.Return(value=ast.expr() as value):
                reader.add(RESULT, value)
            case _:
                raise _unreadable(statement)
    if reader.shapes.get(RESULT, "sample") == "sample":
        raise _unreadable(ast.parse(source))
    return tuple(reader.steps)


@dataclass
class _Reader:
    """Collects steps, and the shapes of their names; any other name is an option."""

    steps: list[Step] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=lambda: {"z": "rows"})

    def add(self, name: str, code: ast.expr) -> None:
        """Add the steps of `name = code`."""
        if (parts := _reduction(code)) is not None:
            self._reduce(name, code, *parts)
        else:
            value = self._expression(code)
            shape = self._shape(value, code)
            self._add(Step(name, value, shape, shape))

    def _reduce(self, name: str, code: ast.expr, how: Reduction, of: ast.expr) -> None:
        pieces = _by_piece(of)
        value = self._expression(of if pieces is None else pieces)
        shape = self._shape(value, code)
        if shape not in (("rows", "units") if pieces is None else ("rows",)):
            raise _unreadable(code)
        self._add(Step(name, value, shape, "sample" if pieces is None else "units", how))

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        self.shapes[step.name] = step.shape

    def _shape(self, value: Expression, code: ast.expr) -> Shape:
        shapes = {self.shapes.get(name, "sample") for name in names(value)} - {"sample"}
        if len(shapes) > 1:  # a number per row and one per unit
            raise _unreadable(code)
        return next(iter(shapes), "sample")

    def _expression(self, code: ast.expr) -> Expression:
        """An expression; a reduction in it becomes a step of its own."""
        match code:
            case ast.Name(id=name):
                return Name(name)
            case ast.Constant(value=int() | float() as value):
                return Number(float(value))
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _SIGNS:
                return self._operation(_SIGNS[type(sign)], operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
                return self._operation(_SIGNS[type(sign)], left, right)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _SIGNS:
                return self._operation(_SIGNS[type(sign)], left, right)
            case ast.Call(func=ast.Attribute(ast.Name("np"), function), args=operands) if (
                FUNCTIONS.get(function) == len(operands) and not code.keywords
            ):
                return self._operation(function, *operands)
        return self._reduced(code)

    def _reduced(self, code: ast.expr) -> Name:
        parts = _reduction(code)
        if parts is None:
            raise _unreadable(code)
        of = parts[1].id if isinstance(parts[1], ast.Name) else str(len(self.steps) + 1)
        self.add(name := f"{parts[0]}_of_{of}", code)
        return Name(name)

    def _operation(self, name: str, *operands: ast.expr) -> Operation:
        return Operation(name, tuple(map(self._expression, operands)))


def _reduction(code: ast.expr) -> tuple[Reduction, ast.expr] | None:
    """The reduction and its argument, of `x.max(axis=0)` or over pieces with `axis=1`."""
    match code:
        case ast.Call(
            func=ast.Attribute(of, "max" | "min" | "sum" as how),
            args=[],
            keywords=[ast.keyword("axis", ast.Constant(int() as axis))],
        ) if axis == (0 if _by_piece(of) is None else 1):
            return how, of
    return None


def _by_piece(code: ast.expr) -> ast.expr | None:
    """x, of `x.reshape(-1, pieces, z.shape[1])`."""
    match code:
        case ast.Call(func=ast.Attribute(of, "reshape"), args=shape) if [
            ast.unparse(size) for size in shape
        ] == ["-1", "pieces", "z.shape[1]"]:
            return of
    return None


def _unreadable(code: ast.AST) -> ConfigError:
    return ConfigError(
        f"`{ast.unparse(code)}` in the source of an activation has no translation to other "
        "languages: write it with other functions, or override `onnx` of the activation."
    )


_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.USub: "neg",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}
FUNCTIONS = {
    "abs": 1,
    "exp": 1,
    "expm1": 1,
    "log": 1,
    "log1p": 1,
    "maximum": 2,
    "minimum": 2,
    "sqrt": 1,
    "tanh": 1,
    "where": 3,
}
"""Functions of numpy with their number of operands."""


# Writing.


@dataclass(frozen=True)
class Language:
    """How a language writes expressions.

    `functions` has a template for each of the `FUNCTIONS`, such as `fmax({0}, {1})`, and for
    signs that it writes as a function. `signs` has those that differ from Python's, such as `.*`.
    """

    name: str
    number: Callable[[float], str]
    functions: Mapping[str, str]
    signs: Mapping[str, str] = field(default_factory=dict)

    def write(self, expression: Expression, values: Mapping[str, str | float]) -> str:
        """An expression in which names are replaced by `values`: numbers, or text without signs.

        Raises `ConfigError` if the language does not have a function.
        """
        return self._written(expression, values)[0]

    def _written(
        self, expression: Expression, values: Mapping[str, str | float]
    ) -> tuple[str, int]:
        """The text, and how strongly its outermost operator binds."""
        match expression:
            case Number(value):
                return self._number(value)
            case Name(name):
                known = values[name]
                return (known, _ATOM) if isinstance(known, str) else self._number(known)
            case Operation(name, operands):
                written = [self._written(operand, values) for operand in operands]
                if name in self.functions:
                    return self.functions[name].format(*(text for text, _ in written)), _ATOM
                if name in _BINDING:
                    return self._signed(name, written), _BINDING[name]
                raise ConfigError(
                    f"{self.name} has no function `{name}`, which an activation uses."
                )

    def _number(self, value: float) -> tuple[str, int]:
        text = self.number(value)
        return text, _BINDING["neg"] if text.startswith("-") else _ATOM

    def _signed(self, name: str, operands: list[tuple[str, int]]) -> str:
        """Operands around a sign: one that binds as strongly, at the right, is in parentheses."""
        sign, binding = self.signs.get(name, name), _BINDING[name]
        right = _in_parentheses(*operands[-1], binding)
        if name == "neg":
            return f"-{right}"
        return f"{_in_parentheses(*operands[0], binding - 1)} {sign} {right}"


def _in_parentheses(text: str, binding: int, weakest: int) -> str:
    """The text, in parentheses unless it binds more strongly; a minus sign always is."""
    return f"({text})" if binding <= weakest or binding == _BINDING["neg"] else text


_BINDING = {">": 1, ">=": 1, "<": 1, "<=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "neg": 4}
_ATOM = 5
