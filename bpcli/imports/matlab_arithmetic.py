"""MATLAB's operators and functions on values: what they do to a signal is a step, or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from bpcli.imports.matlab_values import (
    Filled,
    Magnitude,
    Ones,
    Reduced,
    Signal,
    Value,
    is_number,
)
from bpcli.imports.steps import (
    Activate,
    Affine,
    Function,
    Product,
    Step,
    divided_by,
    scaled_by,
    shifted_by,
)
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array

ACTIVATION_OF = {
    "tansig": "tanh", "tanh": "tanh", "logsig": "sigmoid", "softmax": "softmax",
    "poslin": "relu", "elliotsig": "softsign", "purelin": "identity",
}  # fmt: skip
"""MATLAB's transfer functions that bpnet has, by their names."""

OPERATOR_OF = {"plus": "+", "minus": "-", "times": ".*", "rdivide": "./", "mtimes": "*"}
"""Functions that are operators, as `bsxfun` takes them."""

_MINUS_ONE = np.array([[-1.0]])


class NotFollowed(Exception):
    """What a formula does is no step. The message says what that is, if there is a name for it."""


def operated(sign: str, values: Sequence[Value]) -> Value:
    """The result of an operator. Raises `NotFollowed`."""
    if sign == "'":
        return _transposed(values[0])
    if len(values) == 1:
        return _signed(sign, values[0])
    left, right = values
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return _of_arrays(sign, left, right)
    if sign in _OF_SIGNALS:
        return _OF_SIGNALS[sign](left, right)
    raise NotFollowed


def _transposed(value: Value) -> Value:
    if isinstance(value, np.ndarray):
        return value.T
    if isinstance(value, Signal):
        return value.transposed()
    raise NotFollowed


def _signed(sign: str, value: Value) -> Value:
    if sign == "-":
        return -value if isinstance(value, np.ndarray) else _times(value, _MINUS_ONE)
    if sign == "+":
        return value
    raise NotFollowed


def _of_arrays(sign: str, left: Array, right: Array) -> Array:
    operation = _OF_ARRAYS.get(sign)
    if operation is None or (sign in ("*", "/") and right.size > 1 and left.size > 1):
        raise NotFollowed
    try:
        with np.errstate(all="ignore"):
            result: Array = np.asarray(operation(left, right), np.float64)
    except ValueError:
        raise NotFollowed("a formula of matrices whose sizes differ:") from None
    if not np.isfinite(result).all():
        raise NotFollowed("a number that is not finite:")
    return result


_OF_ARRAYS = {
    "+": np.add, "-": np.subtract, "*": np.multiply, ".*": np.multiply, "/": np.divide,
    "./": np.divide, "^": np.power, ".^": np.power,
}  # fmt: skip


def _plus(left: Value, right: Value) -> Value:
    if isinstance(left, Signal) and isinstance(right, Signal):
        raise NotFollowed(_two_signals(left, right))
    for value, constant in ((left, right), (right, left)):
        if isinstance(value, Magnitude) and is_number(constant, 1) and not value.plus_one:
            return Magnitude(value.of, plus_one=True)
    traced, constant = _signal_and_constant(left, right)
    return traced.then(shifted_by(constant))


def _two_signals(left: Signal, right: Signal) -> str:
    if left.source != right.source:
        return f"the sum of two inputs, `{left.source}` and `{right.source}`:"
    return "the sum of two layers (a skip connection, as of cascadeforwardnet):"


def _minus(left: Value, right: Value) -> Value:
    if isinstance(left, Signal) and isinstance(right, Reduced):
        if right.name == "max" and right.of == left:
            return left.then(Function("minus_largest"))
        raise NotFollowed
    if isinstance(left, Signal) and is_number(right, 0):
        return left  # `ymean` of mapstd: no bias
    if isinstance(right, np.ndarray):
        return _plus(left, -right)
    return _plus(left, _times(right, _MINUS_ONE))


def _times(left: Value, right: Value) -> Value:
    traced, constant = _signal_and_constant(left, right)
    return traced.then(scaled_by(constant))


def _product(left: Value, right: Value) -> Value:
    """A matrix product, or that with a number; `b * ones(1,Q)` is b for each sample."""
    if isinstance(left, np.ndarray) and right == Ones(by_row=False) and left.shape[1] == 1:
        return left
    if isinstance(right, np.ndarray) and left == Ones(by_row=True) and right.shape[0] == 1:
        return right
    if any(isinstance(value, np.ndarray) and value.size == 1 for value in (left, right)):
        return _number_product(left, right)
    if isinstance(left, np.ndarray) and isinstance(right, Signal) and not right.by_row:
        return right.then(Product(left))
    if isinstance(right, np.ndarray) and isinstance(left, Signal):
        traced = left if left.by_row or left.steps else left.with_samples_as_rows()
        if traced.by_row:
            return traced.then(Product(right.T))
    raise NotFollowed


def _number_product(left: Value, right: Value) -> Value:
    """The product of a single number: weights of 1 × 1 if there may be one unit, else a scale.

    Both are the same function; as weights, numbers keep their place.
    """
    is_left = isinstance(left, np.ndarray) and isinstance(right, Signal) and not right.by_row
    if is_left and right.units in (None, 1):  # type: ignore[union-attr]
        return right.then(Product(left))  # type: ignore[union-attr,arg-type]  # checked above
    return _times(left, right)


def _divided(left: Value, right: Value) -> Value:
    if isinstance(left, Signal) and isinstance(right, np.ndarray):
        traced, constant = _signal_and_constant(left, right)
        return traced.then(divided_by(constant))
    if isinstance(left, np.ndarray) and left.size == 1 and isinstance(right, Signal):
        return right.then(Function("reciprocal", Fraction(left.item())))
    if isinstance(left, Signal) and isinstance(right, Reduced) and right == Reduced(left, "sum"):
        return left.then(Function("by_sum"))
    if isinstance(left, Signal) and right == Magnitude(left, plus_one=True):
        return left.then(activate("softsign"))
    raise NotFollowed


_OF_SIGNALS = {
    "+": _plus, "-": _minus, ".*": _times, "*": _product, "/": _divided, "./": _divided,
}  # fmt: skip


def _signal_and_constant(left: Value, right: Value) -> tuple[Signal, Array]:
    """Which value is the signal, and the constant: a number, or one for each unit."""
    for traced, constant in ((left, right), (right, left)):
        if isinstance(traced, Signal) and isinstance(constant, np.ndarray):
            along = traced if constant.size == 1 else traced.along(constant.shape)
            if along is not None:
                return along, constant
    raise NotFollowed


# Functions.


def called(name: str, values: Sequence[Value]) -> Value:
    """The result of one of MATLAB's functions. Raises `NotFollowed`."""
    if name in OPERATOR_OF and len(values) == 2:
        return operated(OPERATOR_OF[name], values)
    if name == "ones" and len(values) == 2:
        return Ones(by_row=not is_number(values[0], 1))
    if name in ("nan", "NaN", "zeros") and len(values) > 1:
        return Filled()
    if not values:
        raise NotFollowed
    if name == "repmat" and len(values) == 3 and isinstance(values[0], np.ndarray):
        return _for_each_sample(values[0], values[1], values[2])
    if name in ("double", "cell2mat", "squeeze"):
        return values[0]
    if name == "max" and len(values) == 2 and isinstance(values[1], Signal):
        values = [values[1], values[0]]
    if isinstance(values[0], Signal):
        return _of_signal(name, values[0], values)
    raise NotFollowed


def _for_each_sample(constant: Array, down: Value, across: Value) -> Array:
    """`repmat(b,1,Q)` of a column, or `repmat(b,Q,1)` of a row, is b for each sample."""
    if constant.shape[1] == 1 and is_number(down, 1):
        return constant
    if constant.shape[0] == 1 and is_number(across, 1):
        return constant
    raise NotFollowed


def _of_signal(name: str, traced: Signal, values: Sequence[Value]) -> Value:
    if name in ACTIVATION_OF:
        return traced.then(activate(ACTIVATION_OF[name]))
    if name == "exp":
        return traced.then(Function("exp"))
    if name == "abs":
        return Magnitude(traced)
    if name == "max" and len(values) == 2 and is_number(values[1], 0):
        return traced.then(activate("relu"))
    if name in ("max", "sum") and not traced.by_row:
        dimension = values[-1] if len(values) > 1 else np.ones((1, 1))
        if is_number(dimension, 1) and len(values) != 2 - (name == "sum"):
            return Reduced(traced, name)
    raise NotFollowed


def activate(name: str) -> Step:
    """The step of an activation; the identity is a scale by 1."""
    if name == "identity":
        return Affine((Fraction(1),), (Fraction(0),))
    return Activate(ACTIVATIONS[name]())
