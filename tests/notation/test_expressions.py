"""What is read from an activation's source, and written in a language, computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from models import VARIANTS

from bpcli.errors import ConfigError
from bpcli.nn.activation import Activation
from bpcli.nn.arrays import Array
from bpcli.notation.expressions import (
    FUNCTIONS,
    RESULT,
    Expression,
    Language,
    Name,
    Number,
    Operation,
    definition,
    names,
    size,
)

PYTHON = Language(
    "Python",
    repr,
    {
        name: f"np.{name}({', '.join(f'{{{i}}}' for i in range(count))})"
        for name, count in FUNCTIONS.items()
    },
)
Z = np.random.default_rng(5).normal(scale=3, size=(6, 9))


def computed(source: str, z: Array, options: dict[str, Any]) -> Array:
    """By the steps of the definition, each written in Python."""
    values: dict[str, Any] = {"z": z, **options}
    for step in definition(source):
        text = PYTHON.write(step.value, {name: name for name in names(step.value)})
        found = eval(text, {"np": np}, values)
        if step.shape == "units" and step.reduction:
            found = found.reshape(-1, options["pieces"], z.shape[1])
        if step.reduction:
            found = getattr(np, step.reduction)(found, axis=int(step.shape == "units"))
        values[step.name] = found
    result: Array = values[RESULT]
    return result


def by_python(source: str, z: Array, options: dict[str, Any]) -> Array:
    lines = "\n    ".join(source.splitlines())
    scope: dict[str, Any] = {"np": np}
    exec(f"def f({', '.join(['z', *options])}):\n    {lines}", scope)
    result: Array = scope["f"](z, **options)
    return result


@pytest.mark.parametrize("activation", VARIANTS, ids=str)
def test_the_steps_of_an_activation_compute_its_source(activation: Activation) -> None:
    options = dict(vars(activation))
    np.testing.assert_array_equal(
        computed(activation.source, Z, options), by_python(activation.source, Z, options)
    )


@pytest.mark.parametrize(
    "source",
    [
        "return z / z.sum(axis=0) - (z - alpha).min(axis=0)",
        "near = z - z.max(axis=0)\nscale = 1 + np.abs(near).sum(axis=0)\nreturn near / scale",
        "return (alpha * z).reshape(-1, pieces, z.shape[1]).sum(axis=1)",
        "best = z.reshape(-1, pieces, z.shape[1]).max(axis=1)\nreturn best - best.max(axis=0)",
        "return np.where(z > 0, z, -np.log1p(-np.minimum(z, 0)))",
        "return np.where(np.sqrt(np.abs(z)) <= 1, z * (z - (1 - z)), -z - -(z / -2 / alpha))",
    ],
)
def test_steps_compute_what_python_does(source: str) -> None:
    options = {"alpha": 1.5, "pieces": 3}
    np.testing.assert_array_equal(computed(source, Z, options), by_python(source, Z, options))


@pytest.mark.parametrize(
    "source",
    [
        "return np.arcsinh(z)", "return z % 2", "return z if z else 0", "return 'a'", "z = 1", "",
        "return np.exp(z, out=z)", "return np.maximum(z)", "return z.sum(axis=1)",
        "return z.max(axis=0)", "for i in z: pass\nreturn z", "return 1 < z < 2", "import os",
        "return z - z.reshape(-1, pieces, z.shape[1]).max(axis=1)",
        "return z.reshape(-1, 2, z.shape[1]).max(axis=1)", "return np.exp(z).mean(axis=0)",
        "return __import__('os').abs(z)",
    ],
)  # fmt: skip
def test_code_that_cannot_be_translated_is_said(source: str) -> None:
    with pytest.raises(ConfigError, match="has no translation to other languages"):
        definition(source)


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(
        st.just(Name("z")), st.just(Name("alpha")), st.sampled_from([-2.0, 0.5]).map(Number)
    )
    signs = st.sampled_from(["+", "-", "*", "/"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda sign, a, b: Operation(sign, (a, b)), signs, inner, inner),
            st.builds(lambda a: Operation("neg", (a,)), inner),
            st.builds(lambda a, b: Operation("maximum", (a, b)), inner, inner),
        ),
        max_leaves=12,
    )


def value_of(expression: Expression, z: float, alpha: float) -> float:
    """The value of a tree, without text."""
    match expression:
        case Number(value):
            return value
        case Name(name):
            return z if name == "z" else alpha
        case Operation("neg", (operand,)):
            return -value_of(operand, z, alpha)
        case Operation(name, (left, right)):
            a, b = (np.float64(value_of(each, z, alpha)) for each in (left, right))
            functions = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
                         "maximum": np.maximum}  # fmt: skip
            return float(functions[name](a, b))
    raise AssertionError(expression)


@given(expressions())
def test_parentheses_keep_the_order_of_a_tree(expression: Expression) -> None:
    with np.errstate(all="ignore"):
        text = PYTHON.write(expression, {"z": "z", "alpha": -0.3})
        z = np.float64(1.7)
        try:
            found = eval(text, {"np": np, "z": z})
        except ZeroDivisionError:  # of literals: Python's numbers, unlike numpy's, have no infinity
            reject()
        np.testing.assert_equal(float(found), value_of(expression, z, -0.3))


def test_a_language_without_a_function_says_so() -> None:
    (step,) = definition("return np.tanh(z) + 1")
    with pytest.raises(ConfigError, match="Basic has no function `tanh`, which an activation uses"):
        Language("Basic", repr, {}).write(step.value, {"z": "z"})
    assert size(step.value) == 4


def test_a_language_writes_signs_and_numbers_in_its_own_way() -> None:
    (step,) = definition("return 2 * z / alpha > -1")
    octave = Language("Octave", "{:g}".format, {">": "gt({}, {})"}, {"*": ".*", "/": "./"})
    assert octave.write(step.value, {"z": "x", "alpha": -3.0}) == "gt(2 .* x ./ (-3), -1)"
