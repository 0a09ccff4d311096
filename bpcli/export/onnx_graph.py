"""Builds an ONNX graph, and translates an activation's source to its nodes.

Functions that some runtimes do not have in double precision are replaced by simpler ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from bpcli.errors import ConfigError
from bpcli.notation.expressions import (
    RESULT,
    Expression,
    Name,
    Number,
    Operation,
    Reduction,
    Step,
    definition,
    size,
)


def package(name: str) -> Any:
    """A package that the export needs. Raises `ConfigError` if it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise ConfigError(
            f'The export to ONNX needs the package {name}: pip install "bpcli[onnx]".'
        ) from None


class OnnxGraph:
    """The nodes and constants of a graph, in the order of their addition."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; return its output's name."""
        output = name or f"{operator.lower()}_{len(self.nodes)}"
        made = package("onnx").helper.make_node(
            operator, inputs, [output], name=output, **attributes
        )
        self.nodes.append(made)
        return output

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        """Add a constant, by default in the network's precision; return its unique name."""
        if any(known.name == name for known in self.constants):
            name = f"{name}_{len(self.constants)}"
        array = np.ascontiguousarray(np.asarray(value, dtype or self.dtype))
        self.constants.append(package("onnx").numpy_helper.from_array(array, name))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        """Add a conversion; return its output's name."""
        target = package("onnx").helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.node("Cast", value, to=target)

    def nodes_of(self, source: str, z: str, options: Mapping[str, float]) -> str:
        """Add the nodes of an activation's source, with z (N, rows); return the result's name.

        Raises `ConfigError` if `source` has no translation.
        """
        translation = _Translation(self, {"z": z, **options})
        for step in definition(source):
            translation.add(step)
        return str(translation.values[RESULT])


@dataclass
class _Translation:
    """Translates steps; `values` are the names of nodes' results, and the numbers of options."""

    graph: OnnxGraph
    values: dict[str, str | float]

    def add(self, step: Step) -> None:
        """Add the nodes of a step."""
        made = self._nodes_of(step.value)
        if step.reduction is not None:
            made = self._reduced(made, step.reduction, by_piece=step.shape == "units")
        self.values[step.name] = made

    def _reduced(self, values: str, how: Reduction, *, by_piece: bool) -> str:
        if by_piece:
            shape = self.graph.constant("by_unit", (0, -1, self.values["pieces"]), np.int64)
            values = self.graph.node("Reshape", values, shape)
        axis, keepdims = (2, 0) if by_piece else (1, 1)
        if how == "sum":
            axes = self.graph.constant("axis", [axis], np.int64)
            return self.graph.node("ReduceSum", values, axes, keepdims=keepdims)
        return self.graph.node(f"Reduce{how.title()}", values, axes=[axis], keepdims=keepdims)

    def _nodes_of(self, expression: Expression) -> str:
        """Add the nodes of an expression; return the result's name."""
        match expression:
            case Name(name):
                value = self.values[name]
                return value if isinstance(value, str) else self.graph.constant(name, value)
            case Number(number):
                return self.graph.constant(_NAMES.get(number, "number"), number)
            case Operation("maximum", (operand, Number(0))):
                return self._node("Relu", operand)
            case Operation(function, (operand,)) if function in _SIMPLER:
                return self.graph.nodes_of(_SIMPLER[function], self._nodes_of(operand), {})
            case Operation(function, operands):
                return self._node(_OPERATORS[function], *operands)

    def _node(self, operator: str, *operands: Expression) -> str:
        """Add an operator's node after the nodes of its operands, largest operand first."""
        if operator in _SYMMETRIC:
            operands = tuple(sorted(operands, key=self._is_number))
        made = {operand: self._nodes_of(operand) for operand in sorted(operands, key=_by_size)}
        return self.graph.node(operator, *(made[operand] for operand in operands))

    def _is_number(self, expression: Expression) -> bool:
        if isinstance(expression, Name):
            return not isinstance(self.values[expression.name], str)
        return isinstance(expression, Number)


def _by_size(expression: Expression) -> int:
    return -size(expression)


_OPERATORS = {
    "+": "Add",
    "-": "Sub",
    "*": "Mul",
    "/": "Div",
    "neg": "Neg",
    ">": "Greater",
    ">=": "GreaterOrEqual",
    "<": "Less",
    "<=": "LessOrEqual",
    "abs": "Abs",
    "exp": "Exp",
    "log": "Log",
    "maximum": "Max",
    "minimum": "Min",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
    "where": "Where",
}
_SIMPLER = {"expm1": "return np.exp(z) - 1", "log1p": "return np.log(z + 1)"}
_SYMMETRIC = ("Add", "Mul", "Max", "Min")
"""Operators whose operands can be swapped, so that a number comes last."""

_NAMES: dict[float, str] = {0: "zero", 1: "one"}
