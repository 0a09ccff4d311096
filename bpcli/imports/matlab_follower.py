"""Follows a sample through the statements of a MATLAB function. Nothing is executed.

A variable holds a constant, a struct of constants, or a signal: the input with the steps that were
applied to it. Functions in the file are followed where they are called. Everything else is an
unknown value, and says in which line it arose; a signal that depends on one is no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bpcli.errors import ModelError
from bpcli.imports.matlab_evaluator import Evaluator, is_module
from bpcli.imports.matlab_exports import exported_activation, exported_column
from bpcli.imports.matlab_expressions import (
    Call,
    Constant,
    Expression,
    Field,
    Name,
    Operation,
    Text,
    names_in,
)
from bpcli.imports.matlab_syntax import Assignment, Block, Function, Statement
from bpcli.imports.matlab_values import (
    Column,
    Filled,
    Reduced,
    Signal,
    Struct,
    Unknown,
    Value,
    is_number,
    rows_in,
)
from bpcli.imports.steps import Activate
from bpcli.text import visible

_MOST_CALLS = 12
_MOST_STATEMENTS = 50_000


class Follower(Evaluator):
    """Follows the statements of one function.

    `latest` is the last signal with weights, and `other_code` the lines of other code that computes
    an input of the network, by its name. With `free_inputs`, variables that nothing sets are
    inputs, as in a script.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        variables: dict[str, Value],
        calls: tuple[str, ...] = (),
        *,
        free_inputs: bool = False,
    ) -> None:
        super().__init__(variables, calls)
        self.latest: Signal | None = None
        self.other_code: dict[str, int] = {}
        self._functions = functions
        self._free_inputs = free_inputs
        self._count = 0
        self._before_loop: set[str] = set()
        self._is_uncertain = 0

    def variable(self, name: str) -> Value:
        """The value of a variable; one that nothing sets may be an input."""
        if self._free_inputs and name not in self.variables and name not in _CONSTANTS:
            return Signal(name)
        return super().variable(name)

    def inlined(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """The result of a function in the file, which has its own variables."""
        function = self._functions.get(name)
        if function is None or not function.outputs:
            return None
        if (column := exported_column(function, self._functions, arguments)) is not None:
            return column
        for value in arguments:
            if isinstance(value, Unknown):
                return replace(value, spoils=bool(value.flaw))
        first = arguments[0] if arguments else None
        if isinstance(first, Signal) and not first.by_row and name.endswith("_apply"):
            known = exported_activation(function, arguments[1:])
            if known is not None:
                return first.then(Activate(known))
        if len(self.calls) >= _MOST_CALLS or name in self.calls:
            return self.unknown(f"the function `{name}`, which calls itself")
        variables = dict(zip(function.parameters, arguments, strict=False))
        inner = Follower(self._functions, variables, (*self.calls, name))
        inner._count = self._count
        inner.follow(function.body)
        self._count = inner._count
        result = inner.variable(function.outputs[0])
        is_unknown = isinstance(result, Unknown) and not result.flaw
        return replace(result, line=self.line) if is_unknown else result  # type: ignore[type-var]

    def follow(self, body: Sequence[Statement]) -> None:
        """Follow statements in order."""
        for statement in body:
            self._count += 1
            if self._count > _MOST_STATEMENTS:
                raise ModelError("it has too many statements for a network.")
            self.line = statement.line
            if isinstance(statement, Assignment):
                self._assign(statement)
            elif isinstance(statement, Block):
                self._follow_block(statement)
            else:
                for name in statement.names:
                    self.variables[name] = self.unknown(f"`{statement.text}`")

    # Blocks.

    def _follow_block(self, block: Block) -> None:
        if block.kind == "if":
            self._follow_if(block)
        elif block.kind in ("for", "parfor"):
            before, self._before_loop = self._before_loop, {*self.variables}
            self._follow_all(block)
            self._before_loop = before
        else:
            is_certain = block.kind in ("classdef", "methods")
            self._is_uncertain += not is_certain
            self._follow_all(block)
            self._is_uncertain -= not is_certain

    def _follow_all(self, block: Block) -> None:
        for _, body in block.branches:
            self.follow(body)

    def _follow_if(self, block: Block) -> None:
        """Follow the branch that is taken if that is known, else all that may be."""
        is_reached = True
        for condition, body in block.branches:
            holds = True if condition is None else _truth(condition)
            if holds is False:
                continue
            is_certain = is_reached and holds is True
            self._is_uncertain += not is_certain
            self.follow(body)
            self._is_uncertain -= not is_certain
            if is_certain:
                return
            is_reached = False

    # Assignments.

    def _assign(self, statement: Assignment) -> None:
        value, target = self.value(statement.value), statement.target
        if isinstance(value, Unknown) and not value.what:
            value = replace(value, what=f"`{visible(statement.key)}`")
        if isinstance(target, Name):
            self._set(target.name, value, statement)
        elif isinstance(target, Field) and isinstance(target.base, Name):
            struct = self.variables.get(target.base.name)
            if not isinstance(struct, Struct):
                struct = self.variables[target.base.name] = Struct()
            struct.fields[target.name] = value
        elif isinstance(target, Call) and isinstance(target.base, Name):
            self._set_elements(target.base.name, target, value)

    def _set(self, name: str, value: Value, statement: Assignment) -> None:
        before = self.variables.get(name)
        if (
            isinstance(value, Unknown)
            and not value.flaw
            and self._is_of_input_alone(statement.value)
        ):
            self.other_code[name] = statement.line
            value = Signal(name)
        elif isinstance(before, Signal) and isinstance(value, Signal) and before != value:
            if self._is_uncertain:
                value = Unknown(statement.line, f"`{name}` changes under a condition:")
            elif name in self._before_loop:
                value = Unknown(statement.line, f"`{name}` changes in a loop:")
        self._store(name, value)

    def _store(self, name: str, value: Value) -> None:
        self.variables[name] = value
        if isinstance(value, Signal) and value.weights:
            self.latest = value

    def _is_of_input_alone(self, expression: Expression) -> bool:
        """Whether a formula that is not followed only reads inputs to which nothing was applied.

        One that reads constants may be a part of the network.
        """
        names = names_in(expression)
        used = [self.variables[name] for name in names if name in self.variables]
        has_constants = any(isinstance(value, np.ndarray | Struct) for value in used)
        if self.calls or has_constants or any(map(is_module, names)):
            return False
        signals = [value for value in used if isinstance(value, Signal)]
        are_bare = not any(value.steps for value in signals)
        return are_bare and (bool(signals) or (self._free_inputs and not _has_unknown(used)))

    def _set_elements(self, name: str, target: Call, value: Value) -> None:
        """`Y{1,ts} = value` is the variable itself; `x(rows,:) = value` sets some units."""
        before, first = self.variables.get(name), target.arguments[:1]
        if target.is_cell:
            is_other = bool(first) and self.number(first[0]) not in (None, 1)
            self._store(name, self.unknown(f"{SECOND} of `{name}`") if is_other else value)
        elif first and (
            _is_of_nan(first[0]) or (isinstance(before, Reduced) and _is_of_0(first[0]))
        ):
            return  # `denom(denom == 0) = 1` and `a(isnan(n)) = nan` change no finite number
        elif isinstance(before, Filled) and len(target.arguments) == 2:
            self.variables[name] = self._filled(before, self.value(first[0]), value)
        else:
            self.variables[name] = self.unknown(f"`{name}(…) = …`")

    def _filled(self, before: Filled, rows: Value, value: Value) -> Value:
        index = rows_in(rows)
        if isinstance(value, Column) and index == (len(before.columns),):
            return replace(before, columns=(*before.columns, value))
        if index is not None and isinstance(value, Signal):
            return replace(before, rows=index, signal=value)
        if index is not None and isinstance(value, np.ndarray) and value.size in (1, len(index)):
            numbers = np.broadcast_to(value.ravel(), len(index)).tolist()
            pairs = tuple(zip(index, numbers, strict=True))
            return replace(before, constants=(*before.constants, *pairs))
        if isinstance(rows, np.ndarray) and not rows.size:
            return before
        return self.unknown("rows that are filled")


_CONSTANTS = {"nan", "NaN", "inf", "Inf", "pi", "eps", "true", "false", ":", "end", "i", "j"}


def _has_unknown(values: Sequence[Value]) -> bool:
    return any(isinstance(value, Unknown) for value in values)


def _truth(condition: Expression) -> bool | None:
    """Whether a condition holds; None if that is not known. No value is on a graphics processor."""
    match condition:
        case Call(Name("isa"), (_, Text("gpuArray"))):
            return False
        case Operation("~" | "!", (Call(Name("isa"), (_, Text("gpuArray"))),)):
            return True
    return None


SECOND = "a second element"
"""What a value is called that is neither the first input nor the first output."""


def _is_of_0(index: Expression) -> bool:
    """Whether an index chooses the numbers that are 0."""
    match index:
        case Operation("==", (_, Constant(number))):
            return is_number(number, 0)
    return False


def _is_of_nan(index: Expression) -> bool:
    return isinstance(index, Call) and index.base == Name("isnan")
