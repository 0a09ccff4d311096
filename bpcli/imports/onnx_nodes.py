"""The nodes of ONNX graphs as steps of a network, and their constants and attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from bpcli.errors import ModelError
from bpcli.imports.steps import (
    Activate,
    Product,
    Step,
    divided_by,
    scaled_by,
    shifted_by,
)
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Elu, LeakyRelu, Maxout
from bpcli.nn.arrays import Array
from bpcli.text import plain


def title(node: Any) -> str:
    name = f" `{plain(text_of(node.name))}`" if node.name else ""
    return f"the node {plain(text_of(node.op_type))}{name}"


def text_of(label: Any) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def array_of(tensor: Any) -> Array:
    """The numbers or texts of a constant. Raises `ModelError` if they are in another file."""
    onnx = import_module("onnx")
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ModelError(f"the weights `{plain(text_of(tensor.name))}` are in another file.")
    try:
        array: Array = onnx.numpy_helper.to_array(tensor)
    except Exception:  # of many types, for a damaged file
        raise ModelError(f"the constant `{plain(text_of(tensor.name))}` is damaged.") from None
    if array.dtype.kind in "fiub":
        array = array.astype(np.float64) if array.dtype.kind == "f" else array
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"`{plain(text_of(tensor.name))}` contains Inf or NaN.")
    return array


def attributes_of(node: Any) -> dict[str, Any]:
    onnx = import_module("onnx")
    try:
        return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    except Exception:
        raise ModelError(f"{title(node)} is damaged.") from None


def constant_of(node: Any) -> Array:
    for name, value in attributes_of(node).items():
        if name == "value":
            return array_of(value)
        if name in ("value_float", "value_floats", "value_int", "value_ints"):
            return np.asarray(value)
    raise ModelError(f"{title(node)} has no value.")


# Nodes of the chain.


def _vector(constant: Array) -> Array:
    """Numbers for the units: of shape (), (n,) or (1, n)."""
    if constant.dtype.kind not in "fiu" or constant.size != max(constant.shape, default=1):
        raise ModelError(
            f"a constant of shape {constant.shape} does not have one number for each unit."
        )
    if constant.ndim > 1 and constant.shape[-1] != constant.size:
        raise ModelError(
            f"a constant of shape {constant.shape} does not have one number for each unit."
        )
    return np.asarray(constant, np.float64).ravel()


def _matrix(constant: Array) -> Array:
    if constant.ndim != 2 or constant.dtype.kind != "f":
        raise ModelError(f"a constant of shape {constant.shape} is not a matrix of weights.")
    return constant


def _gemm(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    given = attributes_of(node)
    if is_second or given.get("transA", 0) or not known:
        raise ModelError(f"{title(node)} multiplies in an order that is not supported.")
    weights = _matrix(known[0]) * given.get("alpha", 1.0)
    steps: list[Step] = [Product(weights if given.get("transB", 0) else weights.T)]
    if len(known) > 1:
        steps.append(shifted_by(_vector(known[1]) * given.get("beta", 1.0)))
    return steps


def _matmul(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    if is_second:
        return [Product(_matrix(known[0]))]
    return [Product(_matrix(known[0]).T)]


def _add(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    return [shifted_by(_vector(known[0]))]


def _sub(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    if is_second:
        return [scaled_by([-1.0]), shifted_by(_vector(known[0]))]
    return [shifted_by(-_vector(known[0]))]


def _mul(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    return [scaled_by(_vector(known[0]))]


def _div(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    if is_second:
        raise ModelError(f"{title(node)} divides a constant by the units.")
    return [divided_by(_vector(known[0]))]


def _scaler(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    """ai.onnx.ml Scaler: (x - offset) · scale."""
    given = attributes_of(node)
    offset = np.asarray(given.get("offset", [0.0]), np.float64)
    return [shifted_by(-offset), scaled_by(given.get("scale", [1.0]))]


def _batch_norm(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    """(x - mean) / √(variance + epsilon) · scale + bias, with the statistics of the training."""
    given = attributes_of(node)
    if given.get("training_mode", 0) or len(known) != 4 or is_second:
        raise ModelError(f"{title(node)} takes its statistics from the rows.")
    scale, bias, mean, variance = map(_vector, known)
    spread = np.sqrt(variance + _decimal(given.get("epsilon", 1e-5)))
    return [shifted_by(-mean), scaled_by(scale / spread), shifted_by(bias)]


def _neg(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    return [scaled_by([-1.0])]


def _nothing(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    return []


def _cast(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    if attributes_of(node).get("to") not in _FLOATS:
        raise ModelError(f"{title(node)} rounds numbers.")
    return []


_FLOATS = (1, 11)
"""ONNX's numbers of single and double precision."""


def _reshape(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    """A reshape that keeps a sample's units: (0, …), (-1, n) or (n, 1) of one output."""
    shape = [*map(int, known[0].ravel())] if known else []
    if is_second or len(shape) > 2:
        raise ModelError(f"{title(node)} changes the shape to {shape}.")
    return []


def _softmax(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    if attributes_of(node).get("axis", -1) not in (1, -1):
        raise ModelError(f"{title(node)} is not over the units of each sample.")
    return [Activate(ACTIVATIONS["softmax"]())]


def _leaky(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    slope = _decimal(attributes_of(node).get("alpha", 0.01))
    if not 0 <= slope < 1:
        raise ModelError(f"{title(node)} has the slope {slope:g}: expected 0 to 1.")
    return [Activate(LeakyRelu(slope))]


def _prelu(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    slopes = {*known[0].ravel().tolist()} if known and not is_second else set()
    if len(slopes) != 1 or not 0 <= min(slopes) < 1:
        raise ModelError(f"{title(node)} must have a single slope, from 0 to 1, for all units.")
    return [Activate(LeakyRelu(min(slopes)))]


def _selu(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    """The scaled elu, gamma · elu(x), with the constants of ONNX in single precision."""
    given = attributes_of(node)
    alpha, gamma = (
        given.get("alpha", 1.67326319217681884765625),
        given.get("gamma", 1.05070102214813232421875),
    )
    if not 0 < alpha < float("inf"):
        raise ModelError(f"{title(node)} has alpha {alpha:g}: expected a number above 0.")
    return [Activate(Elu(alpha)), scaled_by([gamma])]


def _celu(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    """The continuous elu, alpha · elu(x / alpha)."""
    alpha = _decimal(attributes_of(node).get("alpha", 1.0))
    if not 0 < alpha < float("inf"):
        raise ModelError(f"{title(node)} has alpha {alpha:g}: expected a number above 0.")
    return [divided_by([alpha]), Activate(Elu(1.0)), scaled_by([alpha])]


def _elu(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
    alpha = _decimal(attributes_of(node).get("alpha", 1.0))
    if not 0 < alpha < float("inf"):
        raise ModelError(f"{title(node)} has alpha {alpha:g}: expected a number above 0.")
    return [Activate(Elu(alpha))]


def _decimal(number: float) -> float:
    """A number as it was written, such as 0.01, if it was stored in single precision."""
    return float(f"{number:.7g}") if float(np.float32(number)) == number else number


def _plain(activation: Activation) -> Callable[[Any, Sequence[Array], bool], list[Step]]:
    def step(node: Any, known: Sequence[Array], is_second: bool) -> list[Step]:
        return [Activate(activation)]

    return step


NODES: Mapping[str, Callable[[Any, Sequence[Array], bool], list[Step]]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _add,
    "Sub": _sub,
    "Mul": _mul,
    "Div": _div,
    "Scaler": _scaler,
    "Softmax": _softmax,
    "LeakyRelu": _leaky,
    "Elu": _elu,
    "BatchNormalization": _batch_norm,
    "Neg": _neg,
    "PRelu": _prelu,
    "Selu": _selu,
    "Celu": _celu,
    "Reshape": _reshape,
    "Cast": _cast,
    **dict.fromkeys(("Identity", "Flatten", "Dropout", "Squeeze"), _nothing),
    **{
        operator: _plain(ACTIVATIONS[name]())
        for operator, name in {
            "Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Softplus": "softplus",
            "Softsign": "softsign", "Exp": "exponential",
        }.items()
    },
}  # fmt: skip


# Activations whose formula takes several nodes.


def activation_of(formula: str, numbers: Sequence[float]) -> Activation | None:
    """The activation with a formula of nodes, where `#` stands for each of the numbers."""
    name, constants = _FORMULAS.get(formula, ("", ()))
    given = [number for number in numbers if number not in constants]
    option = _decimal(given[0]) if given else None
    try:
        if name == "maxout":
            return Maxout(int(numbers[2])) if numbers[2] >= 2 else None
        if name == "leaky_relu":
            slope = _decimal(numbers[0])
            return LeakyRelu(slope) if len(numbers) == 1 and 0 <= slope < 1 else None
        if name == "elu":
            alpha = 1.0 if option is None else option
            return Elu(alpha) if 0 < alpha < float("inf") else None
    except (IndexError, ValueError, OverflowError):
        return None
    return ACTIVATIONS[name]() if name and option is None else None


_FORMULAS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "Max(Mul(#,Z),Z)": ("leaky_relu", ()),
    "Add(Mul(#,Sub(Exp(Min(#,Z)),#)),Relu(Z))": ("elu", (0.0, 1.0)),
    "Add(Log(Add(#,Exp(Neg(Abs(Z))))),Relu(Z))": ("softplus", (1.0,)),
    "Div(Z,Add(#,Abs(Z)))": ("softsign", (1.0,)),
    "ReduceMax(Reshape(Z,#))": ("maxout", ()),
    "Where(Greater(Z,#),Z,Softplus(Z))": ("softplus", (20.0,)),
}
"""Formulas with the operands of symmetric nodes in order, and the numbers that they must have."""

IN_FORMULAS = {
    "Abs", "Add", "Div", "Exp", "Greater", "Log", "Max", "Min", "Mul", "Neg", "ReduceMax", "Relu",
    "Reshape", "Softplus", "Sub", "Where",
}  # fmt: skip
"""The nodes of these formulas."""
