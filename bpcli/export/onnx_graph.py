"""Builds an ONNX graph, and translates an activation's Python source to its nodes.

Functions that some runtimes do not have in double precision are replaced by simpler ones.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from bpcli.errors import ConfigError


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
        """Add the nodes of `return …`, an expression in z and options; return the result's name."""
        (statement,) = ast.parse(source).body
        assert isinstance(statement, ast.Return)
        assert statement.value is not None
        return _Translation(self, {"z": z, **options}).nodes_of(statement.value)


class _Translation:
    """Translates an expression whose variables are results of nodes (by name) or numbers."""

    def __init__(self, graph: OnnxGraph, values: Mapping[str, str | float]) -> None:
        self._graph = graph
        self._values = values

    def nodes_of(self, expression: ast.expr) -> str:
        """Add the nodes of an expression; return the result's name.

        Raises `NotImplementedError` for an expression without a translation.
        """
        match expression:
            case ast.Name(id=variable):
                value = self._values[variable]
                return value if isinstance(value, str) else self._graph.constant(variable, value)
            case ast.Constant(value=int() | float() as number):
                return self._graph.constant(_NAMES.get(number, "number"), number)
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _OPERATORS:
                return self._node(_OPERATORS[type(sign)], operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
                return self._node(_OPERATORS[type(sign)], left, right)
            case ast.Call(func=ast.Attribute(attr=function), args=operands):
                return self._call(expression, function, operands)
        raise _untranslated(expression)

    def _call(self, call: ast.Call, function: str, operands: list[ast.expr]) -> str:
        match function, operands:
            case "maximum", [operand, ast.Constant(value=0)]:
                return self._node("Relu", operand)
            case _, [operand] if function in _SIMPLER:
                return self._graph.nodes_of(_SIMPLER[function], self.nodes_of(operand), {})
        if function not in _FUNCTIONS:
            raise _untranslated(call)
        return self._node(_FUNCTIONS[function], *operands)

    def _node(self, operator: str, *operands: ast.expr) -> str:
        """Add an operator's node after the nodes of its operands, largest operand first."""
        if operator in _SYMMETRIC:
            operands = tuple(sorted(operands, key=self._is_number))
        by_size = sorted(operands, key=lambda operand: -len([*ast.walk(operand)]))
        made = {operand: self.nodes_of(operand) for operand in by_size}
        return self._graph.node(operator, *(made[operand] for operand in operands))

    def _is_number(self, expression: ast.expr) -> bool:
        if isinstance(expression, ast.Name):
            return not isinstance(self._values[expression.id], str)
        return isinstance(expression, ast.Constant)


def _untranslated(expression: ast.expr) -> NotImplementedError:
    source = ast.unparse(expression)
    return NotImplementedError(
        f"`{source}` has no translation to ONNX: override `onnx` of the activation"
    )


_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "Add",
    ast.Sub: "Sub",
    ast.Mult: "Mul",
    ast.Div: "Div",
    ast.USub: "Neg",
}
_FUNCTIONS = {
    "abs": "Abs",
    "exp": "Exp",
    "log": "Log",
    "maximum": "Max",
    "minimum": "Min",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
}
_SIMPLER = {"expm1": "return np.exp(z) - 1", "log1p": "return np.log(z + 1)"}
_SYMMETRIC = ("Add", "Mul", "Max", "Min")
"""Operators whose operands can be swapped, so that a number comes last."""

_NAMES: dict[float, str] = {0: "zero", 1: "one"}
