"""The values of MATLAB's expressions. Nothing is executed: formulas add steps to a signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bpcli.imports.matlab_arithmetic import OPERATOR_OF, NotFollowed, called, operated
from bpcli.imports.matlab_expressions import (
    Call,
    Cell,
    Constant,
    Expression,
    Field,
    Name,
    Operation,
    Other,
    Text,
)
from bpcli.imports.matlab_values import Filled, Reduced, Signal, Struct, Unknown, Value, rows_in
from bpcli.imports.steps import Keep
from bpcli.text import visible


class Evaluator:
    """Evaluates expressions with the values of variables; `calls` are the functions around it."""

    def __init__(self, variables: dict[str, Value], calls: tuple[str, ...] = ()) -> None:
        self.variables = variables
        self.line = 0
        self.calls = calls

    def inlined(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """The result of a function of the file; None if there is no such function."""
        raise NotImplementedError

    def unknown(self, what: str) -> Unknown:
        """A value that is not followed; within a module of the toolbox, that is to blame."""
        named = [call for call in self.calls if is_module(call)]
        return Unknown(self.line, f"the function `{named[0]}`" if named else visible(what))

    def variable(self, name: str) -> Value:
        """The value of a variable."""
        known = self.variables.get(name)
        if isinstance(known, Filled) and known.whole is not None:
            return known.whole
        return self.unknown(f"`{name}`") if known is None else known

    def value(self, expression: Expression) -> Value:
        """The value of an expression."""
        match expression:
            case Constant(number, flaw):
                return Unknown(self.line, "", flaw) if flaw else number
            case Text(text):
                return text
            case Name(name):
                return self.variable(name)
            case Field(base, name):
                return self._field(self.value(base), name)
            case Cell((only,)):
                return self.value(only)
            case Operation(sign, operands):
                if sign == "*" and any(map(_is_literal, operands)):
                    sign = ".*"  # `-2*n` scales, and `LW2_1*a1` are weights, even of 1 × 1
                return self._operated(sign, [self.value(each) for each in operands])
            case Call():
                return self._called(expression)
            case Other(text):
                return self.unknown(f"`{text}`")
        return self.unknown("`{…}`")

    def _field(self, base: Value, name: str) -> Value:
        known = base.fields.get(name) if isinstance(base, Struct) else None
        return self.unknown(f"the field `{name}`") if known is None else known

    def _operated(self, sign: str, values: Sequence[Value]) -> Value:
        if (unknown := _unknown_in(values, len(values))) is not None:
            return unknown
        try:
            return operated(sign, values)
        except NotFollowed as error:
            return self.unknown(str(error) or f"the operator `{sign}`")

    def _called(self, call: Call) -> Value:
        if call.is_cell:
            return self._cell(call)
        if not isinstance(call.base, Name):
            return self.unknown("`(…)`")
        if call.base.name in self.variables:
            return self._elements(call.base.name, call.arguments)
        return self._of_function(call.base.name, call.arguments)

    def _cell(self, call: Call) -> Value:
        """`X{1,ts}` is the input; `X{2,ts}` would be another one."""
        value = self.value(call.base)
        if not isinstance(value, Signal) or not call.arguments:
            return value if isinstance(value, Unknown) else self.unknown("`{…}`")
        number = self.number(call.arguments[0])
        if number in (None, 1) or len(call.arguments) == 1:
            return value
        return replace(value, source=f"{value.source}{{{number}}}")

    def number(self, expression: Expression) -> int | None:
        """A whole number; None if the expression is none."""
        rows = rows_in(self.value(expression))
        return rows[0] + 1 if rows is not None and len(rows) == 1 else None

    def _elements(self, name: str, arguments: Sequence[Expression]) -> Value:
        """`x(rows,:)`"""
        value = self.variable(name)
        if not isinstance(value, Signal) or len(arguments) != 2:
            return value if isinstance(value, Unknown) else self.unknown(f"`{name}(…)`")
        units, samples = arguments if not value.by_row else arguments[::-1]
        if samples == units == Name(":"):
            return value
        index = rows_in(self.value(units))
        if samples != Name(":") or index is None:
            return self.unknown(f"`{name}(…)`")
        return value.then(Keep(index))

    def _of_function(self, name: str, arguments: Sequence[Expression]) -> Value:
        if name == "bsxfun" and len(arguments) == 3 and isinstance(arguments[0], Name):
            name, arguments = arguments[0].name, arguments[1:]
            if name not in OPERATOR_OF:
                return self.unknown(f"`bsxfun(@{name},…)`")
        values = [self.value(each) for each in arguments]
        result = self.inlined(name, values)
        if result is not None:
            return result
        unknown = _unknown_in(values, 1)
        if unknown is not None and name not in ("nan", "NaN", "zeros", "ones"):
            return unknown
        try:
            return called(name, values)
        except NotFollowed as error:
            return self.unknown(str(error) or f"the function `{name}`")


def _unknown_in(values: Sequence[Value], count: int) -> Unknown | None:
    """The first of `count` values that is unknown, or of all values that is a wrong constant."""
    for number, value in enumerate(values):
        if isinstance(value, Unknown) and (number < count or value.flaw):
            has_input = any(isinstance(other, Signal | Reduced) for other in values)
            return replace(value, spoils=value.spoils or (bool(value.flaw) and has_input))
    return None


def _is_literal(operand: Expression) -> bool:
    """Whether an operand is a number that is written there."""
    if isinstance(operand, Operation):
        return len(operand.operands) == 1 and _is_literal(operand.operands[0])
    return isinstance(operand, Constant) and operand.value.size == 1


def is_module(name: str) -> bool:
    """Whether a function is a module of the toolbox, such as `tansig_apply`."""
    return name.endswith(("_apply", "_reverse"))
